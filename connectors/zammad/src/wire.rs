//! Zammad's JSON as it arrives. Every key may be missing, empty or of another type: what cannot be read counts as missing and
//! never makes the rest unreadable. Nothing outside this crate sees these types.

pub(crate) use handoffd_kit::wire::{Id, Sent};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The system's own user: who owns what nobody owns, and in whose name triggers act (Zammad sheet, *Objects*).
pub(crate) const SYSTEM: Id = Id(1);

/// A ticket in searches and single answers. Custom fields stand beside these keys; see [`custom`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ticket {
    pub(crate) id: Sent<Id>,
    pub(crate) title: Sent<String>,
    pub(crate) group_id: Sent<Id>,
    pub(crate) owner_id: Sent<Id>,
    pub(crate) customer_id: Sent<Id>,
    pub(crate) organization_id: Sent<Id>,
    pub(crate) state_id: Sent<Id>,
    pub(crate) priority_id: Sent<Id>,
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) first_response_at: Sent<Timestamp>,
    pub(crate) first_response_escalation_at: Sent<Timestamp>,
    pub(crate) update_escalation_at: Sent<Timestamp>,
    pub(crate) close_at: Sent<Timestamp>,
    pub(crate) close_escalation_at: Sent<Timestamp>,
    pub(crate) created_at: Sent<Timestamp>,
    /// Kept as it was written: it is what a write is decided on.
    pub(crate) updated_at: Sent<String>,
    /// Names, where they were asked for.
    pub(crate) group: Sent<String>,
    pub(crate) create_article_type: Sent<String>,
}

/// The keys of a ticket that Zammad itself has, with names and without (Zammad sheet, *Objects*). Everything else is a field
/// that the site has added.
const TICKET_KEYS: &[&str] = &[
    "id",
    "number",
    "title",
    "group_id",
    "owner_id",
    "customer_id",
    "organization_id",
    "state_id",
    "priority_id",
    "type",
    "note",
    "pending_time",
    "escalation_at",
    "last_contact_at",
    "last_contact_agent_at",
    "last_contact_customer_at",
    "last_owner_update_at",
    "last_close_at",
    "checklist_id",
    "create_article_type_id",
    "create_article_sender_id",
    "article_count",
    "article_ids",
    "ticket_time_accounting_ids",
    "ticket_time_accounting",
    "time_unit",
    "preferences",
    "created_by_id",
    "updated_by_id",
    "created_at",
    "updated_at",
    "group",
    "owner",
    "customer",
    "organization",
    "state",
    "priority",
    "create_article_type",
    "create_article_sender",
    "created_by",
    "updated_by",
    "articles",
    "checklist",
    "referencing_checklist_ids",
    "referencing_checklists",
    "mention_ids",
    "mentions",
    "ai_agent_running",
];

/// What these keys end with is Zammad's, too: `first_response_diff_in_min`.
const TICKET_CLOCKS: [&str; 3] = ["first_response_", "update_", "close_"];

/// The keys of users and organisations that Zammad itself has.
const PERSON_KEYS: &[&str] = &[
    "id",
    "login",
    "firstname",
    "lastname",
    "email",
    "image",
    "image_source",
    "web",
    "phone",
    "fax",
    "mobile",
    "department",
    "street",
    "zip",
    "city",
    "country",
    "address",
    "vip",
    "verified",
    "active",
    "note",
    "last_login",
    "source",
    "login_failed",
    "out_of_office",
    "out_of_office_start_at",
    "out_of_office_end_at",
    "out_of_office_replacement_id",
    "out_of_office_replacement",
    "preferences",
    "role_ids",
    "roles",
    "group_ids",
    "groups",
    "organization_id",
    "organization",
    "organization_ids",
    "organizations",
    "authorization_ids",
    "authorizations",
    "two_factor_preference_ids",
    "two_factor_preferences",
    "karma_user_ids",
    "name",
    "shared",
    "domain",
    "domain_assignment",
    "member_ids",
    "members",
    "secondary_member_ids",
    "secondary_members",
    "updated_by_id",
    "updated_by",
    "created_by_id",
    "created_by",
    "created_at",
    "updated_at",
];

/// The fields that a site has added to its tickets.
pub(crate) fn custom(raw: &Value) -> BTreeMap<String, Value> {
    let clock = |key: &str| TICKET_CLOCKS.iter().any(|begin| key.starts_with(begin));
    beside(raw, |key| TICKET_KEYS.contains(&key) || clock(key))
}

/// The fields that a site has added to its users or organisations.
pub(crate) fn persons(raw: &Value) -> BTreeMap<String, Value> {
    beside(raw, |key| PERSON_KEYS.contains(&key))
}

fn beside(raw: &Value, own: impl Fn(&str) -> bool) -> BTreeMap<String, Value> {
    let keys = raw.as_object().into_iter().flatten();
    keys.filter(|(key, _)| !own(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// One article: a mail, a note, a call, a form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Article {
    pub(crate) id: Sent<Id>,
    pub(crate) ticket_id: Sent<Id>,
    /// `Agent`, `Customer` or `System`.
    pub(crate) sender: Sent<String>,
    pub(crate) internal: Sent<bool>,
    pub(crate) from: Sent<String>,
    pub(crate) content_type: Sent<String>,
    pub(crate) body: Sent<String>,
    pub(crate) attachments: Sent<Vec<Attachment>>,
    /// Whose words these are, where an agent wrote them down for somebody else.
    pub(crate) origin_by_id: Sent<Id>,
    pub(crate) created_by_id: Sent<Id>,
    pub(crate) created_at: Sent<Timestamp>,
}

/// A file on an article.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    pub(crate) id: Sent<Id>,
    pub(crate) filename: Sent<String>,
    /// A number, written as text.
    pub(crate) size: Sent<Id>,
    pub(crate) preferences: Sent<BTreeMap<String, Value>>,
}

/// Somebody: agents and customers are the same kind of record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: Sent<Id>,
    pub(crate) login: Sent<String>,
    pub(crate) firstname: Sent<String>,
    pub(crate) lastname: Sent<String>,
    pub(crate) email: Sent<String>,
    pub(crate) active: Sent<bool>,
    /// Names of roles, where they were asked for.
    pub(crate) roles: Sent<Vec<String>>,
    /// Levels of access by group; access through a role does not stand here.
    pub(crate) group_ids: Sent<BTreeMap<String, Value>>,
    pub(crate) preferences: Sent<Preferences>,
    #[serde(skip)]
    pub(crate) fields: BTreeMap<String, Value>,
}

/// What somebody has set for themselves (from memory; not in the sheet).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Preferences {
    pub(crate) locale: Sent<String>,
    pub(crate) timezone: Sent<String>,
}

/// A customer's organisation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Organization {
    pub(crate) name: Sent<String>,
    #[serde(skip)]
    pub(crate) fields: BTreeMap<String, Value>,
}

/// A group: sub-groups are named `Parent::Child`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
    pub(crate) active: Sent<bool>,
    pub(crate) user_ids: Sent<Vec<Id>>,
}

/// A state of tickets, as the site has set it up.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
    pub(crate) state_type_id: Sent<Id>,
    /// The type's name, where names were asked for.
    pub(crate) state_type: Sent<String>,
    pub(crate) ignore_escalation: Sent<bool>,
}

/// A priority, as the site has set it up.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Level {
    pub(crate) id: Sent<Id>,
    pub(crate) name: Sent<String>,
}

/// One row of a ticket's history.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Row {
    pub(crate) id: Sent<Id>,
    #[serde(rename = "type")]
    pub(crate) kind: Sent<String>,
    pub(crate) object: Sent<String>,
    pub(crate) attribute: Sent<String>,
    pub(crate) value_from: Value,
    pub(crate) value_to: Value,
    pub(crate) id_from: Sent<Id>,
    pub(crate) id_to: Sent<Id>,
    pub(crate) created_by_id: Sent<Id>,
    pub(crate) created_at: Sent<Timestamp>,
}

/// What a ticket's history is wrapped in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct History {
    pub(crate) history: Sent<Vec<Row>>,
}

/// The labels of a ticket.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tags {
    pub(crate) tags: Sent<Vec<String>>,
}

/// What a ticket is linked to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Links {
    pub(crate) links: Sent<Vec<Link>>,
}

/// One link.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    pub(crate) link_type: Sent<String>,
    pub(crate) link_object: Sent<String>,
    pub(crate) link_object_value: Sent<Id>,
}

/// The tickets that a search found: an array in present versions, ids with their records beside them in older ones (Zammad
/// sheet, *Incremental read*). None: neither.
pub(crate) fn found(answer: Value) -> Option<Vec<Value>> {
    match answer {
        Value::Array(tickets) => Some(tickets),
        Value::Object(mut answer) => {
            let ids: Vec<Id> = serde_json::from_value(answer.remove("tickets")?).ok()?;
            let mut assets = answer.remove("assets").unwrap_or_default();
            let mut record = |id: &Id| {
                let record = assets.get_mut("Ticket").and_then(|tickets| tickets.get_mut(id.to_string()));
                record.map(Value::take).unwrap_or_else(|| serde_json::json!({ "id": id }))
            };
            Some(ids.iter().map(&mut record).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_unreadable_key_is_missing_and_the_rest_stays() {
        let ticket: Ticket = serde_json::from_value(json!({
            "id": "19", "title": 7, "state_id": 2, "priority_id": {}, "group_id": null, "created_at": "soon"
        }))
        .unwrap();
        assert_eq!(
            (ticket.id, ticket.title, ticket.state_id),
            (Sent::Value(Id(19)), Sent::Missing, Sent::Value(Id(2)))
        );
        assert_eq!((ticket.priority_id, ticket.group_id), (Sent::Missing, Sent::Null));
        assert_eq!((ticket.created_at, ticket.owner_id), (Sent::Missing, Sent::Missing));
    }

    #[test]
    fn what_zammad_itself_has_is_no_custom_field() {
        let raw: Value = serde_json::from_str(include_str!("../fixtures/ticket.json")).unwrap();
        assert_eq!(custom(&raw).into_keys().collect::<Vec<_>>(), ["my_custom_field"]);
        let user: Value = serde_json::from_str(include_str!("../fixtures/user.json")).unwrap();
        assert_eq!(persons(&user).into_keys().collect::<Vec<_>>(), ["plan"]);
    }

    #[test]
    fn labels_and_links_read_as_documented() {
        let tags: Tags = serde_json::from_str(include_str!("../fixtures/tags.json")).unwrap();
        assert_eq!(tags.tags, Sent::Value(vec!["vip".to_owned(), "export fails".to_owned()]));
        let links: Links = serde_json::from_str(include_str!("../fixtures/links.json")).unwrap();
        let links = links.links.some().unwrap();
        let kinds: Vec<_> =
            links.iter().map(|link| (link.link_type.get().unwrap().as_str(), &link.link_object_value)).collect();
        assert_eq!(kinds, [("parent", &Sent::Value(Id(23))), ("normal", &Sent::Value(Id(24)))]);
        assert!(links.iter().all(|link| link.link_object == Sent::Value("Ticket".into())));
    }

    #[test]
    fn both_shapes_of_a_search_give_its_tickets_in_order() {
        let ticket = |id: i64| json!({ "id": id, "title": "t" });
        assert_eq!(found(json!([ticket(3), ticket(2)])), Some(vec![ticket(3), ticket(2)]));
        let older = json!({ "tickets": [3, "2", 9], "tickets_count": 3, "assets": { "Ticket": { "2": ticket(2), "3": ticket(3) } } });
        assert_eq!(found(older), Some(vec![ticket(3), ticket(2), json!({ "id": 9 })]));
        for odd in [json!(null), json!("x"), json!({}), json!({ "tickets": {} }), json!({ "tickets": [{}] })] {
            assert_eq!(found(odd.clone()), None, "{odd}");
        }
        assert_eq!(found(json!({ "tickets": [], "assets": [] })), Some(vec![]));
    }

    proptest! {
        #[test]
        fn no_object_is_so_strange_that_nothing_can_be_made_of_it(
            keys in proptest::collection::vec(("[a-z_]{1,12}|id|state_id|attachments|group_ids|preferences", any::<u8>()), 0..12)
        ) {
            let odd = |n: u8| match n % 6 {
                0 => json!(null), 1 => json!(n), 2 => json!("x"), 3 => json!([n, {"id": "y"}]), 4 => json!({"id": [1]}), _ => json!(true),
            };
            let record: Value = keys.into_iter().map(|(key, n)| (key, odd(n))).collect();
            prop_assert!(serde_json::from_value::<Ticket>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Article>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<User>(record.clone()).is_ok());
            prop_assert!(serde_json::from_value::<Row>(record).is_ok());
        }
    }
}
