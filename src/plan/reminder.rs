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
use std::ops::Range;

/// A reminder is late already: handoffs, which are due in a quarter of an hour at most, go before it.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// Reminders count from here, a number for each step of a chain.
pub const FIRST: u32 = 100;

/// The numbers of reminders.
pub const NUMBERS: Range<u32> = FIRST..FIRST + 20;

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
    /// The step that should have taken the case elsewhere, and why it cannot be taken.
    pub cannot: Option<(&'a Unclaimed, &'a str)>,
    /// What happens next, and when.
    pub then: Option<(&'a Unclaimed, &'a Due)>,
    /// The instant.
    pub now: Timestamp,
}

/// The step of a chain that an effect of this number was the reminder of, counted from 0.
pub fn step_of(number: u32) -> Option<u32> {
    let step = number.checked_sub(FIRST)?;
    (step < STEPS as u32).then_some(step)
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
    let cannot = match &told.cannot {
        Some((step, why)) => format!("{}: {}.\n", cannot(step), one_line(why)),
        None => String::new(),
    };
    let text = format!(
        "Not taken on: nobody of {} has become its owner, written, or changed its status by {}.\n\
         {cannot}{}{known_as} is asked to take it or to give it to somebody.{then}",
        proposal.to,
        told.due.told(),
        told.lead
    );
    note_alone(proposal, id, (number, "note: not taken on in time"), &text, capabilities, head, told.now + PATIENCE)
}

/// What does not happen, in words.
fn cannot(step: &Unclaimed) -> String {
    match step {
        Unclaimed::Lead => "Its lead is not asked".to_owned(),
        Unclaimed::Team(team) => format!("It does not go on to {team}"),
        Unclaimed::Back => "It does not go back".to_owned(),
    }
}
