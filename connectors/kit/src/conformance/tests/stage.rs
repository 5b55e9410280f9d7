//! The stage of the small helpdesk.

use super::super::*;
use super::Defect;
use super::desk::SECRET;
use super::helpdesk::{Helpdesk, Ticket, person, queue};
use crate::clock::{Clock, ManualClock};
use crate::desk::QueueSpec;
use crate::fact::Fact;
use crate::id::{TicketId, UserId, Version};
use crate::model::*;
use crate::webhook::testing;
use jiff::SignedDuration;
use serde_json::json;
use std::sync::Arc;

pub(super) struct MiniStage {
    pub helpdesk: Arc<Helpdesk>,
    pub wire: Wire,
    pub clock: ManualClock,
}

impl Stage for MiniStage {
    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn clock(&self) -> Option<ManualClock> {
        Some(self.clock.clone())
    }

    fn advance(&mut self, span: SignedDuration) -> Staged<'_, ()> {
        self.clock.advance(span);
        staged(Ok(()))
    }

    fn names(&self) -> Names {
        let values = (FieldValue::Text("silver".into()), FieldValue::Text("gold".into()));
        Names {
            home: QueueSpec::Name("Home".into()),
            home_shown: "Home".into(),
            away: QueueSpec::Name("Away".into()),
            away_shown: "Away".into(),
            agent: "agent".into(),
            agent_email: Some("agent@example.com".into()),
            field: Some(("plan".into(), values.0, values.1)),
            tags: true,
            no_ticket: "9999".into(),
        }
    }

    fn make(&mut self, new: NewTicket) -> Staged<'_, TicketId> {
        let now = self.clock.now();
        let mut state = self.helpdesk.state();
        let defect = state.defect;
        let id = TicketId::from(state.tickets.len() as u64 + 1);
        let head = TicketHead {
            subject: Fact::Known(new.subject),
            status: Fact::Known(Status::New),
            priority: Fact::Known(new.priority),
            tags: Fact::Known(new.tags),
            requester: Fact::Known(Some("customer".into())),
            queue: Fact::Known(new.queue.as_ref().map(queue)),
            owner: Fact::Known(new.owner.map(|owner| person(owner.as_str(), Role::Agent))),
            fields: new.field.into_iter().map(|(id, value)| (id, json!(value))).collect(),
            created_at: Fact::Known(now),
            raw: "kept".into(),
            ..TicketHead::unknown(id.clone(), Version::from("0"))
        };
        let fresh = Ticket {
            head,
            messages: Vec::new(),
            changes: Vec::new(),
            version: 0,
            deleted: false,
            followers: Vec::new(),
        };
        state.tickets.insert(id.clone(), fresh);
        let customer = person("customer", Role::Customer);
        state.change(&id, customer.clone(), None, |ticket, now| {
            ticket.say(&customer, Said::Publicly(PublicText(new.text)), now);
            ticket.messages[0].by_machine = match new.sender {
                Sender::Customer => Fact::Unknown,
                Sender::ByMail => Fact::Known(false),
                Sender::Machine => Fact::Known(defect != Defect::TakesMachinesForPeople),
            };
            for message in new.then {
                let (by, said) = match message {
                    NewMessage::Customer(words) => (customer.clone(), Said::Publicly(PublicText(words))),
                    NewMessage::AgentPublicly(words) => {
                        (person("agent", Role::Agent), Said::Publicly(PublicText(words)))
                    }
                    NewMessage::AgentInternally(words) => {
                        (person("agent", Role::Agent), Said::Internally(InternalText(words)))
                    }
                };
                ticket.say(&by, said, now);
            }
            vec![What::Created]
        });
        staged(Ok(id))
    }

    fn look<'a>(&'a mut self, ticket: &'a TicketId) -> Staged<'a, OnDesk> {
        let state = self.helpdesk.state();
        let Ticket { head, messages, followers, .. } = &state.tickets[ticket];
        let note = |message: &Message| NoteOnDesk {
            text: message.said.words().to_owned(),
            visibility: message.said.visibility(),
            by_us: message.author.role == Role::Us,
        };
        let field = head.fields.get("plan").map(|value| serde_json::from_value(value.clone()).unwrap());
        staged(Ok(OnDesk {
            notes: messages.iter().skip(1).map(note).collect(),
            queue: head.queue.clone().map(|queue| queue.and_then(|queue| queue.name)),
            owner: head.owner.clone().map(|owner| owner.map(|owner| owner.id)),
            tags: head.tags.clone(),
            priority: head.priority.clone(),
            field: Fact::Known(field),
            followers: Fact::Known(followers.clone()),
        }))
    }

    fn status<'a>(&'a mut self, ticket: &'a TicketId) -> Staged<'a, Status> {
        let status = self.helpdesk.state().tickets[ticket].head.status.known().copied();
        staged(status.ok_or_else(|| CannotStage("no status".into())))
    }

    fn act<'a>(&'a mut self, ticket: &'a TicketId, act: PersonAct) -> Staged<'a, ()> {
        let agent = person("agent", Role::Agent);
        self.helpdesk.state().change(ticket, agent.clone(), None, |ticket, now| {
            let what = match act {
                PersonAct::Move(queue) => ticket.move_to(&queue),
                PersonAct::Take => ticket.own(Some(agent.id.clone())),
                PersonAct::Reply(words) => ticket.say(&agent, Said::Publicly(PublicText(words)), now),
                PersonAct::Note(words) => ticket.say(&agent, Said::Internally(InternalText(words)), now),
                PersonAct::Priority(priority) => {
                    ticket.head.priority = Fact::Known(Some(priority));
                    What::Priority { to: Some(priority) }
                }
                PersonAct::Edit(id, value) => {
                    ticket.head.fields.insert(id.clone(), json!(value));
                    What::Field { id }
                }
                PersonAct::Tag(tag) => {
                    if let Fact::Known(tags) = &mut ticket.head.tags {
                        tags.push(tag.clone());
                    }
                    What::Tags { added: vec![tag], removed: Vec::new() }
                }
            };
            vec![what]
        });
        staged(Ok(()))
    }

    fn staff<'a>(&'a mut self, queue: &'a QueueSpec, act: StaffAct) -> Staged<'a, ()> {
        let mut state = self.helpdesk.state();
        let staff = state.staff.entry(queue.shown().to_owned()).or_default();
        match act {
            StaffAct::Leaves => drop(staff.remove(&UserId::from("agent"))),
            StaffAct::IsDisabled => drop(staff.insert("agent".into(), false)),
            StaffAct::ComesBack => drop(staff.insert("agent".into(), true)),
        }
        staged(Ok(()))
    }

    fn end<'a>(&'a mut self, ticket: &'a TicketId, how: EndAct) -> Staged<'a, ()> {
        self.helpdesk.state().change(ticket, person("agent", Role::Agent), None, |ticket, _| {
            match how {
                EndAct::Close => ticket.head.status = Fact::Known(Status::Closed),
                EndAct::Merge(into) => ticket.head.ending = Some(Ending::Merged { into: Some(into) }),
                EndAct::Delete => ticket.deleted = true,
            }
            vec![What::Other("ended".into())]
        });
        staged(Ok(()))
    }

    fn rights(&mut self, rights: Rights) -> Staged<'_, ()> {
        self.helpdesk.state().may_write = rights == Rights::Given;
        staged(Ok(()))
    }

    fn stream_lags(&mut self, by: SignedDuration) -> Staged<'_, ()> {
        self.helpdesk.state().lag = by;
        staged(Ok(()))
    }

    fn webhook<'a>(&'a mut self, ticket: &'a TicketId) -> Staged<'a, Posted> {
        let mut state = self.helpdesk.state();
        state.deliveries += 1;
        let body = json!({ "ticket": ticket, "delivery": state.deliveries }).to_string();
        let stamp = self.clock.now().to_string();
        let signature = testing::sign(SECRET, format!("{stamp}{body}").as_bytes());
        let mut headers = http::HeaderMap::new();
        headers.insert("x-stamp", stamp.parse().unwrap());
        headers.insert("x-signature", hex::encode(signature).parse().unwrap());
        staged(Ok(Posted { headers, path: None, body: body.into_bytes() }))
    }

    fn keys(&self) -> Vec<(FactName, &'static str)> {
        vec![
            (FactName::Subject, "subject"),
            (FactName::Status, "status"),
            (FactName::Priority, "priority"),
            (FactName::Tags, "tags"),
            (FactName::Queue, "queue"),
            (FactName::Owner, "owner"),
            (FactName::CreatedAt, "created_at"),
            (FactName::UpdatedAt, "updated_at"),
        ]
    }
}
