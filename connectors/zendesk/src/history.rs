//! Audits and comments in the kit's words: what was said, and who changed what. Pure.
//!
//! One audit may hold what a person did and what triggers did after it, in the same moment: these become two changes,
//! because a trigger that moves a ticket back is no person (Zendesk sheet, *Objects*, audits).

use crate::normalise::{MERGED_TAG, priority, queue, status, user_id};
use crate::people::{person, role};
use crate::wire::{Audit, Event, Id, Metadata, Sent, User, Via};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{ChangeId, MessageId};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{
    Actor, Attachment, Author, Change, InternalText, Message, Person, PublicText, Role, Said, Visibility, What,
};
use handoffd_kit::text::html_to_text;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// More of one message is not read: Zendesk itself holds no more than 64 kB.
const MESSAGE_BYTES: usize = 128 << 10;

/// The flag of a mail that was written automatically (Zendesk's reference, *Ticket comments*, comment flags).
const AUTOMATIC: u64 = 4;

/// Who and what the ids in a history mean.
#[derive(Default)]
pub(crate) struct Cast {
    /// Our own account.
    pub(crate) us: Option<Id>,
    /// Who asks: a customer without another read.
    pub(crate) requester: Option<Id>,
    pub(crate) users: BTreeMap<Id, User>,
    pub(crate) groups: BTreeMap<Id, String>,
}

impl Cast {
    fn role(&self, id: Id) -> Role {
        if !id.is_record() {
            Role::Automation
        } else if Some(id) == self.us {
            Role::Us
        } else if Some(id) == self.requester {
            Role::Customer
        } else {
            self.users.get(&id).map_or(Role::Unknown, role)
        }
    }

    /// Whether nobody needs to be asked who this is.
    pub(crate) fn knows(&self, id: Id) -> bool {
        !id.is_record() || [self.us, self.requester].contains(&Some(id)) || self.users.contains_key(&id)
    }

    /// What is known of those who work here and are named: their mail addresses.
    pub(crate) fn staff(&self) -> Vec<Person> {
        let staff = self.users.iter().filter(|(id, _)| self.role(**id) == Role::Agent);
        staff.map(|(id, user)| person(*id, Some(user), Role::Agent)).collect()
    }

    fn author(&self, id: Option<Id>) -> Author {
        let Some(id) = id else { return Author { id: None, name: None, role: Role::Unknown } };
        let name = self.users.get(&id).and_then(|user| user.name.get().cloned());
        Author { id: id.is_record().then(|| user_id(id)), name, role: self.role(id) }
    }
}

/// Everybody who wrote or changed something.
pub(crate) fn actors(audits: &[Audit]) -> BTreeSet<Id> {
    let of_audit = |audit: &Audit| {
        let said = events(audit).filter(|event| event.is_comment()).filter_map(|event| event.author_id.get().copied());
        audit.author_id.get().copied().into_iter().chain(said).collect::<Vec<_>>()
    };
    audits.iter().flat_map(of_audit).collect()
}

/// All groups that are named.
pub(crate) fn groups(audits: &[Audit]) -> Vec<Id> {
    let moves =
        audits.iter().flat_map(events).filter(|event| event.field_name.get().is_some_and(|name| name == "group_id"));
    moves.flat_map(|event| [id(&event.value), id(&event.previous_value)]).flatten().collect()
}

fn events(audit: &Audit) -> impl Iterator<Item = &Event> {
    audit.events.get().into_iter().flatten()
}

/// An audit with the two keys without which it cannot be placed.
struct Placed<'a> {
    id: Id,
    at: Timestamp,
    audit: &'a Audit,
}

/// The audits, oldest first; none: one of them has no id or no time, and a history with a hole is no history.
fn placed<'a>(audits: &'a [Audit]) -> Option<Vec<Placed<'a>>> {
    let place = |audit: &'a Audit| Some(Placed { id: *audit.id.get()?, at: *audit.created_at.get()?, audit });
    let mut placed: Vec<Placed<'a>> = audits.iter().map(place).collect::<Option<_>>()?;
    placed.sort_by_key(|placed| (placed.at, placed.id));
    Some(placed)
}

/// What was said and what was changed, oldest first. None: it cannot be read as a history.
pub(crate) fn read(audits: &[Audit], cast: &Cast) -> Option<(Vec<Message>, Vec<Change>)> {
    let placed = placed(audits)?;
    let said = |audit: &Placed<'_>| {
        let said = events(audit.audit).filter(|event| event.is_comment());
        let by_machine = by_machine(&audit.audit.via, &audit.audit.metadata);
        let message = |event| {
            let message = message(event, audit.at, audit.audit.author_id.get().copied(), cast)?;
            Some(Message { by_machine: by_machine.clone(), ..message })
        };
        said.map(message).collect::<Vec<_>>()
    };
    let messages = placed.iter().flat_map(said).collect::<Option<Vec<_>>>()?;
    let changes = placed.iter().flat_map(|audit| changes(audit, cast)).collect();
    Some((messages, changes))
}

/// The conversation alone, from a ticket's comments. None: one of them cannot be placed.
pub(crate) fn conversation(comments: &[Event], cast: &Cast) -> Option<Vec<Message>> {
    let said = comments.iter().filter(|comment| comment.is_comment());
    let mut messages: Vec<Message> =
        said.map(|comment| message(comment, *comment.created_at.get()?, None, cast)).collect::<Option<_>>()?;
    messages.sort_by_key(|message| message.at);
    Some(messages)
}

/// Whether a mail was written by a machine: Zendesk flags those, and leaves the flags out where there are none. What came
/// in another way carries no such sign.
fn by_machine(via: &Sent<Via>, metadata: &Sent<Metadata>) -> Fact<bool> {
    let is_mail = via.get().and_then(|via| via.channel.get()).is_some_and(|channel| channel == "email");
    let Some(metadata) = metadata.get().filter(|_| is_mail) else { return Fact::Unknown };
    match &metadata.flags {
        Value::Null => Fact::Known(false),
        Value::Array(flags) => Fact::Known(flags.iter().any(|flag| flag.as_u64() == Some(AUTOMATIC))),
        _ => Fact::Unknown,
    }
}

fn message(event: &Event, at: Timestamp, by: Option<Id>, cast: &Cast) -> Option<Message> {
    let words = words(event);
    // Only what is stated to be internal has the weight of an internal note.
    let said = match event.public {
        Sent::Value(false) => Said::Internally(InternalText(words)),
        _ => Said::Publicly(PublicText(words)),
    };
    let attachments = event.attachments.get().into_iter().flatten().filter_map(|file| {
        Some(Attachment {
            name: file.file_name.get()?.clone(),
            media_type: file.content_type.get().cloned(),
            bytes: file.size.get().copied(),
            link: file.content_url.get().cloned(),
        })
    });
    Some(Message {
        id: MessageId::new(event.id.get()?.to_string()),
        at,
        author: cast.author(event.author_id.get().copied().or(by)),
        said,
        attachments: attachments.collect(),
        by_machine: by_machine(&event.via, &event.metadata),
    })
}

/// A message as readable text: its HTML keeps lines that the other bodies lose.
pub(crate) fn words(event: &Event) -> String {
    let html =
        event.html_body.get().map(|html| html_to_text(html, MESSAGE_BYTES)).filter(|text| !text.trim().is_empty());
    let plain = || event.plain_body.get().or(event.body.get()).cloned().unwrap_or_default();
    html.unwrap_or_else(plain)
}

/// The key of ours that an audit by our own account carries, in its metadata or in a note.
pub(crate) fn key(audit: &Audit, us: Option<Id>) -> Option<String> {
    mark(audit, us).map(|mark| mark.key()).or_else(|| ours(audit, us)?.0)
}

/// The metadata's key and rule, if the audit is by our own account.
fn ours(audit: &Audit, us: Option<Id>) -> Option<(Option<String>, Option<String>)> {
    if us.is_none() || audit.author_id.get().copied() != us {
        return None;
    }
    let custom = audit.metadata.get().and_then(|metadata| metadata.custom.get());
    Some((
        custom.and_then(|custom| custom.handoffd.get().cloned()),
        custom.and_then(|custom| custom.handoffd_rule.get().cloned()),
    ))
}

fn mark(audit: &Audit, us: Option<Id>) -> Option<Mark> {
    let (key, rule) = ours(audit, us)?;
    let by_us = |event: &&Event| event.author_id.get().copied().is_none_or(|author| Some(author) == us);
    let notes = events(audit).filter(|event| event.is_comment() && event.public == Sent::Value(false)).filter(by_us);
    let in_note = notes.filter_map(|event| Mark::in_text(&words(event))).next();
    in_note.or_else(|| Mark::in_text(&format!("[handoffd {} {}]", key?, rule?)))
}

/// The changes of one audit: what its author did, and what rules did in the same moment.
fn changes(placed: &Placed<'_>, cast: &Cast) -> Vec<Change> {
    let audit = placed.audit;
    let by_rule = |event: &&Event| event.via.get().is_some_and(is_rule);
    let (ruled, own): (Vec<&Event>, Vec<&Event>) = events(audit).partition(by_rule);
    let author = audit.author_id.get().copied();
    // What Zendesk itself does not believe to be theirs is nobody's act.
    let doubted = own.iter().any(|event| event.is_comment() && event.trusted == Sent::Value(false));
    let actor = if doubted { Actor::Unknown } else { actor(author, audit.via.get(), cast) };
    let what = what(&own, cast);
    let mut changes = Vec::new();
    if !what.is_empty() {
        changes.push(Change {
            id: ChangeId::new(placed.id.to_string()),
            at: placed.at,
            by: cast.author(author),
            actor,
            mark: mark(audit, cast.us),
            what,
        });
    }
    let ruled_what = self::what(&ruled, cast);
    if !ruled_what.is_empty() {
        // Events are numbered after their audit, in the same row of numbers.
        let id = ruled.iter().find_map(|event| event.id.get()).unwrap_or(&placed.id);
        changes.push(Change {
            id: ChangeId::new(id.to_string()),
            at: placed.at,
            by: Author { id: None, name: None, role: Role::Automation },
            actor: Actor::Automation,
            mark: None,
            what: ruled_what,
        });
    }
    changes
}

/// A trigger or an automation.
pub(crate) fn is_rule(via: &Via) -> bool {
    let rel = via.source.get().and_then(|source| source.rel.get()).map(String::as_str);
    matches!(rel, Some("trigger" | "automation")) || via.channel.get().is_some_and(|channel| channel == "rule")
}

/// What acted. Changes by other accounts through the API count as a person's: many agents work through apps, and taking
/// a person for a machine would let us overrule them.
fn actor(author: Option<Id>, via: Option<&Via>, cast: &Cast) -> Actor {
    if via.is_some_and(is_rule) {
        return Actor::Automation;
    }
    match author.map(|author| cast.role(author)) {
        Some(Role::Us) => Actor::Us,
        Some(Role::Automation) => Actor::Automation,
        Some(_) => Actor::Person,
        None => Actor::Unknown,
    }
}

fn what(events: &[&Event], cast: &Cast) -> Vec<What> {
    let mut all: Vec<What> = Vec::new();
    if events.iter().any(|event| is(event, "Create")) {
        all.push(What::Created);
    }
    for event in events {
        if event.is_comment() {
            let visibility = if event.public == Sent::Value(false) { Visibility::Internal } else { Visibility::Public };
            all.extend(event.id.get().map(|id| What::Said { visibility, message: MessageId::new(id.to_string()) }));
        } else if is(event, "Create") || is(event, "Change") {
            all.extend(event.field_name.get().into_iter().flat_map(|name| changed(name, event, cast)));
        }
    }
    all
}

fn is(event: &Event, kind: &str) -> bool {
    event.kind.get().is_some_and(|sent| sent == kind)
}

fn changed(name: &str, event: &Event, cast: &Cast) -> Vec<What> {
    let (from, to) = (&event.previous_value, &event.value);
    let created = is(event, "Create");
    vec![match name {
        "group_id" => {
            let group = |value| id(value).map(|id| queue(id, &cast.groups));
            What::Queue { from: group(from), to: group(to) }
        }
        "assignee_id" => What::Owner { from: id(from).map(user_id), to: id(to).map(user_id) },
        "status" => {
            let word = |value: &Value| value.as_str().and_then(status);
            What::Status { from: word(from), to: word(to) }
        }
        "priority" => What::Priority { to: to.as_str().and_then(priority) },
        "tags" | "current_tags" => {
            let (before, after) = (tags(from), tags(to));
            let new = |these: &[String], those: &[String]| -> Vec<String> {
                these.iter().filter(|tag| !those.contains(tag)).cloned().collect()
            };
            let (added, removed) = (new(&after, &before), new(&before, &after));
            let merged = !created && added.iter().any(|tag| tag == MERGED_TAG);
            let merged = merged.then_some(What::Merged { into: None });
            return std::iter::once(What::Tags { added, removed }).chain(merged).collect();
        }
        _ if Id::read(name).is_some() => What::Field { id: name.to_owned() },
        // The opening's other values say nothing that its head does not.
        _ if created => return Vec::new(),
        _ => What::Other(name.chars().take(100).collect()),
    }]
}

/// Values of audits are text or numbers; an empty one is none.
fn id(value: &Value) -> Option<Id> {
    serde_json::from_value::<Id>(value.clone()).ok().filter(|id| id.is_record())
}

/// Tags come as a list, or as words in one text.
fn tags(value: &Value) -> Vec<String> {
    match value {
        Value::String(words) => words.split_whitespace().map(str::to_owned).collect(),
        Value::Array(tags) => tags.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
