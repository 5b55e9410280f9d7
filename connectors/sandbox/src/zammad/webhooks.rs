//! What a trigger posts: ticket and article, or the body that its admin wrote, signed over the raw bytes without a time (Zammad
//! sheet, *Webhooks*).

use super::show;
use crate::ids::{ChangeNo, TicketNo};
use crate::outbox::Post;
use crate::store::{Helpdesk, Hook};
use crate::ticket::{Ticket, What};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha1::Sha1;

const SIGNATURE: &str = "x-hub-signature";

/// What a hook posts about a change. A trigger does not run when a ticket is deleted.
pub(super) fn posts(desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
    let Some(ticket) = desk.tickets.get(&ticket) else { return vec![] };
    let Some(change) = ticket.changes.iter().rev().find(|one| one.no == change) else { return vec![] };
    if change.events.iter().any(|event| matches!(event.what, What::Deleted)) {
        return vec![];
    }
    let said = change.events.iter().find_map(|event| match event.what {
        What::Said(no) => ticket.messages.iter().find(|message| message.no == no),
        _ => None,
    });
    let body = match &hook.template {
        Some(template) => template.replace("#{ticket.id}", &ticket.no.to_string()),
        None => {
            let article = said.map_or_else(|| json!({}), |message| show::article(desk, ticket, message));
            json!({ "ticket": shown(desk, ticket), "article": article }).to_string()
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert("user-agent", HeaderValue::from_static("Zammad User Agent"));
    headers.insert("x-zammad-trigger", HeaderValue::from_static("handoffd"));
    if let Ok(delivery) = HeaderValue::try_from(format!("sandbox-{}-{}", hook.no, change.no)) {
        headers.insert("x-zammad-delivery", delivery);
    }
    vec![Post { hook: hook.no, url: hook.url.clone(), headers, body: Bytes::from(body), tries: 1 }]
}

/// A ticket as the default payload has it: numbers are opened up.
fn shown(desk: &Helpdesk, ticket: &Ticket) -> Value {
    let queue = ticket.queue.and_then(|no| desk.queues.get(&no));
    let mut shown = show::ticket(desk, ticket, true);
    shown["group"] = json!(queue.map(|queue| json!({ "id": queue.no, "name": queue.name })));
    shown["owner"] = json!({ "id": ticket.owner.unwrap_or(Helpdesk::SYSTEM) });
    shown["customer"] = json!({ "id": ticket.requester });
    shown
}

/// Signs a webhook that leaves now, where its hook has a token.
pub(super) fn sign(desk: &Helpdesk, post: &mut Post) {
    let Some(hook) = desk.hooks.get(&post.hook).filter(|hook| !hook.secret.is_empty()) else { return };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(hook.secret.as_bytes()) else { return };
    mac.update(&post.body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    if let Ok(signature) = HeaderValue::try_from(format!("sha1={hex}")) {
        post.headers.insert(HeaderName::from_static(SIGNATURE), signature);
    }
}
