//! Writing: one thing in one call, each after a read of its own (Freshdesk sheet, *Write-back*).
//!
//! Freshdesk compares nothing, so the ticket is read right before each write and compared with what it was decided on; what
//! somebody does in the moment between stays unseen. A write that the vendor's limit held back longer is not sent: the ticket
//! is read again. Group, agent, priority, status and custom fields go together in one
//! `PUT`; a note and a reply are calls of their own, and `PUT` takes tags as a whole set only.

use crate::api::{Ask, ticket_id, write as write_ask};
use crate::desk::FreshdeskDesk;
use crate::history;
use crate::limits::NOTE_BYTES;
use crate::statuses;
use crate::wire::{Entry, Id};
use handoffd_kit::desk::{DeskChange, OwnerSpec, PublicReply, QueueSpec, Receipt, Update, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::Freshness;
use handoffd_kit::model::{Ending, FieldValue, Priority, PublicText, Status, TicketHead, Visibility};
use handoffd_kit::text::{html_of_note, html_of_words};
use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const UPDATE: &str = "update ticket";
const NOTE: &str = "add note";
const REPLY: &str = "send public reply";
const TAGS: &str = "change tags";

impl FreshdeskDesk {
    /// Carries a write out.
    pub(crate) async fn carry_out(&self, write: &Write) -> Result<Receipt> {
        let id = ticket_id(&write.ticket, UPDATE)?;
        // What the configuration names is looked up first: the ticket is read last, right before the write.
        let wanted = match &write.change {
            DeskChange::Update(update) => Some(self.wanted(update, write.deadline).await?),
            DeskChange::Reply(_) | DeskChange::Tags { .. } => None,
        };
        let mut fresh = None;
        loop {
            let before = self.read_head(id, write.deadline).await?;
            takes_writes(&before)?;
            write.as_decided(&before, UPDATE)?;
            let read = Freshness::of_read(self.api.gate(), fresh);
            let by = By { write, latest: read.latest() };
            match self.send_out(id, write, wanted.as_ref(), before, by).await {
                Err(error) if read.is_over(self.api.gate(), &error) => fresh = Some(read),
                ended => return ended,
            }
        }
    }

    /// Sends a write for a ticket that was read a moment ago.
    async fn send_out(
        &self,
        id: Id,
        write: &Write,
        wanted: Option<&Wanted>,
        before: TicketHead,
        by: By<'_>,
    ) -> Result<Receipt> {
        match (&write.change, wanted) {
            (DeskChange::Update(update), Some(wanted)) => match &update.note {
                Some(note) => self.add_note(id, &html_of_note(&note.0, &write.mark, NOTE_BYTES), by).await,
                None if wanted.shows(&before) => Ok(Receipt::shown_by(before)),
                None => self.put(UPDATE, id, wanted.body(), by).await,
            },
            (DeskChange::Reply(reply), _) => self.reply(id, reply, by).await,
            (DeskChange::Tags { add, remove }, _) => self.change_tags(id, before, add, remove, by).await,
            (DeskChange::Update(_), None) => Err(refused("nothing to write")),
        }
    }

    /// What an update wants, in Freshdesk's terms. A note goes alone: it is a call of its own, and two calls are no one write.
    pub(crate) async fn wanted(&self, update: &Update, deadline: Timestamp) -> Result<Wanted> {
        if !update.followers.is_empty() {
            return Err(refused("Freshdesk takes no followers one by one"));
        }
        let alone = Update { note: None, ..update.clone() };
        if update.note.is_some() && alone != Update::default() {
            return Err(refused("a note and something else in one write; Freshdesk does each in a call of its own"));
        }
        let group = match &update.queue {
            Some(queue) => Some(self.group(queue, deadline).await?),
            None => None,
        };
        let agent = match &update.owner {
            Some(owner) => Some(self.agent(owner, deadline).await?),
            None => None,
        };
        let status = match &update.status {
            None => None,
            Some(status) => {
                let number = statuses::number(&status.word);
                Some(number.ok_or_else(|| refused(format!("no status {:?} is known here", status.word)))?)
            }
        };
        let priority = update.priority;
        Ok(Wanted { group, agent, priority, status, fields: update.fields.clone() })
    }

    /// The group that a team's queue means.
    pub(crate) async fn group(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Id> {
        let found = match queue {
            QueueSpec::Id(id) => Id::read(id).filter(|id| id.is_record()),
            QueueSpec::Name(name) => self.people.group_named(&self.api, name, deadline).await?,
        };
        found.ok_or_else(|| {
            refused(format!("Freshdesk has no group {:?} that our account can see", queue.shown()))
                .next_step("Write the group's name in the team's `queue` exactly as Admin, Groups shows it, or its id")
        })
    }

    async fn agent(&self, owner: &OwnerSpec, deadline: Timestamp) -> Result<Option<Id>> {
        match owner {
            OwnerSpec::Nobody => Ok(None),
            OwnerSpec::User(user) => {
                let id = Id::read(user.as_str()).filter(|id| id.is_record()).ok_or_else(|| {
                    refused(format!("Freshdesk knows an agent by a number, not by {:?}", user.as_str()))
                        .next_step("Write the agent's id as it stands in the address of their profile")
                })?;
                Ok(Some(id))
            }
            OwnerSpec::Email(email) => Ok(Some(self.agent_of(email, deadline).await?)),
        }
    }

    async fn agent_of(&self, email: &str, deadline: Timestamp) -> Result<Id> {
        let unlisted = || {
            refused("our account may not list agents, so nobody is known by a mail address").next_step(
                "Write the agent's id instead of the address, or give handoffd's agent the right to see agents",
            )
        };
        let agents = self.people.agents(&self.api, &[], deadline).await?.ok_or_else(unlisted)?;
        let has = |agent: &&crate::wire::Agent| {
            let known = agent.contact.get().and_then(|contact| contact.email.get());
            known.is_some_and(|known| known.eq_ignore_ascii_case(email))
        };
        agents.values().find(has).and_then(|agent| agent.id.get().copied()).ok_or_else(|| {
            refused("no agent has the wanted mail address")
                .next_step("Correct the person's address in the configuration")
        })
    }

    async fn add_note(&self, id: Id, html: &str, by: By<'_>) -> Result<Receipt> {
        // Freshdesk's own default is private; it is said all the same, and read back.
        let body = json!({ "body": html, "private": true });
        let ask = by.on(write_ask(NOTE, Method::POST, format!("tickets/{id}/notes"), body));
        let entry: Entry = self.api.json(&ask).await?;
        match history::visibility(&entry) {
            Some(Visibility::Internal) => said(&ask, &entry, id),
            Some(Visibility::Public) => Err(DeskError::leaked(NOTE, id)),
            None => Err(ask.malformed("the answer does not say whether the note is private")),
        }
    }

    async fn reply(&self, id: Id, reply: &PublicReply, by: By<'_>) -> Result<Receipt> {
        let PublicText(words) = &reply.text;
        let body = json!({ "body": html_of_words(words, "", NOTE_BYTES) });
        let ask = by.on(write_ask(REPLY, Method::POST, format!("tickets/{id}/reply"), body));
        let entry: Entry = self.api.json(&ask).await?;
        // A reply's answer need not say that it is not private.
        match history::visibility(&entry) {
            Some(Visibility::Internal) => Err(DeskError::untold(REPLY, id)),
            Some(Visibility::Public) | None => said(&ask, &entry, id),
        }
    }

    async fn put(&self, operation: &'static str, id: Id, body: Value, by: By<'_>) -> Result<Receipt> {
        let ask = by.on(write_ask(operation, Method::PUT, format!("tickets/{id}"), body));
        let raw: Value = self.api.json(&ask).await?;
        // From here on the write is proven: nothing that a further read may fail with makes it unsure again.
        match self.head_of(&raw, id, by.write.deadline).await {
            Ok(Some(head)) => Ok(Receipt::shown_by(head)),
            Ok(None) => Err(ask.malformed("the answer is not the ticket that was written")),
            Err(_) => Ok(Receipt { id: format!("ticket {id}"), version: None, head: None }),
        }
    }

    /// Tags are one set: a label that somebody adds between our read and our write is lost, which is why the planner is told
    /// that they are not free of races.
    async fn change_tags(
        &self,
        id: Id,
        before: TicketHead,
        add: &[String],
        remove: &[String],
        by: By<'_>,
    ) -> Result<Receipt> {
        let Some(there) = before.tags.known() else {
            return Err(DeskError::new(DeskErrorKind::Protocol, Retry::After(None), TAGS)
                .words("the ticket's answer names no tags, and those that it has would be lost"));
        };
        if let Some(odd) = add.iter().find(|tag| tag.trim().is_empty() || tag.contains(',')) {
            return Err(refused(format!("{odd:?} is no tag")).next_step("Write tags without commas"));
        }
        if has_tags(there, add, remove) {
            return Ok(Receipt::shown_by(before));
        }
        let mut tags: BTreeSet<&String> = there.iter().chain(add).collect();
        tags.retain(|tag| !remove.contains(tag));
        let receipt = self.put(TAGS, id, json!({ "tags": tags }), by).await?;
        let now = receipt.head.as_ref().and_then(|head| head.tags.known());
        if now.is_some_and(|now| !has_tags(now, add, remove)) {
            let error = DeskError::new(DeskErrorKind::Refused, Retry::Applied, TAGS);
            return Err(error
                .words("Freshdesk took the change, and the ticket does not show the tags as they were asked for")
                .next_step("Look at the ticket: an automation may have set other tags"));
        }
        Ok(receipt)
    }
}

/// A write, and until when what it rests on counts as read right before it.
#[derive(Clone, Copy)]
struct By<'a> {
    write: &'a Write,
    latest: Timestamp,
}

impl By<'_> {
    /// The one call of this write.
    fn on(self, ask: Ask) -> Ask {
        ask.deadline(self.write.deadline).latest(self.latest).begins(self.write)
    }
}

/// What an update sets, in Freshdesk's numbers.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    group: Option<Id>,
    /// `Some(None)`: nobody.
    agent: Option<Option<Id>>,
    priority: Option<Priority>,
    status: Option<i64>,
    fields: Vec<(String, FieldValue)>,
}

impl Wanted {
    /// The body of the request. Only known keys, and only those that are set: Freshdesk refuses a key that it does not know.
    pub(crate) fn body(&self) -> Value {
        let mut body = Map::new();
        body.extend(self.group.map(|group| ("group_id".to_owned(), json!(group))));
        body.extend(self.agent.map(|agent| ("responder_id".to_owned(), json!(agent))));
        body.extend(self.priority.map(|one| ("priority".to_owned(), json!(statuses::priority_number(one)))));
        body.extend(self.status.map(|status| ("status".to_owned(), json!(status))));
        if !self.fields.is_empty() {
            let fields: Map<String, Value> =
                self.fields.iter().map(|(name, value)| (name.clone(), value.json())).collect();
            body.insert("custom_fields".into(), Value::Object(fields));
        }
        Value::Object(body)
    }

    /// Whether the ticket shows all of it.
    pub(crate) fn shows(&self, head: &TicketHead) -> bool {
        let text = |id: Id| id.to_string();
        let queue = head.queue.clone().map(|queue| queue.map(|queue| queue.id.to_string()));
        let owner = head.owner.clone().map(|owner| owner.map(|owner| owner.id.to_string()));
        let status = |number| statuses::status(number, &statuses::Timers::default());
        let field =
            |(name, value): &(String, FieldValue)| head.fields.get(name).is_some_and(|now| value.is_shown_by(now));
        self.group.is_none_or(|group| queue.known() == Some(&Some(text(group))))
            && self.agent.is_none_or(|agent| owner.known() == Some(&agent.map(text)))
            && self.priority.is_none_or(|priority| head.priority.known() == Some(&Some(priority)))
            && self.status.is_none_or(|number| head.status.known().copied() == status(number))
            && self.fields.iter().all(field)
    }
}

fn has_tags(now: &[String], add: &[String], remove: &[String]) -> bool {
    add.iter().all(|tag| now.contains(tag)) && !remove.iter().any(|tag| now.contains(tag))
}

/// Freshdesk takes notes for tickets that are closed, merged or deleted without a word: it is for us to see.
fn takes_writes(head: &TicketHead) -> Result<()> {
    let words = match (&head.ending, head.status.known()) {
        (Some(Ending::Deleted), _) => "the ticket was deleted",
        (Some(Ending::Spam), _) => "the ticket was marked as spam",
        (Some(_), _) => "the ticket has ended",
        (None, Some(Status::Closed)) => {
            "the ticket is closed, or was merged into another: Freshdesk shows no difference"
        }
        (None, _) => return Ok(()),
    };
    Err(DeskError::new(DeskErrorKind::Gone, Retry::Never, UPDATE).words(words))
}

/// The receipt of something that was said. The answer tells no version of the ticket: whoever writes next reads it anyway.
fn said(ask: &Ask, entry: &Entry, ticket: Id) -> Result<Receipt> {
    let other = entry.ticket_id.get().is_some_and(|of| *of != ticket);
    match entry.id.get().filter(|id| id.is_record() && !other) {
        Some(id) => Ok(Receipt { id: id.to_string(), version: None, head: None }),
        None => Err(ask.malformed("the answer is not what was written on this ticket")),
    }
}

pub(crate) fn refused(words: impl Into<String>) -> DeskError {
    DeskError::new(DeskErrorKind::Refused, Retry::Never, UPDATE).words(words)
}

#[cfg(test)]
mod tests;
