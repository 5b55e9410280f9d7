//! Webhooks: event subscriptions with the vendor's fixed payload, and conditional ones whose body the site writes with
//! placeholders; both signed (Zendesk sheet, *Webhooks*).

use super::{audit, show};
use crate::ids::{ChangeNo, TicketNo};
use crate::outbox::Post;
use crate::people::Role;
use crate::store::{Helpdesk, Hook};
use crate::text::fill;
use crate::ticket::{Change, Event, Moved, Ticket, Visibility, What};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

const ACCOUNT: u64 = 22_129_848;
/// The subscription of webhooks that triggers call.
pub(super) const CONDITIONAL: &str = "conditional_ticket_events";

/// What a hook posts about a change.
pub(super) fn posts(desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
    let Some(ticket) = desk.tickets.get(&ticket) else { return vec![] };
    let Some(change) = ticket.changes.iter().rev().find(|one| one.no == change) else { return vec![] };
    if hook.topics.iter().any(|topic| topic == CONDITIONAL) {
        let template = hook.template.as_deref().unwrap_or(r#"{"ticket_id":"{{ticket.id}}"}"#);
        let body = fill(template, |name| placeholder(desk, ticket, change, name));
        return vec![post(hook, change.no.0, body)];
    }
    let told = change.events.iter().filter_map(|event| told(desk, ticket, change, event));
    let wanted = told.filter(|(topic, ..)| hook.topics.is_empty() || hook.topics.iter().any(|one| one == topic));
    wanted
        .map(|(topic, no, event)| post(hook, no, payload(desk, ticket, change, topic, no, event).to_string()))
        .collect()
}

fn post(hook: &Hook, no: u64, body: String) -> Post {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("content-type", "application/json; charset=utf-8".into());
    put("x-zendesk-account-id", ACCOUNT.to_string());
    put("x-zendesk-webhook-id", format!("01HOOK{:020}", hook.no.0));
    put("x-zendesk-webhook-invocation-id", format!("01INVK{:010}{:010}", hook.no.0, no));
    Post { hook: hook.no, url: hook.url.clone(), headers, body: Bytes::from(body), tries: 1 }
}

/// Signs what leaves now: the time stamp and the raw body, one after the other.
pub(super) fn sign(desk: &Helpdesk, post: &mut Post) {
    let Some(hook) = desk.hooks.get(&post.hook) else { return };
    let stamp = show::time(desk.now);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(hook.secret.as_bytes()) else { return };
    mac.update(stamp.as_bytes());
    mac.update(&post.body);
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let signed = [("x-zendesk-webhook-signature", signature), ("x-zendesk-webhook-signature-timestamp", stamp)];
    for (name, value) in signed {
        if let Ok(value) = HeaderValue::try_from(value) {
            post.headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The topic of an event, its number, and its own part of the payload.
fn told(desk: &Helpdesk, ticket: &Ticket, change: &Change, event: &Event) -> Option<(&'static str, u64, Value)> {
    let from_to = |what: &What| {
        audit::plain(what).map(|(_, current, previous)| json!({ "current": current, "previous": previous }))
    };
    let upper = |value: Value| match value {
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, loud(&value))).collect(),
        other => other,
    };
    let (topic, own) = match &event.what {
        What::Created(_) => ("created", json!({})),
        What::Said(no) => ("comment_added", said(desk, ticket, *no)?),
        What::Status(_) => ("status_changed", upper(from_to(&event.what)?)),
        What::Priority(_) => ("priority_changed", upper(from_to(&event.what)?)),
        What::Kind(_) => ("type_changed", from_to(&event.what)?),
        What::Subject(_) => ("subject_changed", from_to(&event.what)?),
        What::Queue(_) => ("group_assignment_changed", from_to(&event.what)?),
        What::Owner(_) => ("agent_assignment_changed", from_to(&event.what)?),
        What::Tags(Moved { from, to }) => {
            let (added, removed): (Vec<_>, Vec<_>) = (to.difference(from).collect(), from.difference(to).collect());
            ("tags_changed", json!({ "tags_added": added, "tags_removed": removed }))
        }
        What::Field(no, _) => {
            let mut own = from_to(&event.what)?;
            let def = desk.fields.get(no)?;
            own["custom_field"] = json!({ "id": no.to_string(), "title": def.name, "type": show::field_type(def) });
            ("custom_field_changed", own)
        }
        What::Merged(into) => ("merged", json!({ "target_ticket_id": into.to_string() })),
        What::Deleted => ("soft_deleted", json!({})),
        What::Extra(..) => return None,
    };
    let _ = change;
    Some((topic_name(topic)?, event.no.0, own))
}

/// The full name of a topic.
fn topic_name(short: &str) -> Option<&'static str> {
    const PREFIX: &str = "zen:event-type:ticket.";
    TOPICS.iter().copied().find(|topic| topic.strip_prefix(PREFIX) == Some(short))
}

const TOPICS: [&str; 12] = [
    "zen:event-type:ticket.created",
    "zen:event-type:ticket.comment_added",
    "zen:event-type:ticket.status_changed",
    "zen:event-type:ticket.priority_changed",
    "zen:event-type:ticket.type_changed",
    "zen:event-type:ticket.subject_changed",
    "zen:event-type:ticket.group_assignment_changed",
    "zen:event-type:ticket.agent_assignment_changed",
    "zen:event-type:ticket.tags_changed",
    "zen:event-type:ticket.custom_field_changed",
    "zen:event-type:ticket.merged",
    "zen:event-type:ticket.soft_deleted",
];

fn said(desk: &Helpdesk, ticket: &Ticket, no: crate::ids::MessageNo) -> Option<Value> {
    let message = ticket.messages.iter().find(|message| message.no == no)?;
    let author = desk.person(message.author)?;
    Some(json!({ "comment": {
        "id": no.to_string(),
        "body": message.body.text(),
        "is_public": message.visibility == Visibility::Public,
        "author": { "id": author.no.to_string(), "is_staff": author.role.is_staff(), "name": author.name },
    } }))
}

/// Enum values are upper case in webhooks.
fn loud(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |word| json!(word.to_uppercase()))
}

fn payload(desk: &Helpdesk, ticket: &Ticket, change: &Change, topic: &str, no: u64, event: Value) -> Value {
    let text = |no: Option<u64>| no.map(|no| no.to_string());
    json!({
        "account_id": ACCOUNT,
        "id": format!("5a4db0c5-0000-4000-8000-{no:012x}"),
        "type": topic,
        "subject": format!("zen:ticket:{}", ticket.no),
        "time": show::time(change.at),
        "zendesk_event_version": "2022-11-06",
        "event": event,
        "detail": {
            "id": ticket.no.to_string(),
            "actor_id": actor(desk, change),
            "assignee_id": text(ticket.owner.map(|no| no.0)),
            "group_id": text(ticket.queue.map(|no| no.0)),
            "organization_id": text(ticket.organization.map(|no| no.0)),
            "brand_id": "123",
            "requester_id": ticket.requester.to_string(),
            "submitter_id": ticket.requester.to_string(),
            "form_id": "47",
            "external_id": null,
            "status": show::status(ticket.status).to_uppercase(),
            "priority": ticket.priority.as_ref().map(|word| word.to_uppercase()),
            "type": ticket.kind,
            "subject": ticket.subject,
            "description": ticket.messages.first().map(|message| message.body.text()),
            "tags": ticket.tags,
            "is_public": true,
            "via": { "channel": ticket.channel },
            "created_at": show::time(ticket.created_at),
            "updated_at": show::time(ticket.updated_at),
        },
    })
}

fn actor(desk: &Helpdesk, change: &Change) -> String {
    match desk.person(change.by).map(|person| person.role) {
        Some(Role::System) | None => "-1".into(),
        Some(_) => change.by.to_string(),
    }
}

fn placeholder(desk: &Helpdesk, ticket: &Ticket, change: &Change, name: &str) -> String {
    match name {
        "ticket.id" => ticket.no.to_string(),
        "ticket.title" => ticket.subject.clone(),
        "ticket.status" => show::status(ticket.status).to_owned(),
        "ticket.group.id" => ticket.queue.map_or_else(String::new, |no| no.to_string()),
        "ticket.assignee.id" => ticket.owner.map_or_else(String::new, |no| no.to_string()),
        "ticket.updated_at_with_timestamp" => show::time(ticket.updated_at),
        "current_user.id" => actor(desk, change),
        _ => String::new(),
    }
}
