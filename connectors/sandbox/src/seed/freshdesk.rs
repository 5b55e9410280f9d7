//! A seeded Freshdesk: the same people and queues as everywhere, custom fields under the names of its API.

use super::{BOT, QUESTION, REFUND_EUR, STEPS, furnish};
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
        for (no, name) in [(STEPS, "Steps tried"), (QUESTION, "Next question"), (REFUND_EUR, "refund_eur")] {
            if let Some(field) = desk.fields.get_mut(&no) {
                field.name = name.into();
            }
        }
        let bot = desk.find_person(BOT).map(|bot| bot.no);
        if let Some(person) = bot {
            desk.access.allow(API_KEY, Grant { person, scope: None, expires_at: None });
        }
    });
    sandbox
}
