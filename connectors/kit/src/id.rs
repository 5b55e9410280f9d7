//! Identifiers, one type each, so that mixing two is a compile error. Vendors' ids are strings here:
//! Zendesk sends 64-bit numbers in its API and text in its webhooks, Request Tracker both in one answer.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier as written by whoever gave it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The identifier as text, for URLs, SQL and logs.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number.to_string())
            }
        }
    )+};
}

ids! {
    /// One configured helpdesk account: the key under `[desks]`.
    DeskId,
    /// The vendor's id of a ticket.
    TicketId,
    /// The vendor's id of a person: agent, customer or bot.
    UserId,
    /// The vendor's id of whatever a connector resolves a queue into.
    QueueId,
    /// The vendor's id of one message or note.
    MessageId,
    /// The vendor's id of one entry of a ticket's history.
    ChangeId,
    /// The vendor's version of a ticket, as a guarded write expects it (a stamp, an entity tag).
    Version,
    /// The vendor's id of a customer's organisation.
    OrganizationId,
    /// The name of one change stream of a desk.
    StreamName,
}
