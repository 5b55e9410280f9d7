//! What a command inside the helpdesk comes to beside what it orders: a short internal note, where nothing else on the
//! ticket says it, and the removal of the label that it was given by. Pure.

use super::PlannedEffect;
use super::effects::mark;
use super::note::marked;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::{DeskChange, Update, Write};
use handoffd_kit::id::{TicketId, Version};
use jiff::Timestamp;

/// What stands where a handoff's mark has its rule.
const RULE: &str = "command";
/// The number of the first answer, and of a later one that takes it back or fulfils it.
const ANSWER: u32 = 1;
const UNTAG: u32 = 2;
const LATER: u32 = 3;

/// A command that is answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its id.
    pub command: &'a str,
    /// Its word, or how it went on: the version in the mark.
    pub verb: &'a str,
    /// The ticket.
    pub ticket: &'a TicketId,
    /// The version that was read.
    pub version: &'a Version,
    /// Now: a person waits.
    pub now: Timestamp,
}

impl Answer<'_> {
    fn effect(&self, number: u32, label: &str, change: DeskChange) -> PlannedEffect {
        let write = Write {
            ticket: self.ticket.clone(),
            change,
            mark: mark(self.command, number, RULE, self.verb),
            expected: Some(self.version.clone()),
            decided_on: None,
            first_tried: None,
            deadline: self.now,
        };
        PlannedEffect { number, label: label.to_owned(), write }
    }
}

/// The answer: what was done, or why not and what would be accepted. `again`: the command was answered before.
pub fn answer(to: &Answer<'_>, words: &str, again: bool, capabilities: &Capabilities) -> PlannedEffect {
    let number = if again { LATER } else { ANSWER };
    let mark = mark(to.command, number, RULE, to.verb);
    let note = Some(marked(words, &mark, capabilities.note_max_bytes));
    to.effect(number, "answer to a command", DeskChange::Update(Update { note, ..Update::default() }))
}

/// Takes the label off that a command was given by.
pub fn untag(of: &Answer<'_>, tag: &str) -> PlannedEffect {
    let change = DeskChange::Tags { add: Vec::new(), remove: vec![tag.to_owned()] };
    of.effect(UNTAG, "label of a command taken off", change)
}
