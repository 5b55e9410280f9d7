//! The one way to change a ticket: an [`Update`] by somebody becomes a [`Change`] in its history, moves its clocks,
//! sets the other rules off, and is written to the journal. Whether it is allowed is for the dialect to say before.

use crate::ids::ChangeNo;
use crate::ids::{EventNo, FieldNo, MessageNo, PersonNo, QueueNo, TicketNo};
use crate::journal::Effect;
use crate::rules::Timing;
use crate::sla::SlaEvent;
use crate::store::{Helpdesk, Pending};
use crate::ticket::{Body, Cause, Change, Event, File, Message, Moved, Status, Ticket, Visibility, What};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What an update sets; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// Where it lies.
    pub queue: Option<Option<QueueNo>>,
    /// Who owns it.
    pub owner: Option<Option<PersonNo>>,
    /// Where it stands.
    pub status: Option<Status>,
    /// How urgent.
    pub priority: Option<Option<String>>,
    /// The type.
    pub kind: Option<Option<String>>,
    /// The subject.
    pub subject: Option<String>,
    /// Labels.
    pub tags: Option<TagChange>,
    /// Custom fields; an empty list empties one.
    pub fields: BTreeMap<FieldNo, Vec<String>>,
    /// The dialect's own properties.
    pub extra: BTreeMap<String, Option<String>>,
    /// Colleagues who follow it from now on, and those who do not any more; no history shows it.
    pub follow: Vec<(PersonNo, Follow)>,
    /// What is said, in order.
    pub say: Vec<NewMessage>,
}

/// Whether somebody follows a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// From now on.
    Begins,
    /// No more.
    Ends,
}

/// What happens to labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagChange {
    /// These and no others.
    Set(BTreeSet<String>),
    /// These too.
    Add(BTreeSet<String>),
    /// Not these.
    Remove(BTreeSet<String>),
}

/// A message to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// Who can see it.
    pub visibility: Visibility,
    /// What it says.
    pub body: Body,
    /// Files that come with it.
    pub files: Vec<File>,
    /// Who is shown as its author; none: who makes the change.
    pub author: Option<PersonNo>,
    /// Whether a machine wrote it.
    pub by_machine: bool,
}

impl NewMessage {
    /// A plain message of whoever makes the change.
    pub fn new(visibility: Visibility, body: Body) -> Self {
        Self { visibility, body, files: Vec::new(), author: None, by_machine: false }
    }
}

/// Who changes something, and why.
#[derive(Clone, Debug)]
pub struct By {
    /// Who.
    pub person: PersonNo,
    /// What made it happen.
    pub cause: Cause,
    /// What the writer notes for itself.
    pub custom: Value,
}

impl By {
    /// A person at their screen.
    pub fn person(person: PersonNo) -> Self {
        Self { person, cause: Cause::Person, custom: Value::Null }
    }

    /// A rule of the site's own.
    pub fn rule(name: &str) -> Self {
        Self { person: Helpdesk::SYSTEM, cause: Cause::Rule(name.to_owned()), custom: Value::Null }
    }
}

impl Helpdesk {
    /// Changes a ticket. `None`: nothing was different from before, so nothing was written.
    pub fn update(&mut self, ticket: TicketNo, by: &By, update: Update) -> Option<ChangeNo> {
        let no = self.next_change();
        let update = self.with_habits(ticket, by, update);
        let events = self.carry_out(ticket, no, by, update);
        self.record(ticket, no, by, events)
    }

    /// Sets what a ticket begins with; no history shows it.
    pub(crate) fn preset(&mut self, ticket: TicketNo, update: Update) {
        let no = self.next_change();
        self.carry_out(ticket, no, &By::person(Self::SYSTEM), Update { say: Vec::new(), ..update });
    }

    /// Writes events down as one change and lets everything that follows from it happen.
    pub(crate) fn record(&mut self, ticket: TicketNo, no: ChangeNo, by: &By, events: Vec<Event>) -> Option<ChangeNo> {
        if events.is_empty() {
            return None;
        }
        let at = self.now;
        let change = Change { no, at, by: by.person, cause: by.cause.clone(), custom: by.custom.clone(), events };
        let record = self.tickets.get_mut(&ticket)?;
        record.changes.push(change);
        record.updated_at = at;
        record.touched_at = at;
        if !matches!(by.cause, Cause::Rule(_)) {
            self.run_rules(ticket, no);
        }
        self.journalise(ticket, no);
        self.fresh.push((ticket, no));
        Some(no)
    }

    /// What this helpdesk does by itself with every update.
    fn with_habits(&self, ticket: TicketNo, by: &By, mut update: Update) -> Update {
        let Some(ticket) = self.tickets.get(&ticket) else { return update };
        if let (Some(Some(queue)), None, Some(owner)) = (update.queue, update.owner, ticket.owner)
            && !self.is_member(queue, owner)
            && !self.habits.owner_stays
        {
            update.owner = Some(None);
        }
        let status = update.status;
        let assigned = matches!(update.owner, Some(Some(_)));
        if self.habits.owner_opens && assigned && status.is_none() && ticket.status == Status::New {
            update.status = Some(Status::Open);
        }
        let asleep = matches!(ticket.status, Status::Pending | Status::OnHold | Status::Solved);
        let customer = self.person(by.person).is_some_and(|person| !person.role.is_staff());
        if customer && asleep && !update.say.is_empty() && update.status.is_none() {
            update.status = Some(Status::Open);
        }
        update
    }

    /// Sets what differs and returns what was done, in a fixed order.
    pub(crate) fn carry_out(&mut self, no: TicketNo, change: ChangeNo, by: &By, update: Update) -> Vec<Event> {
        let Some(mut ticket) = self.tickets.remove(&no) else { return Vec::new() };
        let mut done = Vec::new();
        for message in update.say {
            done.push(self.say(&mut ticket, change, by, message));
        }
        set(&mut ticket.queue, update.queue, What::Queue, &mut done);
        set(&mut ticket.owner, update.owner, What::Owner, &mut done);
        let status_before = ticket.status;
        set(&mut ticket.status, update.status, What::Status, &mut done);
        set(&mut ticket.priority, update.priority, What::Priority, &mut done);
        set(&mut ticket.kind, update.kind, What::Kind, &mut done);
        set(&mut ticket.subject, update.subject, What::Subject, &mut done);
        for (who, follow) in update.follow {
            match follow {
                Follow::Begins => ticket.followers.insert(who),
                Follow::Ends => ticket.followers.remove(&who),
            };
        }
        let tags = update.tags.map(|change| change.on(&ticket.tags));
        set(&mut ticket.tags, tags, What::Tags, &mut done);
        for (field, values) in update.fields {
            let held = ticket.fields.entry(field).or_default();
            set(held, Some(values), |moved| What::Field(field, moved), &mut done);
        }
        ticket.fields.retain(|_, values| !values.is_empty());
        for (key, value) in update.extra {
            let mut held = ticket.extra.remove(&key);
            set(&mut held, Some(value), |moved| What::Extra(key.clone(), moved), &mut done);
            ticket.extra.extend(held.map(|value| (key, value)));
        }
        if ticket.status != status_before {
            let event = sla_event(ticket.status);
            self.move_clocks(&mut ticket, event);
        }
        self.tickets.insert(no, ticket);
        done.into_iter().map(|what| Event { no: self.next_event(), cause: by.cause.clone(), what }).collect()
    }

    fn say(&mut self, ticket: &mut Ticket, change: ChangeNo, by: &By, message: NewMessage) -> What {
        let no = MessageNo(self.next_event().0);
        let author = message.author.unwrap_or(by.person);
        let NewMessage { visibility, body, files, by_machine, .. } = message;
        ticket.messages.push(Message { no, change, at: self.now, author, visibility, body, files, by_machine });
        let staff = self.person(author).is_some_and(|person| person.role.is_staff());
        if staff && visibility == Visibility::Public {
            self.move_clocks(ticket, SlaEvent::Replied);
        }
        What::Said(no)
    }

    fn move_clocks(&self, ticket: &mut Ticket, event: SlaEvent) {
        for clock in &mut ticket.clocks {
            clock.state = clock.after(event, self.now);
        }
    }

    /// Lets the site's own rules act on a change: within it, or later on.
    fn run_rules(&mut self, ticket: TicketNo, no: ChangeNo) {
        let Some(record) = self.tickets.get(&ticket) else { return };
        let Some(change) = record.last_change().filter(|change| change.no == no).cloned() else { return };
        let held: Vec<_> = self.rules.iter().filter(|rule| rule.when.holds(record, &change)).cloned().collect();
        for rule in held {
            match rule.timing {
                Timing::Within => {
                    let by = By { person: change.by, cause: Cause::Rule(rule.name.clone()), custom: Value::Null };
                    let events = self.carry_out(ticket, no, &by, rule.then);
                    if let Some(change) = self.tickets.get_mut(&ticket).and_then(|ticket| ticket.changes.last_mut()) {
                        change.events.extend(events);
                    }
                }
                Timing::After(span) => {
                    let at = self.now.saturating_add(span).unwrap_or(Timestamp::MAX);
                    self.later(at, Pending::Rule { ticket, name: rule.name, then: Box::new(rule.then) });
                }
            }
        }
    }

    fn journalise(&mut self, ticket: TicketNo, no: ChangeNo) {
        let Some(record) = self.tickets.get(&ticket) else { return };
        let Some(change) = record.changes.iter().rev().find(|change| change.no == no) else { return };
        let effects: Vec<_> = change.events.iter().map(|event| Effect::of(self, record, change, event)).collect();
        self.journal.effects.extend(effects);
    }

    /// The next number of an event or message.
    pub(crate) fn next_event(&mut self) -> EventNo {
        EventNo(self.next_number())
    }

    /// The next number of a change.
    pub(crate) fn next_change(&mut self) -> ChangeNo {
        ChangeNo(self.next_number())
    }
}

impl TagChange {
    fn on(&self, tags: &BTreeSet<String>) -> BTreeSet<String> {
        match self {
            TagChange::Set(these) => these.clone(),
            TagChange::Add(these) => tags.union(these).cloned().collect(),
            TagChange::Remove(these) => tags.difference(these).cloned().collect(),
        }
    }
}

fn sla_event(status: Status) -> SlaEvent {
    match status {
        Status::Pending | Status::OnHold => SlaEvent::Waits,
        Status::Solved | Status::Closed => SlaEvent::Solved,
        Status::New | Status::Open => SlaEvent::Works,
    }
}

/// Sets a value that is to be set and differs, and notes it.
fn set<T: Clone + PartialEq>(
    held: &mut T,
    wanted: Option<T>,
    what: impl FnOnce(Moved<T>) -> What,
    done: &mut Vec<What>,
) {
    let Some(to) = wanted.filter(|to| to != held) else { return };
    let from = std::mem::replace(held, to.clone());
    done.push(what(Moved { from, to }));
}
