//! A desk on the sandbox in Zammad's dialect.

#[path = "../../../sandbox/tests/trial/mod.rs"]
mod trial;

pub use trial::*;

use handoffd_kit::clock::ManualClock;
use handoffd_kit::conformance::Wire;
use handoffd_sandbox::seed;
use handoffd_sandbox::stage::{SandboxStage, WEBHOOK_SECRET};
use handoffd_zammad::{ZammadDesk, connect};

pub type Account = trial::Account<ZammadDesk>;

fn desk(wire: Wire, clock: &ManualClock, token: &str) -> ZammadDesk {
    let settings = settings("https://support.acme.example", ("token", token), ("secret", WEBHOOK_SECRET));
    connect(settings, seams(wire, clock)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

impl Account {
    pub fn new() -> Self {
        Self::with_token(seed::ZAMMAD_TOKEN)
    }

    pub fn with_token(token: &str) -> Self {
        Self::on(SandboxStage::zammad(), |wire, clock| desk(wire, clock, token))
    }

    /// The same helpdesk, on which paths with this end are answered with this status.
    pub fn refusing(path: &'static str, status: u16, body: &'static str) -> Self {
        Self::on_refusing(SandboxStage::zammad(), (path, status, body), |wire, clock| {
            desk(wire, clock, seed::ZAMMAD_TOKEN)
        })
    }
}
