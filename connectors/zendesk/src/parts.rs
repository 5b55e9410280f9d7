//! Heads and parts, read in as few calls as Zendesk allows: one walk over the audits gives conversation and history.

use crate::api::{Ask, ticket_id};
use crate::desk::ZendeskDesk;
use crate::history::{self, Cast};
use crate::limits::AUDITS;
use crate::normalise;
use crate::wire::{Audit, Event, Id, PolicyMetric, User};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{
    Contacts, Conversation, Customer, Organization, PartKind, PartSet, Parts, TicketHead, VendorClock,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::PoisonError;

/// How long audits are left alone that the login may not read.
const AUDITS_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// A ticket's audits, and whether these are all.
pub(crate) struct Audits {
    pub(crate) audits: Vec<Audit>,
    pub(crate) complete: bool,
}

impl ZendeskDesk {
    /// Heads of raw tickets, with the names of their groups; none where something is no ticket.
    pub(crate) async fn heads(&self, raws: &[&Value], deadline: Timestamp) -> Result<Vec<Option<TicketHead>>> {
        let needed: Vec<Id> = raws.iter().filter_map(|raw| normalise::group_of(raw)).collect();
        let groups = match needed.is_empty() {
            true => Default::default(),
            false => self.people.groups(&self.api, &needed, deadline).await?,
        };
        Ok(raws.iter().map(|raw| normalise::head(raw, &groups, self.api.site())).collect())
    }

    /// One ticket's head, from any answer that holds the ticket.
    pub(crate) async fn head_of(&self, raw: &Value, id: Id, deadline: Timestamp) -> Result<Option<TicketHead>> {
        let head = self.heads(&[raw], deadline).await?.pop().flatten();
        Ok(head.filter(|head| head.id.as_str() == id.to_string()))
    }

    pub(crate) async fn read_head(&self, id: Id, deadline: Timestamp) -> Result<TicketHead> {
        let ask = Ask::get("read ticket", format!("tickets/{id}"), deadline);
        let raw: Value = self.api.one(&ask, "ticket").await?;
        self.head_of(&raw, id, deadline).await?.ok_or_else(|| ask.malformed("the answer is not the ticket asked for"))
    }

    pub(crate) async fn read_parts(&self, head: &TicketHead, wanted: PartSet, deadline: Timestamp) -> Result<Parts> {
        let id = ticket_id(&head.id, "read parts")?;
        let mut parts = Parts::default();
        if wanted.has(PartKind::Conversation) || wanted.has(PartKind::History) {
            parts.merge(self.spoken(head, id, deadline).await?);
        }
        if wanted.has(PartKind::Customer) {
            parts.customer = self.customer(head, deadline).await?;
        }
        if wanted.has(PartKind::Clocks) {
            parts.clocks = self.clocks(id, deadline).await?;
        }
        if wanted.has(PartKind::Contacts) {
            parts.contacts = self.contacts(head, deadline).await?;
        }
        Ok(parts)
    }

    /// Conversation and history from the audits; the conversation alone where the login may not read them.
    async fn spoken(&self, head: &TicketHead, id: Id, deadline: Timestamp) -> Result<Parts> {
        if !self.audits_closed() {
            match self.audits(id, deadline).await {
                Ok(audits) => return self.spoken_in_audits(head, audits, deadline).await,
                Err(error) if error.kind == DeskErrorKind::Forbidden => self.close_audits(),
                Err(error) => return Err(error),
            }
        }
        self.spoken_in_comments(head, id, deadline).await
    }

    fn audits_closed(&self) -> bool {
        let closed = self.audits_closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        closed.is_some_and(|until| self.api.gate().now() < until)
    }

    fn close_audits(&self) {
        let until = self.api.gate().now().saturating_add(AUDITS_AGAIN).unwrap_or(Timestamp::MAX);
        *self.audits_closed_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// All audits of a ticket.
    pub(crate) async fn audits(&self, id: Id, deadline: Timestamp) -> Result<Audits> {
        let ask = Ask::get("read audits", format!("tickets/{id}/audits"), deadline).endpoint(AUDITS);
        let list = self.api.list(&ask, "audits").await?;
        Ok(Audits { audits: list.items, complete: list.complete })
    }

    async fn spoken_in_audits(&self, head: &TicketHead, read: Audits, deadline: Timestamp) -> Result<Parts> {
        let Audits { audits, complete } = read;
        let named = history::groups(&audits);
        let mut cast = self.cast(head, history::actors(&audits), Vec::new(), deadline).await?;
        if !named.is_empty() {
            cast.groups = self.people.groups(&self.api, &named, deadline).await?;
        }
        let unreadable = || malformed_read("read audits", "an audit has no id or no time");
        let (messages, changes) = history::read(&audits, &cast).ok_or_else(unreadable)?;
        let conversation = Some(Conversation { messages, complete });
        Ok(Parts { conversation, history: Some(changes), people: cast.staff(), ..Parts::default() })
    }

    async fn spoken_in_comments(&self, head: &TicketHead, id: Id, deadline: Timestamp) -> Result<Parts> {
        let ask = Ask::get("read comments", format!("tickets/{id}/comments"), deadline).query("include", "users");
        let list = self.api.list_with::<Event, User>(&ask, "comments", "users").await?;
        let authors = list.items.iter().filter_map(|comment| comment.author_id.get().copied());
        let cast = self.cast(head, authors.collect(), list.along, deadline).await?;
        let unreadable = || malformed_read("read comments", "a comment has no id or no time");
        let messages = history::conversation(&list.items, &cast).ok_or_else(unreadable)?;
        let conversation = Some(Conversation { messages, complete: list.complete });
        Ok(Parts { conversation, people: cast.staff(), ..Parts::default() })
    }

    /// Who everybody is: the requester and our own account by their ids, the others from memory or one more read.
    async fn cast(
        &self,
        head: &TicketHead,
        actors: std::collections::BTreeSet<Id>,
        along: Vec<User>,
        deadline: Timestamp,
    ) -> Result<Cast> {
        let us = self.people.our_id(&self.api, deadline).await?;
        self.people.learn(along, self.api.gate().now()).await;
        let mut cast = Cast { us, requester: requester(head), ..Cast::default() };
        let strangers = actors.into_iter().filter(|id| !cast.knows(*id)).collect();
        cast.users = self.people.roles(&self.api, &strangers, deadline).await?;
        Ok(cast)
    }

    /// Who asks; none: the ticket does not say.
    async fn customer(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Customer>> {
        let Some(id) = requester(head) else { return Ok(None) };
        let user = self.people.customer(&self.api, id, deadline).await?;
        let organization = match &head.organization {
            Fact::Unknown => Fact::Unknown,
            Fact::Known(None) => Fact::Known(None),
            Fact::Known(Some(id)) => self.organization(id.as_str(), deadline).await?,
        };
        Ok(Some(normalise::customer(id, user, organization)))
    }

    async fn organization(&self, id: &str, deadline: Timestamp) -> Result<Fact<Option<Organization>>> {
        let Some(id) = Id::read(id) else { return Ok(Fact::Unknown) };
        let sent = self.people.organization(&self.api, id, deadline).await?;
        Ok(sent.map_or(Fact::Unknown, |sent| Fact::Known(Some(normalise::organization(id, sent)))))
    }

    /// The customer's tickets: one page, the newest hundred. Whom we may not ask about stays unknown. The list is the API
    /// reference's (List Tickets, `/users/{user_id}/tickets/requested`); the sheet does not have it.
    async fn contacts(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Contacts>> {
        let Some(id) = requester(head) else { return Ok(None) };
        let ask = Ask::get("read customer's tickets", format!("users/{id}/tickets/requested"), deadline)
            .query("sort_by", "created_at")
            .query("sort_order", "desc")
            .query("per_page", 100);
        match self.api.json(&ask).await {
            Ok(answer) => {
                let contacts = normalise::contacts(&answer, self.api.gate().now());
                contacts.map(Some).ok_or_else(|| ask.malformed("the answer is no list of tickets"))
            }
            Err(error) if matches!(error.kind, DeskErrorKind::Forbidden | DeskErrorKind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The ticket's clocks. The endpoint is not documented; where it answers 404 there are none (Zendesk sheet, *SLA data*).
    pub(crate) async fn clocks(&self, id: Id, deadline: Timestamp) -> Result<Option<Vec<VendorClock>>> {
        let ask = Ask::get("read clocks", format!("tickets/{id}/slas/policy_metrics.json"), deadline);
        match self.api.one::<Vec<PolicyMetric>>(&ask, "policy_metrics").await {
            Ok(metrics) => Ok(Some(normalise::clocks(metrics, self.api.gate().now()))),
            Err(error) if error.status == Some(404) => Ok(Some(Vec::new())),
            // Cases are handed over all the same: without a right, or with an answer of another form, their clocks are unknown.
            Err(error) if matches!(error.kind, DeskErrorKind::Forbidden | DeskErrorKind::Protocol) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn requester(head: &TicketHead) -> Option<Id> {
    Id::read(head.requester.known()?.as_ref()?.as_str())
}

fn malformed_read(operation: &'static str, words: &'static str) -> DeskError {
    crate::api::malformed(handoffd_kit::gate::Class::Read, operation, words)
}
