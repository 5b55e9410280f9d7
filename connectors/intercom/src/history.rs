//! What was said in a conversation and what was done to it, in the kit's words: both are its parts (Intercom sheet, *Objects*).
//! Pure.
//!
//! Each part is a change of its own. What the customer began with is no part and comes first. A part tells to whom a
//! conversation was assigned and not who had it before: that is taken from the parts before it. Of labels no part tells; those
//! that stand on a conversation say who put them there and when, and count as changes of that moment. A label that was taken off
//! again leaves no trace.

use crate::normalise::{Names, is_contact, linked, queue, user_id};
use crate::wire::{Attachment as File, Author as Sender, Conversation, Id, Part, Reference, Source, Tag};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{ChangeId, MessageId, TicketId, UserId};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{
    Actor, Attachment, Author, Change, InternalText, Message, PublicText, QueueRef, Role, Said, Status, Visibility,
    What,
};
use handoffd_kit::text::{begins_alike, html_to_text};
use jiff::Timestamp;

/// More of one part is not read.
const MESSAGE_BYTES: usize = 128 << 10;

/// Who somebody is. What an AI agent says in a teammate's name is no teammate's.
pub(crate) fn author(sent: Option<&Sender>, names: &Names<'_>) -> Author {
    let Some(sent) = sent else { return Author { id: None, name: None, role: Role::Unknown } };
    let kind = sent.kind.get().map(String::as_str);
    let admin = sent.id.get().and_then(|key| Id::read(&key.0));
    let role = match kind {
        _ if sent.from_ai_agent.get() == Some(&true) => Role::Automation,
        Some(kind) if is_contact(kind) => Role::Customer,
        Some("admin") if admin == Some(names.me.id) => Role::Us,
        Some("admin") => Role::Agent,
        Some("bot" | "team") => Role::Automation,
        _ => Role::Unknown,
    };
    let known = admin.filter(|_| kind == Some("admin")).and_then(|id| names.person(id).name);
    let name = known.or_else(|| sent.name.get().filter(|name| !name.is_empty()).cloned());
    let id = sent.id.get().filter(|_| role != Role::Automation).map(|key| UserId::new(key.0.as_str()));
    Author { id, name, role }
}

fn actor(by: &Author) -> Actor {
    match by.role {
        Role::Us => Actor::Us,
        Role::Agent | Role::Customer => Actor::Person,
        Role::Automation => Actor::Automation,
        Role::Unknown => Actor::Unknown,
    }
}

/// Whether a part has words.
pub(crate) fn is_message(part: &Part) -> bool {
    part.body.get().is_some_and(|body| !body.trim().is_empty())
        || part.attachments.get().is_some_and(|all| !all.is_empty())
}

/// To whom a part speaks. Only what is stated to be a note has the weight of an internal one.
pub(crate) fn visibility(part: &Part) -> Visibility {
    let note = part.part_type.get().is_some_and(|kind| kind == "note" || kind.starts_with("note_"));
    if note { Visibility::Internal } else { Visibility::Public }
}

/// A part as readable text.
pub(crate) fn words(part: &Part) -> String {
    part.body.get().map_or_else(String::new, |body| html_to_text(body, MESSAGE_BYTES))
}

/// The conversation, oldest first. None: a part cannot be placed.
pub(crate) fn conversation(sent: &Conversation, names: &Names<'_>) -> Option<Vec<Message>> {
    let first = opening(sent, names)?;
    let rest = sent.parts().iter().filter(|part| is_message(part)).map(|part| message(part, names));
    let mut messages = std::iter::once(Some(first)).chain(rest).collect::<Option<Vec<Message>>>()?;
    messages.sort_by_key(|message| message.at);
    Some(messages)
}

/// What it began with.
fn opening(sent: &Conversation, names: &Names<'_>) -> Option<Message> {
    let source = sent.source.clone().some().unwrap_or_default();
    let words = source.body.get().map_or_else(String::new, |body| html_to_text(body, MESSAGE_BYTES));
    Some(Message {
        id: MessageId::new(opening_id(&source)),
        at: sent.created_at.get()?.0,
        author: author(source.author.get(), names),
        said: Said::Publicly(PublicText(words)),
        attachments: source.attachments.get().into_iter().flatten().filter_map(attached).collect(),
        by_machine: Fact::Unknown,
    })
}

/// Its id is of another kind than a part's.
fn opening_id(source: &Source) -> String {
    source.id.get().map_or_else(|| "s".to_owned(), |key| format!("s{}", key.0))
}

fn message(part: &Part, names: &Names<'_>) -> Option<Message> {
    let said = match visibility(part) {
        Visibility::Internal => Said::Internally(InternalText(words(part))),
        Visibility::Public => Said::Publicly(PublicText(words(part))),
    };
    let author = author(part.author.get(), names);
    let by_machine = (author.role == Role::Automation).then_some(true);
    Some(Message {
        id: MessageId::new(part.id.get()?.to_string()),
        at: part.created_at.get()?.0,
        author,
        said,
        attachments: part.attachments.get().into_iter().flatten().filter_map(attached).collect(),
        by_machine: by_machine.into(),
    })
}

fn attached(file: &File) -> Option<Attachment> {
    Some(Attachment {
        name: file.name.get()?.clone(),
        media_type: file.content_type.get().cloned(),
        bytes: file.filesize.get().copied(),
        link: file.url.get().filter(|url| url.starts_with("https://")).cloned(),
    })
}

/// Our own part with this key, if it is among these.
pub(crate) fn marked<'a>(parts: &'a [Part], us: Id, key: &str) -> Option<&'a Part> {
    parts.iter().find(|part| is_by(part, us) && Mark::in_text(&words(part)).is_some_and(|mark| mark.key() == key))
}

/// Our own public reply with these words, written at or after this instant. It carries no mark that customers would read.
/// Whether a comment's body is taken as HTML or as text is not verified: as text it comes back escaped once more.
pub(crate) fn replied<'a>(parts: &'a [Part], us: Id, text: &str, since: Timestamp) -> Option<&'a Part> {
    let ours = |part: &&Part| is_by(part, us) && part.created_at.get().is_some_and(|at| at.0 >= since);
    parts.iter().filter(ours).rfind(|part| begins_alike(&words(part), text) || is_shown_as_markup(part, text))
}

/// Whether these words stand there with their markup to be read.
pub(crate) fn is_shown_as_markup(part: &Part, text: &str) -> bool {
    let once = words(part);
    once.contains('<') && !begins_alike(&once, text) && begins_alike(&html_to_text(&once, MESSAGE_BYTES), text)
}

/// Whether a part is our own account's.
pub(crate) fn is_by(part: &Part, us: Id) -> bool {
    let author = part.author.get();
    let id = author.and_then(|author| author.id.get()).and_then(|key| Id::read(&key.0));
    id == Some(us) && author.and_then(|author| author.kind.get()).is_some_and(|kind| kind == "admin")
}

/// What is assigned: a team's slot or an admin's, and to whom; none: to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assigned {
    Team(Option<Id>),
    Admin(Option<Id>),
}

/// What a part assigned, if it did. What stands there for nobody is not documented: whatever has a kind of team or admin and no id.
pub(crate) fn assigned(part: &Part) -> Option<Assigned> {
    let to: &Reference = part.assigned_to.get()?;
    let id = to.id.get().and_then(|key| Id::read(&key.0)).filter(|id| id.is_record());
    match to.kind.get()?.as_str() {
        "team" | "nobody_team" => Some(Assigned::Team(id)),
        "admin" | "nobody_admin" | "nobody" => Some(Assigned::Admin(id)),
        _ => None,
    }
}

/// The status that a part sets, by its type. New types will come: those that end a sleep are known by their ends.
pub(crate) fn sets_status(part: &Part) -> Option<Status> {
    match part.part_type.get()?.as_str() {
        "close" => Some(Status::Solved),
        "snoozed" => Some(Status::Pending),
        kind if kind == "open" || kind.ends_with("reopen") || kind.contains("unsnooze") => Some(Status::Open),
        _ => None,
    }
}

/// The attribute that a part changed.
pub(crate) fn attribute(part: &Part) -> Option<&String> {
    part.event_details.get()?.attribute.get()?.name.get()
}

/// Whether a conversation went into another one, and into which where exactly one is linked. The part that tells it stands on
/// the one that lives on as `merged_primary_conversation`; what the other one's is called is not documented.
pub(crate) fn merged_away(sent: &Conversation) -> Option<Option<TicketId>> {
    let closed = sent.state.get().is_some_and(|state| state == "closed");
    let away = closed && sent.parts().iter().any(is_merged_away);
    let into: Vec<Id> = linked(sent).collect();
    away.then(|| match into[..] {
        [one] => Some(TicketId::new(one.to_string())),
        _ => None,
    })
}

fn is_merged_away(part: &Part) -> bool {
    part.part_type.get().is_some_and(|kind| kind.starts_with("merged_") && !kind.starts_with("merged_primary"))
}

/// Everything that changed, oldest first. None: a part cannot be placed, and a history with a hole is none.
pub(crate) fn changes(sent: &Conversation, names: &Names<'_>) -> Option<Vec<Change>> {
    let opening = opening(sent, names)?;
    let said = What::Said { visibility: Visibility::Public, message: opening.id.clone() };
    let mut changes = vec![Change {
        id: ChangeId::new(opening.id.as_str()),
        at: opening.at,
        actor: actor(&opening.author),
        by: opening.author,
        mark: None,
        what: vec![What::Created, said],
    }];
    let mut before = Before::default();
    for part in sent.parts() {
        changes.push(change(part, sent, &mut before, names)?);
    }
    let tags = sent.tags.get().and_then(|tags| tags.tags.get()).into_iter().flatten();
    changes.extend(tags.filter_map(|tag| labelled(tag, names)));
    // A label of the same second goes behind the parts of it: what is behind what was read last is read.
    changes.sort_by_key(|change| change.at);
    Some(changes)
}

/// What was so before a part, as far as the parts before it tell.
#[derive(Default)]
struct Before {
    team: Option<QueueRef>,
    admin: Option<UserId>,
    status: Option<Status>,
}

fn change(part: &Part, sent: &Conversation, before: &mut Before, names: &Names<'_>) -> Option<Change> {
    let id = part.id.get()?.to_string();
    let by = author(part.author.get(), names);
    let visibility = visibility(part);
    let mut what = Vec::new();
    if is_message(part) {
        what.push(What::Said { visibility, message: MessageId::new(id.as_str()) });
    }
    match assigned(part) {
        Some(Assigned::Team(to)) => {
            let to = to.map(|id| queue(id, names.teams));
            what.push(What::Queue { from: std::mem::replace(&mut before.team, to.clone()), to });
        }
        Some(Assigned::Admin(to)) => {
            let to = to.map(user_id);
            what.push(What::Owner { from: std::mem::replace(&mut before.admin, to.clone()), to });
        }
        None => {}
    }
    if let Some(status) = sets_status(part) {
        what.push(What::Status { from: before.status.replace(status), to: Some(status) });
    }
    if let Some(name) = attribute(part) {
        what.push(What::Field { id: short(name) });
    }
    if is_merged_away(part) {
        what.push(What::Merged { into: merged_away(sent).flatten() });
    }
    if what.is_empty() {
        what.push(What::Other(part.part_type.get().map_or_else(|| "change".to_owned(), |kind| short(kind))));
    }
    let ours = by.role == Role::Us && visibility == Visibility::Internal;
    let mark = ours.then(|| Mark::in_text(&words(part))).flatten();
    Some(Change { id: ChangeId::new(id), at: part.created_at.get()?.0, actor: actor(&by), by, mark, what })
}

/// A label that stands on the conversation, as the change that put it there; none: it does not say when.
fn labelled(tag: &Tag, names: &Names<'_>) -> Option<Change> {
    let (name, at) = (tag.name.get()?.clone(), tag.applied_at.get()?.0);
    let sender =
        tag.applied_by.get().map(|by| Sender { kind: by.kind.clone(), id: by.id.clone(), ..Sender::default() });
    let by = author(sender.as_ref(), names);
    let key = tag.id.get().map_or(name.as_str(), |key| key.0.as_str());
    Some(Change {
        id: ChangeId::new(format!("t{key}-{}", at.as_second())),
        at,
        actor: actor(&by),
        by,
        mark: None,
        what: vec![What::Tags { added: vec![name], removed: Vec::new() }],
    })
}

fn short(word: &str) -> String {
    word.chars().take(100).collect()
}

#[cfg(test)]
mod tests;
