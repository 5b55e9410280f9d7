//! People, their rights, and what they belong to: queues with members, organisations.

use crate::ids::{OrganizationNo, PersonNo, QueueNo};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody on the helpdesk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their number.
    pub no: PersonNo,
    /// The short name that tests, stages and Request Tracker call them by.
    pub login: String,
    /// The name shown to colleagues.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// What they are.
    pub role: Role,
    /// A suspended person's mail is refused, and changes to their tickets with it.
    pub suspended: bool,
    /// Where a customer works.
    pub organization: Option<OrganizationNo>,
    /// The language as a locale.
    pub locale: String,
    /// The time zone as a tz-database name.
    pub zone: String,
    /// Custom fields of people, by key.
    pub fields: BTreeMap<String, String>,
    /// What they may do through the API.
    pub rights: Rights,
    /// When they were entered.
    pub created_at: Timestamp,
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Asks for help.
    Customer,
    /// Gives it.
    Agent,
    /// Gives it and runs the helpdesk.
    Admin,
    /// An account that programs use.
    Bot,
    /// The helpdesk itself.
    System,
}

impl Role {
    /// Whether they work for the support team: everybody but customers.
    pub fn is_staff(self) -> bool {
        self != Role::Customer
    }
}

/// What somebody may do through the API. At their screens people may do everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Which tickets they see.
    pub sees: Reach,
    /// Which tickets they may change.
    pub changes: Reach,
    /// Whether they may read what is for admins: exports, policies.
    pub admin: bool,
}

/// How far a right reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every ticket.
    All,
    /// Tickets that lie in these queues.
    Queues(BTreeSet<QueueNo>),
    /// No ticket.
    Nothing,
}

impl Reach {
    /// Whether a ticket in this queue (none: in no queue) is within reach.
    pub fn covers(&self, queue: Option<QueueNo>) -> bool {
        match self {
            Reach::All => true,
            Reach::Queues(queues) => queue.is_some_and(|queue| queues.contains(&queue)),
            Reach::Nothing => false,
        }
    }
}

impl Rights {
    /// What an agent may do: see and change every ticket.
    pub fn agent() -> Self {
        Self { sees: Reach::All, changes: Reach::All, admin: false }
    }

    /// What an admin may do.
    pub fn admin() -> Self {
        Self { admin: true, ..Self::agent() }
    }

    /// What a customer may do: nothing.
    pub fn none() -> Self {
        Self { sees: Reach::Nothing, changes: Reach::Nothing, admin: false }
    }
}

/// Where tickets lie, and who may own them there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its number.
    pub no: QueueNo,
    /// The name people see.
    pub name: String,
    /// Who may own tickets in it.
    pub members: BTreeSet<PersonNo>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A customer's organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its number.
    pub no: OrganizationNo,
    /// Its name.
    pub name: String,
    /// Mail domains of its people.
    pub domains: Vec<String>,
    /// Custom fields of organisations, by key.
    pub fields: BTreeMap<String, String>,
    /// When it was entered.
    pub created_at: Timestamp,
}
