//! What was said on a ticket and what was changed, in the kit's words. Pure.
//!
//! The history has one row for each attribute; what one actor set in one moment becomes one change. What was said is taken
//! from the articles themselves, whose rows the sheet does not describe: each article is a change of its own, known by its
//! number behind an `a`, which no row's number has; our own note makes one change with what it came with.

use crate::normalise::{queue, user_id};
use crate::people::{Groups, person, role_of};
use crate::states::Words;
use crate::wire::{Article, Attachment as File, Id, Row, SYSTEM, Sent, User};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{ChangeId, MessageId, TicketId, UserId};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{
    Actor, Attachment, Author, Change, InternalText, Message, Person, PublicText, QueueRef, Role, Said, Visibility,
    What,
};
use handoffd_kit::text::{begins_alike, html_to_text};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use url::Url;

/// More of one article is not read.
const MESSAGE_BYTES: usize = 128 << 10;

/// Rows of one actor that lie closer together than this were one act.
const ONE_ACT: SignedDuration = SignedDuration::from_secs(1);

/// Who and what the ids in a history mean.
pub(crate) struct Cast {
    /// Our own account.
    pub(crate) us: Option<Id>,
    pub(crate) users: BTreeMap<Id, User>,
    pub(crate) groups: Groups,
    pub(crate) words: Arc<Words>,
    pub(crate) site: Url,
}

impl Cast {
    fn author(&self, id: Option<Id>) -> Author {
        let Some(id) = id else { return Author { id: None, name: None, role: Role::Unknown } };
        let user = self.users.get(&id);
        let role = role_of(id, user, self.us);
        let known = person(id, user, role);
        Author { id: (id != SYSTEM).then_some(known.id), name: known.name, role }
    }

    /// Who wrote an article: whose words they are, and what Zammad takes them for. It gives nobody the sender *Agent* who
    /// may not act as one in that group (Zammad sheet, *Objects*).
    fn writer(&self, article: &Article) -> Author {
        let by = article.created_by_id.get().copied();
        let sender = article.sender.get().map(String::as_str);
        let words_of = article.origin_by_id.get().copied().filter(|_| sender == Some("Customer"));
        let author = self.author(words_of.or(by));
        let role = match (author.role, sender) {
            (Role::Us | Role::Automation, _) => author.role,
            (_, Some("Agent")) => Role::Agent,
            (_, Some("Customer")) => Role::Customer,
            (_, Some("System")) => Role::Automation,
            (role, _) => role,
        };
        // What stands as the sender is who wrote it down.
        let from = article.from.get().cloned().filter(|from| !from.is_empty() && words_of.is_none());
        let name = author.name.or(from);
        Author { name, role, ..author }
    }

    /// What is known of those who work here and are named: their mail addresses.
    pub(crate) fn staff(&self) -> Vec<Person> {
        let of_staff = |(id, user): (&Id, &User)| {
            let role = role_of(*id, Some(user), self.us);
            (role == Role::Agent).then(|| person(*id, Some(user), role))
        };
        self.users.iter().filter_map(of_staff).collect()
    }
}

/// Everybody who wrote as an agent or changed something, but for the system itself.
pub(crate) fn actors(articles: &[Article], rows: &[Row]) -> BTreeSet<Id> {
    let agents = articles.iter().filter(|article| article.sender.get().is_none_or(|sender| sender != "Customer"));
    let wrote = agents.filter_map(|article| article.created_by_id.get().copied());
    let changed = rows.iter().filter(|row| is_change(row)).filter_map(|row| row.created_by_id.get().copied());
    wrote.chain(changed).filter(|id| id.is_record() && *id != SYSTEM).collect()
}

/// The conversation, oldest first. None: an article cannot be placed.
pub(crate) fn conversation(articles: &[Article], cast: &Cast) -> Option<Vec<Message>> {
    let mut messages: Vec<Message> = articles.iter().map(|article| message(article, cast)).collect::<Option<_>>()?;
    messages.sort_by_key(|message| message.at);
    Some(messages)
}

fn message(article: &Article, cast: &Cast) -> Option<Message> {
    let id = article.id.get().copied()?;
    let words = words(article);
    // Only what is stated to be internal has the weight of an internal note.
    let said = match article.internal {
        Sent::Value(true) => Said::Internally(InternalText(words)),
        _ => Said::Publicly(PublicText(words)),
    };
    Some(Message {
        id: MessageId::new(id.to_string()),
        at: *article.created_at.get()?,
        author: cast.writer(article),
        said,
        attachments: article
            .attachments
            .get()
            .into_iter()
            .flatten()
            .filter_map(|file| attached(article, file, cast))
            .collect(),
        by_machine: Fact::Unknown,
    })
}

fn attached(article: &Article, file: &File, cast: &Cast) -> Option<Attachment> {
    let address = |ticket: &Id, article: &Id, file: &Id| {
        cast.site.join(&format!("api/v1/ticket_attachment/{ticket}/{article}/{file}")).ok().map(String::from)
    };
    let media_type = file.preferences.get().and_then(|known| known.get("Content-Type")).and_then(Value::as_str);
    let ids = article.ticket_id.get().zip(article.id.get()).zip(file.id.get());
    Some(Attachment {
        name: file.filename.get()?.clone(),
        media_type: media_type.map(str::to_owned),
        bytes: file.size.get().and_then(|size| u64::try_from(size.0).ok()),
        link: ids.and_then(|((ticket, article), file)| address(ticket, article, file)),
    })
}

/// An article as readable text.
pub(crate) fn words(article: &Article) -> String {
    let body = article.body.get().map(String::as_str).unwrap_or_default();
    match article.content_type.get() {
        Some(kind) if kind.starts_with("text/plain") => handoffd_kit::text::cut(body, MESSAGE_BYTES),
        _ => html_to_text(body, MESSAGE_BYTES),
    }
}

/// The history's id of an article.
pub(crate) fn change_id(article: Id) -> ChangeId {
    ChangeId::new(format!("a{article}"))
}

/// To whom an article speaks; none: it does not say.
pub(crate) fn visibility(article: &Article) -> Option<Visibility> {
    article.internal.get().map(|internal| if *internal { Visibility::Internal } else { Visibility::Public })
}

/// Our own article with this key, if it is among these.
pub(crate) fn marked<'a>(articles: &'a [Article], us: Option<Id>, key: &str) -> Option<&'a Article> {
    let has_key = |article: &&Article| mark(article, us).is_some_and(|mark| mark.key() == key);
    articles.iter().find(has_key)
}

/// Our mark in an article of our own.
fn mark(article: &Article, us: Option<Id>) -> Option<Mark> {
    let ours = us.is_some() && article.created_by_id.get().copied() == us;
    if ours { Mark::in_text(&words(article)) } else { None }
}

/// Our own public reply with these words, written at or after this instant. It carries no mark that customers would read.
pub(crate) fn replied<'a>(
    articles: &'a [Article],
    us: Option<Id>,
    text: &str,
    since: Timestamp,
) -> Option<&'a Article> {
    let ours = |article: &&Article| {
        let by_us = us.is_some() && article.created_by_id.get().copied() == us && article.internal != Sent::Value(true);
        by_us && article.created_at.get().is_some_and(|at| *at >= since)
    };
    articles.iter().filter(ours).find(|article| begins_alike(&words(article), text))
}

/// Everything that changed, oldest first. None: a row or an article cannot be placed, and a history with a hole is none.
pub(crate) fn changes(rows: &[Row], articles: &[Article], cast: &Cast) -> Option<Vec<Change>> {
    let mut changes = acts(rows, cast)?;
    let said = |article: &Article| {
        let id = article.id.get().copied()?;
        let internal = article.internal == Sent::Value(true);
        let visibility = if internal { Visibility::Internal } else { Visibility::Public };
        let by = cast.writer(article);
        // Who wrote it down acted, whoever's words they are.
        let actor = actor(article.created_by_id.get().copied(), cast);
        let mark = mark(article, cast.us).filter(|_| internal);
        let what = vec![What::Said { visibility, message: MessageId::new(id.to_string()) }];
        Some(Change { id: change_id(id), at: *article.created_at.get()?, by, actor, mark, what })
    };
    for said in articles.iter().map(said).collect::<Option<Vec<_>>>()? {
        // An update's note is written in one transaction with what it sets.
        let with = changes.iter_mut().filter(|act| said.mark.is_some() && act.actor == Actor::Us && act.mark.is_none());
        match with.into_iter().find(|act| act.at.duration_until(said.at).abs() < ONE_ACT) {
            Some(act) => {
                (act.id, act.mark) = (said.id, said.mark);
                act.what.extend(said.what);
            }
            None => changes.push(said),
        }
    }
    changes.sort_by_key(|change| change.at);
    Some(changes)
}

/// Whether a row tells of a change to the ticket itself: mails that were sent about it, and its articles, are none.
fn is_change(row: &Row) -> bool {
    let of_ticket = row.object.get().is_none_or(|object| object == "Ticket");
    let kind = row.kind.get().map(String::as_str);
    of_ticket && !matches!(kind, Some("notification" | "email" | "escalation" | "received_merge"))
}

/// What was changed, act by act.
fn acts(rows: &[Row], cast: &Cast) -> Option<Vec<Change>> {
    let place = |row: &'_ Row| Some((*row.created_at.get()?, *row.id.get()?));
    let mut placed =
        rows.iter().filter(|row| is_change(row)).map(|row| Some((place(row)?, row))).collect::<Option<Vec<_>>>()?;
    placed.sort_by_key(|(place, _)| *place);
    let mut acts: Vec<Change> = Vec::new();
    for ((at, id), row) in placed {
        let by = cast.author(row.created_by_id.get().copied());
        let what = what(row, cast);
        let goes_on = acts.last_mut().filter(|act| {
            let again = act.what.iter().any(|before| std::mem::discriminant(before) == std::mem::discriminant(&what));
            act.by == by && act.at.duration_until(at) < ONE_ACT && !again
        });
        match goes_on {
            Some(act) => act.what.push(what),
            None => {
                let actor = actor(row.created_by_id.get().copied(), cast);
                acts.push(Change { id: ChangeId::new(id.to_string()), at, by, actor, mark: None, what: vec![what] });
            }
        }
    }
    Some(acts)
}

/// What acted. Triggers and schedulers act in the name of the system's own user; other programs act through an agent's account
/// and count as that person: taking a person for a machine would let us overrule them.
fn actor(id: Option<Id>, cast: &Cast) -> Actor {
    match id {
        None => Actor::Unknown,
        Some(SYSTEM) => Actor::Automation,
        Some(id) if Some(id) == cast.us => Actor::Us,
        Some(_) => Actor::Person,
    }
}

fn what(row: &Row, cast: &Cast) -> What {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let tag =
        || text(&row.value_to).filter(|tag| !tag.is_empty()).or_else(|| text(&row.value_from)).unwrap_or_default();
    let attribute = row.attribute.get().map(String::as_str);
    match (row.kind.get().map(String::as_str), attribute) {
        (Some("created"), _) => What::Created,
        (Some("added"), Some("tag")) => What::Tags { added: vec![tag()], removed: vec![] },
        // On which side the label stands that went, the sheet does not say: either.
        (Some("removed"), Some("tag")) => What::Tags { added: vec![], removed: vec![tag()] },
        (Some("merged_into"), _) => {
            let into = row.id_to.get().copied().filter(|id| id.is_record());
            What::Merged { into: into.map(|id| TicketId::new(id.to_string())) }
        }
        (_, Some("group")) => {
            What::Queue { from: group(&row.id_from, &row.value_from, cast), to: group(&row.id_to, &row.value_to, cast) }
        }
        (_, Some("owner")) => What::Owner { from: owner(&row.id_from), to: owner(&row.id_to) },
        (_, Some("state")) => {
            let status = |id: &Sent<Id>| id.get().and_then(|id| cast.words.status(*id));
            What::Status { from: status(&row.id_from), to: status(&row.id_to) }
        }
        (_, Some("priority")) => What::Priority { to: row.id_to.get().and_then(|id| cast.words.priority(*id)) },
        // Zammad's own attributes, and what it counts by itself.
        (_, Some(name)) if OWN.contains(&name) || name.ends_with("_at") => What::Other(short(name)),
        (_, Some(name)) => What::Field { id: short(name) },
        (Some(kind), None) => What::Other(short(kind)),
        (None, None) => What::Other("change".into()),
    }
}

/// Attributes that are no custom fields.
const OWN: &[&str] = &["title", "customer", "organization", "type", "note", "pending_time", "number", "tag"];

fn short(word: &str) -> String {
    word.chars().take(100).collect()
}

fn group(id: &Sent<Id>, name: &Value, cast: &Cast) -> Option<QueueRef> {
    let id = id.get().copied().filter(|id| id.is_record())?;
    Some(queue(id, &cast.groups, name.as_str().map(str::to_owned).as_ref()))
}

fn owner(id: &Sent<Id>) -> Option<UserId> {
    id.get().copied().filter(|id| id.is_record() && *id != SYSTEM).map(user_id)
}

#[cfg(test)]
mod tests;
