//! The word to a team that the owner of a case is gone: an internal note, so that somebody else takes it on. Pure.

use super::PlannedEffect;
use super::effects::note_alone;
use super::note::one_line;
use crate::policy::proposal::Proposal;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::model::TicketHead;
use jiff::{SignedDuration, Timestamp};
use std::ops::Range;

/// One colleague who leaves may leave a hundred cases: handoffs go before these notes.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// The numbers of these notes: one for each owner who is lost after the same handoff.
pub const NUMBERS: Range<u32> = 130..140;

/// An owner who is gone.
pub struct Lost<'a> {
    /// Why, in words.
    pub why: &'a str,
    /// How many were told of before, after the same handoff.
    pub before: u32,
    /// The instant.
    pub now: Timestamp,
}

/// The note; none where so many owners were lost that no number is left.
pub fn lost_note(
    proposal: &Proposal,
    id: &str,
    lost: &Lost<'_>,
    capabilities: &Capabilities,
    head: &TicketHead,
) -> Option<PlannedEffect> {
    let number = NUMBERS.clone().nth(usize::try_from(lost.before).ok()?)?;
    let text = format!(
        "This case has lost its owner: {}.\nSomebody of {} should take it on. The owner stays as it is until then.",
        one_line(lost.why),
        proposal.to
    );
    Some(note_alone(proposal, id, (number, "note: the owner is gone"), &text, capabilities, head, lost.now + PATIENCE))
}
