//! What an app's subscription posts: an envelope with a topic and the conversation, signed over the raw body with the app's
//! client secret, without a time (Intercom sheet, *Webhooks*).

use super::show::{self, With};
use crate::ids::{ChangeNo, TicketNo};
use crate::outbox::Post;
use crate::people::Role;
use crate::store::{Helpdesk, Hook};
use crate::ticket::{Change, Status, Ticket, Visibility, What};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha1::Sha1;

const SIGNATURE: &str = "x-hub-signature";

/// What a hook posts about a change: one notification for the first thing that has a topic.
pub(super) fn posts(desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
    let Some(ticket) = desk.tickets.get(&ticket) else { return vec![] };
    let Some(change) = ticket.changes.iter().rev().find(|one| one.no == change) else { return vec![] };
    let Some(topic) = topic(desk, ticket, change) else { return vec![] };
    if !hook.topics.is_empty() && !hook.topics.iter().any(|known| known == topic) {
        return vec![];
    }
    let at = change.at.as_second();
    let body = json!({
        "type": "notification_event", "app_id": "sandbox1", "id": format!("notif_{}_{}", hook.no, change.no), "topic": topic,
        "data": { "type": "notification_event_data", "item": item(desk, ticket, topic) },
        "links": {}, "delivery_status": "pending", "delivery_attempts": 1, "delivered_at": 0, "first_sent_at": at,
        "created_at": at, "self": null,
    });
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("user-agent", HeaderValue::from_static("intercom-webhooks/1.0"));
    vec![Post { hook: hook.no, url: hook.url.clone(), headers, body: Bytes::from(body.to_string()), tries: 1 }]
}

/// The conversation without its parts, and without the customer's words; of a deleted one hardly more than its id.
fn item(desk: &Helpdesk, ticket: &Ticket, topic: &str) -> Value {
    if topic == "conversation.deleted" {
        return json!({ "type": "conversation", "id": ticket.no.to_string() });
    }
    let mut item = show::conversation(desk, ticket, With { parts: false, levels: true, plain: true });
    (item["source"]["body"], item["source"]["subject"]) = (Value::Null, Value::Null);
    item
}

fn topic(desk: &Helpdesk, ticket: &Ticket, change: &Change) -> Option<&'static str> {
    let by_customer = desk.person(change.by).is_some_and(|person| person.role == Role::Customer);
    let of = |what: &What| match what {
        What::Created(_) => Some("conversation.user.created"),
        What::Said(_) if by_customer => Some("conversation.user.replied"),
        What::Said(no) => {
            let message = ticket.messages.iter().find(|message| message.no == *no)?;
            let internal = message.visibility == Visibility::Internal;
            Some(if internal { "conversation.admin.noted" } else { "conversation.admin.replied" })
        }
        What::Queue(_) | What::Owner(_) => Some("conversation.admin.assigned"),
        What::Status(moved) => match moved.to {
            Status::New | Status::Open => Some("conversation.admin.opened"),
            Status::Pending | Status::OnHold => Some("conversation.admin.snoozed"),
            Status::Solved | Status::Closed => Some("conversation.admin.closed"),
        },
        What::Tags(_) => Some("conversation_part.tag.created"),
        What::Deleted => Some("conversation.deleted"),
        _ => None,
    };
    change.events.iter().find_map(|event| of(&event.what))
}

/// Signs a webhook that leaves now.
pub(super) fn sign(desk: &Helpdesk, post: &mut Post) {
    let Some(hook) = desk.hooks.get(&post.hook).filter(|hook| !hook.secret.is_empty()) else { return };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(hook.secret.as_bytes()) else { return };
    mac.update(&post.body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    if let Ok(signature) = HeaderValue::try_from(format!("sha1={hex}")) {
        post.headers.insert(HeaderName::from_static(SIGNATURE), signature);
    }
}
