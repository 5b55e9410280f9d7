//! A desk on the sandbox in Intercom's dialect.

#[path = "../../../sandbox/tests/trial/mod.rs"]
mod trial;

pub use trial::*;

use handoffd_intercom::{IntercomDesk, connect};
use handoffd_kit::clock::ManualClock;
use handoffd_kit::conformance::Wire;
use handoffd_sandbox::seed;
use handoffd_sandbox::stage::{SandboxStage, WEBHOOK_SECRET};

pub type Account = trial::Account<IntercomDesk>;

fn desk(wire: Wire, clock: &ManualClock, token: &str) -> IntercomDesk {
    let settings = settings("https://api.eu.intercom.io", ("token", token), ("secret", WEBHOOK_SECRET));
    connect(settings, seams(wire, clock)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

impl Account {
    pub fn new() -> Self {
        Self::with_token(seed::INTERCOM_TOKEN)
    }

    pub fn with_token(token: &str) -> Self {
        Self::on(SandboxStage::intercom(), |wire, clock| desk(wire, clock, token))
    }

    /// The same workspace, on which paths with this end are answered with this status.
    pub fn refusing(path: &'static str, status: u16, body: &'static str) -> Self {
        Self::on_refusing(SandboxStage::intercom(), (path, status, body), |wire, clock| {
            desk(wire, clock, seed::INTERCOM_TOKEN)
        })
    }
}
