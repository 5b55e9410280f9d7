//! Names that the configuration gives: of teams, rules, people and messages. One type each.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name as the configuration writes it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The name as text.
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
    )+};
}

names! {
    /// The key of a `[teams.NAME]` table.
    TeamName,
    /// The `name` of a `[[route]]` or `[[escalate]]` entry.
    RuleName,
    /// The key of a `[people.NAME]` table.
    PersonName,
    /// The key of a `[messages.NAME]` table.
    MessageName,
    /// The key of an `[hours.NAME]` table.
    HoursName,
    /// The key of a `[targets.NAME]` table.
    TargetName,
    /// The key of an `[alerts.NAME]` table.
    AlertName,
    /// The key of a `[risks.NAME]` table.
    RiskName,
}
