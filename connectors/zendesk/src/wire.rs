//! Zendesk's JSON as it arrives. Every key may be missing, empty or of another type: what cannot be read counts as
//! missing and never makes the rest unreadable. Nothing outside this crate sees these types.

pub(crate) use handoffd_kit::wire::{Id, Sent};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A ticket in lists and single answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ticket {
    pub(crate) id: Sent<Id>,
    pub(crate) subject: Sent<String>,
    pub(crate) description: Sent<String>,
    pub(crate) status: Sent<String>,
    pub(crate) priority: Sent<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) tags: Sent<Vec<String>>,
    pub(crate) requester_id: Sent<Id>,
    pub(crate) assignee_id: Sent<Id>,
    pub(crate) group_id: Sent<Id>,
    pub(crate) organization_id: Sent<Id>,
    pub(crate) custom_fields: Sent<Vec<CustomField>>,
    pub(crate) via: Sent<Via>,
    /// Of an incident: the problem that it is one of.
    pub(crate) problem_id: Sent<Id>,
    pub(crate) from_messaging_channel: Sent<bool>,
    pub(crate) created_at: Sent<Timestamp>,
    /// Kept as it was written: it is what a guarded write sends back.
    pub(crate) updated_at: Sent<String>,
    /// Unix seconds; moves with every change, system changes included.
    pub(crate) generated_timestamp: Sent<i64>,
}

/// A custom field's value.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CustomField {
    pub(crate) id: Sent<Id>,
    pub(crate) value: Value,
}

/// How something came about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Via {
    pub(crate) channel: Sent<String>,
    pub(crate) source: Sent<Source>,
}

/// Where it came from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Source {
    pub(crate) from: Sent<From>,
    pub(crate) rel: Sent<String>,
}

/// Who sent it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct From {
    pub(crate) address: Sent<String>,
    /// Of a follow-up: the closed ticket.
    pub(crate) ticket_id: Sent<Id>,
}

/// One entry of a ticket's history.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Audit {
    pub(crate) id: Sent<Id>,
    pub(crate) author_id: Sent<Id>,
    pub(crate) created_at: Sent<Timestamp>,
    pub(crate) via: Sent<Via>,
    pub(crate) metadata: Sent<Metadata>,
    pub(crate) events: Sent<Vec<Event>>,
}

/// What was sent along with a change.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    /// Numbers, left out where there are none (Zendesk's reference, *Ticket comments*, comment flags).
    pub(crate) flags: Value,
    pub(crate) custom: Sent<OurMetadata>,
}

/// Our own part of it: see `write::metadata`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OurMetadata {
    pub(crate) handoffd: Sent<String>,
    pub(crate) handoffd_rule: Sent<String>,
}

/// One event of an audit, or one entry of a ticket's comments: both carry a comment's keys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    pub(crate) id: Sent<Id>,
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) field_name: Sent<String>,
    pub(crate) value: Value,
    pub(crate) previous_value: Value,
    pub(crate) via: Sent<Via>,
    pub(crate) author_id: Sent<Id>,
    pub(crate) public: Sent<bool>,
    pub(crate) body: Sent<String>,
    pub(crate) plain_body: Sent<String>,
    pub(crate) html_body: Sent<String>,
    pub(crate) attachments: Sent<Vec<Attachment>>,
    /// False where the desk suspects that the author is not who they say.
    pub(crate) trusted: Sent<bool>,
    /// Only in a list of comments.
    pub(crate) created_at: Sent<Timestamp>,
    /// Only in a list of comments: in audits it stands beside the events.
    pub(crate) metadata: Sent<Metadata>,
}

impl Event {
    /// Whether something was said with it.
    pub(crate) fn is_comment(&self) -> bool {
        matches!(self.kind.get().map(String::as_str), Some("Comment" | "VoiceComment"))
    }
}

/// A file on a comment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    pub(crate) file_name: Sent<String>,
    pub(crate) content_type: Sent<String>,
    pub(crate) size: Sent<u64>,
    pub(crate) content_url: Sent<String>,
}

/// A person.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
    pub(crate) email: Sent<String>,
    pub(crate) role: Sent<String>,
    pub(crate) active: Sent<bool>,
    pub(crate) suspended: Sent<bool>,
    pub(crate) locale: Sent<String>,
    pub(crate) iana_time_zone: Sent<String>,
    pub(crate) ticket_restriction: Sent<String>,
    pub(crate) user_fields: Sent<BTreeMap<String, Value>>,
}

/// A customer's organisation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Organization {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
    pub(crate) organization_fields: Sent<BTreeMap<String, Value>>,
}

/// A group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
}

/// A person's place in a group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Membership {
    pub(crate) user_id: Sent<Id>,
}

/// A definition of a custom field: of tickets by id, of customers and organisations by key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FieldDefinition {
    pub(crate) id: Sent<Id>,
    pub(crate) key: Sent<String>,
    pub(crate) title: Sent<String>,
}

/// One clock of a ticket.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PolicyMetric {
    pub(crate) metric: Sent<String>,
    pub(crate) stage: Sent<String>,
    pub(crate) breach_at: Sent<Timestamp>,
}

/// Where a list goes on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Meta {
    pub(crate) has_more: Sent<bool>,
    pub(crate) after_cursor: Sent<String>,
}

/// The answer to a token request.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Token {
    pub(crate) access_token: Sent<String>,
    pub(crate) expires_in: Sent<i64>,
}

/// What a token may do.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TokenScopes {
    pub(crate) scopes: Sent<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_unreadable_key_is_missing_and_the_rest_stays() {
        let ticket: Ticket = serde_json::from_value(json!({
            "id": "35436", "subject": 7, "status": "open", "group_id": null, "tags": ["a", 1], "created_at": "yesterday"
        }))
        .unwrap();
        assert_eq!(ticket.id, Sent::Value(Id(35436)));
        assert_eq!(ticket.subject, Sent::Missing);
        assert_eq!(ticket.status, Sent::Value("open".into()));
        assert_eq!(ticket.group_id, Sent::Null);
        assert_eq!(ticket.tags, Sent::Missing);
        assert_eq!(ticket.created_at, Sent::Missing);
        assert_eq!(ticket.assignee_id, Sent::Missing);
    }

    proptest! {
        #[test]
        fn no_object_is_so_strange_that_a_ticket_or_audit_cannot_be_made_of_it(
            keys in proptest::collection::vec(("[a-z_]{1,12}|id|status|events|via|tags", any::<u8>()), 0..12)
        ) {
            let odd = |n: u8| match n % 6 {
                0 => json!(null), 1 => json!(n), 2 => json!("x"), 3 => json!([n, {"id": "y"}]), 4 => json!({"id": [1]}), _ => json!(true),
            };
            let object: Value = Value::Object(keys.into_iter().map(|(key, n)| (key, odd(n))).collect());
            prop_assert!(serde_json::from_value::<Ticket>(object.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Audit>(object).is_ok());
        }
    }
}
