//! A seeded Intercom workspace: the same people and queues as everywhere; custom attributes under the names that people see.

use super::{BOT, furnish, name_plainly};
use crate::access::Grant;
use crate::intercom::Intercom;
use crate::sandbox::Sandbox;
use handoffd_kit::clock::Clock;
use std::sync::Arc;

/// The access token of handoffd's app on a seeded Intercom.
pub const INTERCOM_TOKEN: &str = "sandbox-intercom-token";

/// A workspace with its teammates, teams and attributes, and no conversations, whose app may make this many calls in ten
/// seconds.
pub fn intercom(clock: Arc<dyn Clock>, seed: u64, calls: u32) -> Sandbox {
    let sandbox = Sandbox::new(clock, seed, Intercom::new(calls));
    sandbox.with(|desk| {
        furnish(desk);
        name_plainly(desk);
        let bot = desk.find_person(BOT).map(|bot| bot.no);
        if let Some(person) = bot {
            desk.access.allow(INTERCOM_TOKEN, Grant { person, scope: None, expires_at: None });
        }
    });
    sandbox
}
