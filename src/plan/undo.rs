//! Taking a handoff back on a person's word: queue and owner as they were, and a note that says so. The path is closed by
//! the ledger; nothing else of the ticket is touched.

use super::PlannedEffect;
use super::note::spoken;
use super::restore::Restore;
use crate::policy::proposal::Proposal;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::StatusSpec;
use handoffd_kit::model::TicketHead;
use jiff::Timestamp;

/// Undo's effects count from here, behind a handoff's own.
pub(super) const FIRST: u32 = 50;

/// Who takes a handoff back, and why.
pub struct Undo<'a> {
    /// The person.
    pub by: &'a str,
    /// Their reason, if they gave one.
    pub reason: Option<&'a str>,
    /// The status that the handoff stopped the customer's clock with, if it did.
    pub paused: Option<&'a StatusSpec>,
    /// The instant: an undo is due at once.
    pub now: Timestamp,
}

/// The effects that put a case back. Where it lay in no queue, only the note is written: no desk takes a case out of all
/// queues, and the note says what is left to do.
pub fn undo(
    proposal: &Proposal,
    id: &str,
    capabilities: &Capabilities,
    head: &TicketHead,
    undo: &Undo<'_>,
) -> Vec<PlannedEffect> {
    let reason = undo.reason.map(|reason| format!(": {}", spoken(reason))).unwrap_or_default();
    let left = match proposal.from_queue {
        Some(_) => "Queue and owner are as before.",
        None => "It lay in no queue before: please move it.",
    };
    let text = format!("The handoff to {} was taken back by {}{reason}.\n{left}", proposal.to, undo.by);
    Restore { proposal, id, capabilities, head, first: FIRST, label: "undo", paused: undo.paused, now: undo.now }
        .effects(&text)
}
