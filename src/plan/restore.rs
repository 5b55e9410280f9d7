//! Putting a case back where a handoff took it from: queue and owner as they were, the customer's clock
//! running again where the handoff stopped it, and a note that says why. Pure.

use super::PlannedEffect;
use super::effects::{label, mark, numbered, split};
use super::note::marked;
use crate::policy::proposal::Proposal;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::{DeskChange, OwnerSpec, QueueSpec, StatusSpec, Update, Write};
use handoffd_kit::model::{QueueRef, TicketHead};
use jiff::Timestamp;

/// What is put back.
pub(super) struct Restore<'a> {
    /// What the handoff did.
    pub proposal: &'a Proposal,
    /// Its id.
    pub id: &'a str,
    /// What the desk can do.
    pub capabilities: &'a Capabilities,
    /// The ticket as just read.
    pub head: &'a TicketHead,
    /// The number of the first effect.
    pub first: u32,
    /// What the effects are for.
    pub label: &'static str,
    /// The status that the handoff stopped the customer's clock with, if it did.
    pub paused: Option<&'a StatusSpec>,
    /// They are due at once.
    pub now: Timestamp,
}

/// So many numbers belong to one plan that puts a case back: an update is split into five at the most.
pub(super) const NUMBERS: u32 = 6;

/// Whether an effect of this number is part of a plan that puts a case back: an undo, or a rejection by the receiving team.
pub fn puts_back(number: u32) -> bool {
    is_rejection(number) || first_of(number) == Some(super::undo::FIRST)
}

/// Whether an effect of this number is part of a rejection: who said no reads on the ticket what comes of it.
pub fn is_rejection(number: u32) -> bool {
    first_of(number) == Some(super::back::FIRST)
}

/// Whether an effect is of the same plan that puts a case back as another one, and comes after it.
pub fn follows(number: u32, before: u32) -> bool {
    number > before && puts_back(before) && first_of(number) == first_of(before)
}

fn first_of(number: u32) -> Option<u32> {
    [super::undo::FIRST, super::back::FIRST].into_iter().find(|first| (*first..*first + NUMBERS).contains(&number))
}

impl Restore<'_> {
    /// The effects. Where the case lay in no queue only the note is written: no desk takes a case out of all queues.
    pub fn effects(&self, text: &str) -> Vec<PlannedEffect> {
        let proposal = self.proposal;
        let id = |queue: &QueueRef| QueueSpec::Id(queue.id.as_str().to_owned());
        let queue = proposal.from_queue.as_ref().map(id);
        let owner = proposal.owner.previous_id.clone().map_or(OwnerSpec::Nobody, OwnerSpec::User);
        let mark = mark(self.id, self.first, proposal.rule.as_str(), &proposal.rule_version);
        let status = self.resumed();
        let text = match &status {
            Some(status) => format!("{text}\nThe customer's clock runs again: the status is {} again.", status.word),
            None => text.to_owned(),
        };
        let wanted = Update {
            note: Some(marked(&text, &mark, self.capabilities.note_max_bytes)),
            owner: queue.is_some().then_some(owner),
            status,
            queue,
            ..Update::default()
        };
        let updates = split(wanted, self.capabilities).into_iter();
        let named = |update: &Update| format!("{}: {}", self.label, label(update, "note"));
        let changes = updates.map(|update| (named(&update), DeskChange::Update(update))).collect();
        let like = Write {
            ticket: proposal.ticket.clone(),
            change: DeskChange::Update(Update::default()),
            mark,
            expected: None,
            decided_on: None,
            first_tried: None,
            deadline: self.now,
        };
        numbered(changes, self.first, &like, self.head)
    }

    /// A pause of the customer's clock that the handoff began ends with it, as long as nobody has set another status.
    fn resumed(&self) -> Option<StatusSpec> {
        let pausing = self.capabilities.pausing(&self.paused?.word)?;
        let paused = self.head.status.known() == Some(&pausing.means);
        paused.then(|| pausing.ends(self.proposal.clock.pause.as_ref().and_then(|pause| pause.before)))
    }
}
