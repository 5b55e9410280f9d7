//! The head of a ticket: what one read, or one line of a list, tells.

use super::person::Person;
use crate::fact::Fact;
use crate::id::{OrganizationId, QueueId, TicketId, UserId, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A ticket as one read gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketHead {
    /// The vendor's id. After a merge this is the id that was asked for; see [`Ending::Merged`].
    pub id: TicketId,
    /// What a guarded write expects.
    pub version: Version,
    /// The subject line.
    pub subject: Fact<String>,
    /// The first customer message as plain text, where the head carries it.
    pub text: Fact<String>,
    /// Where it stands.
    pub status: Fact<Status>,
    /// How urgent; `Known(None)`: the desk says none was set.
    pub priority: Fact<Option<Priority>>,
    /// The vendor's type of ticket (`type` in conditions).
    pub kind: Fact<Option<String>>,
    /// How it came in: email, web, chat, …
    pub channel: Fact<String>,
    /// Its language as a tag in its usual form ([`crate::language::canonical`]): `pt-BR`.
    pub language: Fact<Option<String>>,
    /// Labels.
    pub tags: Fact<Vec<String>>,
    /// Whether the customer side is a machine (an autoresponder, a bounce).
    pub machine_mail: Fact<bool>,
    /// Whether a public reply through the API reaches the customer.
    pub reply_reaches_customer: Fact<bool>,
    /// Who asks.
    pub requester: Fact<Option<UserId>>,
    /// The requester's organisation.
    pub organization: Fact<Option<OrganizationId>>,
    /// Where it lies. `Known(None)`: in no queue.
    pub queue: Fact<Option<QueueRef>>,
    /// Who owns it. `Known(None)`: nobody.
    pub owner: Fact<Option<Person>>,
    /// Custom fields by the desk's own id or name, as the desk sent them.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// When it was opened.
    pub created_at: Fact<Timestamp>,
    /// When the vendor says it last changed.
    pub updated_at: Fact<Timestamp>,
    /// Other tickets that the desk ties this one to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// Set when it takes no more handoffs.
    pub ending: Option<Ending>,
    /// Where a colleague opens it.
    pub link: Option<String>,
    /// The vendor's answer as it came, for the audit trail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub raw: String,
}

impl TicketHead {
    /// A head of which nothing but its identity is known: the start of every normalisation.
    pub fn unknown(id: TicketId, version: Version) -> Self {
        Self {
            id,
            version,
            subject: Fact::Unknown,
            text: Fact::Unknown,
            status: Fact::Unknown,
            priority: Fact::Unknown,
            kind: Fact::Unknown,
            channel: Fact::Unknown,
            language: Fact::Unknown,
            tags: Fact::Unknown,
            machine_mail: Fact::Unknown,
            reply_reaches_customer: Fact::Unknown,
            requester: Fact::Unknown,
            organization: Fact::Unknown,
            queue: Fact::Unknown,
            owner: Fact::Unknown,
            fields: BTreeMap::new(),
            created_at: Fact::Unknown,
            updated_at: Fact::Unknown,
            related: Vec::new(),
            ending: None,
            link: None,
            raw: String::new(),
        }
    }
}

/// Another ticket that this one is tied to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// Which one.
    pub ticket: TicketId,
    /// How.
    pub tie: Tie,
}

/// How one ticket is tied to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// The customer wrote again after the other one was closed for good.
    FollowsUp,
    /// One occurrence of the problem that the other one is about.
    IncidentOf,
    /// It waits for the other one.
    DependsOn,
    /// A part of the other one.
    PartOf,
    /// Somebody found the other one worth a look.
    RefersTo,
}

impl Tie {
    /// In words, before the other ticket's number.
    pub fn shown(self) -> &'static str {
        match self {
            Self::FollowsUp => "follow-up of ticket",
            Self::IncidentOf => "incident of problem ticket",
            Self::DependsOn => "depends on ticket",
            Self::PartOf => "part of ticket",
            Self::RefersTo => "refers to ticket",
        }
    }
}

/// Where a ticket stands, in the words every desk's states are translated into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has touched it.
    New,
    /// Being worked on.
    Open,
    /// Waits for the customer.
    Pending,
    /// Waits for somebody else.
    OnHold,
    /// Done, may come back.
    Solved,
    /// Done for good.
    Closed,
}

impl Status {
    /// The word used in conditions, SQL and notes.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Pending => "pending",
            Self::OnHold => "on_hold",
            Self::Solved => "solved",
            Self::Closed => "closed",
        }
    }
}

/// How urgent a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Can wait.
    Low,
    /// The usual.
    Normal,
    /// Before others.
    High,
    /// Now.
    Urgent,
}

impl Priority {
    /// The word used in conditions, SQL and notes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// A queue as a desk names it: a group, an inbox, a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QueueRef {
    /// The vendor's id.
    pub id: QueueId,
    /// The name people see; none when the desk did not tell.
    pub name: Option<String>,
}

/// Why a ticket takes no more handoffs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It is now part of another one.
    Merged {
        /// The other one, where the desk says which.
        into: Option<TicketId>,
    },
    /// Taken away.
    Deleted,
    /// Marked as spam.
    Spam,
    /// Moved to cold storage.
    Archived,
}
