//! Vendors' JSON as it arrives, where a key may be missing, empty or of another type: what cannot be read counts as missing
//! and never makes the rest unreadable. Connectors build their own records of these and show them to nobody.

use crate::error::{DeskError, DeskErrorKind, Result as DeskResult, Retry};
use crate::fact::Fact;
use crate::id::TicketId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::fmt;

/// What an answer said under one key.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Sent<T> {
    /// Nothing, or something unreadable.
    #[default]
    Missing,
    /// `null`.
    Null,
    /// This.
    Value(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Sent<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Sent::Null,
            value => serde_json::from_value(value).map_or(Sent::Missing, Sent::Value),
        })
    }
}

impl<T> Sent<T> {
    /// The value, if there is one.
    pub fn some(self) -> Option<T> {
        match self {
            Sent::Value(value) => Some(value),
            Sent::Null | Sent::Missing => None,
        }
    }

    /// The value, if there is one.
    pub fn get(&self) -> Option<&T> {
        match self {
            Sent::Value(value) => Some(value),
            Sent::Null | Sent::Missing => None,
        }
    }

    /// What is known about something that may be none: `null` is "none", a missing key is "unknown".
    pub fn optional(self) -> Fact<Option<T>> {
        match self {
            Sent::Value(value) => Fact::Known(Some(value)),
            Sent::Null => Fact::Known(None),
            Sent::Missing => Fact::Unknown,
        }
    }

    /// What is known about something that cannot be none.
    pub fn required(self) -> Fact<T> {
        self.some().into()
    }
}

/// A numeric id: some vendors write it as a number, some as text, some as both in one answer; `-1` stands for the system
/// itself where there is such a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Id(pub i64);

impl Id {
    /// Reads an id that stands in text.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| plain).map(Self)
    }

    /// A ticket's id as it may stand in a path. Ids come from people and webhooks: only digits pass. `vendor`: whose
    /// tickets they are, for people.
    ///
    /// # Errors
    /// `NotFound` for anything else.
    pub fn of_ticket(ticket: &TicketId, operation: &'static str, vendor: &str) -> DeskResult<Self> {
        Self::read(ticket.as_str()).filter(|id| id.is_record()).ok_or_else(|| {
            DeskError::new(DeskErrorKind::NotFound, Retry::Never, operation)
                .words(format!("{vendor}'s ticket ids are whole numbers"))
                .next_step("Write the ticket's number as it stands in its address")
        })
    }

    /// Whether it names a record; the system itself has none.
    pub fn is_record(self) -> bool {
        self.0 > 0
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_i64().map(Self),
            Value::String(text) => Self::read(&text),
            _ => None,
        }
        .ok_or_else(|| serde::de::Error::custom("no id"))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_whole_numbers_and_nothing_else() {
        for (text, id) in [("7", Some(7)), ("-1", Some(-1)), ("9007199254740993", Some(9_007_199_254_740_993))] {
            assert_eq!(Id::read(text), id.map(Id), "{text}");
        }
        for text in ["", "-", "+7", " 7", "7/comments", "0x7", "99999999999999999999", "7.0", "١"] {
            assert_eq!(Id::read(text), None, "{text}");
        }
        assert!(serde_json::from_value::<Id>(json!(1.5)).is_err());
        assert!(serde_json::from_value::<Id>(json!(u64::MAX)).is_err());
    }

    #[test]
    fn nothing_null_and_nonsense_are_three_things() {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Record {
            id: Sent<Id>,
            name: Sent<String>,
        }
        let read = |json: Value| serde_json::from_value::<Record>(json).unwrap();
        assert_eq!(read(json!({ "id": "7" })).id.optional(), Fact::Known(Some(Id(7))));
        assert_eq!(read(json!({ "id": null })).id.optional(), Fact::Known(None));
        assert!(read(json!({ "id": {} })).id.optional().is_unknown() && read(json!({})).name.required().is_unknown());
    }
}
