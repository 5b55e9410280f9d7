//! A seeded Freshdesk: the same people and queues as everywhere, custom fields under the names of its API.

use super::{BOT, furnish, name_plainly};
use crate::access::Grant;
use crate::freshdesk::{Freshdesk, Plan};
use crate::sandbox::Sandbox;
use handoffd_kit::clock::Clock;
use std::sync::Arc;

/// The API key of handoffd's agent on a seeded Freshdesk.
pub const API_KEY: &str = "sandbox-freshdesk-key";

/// A Freshdesk account with its people, groups and fields, and no tickets.
pub fn freshdesk(clock: Arc<dyn Clock>, seed: u64, plan: Plan) -> Sandbox {
    let sandbox = Sandbox::new(clock, seed, Freshdesk::new(plan));
    sandbox.with(|desk| {
        furnish(desk);
        name_plainly(desk);
        let bot = desk.find_person(BOT).map(|bot| bot.no);
        if let Some(person) = bot {
            desk.access.allow(API_KEY, Grant { person, scope: None, expires_at: None });
        }
    });
    sandbox
}
