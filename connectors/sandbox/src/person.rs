//! Acting for people and other automations, as at their screens: past the API, its rights and its faults.

use crate::change::{By, NewMessage, TagChange, Update};
use crate::ids::{ChangeNo, FieldNo, PersonNo, TicketNo};
use crate::sandbox::Sandbox;
use crate::store::Helpdesk;
use crate::ticket::{Body, Status, Visibility};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody who acts. Every act returns the change it made; `None`: it changed nothing.
pub struct Somebody {
    sandbox: Sandbox,
    by: Option<By>,
}

impl Somebody {
    pub(crate) fn new(sandbox: Sandbox, by: Option<By>) -> Self {
        Self { sandbox, by }
    }

    /// Their number.
    pub fn no(&self) -> Option<PersonNo> {
        self.by.as_ref().map(|by| by.person)
    }

    /// Does several things at once.
    pub fn updates(&self, ticket: TicketNo, update: Update) -> Option<ChangeNo> {
        self.act(|desk, by| desk.update(ticket, by, update))
    }

    /// Moves it to a queue, by name or number; an owner who is no member there loses it.
    pub fn moves(&self, ticket: TicketNo, queue: &str) -> Option<ChangeNo> {
        self.act(|desk, by| {
            let queue = desk.find_queue(queue)?.no;
            desk.update(ticket, by, Update { queue: Some(Some(queue)), ..Update::default() })
        })
    }

    /// Becomes its owner.
    pub fn takes(&self, ticket: TicketNo) -> Option<ChangeNo> {
        self.act(|desk, by| desk.update(ticket, by, Update { owner: Some(Some(by.person)), ..Update::default() }))
    }

    /// Gives it to somebody.
    pub fn gives(&self, ticket: TicketNo, to: &str) -> Option<ChangeNo> {
        self.act(|desk, by| {
            let to = desk.find_person(to)?.no;
            desk.update(ticket, by, Update { owner: Some(Some(to)), ..Update::default() })
        })
    }

    /// Takes its owner off.
    pub fn frees(&self, ticket: TicketNo) -> Option<ChangeNo> {
        self.updates(ticket, Update { owner: Some(None), ..Update::default() })
    }

    /// Writes to everybody on the ticket; a customer's word wakes a ticket that waits or is solved.
    pub fn replies(&self, ticket: TicketNo, text: &str) -> Option<ChangeNo> {
        self.says(ticket, Visibility::Public, text)
    }

    /// Writes among colleagues.
    pub fn notes(&self, ticket: TicketNo, text: &str) -> Option<ChangeNo> {
        self.says(ticket, Visibility::Internal, text)
    }

    fn says(&self, ticket: TicketNo, visibility: Visibility, text: &str) -> Option<ChangeNo> {
        let message = NewMessage::new(visibility, Body::Plain(text.to_owned()));
        self.updates(ticket, Update { say: vec![message], ..Update::default() })
    }

    /// Sets a custom field; an empty value empties it.
    pub fn edits(&self, ticket: TicketNo, field: FieldNo, value: &str) -> Option<ChangeNo> {
        let values = if value.is_empty() { vec![] } else { vec![value.to_owned()] };
        self.updates(ticket, Update { fields: BTreeMap::from([(field, values)]), ..Update::default() })
    }

    /// Adds a label.
    pub fn tags(&self, ticket: TicketNo, tag: &str) -> Option<ChangeNo> {
        let tags = Some(TagChange::Add(BTreeSet::from([tag.to_owned()])));
        self.updates(ticket, Update { tags, ..Update::default() })
    }

    /// Takes a label off.
    pub fn untags(&self, ticket: TicketNo, tag: &str) -> Option<ChangeNo> {
        let tags = Some(TagChange::Remove(BTreeSet::from([tag.to_owned()])));
        self.updates(ticket, Update { tags, ..Update::default() })
    }

    /// Sets its priority, in the dialect's own word.
    pub fn prioritises(&self, ticket: TicketNo, priority: &str) -> Option<ChangeNo> {
        self.updates(ticket, Update { priority: Some(Some(priority.to_owned())), ..Update::default() })
    }

    /// Changes its status.
    pub fn puts(&self, ticket: TicketNo, status: Status) -> Option<ChangeNo> {
        self.updates(ticket, Update { status: Some(status), ..Update::default() })
    }

    /// Solves it.
    pub fn solves(&self, ticket: TicketNo) -> Option<ChangeNo> {
        self.puts(ticket, Status::Solved)
    }

    /// Closes it for good.
    pub fn closes(&self, ticket: TicketNo) -> Option<ChangeNo> {
        self.puts(ticket, Status::Closed)
    }

    /// Makes it part of another.
    pub fn merges(&self, ticket: TicketNo, into: TicketNo) -> Option<ChangeNo> {
        self.act(|desk, by| desk.merge(ticket, into, by))
    }

    /// Takes it away.
    pub fn deletes(&self, ticket: TicketNo) -> Option<ChangeNo> {
        self.act(|desk, by| desk.delete(ticket, by))
    }

    fn act(&self, act: impl FnOnce(&mut Helpdesk, &By) -> Option<ChangeNo>) -> Option<ChangeNo> {
        let by = self.by.as_ref()?;
        self.sandbox.with(|desk| act(desk, by))
    }
}
