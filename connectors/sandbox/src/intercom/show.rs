//! Conversations and people in Intercom's form (Intercom sheet, *Objects*): times in seconds, ids as text but for the two
//! assignees.

use super::manage::SNOOZED_UNTIL;
use super::{field_name, parts, tags};
use crate::ids::PersonNo;
use crate::people::{Organization, Person, Role};
use crate::store::Helpdesk;
use crate::text::{paragraph_of, text_of};
use crate::ticket::{Body, Cause, Change, End, Event, FieldDef, FieldType, Message, Status, Ticket};
use serde_json::{Map, Value, json};

/// Where lists beside a record are said to lie.
const API: &str = "https://api.eu.intercom.io";

/// In which form a conversation is shown.
#[derive(Clone, Copy)]
pub(super) struct With {
    /// With its parts.
    pub(super) parts: bool,
    /// In a version that has five words for priorities.
    pub(super) levels: bool,
    /// With bodies that are plain text.
    pub(super) plain: bool,
}

/// How the API names a customer: 24 hexadecimal digits.
pub(super) fn contact_id(no: PersonNo) -> String {
    format!("{:024x}", no.0)
}

/// The customer that such an id means.
pub(super) fn contact_no(id: &str) -> Option<PersonNo> {
    (id.len() == 24).then(|| u64::from_str_radix(id, 16).ok().map(PersonNo)).flatten()
}

/// A conversation.
pub(super) fn conversation(desk: &Helpdesk, ticket: &Ticket, with: With) -> Value {
    let state = state(ticket.status);
    let snoozed_until = ticket.extra.get(SNOOZED_UNTIL).and_then(|at| at.parse::<i64>().ok());
    let tags: Vec<Value> = ticket.tags.iter().map(|name| tags::applied(desk, ticket, name)).collect();
    let contact = json!({ "type": "contact", "id": contact_id(ticket.requester), "external_id": null });
    let mut shown = json!({
        "type": "conversation", "id": ticket.no.to_string(), "title": null,
        "created_at": ticket.created_at.as_second(), "updated_at": ticket.updated_at.as_second(),
        "waiting_since": null, "snoozed_until": snoozed_until.filter(|_| state == "snoozed"),
        "open": state != "closed", "state": state, "read": false,
        "priority": if with.levels { level(ticket) } else { old_level(ticket) },
        "admin_assignee_id": ticket.owner, "team_assignee_id": ticket.queue,
        "company": ticket.organization.and_then(|no| desk.organizations.get(&no)).map(company),
        "tags": { "type": "tag.list", "tags": tags },
        "conversation_rating": null, "teammates": null, "sla_applied": null,
        "source": source(desk, ticket, with),
        "contacts": { "type": "contact.list", "contacts": [contact] },
        "custom_attributes": attributes(desk, ticket),
        "statistics": parts::statistics(ticket),
        "linked_objects": linked(ticket),
        "channel": { "initial": ticket.channel, "current": ticket.channel },
        "ai_agent_participated": false, "ai_agent": null, "ticket": null,
    });
    if with.parts
        && let Some(inside) = shown.as_object_mut()
    {
        inside.insert("conversation_parts".into(), parts::of(desk, ticket, with.plain));
    }
    shown
}

/// Snoozed is what waits; closed may be opened again.
pub(super) fn state(status: Status) -> &'static str {
    match status {
        Status::New | Status::Open => "open",
        Status::Pending | Status::OnHold => "snoozed",
        Status::Solved | Status::Closed => "closed",
    }
}

fn level(ticket: &Ticket) -> &str {
    match ticket.priority.as_deref() {
        None => "none",
        Some("normal") => "medium",
        Some(other) => other,
    }
}

/// As versions before 2.16 write it.
fn old_level(ticket: &Ticket) -> &'static str {
    if matches!(ticket.priority.as_deref(), Some("high" | "urgent")) { "priority" } else { "not_priority" }
}

/// What the conversation began with.
fn source(desk: &Helpdesk, ticket: &Ticket, with: With) -> Value {
    let first = ticket.messages.first();
    json!({
        "type": ticket.channel, "id": first.map(|message| message.no.to_string()),
        "delivered_as": "customer_initiated", "subject": ticket.subject,
        "body": first.map(|message| body(message, with.plain)),
        "author": author(desk, first.map_or(ticket.requester, |message| message.author)),
        "attachments": first.map_or_else(Vec::new, attachments), "url": null, "redacted": false,
    })
}

/// A message's words, as HTML or without it.
pub(super) fn body(message: &Message, plain: bool) -> String {
    match (&message.body, plain) {
        (Body::Plain(text), true) => text.clone(),
        (Body::Plain(text), false) => paragraph_of(text),
        (Body::Html(html), true) => text_of(html),
        (Body::Html(html), false) => html.clone(),
    }
}

/// The files of a message.
pub(super) fn attachments(message: &Message) -> Vec<Value> {
    let file = |file: &crate::ticket::File| {
        json!({
            "type": "upload", "name": file.name, "content_type": file.media_type, "filesize": file.bytes,
            "url": format!("https://downloads.intercom.example/{}/{}", message.no, file.name),
        })
    };
    message.files.iter().map(file).collect()
}

/// Who wrote something.
pub(super) fn author(desk: &Helpdesk, no: PersonNo) -> Value {
    let person = desk.person(no);
    let kind = match person.map(|person| person.role) {
        Some(Role::Customer) => "user",
        Some(Role::Agent | Role::Admin | Role::Bot) => "admin",
        Some(Role::System) | None => "bot",
    };
    let id = if kind == "user" { contact_id(no) } else { no.to_string() };
    let name = if kind == "bot" { Some("Operator") } else { person.map(|person| person.name.as_str()) };
    json!({
        "type": kind, "id": id, "name": name, "email": person.map(|person| &person.email), "from_ai_agent": false,
    })
}

/// Who did something: what a workflow does is a bot's.
pub(super) fn actor(desk: &Helpdesk, change: &Change, event: &Event) -> Value {
    match event.cause {
        Cause::Rule(_) => author(desk, Helpdesk::SYSTEM),
        Cause::Request | Cause::Person => author(desk, change.by),
    }
}

/// A merged conversation names the one that it went into.
fn linked(ticket: &Ticket) -> Value {
    let into = match ticket.end {
        Some(End::Merged(into)) => vec![json!({ "type": "conversation", "id": into.to_string(), "category": null })],
        _ => vec![],
    };
    json!({ "type": "list", "total_count": into.len(), "has_more": false, "data": into })
}

/// Custom attributes that are set.
fn attributes(desk: &Helpdesk, ticket: &Ticket) -> Map<String, Value> {
    let one = |def: &FieldDef| Some((field_name(def), attribute(def, ticket.field(def.no)?)));
    desk.fields.values().filter_map(one).collect()
}

fn attribute(def: &FieldDef, value: &str) -> Value {
    match def.kind {
        FieldType::Number => match (value.parse::<i64>(), value.parse::<f64>()) {
            (Ok(whole), _) => json!(whole),
            (_, Ok(number)) => json!(number),
            _ => json!(value),
        },
        FieldType::YesNo => json!(value == "true"),
        _ => json!(value),
    }
}

/// A teammate.
pub(super) fn admin(person: &Person, teams: &[u64]) -> Value {
    json!({
        "type": "admin", "id": person.no.to_string(), "name": person.name, "email": person.email, "job_title": "",
        "away_mode_enabled": false, "away_mode_reassign": false, "has_inbox_seat": !person.suspended,
        "team_ids": teams,
    })
}

/// A customer.
pub(super) fn contact(person: &Person) -> Value {
    let company = |no: crate::ids::OrganizationNo| json!({ "type": "company", "id": no.to_string(), "url": format!("{API}/companies/{no}") });
    let companies: Vec<Value> = person.organization.map(company).into_iter().collect();
    json!({
        "type": "contact", "id": contact_id(person.no), "external_id": null, "role": "user", "email": person.email,
        "name": person.name, "phone": null, "owner_id": null,
        "language_override": null, "browser_language": person.locale,
        "created_at": person.created_at.as_second(), "updated_at": person.created_at.as_second(),
        "custom_attributes": person.fields,
        "companies": {
            "type": "list", "url": format!("{API}/contacts/{}/companies", contact_id(person.no)),
            "total_count": companies.len(), "has_more": false, "data": companies,
        },
    })
}

/// A customer's company.
pub(super) fn company(organization: &Organization) -> Value {
    json!({
        "type": "company", "id": organization.no.to_string(), "company_id": format!("acme-{}", organization.no),
        "name": organization.name, "custom_attributes": organization.fields,
        "created_at": organization.created_at.as_second(), "updated_at": organization.created_at.as_second(),
    })
}
