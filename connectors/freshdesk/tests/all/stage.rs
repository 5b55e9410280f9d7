//! A desk on the sandbox in Freshdesk's dialect.

#[path = "../../../sandbox/tests/trial/mod.rs"]
mod trial;

pub use trial::*;

use handoffd_freshdesk::{FreshdeskDesk, connect};
use handoffd_kit::clock::ManualClock;
use handoffd_kit::conformance::Wire;
use handoffd_sandbox::seed;
use handoffd_sandbox::stage::{SandboxStage, WEBHOOK_SECRET};

pub type Account = trial::Account<FreshdeskDesk>;

fn desk(wire: Wire, clock: &ManualClock, key: &str) -> FreshdeskDesk {
    let settings = settings("https://acme.freshdesk.com", ("api_key", key), ("secret", WEBHOOK_SECRET));
    connect(settings, seams(wire, clock)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

impl Account {
    pub fn new() -> Self {
        Self::with_key(seed::API_KEY)
    }

    pub fn with_key(key: &str) -> Self {
        Self::on(SandboxStage::freshdesk(), |wire, clock| desk(wire, clock, key))
    }

    /// The same helpdesk, on which paths with this end are answered with this status.
    pub fn refusing(path: &'static str, status: u16, body: &'static str) -> Self {
        Self::on_refusing(SandboxStage::freshdesk(), (path, status, body), |wire, clock| {
            desk(wire, clock, seed::API_KEY)
        })
    }
}
