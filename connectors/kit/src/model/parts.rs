//! The parts of a ticket: read only when `decide` asks for them, because each costs a call.

use super::head::{Priority, QueueRef, Status};
use super::person::{Author, Person};
use super::said::{Message, Visibility};
use crate::fact::Fact;
use crate::id::{ChangeId, MessageId, OrganizationId, TicketId, UserId};
use crate::mark::Mark;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One kind of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// What was said.
    Conversation,
    /// What was changed, and by whom.
    History,
    /// Who asks: person, organisation, their fields.
    Customer,
    /// The vendor's SLA clocks.
    Clocks,
    /// The customer's tickets.
    Contacts,
}

impl PartKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Conversation, Self::History, Self::Customer, Self::Clocks, Self::Contacts];
}

/// A set of kinds of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartSet(u8);

impl PartSet {
    /// No part.
    pub const NONE: PartSet = PartSet(0);

    /// The set of exactly these kinds.
    pub fn of(kinds: &[PartKind]) -> Self {
        kinds.iter().fold(Self::NONE, |set, kind| set.with(*kind))
    }

    /// The same set and this kind.
    #[must_use]
    pub fn with(self, kind: PartKind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// All kinds that are in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The kinds of this set that are not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether this kind is in the set.
    pub fn has(self, kind: PartKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// One kind of the set, if there is any.
    pub fn first(self) -> Option<PartKind> {
        PartKind::ALL.into_iter().find(|kind| self.has(*kind))
    }

    /// Whether no kind is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Parts as far as they were read: `None` means *not read*.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// What was said, oldest first.
    pub conversation: Option<Conversation>,
    /// What was changed, oldest first.
    pub history: Option<Vec<Change>>,
    /// Who asks.
    pub customer: Option<Customer>,
    /// The vendor's clocks.
    pub clocks: Option<Vec<VendorClock>>,
    /// The customer's tickets.
    #[serde(default)]
    pub contacts: Option<Contacts>,
    /// People who stand in conversation and history, where those reads told more of them than a name: a mail address is
    /// what joins them with the policy's people.
    #[serde(default)]
    pub people: Vec<Person>,
}

impl Parts {
    /// Which kinds were read.
    pub fn read(&self) -> PartSet {
        let mut set = PartSet::NONE;
        let mut add = |read: bool, kind| {
            if read {
                set = set.with(kind);
            }
        };
        add(self.conversation.is_some(), PartKind::Conversation);
        add(self.history.is_some(), PartKind::History);
        add(self.customer.is_some(), PartKind::Customer);
        add(self.clocks.is_some(), PartKind::Clocks);
        add(self.contacts.is_some(), PartKind::Contacts);
        set
    }

    /// Takes over what the other one has read.
    pub fn merge(&mut self, other: Parts) {
        self.conversation = other.conversation.or(self.conversation.take());
        self.history = other.history.or(self.history.take());
        self.customer = other.customer.or(self.customer.take());
        self.clocks = other.clocks.or(self.clocks.take());
        self.contacts = other.contacts.or(self.contacts.take());
        let known = |person: &Person| self.people.iter().any(|known| known.id == person.id);
        let new: Vec<Person> = other.people.into_iter().filter(|person| !known(person)).collect();
        self.people.extend(new);
    }

    /// What was told of somebody.
    pub fn person(&self, id: &UserId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == *id)
    }
}

/// What was said on a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Oldest first.
    pub messages: Vec<Message>,
    /// Whether these are all; a very long one may have been cut.
    pub complete: bool,
}

/// One entry of a ticket's history: everything one actor changed at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The vendor's id; grows with time on every desk that has a readable history.
    pub id: ChangeId,
    /// When.
    pub at: Timestamp,
    /// Who, as the desk's history attributes it. `Role::Us` for our own account.
    pub by: Author,
    /// What acted: a person, or one of the desk's automations in a person's name.
    pub actor: Actor,
    /// Our mark, if the change carries one and is by our own account.
    pub mark: Option<Mark>,
    /// What was changed.
    pub what: Vec<What>,
}

/// What kind of thing acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A human being.
    Person,
    /// A rule, trigger, scheduled job or the system itself.
    Automation,
    /// Our own account.
    Us,
    /// The desk did not say.
    Unknown,
}

/// One thing that a change did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The ticket was opened.
    Created,
    /// It moved.
    Queue {
        /// Where it was; none: in no queue.
        from: Option<QueueRef>,
        /// Where it is; none: in no queue.
        to: Option<QueueRef>,
    },
    /// Its owner changed.
    Owner {
        /// Who had it.
        from: Option<UserId>,
        /// Who has it.
        to: Option<UserId>,
    },
    /// Its status changed.
    Status {
        /// The old status, where it translates.
        from: Option<Status>,
        /// The new status, where it translates.
        to: Option<Status>,
    },
    /// Its priority changed.
    Priority {
        /// The new priority.
        to: Option<Priority>,
    },
    /// A custom field changed.
    Field {
        /// The desk's id or name of the field.
        id: String,
    },
    /// Labels changed.
    Tags {
        /// Those that came, as the desk writes them.
        added: Vec<String>,
        /// Those that went.
        removed: Vec<String>,
    },
    /// Something was said.
    Said {
        /// To whom.
        visibility: Visibility,
        /// Which message.
        message: MessageId,
    },
    /// It became part of another ticket.
    Merged {
        /// Which one, where the desk says.
        into: Option<TicketId>,
    },
    /// Something else, in the vendor's word.
    Other(String),
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// The person.
    pub person: Person,
    /// Their language as a tag in its usual form ([`crate::language::canonical`]): `pt-BR`.
    pub language: Fact<Option<String>>,
    /// Their time zone as a tz-database name.
    pub zone: Fact<Option<String>>,
    /// Custom fields by the desk's own id or name.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// Their organisation. `Known(None)`: none.
    pub organization: Fact<Option<Organization>>,
}

/// The tickets of the customer who asks, this one among them, as far as our account sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacts {
    /// Newest first.
    pub tickets: Vec<PastTicket>,
    /// Whether these are all; of a customer with very many, the newest are read.
    pub complete: bool,
    /// When they were read.
    pub as_of: Timestamp,
}

/// One ticket of a customer, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastTicket {
    /// Which.
    pub id: TicketId,
    /// Its subject line.
    pub subject: Fact<String>,
    /// Where it stands.
    pub status: Fact<Status>,
    /// When it was opened.
    pub created_at: Fact<Timestamp>,
}

/// A customer's organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// The vendor's id.
    pub id: OrganizationId,
    /// Its name.
    pub name: Option<String>,
    /// Custom fields by the desk's own id or name.
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// One of the vendor's SLA clocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorClock {
    /// `first_reply`, `next_reply`, `resolution` where it translates, else the vendor's word.
    pub name: String,
    /// How it stands.
    pub state: ClockState,
    /// When it breaches; none while paused or met.
    pub breaches_at: Option<Timestamp>,
}

/// How a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// Counts.
    Running,
    /// Stands still.
    Paused,
    /// Was met.
    Met,
    /// Was missed.
    Breached,
}
