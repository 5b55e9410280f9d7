//! A proposal ─▶ its effects. The note goes first, because a case without its context is worse than one that is still in
//! the old queue; the word to the customer last, because it promises what must have happened by then. What the desk can
//! set in one call is one effect.

use super::PlannedEffect;
use super::asking::SHORT_NOTE_BYTES;
use super::note::{self, Occasion};
use super::pause;
use crate::policy::proposal::{CustomerPlan, HandoffKind, Proposal};
use handoffd_kit::capability::{Aspect, Capabilities};
use handoffd_kit::desk::{DeskChange, OwnerSpec, PublicReply, Update, WordingSignature, Write};
use handoffd_kit::fact::Fact;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{PublicText, TicketHead};
use jiff::Timestamp;

/// What the effect that writes to the customer is called.
pub const CUSTOMER_MESSAGE: &str = "customer message";

/// The number of a handoff's closing note; effects count from 1, an undo from [`super::undo`]'s own start.
pub(super) const CLOSING: u32 = 90;
/// The number of the note that corrects what another one announced.
pub(super) const CORRECTING: u32 = 91;

/// The effects of a handoff against the ticket as just read. The first expects the head's version; each receipt gives the
/// next its own. A planned customer message is sent only with the signature of exactly its wording.
pub fn effects(
    proposal: &Proposal,
    id: &str,
    capabilities: &Capabilities,
    head: &TicketHead,
    signature: Option<WordingSignature>,
) -> Vec<PlannedEffect> {
    Planner { proposal, id, capabilities, head, signature, approved_by: None }.plan()
}

/// The same after a person's yes, whom the note names.
pub fn approved_effects(
    proposal: &Proposal,
    id: &str,
    capabilities: &Capabilities,
    head: &TicketHead,
    signature: Option<WordingSignature>,
    approved_by: &str,
) -> Vec<PlannedEffect> {
    Planner { proposal, id, capabilities, head, signature, approved_by: Some(approved_by) }.plan()
}

struct Planner<'a> {
    proposal: &'a Proposal,
    id: &'a str,
    capabilities: &'a Capabilities,
    head: &'a TicketHead,
    signature: Option<WordingSignature>,
    approved_by: Option<&'a str>,
}

impl Planner<'_> {
    fn plan(self) -> Vec<PlannedEffect> {
        let proposal = self.proposal;
        let reply = self.reply();
        let pause = pause::planned(proposal, self.capabilities, self.head);
        let mark = mark(self.id, 1, proposal.rule.as_str(), &proposal.rule_version);
        let occasion = Occasion {
            mark: &mark,
            tells: reply.is_some(),
            pause: &pause,
            approved_by: self.approved_by,
            max_bytes: self.capabilities.note_max_bytes,
        };
        let wanted = Update {
            note: Some(note::note(proposal, &occasion)),
            queue: Some(proposal.to_queue.clone()),
            owner: owner(&proposal.owner.set, self.head),
            status: pause.status(),
            followers: proposal.owner.follower.clone().into_iter().filter(|_| self.capabilities.followers).collect(),
            ..Update::default()
        };
        let note_word = match proposal.kind {
            HandoffKind::Route => "note",
            HandoffKind::Escalate | HandoffKind::Unclaimed => "package note",
            HandoffKind::Back => "closing note",
        };
        let updates = split(wanted, self.capabilities).into_iter();
        let mut changes: Vec<(String, DeskChange)> =
            updates.map(|update| (label(&update, note_word), DeskChange::Update(update))).collect();
        changes.extend(reply.map(|reply| (CUSTOMER_MESSAGE.to_owned(), DeskChange::Reply(reply))));
        numbered(changes, 1, &self.write(mark), self.head)
    }

    fn reply(&self) -> Option<PublicReply> {
        let CustomerPlan::Tell { message, wording_hash, text } = &self.proposal.customer else { return None };
        let signature = self.signature.clone()?;
        let signs_this = signature.message == message.as_str() && signature.wording == *wording_hash;
        signs_this.then(|| PublicReply { text: PublicText(text.clone()), signature })
    }

    fn write(&self, mark: Mark) -> Write {
        Write {
            ticket: self.proposal.ticket.clone(),
            change: DeskChange::Update(Update::default()),
            mark,
            expected: None,
            decided_on: None,
            first_tried: None,
            deadline: self.proposal.deadline,
        }
    }
}

/// Changes as effects from this number on. The first is decided on this head; the others get what they expect from receipts.
pub(super) fn numbered(
    changes: Vec<(String, DeskChange)>,
    from: u32,
    like: &Write,
    head: &TicketHead,
) -> Vec<PlannedEffect> {
    (from..)
        .zip(changes)
        .map(|(number, (label, change))| {
            let mark = Mark { number, ..like.mark.clone() };
            let mut write = Write { change, mark, expected: None, decided_on: None, ..like.clone() };
            if number == from {
                write.decide_on(head);
            }
            PlannedEffect { number, label, write }
        })
        .collect()
}

/// Nobody need not be set where nobody is.
fn owner(wanted: &OwnerSpec, head: &TicketHead) -> Option<OwnerSpec> {
    let nobody_there = head.owner == Fact::Known(None);
    if *wanted == OwnerSpec::Nobody && nobody_there { None } else { Some(wanted.clone()) }
}

/// One update for what the desk sets together, one each for the rest: note, queue, owner, in this order.
pub(super) fn split(wanted: Update, capabilities: &Capabilities) -> Vec<Update> {
    let single = [
        (Aspect::Note, Update { note: wanted.note, ..Update::default() }),
        (Aspect::Queue, Update { queue: wanted.queue, ..Update::default() }),
        (Aspect::Owner, Update { owner: wanted.owner, followers: wanted.followers, ..Update::default() }),
        (Aspect::Priority, Update { priority: wanted.priority, ..Update::default() }),
        (Aspect::Status, Update { status: wanted.status, ..Update::default() }),
        (Aspect::Fields, Update { fields: wanted.fields, ..Update::default() }),
    ];
    let mut updates: Vec<Update> = Vec::new();
    let mut joint: Option<usize> = None;
    for (aspect, update) in single.into_iter().filter(|(_, update)| *update != Update::default()) {
        match joint {
            Some(at) if capabilities.together.contains(&aspect) => merge(&mut updates[at], update),
            _ => {
                joint = joint.or(capabilities.together.contains(&aspect).then_some(updates.len()));
                updates.push(update);
            }
        }
    }
    updates
}

fn merge(into: &mut Update, from: Update) {
    into.note = into.note.take().or(from.note);
    into.queue = into.queue.take().or(from.queue);
    into.owner = into.owner.take().or(from.owner);
    into.priority = into.priority.take().or(from.priority);
    into.status = into.status.take().or(from.status);
    into.fields.extend(from.fields);
    into.followers.extend(from.followers);
}

pub(super) fn label(update: &Update, note_word: &str) -> String {
    let words = [
        (update.queue.is_some(), "transfer"),
        (update.owner.is_some() && update.queue.is_none(), "owner"),
        (!update.followers.is_empty() && update.owner.is_none() && update.queue.is_none(), "follower"),
        (update.priority.is_some(), "priority"),
        (update.status.is_some(), "status"),
        (!update.fields.is_empty(), "fields"),
    ];
    let set: Vec<&str> = words.into_iter().filter(|(set, _)| *set).map(|(_, word)| word).collect();
    match (set.is_empty(), update.note.is_some()) {
        (true, _) => note_word.to_owned(),
        (false, true) => format!("{} with {note_word}", set.join(", ")),
        (false, false) => set.join(", "),
    }
}

/// A mark's words have no spaces, whatever a rule is called.
pub(super) fn mark(id: &str, number: u32, rule: &str, version: &str) -> Mark {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join("-");
    Mark { handoff: id.to_owned(), number, rule: plain(rule), version: plain(version) }
}

/// An internal note of its own about a handoff that was carried out, against the ticket as just read.
pub(super) fn note_alone(
    proposal: &Proposal,
    id: &str,
    (number, label): (u32, &str),
    text: &str,
    capabilities: &Capabilities,
    head: &TicketHead,
    deadline: Timestamp,
) -> PlannedEffect {
    let mark = mark(id, number, proposal.rule.as_str(), &proposal.rule_version);
    let note = note::marked(text, &mark, capabilities.note_max_bytes);
    let mut write = Write {
        ticket: proposal.ticket.clone(),
        change: DeskChange::Update(Update { note: Some(note), ..Update::default() }),
        mark,
        expected: None,
        decided_on: None,
        first_tried: None,
        deadline,
    };
    write.decide_on(head);
    PlannedEffect { number, label: label.to_owned(), write }
}

/// One note that says what of a handoff was not done, and why: the effect that was stopped and the labels of those that
/// were to follow. What was done stands.
pub fn closing_note(
    stopped: &Write,
    label: &str,
    left: &[String],
    (why, next): (&str, &str),
    capabilities: &Capabilities,
) -> PlannedEffect {
    let undone: Vec<&str> = std::iter::once(label).chain(left.iter().map(String::as_str)).collect();
    let text = format!(
        "This handoff was stopped: {why}.\nNot done: {}.\nWhat was done before stays as it is; nothing more of it follows.{next}",
        undone.join(", ")
    );
    extra_note(stopped, CLOSING, "closing note", &text, capabilities.note_max_bytes)
}

/// A note that a person gave up what was begun on the ticket: what was stopped, and the labels of what was to follow. It is
/// planned where no desk is at hand: so much every desk takes.
pub fn given_up_note(stopped: &Write, label: &str, left: &[String], why: &str) -> PlannedEffect {
    let undone: Vec<&str> = std::iter::once(label).chain(left.iter().map(String::as_str)).collect();
    let text = format!(
        "Given up: {why}.\nNot done: {}.\nWhat was done before stays as it is; nothing more of it follows.",
        undone.join(", ")
    );
    extra_note(stopped, CLOSING, "closing note", &text, SHORT_NOTE_BYTES)
}

/// A note that takes back what the handoff's note announced: the customer message did not go out.
pub fn correcting_note(failed: &Write, why: &str, capabilities: &Capabilities) -> PlannedEffect {
    let text = format!(
        "The customer was not told what the note above announces: {why}.\nPlease tell them yourself, or send the message again with `handoffd parked retry`."
    );
    extra_note(failed, CORRECTING, "correcting note", &text, capabilities.note_max_bytes)
}

fn extra_note(of: &Write, number: u32, label: &str, text: &str, max_bytes: usize) -> PlannedEffect {
    let mark = Mark { number, ..of.mark.clone() };
    let note = note::marked(text, &mark, max_bytes);
    let change = DeskChange::Update(Update { note: Some(note), ..Update::default() });
    let write = Write { change, mark, expected: None, decided_on: None, first_tried: None, ..of.clone() };
    PlannedEffect { number, label: label.to_owned(), write }
}
