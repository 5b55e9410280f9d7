//! A ticket: what it is now, what was said, and every change with its author and cause.

use crate::ids::{ChangeNo, EventNo, FieldNo, MessageNo, OrganizationNo, PersonNo, QueueNo, TicketNo};
use crate::sla::SlaClock;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub use handoffd_kit::model::{FieldType, Status, Visibility};

/// A ticket.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Its number.
    pub no: TicketNo,
    /// The subject line.
    pub subject: String,
    /// Where it stands.
    pub status: Status,
    /// How urgent, in the dialect's own word or number.
    pub priority: Option<String>,
    /// The vendor's type of ticket.
    pub kind: Option<String>,
    /// How it came in, in the dialect's own word.
    pub channel: String,
    /// Who asks.
    pub requester: PersonNo,
    /// The requester's organisation.
    pub organization: Option<OrganizationNo>,
    /// Where it lies.
    pub queue: Option<QueueNo>,
    /// Who owns it.
    pub owner: Option<PersonNo>,
    /// Colleagues who follow it.
    pub followers: BTreeSet<PersonNo>,
    /// Labels.
    pub tags: BTreeSet<String>,
    /// Custom fields; an absent one is empty. One value, or several where the field takes them.
    pub fields: BTreeMap<FieldNo, Vec<String>>,
    /// A dialect's own properties: due dates, roles, links.
    pub extra: BTreeMap<String, String>,
    /// What was said, oldest first; the first is the customer's.
    pub messages: Vec<Message>,
    /// What was changed, oldest first.
    pub changes: Vec<Change>,
    /// Its clocks.
    pub clocks: Vec<SlaClock>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When something last happened to it that its history shows.
    pub updated_at: Timestamp,
    /// When anything at all last happened to it, the helpdesk's own housekeeping included.
    pub touched_at: Timestamp,
    /// Set when it is no longer a ticket of its own.
    pub end: Option<End>,
}

/// Why a ticket is no longer one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is part of another.
    Merged(TicketNo),
    /// It was taken away.
    Deleted,
}

impl Ticket {
    /// The value of a custom field that takes one.
    pub fn field(&self, no: FieldNo) -> Option<&str> {
        self.fields.get(&no).and_then(|values| values.first()).map(String::as_str)
    }

    /// What it is like now, in the form its history remembers.
    pub(crate) fn opened(&self) -> Opened {
        Opened {
            subject: self.subject.clone(),
            status: self.status,
            priority: self.priority.clone(),
            queue: self.queue,
            owner: self.owner,
            tags: self.tags.clone(),
            fields: self.fields.clone(),
        }
    }

    /// The newest entry of its history.
    pub fn last_change(&self) -> Option<&Change> {
        self.changes.last()
    }
}

/// One message or note.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its number.
    pub no: MessageNo,
    /// The change it came with.
    pub change: ChangeNo,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: PersonNo,
    /// Who can see it.
    pub visibility: Visibility,
    /// What it says.
    pub body: Body,
    /// Files that came with it.
    pub files: Vec<File>,
    /// Whether a machine wrote it (an autoresponder).
    pub by_machine: bool,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Plain text.
    Plain(String),
    /// HTML as it was sent.
    Html(String),
}

impl Body {
    /// The words as plain text.
    pub fn text(&self) -> String {
        match self {
            Body::Plain(text) => text.clone(),
            Body::Html(html) => crate::text::text_of(html),
        }
    }
}

/// A file on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A custom field of tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDef {
    /// Its number.
    pub no: FieldNo,
    /// The name people see.
    pub name: String,
    /// What it holds.
    pub kind: FieldType,
    /// What a choice may be.
    pub options: Vec<String>,
    /// Whether it takes several values.
    pub many: bool,
    /// Whether a ticket cannot be solved without it.
    pub required_on_solve: bool,
}

/// Everything one actor changed at one moment.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its number; grows with time over the whole helpdesk.
    pub no: ChangeNo,
    /// When.
    pub at: Timestamp,
    /// Who, as the history attributes it.
    pub by: PersonNo,
    /// What made it happen.
    pub cause: Cause,
    /// What the writer noted for itself (an API user's mark).
    pub custom: Value,
    /// What it did, in order.
    pub events: Vec<Event>,
}

/// What made a change happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A request through the API.
    Request,
    /// A person at their screen, or a customer's mail.
    Person,
    /// One of the helpdesk's other rules, by name.
    Rule(String),
}

/// One thing that a change did.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number; grows with time over the whole helpdesk.
    pub no: EventNo,
    /// What made it happen: within one change, a rule may act on what a person did.
    pub cause: Cause,
    /// What it did.
    pub what: What,
}

/// What an event did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The ticket was opened, like this.
    Created(Box<Opened>),
    /// It moved.
    Queue(Moved<Option<QueueNo>>),
    /// Its owner changed.
    Owner(Moved<Option<PersonNo>>),
    /// Its status changed.
    Status(Moved<Status>),
    /// Its priority changed.
    Priority(Moved<Option<String>>),
    /// Its type changed.
    Kind(Moved<Option<String>>),
    /// Its subject changed.
    Subject(Moved<String>),
    /// Labels changed.
    Tags(Moved<BTreeSet<String>>),
    /// A custom field changed.
    Field(FieldNo, Moved<Vec<String>>),
    /// One of the dialect's own properties changed.
    Extra(String, Moved<Option<String>>),
    /// Something was said.
    Said(MessageNo),
    /// It became part of another ticket.
    Merged(TicketNo),
    /// It was taken away.
    Deleted,
}

/// What a ticket was like when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The subject line.
    pub subject: String,
    /// Where it stood.
    pub status: Status,
    /// How urgent.
    pub priority: Option<String>,
    /// Where it lay.
    pub queue: Option<QueueNo>,
    /// Who owned it.
    pub owner: Option<PersonNo>,
    /// Labels.
    pub tags: BTreeSet<String>,
    /// Custom fields.
    pub fields: BTreeMap<FieldNo, Vec<String>>,
}

/// From what to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved<T> {
    /// Before.
    pub from: T,
    /// After.
    pub to: T,
}

impl What {
    /// A stable word for journals.
    pub fn name(&self) -> &'static str {
        match self {
            What::Created(_) => "created",
            What::Queue(_) => "queue",
            What::Owner(_) => "owner",
            What::Status(_) => "status",
            What::Priority(_) => "priority",
            What::Kind(_) => "kind",
            What::Subject(_) => "subject",
            What::Tags(_) => "tags",
            What::Field(..) => "field",
            What::Extra(..) => "extra",
            What::Said(_) => "said",
            What::Merged(_) => "merged",
            What::Deleted => "deleted",
        }
    }
}
