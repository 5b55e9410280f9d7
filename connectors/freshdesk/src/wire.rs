//! Freshdesk's JSON as it arrives. Every key may be missing, empty or of another type: what cannot be read counts as missing
//! and never makes the rest unreadable. Times are read by [`Time`], because some endpoints write them with offsets, without a
//! `T`, or as a date alone (Freshdesk sheet, *Objects*). Nothing outside this crate sees these types.

pub(crate) use handoffd_kit::wire::{Id, Sent};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// An instant in any of Freshdesk's forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Time {
    /// Reads RFC 3339, `YYYY-MM-DD HH:MM:SS` and `YYYY-MM-DD`; what names no zone is UTC.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let civil = || text.parse::<DateTime>().ok().or_else(|| text.parse::<Date>().ok().map(DateTime::from));
        let in_utc = || civil()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        text.parse::<Timestamp>().ok().or_else(in_utc).map(Self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).ok_or_else(|| serde::de::Error::custom("no time"))
    }
}

/// A ticket in lists and single answers. A list has neither files nor, on most accounts, a description.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ticket {
    pub(crate) id: Sent<Id>,
    pub(crate) subject: Sent<String>,
    pub(crate) description: Sent<String>,
    pub(crate) description_text: Sent<String>,
    pub(crate) status: Sent<i64>,
    pub(crate) priority: Sent<i64>,
    pub(crate) source: Sent<i64>,
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) requester_id: Sent<Id>,
    pub(crate) responder_id: Sent<Id>,
    pub(crate) group_id: Sent<Id>,
    pub(crate) company_id: Sent<Id>,
    pub(crate) tags: Sent<Vec<String>>,
    pub(crate) custom_fields: Sent<BTreeMap<String, Value>>,
    pub(crate) due_by: Sent<Time>,
    pub(crate) fr_due_by: Sent<Time>,
    /// Only on accounts that have a next-response target (from memory in the sheet).
    pub(crate) nr_due_by: Sent<Time>,
    pub(crate) is_escalated: Sent<bool>,
    pub(crate) fr_escalated: Sent<bool>,
    pub(crate) nr_escalated: Sent<bool>,
    pub(crate) spam: Sent<bool>,
    pub(crate) deleted: Sent<bool>,
    pub(crate) stats: Sent<Stats>,
    pub(crate) attachments: Sent<Vec<Attachment>>,
    pub(crate) created_at: Sent<Time>,
    /// Kept as it was written: it is what a write is decided on.
    pub(crate) updated_at: Sent<String>,
}

/// What `include=stats` adds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Stats {
    pub(crate) first_responded_at: Sent<Time>,
    pub(crate) resolved_at: Sent<Time>,
    pub(crate) closed_at: Sent<Time>,
}

/// One entry of a conversation: a reply, a note, a customer's mail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    pub(crate) id: Sent<Id>,
    pub(crate) ticket_id: Sent<Id>,
    pub(crate) body: Sent<String>,
    pub(crate) body_text: Sent<String>,
    pub(crate) incoming: Sent<bool>,
    pub(crate) private: Sent<bool>,
    pub(crate) user_id: Sent<Id>,
    pub(crate) attachments: Sent<Vec<Attachment>>,
    pub(crate) created_at: Sent<Time>,
}

/// A file on an entry, or on the ticket's first message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    pub(crate) name: Sent<String>,
    pub(crate) content_type: Sent<String>,
    #[serde(alias = "size")]
    pub(crate) file_size: Sent<u64>,
}

/// An agent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Agent {
    pub(crate) id: Sent<Id>,
    /// 1 global, 2 group, 3 restricted.
    pub(crate) ticket_scope: Sent<i64>,
    /// Of an agent who left (from memory; not in the sheet).
    pub(crate) deactivated: Sent<bool>,
    pub(crate) contact: Sent<Contact>,
}

/// A customer, or the personal half of an agent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contact {
    pub(crate) name: Sent<String>,
    pub(crate) email: Sent<String>,
    pub(crate) active: Sent<bool>,
    pub(crate) language: Sent<String>,
    pub(crate) time_zone: Sent<String>,
    pub(crate) custom_fields: Sent<BTreeMap<String, Value>>,
}

/// A customer's company.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Company {
    pub(crate) name: Sent<String>,
    pub(crate) custom_fields: Sent<BTreeMap<String, Value>>,
}

/// A group of agents.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
    pub(crate) agent_ids: Sent<Vec<Id>>,
}

/// A definition of a ticket's field, as agents see it or as admins do.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Field {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
    pub(crate) label: Sent<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) choices: Value,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_unreadable_key_is_missing_and_the_rest_stays() {
        let ticket: Ticket = serde_json::from_value(json!({
            "id": "1042", "subject": 7, "status": 2, "priority": "3", "group_id": null, "tags": ["a", 1], "created_at": "soon"
        }))
        .unwrap();
        assert_eq!(ticket.id, Sent::Value(Id(1042)), "some endpoints write ids as text");
        assert_eq!((ticket.subject, ticket.priority), (Sent::Missing, Sent::Missing));
        assert_eq!((ticket.status, ticket.group_id), (Sent::Value(2), Sent::Null));
        assert_eq!(
            (ticket.tags, ticket.created_at, ticket.responder_id),
            (Sent::Missing, Sent::Missing, Sent::Missing)
        );
    }

    #[test]
    fn every_form_of_a_time_is_the_same_instant() {
        let at: Timestamp = "2026-05-03T10:00:00Z".parse().unwrap();
        for text in [
            "2026-05-03T10:00:00Z",
            "2026-05-03T12:00:00+02:00",
            "2026-05-03T10:00:00.000Z",
            "2026-05-03 10:00:00",
            " 2026-05-03T10:00:00 ",
        ] {
            assert_eq!(Time::read(text), Some(Time(at)), "{text}");
        }
        assert_eq!(Time::read("2026-05-03"), Time::read("2026-05-03T00:00:00Z"));
        for odd in ["", "soon", "2026-13-03", "10:00", "1777802400"] {
            assert_eq!(Time::read(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_object_is_so_strange_that_a_ticket_or_entry_cannot_be_made_of_it(
            keys in proptest::collection::vec(("[a-z_]{1,12}|id|status|tags|stats|attachments|custom_fields", any::<u8>()), 0..12)
        ) {
            let odd = |n: u8| match n % 6 {
                0 => json!(null), 1 => json!(n), 2 => json!("x"), 3 => json!([n, {"id": "y"}]), 4 => json!({"id": [1]}), _ => json!(true),
            };
            let object: Value = Value::Object(keys.into_iter().map(|(key, n)| (key, odd(n))).collect());
            prop_assert!(serde_json::from_value::<Ticket>(object.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Entry>(object).is_ok());
        }
    }
}
