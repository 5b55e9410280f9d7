//! The helpdesks that the days are simulated on.

use handoffd_kit::clock::Clock;
use handoffd_sandbox::Sandbox;
use handoffd_sandbox::freshdesk::Plan;
use handoffd_sandbox::seed::{API_KEY, CLIENT, freshdesk, zendesk};
use handoffd_sandbox::zendesk::Limits;
use jiff::SignedDuration;
use std::sync::Arc;

const POLICY: &str = include_str!("policy.toml");

/// A helpdesk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Zendesk Support: its history says who changed what, and it refuses a write whose version is old.
    Zendesk,
    /// Freshdesk: no history, no version to compare, a note is a call of its own.
    Freshdesk,
}

impl Kind {
    /// An account with its people and queues.
    pub fn sandbox(self, clock: Arc<dyn Clock>, seed: u64) -> Sandbox {
        match self {
            Kind::Zendesk => zendesk(clock, seed, Limits::ENTERPRISE),
            Kind::Freshdesk => freshdesk(clock, seed, Plan::ENTERPRISE),
        }
    }

    /// The same policy for each.
    pub fn policy(self) -> String {
        let here = [
            ("connector = \"zendesk\"", "connector = \"freshdesk\""),
            ("acme.zendesk.com", "acme.freshdesk.com"),
            ("client_id = \"handoffd\", client_secret =", "api_key ="),
            ("\"360001\"", "\"cf_steps_tried\""),
            ("\"360003\"", "\"cf_refund_eur\""),
        ];
        match self {
            Kind::Zendesk => POLICY.to_owned(),
            Kind::Freshdesk => here.iter().fold(POLICY.to_owned(), |policy, (from, to)| policy.replacen(from, to, 1)),
        }
    }

    /// What our account logs in with.
    pub fn login(self) -> &'static str {
        match self {
            Kind::Zendesk => CLIENT.1,
            Kind::Freshdesk => API_KEY,
        }
    }

    /// What somebody does so shortly before a write of ours that it may be covered: nothing, or what happens between the
    /// read before a write and the write's arrival.
    pub fn unseen(self) -> SignedDuration {
        match self {
            Kind::Zendesk => SignedDuration::ZERO,
            Kind::Freshdesk => SignedDuration::from_secs(90),
        }
    }
}
