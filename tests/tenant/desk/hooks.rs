//! Webhooks as the vendor posts them: events with a fixed payload, ids as text, words in upper case, signed over time
//! stamp and body.

use super::Tenant;
use super::ticket::{Audit, Ticket, stamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

/// The webhook's signing secret.
pub const SIGNING: &str = "tenant-signing-secret";

/// One event, to be posted.
#[derive(Clone)]
pub struct Event {
    /// One for each try of each subscription.
    pub invocation: String,
    pub body: Bytes,
}

impl Event {
    /// The headers of a post that goes out now.
    pub fn headers(&self, now: Timestamp) -> HeaderMap {
        let stamped = stamp(now);
        let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING.as_bytes()).expect("any key will do");
        mac.update(stamped.as_bytes());
        mac.update(&self.body);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-zendesk-account-id", "22129848"),
            ("x-zendesk-webhook-id", "01HOOK"),
            ("x-zendesk-webhook-invocation-id", self.invocation.as_str()),
            ("x-zendesk-webhook-signature-timestamp", stamped.as_str()),
            ("x-zendesk-webhook-signature", signature.as_str()),
            ("content-type", "application/json; charset=utf-8"),
        ] {
            headers.insert(name, HeaderValue::from_str(value).expect("plain text"));
        }
        headers
    }
}

impl Tenant {
    /// An audit becomes one event, named after the weightiest thing in it.
    pub fn tell(&mut self, id: i64, author: i64, changes: &[(String, Value, Value)], audit: &Audit, now: Timestamp) {
        let changed = |name: &str| changes.iter().find(|(field, ..)| field == name);
        let names = [
            ("group_id", "group_assignment_changed"),
            ("assignee_id", "agent_assignment_changed"),
            ("status", "status_changed"),
            ("priority", "priority_changed"),
            ("tags", "tags_changed"),
        ];
        let found = names.into_iter().find_map(|(field, name)| changed(field).map(|change| (name, change)));
        let (name, event) = match found {
            Some((name, (_, from, to))) => (name, json!({ "current": to, "previous": from })),
            None => match audit.comment() {
                Some((_, public)) => ("comment_added", json!({ "comment": { "is_public": public } })),
                None => ("custom_field_changed", json!({})),
            },
        };
        let numbers = (self.new_id(), self.new_id());
        let body = json!({
            "account_id": 22129848, "id": format!("cbe4028c-7239-495d-b020-{}", numbers.0),
            "type": format!("zen:event-type:ticket.{name}"), "subject": format!("zen:ticket:{id}"), "time": stamp(now),
            "zendesk_event_version": "2022-11-06", "event": event, "detail": detail(&self.tickets[&id], author),
        });
        let body = Bytes::from(body.to_string());
        self.events.push(Event { invocation: format!("01INV{}", numbers.1), body });
    }

    /// The same event once more: half of the time as another try, half of the time by a second subscription.
    pub fn again(&mut self, event: &Event) -> Event {
        let number = self.new_id();
        let invocation = if number % 2 == 0 { event.invocation.clone() } else { format!("01INV{number}") };
        Event { invocation, ..event.clone() }
    }
}

fn detail(ticket: &Ticket, author: i64) -> Value {
    let text = |id: Option<i64>| id.map(|id| id.to_string());
    json!({
        "id": ticket.id.to_string(), "actor_id": author.to_string(), "assignee_id": text(ticket.assignee),
        "group_id": text(ticket.group), "organization_id": null, "brand_id": "123",
        "requester_id": ticket.requester.to_string(), "submitter_id": ticket.requester.to_string(), "form_id": "47",
        "external_id": null, "custom_status": "4519", "status": ticket.status.to_uppercase(),
        "priority": ticket.priority.as_ref().map(|word| word.to_uppercase()), "type": "incident",
        "subject": ticket.subject, "description": ticket.description, "tags": ticket.tags, "is_public": true,
        "via": { "channel": "web" }, "created_at": stamp(ticket.created_at), "updated_at": stamp(ticket.updated_at),
    })
}
