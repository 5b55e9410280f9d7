//! Writing (Zammad sheet, *Write-back*): what a handoff sets goes with its note in one update, in one transaction; a note alone
//! and a reply are articles of their own; labels are added and removed one by one.
//!
//! Zammad compares nothing, so the ticket is read right before each write and compared with what it was decided on. An update
//! that the gate held back longer is not sent: the ticket is read again. Afterwards the article is read back (was it internal?),
//! the owner is compared (Zammad takes one off without a word), and the history tells whether somebody's change was covered.

use crate::api::{Ask, ticket_id};
use crate::desk::ZammadDesk;
use crate::history;
use crate::limits::NOTE_BYTES;
use crate::parts::requester;
use crate::people::unlisted;
use crate::wire::{self, Article, Id, SYSTEM, Ticket};
use handoffd_kit::desk::{DeskChange, OwnerSpec, PublicReply, QueueSpec, Receipt, Update, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::Freshness;
use handoffd_kit::model::{Ending, FieldValue, PublicText, TicketHead, Visibility};
use handoffd_kit::text::{html_of_note, html_of_words};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(crate) const UPDATE: &str = "update ticket";
const NOTE: &str = "add note";
const REPLY: &str = "send public reply";
const TAGS: &str = "change tags";

/// A pending state wants an instant, at which Zammad reminds the owner. A pause ends by itself before that.
const REMIND_IN: SignedDuration = SignedDuration::from_hours(14 * 24);

impl ZammadDesk {
    /// Carries a write out.
    pub(crate) async fn carry_out(&self, write: &Write) -> Result<Receipt> {
        let id = ticket_id(&write.ticket, UPDATE)?;
        // What the configuration names is looked up first: the ticket is read last, right before the write.
        let wanted = match &write.change {
            DeskChange::Update(update) => self.wanted(id, update, write.deadline).await?,
            DeskChange::Reply(_) | DeskChange::Tags { .. } => Wanted::default(),
        };
        let mut fresh = None;
        loop {
            let before = self.read_head(id, write.deadline).await?;
            let read = Freshness::of_read(self.api.gate(), fresh);
            takes_writes(&before)?;
            write.as_decided(&before, UPDATE)?;
            match self.send_out(id, write, &wanted, before, read.latest()).await {
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
        wanted: &Wanted,
        before: TicketHead,
        latest: Timestamp,
    ) -> Result<Receipt> {
        let ask = |ask: Ask| ask.deadline(write.deadline).latest(latest).begins(write);
        match &write.change {
            DeskChange::Update(update) => {
                let note = update.note.as_ref().map(|note| html_of_note(&note.0, &write.mark, NOTE_BYTES));
                match note {
                    Some(html) if wanted.is_nothing() => self.add_note(id, &html, ask).await,
                    None if wanted.is_shown_by(&before.raw) => Ok(Receipt::shown_by(before)),
                    note => {
                        let body = self.update_body(wanted, note.as_deref());
                        let put = Ask::write(UPDATE, Method::PUT, format!("tickets/{id}"), body).query("expand", true);
                        self.put(id, ask(put), wanted, note.is_some(), before, write).await
                    }
                }
            }
            DeskChange::Reply(reply) => self.reply(id, reply, &before, ask).await,
            DeskChange::Tags { add, remove } => self.change_tags(id, before, add, remove, (ask, write.deadline)).await,
        }
    }

    /// What an update wants, in Zammad's numbers.
    pub(crate) async fn wanted(&self, id: Id, update: &Update, deadline: Timestamp) -> Result<Wanted> {
        if !update.followers.is_empty() {
            return Err(refused("handoffd adds no mentions on Zammad"));
        }
        let group = match &update.queue {
            Some(queue) => Some(self.group(queue, deadline).await?),
            None => None,
        };
        let owner = match &update.owner {
            Some(owner) => Some(self.owner(id, owner, group, deadline).await?),
            None => None,
        };
        let needs_words = update.status.is_some() || update.priority.is_some();
        let words = match needs_words {
            true => self.people.words(&self.api, &[], deadline).await?,
            false => Default::default(),
        };
        let state = match &update.status {
            Some(status) => Some(words.state(&status.word).ok_or_else(|| {
                refused(format!("this Zammad has no state {:?}", status.word))
                    .next_step("Use a state's name as Manage, Ticket States shows it")
            })?),
            None => None,
        };
        let priority = match update.priority {
            Some(priority) => Some(words.level(priority).ok_or_else(|| {
                refused(format!("no priority of this Zammad is {:?}: it has {}", priority.name(), words.levels_shown()))
                    .next_step("Use one of its priorities in the policy, or add one of that name in Zammad")
            })?),
            None => None,
        };
        let pends = update.status.as_ref().is_some_and(|status| status.word.starts_with("pending"));
        Ok(Wanted { group, owner, priority, state, pends, fields: update.fields.clone() })
    }

    /// The group that a team's queue means.
    pub(crate) async fn group(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Id> {
        let found = match queue {
            QueueSpec::Id(id) => Id::read(id).filter(|id| id.is_record()),
            QueueSpec::Name(name) => self.people.group_named(&self.api, name, deadline).await?,
        };
        found.ok_or_else(|| {
            refused(format!("Zammad has no group {:?} that our token can see", queue.shown())).next_step(
                "Write the group's name in the team's `queue` exactly as Manage, Groups shows it, a sub-group as \
                 Parent::Child; or its id",
            )
        })
    }

    async fn owner(&self, id: Id, owner: &OwnerSpec, group: Option<Id>, deadline: Timestamp) -> Result<Id> {
        match owner {
            OwnerSpec::Nobody => Ok(SYSTEM),
            OwnerSpec::User(user) => {
                Id::read(user.as_str()).filter(|id| id.is_record() && *id != SYSTEM).ok_or_else(|| {
                    refused(format!("Zammad knows an agent by a number, not by {:?}", user.as_str()))
                        .next_step("Write the agent's id as it stands in the address of their profile")
                })
            }
            OwnerSpec::Email(email) => {
                let group = match group {
                    Some(group) => group,
                    None => self.present_group(id, deadline).await?,
                };
                self.member_of(group, email, deadline).await
            }
        }
    }

    async fn present_group(&self, id: Id, deadline: Timestamp) -> Result<Id> {
        let ask = Ask::get("read ticket", format!("tickets/{id}"), deadline);
        let ticket: Ticket = self.api.json(&ask).await?;
        ticket.group_id.some().ok_or_else(|| ask.malformed("the answer does not say where the ticket lies"))
    }

    /// Who in a group has this mail address: only its people can own its tickets.
    async fn member_of(&self, group: Id, email: &str, deadline: Timestamp) -> Result<Id> {
        let groups = self.people.groups(&self.api, &[group], deadline).await?;
        let groups = groups.as_deref().ok_or_else(|| unlisted("find person"))?;
        let ids = groups.get(&group).and_then(|group| group.user_ids.get()).cloned().unwrap_or_default();
        let users = self.people.users(&self.api, &BTreeSet::from_iter(ids), deadline).await?;
        let has = |user: &wire::User| user.email.get().is_some_and(|known| known.eq_ignore_ascii_case(email));
        users.iter().find(|(_, user)| has(user)).map(|(id, _)| *id).ok_or_else(|| {
            refused("nobody with access of their own to the group has the wanted mail address").next_step(
                "Correct the person's address in the configuration, or give their user access to the group (access through a \
                 role alone is not seen), or write their id",
            )
        })
    }

    fn update_body(&self, wanted: &Wanted, note: Option<&str>) -> Value {
        let at = self.api.gate().now().saturating_add(REMIND_IN).unwrap_or(Timestamp::MAX);
        let mut body = wanted.body(at);
        if let Some(html) = note {
            body.insert("article".into(), article(html));
        }
        Value::Object(body)
    }

    /// Sends an update, and looks at what came of it.
    async fn put(
        &self,
        id: Id,
        ask: Ask,
        wanted: &Wanted,
        noted: bool,
        before: TicketHead,
        write: &Write,
    ) -> Result<Receipt> {
        let raw: Value = self.api.json(&ask).await?;
        let after: Ticket = serde_json::from_value(raw.clone()).unwrap_or_default();
        if after.id.get() != Some(&id) {
            return Err(ask.malformed("the answer is not the ticket that was written"));
        }
        let said = match noted {
            true => Some(self.read_back(id, write, UPDATE).await?),
            false => None,
        };
        wanted.is_kept(&after, id)?;
        let was: Ticket = serde_json::from_str(&before.raw).unwrap_or_default();
        if let Some(covered) = self.covered(id, wanted, &was, write).await {
            return Err(self.put_back(id, covered, write).await);
        }
        // From here on the write is proven: nothing that a further read may fail with makes it unsure again.
        let head = self.head_of(&raw, id, before.tags, write.deadline).await.ok().flatten();
        let receipt = said.unwrap_or_else(|| format!("ticket {id}"));
        match head {
            Some(head) => {
                let shown = Receipt::shown_by(head);
                let id = if noted { receipt } else { shown.id };
                Ok(Receipt { id, ..shown })
            }
            None => Ok(Receipt { id: receipt, version: None, head: None }),
        }
    }

    /// The note of an update as everybody sees it: the update's answer does not show it. Until it was seen, the write is not
    /// proven.
    async fn read_back(&self, id: Id, write: &Write, operation: &'static str) -> Result<String> {
        let unsure = |error: DeskError| DeskError { retry: Retry::Unsure, ..error };
        let us = self.people.our_id(&self.api, write.deadline).await.map_err(unsure)?;
        let articles = self.articles(id, write.deadline).await.map_err(unsure)?;
        let odd = |words: &str| DeskError::new(DeskErrorKind::Protocol, Retry::Unsure, operation).words(words);
        let ours = history::marked(&articles, us, &write.mark.key());
        let ours = ours.ok_or_else(|| odd("the note that was sent is not among the ticket's articles"))?;
        match history::visibility(ours) {
            Some(Visibility::Internal) => Ok(receipt_of(ours, id)),
            Some(Visibility::Public) => Err(DeskError::leaked(operation, id)),
            None => Err(odd("the ticket's articles do not say whether the note is internal")),
        }
    }

    async fn add_note(&self, id: Id, html: &str, by: impl Fn(Ask) -> Ask) -> Result<Receipt> {
        let mut body = article(html);
        body["ticket_id"] = json!(id);
        let ask = by(Ask::write(NOTE, Method::POST, "ticket_articles", body));
        let article: Article = self.api.json(&ask).await?;
        match history::visibility(&article) {
            Some(Visibility::Internal) => said(&ask, &article, id),
            Some(Visibility::Public) => Err(DeskError::leaked(NOTE, id)),
            None => Err(ask.malformed("the answer does not say whether the note is internal")),
        }
    }

    async fn reply(
        &self,
        id: Id,
        reply: &PublicReply,
        before: &TicketHead,
        by: impl Fn(Ask) -> Ask,
    ) -> Result<Receipt> {
        let PublicText(words) = &reply.text;
        let customer = match requester(before) {
            Some(customer) => self.people.customer(&self.api, customer, self.api.gate().soon()).await?,
            None => None,
        };
        let address = customer.and_then(|user| user.email.some()).filter(|email| email.contains('@'));
        let address = address.ok_or_else(|| {
            DeskError::new(DeskErrorKind::Refused, Retry::Never, REPLY)
                .words("the customer has no mail address that our account can see")
                .next_step("Answer the customer by hand")
        })?;
        let body = json!({
            "ticket_id": id, "type": "email", "to": address, "subject": before.subject.known(),
            "body": html_of_words(words, "", NOTE_BYTES), "content_type": "text/html", "internal": false,
        });
        let ask = by(Ask::write(REPLY, Method::POST, "ticket_articles", body));
        let article: Article = self.api.json(&ask).await?;
        match history::visibility(&article) {
            Some(Visibility::Internal) => Err(DeskError::untold(REPLY, id)),
            Some(Visibility::Public) | None => said(&ask, &article, id),
        }
    }

    /// Adds, then removes, each in a call of its own that leaves all other labels alone.
    async fn change_tags(
        &self,
        id: Id,
        before: TicketHead,
        add: &[String],
        remove: &[String],
        (by, deadline): (impl Fn(Ask) -> Ask, Timestamp),
    ) -> Result<Receipt> {
        if let Some(odd) = add.iter().find(|tag| tag.trim().is_empty() || tag.contains(',')) {
            return Err(refused(format!("{odd:?} is no tag")).next_step("Write tags without commas"));
        }
        let there = |tag: &String| before.tags.known().map(|tags| tags.contains(tag));
        let add = add.iter().filter(|tag| there(tag) != Some(true)).map(|tag| (Method::POST, "tags/add", tag));
        let remove =
            remove.iter().filter(|tag| there(tag) != Some(false)).map(|tag| (Method::DELETE, "tags/remove", tag));
        let steps: Vec<_> = add.chain(remove).collect();
        if steps.is_empty() {
            return Ok(Receipt::shown_by(before));
        }
        for (at, (method, path, tag)) in steps.into_iter().enumerate() {
            let body = json!({ "item": tag, "object": "Ticket", "o_id": id });
            let ask = Ask::write(TAGS, method, path, body);
            // What has begun is finished.
            let ask = if at == 0 { by(ask) } else { ask.deadline(deadline) };
            // Once one is done, whoever repeats the rest must look first.
            let half_done = |error| if at > 0 { DeskError { retry: Retry::Unsure, ..error } } else { error };
            self.api.json::<Value>(&ask).await.map_err(half_done)?;
        }
        // The answers tell no version.
        Ok(Receipt { id: format!("tags of ticket {id}"), version: None, head: None })
    }
}

/// What an update sets, in Zammad's numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    group: Option<Id>,
    /// The system's own user: nobody.
    owner: Option<Id>,
    priority: Option<Id>,
    state: Option<Id>,
    /// Whether the state wants an instant.
    pends: bool,
    fields: Vec<(String, FieldValue)>,
}

impl Wanted {
    /// Attributes as the history names them, with the number that each is to have.
    pub(crate) fn numbers(&self) -> Vec<(&'static str, Id)> {
        let all = [("group", self.group), ("owner", self.owner), ("priority", self.priority), ("state", self.state)];
        all.into_iter().filter_map(|(attribute, id)| Some((attribute, id?))).collect()
    }

    fn is_nothing(&self) -> bool {
        self.numbers().is_empty() && self.fields.is_empty()
    }

    /// The body of the request: only what is set. `remind_at` goes with a pending state.
    fn body(&self, remind_at: Timestamp) -> Map<String, Value> {
        let numbers = self.numbers().into_iter().map(|(attribute, id)| (format!("{attribute}_id"), json!(id)));
        let pending = self.pends.then(|| ("pending_time".to_owned(), json!(remind_at)));
        let fields = self.fields.iter().map(|(name, value)| (name.clone(), value.json()));
        numbers.chain(pending).chain(fields).collect()
    }

    /// Whether the ticket shows all of it.
    pub(crate) fn is_shown_by(&self, raw: &str) -> bool {
        let Ok(raw) = serde_json::from_str::<Value>(raw) else { return false };
        let ticket: Ticket = serde_json::from_value(raw.clone()).unwrap_or_default();
        let custom = wire::custom(&raw);
        let field = |(name, value): &(String, FieldValue)| custom.get(name).is_some_and(|now| value.is_shown_by(now));
        self.numbers().into_iter().all(|(attribute, id)| number(&ticket, attribute) == Some(id))
            && self.fields.iter().all(field)
    }

    /// Whether the owner stayed that was sent: Zammad puts nobody in the place of one who is inactive or has no full access to
    /// the group, without a word (Zammad sheet, *Write-back*).
    fn is_kept(&self, after: &Ticket, id: Id) -> Result<()> {
        let dropped = self.owner.filter(|owner| *owner != SYSTEM && after.owner_id.get() == Some(&SYSTEM));
        let Some(owner) = dropped else { return Ok(()) };
        Err(DeskError::new(DeskErrorKind::Refused, Retry::Applied, UPDATE)
            .words(format!("Zammad took agent {owner} off ticket {id} at once: everything else was written"))
            .next_step(
                "Give that agent full access to the group and see that they are active, then make them owner by hand",
            ))
    }
}

/// The number that a ticket has for an attribute. Nobody is the system's own user.
pub(crate) fn number(ticket: &Ticket, attribute: &str) -> Option<Id> {
    let sent = match attribute {
        "group" => &ticket.group_id,
        "owner" => &ticket.owner_id,
        "priority" => &ticket.priority_id,
        "state" => &ticket.state_id,
        _ => return None,
    };
    match sent {
        wire::Sent::Null if attribute == "owner" => Some(SYSTEM),
        sent => sent.get().copied(),
    }
}

/// An internal note. That it is no mail is said, too: Zammad sends a mail whatever `internal` says.
fn article(html: &str) -> Value {
    json!({ "type": "note", "internal": true, "content_type": "text/html", "body": html })
}

/// Zammad takes writes for tickets that were merged without a word: it is for us to see.
fn takes_writes(head: &TicketHead) -> Result<()> {
    let words = match &head.ending {
        None => return Ok(()),
        Some(Ending::Merged { into: Some(into) }) => format!("the ticket was merged into ticket {into}"),
        Some(Ending::Merged { into: None }) => "the ticket was merged into another".to_owned(),
        Some(_) => "the ticket was taken away".to_owned(),
    };
    Err(DeskError::new(DeskErrorKind::Gone, Retry::Never, UPDATE).words(words))
}

/// The receipt of an article. The answer tells no version of the ticket: whoever writes next reads it anyway.
fn said(ask: &Ask, article: &Article, ticket: Id) -> Result<Receipt> {
    let other = article.ticket_id.get().is_some_and(|of| *of != ticket);
    match article.id.get().filter(|id| id.is_record() && !other) {
        Some(_) => Ok(Receipt { id: receipt_of(article, ticket), version: None, head: None }),
        None => Err(ask.malformed("the answer is not what was written on this ticket")),
    }
}

/// The history's name for an article, so that ours is known there.
pub(crate) fn receipt_of(article: &Article, ticket: Id) -> String {
    article.id.get().map_or_else(|| format!("ticket {ticket}"), |id| history::change_id(*id).to_string())
}

pub(crate) fn refused(words: impl Into<String>) -> DeskError {
    DeskError::new(DeskErrorKind::Refused, Retry::Never, UPDATE).words(words)
}

#[cfg(test)]
mod tests;
