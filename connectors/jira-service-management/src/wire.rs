//! Jira's JSON as it arrives. Every key may be missing, empty or of another type: what cannot be read counts as missing and never
//! makes the rest unreadable. Nothing outside this crate sees these types.

pub(crate) use handoffd_kit::wire::{Id, Sent};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Reads a time as Jira writes it: the offset has no colon (Jira Service Management sheet, *Objects*).
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let colon = |text: &str| {
        let (start, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        format!("{start}:{minutes}").parse().ok()
    };
    text.parse().ok().or_else(|| colon(text))
}

/// An instant: a text, or milliseconds. Which of the two some answers have is not verified (sheet, *History*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = match Value::deserialize(deserializer)? {
            Value::String(text) => instant(&text),
            Value::Number(millis) => millis.as_i64().and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            _ => None,
        };
        read.map(Self).ok_or_else(|| serde::de::Error::custom("no instant"))
    }
}

/// An issue in searches and single answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Issue {
    pub(crate) id: Sent<Id>,
    pub(crate) key: Sent<String>,
    pub(crate) fields: Sent<Map<String, Value>>,
    pub(crate) properties: Sent<Map<String, Value>>,
}

impl Issue {
    /// One of its fields, read as what it should be.
    pub(crate) fn field<T: serde::de::DeserializeOwned>(&self, name: &str) -> Sent<T> {
        match self.fields.get().and_then(|fields| fields.get(name)) {
            None => Sent::Missing,
            Some(Value::Null) => Sent::Null,
            Some(value) => T::deserialize(value).map_or(Sent::Missing, Sent::Value),
        }
    }

    /// When it last changed, as it was written.
    pub(crate) fn updated(&self) -> Sent<String> {
        self.field("updated")
    }
}

/// Somebody. Mail addresses are often hidden.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) account_id: Sent<String>,
    /// `atlassian`, `app` or `customer`.
    pub(crate) account_type: Sent<String>,
    pub(crate) display_name: Sent<String>,
    pub(crate) email_address: Sent<String>,
    pub(crate) active: Sent<bool>,
    pub(crate) time_zone: Sent<String>,
    pub(crate) locale: Sent<String>,
}

/// Anything with an id and a name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) id: Sent<String>,
    pub(crate) name: Sent<String>,
    /// The key, of what has one.
    pub(crate) key: Sent<String>,
}

/// A status, as the site has named it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) id: Sent<String>,
    pub(crate) name: Sent<String>,
    pub(crate) status_category: Sent<Named>,
}

/// A way from one status to another.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Transition {
    pub(crate) id: Sent<String>,
    pub(crate) to: Sent<Status>,
}

/// Those that there are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Transitions {
    pub(crate) transitions: Sent<Vec<Transition>>,
}

/// A file on an issue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct File {
    pub(crate) filename: Sent<String>,
    pub(crate) mime_type: Sent<String>,
    pub(crate) size: Sent<u64>,
    pub(crate) content: Sent<String>,
}

/// A tie to another issue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Link {
    #[serde(rename = "type")]
    pub(crate) kind: Sent<LinkKind>,
    /// The other one, where this one does what the kind says.
    pub(crate) outward_issue: Sent<Issue>,
}

/// A kind of tie.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LinkKind {
    pub(crate) name: Sent<String>,
    pub(crate) outward: Sent<String>,
}

/// One comment, as the platform shows it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Comment {
    pub(crate) id: Sent<Id>,
    pub(crate) author: Sent<User>,
    /// A document.
    pub(crate) body: Value,
    pub(crate) created: Sent<At>,
    /// Whether customers see it.
    pub(crate) jsd_public: Sent<bool>,
}

/// One page of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Comments {
    pub(crate) comments: Sent<Vec<Comment>>,
    pub(crate) total: Sent<u64>,
}

/// One comment, as the service desk answers when it was written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    pub(crate) id: Sent<Id>,
    pub(crate) public: Sent<bool>,
}

/// Everything that somebody changed at one moment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) id: Sent<Id>,
    pub(crate) author: Sent<User>,
    pub(crate) created: Sent<At>,
    pub(crate) items: Sent<Vec<Item>>,
    pub(crate) history_metadata: Sent<Noted>,
}

/// What whoever made a change noted for themselves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Noted {
    pub(crate) description: Sent<String>,
}

/// One field that was changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Item {
    pub(crate) field: Sent<String>,
    pub(crate) field_id: Sent<String>,
    pub(crate) from: Sent<String>,
    pub(crate) from_string: Sent<String>,
    pub(crate) to: Sent<String>,
    // Its name in JSON is `toString`, which is what this renames it to.
    pub(crate) to_string: Sent<String>,
}

/// One page of a list of the platform.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "T: serde::de::DeserializeOwned"))]
pub(crate) struct Page<T> {
    pub(crate) values: Sent<Vec<T>>,
    pub(crate) is_last: Sent<bool>,
    pub(crate) total: Sent<u64>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { values: Sent::Missing, is_last: Sent::Missing, total: Sent::Missing }
    }
}

/// One page of a search.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Found {
    pub(crate) issues: Sent<Vec<Value>>,
    pub(crate) next_page_token: Sent<String>,
    pub(crate) is_last: Sent<bool>,
}

/// What a field is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Field {
    pub(crate) id: Sent<String>,
    pub(crate) name: Sent<String>,
    pub(crate) schema: Sent<Schema>,
}

/// What it holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Schema {
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) custom: Sent<String>,
}

/// What may stand in a field, as the query language completes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Suggestions {
    pub(crate) results: Sent<Vec<Suggestion>>,
}

/// One of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Suggestion {
    pub(crate) value: Sent<String>,
    pub(crate) display_name: Sent<String>,
}

/// The clocks of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Clocks {
    pub(crate) values: Sent<Vec<Clock>>,
    pub(crate) is_last_page: Sent<bool>,
}

/// One clock.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Clock {
    pub(crate) name: Sent<String>,
    pub(crate) ongoing_cycle: Sent<Cycle>,
    pub(crate) completed_cycles: Sent<Vec<Cycle>>,
}

/// One round of a clock.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Cycle {
    pub(crate) breached: Sent<bool>,
    pub(crate) paused: Sent<bool>,
    pub(crate) breach_time: Sent<Date>,
}

/// An instant in several forms.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Date {
    pub(crate) epoch_millis: Sent<At>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn times_are_read_in_all_of_jiras_forms() {
        let at: Timestamp = "2026-09-01T08:15:00.123Z".parse().unwrap();
        for text in ["2026-09-01T08:15:00.123+0000", "2026-09-01T10:15:00.123+0200", "2026-09-01T08:15:00.123Z"] {
            assert_eq!(instant(text), Some(at), "{text}");
        }
        for odd in ["", "0", "+0000", "soon", "2026-09-01", "é"] {
            assert_eq!(instant(odd), None, "{odd}");
        }
        let read = |json: Value| serde_json::from_value::<At>(json).ok().map(|at| at.0);
        assert_eq!(read(json!(at.as_millisecond())), Some(at));
        assert_eq!((read(json!(1.5)), read(json!({})), read(json!(i64::MAX))), (None, None, None));
    }

    #[test]
    fn an_unreadable_key_is_missing_and_the_rest_stays() {
        let issue: Issue = serde_json::from_value(json!({
            "id": "10412", "key": 7, "fields": { "summary": 7, "assignee": null, "updated": "x", "status": { "name": [] } }
        }))
        .unwrap();
        assert_eq!((issue.id.get(), issue.key.get()), (Some(&Id(10412)), None));
        assert_eq!(issue.field::<String>("summary"), Sent::Missing);
        assert_eq!(issue.field::<User>("assignee"), Sent::Null);
        assert_eq!(issue.field::<Status>("status"), Sent::Value(Status::default()));
    }

    #[test]
    fn the_key_that_is_called_to_string_is_read() {
        let item: Item =
            serde_json::from_value(json!({ "from": "1", "fromString": "A", "to": "2", "toString": "B" })).unwrap();
        assert_eq!((item.from_string.get().unwrap().as_str(), item.to_string.get().unwrap().as_str()), ("A", "B"));
    }

    proptest! {
        #[test]
        fn no_object_is_so_strange_that_nothing_can_be_made_of_it(
            keys in proptest::collection::vec(("[a-zA-Z]{1,9}|id|fields|author|items|values|to|created|ongoingCycle", any::<u8>()), 0..12)
        ) {
            let odd = |n: u8| match n % 6 {
                0 => json!(null), 1 => json!(n), 2 => json!("x"), 3 => json!([n, {"id": "y"}]), 4 => json!({"id": [1]}), _ => json!(true),
            };
            let record: Value = keys.into_iter().map(|(key, n)| (key, odd(n))).collect();
            prop_assert!(serde_json::from_value::<Issue>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Comment>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Entry>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Page<Item>>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Clock>(record).is_ok());
        }
    }
}
