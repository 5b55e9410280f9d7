//! The helpdesk's own numbers, one type each. All come from counters, so the same calls give the same numbers.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
        impl FromStr for $name {
            type Err = ParseIntError;
            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }
    )+};
}

numbers! {
    /// A ticket.
    TicketNo,
    /// Somebody: customer, agent, bot.
    PersonNo,
    /// Where tickets lie.
    QueueNo,
    /// A customer's organisation.
    OrganizationNo,
    /// A custom field of tickets.
    FieldNo,
    /// One message of a ticket.
    MessageNo,
    /// Everything one actor changed at one moment.
    ChangeNo,
    /// One thing that a change did.
    EventNo,
    /// A registered webhook.
    HookNo,
}
