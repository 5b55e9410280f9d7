//! The scrip's hook: one post for each transaction, to an address whose last part is all the proof there is
//! (RT sheet, *Hooks*).

use super::{record, transactions};
use crate::ids::{ChangeNo, TicketNo};
use crate::outbox::Post;
use crate::store::{Helpdesk, Hook};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Value, json};

/// What a hook posts about a change. Records of mail are left out.
pub(super) fn posts(desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
    let Some(ticket) = desk.tickets.get(&ticket) else { return vec![] };
    let Some(change) = ticket.changes.iter().rev().find(|one| one.no == change) else { return vec![] };
    let told = transactions::of_change(desk, ticket, change).into_iter().filter(|one| !one.hidden());
    told.map(|one| {
        let some = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let body = json!({
            "ticket": ticket.no, "transaction": one.id, "type": one.kind, "field": some(&one.field),
            "old": some(&one.old), "new": some(&one.new), "queue": record::queue_name(desk, ticket.queue),
            "creator": record::login(desk, Some(one.by)), "created": record::time(one.at),
        });
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("x-rt-transaction"), HeaderValue::from(one.id));
        Post { hook: hook.no, url: hook.url.clone(), headers, body: Bytes::from(body.to_string()), tries: 1 }
    })
    .collect()
}
