//! A helpdesk that speaks the kit's own types as JSON: as little vendor as possible.

use super::Defect;
use crate::clock::{Clock, ManualClock};
use crate::desk::{DeskChange, Member, OwnerSpec, QueueSpec, Write};
use crate::fact::Fact;
use crate::id::{ChangeId, MessageId, TicketId, UserId, Version};
use crate::mark::Mark;
use crate::model::*;
use crate::transport::{Bounds, Exchange, Transport};
use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

pub(super) struct Helpdesk(Mutex<State>);

pub(super) struct State {
    pub clock: ManualClock,
    pub tickets: BTreeMap<TicketId, Ticket>,
    pub feed: Vec<(Timestamp, TicketId, bool)>,
    pub lag: SignedDuration,
    pub may_write: bool,
    pub defect: Defect,
    pub deliveries: u64,
    /// Who works in each queue, and whether they are active.
    pub staff: BTreeMap<String, BTreeMap<UserId, bool>>,
}

#[derive(Clone)]
pub(super) struct Ticket {
    pub head: TicketHead,
    pub messages: Vec<Message>,
    pub changes: Vec<Change>,
    pub version: u64,
    pub deleted: bool,
    pub followers: Vec<UserId>,
}

pub(super) fn person(id: &str, role: Role) -> Person {
    Person { id: id.into(), name: Some(id.into()), email: Some(format!("{id}@example.com")), role }
}

pub(super) fn queue(spec: &QueueSpec) -> QueueRef {
    QueueRef { id: spec.shown().into(), name: Some(spec.shown().into()) }
}

impl Helpdesk {
    pub fn new(clock: ManualClock, defect: Defect) -> Self {
        let (lag, feed) = (SignedDuration::ZERO, Vec::new());
        let agents = || BTreeMap::from([(UserId::from("agent"), true), (UserId::from("other"), true)]);
        let staff = ["Home", "Away"].map(|queue| (queue.to_owned(), agents())).into();
        let tickets = BTreeMap::new();
        Self(Mutex::new(State { clock, tickets, feed, lag, may_write: true, defect, deliveries: 0, staff }))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Transport for Helpdesk {
    fn send(&self, request: Request<Bytes>, _: Bounds) -> Exchange<'_> {
        let (status, body) = self.state().answer(&request);
        let body = Bytes::from(body.to_string());
        Box::pin(std::future::ready(Ok(Response::builder().status(status).body(body).unwrap())))
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> (u16, Value) {
        let path: Vec<&str> = request.uri().path()[1..].split('/').collect();
        match path[..] {
            ["rights"] => (200, json!(self.may_write)),
            ["members", queue] => self.members(queue),
            ["feed", from] => (200, self.page(from.parse().unwrap())),
            ["head", id] => self.with(id, |ticket| json!(ticket.head)),
            ["parts", id] => self.with(id, |ticket| json!(Parts { contacts: Some(self.contacts()), ..ticket.parts() })),
            ["notes", id] => self.with(id, |ticket| json!(ticket.messages)),
            ["write", id] if !self.may_write => (403, json!(id)),
            ["write", id] => match self.tickets.get(&TicketId::from(id)) {
                None => (404, json!(null)),
                Some(ticket) if ticket.deleted => (404, json!(null)),
                Some(ticket) if ticket.has_ended() && self.defect != Defect::WritesToEnded => (410, json!(null)),
                Some(_) => self.write(&serde_json::from_slice(request.body()).unwrap()),
            },
            _ => (404, json!(null)),
        }
    }

    fn with(&self, id: &str, show: impl FnOnce(&Ticket) -> Value) -> (u16, Value) {
        let ticket = self.tickets.get(&TicketId::from(id)).filter(|ticket| !ticket.deleted);
        ticket.map_or((404, json!(null)), |ticket| (200, show(ticket)))
    }

    fn members(&self, queue: &str) -> (u16, Value) {
        let Some(staff) = self.staff.get(queue) else { return (404, json!(null)) };
        let owns = |ticket: &&Ticket, who: &UserId| {
            let head = &ticket.head;
            let here = head.queue.known().and_then(|at| at.as_ref()).is_some_and(|at| at.id.as_str() == queue);
            here && head.owner.known().and_then(|owner| owner.as_ref()).is_some_and(|owner| owner.id == *who)
        };
        let members = staff.iter().map(|(who, active)| Member {
            person: person(who.as_str(), Role::Agent),
            active: *active,
            open: Some(self.tickets.values().filter(|ticket| owns(ticket, who)).count() as u32),
        });
        (200, json!(members.collect::<Vec<_>>()))
    }

    /// All tickets are of one customer.
    fn contacts(&self) -> Contacts {
        let past = |ticket: &Ticket| PastTicket {
            id: ticket.head.id.clone(),
            subject: ticket.head.subject.clone(),
            status: ticket.head.status.clone(),
            created_at: ticket.head.created_at.clone(),
        };
        let mut tickets: Vec<PastTicket> = self.tickets.values().map(past).collect();
        if self.defect == Defect::ListsTicketsTwice {
            tickets.extend(tickets.clone());
        }
        tickets.sort_by_key(|past| std::cmp::Reverse(past.created_at.known().copied()));
        Contacts { tickets, complete: true, as_of: self.clock.now() }
    }

    /// A hundred entries at most, from a place in the feed.
    fn page(&self, from: usize) -> Value {
        let now = self.clock.now();
        let shown = self.feed.iter().skip(from).take(100).take_while(|(at, ..)| *at + self.lag <= now);
        let entries: Vec<_> = shown.map(|(at, ticket, by_us)| json!([at, ticket, by_us])).collect();
        json!({ "next": from + entries.len(), "entries": entries })
    }

    fn write(&mut self, write: &Write) -> (u16, Value) {
        let present = self.tickets[&write.ticket].head.version.clone();
        if write.expected.as_ref().is_some_and(|expected| *expected != present) {
            return (409, json!(null));
        }
        let defect = self.defect;
        let mark = Some(write.mark.clone());
        self.change(&write.ticket, person("bot", Role::Us), mark, |ticket, now| ticket.apply(write, defect, now));
        let ticket = &self.tickets[&write.ticket];
        (200, json!({ "id": ticket.changes.len().to_string(), "version": ticket.head.version }))
    }

    /// Changes a ticket in somebody's name, and writes it down.
    pub fn change(
        &mut self,
        id: &TicketId,
        by: Person,
        mark: Option<Mark>,
        act: impl FnOnce(&mut Ticket, Timestamp) -> Vec<What>,
    ) {
        let now = self.clock.now();
        let ticket = self.tickets.get_mut(id).unwrap();
        let what = act(ticket, now);
        ticket.version += 1;
        ticket.head.version = Version::from(ticket.version);
        ticket.head.updated_at = Fact::Known(now);
        let actor = match by.role {
            Role::Us => Actor::Us,
            _ if self.defect == Defect::DoesNotSayWhoActed => Actor::Unknown,
            _ => Actor::Person,
        };
        let ours = by.role == Role::Us;
        let id = ChangeId::from(ticket.changes.len() as u64 + 1);
        let by = Author { id: Some(by.id), name: by.name, role: by.role };
        ticket.changes.push(Change { id, at: now, by, actor, mark: mark.filter(|_| ours), what });
        self.feed.push((now, ticket.head.id.clone(), ours));
    }
}

impl Ticket {
    fn has_ended(&self) -> bool {
        self.head.ending.is_some() || self.head.status == Fact::Known(Status::Closed)
    }

    fn parts(&self) -> Parts {
        let customer = Customer {
            person: person("customer", Role::Customer),
            language: Fact::Unknown,
            zone: Fact::Unknown,
            fields: BTreeMap::new(),
            organization: Fact::Known(None),
        };
        Parts {
            conversation: Some(Conversation { messages: self.messages.clone(), complete: true }),
            history: Some(self.changes.clone()),
            customer: Some(customer),
            clocks: Some(Vec::new()),
            people: Vec::new(),
            contacts: None,
        }
    }

    pub fn say(&mut self, by: &Person, said: Said, at: Timestamp) -> What {
        let id = MessageId::from(self.messages.len() as u64 + 1);
        let visibility = said.visibility();
        let author = Author { id: Some(by.id.clone()), name: by.name.clone(), role: by.role };
        self.messages.push(Message {
            id: id.clone(),
            at,
            author,
            said,
            attachments: Vec::new(),
            by_machine: Fact::Unknown,
        });
        What::Said { visibility, message: id }
    }

    pub fn move_to(&mut self, spec: &QueueSpec) -> What {
        self.head.queue = Fact::Known(Some(queue(spec)));
        What::Queue { from: None, to: Some(queue(spec)) }
    }

    pub fn own(&mut self, owner: Option<UserId>) -> What {
        let who = owner.as_ref().map(|id| person(id.as_str(), Role::Agent));
        self.head.owner = Fact::Known(who);
        What::Owner { from: None, to: owner }
    }

    fn apply(&mut self, write: &Write, defect: Defect, now: Timestamp) -> Vec<What> {
        let us = person("bot", Role::Us);
        let mut what = Vec::new();
        match &write.change {
            DeskChange::Update(update) => {
                if let Some(InternalText(note)) = update.note.clone() {
                    let expanded = note.replace("{{ticket.id}}", self.head.id.as_str());
                    let said = match defect {
                        Defect::PublicNotes => Said::Publicly(PublicText(note)),
                        Defect::ExpandsPlaceholders => Said::Internally(InternalText(expanded)),
                        _ => Said::Internally(InternalText(note)),
                    };
                    what.push(self.say(&us, said, now));
                }
                what.extend(update.queue.as_ref().map(|spec| self.move_to(spec)));
                what.extend(update.owner.as_ref().map(|owner| match owner {
                    OwnerSpec::User(id) => self.own(Some(id.clone())),
                    OwnerSpec::Email(address) => self.own(address.split('@').next().map(UserId::from)),
                    OwnerSpec::Nobody => self.own(None),
                }));
                if let Some(priority) = update.priority {
                    self.head.priority = Fact::Known(Some(priority));
                    what.push(What::Priority { to: Some(priority) });
                }
                if let Some(status) = &update.status {
                    let from = self.head.status.known().copied();
                    self.head.status = Fact::Known(status.means);
                    what.push(What::Status { from, to: Some(status.means) });
                }
                match defect {
                    Defect::ReplacesFollowers => self.followers.clone_from(&update.followers),
                    _ => self.followers.extend(update.followers.iter().cloned()),
                }
                for (id, value) in &update.fields {
                    self.head.fields.insert(id.clone(), json!(value));
                    what.push(What::Field { id: id.clone() });
                }
            }
            DeskChange::Reply(reply) => {
                let said = match defect {
                    Defect::PublicReplyIsInternal => Said::Internally(InternalText(reply.text.0.clone())),
                    _ => Said::Publicly(reply.text.clone()),
                };
                what.push(self.say(&us, said, now));
                if defect == Defect::MovesTicketsWhenReplying {
                    what.push(self.move_to(&QueueSpec::Name("Answered".into())));
                }
            }
            DeskChange::Tags { add, remove } => {
                if let Fact::Known(tags) = &mut self.head.tags {
                    tags.retain(|tag| !remove.contains(tag));
                    tags.extend(add.iter().cloned());
                }
                what.push(What::Tags { added: add.clone(), removed: remove.clone() });
            }
        }
        what
    }
}
