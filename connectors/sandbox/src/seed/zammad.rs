//! A seeded Zammad: the same people and queues as everywhere, custom fields under the names of its API.

use super::{BOT, furnish, name_plainly};
use crate::access::Grant;
use crate::sandbox::Sandbox;
use crate::zammad::Zammad;
use handoffd_kit::clock::Clock;
use std::sync::Arc;

/// The access token of handoffd's agent on a seeded Zammad.
pub const ZAMMAD_TOKEN: &str = "sandbox-zammad-token";

/// A Zammad with its people, groups and fields, and no tickets.
pub fn zammad(clock: Arc<dyn Clock>, seed: u64) -> Sandbox {
    let sandbox = Sandbox::new(clock, seed, Zammad);
    sandbox.with(|desk| {
        furnish(desk);
        name_plainly(desk);
        let bot = desk.find_person(BOT).map(|bot| bot.no);
        if let Some(person) = bot {
            desk.access.allow(ZAMMAD_TOKEN, Grant { person, scope: None, expires_at: None });
        }
    });
    sandbox
}
