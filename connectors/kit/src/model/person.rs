//! People with roles. The role decides what their words may do: a command counts from an agent only.

use crate::id::UserId;
use serde::{Deserialize, Serialize};

/// A person as a desk knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The vendor's id.
    pub id: UserId,
    /// The name shown to colleagues.
    pub name: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// What they are on this desk.
    pub role: Role,
}

/// What somebody is on a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Asks for help.
    Customer,
    /// Gives it.
    Agent,
    /// A rule, trigger, bot or the system itself.
    Automation,
    /// Our own account.
    Us,
    /// The desk did not say.
    Unknown,
}

/// Who wrote a message or made a change, as far as the desk says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The vendor's id, where there is one.
    pub id: Option<UserId>,
    /// The name shown to colleagues.
    pub name: Option<String>,
    /// What they are.
    pub role: Role,
}
