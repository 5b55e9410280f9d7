//! RT's lists and records as they come over the wire. Lenient where RT is loose (numbers come as numbers, as text and
//! as floats; an empty list has `"pages": 0.0`; totals may be `null`), strict where a meaning hangs on it: what has no
//! id is malformed. The ticket itself is read key by key in [`crate::normalise`], so that one odd key spoils one fact.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The most records that a page holds; RT cuts larger wishes down without a word.
pub(crate) const PAGE: usize = 100;

/// A page of a list. `pages` and `next_page` are not read: they are unknown to ordinary users.
#[derive(Debug, Deserialize)]
pub(crate) struct List<T> {
    pub items: Vec<T>,
    /// How many there are in all; RT tells it only to those who may see all of them.
    #[serde(default, deserialize_with = "loose_number")]
    pub total: Option<u64>,
}

/// A transaction in a list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Transaction {
    #[serde(deserialize_with = "number")]
    pub id: u64,
    #[serde(rename = "Type")]
    pub kind: String,
    #[serde(rename = "Created")]
    pub created: Timestamp,
    #[serde(rename = "Creator", default)]
    pub creator: UserRef,
    #[serde(rename = "Field", default, deserialize_with = "loose_text")]
    pub field: String,
    #[serde(rename = "OldValue", default, deserialize_with = "loose_text")]
    pub old: String,
    #[serde(rename = "NewValue", default, deserialize_with = "loose_text")]
    pub new: String,
    /// The ticket's number, where it was asked for.
    #[serde(rename = "ObjectId", default, deserialize_with = "loose_text")]
    pub object: String,
}

/// Somebody as other records name them: by name, or where asked for by number and name.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct UserRef {
    #[serde(default, deserialize_with = "loose_text")]
    id: String,
    #[serde(rename = "Name", default, deserialize_with = "loose_text")]
    name: String,
    #[serde(rename = "RealName", default, deserialize_with = "loose_text")]
    pub real_name: String,
}

impl UserRef {
    /// Their name in RT, by which everything else refers to them.
    pub fn login(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// Their number, where it was asked for.
    pub fn number(&self) -> Option<&str> {
        (!self.name.is_empty() && self.id.bytes().all(|byte| byte.is_ascii_digit())).then_some(self.id.as_str())
    }
}

/// A part of a message in a list: a text, a file, or the envelope around others.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Attachment {
    #[serde(deserialize_with = "number")]
    pub id: u64,
    #[serde(rename = "TransactionId", default, deserialize_with = "loose_text")]
    pub transaction: String,
    #[serde(rename = "ContentType", default, deserialize_with = "loose_text")]
    pub media_type: String,
    #[serde(rename = "Filename", default, deserialize_with = "loose_text")]
    pub name: String,
    #[serde(rename = "ContentLength", default, deserialize_with = "loose_number")]
    pub bytes: Option<u64>,
    /// The mail's headers; those of a message's first part are the message's own.
    #[serde(rename = "Headers", default, deserialize_with = "loose_text")]
    pub headers: String,
}

/// The text of a part. In a list it is the text itself; only a single record has it in base64.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Content {
    #[serde(deserialize_with = "number")]
    pub id: u64,
    #[serde(rename = "Content", default, deserialize_with = "loose_text")]
    pub text: String,
}

/// A queue in a list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Queue {
    #[serde(deserialize_with = "number")]
    pub id: u64,
    #[serde(rename = "Name", default)]
    pub name: Option<String>,
    #[serde(rename = "_hyperlinks", default)]
    pub links: Vec<Link>,
}

/// A queue by itself, for the people it names.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct QueueRecord {
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(rename = "AdminCc", default)]
    pub admin_cc: Vec<Named>,
}

/// A group by itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GroupRecord {
    #[serde(rename = "Members", default)]
    pub members: Vec<Named>,
}

/// A person by name, or a group by number.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Named {
    #[serde(default, deserialize_with = "loose_text")]
    pub id: String,
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// A ticket in a list, for who owns it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OwnedTicket {
    #[serde(rename = "Owner", default)]
    pub owner: UserRef,
}

/// A custom field in a list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CustomField {
    #[serde(deserialize_with = "number")]
    pub id: u64,
    #[serde(rename = "Name", default)]
    pub name: Option<String>,
}

/// A ticket in a list, for what may be done with it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TicketLinks {
    #[serde(rename = "_hyperlinks", default)]
    pub links: Vec<Link>,
}

/// What may be done with a record: RT lists only what the asker has the right to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Link {
    #[serde(rename = "ref", default)]
    pub rel: String,
}

/// A person. Without the right `AdminUsers`, and unless it is ourselves, RT gives but a few of these.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    #[serde(rename = "Name", default, deserialize_with = "loose_text")]
    pub name: String,
    #[serde(rename = "RealName", default, deserialize_with = "loose_text")]
    pub real_name: String,
    #[serde(rename = "EmailAddress", default, deserialize_with = "loose_text")]
    pub email: String,
    #[serde(rename = "Privileged", default, deserialize_with = "loose_number")]
    pub privileged: Option<u64>,
    #[serde(rename = "Lang", default)]
    pub language: Option<String>,
    #[serde(rename = "Timezone", default)]
    pub zone: Option<String>,
    #[serde(rename = "Organization", default)]
    pub organization: Option<String>,
    #[serde(rename = "CustomFields", default)]
    pub fields: Value,
    /// Only admins and the person themselves are shown it.
    #[serde(rename = "Memberships", default)]
    pub memberships: Option<Value>,
}

/// What `GET /rt` says.
#[derive(Debug, Deserialize)]
pub(crate) struct About {
    #[serde(rename = "Version")]
    pub version: String,
}

/// A whole number in any of the forms that RT writes one in.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            // Exact up to 2^53: RT's counters stay below.
            (float.fract() == 0.0 && (0.0..9.0e15).contains(&float)).then_some(float as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn number<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    whole(&Value::deserialize(input)?).ok_or_else(|| serde::de::Error::custom("no number"))
}

fn loose_number<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    Ok(whole(&Value::deserialize(input)?))
}

/// Text, or what has a text form; a nested record counts by its id.
fn loose_text<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let value = Value::deserialize(input)?;
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    Ok(match &value {
        Value::Object(record) => record.get("id").map_or_else(String::new, text),
        other => text(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn totals_come_as_whole_numbers_floats_and_null() {
        for (total, read) in [(json!(7), Some(7)), (json!(0.0), Some(0)), (json!(null), None), (json!("7"), Some(7))] {
            let list: List<Content> = from_value(json!({"items": [], "total": total, "pages": 0.0})).unwrap();
            assert_eq!(list.total, read);
        }
        let list: List<Content> = from_value(json!({"items": []})).unwrap();
        assert_eq!(list.total, None);
    }

    #[test]
    fn recorded_lists_and_people_are_read() {
        let empty: List<User> = serde_json::from_str(include_str!("../fixtures/empty.json")).unwrap();
        assert_eq!((empty.items.len(), empty.total), (0, Some(0)));
        let queues: List<Queue> = serde_json::from_str(include_str!("../fixtures/queues.json")).unwrap();
        assert_eq!((queues.items.len() as u64, queues.total), (6, Some(6)));
        assert!(
            queues
                .items
                .iter()
                .all(|queue| queue.name.is_some() && queue.links.iter().any(|link| link.rel == "create"))
        );
        let me: User = serde_json::from_str(include_str!("../fixtures/user-self.json")).unwrap();
        assert_eq!((me.name.as_str(), me.privileged, me.memberships.is_some()), ("handoff-bot", Some(1), true));
        let other: User = serde_json::from_str(include_str!("../fixtures/user.json")).unwrap();
        assert_eq!((other.name.as_str(), other.privileged, other.memberships.is_some()), ("agent-1", Some(1), false));
    }

    #[test]
    fn ids_come_as_numbers_and_as_text() {
        for id in [json!(142), json!("142"), json!(142.0)] {
            let content: Content = from_value(json!({"id": id, "Content": "x"})).unwrap();
            assert_eq!(content.id, 142);
        }
        for id in [json!("x"), json!(null), json!(-1), json!(1.5), json!({})] {
            assert!(from_value::<Content>(json!({"id": id})).is_err(), "{id}");
        }
    }

    #[test]
    fn a_creator_is_known_by_name_alone_or_by_number_and_name() {
        let by = |creator| from_value::<UserRef>(creator).unwrap();
        let plain = by(json!({"id": "alice", "type": "user"}));
        assert_eq!((plain.login(), plain.number()), ("alice", None));
        let asked = by(json!({"id": 59, "Name": "alice", "RealName": "First Agent"}));
        assert_eq!((asked.login(), asked.number()), ("alice", Some("59")));
    }

    #[test]
    fn a_part_names_its_transaction_in_a_list_by_text_and_alone_by_a_record() {
        for transaction in [json!("277"), json!({"id": "277", "type": "transaction"}), json!(277)] {
            let part: Attachment = from_value(json!({"id": 1, "TransactionId": transaction})).unwrap();
            assert_eq!(part.transaction, "277");
        }
    }
}
