//! Heads and parts, read in as few calls as Freshdesk allows.

use crate::api::{Ask, ticket_id};
use crate::desk::FreshdeskDesk;
use crate::history::{self, Cast};
use crate::limits::LIST;
use crate::normalise::{self, Names};
use crate::wire::{Entry, Id, Ticket};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{
    Contacts, Conversation, Customer, Organization, PartKind, PartSet, Parts, TicketHead, VendorClock,
};
use jiff::Timestamp;
use serde_json::Value;

/// Without an instant only tickets of the last 30 days are listed (Freshdesk sheet, *Incremental read*): this is before any.
const EVER: &str = "2000-01-01T00:00:00Z";

impl FreshdeskDesk {
    /// Heads of raw tickets, with the names of their groups and agents; none where something is no ticket.
    pub(crate) async fn heads(&self, raws: &[&Value], deadline: Timestamp) -> Result<Vec<Option<TicketHead>>> {
        let (mut groups, mut agents, mut custom) = (Vec::new(), Vec::new(), false);
        for (group, agent, status) in raws.iter().map(|raw| normalise::numbers(raw)) {
            groups.extend(group);
            agents.extend(agent);
            custom |= status;
        }
        let groups = match groups.is_empty() {
            true => Default::default(),
            false => self.people.groups(&self.api, &groups, deadline).await?,
        };
        let us = match agents.is_empty() {
            true => None,
            false => self.people.our_id(&self.api, deadline).await?,
        };
        let agents = match agents.is_empty() {
            true => None,
            false => self.people.agents(&self.api, &agents, deadline).await?,
        };
        let timers = match custom {
            true => self.people.timers(&self.api, deadline).await?,
            false => Default::default(),
        };
        let names = Names { groups: &groups, agents: &agents, timers: &timers, us, site: self.api.site() };
        Ok(raws.iter().map(|raw| normalise::head(raw, &names)).collect())
    }

    /// One ticket's head, from any answer that holds the ticket.
    pub(crate) async fn head_of(&self, raw: &Value, id: Id, deadline: Timestamp) -> Result<Option<TicketHead>> {
        let head = self.heads(&[raw], deadline).await?.pop().flatten();
        Ok(head.filter(|head| head.id.as_str() == id.to_string()))
    }

    pub(crate) async fn read_head(&self, id: Id, deadline: Timestamp) -> Result<TicketHead> {
        let ask = Ask::get("read ticket", format!("tickets/{id}"), deadline);
        let raw: Value = self.api.json(&ask).await?;
        self.head_of(&raw, id, deadline).await?.ok_or_else(|| ask.malformed("the answer is not the ticket asked for"))
    }

    pub(crate) async fn read_parts(&self, head: &TicketHead, wanted: PartSet, deadline: Timestamp) -> Result<Parts> {
        let id = ticket_id(&head.id, "read parts")?;
        let mut parts = Parts::default();
        if wanted.has(PartKind::Conversation) {
            parts.merge(self.spoken(head, id, deadline).await?);
        }
        if wanted.has(PartKind::Customer) {
            parts.customer = self.customer(head, deadline).await?;
        }
        if wanted.has(PartKind::Clocks) {
            parts.clocks = Some(self.clocks(id, deadline).await?);
        }
        if wanted.has(PartKind::Contacts) {
            parts.contacts = self.contacts(head, deadline).await?;
        }
        Ok(parts)
    }

    /// The conversation, and who wrote in it. The ticket is read once more where its head came from a list: lists have no
    /// files and, on most accounts, no description.
    async fn spoken(&self, head: &TicketHead, id: Id, deadline: Timestamp) -> Result<Parts> {
        let list = self.entries(id, deadline).await?;
        let ticket = match whole(&head.raw) {
            Some(ticket) => ticket,
            None => self.api.json(&Ask::get("read ticket", format!("tickets/{id}"), deadline)).await?,
        };
        let authors = history::authors(&list.items);
        let cast = Cast {
            us: self.people.our_id(&self.api, deadline).await?,
            requester: requester(head),
            agents: self.people.agents(&self.api, &[], deadline).await?,
            link: head.link.clone(),
        };
        let strangers: Vec<Id> =
            authors.into_iter().filter(|id| ![cast.us, cast.requester].contains(&Some(*id))).collect();
        let cast = Cast { agents: self.people.agents(&self.api, &strangers, deadline).await?, ..cast };
        let unreadable = || {
            let ask = Ask::get("read conversation", "", deadline);
            ask.malformed("an entry of the conversation has no id or no time")
        };
        let messages = history::conversation(&ticket, &list.items, &cast).ok_or_else(unreadable)?;
        let people = history::staff(&list.items, &cast);
        Ok(Parts { conversation: Some(Conversation { messages, complete: list.complete }), people, ..Parts::default() })
    }

    /// All entries of a conversation, oldest first.
    pub(crate) async fn entries(&self, id: Id, deadline: Timestamp) -> Result<crate::api::List<Entry>> {
        self.api.list(&Ask::get("read conversation", format!("tickets/{id}/conversations"), deadline)).await
    }

    /// Who asks; none: the ticket does not say.
    async fn customer(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Customer>> {
        let Some(id) = requester(head) else { return Ok(None) };
        let contact = self.people.contact(&self.api, id, deadline).await?;
        let organization = match &head.organization {
            Fact::Unknown => Fact::Unknown,
            Fact::Known(None) => Fact::Known(None),
            Fact::Known(Some(id)) => self.organization(id.as_str(), deadline).await?,
        };
        // Whoever is no contact may be an agent, who asks for themselves.
        let agents = match contact {
            Some(_) => None,
            None => self.people.agents(&self.api, &[], deadline).await?,
        };
        let contact = contact.or_else(|| agents.as_ref()?.get(&id)?.contact.get().cloned());
        Ok(Some(normalise::customer(id, contact, organization, &agents)))
    }

    async fn organization(&self, id: &str, deadline: Timestamp) -> Result<Fact<Option<Organization>>> {
        let Some(id) = Id::read(id) else { return Ok(Fact::Unknown) };
        let sent = self.people.company(&self.api, id, deadline).await?;
        Ok(sent.map_or(Fact::Unknown, |sent| Fact::Known(Some(normalise::organization(id, sent)))))
    }

    /// The customer's tickets: one page, the newest hundred. `requester_id` is from memory, not from the sheet: what comes is
    /// looked through, and what is not this customer's left out.
    async fn contacts(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Contacts>> {
        let Some(id) = requester(head) else { return Ok(None) };
        let ask = Ask::get("read customer's tickets", "tickets", deadline)
            .endpoint(LIST)
            .query("requester_id", id)
            .query("updated_since", EVER)
            .query("order_by", "created_at")
            .query("order_type", "desc");
        match self.api.page::<Ticket>(&ask, 1).await {
            Ok((tickets, more)) => {
                let custom = tickets.iter().any(|ticket| ticket.status.get().is_some_and(|status| *status >= 6));
                let timers = match custom {
                    true => self.people.timers(&self.api, deadline).await?,
                    false => Default::default(),
                };
                Ok(Some(normalise::contacts(&tickets, id, more, &timers, self.api.gate().now())))
            }
            Err(error) if matches!(error.kind, DeskErrorKind::Forbidden | DeskErrorKind::Refused) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The ticket's clocks: one call. Whether the first reply was given, only `stats` tell.
    async fn clocks(&self, id: Id, deadline: Timestamp) -> Result<Vec<VendorClock>> {
        let ask = Ask::get("read clocks", format!("tickets/{id}"), deadline).query("include", "stats");
        let ticket: Ticket = self.api.json(&ask).await?;
        if ticket.id.get() != Some(&id) {
            return Err(ask.malformed("the answer is not the ticket asked for"));
        }
        let timers = self.people.timers(&self.api, deadline).await?;
        Ok(normalise::clocks(&ticket, &timers, self.api.gate().now()))
    }
}

/// The ticket of a head, if it came from a read of the ticket alone: only that has its files.
fn whole(raw: &str) -> Option<Ticket> {
    let ticket: Ticket = serde_json::from_str(raw).ok()?;
    let described = ticket.description.get().is_some() || ticket.description_text.get().is_some();
    (described && ticket.attachments.get().is_some()).then_some(ticket)
}

fn requester(head: &TicketHead) -> Option<Id> {
    Id::read(head.requester.known()?.as_ref()?.as_str())
}
