//! Tickets, messages, people and the rest in Freshdesk's form (Freshdesk sheet, *Objects*).

use crate::people::{Organization, Person, Queue, Role};
use crate::sla::SlaState;
use crate::store::Helpdesk;
use crate::text::html_of;
use crate::ticket::{Body, End, FieldDef, FieldType, File, Message, Status, Ticket, Visibility, What};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

/// The custom status that the seeded account has: it waits for somebody else, and stops the SLA timer.
pub(super) const WAITING: i64 = 6;
/// The number of the field that holds the statuses.
pub(super) const STATUS_FIELD: u64 = 1;

/// ISO 8601 in UTC, whole seconds.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The number of a status. Freshdesk has no *new*.
pub(super) fn status(status: Status) -> i64 {
    match status {
        Status::New | Status::Open => 2,
        Status::Pending => 3,
        Status::Solved => 4,
        Status::Closed => 5,
        Status::OnHold => WAITING,
    }
}

/// The status of a number.
pub(super) fn read_status(number: i64) -> Option<Status> {
    Some(match number {
        2 => Status::Open,
        3 => Status::Pending,
        4 => Status::Solved,
        5 => Status::Closed,
        WAITING => Status::OnHold,
        _ => return None,
    })
}

/// The helpdesk keeps priorities as words; a new ticket has the lowest.
pub(super) const PRIORITIES: [&str; 4] = ["low", "normal", "high", "urgent"];

fn priority(word: Option<&str>) -> usize {
    PRIORITIES.iter().position(|known| Some(*known) == word).map_or(1, |at| at + 1)
}

fn source(channel: &str) -> i64 {
    match channel {
        "email" => 1,
        "phone" => 3,
        "chat" => 7,
        _ => 2,
    }
}

/// How the API names a custom field.
pub fn field_name(def: &FieldDef) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = def.name.chars().map(plain).collect();
    format!("cf_{}", name.trim_matches('_'))
}

/// A ticket as lists show it: without its files, and without a description that was not asked for.
pub(super) fn listed(desk: &Helpdesk, ticket: &Ticket, described: bool, stats: bool) -> Value {
    let fields: Map<String, Value> =
        desk.fields.values().map(|def| (field_name(def), field_value(def, ticket))).collect();
    let due = |metric: &str| {
        let clock = ticket.clocks.iter().find(|clock| clock.target.metric == metric)?;
        // An instant stays where it was while the clock stands still.
        let at = match clock.state {
            SlaState::Running(at) => at,
            SlaState::Paused(_) | SlaState::Met => ticket.created_at + clock.target.within,
        };
        Some((time(at), matches!(clock.state, SlaState::Running(at) if at <= desk.now)))
    };
    let (first, resolution) = (due("first_reply_time"), due("total_resolution_time"));
    let mut shown = json!({
        "id": ticket.no,
        "subject": ticket.subject,
        "status": status(ticket.status),
        "priority": priority(ticket.priority.as_deref()),
        "source": source(&ticket.channel),
        "type": ticket.kind,
        "requester_id": ticket.requester,
        "responder_id": ticket.owner,
        "group_id": ticket.queue,
        "company_id": ticket.organization,
        "product_id": null,
        "email_config_id": null,
        "support_email": null,
        "to_emails": null, "cc_emails": [], "fwd_emails": [], "reply_cc_emails": [], "ticket_cc_emails": [],
        "tags": ticket.tags,
        "custom_fields": fields,
        "due_by": resolution.as_ref().map(|(at, _)| at),
        "fr_due_by": first.as_ref().map(|(at, _)| at),
        "is_escalated": resolution.as_ref().is_some_and(|(_, late)| *late),
        "fr_escalated": first.as_ref().is_some_and(|(_, late)| *late),
        "spam": false,
        "association_type": null,
        "associated_tickets_count": 0,
        "created_at": time(ticket.created_at),
        "updated_at": time(ticket.updated_at),
    });
    if ticket.end == Some(End::Deleted) {
        shown["deleted"] = json!(true);
    }
    if described {
        let first = ticket.messages.first();
        shown["description"] = json!(first.map(|message| html(&message.body)).unwrap_or_default());
        shown["description_text"] = json!(first.map(|message| message.body.text()).unwrap_or_default());
    }
    if stats {
        shown["stats"] = self::stats(desk, ticket);
    }
    shown
}

/// A ticket alone: whole.
pub(super) fn ticket(desk: &Helpdesk, ticket: &Ticket, stats: bool) -> Value {
    let mut shown = listed(desk, ticket, true, stats);
    let first = ticket.messages.first();
    shown["attachments"] = first.map_or_else(|| json!([]), |message| files(message, "size"));
    shown
}

fn stats(desk: &Helpdesk, ticket: &Ticket) -> Value {
    let by_staff = |message: &&Message| {
        let staff = desk.person(message.author).is_some_and(|person| person.role.is_staff());
        staff && message.visibility == Visibility::Public
    };
    let turned = |to: Status| {
        let is = |what: &What| matches!(what, What::Status(moved) if moved.to == to);
        let change = ticket.changes.iter().rev().find(|change| change.events.iter().any(|event| is(&event.what)));
        change.filter(|_| ticket.status == to).map(|change| time(change.at))
    };
    let replies: Vec<&Message> = ticket.messages.iter().skip(1).filter(by_staff).collect();
    json!({
        "agent_responded_at": replies.last().map(|message| time(message.at)),
        "requester_responded_at": null,
        "first_responded_at": replies.first().map(|message| time(message.at)),
        "status_updated_at": time(ticket.updated_at),
        "reopened_at": null,
        "resolved_at": turned(Status::Solved),
        "closed_at": turned(Status::Closed),
        "pending_since": turned(Status::Pending),
    })
}

fn field_value(def: &FieldDef, ticket: &Ticket) -> Value {
    match (def.kind, ticket.field(def.no)) {
        (_, None) => Value::Null,
        (FieldType::Number, Some(value)) => value.parse::<f64>().map_or(Value::Null, |number| json!(number)),
        (FieldType::YesNo, Some(value)) => json!(value == "true"),
        (_, Some(value)) => json!(value),
    }
}

fn html(body: &Body) -> String {
    match body {
        Body::Plain(text) => html_of(text),
        Body::Html(html) => html.clone(),
    }
}

fn files(message: &Message, size: &str) -> Value {
    let file = |(at, file): (usize, &File)| {
        let id = message.no.0 * 100 + at as u64;
        json!({
            "id": id, "name": file.name, "content_type": file.media_type, size: file.bytes,
            "attachment_url": format!("https://files.sandbox.example/{id}?signed=1"),
        })
    };
    message.files.iter().enumerate().map(file).collect()
}

/// A message that is not the ticket's first.
pub(super) fn entry(desk: &Helpdesk, ticket: &Ticket, message: &Message) -> Value {
    let incoming = desk.person(message.author).is_some_and(|person| !person.role.is_staff());
    let private = message.visibility == Visibility::Internal;
    json!({
        "id": message.no,
        "ticket_id": ticket.no,
        "body": html(&message.body),
        // Lines are lost in the plain form.
        "body_text": message.body.text().split_whitespace().collect::<Vec<_>>().join(" "),
        "incoming": incoming,
        "private": private,
        "source": if private { 2 } else { 0 },
        "user_id": message.author,
        "support_email": null, "from_email": null, "to_emails": [], "cc_emails": [], "bcc_emails": [],
        "attachments": files(message, "file_size"),
        "last_edited_at": null,
        "created_at": time(message.at),
        "updated_at": time(message.at),
    })
}

/// An agent.
pub(super) fn agent(person: &Person) -> Value {
    json!({
        "id": person.no,
        "occasional": false,
        "ticket_scope": if person.rights.sees == crate::people::Reach::All { 1 } else { 2 },
        "role_ids": [if person.rights.admin { 31 } else { 32 }],
        "agent_type": 1,
        "contact": {
            "name": person.name, "email": person.email, "active": !person.suspended, "language": "en", "time_zone": "Berlin",
        },
        "created_at": time(person.created_at),
        "updated_at": time(person.created_at),
    })
}

/// Whether somebody is listed among the agents: rules act in nobody's name.
pub(super) fn is_agent(person: &Person) -> bool {
    matches!(person.role, Role::Agent | Role::Admin | Role::Bot)
}

/// A customer.
pub(super) fn contact(person: &Person) -> Value {
    json!({
        "id": person.no, "name": person.name, "email": person.email, "active": true,
        "company_id": person.organization,
        "language": person.locale.split('-').next().unwrap_or_default(),
        "time_zone": "Berlin",
        "custom_fields": person.fields,
        "created_at": time(person.created_at), "updated_at": time(person.created_at),
    })
}

/// A company.
pub(super) fn company(organization: &Organization) -> Value {
    json!({
        "id": organization.no, "name": organization.name, "domains": organization.domains,
        "custom_fields": organization.fields,
        "created_at": time(organization.created_at), "updated_at": time(organization.created_at),
    })
}

/// A group.
pub(super) fn group(queue: &Queue) -> Value {
    json!({
        "id": queue.no, "name": queue.name, "description": null, "agent_ids": queue.members,
        "escalate_to": null, "unassigned_for": null,
        "created_at": time(queue.created_at), "updated_at": time(queue.created_at),
    })
}

/// A definition of a custom field.
pub(super) fn field(def: &FieldDef) -> Value {
    let kind = match def.kind {
        FieldType::Choice => "custom_dropdown",
        FieldType::Text => "custom_paragraph",
        FieldType::Number => "custom_decimal",
        FieldType::YesNo => "custom_checkbox",
        FieldType::Date => "custom_date",
    };
    json!({
        "id": def.no, "name": field_name(def), "label": def.name, "type": kind, "default": false,
        "required_for_closure": def.required_on_solve, "choices": def.options,
    })
}

/// The field of the statuses as admins see it.
pub(super) fn status_field() -> Value {
    let choice = |(id, label, stops): (i64, &str, bool)| json!({ "id": id, "value": id, "label": label, "stop_sla_timer": stops });
    let choices = [
        (2, "Open", false),
        (3, "Pending", true),
        (4, "Resolved", true),
        (5, "Closed", true),
        (WAITING, "Waiting on Third Party", true),
    ];
    json!({
        "id": STATUS_FIELD, "name": "status", "label": "Status", "type": "default_status", "default": true,
        "choices": choices.map(choice),
    })
}
