//! The helpdesk itself: everybody and everything on it, as plain data that changes only by calls.

use crate::access::Access;
use crate::change::{By, NewMessage, Update};
use crate::ids::{ChangeNo, FieldNo, HookNo, OrganizationNo, PersonNo, QueueNo, TicketNo};
use crate::journal::Journal;
use crate::people::{Organization, Person, Queue, Rights, Role};
use crate::rules::Rule;
use crate::sla::{SlaClock, SlaTarget};
use crate::ticket::{Body, Cause, End, Event, FieldDef, Status, Ticket, Visibility, What};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A helpdesk's state.
#[derive(Clone, Debug)]
pub struct Helpdesk {
    /// The instant of the call under way.
    pub now: Timestamp,
    /// What it does by itself.
    pub habits: Habits,
    /// Everybody on it.
    pub people: BTreeMap<PersonNo, Person>,
    /// Where tickets lie.
    pub queues: BTreeMap<QueueNo, Queue>,
    /// Customers' organisations.
    pub organizations: BTreeMap<OrganizationNo, Organization>,
    /// Custom fields of tickets.
    pub fields: BTreeMap<FieldNo, FieldDef>,
    /// All tickets, deleted ones too.
    pub tickets: BTreeMap<TicketNo, Ticket>,
    /// The clocks that every new ticket gets.
    pub targets: Vec<SlaTarget>,
    /// The site's own rules.
    pub rules: Vec<Rule>,
    /// What lets requests in.
    pub access: Access,
    /// Registered webhooks.
    pub hooks: BTreeMap<HookNo, Hook>,
    /// What was asked and what it did.
    pub journal: Journal,
    /// Changes that no webhook was made of yet.
    pub(crate) fresh: Vec<(TicketNo, ChangeNo)>,
    agenda: BTreeMap<(Timestamp, u64), Pending>,
    last_number: u64,
    last_ticket: u64,
}

/// What a helpdesk does by itself, by its vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// An owner turns a new ticket into an open one.
    pub owner_opens: bool,
    /// A merge leaves this label on the ticket that ends, and a note on both.
    pub merge_tag: Option<&'static str>,
    /// An owner who is no member of the queue that a ticket moves to stays its owner.
    pub owner_stays: bool,
    /// How much later changes show in lists of what changed.
    pub stream_lag: jiff::SignedDuration,
}

/// A webhook as an administrator registered it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its number.
    pub no: HookNo,
    /// Where it posts.
    pub url: String,
    /// What it signs with; empty where the vendor does not sign.
    pub secret: String,
    /// What it posts about, in the dialect's own words; empty: everything.
    pub topics: Vec<String>,
    /// The body's template, where the site writes its own.
    pub template: Option<String>,
}

/// Something that will happen by itself.
#[derive(Clone, Debug)]
pub enum Pending {
    /// A rule of the site's own acts.
    Rule {
        /// On which ticket.
        ticket: TicketNo,
        /// Its name.
        name: String,
        /// What it does.
        then: Box<Update>,
    },
    /// A request arrives late.
    Request(Box<http::Request<bytes::Bytes>>),
}

/// A ticket to open.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// The subject line.
    pub subject: String,
    /// How it came in.
    pub channel: String,
    /// Who asks.
    pub requester: PersonNo,
    /// The customer's first message.
    pub message: NewMessage,
    /// Everything that is set from the beginning.
    pub set: Update,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hook({}, {})", self.no, self.url)
    }
}

impl Helpdesk {
    /// The helpdesk itself, as the author of what its rules do.
    pub const SYSTEM: PersonNo = PersonNo(1);

    /// An empty helpdesk.
    pub fn new(now: Timestamp, habits: Habits) -> Self {
        let mut desk = Self {
            now,
            habits,
            people: BTreeMap::new(),
            queues: BTreeMap::new(),
            organizations: BTreeMap::new(),
            fields: BTreeMap::new(),
            tickets: BTreeMap::new(),
            targets: Vec::new(),
            rules: Vec::new(),
            access: Access::default(),
            hooks: BTreeMap::new(),
            journal: Journal::default(),
            fresh: Vec::new(),
            agenda: BTreeMap::new(),
            last_number: 1000,
            last_ticket: 0,
        };
        desk.enter(Self::SYSTEM, "system", "System", "system@sandbox.example", Role::System);
        desk
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Enters somebody and gives them a number.
    pub fn add_person(&mut self, login: &str, name: &str, email: &str, role: Role) -> PersonNo {
        let no = PersonNo(self.next_number());
        self.enter(no, login, name, email, role);
        no
    }

    /// Enters somebody under a given number.
    pub fn enter(&mut self, no: PersonNo, login: &str, name: &str, email: &str, role: Role) {
        let rights = match role {
            Role::Customer => Rights::none(),
            Role::Agent | Role::Bot => Rights::agent(),
            Role::Admin | Role::System => Rights::admin(),
        };
        let person = Person {
            no,
            login: login.into(),
            name: name.into(),
            email: email.into(),
            role,
            suspended: false,
            organization: None,
            locale: "en-US".into(),
            zone: "Europe/Berlin".into(),
            fields: BTreeMap::new(),
            rights,
            created_at: self.now,
        };
        self.people.insert(no, person);
    }

    /// Somebody by number.
    pub fn person(&self, no: PersonNo) -> Option<&Person> {
        self.people.get(&no)
    }

    /// Somebody by number, login, name or mail address.
    pub fn find_person(&self, who: &str) -> Option<&Person> {
        let is = |person: &&Person| {
            person.no.to_string() == who
                || [&person.login, &person.name].into_iter().any(|name| name == who)
                || person.email.eq_ignore_ascii_case(who)
        };
        self.people.values().find(is)
    }

    /// Makes a queue with members.
    pub fn add_queue(&mut self, name: &str, members: &[PersonNo]) -> QueueNo {
        let no = QueueNo(self.next_number());
        let members = members.iter().copied().collect();
        self.queues.insert(no, Queue { no, name: name.into(), members, created_at: self.now });
        no
    }

    /// A queue by its name or number.
    pub fn find_queue(&self, name: &str) -> Option<&Queue> {
        self.queues.values().find(|queue| queue.name == name || queue.no.to_string() == name)
    }

    /// Whether somebody may own tickets in a queue.
    pub fn is_member(&self, queue: QueueNo, person: PersonNo) -> bool {
        self.queues.get(&queue).is_some_and(|queue| queue.members.contains(&person))
    }

    /// Enters an organisation.
    pub fn add_organization(&mut self, name: &str, domains: &[&str], fields: &[(&str, &str)]) -> OrganizationNo {
        let no = OrganizationNo(self.next_number());
        let domains = domains.iter().map(|&domain| domain.to_owned()).collect();
        let fields = fields.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        self.organizations.insert(no, Organization { no, name: name.into(), domains, fields, created_at: self.now });
        no
    }

    /// Registers a webhook.
    pub fn add_hook(&mut self, url: &str, secret: &str, topics: &[&str], template: Option<&str>) -> HookNo {
        let no = HookNo(self.next_number());
        let topics = topics.iter().map(|&topic| topic.to_owned()).collect();
        let template = template.map(str::to_owned);
        self.hooks.insert(no, Hook { no, url: url.into(), secret: secret.into(), topics, template });
        no
    }

    /// Opens a ticket.
    pub fn open(&mut self, new: NewTicket) -> TicketNo {
        self.last_ticket += 1;
        let no = TicketNo(self.last_ticket);
        let by = By::person(new.requester);
        let change = self.next_change();
        let ticket = self.blank(no, &new);
        self.tickets.insert(no, ticket);
        self.preset(no, new.set);
        let opened = self.tickets.get(&no).map(Ticket::opened);
        let created = opened.map(|opened| Event {
            no: self.next_event(),
            cause: Cause::Person,
            what: What::Created(Box::new(opened)),
        });
        let message = Update { say: vec![new.message], ..Update::default() };
        let mut events = Vec::from_iter(created);
        events.extend(self.carry_out(no, change, &by, message));
        self.record(no, change, &by, events);
        no
    }

    fn blank(&self, no: TicketNo, new: &NewTicket) -> Ticket {
        Ticket {
            no,
            subject: new.subject.clone(),
            status: Status::New,
            priority: None,
            kind: None,
            channel: new.channel.clone(),
            requester: new.requester,
            organization: self.person(new.requester).and_then(|person| person.organization),
            queue: None,
            owner: None,
            followers: BTreeSet::new(),
            tags: BTreeSet::new(),
            fields: BTreeMap::new(),
            extra: BTreeMap::new(),
            messages: Vec::new(),
            changes: Vec::new(),
            clocks: self.targets.iter().map(|target| SlaClock::started(target.clone(), self.now)).collect(),
            created_at: self.now,
            updated_at: self.now,
            touched_at: self.now,
            end: None,
        }
    }

    /// Makes a ticket part of another.
    pub fn merge(&mut self, source: TicketNo, into: TicketNo, by: &By) -> Option<ChangeNo> {
        let whole = |no| self.tickets.get(&no).is_some_and(|ticket| ticket.end.is_none());
        if source == into || !whole(source) || !whole(into) {
            return None;
        }
        let no = self.next_change();
        let mut update = Update { status: Some(Status::Closed), ..Update::default() };
        if let Some(tag) = self.habits.merge_tag {
            update.tags = Some(crate::change::TagChange::Add(BTreeSet::from([tag.to_owned()])));
            let note = |text: String| NewMessage::new(Visibility::Internal, Body::Plain(text));
            update.say.push(note(format!("This request was closed and merged into request #{into}.")));
            let other = note(format!("Request #{source} was closed and merged into this request."));
            self.update(into, by, Update { say: vec![other], ..Update::default() });
        }
        let mut events = self.carry_out(source, no, by, update);
        self.tickets.get_mut(&source)?.end = Some(End::Merged(into));
        events.push(Event { no: self.next_event(), cause: by.cause.clone(), what: What::Merged(into) });
        self.record(source, no, by, events)
    }

    /// Takes a ticket away.
    pub fn delete(&mut self, ticket: TicketNo, by: &By) -> Option<ChangeNo> {
        let no = self.next_change();
        self.tickets.get_mut(&ticket)?.end = Some(End::Deleted);
        let event = Event { no: self.next_event(), cause: by.cause.clone(), what: What::Deleted };
        self.record(ticket, no, by, vec![event])
    }

    /// The helpdesk's own housekeeping: something happened that no history shows.
    pub fn touch(&mut self, ticket: TicketNo) {
        if let Some(ticket) = self.tickets.get_mut(&ticket) {
            ticket.touched_at = self.now;
        }
    }

    /// Puts something off.
    pub(crate) fn later(&mut self, at: Timestamp, what: Pending) {
        let order = self.next_number();
        self.agenda.insert((at, order), what);
    }

    /// What is due by then, if anything: the earliest.
    pub(crate) fn take_due(&mut self, by: Timestamp) -> Option<(Timestamp, Pending)> {
        let first = self.agenda.first_entry().filter(|entry| entry.key().0 <= by)?;
        let at = first.key().0;
        Some((at, first.remove()))
    }

    /// When something will happen by itself next.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }
}
