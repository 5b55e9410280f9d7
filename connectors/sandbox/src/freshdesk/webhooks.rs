//! What an automation rule posts: the body that its admin wrote, with placeholders filled in, and a secret in a header of its
//! own. Nothing is signed, and no two posts have an id that would tell them apart (Freshdesk sheet, *Webhooks*).

use crate::ids::{ChangeNo, TicketNo};
use crate::outbox::Post;
use crate::store::{Helpdesk, Hook};
use crate::text::fill;
use crate::ticket::{Ticket, What};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that the seeded rule sends the hook's secret in.
pub const SECRET_HEADER: &str = "x-handoffd-secret";

/// What the README tells an admin to write.
const USUAL: &str = r#"{"ticket_id":"{{ticket.id}}","event":"{{Triggered event}}"}"#;

/// What a hook posts about a change. Rules of the kind *ticket updates* do not run when a ticket is deleted.
pub(super) fn posts(desk: &Helpdesk, hook: &Hook, ticket: TicketNo, change: ChangeNo) -> Vec<Post> {
    let Some(ticket) = desk.tickets.get(&ticket) else { return vec![] };
    let Some(change) = ticket.changes.iter().rev().find(|one| one.no == change) else { return vec![] };
    let event = change.events.iter().find_map(|event| event_word(&event.what));
    let Some(event) = event else { return vec![] };
    let body = fill(hook.template.as_deref().unwrap_or(USUAL), |name| placeholder(desk, ticket, event, name));
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    if let Ok(secret) = HeaderValue::try_from(hook.secret.as_str()) {
        headers.insert(HeaderName::from_static(SECRET_HEADER), secret);
    }
    vec![Post { hook: hook.no, url: hook.url.clone(), headers, body: Bytes::from(body), tries: 1 }]
}

fn event_word(what: &What) -> Option<&'static str> {
    Some(match what {
        What::Created(_) => "ticket created",
        What::Queue(_) => "{ticket.group_id changed}",
        What::Owner(_) => "{ticket.responder_id changed}",
        What::Status(_) => "{ticket.status changed}",
        What::Priority(_) => "{ticket.priority changed}",
        What::Said(_) => "{note or reply added}",
        What::Tags(_) => "{ticket.tags changed}",
        What::Kind(_) | What::Subject(_) | What::Field(..) => "{ticket changed}",
        What::Extra(..) | What::Merged(_) | What::Deleted => return None,
    })
}

fn placeholder(desk: &Helpdesk, ticket: &Ticket, event: &str, name: &str) -> String {
    match name {
        "ticket.id" => ticket.no.to_string(),
        "ticket.group.name" => {
            ticket.queue.and_then(|no| desk.queues.get(&no)).map_or_else(String::new, |queue| queue.name.clone())
        }
        "ticket.agent.name" => {
            ticket.owner.and_then(|no| desk.person(no)).map_or_else(String::new, |person| person.name.clone())
        }
        "Triggered event" => event.to_owned(),
        _ => String::new(),
    }
}
