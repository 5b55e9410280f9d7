//! Groups and people, and the endpoints that show them.

use super::Tenant;
use super::refusal::Refusal;
use super::route::Question;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub const SUPPORT: i64 = 360_001;
pub const BILLING: i64 = 360_002;
pub const SALES: i64 = 360_003;
pub const INCOMING: i64 = 360_004;
/// The user that handoffd's client belongs to.
pub const BOT: i64 = 9_001;
pub const AGENTS: [i64; 4] = [8_001, 8_002, 8_003, 8_004];
/// Customers are numbered from here on.
pub const CUSTOMER_FROM: i64 = 20_000;
const CUSTOMERS: i64 = 3_000;
/// A custom field of tickets: a number.
pub const REFUND_EUR: i64 = 360_009;

/// One person.
pub struct User {
    pub name: String,
    pub role: &'static str,
}

pub fn groups() -> BTreeMap<i64, &'static str> {
    BTreeMap::from([(SUPPORT, "Support"), (BILLING, "Billing"), (SALES, "Sales"), (INCOMING, "Incoming")])
}

pub fn users() -> BTreeMap<i64, User> {
    let named = |name: &str, role| User { name: name.to_owned(), role };
    let agents = AGENTS.iter().map(|id| (*id, named(&format!("Agent {}", id - 8_000), "agent")));
    let customers = (0..CUSTOMERS).map(|n| (CUSTOMER_FROM + n, named(&format!("Customer {n}"), "end-user")));
    agents.chain(customers).chain([(BOT, named("Handoff Bot", "admin"))]).collect()
}

/// Who may own tickets of which group.
pub fn members() -> BTreeSet<(i64, i64)> {
    BTreeSet::from([
        (SUPPORT, AGENTS[0]),
        (SUPPORT, AGENTS[1]),
        (BILLING, AGENTS[2]),
        (SALES, AGENTS[3]),
        (SUPPORT, BOT),
    ])
}

/// What a request without any login gets.
pub fn anonymous() -> Value {
    json!({ "user": { "id": null, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user" } })
}

pub fn fields() -> Value {
    json!({ "ticket_fields": [{ "id": REFUND_EUR, "type": "decimal", "title": "Refund" }], "user_fields": [],
            "organization_fields": [], "meta": { "has_more": false } })
}

/// A page of a list that is never longer than a page.
fn one_page(key: &str, items: Vec<Value>, question: &Question) -> Result<Value, Refusal> {
    question.number("page[size]", 100, 100)?;
    Ok(json!({ key: items, "meta": { "has_more": false, "after_cursor": null } }))
}

impl Tenant {
    pub fn me(&self) -> Value {
        json!({ "user": self.user(BOT) })
    }

    pub fn user(&self, id: i64) -> Option<Value> {
        let user = self.users.get(&id)?;
        Some(json!({
            "id": id, "name": user.name, "email": format!("user-{id}@example.com"), "role": user.role,
            "suspended": false, "organization_id": null, "active": true, "ticket_restriction": null,
            "restricted_agent": false, "locale": "en-US", "iana_time_zone": "Europe/Berlin", "user_fields": {},
        }))
    }

    pub fn is_group(&self, id: i64) -> bool {
        self.groups.contains_key(&id)
    }

    pub fn is_member(&self, group: i64, user: i64) -> bool {
        self.members.contains(&(group, user))
    }

    pub fn list_groups(&self, question: &Question) -> Result<Value, Refusal> {
        let group = |(id, name): (&i64, &&str)| json!({ "id": id, "name": name, "deleted": false, "is_public": true });
        one_page("groups", self.groups.iter().map(group).collect(), question)
    }

    /// All of them, or those of one group.
    pub fn list_members(&self, question: &Question, of: Option<i64>) -> Result<Value, Refusal> {
        if of.is_some_and(|group| !self.is_group(group)) {
            return Err(Refusal::not_found());
        }
        let member = |(group, user): &(i64, i64)| json!({ "user_id": user, "group_id": group, "default": true });
        let wanted = self.members.iter().filter(|(group, _)| of.is_none_or(|of| of == *group));
        one_page("group_memberships", wanted.map(member).collect(), question)
    }

    pub fn show_users(&self, question: &Question) -> Result<Value, Refusal> {
        let ids: Option<Vec<i64>> =
            question.text("ids").map(|ids| ids.split(',').map(|id| id.parse().unwrap_or(0)).collect());
        match ids {
            Some(ids) if !ids.contains(&0) && ids.len() <= 100 => {
                Ok(json!({ "users": ids.into_iter().filter_map(|id| self.user(id)).collect::<Vec<_>>() }))
            }
            _ => Err(Refusal::bad("ids must be up to 100 numbers")),
        }
    }
}
