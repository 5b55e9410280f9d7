//! What was said on an issue and what was changed, in the kit's words. Pure.
//!
//! The first message is the description, which the customer wrote. The changelog has neither the issue's creation nor its
//! comments: both are added from the issue and its comments, each known by an id that no entry of the changelog has.

use crate::adf;
use crate::markup::mark_in;
use crate::normalise::MESSAGE_BYTES;
use crate::people::{Statuses, person, role_of};
use crate::setup::{self, Setup, TeamKind, text_of};
use crate::wire::{self, Comment, Entry, Id, Issue, Item, Sent, User};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{ChangeId, MessageId, QueueId, UserId};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{
    Actor, Attachment, Author, Change, InternalText, Message, Person, PublicText, QueueRef, Role, Said, Visibility,
    What,
};
use handoffd_kit::text::begins_alike;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The id of the message that the description is, and of the change that opened the issue.
const FIRST: &str = "description";
const OPENED: &str = "created";

/// Who is who on one issue.
pub(crate) struct Cast {
    /// Our own account.
    pub(crate) us: Option<String>,
    /// Who reported it, and who takes part: what they say in public, a customer says.
    pub(crate) askers: BTreeSet<String>,
    pub(crate) setup: Arc<Setup>,
    pub(crate) statuses: Statuses,
}

impl Cast {
    pub(crate) fn new(issue: &Issue, us: Option<String>, setup: Arc<Setup>, statuses: Statuses) -> Self {
        let reporter = issue.field::<User>("reporter").some();
        let others = setup.participants.as_ref().and_then(|field| issue.field::<Vec<User>>(field).some());
        let all = reporter.into_iter().chain(others.into_iter().flatten());
        let askers = all.filter_map(|user| user.account_id.some()).collect();
        Self { us, askers, setup, statuses }
    }

    fn is_us(&self, user: Option<&User>) -> bool {
        let id = user.and_then(|user| user.account_id.get());
        self.us.is_some() && id == self.us.as_ref()
    }

    /// Somebody as the author of what they did at their screen.
    fn author(&self, user: Option<&User>) -> Author {
        let role = user.map_or(Role::Unknown, |user| role_of(user, self.us.as_deref()));
        let known = user.and_then(|user| person(user, role));
        Author { id: known.as_ref().map(|one| one.id.clone()), name: known.and_then(|one| one.name), role }
    }

    /// Who wrote a comment. Only agents write internal ones; what somebody says in public on a ticket that is theirs, a
    /// customer says, whatever licence they have.
    fn writer(&self, comment: &Comment) -> Author {
        let author = self.author(comment.author.get());
        let asks = author.id.as_ref().is_some_and(|id| self.askers.contains(id.as_str()));
        let internal = visibility(comment) == Some(Visibility::Internal);
        let role = if author.role == Role::Agent && asks && !internal { Role::Customer } else { author.role };
        Author { role, ..author }
    }

    fn actor(&self, user: Option<&User>) -> Actor {
        match user.map(|user| role_of(user, self.us.as_deref())) {
            Some(Role::Us) => Actor::Us,
            Some(Role::Automation) => Actor::Automation,
            Some(Role::Agent | Role::Customer) => Actor::Person,
            Some(Role::Unknown) | None => Actor::Unknown,
        }
    }
}

/// Everybody who works here and stands in these, with what is told of them.
pub(crate) fn staff(comments: &[Comment], entries: &[Entry], cast: &Cast) -> Vec<Person> {
    let wrote = comments.iter().filter_map(|comment| comment.author.get());
    let changed = entries.iter().filter_map(|entry| entry.author.get());
    let known = wrote.chain(changed).filter_map(|user| person(user, role_of(user, cast.us.as_deref())));
    let staff = known.filter(|person| matches!(person.role, Role::Agent | Role::Us));
    let by_id: BTreeMap<UserId, Person> = staff.map(|person| (person.id.clone(), person)).collect();
    by_id.into_values().collect()
}

/// The conversation, oldest first. None: the issue or a comment cannot be placed.
pub(crate) fn conversation(issue: &Issue, comments: &[Comment], cast: &Cast) -> Option<Vec<Message>> {
    let rest = comments.iter().map(|comment| message(comment, cast));
    let mut messages: Vec<Message> = std::iter::once(first(issue, cast)).chain(rest).collect::<Option<_>>()?;
    messages.sort_by_key(|message| message.at);
    Some(messages)
}

/// The description as a message. Which comment a file came with, Jira does not say: all of them stand here.
fn first(issue: &Issue, cast: &Cast) -> Option<Message> {
    let files = issue.field::<Vec<wire::File>>("attachment").some().unwrap_or_default();
    let words = issue.field::<Value>("description").some().unwrap_or_default();
    let opener = opener(issue);
    let author = cast.author(opener.as_ref());
    // Whoever reports asks, also a licensed user.
    let role = if author.role == Role::Agent { Role::Customer } else { author.role };
    Some(Message {
        id: MessageId::new(FIRST),
        at: opened(issue)?,
        author: Author { role, ..author },
        said: Said::Publicly(PublicText(adf::text(&words, MESSAGE_BYTES))),
        attachments: files.into_iter().filter_map(attached).collect(),
        by_machine: Fact::Unknown,
    })
}

fn opener(issue: &Issue) -> Option<User> {
    issue.field::<User>("reporter").some().or_else(|| issue.field::<User>("creator").some())
}

fn opened(issue: &Issue) -> Option<Timestamp> {
    issue.field::<wire::At>("created").some().map(|at| at.0)
}

fn attached(file: wire::File) -> Option<Attachment> {
    Some(Attachment {
        name: file.filename.some()?,
        media_type: file.mime_type.some(),
        bytes: file.size.some(),
        link: file.content.some().filter(|link| link.starts_with("https://")),
    })
}

fn message(comment: &Comment, cast: &Cast) -> Option<Message> {
    let words = words(comment);
    // Only what is stated to be internal has the weight of an internal note.
    let said = match visibility(comment) {
        Some(Visibility::Internal) => Said::Internally(InternalText(words)),
        _ => Said::Publicly(PublicText(words)),
    };
    Some(Message {
        id: MessageId::new(comment.id.get()?.to_string()),
        at: comment.created.get()?.0,
        author: cast.writer(comment),
        said,
        attachments: Vec::new(),
        by_machine: Fact::Unknown,
    })
}

/// A comment as readable text.
pub(crate) fn words(comment: &Comment) -> String {
    adf::text(&comment.body, MESSAGE_BYTES)
}

/// To whom a comment speaks; none: it does not say.
pub(crate) fn visibility(comment: &Comment) -> Option<Visibility> {
    comment.jsd_public.get().map(|public| if *public { Visibility::Public } else { Visibility::Internal })
}

/// The history's id of a comment.
pub(crate) fn change_id(comment: Id) -> ChangeId {
    ChangeId::new(format!("c{comment}"))
}

fn is_ours(comment: &Comment, us: Option<&str>) -> bool {
    us.is_some() && comment.author.get().and_then(|author| author.account_id.get()).map(String::as_str) == us
}

/// Our own comment with this key, if it is among these.
pub(crate) fn marked<'a>(comments: &'a [Comment], us: Option<&str>, key: &str) -> Option<&'a Comment> {
    let has_key = |comment: &&Comment| mark(comment, us).is_some_and(|mark| mark.key() == key);
    comments.iter().find(has_key)
}

/// Our mark in a comment of our own.
fn mark(comment: &Comment, us: Option<&str>) -> Option<Mark> {
    if is_ours(comment, us) { mark_in(&words(comment)) } else { None }
}

/// Our own public reply with these words, written at or after this instant. It carries no mark that customers would read.
pub(crate) fn replied<'a>(
    comments: &'a [Comment],
    us: Option<&str>,
    text: &str,
    since: Timestamp,
) -> Option<&'a Comment> {
    let ours = |comment: &&Comment| {
        let public = visibility(comment) != Some(Visibility::Internal);
        is_ours(comment, us) && public && comment.created.get().is_some_and(|at| at.0 >= since)
    };
    let says = |comment: &&Comment| {
        let words = words(comment);
        begins_alike(&words, text) || begins_alike(&words.replace('\\', ""), &text.replace('\\', ""))
    };
    comments.iter().filter(ours).find(says)
}

/// What we noted in an entry of our own.
pub(crate) fn noted(entry: &Entry, us: Option<&str>) -> Option<Mark> {
    let ours = us.is_some() && entry.author.get().and_then(|author| author.account_id.get()).map(String::as_str) == us;
    let noted = entry.history_metadata.get().filter(|_| ours)?;
    Mark::in_text(noted.description.get()?)
}

/// Everything that happened, oldest first. None: an entry or a comment cannot be placed, and a history with a hole is none.
pub(crate) fn changes(issue: &Issue, entries: &[Entry], comments: &[Comment], cast: &Cast) -> Option<Vec<Change>> {
    let public = |message: &str| What::Said { visibility: Visibility::Public, message: MessageId::new(message) };
    let opener = opener(issue);
    let first = first(issue, cast)?;
    let opening = Change {
        id: ChangeId::new(OPENED),
        at: first.at,
        by: first.author,
        actor: cast.actor(opener.as_ref()),
        mark: None,
        what: vec![What::Created, public(FIRST)],
    };
    let said = |comment: &Comment| {
        let internal = visibility(comment) == Some(Visibility::Internal);
        let visibility = if internal { Visibility::Internal } else { Visibility::Public };
        let id = *comment.id.get()?;
        Some(Change {
            id: change_id(id),
            at: comment.created.get()?.0,
            by: cast.writer(comment),
            actor: cast.actor(comment.author.get()),
            mark: mark(comment, cast.us.as_deref()).filter(|_| internal),
            what: vec![What::Said { visibility, message: MessageId::new(id.to_string()) }],
        })
    };
    let changed = |entry: &Entry| {
        let items = entry.items.get().map(Vec::as_slice).unwrap_or_default();
        Some(Change {
            id: ChangeId::new(entry.id.get()?.to_string()),
            at: entry.created.get()?.0,
            by: cast.author(entry.author.get()),
            actor: if cast.is_us(entry.author.get()) { Actor::Us } else { cast.actor(entry.author.get()) },
            mark: noted(entry, cast.us.as_deref()),
            what: items.iter().map(|item| what(item, cast)).collect(),
        })
    };
    let all = entries.iter().map(changed).chain(comments.iter().map(said));
    let mut changes: Vec<Change> = std::iter::once(Some(opening)).chain(all).collect::<Option<_>>()?;
    changes.sort_by_key(|change| change.at);
    Some(changes)
}

fn what(item: &Item, cast: &Cast) -> What {
    let field = text_of(&item.field_id).or(text_of(&item.field)).unwrap_or("change");
    if let Some(team) = cast
        .setup
        .team
        .as_ref()
        .filter(|team| team.id == field || (text_of(&item.field_id).is_none() && team.name == field))
    {
        let queue = |id: &Sent<String>, name: &Sent<String>| queue(id, name, team.kind);
        return What::Queue { from: queue(&item.from, &item.from_string), to: queue(&item.to, &item.to_string) };
    }
    let some = |sent: &Sent<String>| sent.get().filter(|text| !text.is_empty()).cloned();
    match field {
        "assignee" => What::Owner { from: some(&item.from).map(UserId::new), to: some(&item.to).map(UserId::new) },
        "status" => {
            let status = |id: &Sent<String>| cast.statuses.get(id.get()?).copied();
            What::Status { from: status(&item.from), to: status(&item.to) }
        }
        "priority" => What::Priority { to: item.to_string.get().and_then(|name| setup::priority(name)) },
        "labels" => {
            let labels = |sent: &Sent<String>| -> BTreeSet<String> {
                sent.get().into_iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
            };
            let (from, to) = (labels(&item.from_string), labels(&item.to_string));
            let beyond = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect();
            What::Tags { added: beyond(&to, &from), removed: beyond(&from, &to) }
        }
        field if field.starts_with("customfield_") => What::Field { id: short(field) },
        field => What::Other(short(field)),
    }
}

/// A team before or after; none: no team had it. What stands in a select list is known by its text.
fn queue(id: &Sent<String>, name: &Sent<String>, kind: TeamKind) -> Option<QueueRef> {
    let some = |sent: &Sent<String>| sent.get().filter(|text| !text.is_empty()).cloned();
    let id = match kind {
        TeamKind::Select => some(name)?,
        TeamKind::Team => some(id)?,
    };
    Some(QueueRef { id: QueueId::new(id), name: some(name) })
}

fn short(word: &str) -> String {
    word.chars().take(100).collect()
}

#[cfg(test)]
mod tests;
