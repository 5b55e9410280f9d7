//! A seeded Jira Service Management: the same people and queues as everywhere; each queue is a value of one select list, and a
//! group of the people who work there.

use super::{BOT, furnish, name_plainly};
use crate::access::Grant;
use crate::jira::Jira;
use crate::sandbox::Sandbox;
use handoffd_kit::clock::Clock;
use std::sync::Arc;

/// The mail address of handoffd's own account on a seeded Jira.
pub const JIRA_EMAIL: &str = "handoffd@acme.example";
/// The API token of handoffd's own account on a seeded Jira.
pub const JIRA_TOKEN: &str = "sandbox-jira-token";

/// A Jira Service Management with its people, teams and fields, and no requests.
pub fn jira(clock: Arc<dyn Clock>, seed: u64) -> Sandbox {
    let sandbox = Sandbox::new(clock, seed, Jira);
    sandbox.with(|desk| {
        furnish(desk);
        name_plainly(desk);
        let bot = desk.find_person(BOT).map(|bot| bot.no);
        if let Some(person) = bot {
            desk.access.allow(JIRA_TOKEN, Grant { person, scope: None, expires_at: None });
        }
    });
    sandbox
}
