//! The word to a team that has not taken a case on in time: an internal note that names its lead. Pure.

use super::PlannedEffect;
use super::effects::note_alone;
use super::note::{one_line, step};
use crate::policy::due::Due;
use crate::policy::proposal::Proposal;
use crate::policy::rules::Unclaimed;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::model::TicketHead;
use jiff::{SignedDuration, Timestamp};

/// A reminder is late already: handoffs, which are due in a quarter of an hour at most, go before it.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// Reminders count from here, a number for each step of a chain.
pub const FIRST: u32 = 100;

/// So many steps a chain can have: the numbers behind theirs belong to others.
pub const STEPS: usize = 20;

/// Whom it falls to, and why now.
pub struct Reminder<'a> {
    /// The lead as the policy calls them.
    pub lead: String,
    /// The lead as the desk shows them, where that is known.
    pub known_as: Option<String>,
    /// Until when the team had time.
    pub due: &'a Due,
    /// How many steps of the chain were taken before; less than [`STEPS`].
    pub step: u32,
    /// What happens next, and when.
    pub then: Option<(&'a Unclaimed, &'a Due)>,
    /// The instant.
    pub now: Timestamp,
}

/// The effect of one reminder.
pub fn reminder(
    proposal: &Proposal,
    id: &str,
    told: &Reminder<'_>,
    capabilities: &Capabilities,
    head: &TicketHead,
) -> PlannedEffect {
    let number = FIRST + told.step;
    let known_as = told.known_as.as_deref().map(|name| format!(" ({})", one_line(name))).unwrap_or_default();
    let then = match &told.then {
        Some((next, due)) => format!("\nIf nobody does by {}, {}.", due.shown, step(next)),
        None => String::new(),
    };
    let text = format!(
        "Not taken on: nobody of {} has acted on this case by {}.\n\
         {}{known_as} is asked to take it or to give it to somebody.{then}",
        proposal.to,
        told.due.told(),
        told.lead
    );
    note_alone(proposal, id, (number, "note: not taken on in time"), &text, capabilities, head, told.now + PATIENCE)
}
