//! What Jira posts: one event for each change, signed over the raw body where the webhook has a secret. The body tells when, in
//! milliseconds; the identifier stays over retries (Jira Service Management sheet, *Webhooks*).

use super::{history, show};
use crate::ids::{ChangeNo, TicketNo};
use crate::outbox::Post;
use crate::store::{Helpdesk, Hook};
use crate::ticket::What;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use sha2::Sha256;

const SIGNATURE: &str = "x-hub-signature";

/// What a hook posts about a change.
pub(super) fn posts(desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
    let Some(ticket) = desk.tickets.get(&ticket) else { return vec![] };
    let Some(change) = ticket.changes.iter().rev().find(|one| one.no == change) else { return vec![] };
    let did = |wanted: fn(&What) -> bool| change.events.iter().any(|event| wanted(&event.what));
    let said = change.events.iter().find_map(|event| match event.what {
        What::Said(no) => ticket.messages.iter().find(|message| message.no == no),
        _ => None,
    });
    let event = match () {
        () if did(|what| matches!(what, What::Created(_))) => "jira:issue_created",
        () if did(|what| matches!(what, What::Deleted)) => "jira:issue_deleted",
        () if said.is_some() => "comment_created",
        () => "jira:issue_updated",
    };
    let fields = ["summary", "updated", "status", "project"].map(str::to_owned);
    let mut body = json!({
        "timestamp": change.at.as_millisecond(), "webhookEvent": event, "user": show::user(desk, Some(change.by)),
        "issue": show::issue(desk, ticket, &fields),
    });
    if let Some(message) = said.filter(|_| event == "comment_created") {
        body["comment"] = show::comment(desk, ticket, message);
    }
    if let Some(entry) = history::entries(desk, change).into_iter().next() {
        body["changelog"] = json!({ "id": entry["id"], "items": entry["items"] });
    }
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert("x-atlassian-webhook-flow", HeaderValue::from_static("Primary"));
    headers.insert("x-atlassian-webhook-retry", HeaderValue::from_static("0"));
    if let Ok(id) = HeaderValue::try_from(format!("sandbox-{}-{}", hook.no, change.no)) {
        headers.insert("x-atlassian-webhook-identifier", id);
    }
    vec![Post { hook: hook.no, url: hook.url.clone(), headers, body: Bytes::from(body.to_string()), tries: 1 }]
}

/// Signs a webhook that leaves now, where its hook has a secret.
pub(super) fn sign(desk: &Helpdesk, post: &mut Post) {
    let Some(hook) = desk.hooks.get(&post.hook).filter(|hook| !hook.secret.is_empty()) else { return };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(hook.secret.as_bytes()) else { return };
    mac.update(&post.body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    if let Ok(signature) = HeaderValue::try_from(format!("sha256={hex}")) {
        post.headers.insert(HeaderName::from_static(SIGNATURE), signature);
    }
}
