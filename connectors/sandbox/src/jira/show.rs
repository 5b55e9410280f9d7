//! Issues, comments and people in Jira's form (Jira Service Management sheet, *Objects*). Times are written with an offset that
//! has no colon in it.

use super::wiki::{document, written};
use super::words::{
    ORGANIZATIONS, PARTICIPANTS, PROJECT, REQUEST_TYPE, TEAM_FIELD, account_id, field_id, key, priority, project_of,
    status,
};
use crate::ids::{PersonNo, TicketNo};
use crate::people::{Person, Role};
use crate::store::Helpdesk;
use crate::ticket::{End, FieldDef, FieldType, File, Message, Ticket, Visibility, What};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

const SITE: &str = "https://acme.atlassian.net";

/// `2026-09-01T08:15:00.123+0000`.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// Somebody; nobody: `null`.
pub(super) fn user(desk: &Helpdesk, no: Option<PersonNo>) -> Value {
    let Some(person) = no.and_then(|no| desk.person(no)) else { return Value::Null };
    shown(person)
}

/// Somebody, as every answer shows them.
pub(super) fn shown(person: &Person) -> Value {
    let kind = match person.role {
        Role::Customer => "customer",
        Role::System => "app",
        Role::Agent | Role::Admin | Role::Bot => "atlassian",
    };
    let id = account_id(person);
    json!({
        "self": format!("{SITE}/rest/api/3/user?accountId={id}"), "accountId": id, "accountType": kind,
        "displayName": person.name, "emailAddress": person.email, "active": !person.suspended, "timeZone": person.zone,
    })
}

/// An issue with the fields that were asked for.
pub(super) fn issue(desk: &Helpdesk, ticket: &Ticket, wanted: &[String]) -> Value {
    let mut fields = Map::new();
    if !wanted.is_empty() {
        fields = all_fields(desk, ticket);
        let all = wanted.iter().any(|name| matches!(name.as_str(), "*all" | "*navigable"));
        let named = |name: &String| wanted.contains(name);
        let left_out = |name: &String| wanted.contains(&format!("-{name}"));
        fields.retain(|name, _| (all || named(name)) && !left_out(name));
    }
    json!({
        "id": ticket.no.to_string(), "key": key(ticket), "self": format!("{SITE}/rest/api/3/issue/{}", ticket.no),
        "fields": fields,
    })
}

fn all_fields(desk: &Helpdesk, ticket: &Ticket) -> Map<String, Value> {
    let word = status(ticket.status);
    let queue = ticket.queue.and_then(|no| desk.queues.get(&no));
    let organization = ticket.organization.and_then(|no| desk.organizations.get(&no));
    let organizations: Vec<Value> =
        organization.into_iter().map(|one| json!({ "id": one.no.to_string(), "name": one.name })).collect();
    let first = ticket.messages.first();
    let request = json!({
        "requestType": { "id": "25", "name": "Report a problem", "serviceDeskId": "3" },
        "currentStatus": { "status": word.name, "statusCategory": word.category() },
    });
    let comments: Vec<Value> = ticket.messages.iter().skip(1).map(|message| comment(desk, ticket, message)).collect();
    let pairs = [
        ("summary", json!(ticket.subject)),
        ("description", first.map_or(Value::Null, |message| written(&message.body))),
        ("issuetype", json!({ "id": "10009", "name": "Service Request", "subtask": false })),
        ("project", json!({ "id": "10001", "key": project_of(ticket), "projectTypeKey": "service_desk" })),
        ("status", word.shown()),
        ("priority", priority(ticket.priority.as_deref())),
        ("labels", json!(ticket.tags)),
        ("components", json!([])),
        ("reporter", user(desk, Some(ticket.requester))),
        ("creator", user(desk, Some(ticket.requester))),
        ("assignee", user(desk, ticket.owner)),
        ("created", json!(time(ticket.created_at))),
        ("updated", json!(time(ticket.updated_at))),
        ("resolution", resolution(ticket)),
        ("resolutiondate", json!(resolved_at(ticket).map(time))),
        ("duedate", Value::Null),
        ("issuelinks", links(desk, ticket)),
        ("attachment", first.map_or_else(|| json!([]), |message| files(desk, ticket, message))),
        ("worklog", json!({ "startAt": 0, "maxResults": 20, "total": 0, "worklogs": [] })),
        (
            "comment",
            json!({ "startAt": 0, "maxResults": comments.len(), "total": comments.len(), "comments": comments }),
        ),
        (TEAM_FIELD, queue.map_or(Value::Null, |queue| json!({ "id": queue.no.to_string(), "value": queue.name }))),
        (ORGANIZATIONS, json!(organizations)),
        (REQUEST_TYPE, request),
        (PARTICIPANTS, json!([])),
    ];
    let mut fields: Map<String, Value> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    fields.extend(desk.fields.values().map(|def| (field_id(def), field_value(def, ticket))));
    if let Some(at) = ticket.extra.get("archiveddate") {
        fields.insert("archiveddate".into(), json!(at));
    }
    fields
}

fn resolution(ticket: &Ticket) -> Value {
    match ticket.end {
        Some(End::Merged(_)) => json!({ "id": "10002", "name": "Duplicate", "description": "" }),
        _ if status(ticket.status).is_done() => json!({ "id": "10000", "name": "Done", "description": "" }),
        _ => Value::Null,
    }
}

fn resolved_at(ticket: &Ticket) -> Option<Timestamp> {
    let ends = |what: &What| matches!(what, What::Status(moved) if status(moved.to).is_done());
    let done = status(ticket.status).is_done();
    let change = ticket.changes.iter().rev().find(|change| change.events.iter().any(|event| ends(&event.what)));
    change.filter(|_| done).map(|change| change.at)
}

/// A merged issue is linked to the one that it duplicates.
fn links(desk: &Helpdesk, ticket: &Ticket) -> Value {
    let other = |no: TicketNo| {
        let key = desk.tickets.get(&no).map(key);
        json!({ "id": no.to_string(), "key": key.unwrap_or_else(|| format!("{PROJECT}-{no}")) })
    };
    match ticket.end {
        Some(End::Merged(into)) => json!([{
            "id": format!("9{}", ticket.no),
            "type": { "id": "10002", "name": "Duplicate", "inward": "is duplicated by", "outward": "duplicates" },
            "outwardIssue": other(into),
        }]),
        _ => json!([]),
    }
}

fn files(desk: &Helpdesk, ticket: &Ticket, message: &Message) -> Value {
    let file = |(at, file): (usize, &File)| {
        let id = message.no.0 * 100 + at as u64;
        json!({
            "id": id.to_string(), "filename": file.name, "mimeType": file.media_type, "size": file.bytes,
            "created": time(message.at), "author": user(desk, Some(ticket.requester)),
            "content": format!("{SITE}/rest/api/3/attachment/content/{id}"),
        })
    };
    message.files.iter().enumerate().map(file).collect()
}

/// A custom field's value: text of several lines is a document, a choice an option.
fn field_value(def: &FieldDef, ticket: &Ticket) -> Value {
    let option = |value: &str| json!({ "id": format!("{}1", def.no), "value": value });
    match (def.kind, ticket.field(def.no)) {
        (_, None) => Value::Null,
        (FieldType::Number, Some(value)) => value.parse::<f64>().map_or(Value::Null, |number| json!(number)),
        (FieldType::YesNo, Some(value)) => option(if value == "true" { "Yes" } else { "No" }),
        (FieldType::Choice, Some(value)) => option(value),
        (FieldType::Text, Some(value)) => document(value),
        (FieldType::Date, Some(value)) => json!(value),
    }
}

/// One comment, as the platform shows it.
pub(super) fn comment(desk: &Helpdesk, ticket: &Ticket, message: &Message) -> Value {
    let author = user(desk, Some(message.author));
    json!({
        "self": format!("{SITE}/rest/api/3/issue/{}/comment/{}", ticket.no, message.no), "id": message.no.to_string(),
        "author": author, "updateAuthor": author, "body": written(&message.body),
        "created": time(message.at), "updated": time(message.at),
        "jsdPublic": message.visibility == Visibility::Public,
    })
}

/// The same, as the service desk shows it.
pub(super) fn request_comment(desk: &Helpdesk, message: &Message) -> Value {
    json!({
        "id": message.no.to_string(), "body": message.body.text(), "public": message.visibility == Visibility::Public,
        "author": user(desk, Some(message.author)), "created": date(message.at),
    })
}

/// An instant in all of the service desk's forms.
pub(super) fn date(at: Timestamp) -> Value {
    json!({
        "iso8601": at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(),
        "jira": time(at), "friendly": "Today", "epochMillis": at.as_millisecond(),
    })
}
