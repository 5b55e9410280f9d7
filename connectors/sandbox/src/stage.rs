//! The sandbox as the stage of the kit's conformance suite: one agent who works in two queues, one customer, a webhook.
//! What differs by vendor is data ([`Words`]), so each dialect adds one constructor.

use crate::change::{NewMessage, TagChange, Update};
use crate::freshdesk;
use crate::ids::{FieldNo, PersonNo, TicketNo};
use crate::intercom;
use crate::jira;
use crate::people::{Person, Reach, Role};
use crate::sandbox::Sandbox;
use crate::seed;
use crate::store;
use crate::ticket::{Body, FieldDef, FieldType, Ticket, Visibility};
use crate::transport::SandboxTransport;
use crate::zammad;
use crate::zendesk::Limits;
use handoffd_kit::clock::ManualClock;
use handoffd_kit::conformance::{
    CannotStage, EndAct, FactName, Names, NewMessage as Further, NewTicket, NoteOnDesk, OnDesk, PersonAct, Posted,
    Rights, Sender, StaffAct, Stage, Staged, Wire, staged,
};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{TicketId, UserId};
use handoffd_kit::model::{FieldValue, Priority, Status};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// What the stage's webhook signs with.
pub const WEBHOOK_SECRET: &str = "stage-webhook-secret";
/// The login of the agent who acts on the stage.
pub const AGENT: &str = "floater";
const CUSTOMER: &str = "customer@standard.example";

/// 2026-05-04T08:00:00Z.
const MONDAY_MORNING: Timestamp = Timestamp::constant(1777881600, 0);

/// A sandbox set up for the conformance suite.
pub struct SandboxStage {
    /// The helpdesk itself.
    pub sandbox: Sandbox,
    clock: ManualClock,
    wire: Wire,
    words: Words,
}

/// What differs by vendor.
#[derive(Clone, Debug)]
pub struct Words {
    /// A priority in the vendor's word.
    pub write_priority: fn(Priority) -> &'static str,
    /// The vendor's word for a priority.
    pub read_priority: fn(&str) -> Option<Priority>,
    /// Which key of the vendor's answers carries which fact.
    pub keys: &'static [(FactName, &'static str)],
    /// How the vendor's API names somebody.
    pub user: fn(&Person) -> String,
    /// How the vendor's API names a custom field.
    pub field: fn(&FieldDef) -> String,
    /// Whether a closed ticket takes no more writes.
    pub closes: bool,
    /// What follows the desk's name in the address of its webhook.
    pub path: Option<&'static str>,
}

/// Zendesk's words.
const ZENDESK: Words = Words {
    write_priority: Priority::name,
    read_priority: |word| {
        [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent].into_iter().find(|one| one.name() == word)
    },
    keys: &[
        (FactName::Subject, "subject"),
        (FactName::Status, "status"),
        (FactName::Priority, "priority"),
        (FactName::Tags, "tags"),
        (FactName::Queue, "group_id"),
        (FactName::Owner, "assignee_id"),
        (FactName::CreatedAt, "created_at"),
        (FactName::UpdatedAt, "updated_at"),
    ],
    user: |person| person.no.to_string(),
    field: |field| field.no.to_string(),
    closes: true,
    path: None,
};

/// Freshdesk's words. A closed ticket may be opened again.
const FRESHDESK: Words = Words {
    write_priority: Priority::name,
    read_priority: ZENDESK.read_priority,
    keys: &[
        (FactName::Subject, "subject"),
        (FactName::Status, "status"),
        (FactName::Priority, "priority"),
        (FactName::Tags, "tags"),
        (FactName::Queue, "group_id"),
        (FactName::Owner, "responder_id"),
        (FactName::CreatedAt, "created_at"),
        (FactName::UpdatedAt, "updated_at"),
    ],
    user: |person| person.no.to_string(),
    field: freshdesk::field_name,
    closes: true,
    path: None,
};

/// Zammad's words. A closed ticket may be opened again, and takes writes.
const ZAMMAD: Words = Words {
    keys: &[
        (FactName::Subject, "title"),
        (FactName::Status, "state_id"),
        (FactName::Priority, "priority_id"),
        (FactName::Tags, "tags"),
        (FactName::Queue, "group_id"),
        (FactName::Owner, "owner_id"),
        (FactName::CreatedAt, "created_at"),
        (FactName::UpdatedAt, "updated_at"),
    ],
    field: zammad::field_name,
    closes: false,
    ..FRESHDESK
};

/// Jira's words. What is closed may be opened again, and takes writes.
const JIRA: Words = Words {
    keys: &[
        (FactName::Subject, "summary"),
        (FactName::Status, "status"),
        (FactName::Priority, "priority"),
        (FactName::Tags, "labels"),
        (FactName::Queue, jira::TEAM_FIELD),
        (FactName::Owner, "assignee"),
        (FactName::CreatedAt, "created"),
        (FactName::UpdatedAt, "updated"),
    ],
    user: jira::account_id,
    field: jira::field_id,
    closes: false,
    ..FRESHDESK
};

/// Intercom's words. A closed conversation may be opened again, and takes writes.
const INTERCOM: Words = Words {
    keys: &[
        (FactName::Subject, "subject"),
        (FactName::Status, "state"),
        (FactName::Priority, "priority"),
        (FactName::Tags, "tags"),
        (FactName::Queue, "team_assignee_id"),
        (FactName::Owner, "admin_assignee_id"),
        (FactName::CreatedAt, "created_at"),
        (FactName::UpdatedAt, "updated_at"),
    ],
    field: intercom::field_name,
    closes: false,
    ..FRESHDESK
};

/// Request Tracker's words, in its default lifecycle.
const RT: Words = Words {
    write_priority: |priority| match priority {
        Priority::Low => "10",
        Priority::Normal => "55",
        Priority::High => "80",
        Priority::Urgent => "100",
    },
    read_priority: |level| {
        Some(match level.parse::<i64>().ok()? {
            ..50 => Priority::Low,
            50..75 => Priority::Normal,
            75..100 => Priority::High,
            _ => Priority::Urgent,
        })
    },
    keys: &[
        (FactName::Subject, "Subject"),
        (FactName::Status, "Status"),
        (FactName::Priority, "Priority"),
        (FactName::Tags, "CustomFields"),
        (FactName::Queue, "Queue"),
        (FactName::Owner, "Owner"),
        (FactName::CreatedAt, "Created"),
        (FactName::UpdatedAt, "LastUpdated"),
    ],
    user: |person| person.login.clone(),
    field: |field| field.name.clone(),
    closes: false,
    path: Some(WEBHOOK_SECRET),
};

impl SandboxStage {
    /// A Zendesk account. Log in as [`seed::CLIENT`] or with [`seed::API_TOKEN`] at any address; the webhook's secret is
    /// [`WEBHOOK_SECRET`].
    pub fn zendesk() -> Self {
        let clock = ManualClock::new(MONDAY_MORNING);
        let sandbox = seed::zendesk(Arc::new(clock.clone()), 1, Limits::ENTERPRISE);
        sandbox.with(|desk| {
            desk.add_hook("https://handoffd.example/hooks/stage", WEBHOOK_SECRET, &[], None);
        });
        Self::new(sandbox, clock, ZENDESK)
    }

    /// A Request Tracker. Log in with [`seed::RT_TOKEN`] at any address; the webhook's token is [`WEBHOOK_SECRET`].
    pub fn rt() -> Self {
        let clock = ManualClock::new(MONDAY_MORNING);
        let sandbox = seed::rt(Arc::new(clock.clone()), 1);
        sandbox.with(|desk| {
            let url = format!("https://handoffd.example/hooks/stage/{WEBHOOK_SECRET}");
            desk.add_hook(&url, "", &[], None);
        });
        Self::new(sandbox, clock, RT)
    }

    /// A Freshdesk account. Log in with [`seed::API_KEY`] at any address; the webhook's secret is [`WEBHOOK_SECRET`].
    pub fn freshdesk() -> Self {
        let clock = ManualClock::new(MONDAY_MORNING);
        let sandbox = seed::freshdesk(Arc::new(clock.clone()), 1, freshdesk::Plan::ENTERPRISE);
        sandbox.with(|desk| {
            desk.add_hook("https://handoffd.example/hooks/stage", WEBHOOK_SECRET, &[], None);
        });
        Self::new(sandbox, clock, FRESHDESK)
    }

    /// A Zammad. Log in with [`seed::ZAMMAD_TOKEN`] at any address; the webhook's signature token is [`WEBHOOK_SECRET`].
    pub fn zammad() -> Self {
        let clock = ManualClock::new(MONDAY_MORNING);
        let sandbox = seed::zammad(Arc::new(clock.clone()), 1);
        sandbox.with(|desk| {
            desk.add_hook("https://handoffd.example/hooks/stage", WEBHOOK_SECRET, &[], None);
        });
        Self::new(sandbox, clock, ZAMMAD)
    }

    /// A Jira Service Management. Log in as [`seed::JIRA_EMAIL`] with [`seed::JIRA_TOKEN`] at any address; the webhook's secret is
    /// [`WEBHOOK_SECRET`].
    pub fn jira() -> Self {
        let clock = ManualClock::new(MONDAY_MORNING);
        let sandbox = seed::jira(Arc::new(clock.clone()), 1);
        sandbox.with(|desk| {
            desk.add_hook("https://handoffd.example/hooks/stage", WEBHOOK_SECRET, &[], None);
        });
        Self::new(sandbox, clock, JIRA)
    }

    /// An Intercom workspace. Log in with [`seed::INTERCOM_TOKEN`] at any address; the app's client secret, which webhooks are
    /// signed with, is [`WEBHOOK_SECRET`].
    pub fn intercom() -> Self {
        let clock = ManualClock::new(MONDAY_MORNING);
        let sandbox = seed::intercom(Arc::new(clock.clone()), 1, intercom::PRIVATE_APP);
        sandbox.with(|desk| {
            desk.add_hook("https://handoffd.example/hooks/stage", WEBHOOK_SECRET, &[], None);
        });
        Self::new(sandbox, clock, INTERCOM)
    }

    /// Sets a seeded sandbox up.
    pub fn new(sandbox: Sandbox, clock: ManualClock, words: Words) -> Self {
        sandbox.with(|desk| {
            let agent = desk.add_person(AGENT, "Floating Agent", "floater@acme.example", Role::Agent);
            desk.queues.values_mut().for_each(|queue| {
                queue.members.insert(agent);
            });
        });
        let wire = Wire::new(Arc::new(SandboxTransport::to(sandbox.clone())), Wire::by_method);
        Self { sandbox, clock, wire, words }
    }

    fn numbered(&self, login: &str) -> Option<PersonNo> {
        self.sandbox.person(login).no()
    }

    fn opened(&mut self, ticket: NewTicket) -> Result<TicketId, CannotStage> {
        let set = self.preset(&ticket)?;
        let writes = match ticket.sender {
            Sender::Machine => seed::machine_writes,
            Sender::Customer | Sender::ByMail => seed::customer_writes,
        };
        let no = writes(&self.sandbox, CUSTOMER, &ticket.subject, &ticket.text, set);
        for message in &ticket.then {
            let (who, visibility, text) = match message {
                Further::Customer(text) => (CUSTOMER, Visibility::Public, text),
                Further::AgentPublicly(text) => (AGENT, Visibility::Public, text),
                Further::AgentInternally(text) => (AGENT, Visibility::Internal, text),
            };
            let say = vec![NewMessage::new(visibility, Body::Plain(text.clone()))];
            self.sandbox.person(who).updates(no, Update { say, ..Update::default() });
        }
        Ok(TicketId::from(no.0))
    }

    fn preset(&self, ticket: &NewTicket) -> Result<Update, CannotStage> {
        let queue = ticket.queue.as_ref().map(|queue| self.queue(queue)).transpose()?;
        let owner = ticket.owner.as_ref().map(|owner| self.owner(owner)).transpose()?;
        let fields =
            ticket.field.as_ref().map(|(id, value)| Ok((self.field(id)?, vec![written(value)]))).transpose()?;
        let tags = (!ticket.tags.is_empty()).then(|| TagChange::Set(ticket.tags.iter().cloned().collect()));
        Ok(Update {
            queue: queue.map(Some),
            owner: owner.map(Some),
            priority: ticket.priority.map(|priority| Some((self.words.write_priority)(priority).to_owned())),
            tags,
            fields: fields.into_iter().collect(),
            ..Update::default()
        })
    }

    fn owner(&self, owner: &UserId) -> Result<PersonNo, CannotStage> {
        let is = |person: &&Person| (self.words.user)(person) == owner.as_str();
        let found = self.sandbox.with(|desk| desk.people.values().find(is).map(|person| person.no));
        found.ok_or_else(|| CannotStage(format!("nobody is {owner}")))
    }

    fn field(&self, id: &str) -> Result<FieldNo, CannotStage> {
        let is = |field: &&FieldDef| (self.words.field)(field) == id;
        let found = self.sandbox.with(|desk| desk.fields.values().find(is).map(|field| field.no));
        found.ok_or_else(|| CannotStage(format!("no field {id}")))
    }

    /// What the vendor's API calls somebody.
    fn user_id(&self, no: PersonNo) -> UserId {
        UserId::from(self.sandbox.with(|desk| desk.person(no).map_or_else(String::new, self.words.user)))
    }

    fn queue(&self, queue: &QueueSpec) -> Result<crate::ids::QueueNo, CannotStage> {
        let found = self.sandbox.with(|desk| desk.find_queue(queue.shown()).map(|queue| queue.no));
        found.ok_or_else(|| CannotStage(format!("no queue {}", queue.shown())))
    }

    fn acted(&mut self, ticket: &TicketId, act: PersonAct) -> Result<(), CannotStage> {
        let no = TicketNo(parsed(ticket.as_str())?);
        let agent = self.sandbox.person(AGENT);
        match act {
            PersonAct::Move(queue) => agent.moves(no, queue.shown()),
            PersonAct::Take => agent.takes(no),
            PersonAct::Priority(priority) => agent.prioritises(no, (self.words.write_priority)(priority)),
            PersonAct::Edit(field, value) => agent.edits(no, self.field(&field)?, &written(&value)),
            PersonAct::Tag(tag) => agent.tags(no, &tag),
            PersonAct::Reply(text) => agent.replies(no, &text),
            PersonAct::Note(text) => agent.notes(no, &text),
        };
        Ok(())
    }

    fn ended(&mut self, ticket: &TicketId, how: EndAct) -> Result<(), CannotStage> {
        let no = TicketNo(parsed(ticket.as_str())?);
        let agent = self.sandbox.person(AGENT);
        match how {
            EndAct::Close if !self.words.closes => {
                return Err(CannotStage("this helpdesk has no state that takes no more writes".into()));
            }
            EndAct::Close => agent.closes(no),
            EndAct::Merge(into) => agent.merges(no, TicketNo(parsed(into.as_str())?)),
            EndAct::Delete => agent.deletes(no),
        };
        Ok(())
    }

    fn seen(&self, ticket: &TicketId) -> Result<OnDesk, CannotStage> {
        let no = TicketNo(parsed(ticket.as_str())?);
        let us = self.numbered(seed::BOT);
        let user = |desk: &store::Helpdesk, no| desk.person(no).map(|person| UserId::from((self.words.user)(person)));
        let on_desk = |desk: &mut store::Helpdesk| {
            let ticket = desk.tickets.get(&no)?;
            let queue = ticket.queue.and_then(|queue| desk.queues.get(&queue)).map(|queue| queue.name.clone());
            Some(OnDesk {
                notes: notes(ticket, us),
                queue: Fact::Known(queue),
                owner: Fact::Known(ticket.owner.and_then(|owner| user(desk, owner))),
                tags: Fact::Known(ticket.tags.iter().cloned().collect()),
                priority: Fact::Known(ticket.priority.as_deref().and_then(self.words.read_priority)),
                field: FieldType::Number.read(&ticket.field(seed::REFUND_EUR).map_or(Value::Null, Value::from)),
                followers: Fact::Known(ticket.followers.iter().filter_map(|no| user(desk, *no)).collect()),
            })
        };
        self.sandbox.with(on_desk).ok_or_else(|| CannotStage(format!("no ticket {ticket}")))
    }
}

impl Stage for SandboxStage {
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
        let spec = |name: &str| QueueSpec::Name(name.to_owned());
        let field = self.sandbox.with(|desk| desk.fields.get(&seed::REFUND_EUR).map(self.words.field));
        let (one, other) = (FieldValue::Number(12.5), FieldValue::Number(750.0));
        Names {
            home: spec("Support"),
            home_shown: "Support".into(),
            away: spec("Billing"),
            away_shown: "Billing".into(),
            agent: self.numbered(AGENT).map_or_else(|| UserId::from(AGENT), |no| self.user_id(no)),
            agent_email: Some("floater@acme.example".into()),
            field: field.map(|field| (field, one, other)),
            tags: true,
            no_ticket: TicketId::from("99999999"),
        }
    }

    fn make(&mut self, ticket: NewTicket) -> Staged<'_, TicketId> {
        let opened = self.opened(ticket);
        staged(opened)
    }

    fn look<'a>(&'a mut self, ticket: &'a TicketId) -> Staged<'a, OnDesk> {
        staged(self.seen(ticket))
    }

    fn status<'a>(&'a mut self, ticket: &'a TicketId) -> Staged<'a, Status> {
        let status = parsed(ticket.as_str()).and_then(|no| {
            let found = self.sandbox.with(|desk| desk.tickets.get(&TicketNo(no)).map(|ticket| ticket.status));
            found.ok_or_else(|| CannotStage(format!("no ticket {ticket}")))
        });
        staged(status)
    }

    fn act<'a>(&'a mut self, ticket: &'a TicketId, act: PersonAct) -> Staged<'a, ()> {
        let acted = self.acted(ticket, act);
        staged(acted)
    }

    fn staff<'a>(&'a mut self, queue: &'a QueueSpec, act: StaffAct) -> Staged<'a, ()> {
        let (no, agent) = (self.queue(queue), self.numbered(AGENT));
        let changed = no.map(|no| {
            self.sandbox.with(|desk| {
                let Some(agent) = agent else { return };
                let members = desk.queues.get_mut(&no).map(|queue| &mut queue.members);
                match (act, members) {
                    (StaffAct::Leaves, Some(members)) => drop(members.remove(&agent)),
                    (StaffAct::ComesBack, Some(members)) => drop(members.insert(agent)),
                    _ => {}
                }
                if let Some(person) = desk.people.get_mut(&agent) {
                    person.suspended = act == StaffAct::IsDisabled;
                }
            });
        });
        staged(changed)
    }

    fn end<'a>(&'a mut self, ticket: &'a TicketId, how: EndAct) -> Staged<'a, ()> {
        let ended = self.ended(ticket, how);
        staged(ended)
    }

    fn rights(&mut self, rights: Rights) -> Staged<'_, ()> {
        self.sandbox.with(|desk| {
            let bot = desk.people.values_mut().find(|person| person.login == seed::BOT);
            if let Some(bot) = bot {
                bot.rights.changes = match rights {
                    Rights::Taken => Reach::Nothing,
                    Rights::Given => Reach::All,
                };
            }
        });
        staged(Ok(()))
    }

    fn stream_lags(&mut self, by: SignedDuration) -> Staged<'_, ()> {
        self.sandbox.with(|desk| desk.habits.stream_lag = by);
        staged(Ok(()))
    }

    fn webhook<'a>(&'a mut self, ticket: &'a TicketId) -> Staged<'a, Posted> {
        let post = parsed(ticket.as_str()).map(|no| self.sandbox.webhooks_about(TicketNo(no)).into_iter().next());
        let nothing = || CannotStage(format!("nothing happened to ticket {ticket} yet, or no webhook is registered"));
        staged(post.and_then(|post| post.ok_or_else(nothing)).map(|post| Posted {
            headers: post.headers,
            path: self.words.path.map(str::to_owned),
            body: post.body.to_vec(),
        }))
    }

    fn keys(&self) -> Vec<(FactName, &'static str)> {
        self.words.keys.to_vec()
    }
}

fn notes(ticket: &Ticket, us: Option<PersonNo>) -> Vec<NoteOnDesk> {
    let one = |message: &crate::ticket::Message| NoteOnDesk {
        text: message.body.text(),
        visibility: message.visibility,
        by_us: Some(message.author) == us,
    };
    ticket.messages.iter().skip(1).map(one).collect()
}

fn parsed(id: &str) -> Result<u64, CannotStage> {
    id.parse().map_err(|_| CannotStage(format!("{id} is no number")))
}

fn written(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::YesNo(yes) => yes.to_string(),
        FieldValue::Date(date) => date.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    #[test]
    fn the_stage_shows_what_it_was_told_to_make_and_do() {
        let mut stage = SandboxStage::zendesk();
        let names = stage.names();
        let (field, one, other) = names.field.clone().unwrap();
        let new = NewTicket {
            subject: "s".into(),
            text: "t".into(),
            queue: Some(names.home.clone()),
            owner: Some(names.agent.clone()),
            priority: Some(Priority::High),
            tags: vec!["b".into(), "a".into()],
            field: Some((field.clone(), one.clone())),
            then: vec![Further::AgentInternally("n & m".into()), Further::AgentPublicly("r".into())],
            sender: Sender::Customer,
        };
        let no = block_on(stage.make(new)).unwrap();
        let seen = block_on(stage.look(&no)).unwrap();
        assert_eq!(seen.queue, Fact::Known(Some("Support".into())));
        assert_eq!(seen.owner, Fact::Known(Some(names.agent.clone())));
        assert_eq!(seen.priority, Fact::Known(Some(Priority::High)));
        assert_eq!(seen.tags, Fact::Known(vec!["a".into(), "b".into()]));
        assert_eq!(seen.field, Fact::Known(Some(one)));
        let note = |text: &str, visibility| NoteOnDesk { text: text.into(), visibility, by_us: false };
        assert_eq!(seen.notes, [note("n & m", Visibility::Internal), note("r", Visibility::Public)]);
        for act in [
            PersonAct::Move(names.away.clone()),
            PersonAct::Priority(Priority::Low),
            PersonAct::Edit(field, other.clone()),
            PersonAct::Tag("c".into()),
        ] {
            block_on(stage.act(&no, act)).unwrap();
        }
        let seen = block_on(stage.look(&no)).unwrap();
        assert_eq!((seen.queue, seen.field), (Fact::Known(Some("Billing".into())), Fact::Known(Some(other))));
        assert_eq!(seen.owner, Fact::Known(Some(names.agent)), "the agent works in both");
        let posted = block_on(stage.webhook(&no)).unwrap();
        assert!(posted.headers.contains_key("x-zendesk-webhook-signature"));
        assert!(block_on(stage.look(&names.no_ticket)).is_err());
    }
}
