//! Heads and parts, read in as few calls as Zammad allows. A ticket's labels are a call of their own; its clocks stand in its
//! head already.

use crate::api::{Ask, PAGE, ticket_id};
use crate::desk::ZammadDesk;
use crate::history::{self, Cast};
use crate::normalise::{self, Names};
use crate::wire::{self, Article, History, Id, Links, Row, SYSTEM, Tags, Ticket};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::TicketId;
use handoffd_kit::model::{
    Contacts, Conversation, Customer, Ending, Organization, PartKind, PartSet, Parts, TicketHead, VendorClock,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl ZammadDesk {
    /// One ticket's head, from any answer that holds the ticket. None: it holds another, or none.
    pub(crate) async fn head_of(
        &self,
        raw: &Value,
        id: Id,
        tags: Fact<Vec<String>>,
        deadline: Timestamp,
    ) -> Result<Option<TicketHead>> {
        let ticket: Ticket = serde_json::from_value(raw.clone()).unwrap_or_default();
        // An array would be read key by key, too.
        if !raw.is_object() || ticket.id.get() != Some(&id) {
            return Ok(None);
        }
        let states: Vec<Id> = ticket.state_id.get().copied().into_iter().collect();
        let groups: Vec<Id> = ticket.group_id.get().copied().into_iter().collect();
        let owner: BTreeSet<Id> = ticket.owner_id.get().copied().filter(|id| *id != SYSTEM).into_iter().collect();
        let words = self.people.words(&self.api, &states, deadline).await?;
        let groups = match groups.is_empty() {
            true => None,
            false => self.people.groups(&self.api, &groups, deadline).await?,
        };
        let (users, us) = match owner.is_empty() {
            true => Default::default(),
            false => {
                (self.people.users(&self.api, &owner, deadline).await?, self.people.our_id(&self.api, deadline).await?)
            }
        };
        let names = Names { groups: &groups, words: &words, users: &users, us, site: self.api.site() };
        Ok(normalise::head(raw, tags, &names))
    }

    pub(crate) async fn read_head(&self, id: Id, deadline: Timestamp) -> Result<TicketHead> {
        let ask = Ask::get("read ticket", format!("tickets/{id}"), deadline).query("expand", true);
        let raw: Value = self.api.json(&ask).await?;
        let tags = self.tags(id, deadline).await?;
        let head = self.head_of(&raw, id, tags, deadline).await?;
        let mut head = head.ok_or_else(|| ask.malformed("the answer is not the ticket asked for"))?;
        if matches!(head.ending, Some(Ending::Merged { .. })) {
            head.ending = Some(Ending::Merged { into: self.merged_into(id, deadline).await? });
        }
        Ok(head)
    }

    /// The labels; unknown where we may not see them.
    pub(crate) async fn tags(&self, id: Id, deadline: Timestamp) -> Result<Fact<Vec<String>>> {
        let ask = Ask::get("read tags", "tags", deadline).query("object", "Ticket").query("o_id", id);
        match self.api.json::<Tags>(&ask).await {
            Ok(sent) => Ok(sent.tags.required()),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Ok(Fact::Unknown),
            Err(error) => Err(error),
        }
    }

    /// The ticket that a merged one went into: it is linked to it as its parent (Zammad sheet, *Incremental read*).
    async fn merged_into(&self, id: Id, deadline: Timestamp) -> Result<Option<TicketId>> {
        let ask = Ask::get("read links", "links", deadline);
        let ask = ask.query("link_object", "Ticket").query("link_object_value", id);
        let links = match self.api.json::<Links>(&ask).await {
            Ok(sent) => sent.links.some().unwrap_or_default(),
            Err(error) if matches!(error.kind, DeskErrorKind::Forbidden | DeskErrorKind::NotFound) => Vec::new(),
            Err(error) => return Err(error),
        };
        let parents = links.into_iter().filter(|link| {
            link.link_object.get().is_none_or(|object| object == "Ticket")
                && link.link_type.get().is_some_and(|kind| kind == "parent")
        });
        let found: Vec<Id> = parents.filter_map(|link| link.link_object_value.some()).collect();
        // A ticket may have had a parent before: of several, none is known to be the one.
        Ok(match found[..] {
            [into] if into.is_record() => Some(TicketId::new(into.to_string())),
            _ => None,
        })
    }

    pub(crate) async fn read_parts(&self, head: &TicketHead, wanted: PartSet, deadline: Timestamp) -> Result<Parts> {
        let id = ticket_id(&head.id, "read parts")?;
        let mut parts = Parts::default();
        if wanted.has(PartKind::Conversation) || wanted.has(PartKind::History) {
            parts.merge(self.past(id, wanted.has(PartKind::History), deadline).await?);
        }
        if wanted.has(PartKind::Customer) {
            parts.customer = self.customer(head, deadline).await?;
        }
        if wanted.has(PartKind::Clocks) {
            parts.clocks = Some(self.clocks(head, deadline).await?);
        }
        if wanted.has(PartKind::Contacts) {
            parts.contacts = self.contacts(head, deadline).await?;
        }
        Ok(parts)
    }

    /// What was said, and with the history what was changed: the articles are needed for both.
    async fn past(&self, id: Id, changes: bool, deadline: Timestamp) -> Result<Parts> {
        let articles = self.articles(id, deadline).await?;
        let rows = match changes {
            true => self.rows(id, deadline).await?,
            false => None,
        };
        let cast = self.cast(&articles, rows.as_deref().unwrap_or_default(), deadline).await?;
        let odd = |words| Ask::get("read conversation and history", "", deadline).malformed(words);
        let messages = history::conversation(&articles, &cast);
        let messages = messages.ok_or_else(|| odd("an article has no id or no time"))?;
        let history = match &rows {
            Some(rows) => {
                let changes = history::changes(rows, &articles, &cast);
                Some(changes.ok_or_else(|| odd("a row of the history has no id or no time"))?)
            }
            None => None,
        };
        let conversation = Some(Conversation { messages, complete: true });
        Ok(Parts { conversation, history, people: cast.staff(), ..Parts::default() })
    }

    async fn cast(&self, articles: &[Article], rows: &[Row], deadline: Timestamp) -> Result<Cast> {
        let us = self.people.our_id(&self.api, deadline).await?;
        let mut actors = history::actors(articles, rows);
        actors.retain(|id| Some(*id) != us);
        Ok(Cast {
            us,
            users: self.people.users(&self.api, &actors, deadline).await?,
            groups: self.people.groups(&self.api, &[], deadline).await?,
            words: self.people.words(&self.api, &[], deadline).await?,
            site: self.api.site().clone(),
        })
    }

    /// All articles of a ticket at once, oldest first.
    pub(crate) async fn articles(&self, id: Id, deadline: Timestamp) -> Result<Vec<Article>> {
        let ask = Ask::get("read conversation", format!("ticket_articles/by_ticket/{id}"), deadline);
        self.api.json(&ask).await
    }

    /// The rows of a ticket's history; none: our account may not see it. The endpoint is Zammad's own screen's, not of its
    /// documented API: an answer of another shape is an error, not an empty history.
    pub(crate) async fn rows(&self, id: Id, deadline: Timestamp) -> Result<Option<Vec<Row>>> {
        let ask = Ask::get("read history", format!("ticket_history/{id}"), deadline);
        match self.api.json::<History>(&ask).await {
            Ok(sent) => match sent.history.some() {
                Some(rows) => Ok(Some(rows)),
                None => Err(ask.malformed("the answer holds no history")),
            },
            Err(error) if error.kind == DeskErrorKind::Forbidden => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Who asks; none: the ticket does not say.
    async fn customer(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Customer>> {
        let Some(id) = requester(head) else { return Ok(None) };
        let user = self.people.customer(&self.api, id, deadline).await?;
        let us = self.people.our_id(&self.api, deadline).await?;
        let organization = match &head.organization {
            Fact::Unknown => Fact::Unknown,
            Fact::Known(None) => Fact::Known(None),
            Fact::Known(Some(id)) => self.organization(id.as_str(), deadline).await?,
        };
        Ok(Some(normalise::customer(id, user, us, organization)))
    }

    async fn organization(&self, id: &str, deadline: Timestamp) -> Result<Fact<Option<Organization>>> {
        let Some(id) = Id::read(id) else { return Ok(Fact::Unknown) };
        let sent = self.people.organization(&self.api, id, deadline).await?;
        Ok(sent.map_or(Fact::Unknown, |sent| Fact::Known(Some(normalise::organization(id, sent)))))
    }

    /// The customer's tickets: one page, the newest hundred.
    async fn contacts(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Contacts>> {
        let Some(id) = requester(head) else { return Ok(None) };
        let condition = json!({
            "ticket.customer_id": { "operator": "is", "pre_condition": "specific", "value": [id] },
        });
        let ask = self.search("read customer's tickets", condition, ("created_at", "desc"), 1, deadline);
        match self.found(&ask).await {
            Ok(raws) => {
                let words = self.people.words(&self.api, &[], deadline).await?;
                Ok(Some(normalise::contacts(&raws, id, raws.len() >= PAGE, &words, self.api.gate().now())))
            }
            Err(error) if matches!(error.kind, DeskErrorKind::Forbidden | DeskErrorKind::Refused) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One page of a search by condition: on the database, without the search engine and its lag (Zammad sheet,
    /// *Incremental read*).
    pub(crate) fn search(
        &self,
        operation: &'static str,
        condition: Value,
        (sort_by, order_by): (&str, &str),
        page: usize,
        deadline: Timestamp,
    ) -> Ask {
        let body = json!({
            "condition": condition, "sort_by": sort_by, "order_by": order_by, "per_page": PAGE, "page": page, "expand": true,
        });
        Ask::post(operation, "tickets/search", body, deadline)
    }

    /// What a search found.
    pub(crate) async fn found(&self, ask: &Ask) -> Result<Vec<Value>> {
        let answer: Value = self.api.json(ask).await?;
        wire::found(answer).ok_or_else(|| ask.malformed("the answer is no list of tickets"))
    }

    /// The ticket's clocks, from its head; read again where that kept nothing.
    async fn clocks(&self, head: &TicketHead, deadline: Timestamp) -> Result<Vec<VendorClock>> {
        let id = ticket_id(&head.id, "read clocks")?;
        let of_head: Option<Ticket> = serde_json::from_str(&head.raw).ok();
        let ticket = match of_head.filter(|ticket| ticket.id.get() == Some(&id)) {
            Some(ticket) => ticket,
            None => self.api.json(&Ask::get("read clocks", format!("tickets/{id}"), deadline)).await?,
        };
        let words = self.people.words(&self.api, &[], deadline).await?;
        Ok(normalise::clocks(&ticket, &words, self.api.gate().now()))
    }
}

pub(crate) fn requester(head: &TicketHead) -> Option<Id> {
    Id::read(head.requester.known()?.as_ref()?.as_str())
}
