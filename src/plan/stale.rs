//! The note that a handoff was not sent after all: a person approved it when it no longer fitted, or what an agent asked
//! for does not hold any more. Pure.

use super::PlannedEffect;
use super::effects::{CLOSING, mark};
use super::note::marked;
use crate::policy::proposal::Proposal;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::{DeskChange, Update, Write};
use handoffd_kit::model::TicketHead;
use jiff::Timestamp;

/// The note for a review that ended as stale.
pub fn stale_note(
    proposal: &Proposal,
    id: &str,
    why: &str,
    capabilities: &Capabilities,
    head: &TicketHead,
    now: Timestamp,
) -> PlannedEffect {
    let text = format!(
        "Not handed off to {}: the review of rule {} was approved when it no longer fitted.\nWhy: {why}.\nNothing was \
         changed; the case is decided anew.",
        proposal.to, proposal.rule
    );
    ending_note(proposal, id, &text, capabilities, head, now)
}

/// A note with these words as the last of a handoff that has sent nothing.
pub fn ending_note(
    proposal: &Proposal,
    id: &str,
    text: &str,
    capabilities: &Capabilities,
    head: &TicketHead,
    now: Timestamp,
) -> PlannedEffect {
    let mark = mark(id, CLOSING, proposal.rule.as_str(), &proposal.rule_version);
    let note = marked(text, &mark, capabilities.note_max_bytes);
    let write = Write {
        ticket: proposal.ticket.clone(),
        change: DeskChange::Update(Update { note: Some(note), ..Update::default() }),
        mark,
        expected: Some(head.version.clone()),
        decided_on: None,
        first_tried: None,
        deadline: now,
    };
    PlannedEffect { number: CLOSING, label: "note: not handed off".to_owned(), write }
}
