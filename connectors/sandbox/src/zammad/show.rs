//! Tickets, articles, people and the rest in Zammad's form (Zammad sheet, *Objects*).

use super::words::{kind_of, priority, state_name, state_of};
use crate::ids::PersonNo;
use crate::people::{Organization, Person, Queue, Role};
use crate::sla::SlaState;
use crate::store::Helpdesk;
use crate::ticket::{Body, FieldDef, FieldType, Message, Status, Ticket, Visibility, What};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

/// ISO 8601 in UTC with milliseconds.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// When it last changed. Labels do not move it.
pub(super) fn updated_at(ticket: &Ticket) -> Timestamp {
    let tells = |what: &What| !matches!(what, What::Tags(_));
    let change = ticket.changes.iter().rev().find(|change| change.events.iter().any(|event| tells(&event.what)));
    change.map_or(ticket.created_at, |change| change.at)
}

/// How the API names a custom field.
pub fn field_name(def: &FieldDef) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = def.name.chars().map(plain).collect();
    name.trim_matches('_').to_owned()
}

/// What colleagues call somebody.
pub(super) fn login(desk: &Helpdesk, no: PersonNo) -> String {
    match desk.person(no) {
        Some(person) if no != Helpdesk::SYSTEM => person.email.clone(),
        _ => "-".into(),
    }
}

/// A ticket; `names`: with names beside its numbers.
pub(super) fn ticket(desk: &Helpdesk, ticket: &Ticket, names: bool) -> Value {
    let (priority_id, priority_name) = priority(ticket.priority.as_deref());
    let state = state_of(ticket);
    let owner = ticket.owner.unwrap_or(Helpdesk::SYSTEM);
    let (kind_id, kind) = kind_of(&ticket.channel);
    let updated_by = ticket.changes.last().map_or(ticket.requester, |change| change.by);
    let mut shown = json!({
        "id": ticket.no, "number": format!("{}", 22_000 + ticket.no.0), "title": ticket.subject,
        "group_id": ticket.queue, "owner_id": owner, "customer_id": ticket.requester,
        "organization_id": ticket.organization, "state_id": state, "priority_id": priority_id,
        "type": ticket.kind, "note": null, "pending_time": ticket.extra.get("pending_time"),
        "last_contact_at": null, "last_contact_agent_at": null, "last_contact_customer_at": null,
        "last_owner_update_at": null, "last_close_at": null, "checklist_id": null,
        "create_article_type_id": kind_id, "create_article_sender_id": 2,
        "article_count": ticket.messages.len(),
        "article_ids": ticket.messages.iter().map(|message| message.no).collect::<Vec<_>>(),
        "ticket_time_accounting_ids": [], "preferences": {},
        "created_by_id": ticket.requester, "updated_by_id": updated_by,
        "created_at": time(ticket.created_at), "updated_at": time(updated_at(ticket)),
    });
    let Some(inside) = shown.as_object_mut() else { return shown };
    inside.extend(escalations(ticket));
    inside.extend(desk.fields.values().map(|def| (field_name(def), field_value(def, ticket))));
    if names {
        let queue = ticket.queue.and_then(|no| desk.queues.get(&no)).map(|queue| queue.name.clone());
        let organization = ticket.organization.and_then(|no| desk.organizations.get(&no)).map(|one| one.name.clone());
        let named = [
            ("group", json!(queue)),
            ("owner", json!(login(desk, owner))),
            ("customer", json!(login(desk, ticket.requester))),
            ("organization", json!(organization)),
            ("state", json!(state_name(state))),
            ("priority", json!(priority_name)),
            ("create_article_type", json!(kind)),
            ("created_by", json!(login(desk, ticket.requester))),
            ("updated_by", json!(login(desk, updated_by))),
        ];
        inside.extend(named.map(|(key, value)| (key.to_owned(), value)));
    }
    shown
}

/// The SLA's instants: none while the state ignores them.
fn escalations(ticket: &Ticket) -> Map<String, Value> {
    let sleeps = !matches!(ticket.status, Status::New | Status::Open);
    let due = |metric: &str| {
        let clock = ticket.clocks.iter().find(|clock| clock.target.metric == metric)?;
        match clock.state {
            SlaState::Running(at) if !sleeps => Some(at),
            _ => None,
        }
    };
    let (first, close) = (due("first_reply_time"), due("total_resolution_time"));
    let replied = ticket
        .messages
        .iter()
        .skip(1)
        .find(|message| message.visibility == Visibility::Public && message.author != ticket.requester);
    let solved = |what: &What| matches!(what, What::Status(moved) if moved.to == Status::Solved);
    let closed = ticket.changes.iter().find(|change| change.events.iter().any(|event| solved(&event.what)));
    let next = [first, close].into_iter().flatten().min();
    let pairs = [
        ("escalation_at", next),
        ("first_response_at", replied.map(|message| message.at)),
        ("first_response_escalation_at", first),
        ("update_escalation_at", None),
        ("close_at", closed.map(|change| change.at)),
        ("close_escalation_at", close),
    ];
    let mut shown: Map<String, Value> =
        pairs.map(|(key, at)| (key.to_owned(), json!(at.map(time)))).into_iter().collect();
    for key in ["first_response", "update", "close"] {
        shown.insert(format!("{key}_in_min"), Value::Null);
        shown.insert(format!("{key}_diff_in_min"), Value::Null);
    }
    shown
}

fn field_value(def: &FieldDef, ticket: &Ticket) -> Value {
    match (def.kind, ticket.field(def.no)) {
        (_, None) => Value::Null,
        (FieldType::Number, Some(value)) => value.parse::<f64>().map_or(Value::Null, |number| json!(number)),
        (FieldType::YesNo, Some(value)) => json!(value == "true"),
        (_, Some(value)) => json!(value),
    }
}

/// One article. Who wrote in a customer's name is `created_by_id`; here people write for themselves.
pub(super) fn article(desk: &Helpdesk, ticket: &Ticket, message: &Message) -> Value {
    let author = desk.person(message.author);
    let (sender_id, sender) = match author.map(|person| person.role) {
        Some(Role::System) | None => (3, "System"),
        Some(Role::Customer) => (2, "Customer"),
        Some(Role::Agent | Role::Admin | Role::Bot) => (1, "Agent"),
    };
    let internal = message.visibility == Visibility::Internal;
    let (kind_id, kind) = if internal { (10, "note") } else { kind_of(&ticket.channel) };
    let (content_type, body) = match &message.body {
        Body::Plain(text) => ("text/plain", text),
        Body::Html(html) => ("text/html", html),
    };
    let file = |(at, file): (usize, &crate::ticket::File)| {
        json!({
            "id": message.no.0 * 100 + at as u64, "filename": file.name, "size": file.bytes.to_string(),
            "preferences": { "Content-Type": file.media_type },
        })
    };
    json!({
        "id": message.no, "ticket_id": ticket.no, "type": kind, "type_id": kind_id, "sender": sender, "sender_id": sender_id,
        "internal": internal, "from": author.map(|person| person.name.clone()), "to": null, "cc": null, "subject": null,
        "reply_to": null, "message_id": null, "in_reply_to": null, "content_type": content_type, "body": body,
        "attachments": message.files.iter().enumerate().map(file).collect::<Vec<_>>(), "preferences": {},
        "origin_by_id": null, "created_by_id": message.author, "created_by": login(desk, message.author),
        "updated_by_id": message.author, "created_at": time(message.at), "updated_at": time(message.at), "time_unit": null,
    })
}

/// Somebody. What levels they have in which groups stands beside their roles.
pub(super) fn user(desk: &Helpdesk, person: &Person, names: bool) -> Value {
    let (role_id, role) = match person.role {
        Role::Admin => (1, "Admin"),
        Role::Agent | Role::Bot => (2, "Agent"),
        Role::Customer | Role::System => (3, "Customer"),
    };
    let groups: Map<String, Value> = desk
        .queues
        .values()
        .filter(|queue| queue.members.contains(&person.no))
        .map(|queue| (queue.no.to_string(), json!(["full"])))
        .collect();
    let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
    let mut shown = json!({
        "id": person.no, "login": person.email, "firstname": first, "lastname": last, "email": person.email,
        "active": !person.suspended, "role_ids": [role_id], "group_ids": groups, "organization_id": person.organization,
        "out_of_office": false, "vip": false, "note": "",
        "preferences": { "locale": person.locale.to_lowercase(), "timezone": person.zone },
        "created_at": time(person.created_at), "updated_at": time(person.created_at),
    });
    let Some(inside) = shown.as_object_mut() else { return shown };
    inside.extend(person.fields.iter().map(|(key, value)| (key.clone(), json!(value))));
    if names {
        inside.insert("roles".into(), json!([role]));
    }
    shown
}

/// An organisation.
pub(super) fn organization(organization: &Organization) -> Value {
    let mut shown = json!({
        "id": organization.no, "name": organization.name, "shared": true, "domain": organization.domains.first(),
        "domain_assignment": false, "active": true, "note": "", "member_ids": [],
        "created_at": time(organization.created_at), "updated_at": time(organization.created_at),
    });
    if let Some(inside) = shown.as_object_mut() {
        inside.extend(organization.fields.iter().map(|(key, value)| (key.clone(), json!(value))));
    }
    shown
}

/// A group.
pub(super) fn group(queue: &Queue) -> Value {
    json!({
        "id": queue.no, "name": queue.name, "name_last": queue.name, "parent_id": null, "active": true,
        "follow_up_possible": "yes", "user_ids": queue.members,
        "created_at": time(queue.created_at), "updated_at": time(queue.created_at),
    })
}
