//! Taking a handoff back on a person's word: queue and owner as they were, and a note that says so. The path is closed by
//! the ledger; nothing else of the ticket is touched.

use super::PlannedEffect;
use super::effects::{mark, numbered, split};
use super::note::marked;
use crate::policy::proposal::Proposal;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::{DeskChange, OwnerSpec, QueueSpec, Update, Write};
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
    let queue = proposal.from_queue.as_ref().map(|queue| QueueSpec::Id(queue.id.as_str().to_owned()));
    let owner = match &proposal.owner.previous_id {
        Some(id) => OwnerSpec::User(id.clone()),
        None => OwnerSpec::Nobody,
    };
    let reason = undo.reason.map(|reason| format!(": {}", reason.trim())).unwrap_or_default();
    let left =
        if queue.is_some() { "Queue and owner are as before." } else { "It lay in no queue before: please move it." };
    let text = format!("The handoff to {} was taken back by {}{reason}.\n{left}", proposal.to, undo.by);
    let mark = mark(id, FIRST, proposal.rule.as_str(), &proposal.rule_version);
    let wanted = Update {
        note: Some(marked(&text, &mark, capabilities.note_max_bytes)),
        owner: queue.is_some().then_some(owner),
        queue,
        ..Update::default()
    };
    let changes = split(wanted, capabilities).into_iter().map(|update| ("undo".to_owned(), DeskChange::Update(update)));
    let like = Write {
        ticket: proposal.ticket.clone(),
        change: DeskChange::Update(Update::default()),
        mark,
        expected: Some(head.version.clone()),
        first_tried: None,
        deadline: undo.now,
    };
    numbered(changes.collect(), FIRST, &like)
}
