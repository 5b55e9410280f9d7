//! Heads and parts. A conversation's answer holds all that was said and done, so conversation and history cost what a head
//! costs; customer, company and the customer's other conversations are calls of their own.

use crate::api::{Ask, conversation_id};
use crate::desk::IntercomDesk;
use crate::history;
use crate::normalise::{self, Names, slot};
use crate::people::{Admins, Me, Teams};
use crate::wire::{Conversation, Found, Id, Key};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Contacts, Customer, Organization, PartKind, PartSet, Parts, TicketHead};
use jiff::Timestamp;
use serde_json::{Value, json};

/// How many conversations a page of a search holds. The vendor allows 150; large pages time out on busy workspaces (Intercom
/// sheet, *Incremental read*).
pub(crate) const PAGE: usize = 50;

/// A conversation as it was just read, with what its numbers mean.
pub(crate) struct Read {
    pub(crate) raw: Value,
    pub(crate) sent: Conversation,
    teams: Teams,
    admins: Admins,
    pub(crate) me: Me,
}

impl Read {
    pub(crate) fn names(&self) -> Names<'_> {
        Names { teams: &self.teams, admins: &self.admins, me: &self.me }
    }

    /// Its head; none: it is no conversation after all.
    pub(crate) fn head(&self) -> Option<TicketHead> {
        normalise::head(&self.raw, &self.names())
    }
}

impl IntercomDesk {
    /// Reads a conversation now.
    pub(crate) async fn read(&self, id: Id, deadline: Timestamp) -> Result<Read> {
        let ask = Ask::get("read conversation", format!("conversations/{id}"), deadline);
        let raw: Value = self.api.json(&ask).await?;
        let read = self.with_names(raw, id, deadline).await?;
        read.ok_or_else(|| ask.malformed("the answer is not the conversation asked for"))
    }

    /// Any answer that holds this conversation. None: it holds another, or none.
    pub(crate) async fn with_names(&self, raw: Value, id: Id, deadline: Timestamp) -> Result<Option<Read>> {
        let sent: Conversation = serde_json::from_value(raw.clone()).unwrap_or_default();
        // An array would be read key by key, too.
        if !raw.is_object() || sent.id.get() != Some(&id) {
            return Ok(None);
        }
        let known = |fact: Fact<Option<Id>>| fact.known().copied().flatten();
        let team: Vec<Id> = known(slot(&sent.team_assignee_id)).into_iter().collect();
        let admin: Vec<Id> = known(slot(&sent.admin_assignee_id)).into_iter().collect();
        let teams = self.people.teams(&self.api, &team, deadline).await?;
        let admins = self.people.admins(&self.api, &admin, deadline).await?;
        let me = self.people.me(&self.api, deadline).await?;
        Ok(Some(Read { raw, sent, teams, admins, me }))
    }

    pub(crate) async fn read_head(&self, id: Id, deadline: Timestamp) -> Result<TicketHead> {
        let odd = || Ask::get("read conversation", "", deadline).malformed("the answer is no conversation");
        self.read(id, deadline).await?.head().ok_or_else(odd)
    }

    pub(crate) async fn read_parts(&self, head: &TicketHead, wanted: PartSet, deadline: Timestamp) -> Result<Parts> {
        let id = conversation_id(&head.id, "read parts")?;
        let mut parts = Parts::default();
        if wanted.has(PartKind::Conversation) || wanted.has(PartKind::History) {
            parts.merge(self.past(id, deadline).await?);
        }
        if wanted.has(PartKind::Customer) {
            parts.customer = self.customer(head, deadline).await?;
        }
        if wanted.has(PartKind::Contacts) {
            parts.contacts = self.contacts(head, deadline).await?;
        }
        Ok(parts)
    }

    /// What was said and what was changed come in the same answer: both are given.
    async fn past(&self, id: Id, deadline: Timestamp) -> Result<Parts> {
        let read = self.read(id, deadline).await?;
        let odd = || Ask::get("read conversation and history", "", deadline).malformed("a part has no id or no time");
        if read.sent.total().is_none() {
            let ask = Ask::get("read conversation and history", "", deadline);
            return Err(ask.malformed("the answer does not hold the conversation's parts"));
        }
        let messages = history::conversation(&read.sent, &read.names()).ok_or_else(odd)?;
        let history = history::changes(&read.sent, &read.names()).ok_or_else(odd)?;
        let conversation = handoffd_kit::model::Conversation { messages, complete: read.sent.is_complete() };
        let people = normalise::staff(&read.sent, &read.names());
        Ok(Parts { conversation: Some(conversation), history: Some(history), people, ..Parts::default() })
    }

    /// Who asks; none: the conversation does not say.
    async fn customer(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Customer>> {
        let Some(key) = requester(head) else { return Ok(None) };
        let contact = self.people.contact(&self.api, &key, deadline).await?;
        let of_contact = || {
            let companies = contact.as_ref().and_then(|contact| contact.companies.get());
            let list = companies.and_then(|companies| companies.data.get());
            list.map(|list| list.first().and_then(|first| first.id.get().cloned()))
        };
        // The conversation's own company goes first: a customer may be of several.
        let company = match &head.organization {
            Fact::Known(Some(id)) => Some(Some(Key(id.as_str().to_owned()))),
            Fact::Known(None) | Fact::Unknown => of_contact(),
        };
        let organization = match company {
            None => Fact::Unknown,
            Some(None) => Fact::Known(None),
            Some(Some(company)) => self.organization(&company, deadline).await?,
        };
        Ok(Some(normalise::customer(key, contact, organization)))
    }

    async fn organization(&self, key: &Key, deadline: Timestamp) -> Result<Fact<Option<Organization>>> {
        let sent = self.people.company(&self.api, key, deadline).await?;
        Ok(sent.map_or(Fact::Unknown, |sent| Fact::Known(Some(normalise::organization(key, sent)))))
    }

    /// The customer's conversations: one page.
    async fn contacts(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Contacts>> {
        let Some(key) = requester(head) else { return Ok(None) };
        let query = json!({ "field": "contact_ids", "operator": "=", "value": key.0 });
        let ask = search("read customer's conversations", query, None, deadline);
        match self.api.json::<Found>(&ask).await {
            Ok(found) => {
                let list = found.conversations.get().ok_or_else(|| ask.malformed("the answer is no list"))?;
                Ok(Some(normalise::contacts(list, &key, found.next().is_some(), self.api.gate().now())))
            }
            Err(error) if matches!(error.kind, DeskErrorKind::Forbidden | DeskErrorKind::Refused) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A search for conversations. There is no order that could be asked for (Intercom sheet, *Incremental read*).
pub(crate) fn search(operation: &'static str, query: Value, after: Option<&str>, deadline: Timestamp) -> Ask {
    let mut pagination = json!({ "per_page": PAGE });
    if let Some(after) = after {
        pagination["starting_after"] = json!(after);
    }
    let body = json!({ "query": query, "pagination": pagination });
    Ask::post(operation, "conversations/search", body, deadline)
}

fn requester(head: &TicketHead) -> Option<Key> {
    let id = head.requester.known()?.as_ref()?;
    Some(Key(id.as_str().to_owned())).filter(Key::is_plain)
}
