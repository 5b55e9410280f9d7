//! Tickets, messages, people and the rest in Zendesk's form (Zendesk sheet, *Objects*).

use crate::ids::FieldNo;
use crate::people::{Organization, Person, Queue, Role};
use crate::store::Helpdesk;
use crate::text::html_of;
use crate::ticket::{Body, End, FieldDef, FieldType, File, Message, Status, Ticket, Visibility};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// ISO 8601 in UTC, whole seconds.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The vendor's word for a status.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::New => "new",
        Status::Open => "open",
        Status::Pending => "pending",
        Status::OnHold => "hold",
        Status::Solved => "solved",
        Status::Closed => "closed",
    }
}

/// The status of a vendor's word.
pub(super) fn read_status(word: &str) -> Option<Status> {
    Some(match word {
        "new" => Status::New,
        "open" => Status::Open,
        "pending" => Status::Pending,
        "hold" => Status::OnHold,
        "solved" => Status::Solved,
        "closed" => Status::Closed,
        _ => return None,
    })
}

/// A ticket. One that was taken away shows only in exports, as `deleted`.
pub(super) fn ticket(desk: &Helpdesk, base: &str, ticket: &Ticket) -> Value {
    let status = if ticket.end == Some(End::Deleted) { "deleted" } else { status(ticket.status) };
    let fields: Vec<Value> = desk.fields.values().map(|def| field_value(def, ticket)).collect();
    let is_public = ticket.messages.iter().any(|message| message.visibility == Visibility::Public);
    json!({
        "id": ticket.no,
        "url": format!("{base}/api/v2/tickets/{}.json", ticket.no),
        "external_id": null,
        "subject": ticket.subject,
        "raw_subject": ticket.subject,
        "description": ticket.messages.first().map(|message| message.body.text()),
        "status": status,
        "custom_status_id": custom_status(ticket.status),
        "priority": ticket.priority,
        "type": ticket.kind,
        "tags": ticket.tags,
        "requester_id": ticket.requester,
        "submitter_id": ticket.requester,
        "assignee_id": ticket.owner,
        "group_id": ticket.queue,
        "organization_id": ticket.organization,
        "brand_id": 123,
        "ticket_form_id": 47,
        "collaborator_ids": [], "follower_ids": ticket.followers, "email_cc_ids": [],
        "problem_id": null,
        "has_incidents": false,
        "followup_ids": [],
        "sharing_agreement_ids": [],
        "custom_fields": fields,
        "due_at": null,
        "via": came_in(ticket),
        "satisfaction_rating": { "score": "unoffered" },
        "is_public": is_public,
        "from_messaging_channel": matches!(ticket.channel.as_str(), "chat" | "messaging" | "native_messaging"),
        "allow_attachments": true,
        "allow_channelback": false,
        "created_at": time(ticket.created_at),
        "updated_at": time(ticket.updated_at),
        "generated_timestamp": ticket.touched_at.as_second(),
    })
}

fn custom_status(status: Status) -> u64 {
    4510 + status as u64
}

fn field_value(def: &FieldDef, ticket: &Ticket) -> Value {
    let values = ticket.fields.get(&def.no).map_or(&[][..], Vec::as_slice);
    let value = match (def.many, values) {
        (true, values) => json!(values),
        (false, []) => Value::Null,
        (false, [value, ..]) if def.kind == FieldType::YesNo => json!(value == "true"),
        (false, [value, ..]) => json!(value),
    };
    json!({ "id": def.no, "value": value })
}

/// How a ticket came in: as a follow-up of a closed one, where it is one (`follow_up_of`).
fn came_in(ticket: &Ticket) -> Value {
    let mut via = via(&ticket.channel);
    if let Some(before) = ticket.extra.get("follow_up_of").and_then(|no| no.parse::<u64>().ok()) {
        via["source"] = json!({ "from": { "ticket_id": before }, "to": {}, "rel": "follow_up" });
    }
    via
}

/// How something came in.
pub(super) fn via(channel: &str) -> Value {
    json!({ "channel": channel, "source": { "from": {}, "to": {}, "rel": null } })
}

/// A message, in the words of both of its bodies.
pub(super) fn bodies(body: &Body) -> (String, String) {
    match body {
        Body::Plain(text) => (text.clone(), html_of(text)),
        Body::Html(html) => (body.text(), html.clone()),
    }
}

/// A message.
pub(super) fn comment(desk: &Helpdesk, base: &str, message: &Message) -> Value {
    let (plain, html) = bodies(&message.body);
    let by_customer = desk.person(message.author).is_some_and(|person| person.role == Role::Customer);
    json!({
        "id": message.no,
        "type": "Comment",
        "author_id": message.author,
        "public": message.visibility == Visibility::Public,
        "body": plain, "plain_body": plain, "html_body": html,
        "attachments": message.files.iter().enumerate().map(|(at, file)| attachment(base, message, at, file)).collect::<Vec<_>>(),
        "audit_id": message.change,
        "via": via(if by_customer { "email" } else { "web" }),
        "metadata": { "system": {}, "custom": {}, "flags": flags(message.by_machine) },
        "created_at": time(message.at),
    })
}

/// How Zendesk flags a comment (its reference, *Ticket comments*, comment flags): 4 is what was written automatically.
pub(super) fn flags(by_machine: bool) -> Vec<u64> {
    if by_machine { vec![4] } else { vec![] }
}

/// A file of a message.
pub(super) fn attachment(base: &str, message: &Message, at: usize, file: &File) -> Value {
    let id = message.no.0 * 100 + at as u64;
    json!({
        "id": id,
        "file_name": file.name,
        "content_type": file.media_type,
        "size": file.bytes,
        "content_url": format!("{base}/attachments/token/{id}/?name={}", file.name),
        "malware_scan_result": "malware_not_found",
        "thumbnails": [],
    })
}

/// Somebody.
pub(super) fn user(base: &str, person: &Person) -> Value {
    json!({
        "id": person.no,
        "url": format!("{base}/api/v2/users/{}.json", person.no),
        "name": person.name,
        "email": person.email,
        "role": role(person),
        "suspended": person.suspended,
        "active": true,
        "organization_id": person.organization,
        "default_group_id": null,
        "restricted_agent": false,
        "ticket_restriction": null,
        "locale": person.locale,
        "iana_time_zone": person.zone,
        "time_zone": "Berlin",
        "user_fields": person.fields,
        "created_at": time(person.created_at),
        "updated_at": time(person.created_at),
    })
}

fn role(person: &Person) -> &'static str {
    match person.role {
        Role::Customer => "end-user",
        Role::Admin | Role::System => "admin",
        Role::Agent | Role::Bot if person.rights.admin => "admin",
        Role::Agent | Role::Bot => "agent",
    }
}

/// A queue.
pub(super) fn group(base: &str, queue: &Queue) -> Value {
    json!({
        "id": queue.no,
        "url": format!("{base}/api/v2/groups/{}.json", queue.no),
        "name": queue.name,
        "description": "",
        "default": false,
        "deleted": false,
        "is_public": true,
        "created_at": time(queue.created_at),
        "updated_at": time(queue.created_at),
    })
}

/// An organisation.
pub(super) fn organization(base: &str, organization: &Organization) -> Value {
    json!({
        "id": organization.no,
        "url": format!("{base}/api/v2/organizations/{}.json", organization.no),
        "name": organization.name,
        "domain_names": organization.domains,
        "organization_fields": organization.fields,
        "details": null, "notes": null, "external_id": null, "group_id": null,
        "shared_comments": false, "shared_tickets": false,
        "tags": [],
        "created_at": time(organization.created_at),
        "updated_at": time(organization.created_at),
    })
}

/// A definition of a custom field.
pub(super) fn field(base: &str, def: &FieldDef) -> Value {
    let options = def.options.iter().enumerate().map(
        |(at, option)| json!({ "id": def.no.0 * 100 + at as u64, "name": option, "raw_name": option, "value": option }),
    );
    let mut shown = json!({
        "id": def.no,
        "url": format!("{base}/api/v2/ticket_fields/{}.json", def.no),
        "title": def.name, "raw_title": def.name, "title_in_portal": def.name,
        "type": field_type(def),
        "active": true,
        "required": def.required_on_solve,
        "removable": true,
    });
    if !def.options.is_empty() {
        shown["custom_field_options"] = options.collect();
    }
    shown
}

/// The vendor's word for a field's type.
pub(super) fn field_type(def: &FieldDef) -> &'static str {
    match def.kind {
        FieldType::Choice if def.many => "multiselect",
        FieldType::Choice => "tagger",
        FieldType::Text => "textarea",
        FieldType::Number => "decimal",
        FieldType::YesNo => "checkbox",
        FieldType::Date => "date",
    }
}

/// The vendor's class of a field's type, as refusals name it: `FieldTagger`.
pub(super) fn field_class(desk: &Helpdesk, no: FieldNo) -> String {
    let word = desk.fields.get(&no).map_or("text", field_type);
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| format!("Field{}{}", first.to_ascii_uppercase(), letters.as_str()))
}
