//! One thing that a write wants, in RT's terms: how it is asked for, whether a ticket shows it, and which transactions
//! are about it. Pure.

use crate::history::sets_owner;
use crate::normalise::{LABELS, NOBODY, field_is, field_to_write, priority, priority_number, status};
use crate::wire::Transaction;
use handoffd_kit::desk::{QueueSpec, StatusSpec};
use handoffd_kit::model::{FieldValue, Priority, TicketHead};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that a write wants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wish {
    /// An internal note.
    Note(String),
    /// A public reply.
    Reply(String),
    /// The queue to move to.
    Queue(QueueSpec),
    /// The owner's user name; [`NOBODY`] for none.
    Owner(String),
    /// The priority.
    Priority(Priority),
    /// The status.
    Status(StatusSpec),
    /// Custom fields by name.
    Fields(Vec<(String, FieldValue)>),
    /// The values that the labels should have.
    Labels(BTreeSet<String>),
}

/// What the numbers in transactions mean, as far as wishes need it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    /// Queues' names by number.
    pub queues: BTreeMap<String, String>,
    /// Custom fields' names by number.
    pub fields: BTreeMap<String, String>,
    /// User names by number.
    pub users: BTreeMap<String, String>,
}

impl Wish {
    /// What it is called in messages.
    pub fn noun(&self) -> &'static str {
        match self {
            Wish::Note(_) => "note",
            Wish::Reply(_) => "reply",
            Wish::Queue(_) => "queue",
            Wish::Owner(_) => "owner",
            Wish::Priority(_) => "priority",
            Wish::Status(_) => "status",
            Wish::Fields(_) => "custom fields",
            Wish::Labels(_) => "labels",
        }
    }

    /// The body of the request.
    pub fn body(&self) -> Value {
        match self {
            Wish::Note(text) | Wish::Reply(text) => json!({ "Content": text, "ContentType": "text/plain" }),
            Wish::Queue(queue) => json!({ "Queue": queue.shown() }),
            Wish::Owner(login) => json!({ "Owner": login }),
            Wish::Priority(priority) => json!({ "Priority": priority_number(*priority) }),
            Wish::Status(status) => json!({ "Status": status.word }),
            Wish::Fields(fields) => {
                let fields: Map<String, Value> =
                    fields.iter().map(|(name, value)| (name.clone(), field_to_write(value))).collect();
                json!({ "CustomFields": fields })
            }
            Wish::Labels(labels) => json!({ "CustomFields": { LABELS: labels } }),
        }
    }

    /// Whether the ticket shows it. Of messages a head says nothing.
    pub fn shows(&self, head: &TicketHead) -> bool {
        match self {
            Wish::Note(_) | Wish::Reply(_) => false,
            Wish::Queue(queue) => head.queue.known().is_some_and(|lies| lies.as_ref().is_some_and(|at| queue.is(at))),
            Wish::Owner(login) => head.owner.known().is_some_and(|owner| match owner {
                None => login == NOBODY,
                Some(person) => person.id.as_str() == login,
            }),
            Wish::Priority(priority) => head.priority.known() == Some(&Some(*priority)),
            Wish::Status(status) => head.status.known() == Some(&status.means),
            Wish::Fields(fields) => fields.iter().all(|(name, value)| field_is(head.fields.get(name), value)),
            Wish::Labels(labels) => {
                head.tags.known().is_some_and(|tags| tags.iter().cloned().collect::<BTreeSet<_>>() == *labels)
            }
        }
    }

    /// Whether a transaction is about the same thing, whatever it sets it to.
    pub fn touches(&self, transaction: &Transaction, numbers: &Numbers) -> bool {
        let named = |wanted: &dyn Fn(&str) -> bool| {
            transaction.kind == "CustomField" && numbers.fields.get(&transaction.field).is_some_and(|name| wanted(name))
        };
        match self {
            Wish::Note(_) => transaction.kind == "Comment",
            Wish::Reply(_) => transaction.kind == "Correspond",
            Wish::Queue(_) => transaction.kind == "Set" && transaction.field == "Queue",
            Wish::Owner(_) => sets_owner(transaction),
            Wish::Priority(_) => transaction.kind == "Set" && transaction.field == "Priority",
            Wish::Status(_) => {
                transaction.kind == "Status" || (transaction.kind == "Set" && transaction.field == "Status")
            }
            Wish::Fields(fields) => named(&|name| fields.iter().any(|(wanted, _)| wanted == name)),
            Wish::Labels(_) => named(&|name| name == LABELS),
        }
    }

    /// Whether a transaction sets what is wanted. Long texts do not stand in transactions: of a field, any change counts.
    pub fn is_done_by(&self, transaction: &Transaction, numbers: &Numbers) -> bool {
        let new = transaction.new.as_str();
        let named = |names: &BTreeMap<String, String>, wanted: &str| {
            new == wanted || names.get(new).is_some_and(|name| name == wanted)
        };
        self.touches(transaction, numbers)
            && match self {
                Wish::Queue(QueueSpec::Id(id)) => new == id,
                Wish::Queue(QueueSpec::Name(name)) => named(&numbers.queues, name),
                Wish::Owner(login) => named(&numbers.users, login),
                Wish::Priority(wanted) => new.trim().parse().is_ok_and(|level| priority(level) == *wanted),
                Wish::Status(status) => new == status.word,
                Wish::Note(_) | Wish::Reply(_) | Wish::Fields(_) | Wish::Labels(_) => true,
            }
    }

    /// How somebody else's change of the same thing is put back. `None`: its transaction does not say enough.
    pub fn restoring(&self, theirs: &Transaction, numbers: &Numbers) -> Option<Value> {
        let new = Some(theirs.new.as_str()).filter(|new| !new.is_empty())?;
        match self {
            Wish::Queue(_) => Some(json!({ "Queue": new })),
            Wish::Owner(_) => Some(json!({ "Owner": new })),
            Wish::Status(_) => Some(json!({ "Status": new })),
            Wish::Priority(_) => Some(json!({ "Priority": new.trim().parse::<i64>().ok()? })),
            Wish::Fields(_) => Some(json!({ "CustomFields": { numbers.fields.get(&theirs.field)?.as_str(): new } })),
            Wish::Note(_) | Wish::Reply(_) | Wish::Labels(_) => None,
        }
    }

    /// What a ticket shows once somebody else's change of the same thing was put back. `None`: no head can tell.
    pub fn restored(&self, theirs: &Transaction, numbers: &Numbers) -> Option<Wish> {
        let new = Some(theirs.new.as_str()).filter(|new| !new.is_empty())?;
        match self {
            Wish::Queue(_) => Some(Wish::Queue(QueueSpec::Id(new.to_owned()))),
            Wish::Owner(_) => numbers.users.get(new).cloned().map(Wish::Owner),
            Wish::Status(_) => {
                let means = status(new)?;
                Some(Wish::Status(StatusSpec { word: new.to_owned(), means }))
            }
            Wish::Priority(_) => Some(Wish::Priority(priority(new.trim().parse().ok()?))),
            Wish::Fields(_) => {
                let name = numbers.fields.get(&theirs.field)?.clone();
                Some(Wish::Fields(vec![(name, FieldValue::Text(new.to_owned()))]))
            }
            Wish::Note(_) | Wish::Reply(_) | Wish::Labels(_) => None,
        }
    }
}
