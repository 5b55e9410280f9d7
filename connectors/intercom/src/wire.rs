//! Intercom's JSON as it arrives. Every key may be missing, empty or of another type: what cannot be read counts as missing and
//! never makes the rest unreadable. Nothing outside this crate sees these types.

pub(crate) use handoffd_kit::wire::{Id, Sent};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// An id that is no number everywhere: contacts have 24 hexadecimal digits. Examples write some as numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) String);

impl Key {
    /// Whether it may stand in a path.
    pub(crate) fn is_plain(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=64).contains(&self.0.len()) && self.0.bytes().all(plain)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) if !text.is_empty() => Ok(Self(text)),
            Value::Number(number) if number.is_u64() => Ok(Self(number.to_string())),
            _ => Err(serde::de::Error::custom("no id")),
        }
    }
}

/// An instant in whole seconds. What would be one in milliseconds lies outside of time and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seconds(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let at = Value::deserialize(deserializer)?.as_i64().and_then(|at| Timestamp::from_second(at).ok());
        at.map(Self).ok_or_else(|| serde::de::Error::custom("no instant"))
    }
}

/// A conversation, as one read or a search gives it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Conversation {
    pub(crate) id: Sent<Id>,
    pub(crate) title: Sent<String>,
    pub(crate) created_at: Sent<Seconds>,
    pub(crate) updated_at: Sent<Seconds>,
    pub(crate) snoozed_until: Sent<Seconds>,
    pub(crate) state: Sent<String>,
    pub(crate) priority: Sent<String>,
    /// Nobody is `0` in the description and `null` in its examples.
    pub(crate) admin_assignee_id: Sent<Id>,
    pub(crate) team_assignee_id: Sent<Id>,
    pub(crate) company: Sent<Company>,
    pub(crate) tags: Sent<Tags>,
    pub(crate) source: Sent<Source>,
    pub(crate) contacts: Sent<Contacts>,
    pub(crate) custom_attributes: Sent<BTreeMap<String, Value>>,
    pub(crate) linked_objects: Sent<LinkedList>,
    /// Set where it was turned into a ticket.
    pub(crate) ticket: Sent<Value>,
    /// Only in single answers, the 500 most recent.
    pub(crate) conversation_parts: Sent<PartList>,
}

impl Conversation {
    /// The parts that were shown.
    pub(crate) fn parts(&self) -> &[Part] {
        let list = self.conversation_parts.get().and_then(|list| list.conversation_parts.get());
        list.map_or(&[], Vec::as_slice)
    }

    /// How many parts there are, shown or not.
    pub(crate) fn total(&self) -> Option<u64> {
        self.conversation_parts.get()?.total_count.get().copied()
    }

    /// Whether these are all of its parts.
    pub(crate) fn is_complete(&self) -> bool {
        self.total().is_some_and(|total| self.parts().len() as u64 >= total)
    }
}

/// A conversation's parts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PartList {
    pub(crate) conversation_parts: Sent<Vec<Part>>,
    pub(crate) total_count: Sent<u64>,
}

/// One thing that was said or done.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Part {
    pub(crate) id: Sent<Id>,
    pub(crate) part_type: Sent<String>,
    pub(crate) body: Sent<String>,
    pub(crate) created_at: Sent<Seconds>,
    pub(crate) assigned_to: Sent<Reference>,
    pub(crate) author: Sent<Author>,
    pub(crate) attachments: Sent<Vec<Attachment>>,
    pub(crate) event_details: Sent<Details>,
}

/// What an event's part says beside its type: which attribute.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    pub(crate) attribute: Sent<Named>,
}

/// Something with a name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) name: Sent<String>,
}

/// Somebody or something by kind and id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reference {
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) id: Sent<Key>,
}

/// Who wrote or did something.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Author {
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) id: Sent<Key>,
    pub(crate) name: Sent<String>,
    pub(crate) email: Sent<String>,
    pub(crate) from_ai_agent: Sent<bool>,
}

/// What a conversation began with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Source {
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) id: Sent<Key>,
    pub(crate) subject: Sent<String>,
    pub(crate) body: Sent<String>,
    pub(crate) author: Sent<Author>,
    pub(crate) attachments: Sent<Vec<Attachment>>,
}

/// A file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    pub(crate) name: Sent<String>,
    pub(crate) url: Sent<String>,
    pub(crate) content_type: Sent<String>,
    pub(crate) filesize: Sent<u64>,
}

/// The labels of a conversation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tags {
    pub(crate) tags: Sent<Vec<Tag>>,
}

/// One label, with who put it there and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tag {
    pub(crate) id: Sent<Key>,
    pub(crate) name: Sent<String>,
    pub(crate) applied_at: Sent<Seconds>,
    pub(crate) applied_by: Sent<Reference>,
}

/// The labels of a workspace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TagList {
    pub(crate) data: Sent<Vec<Tag>>,
}

/// Whom a conversation is with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contacts {
    pub(crate) contacts: Sent<Vec<Reference>>,
}

/// What a conversation is linked to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LinkedList {
    pub(crate) data: Sent<Vec<Linked>>,
}

/// One link.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Linked {
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) id: Sent<Id>,
}

/// A teammate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Admin {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
    pub(crate) email: Sent<String>,
    pub(crate) has_inbox_seat: Sent<bool>,
    /// The workspace, in the answer about our own account.
    pub(crate) app: Sent<App>,
}

/// A workspace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct App {
    pub(crate) id_code: Sent<Key>,
    pub(crate) region: Sent<String>,
}

/// All teammates.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AdminList {
    pub(crate) admins: Sent<Vec<Admin>>,
}

/// A team.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Team {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
    pub(crate) admin_ids: Sent<Vec<Id>>,
    pub(crate) distribution_method: Sent<String>,
}

/// All teams.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TeamList {
    pub(crate) teams: Sent<Vec<Team>>,
}

/// A customer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contact {
    pub(crate) id: Sent<Key>,
    pub(crate) name: Sent<String>,
    pub(crate) email: Sent<String>,
    pub(crate) language_override: Sent<String>,
    pub(crate) browser_language: Sent<String>,
    pub(crate) custom_attributes: Sent<BTreeMap<String, Value>>,
    pub(crate) companies: Sent<CompanyList>,
}

/// Where a customer works.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CompanyList {
    pub(crate) data: Sent<Vec<Company>>,
}

/// A customer's company.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Company {
    pub(crate) id: Sent<Key>,
    pub(crate) name: Sent<String>,
    pub(crate) custom_attributes: Sent<BTreeMap<String, Value>>,
}

/// One page of a search.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Found {
    pub(crate) conversations: Sent<Vec<Conversation>>,
    pub(crate) total_count: Sent<u64>,
    pub(crate) pages: Sent<Pages>,
}

impl Found {
    /// Where the next page begins; none: this is the last one.
    pub(crate) fn next(&self) -> Option<&String> {
        self.pages.get()?.next.get()?.starting_after.get()
    }
}

/// Where a list goes on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pages {
    pub(crate) next: Sent<Next>,
}

/// The next page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Next {
    pub(crate) starting_after: Sent<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_unreadable_key_is_missing_and_the_rest_stays() {
        let read: Conversation = serde_json::from_value(json!({
            "id": "147", "title": 7, "state": "open", "priority": {}, "team_assignee_id": null, "admin_assignee_id": 0,
            "created_at": "soon", "updated_at": 1_777_802_712_000_i64, "tags": { "tags": 7 }
        }))
        .unwrap();
        assert_eq!((read.id, read.title), (Sent::Value(Id(147)), Sent::Missing));
        assert_eq!((read.priority, read.team_assignee_id), (Sent::Missing, Sent::Null));
        assert_eq!(read.admin_assignee_id, Sent::Value(Id(0)));
        assert_eq!((read.created_at, read.updated_at), (Sent::Missing, Sent::Missing), "milliseconds are no seconds");
        assert!(read.tags.get().is_some_and(|tags| tags.tags == Sent::Missing));
    }

    impl PartialEq for Tag {
        fn eq(&self, other: &Self) -> bool {
            (&self.id, &self.name) == (&other.id, &other.name)
        }
    }

    #[test]
    fn ids_of_contacts_are_text_and_only_plain_ones_stand_in_paths() {
        let read = |json: Value| serde_json::from_value::<Key>(json).ok();
        assert_eq!(read(json!("6762f1")), Some(Key("6762f1".into())));
        assert_eq!(read(json!(70)), Some(Key("70".into())));
        for odd in [json!(""), json!(null), json!(-1), json!(1.5), json!({})] {
            assert_eq!(read(odd.clone()), None, "{odd}");
        }
        assert!(Key("6762f1_a-b".into()).is_plain());
        for odd in ["../me", "a/b", "a?b", "ü", "", &"x".repeat(65)] {
            assert!(!Key(odd.into()).is_plain(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_object_is_so_strange_that_nothing_can_be_made_of_it(
            keys in proptest::collection::vec(("[a-z_]{1,12}|id|state|tags|source|contacts|conversation_parts|author", any::<u8>()), 0..12)
        ) {
            let odd = |n: u8| match n % 6 {
                0 => json!(null), 1 => json!(n), 2 => json!("x"), 3 => json!([n, {"id": "y"}]), 4 => json!({"id": [1]}), _ => json!(true),
            };
            let record: Value = keys.into_iter().map(|(key, n)| (key, odd(n))).collect();
            prop_assert!(serde_json::from_value::<Conversation>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Part>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Contact>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Found>(record).is_ok());
        }
    }
}
