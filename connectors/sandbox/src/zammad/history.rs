//! `GET /ticket_history/{id}`: one row for each thing that was changed, with numbers and names before and after (Zammad sheet,
//! *Objects*, history).

use super::login::Caller;
use super::refusals::Refusal;
use super::request::ok;
use super::show::{field_name, login, time};
use super::words::{priority, state_name, state_number};
use crate::ids::{PersonNo, QueueNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{Cause, Change, Event, What};
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

/// All rows, oldest first.
pub(super) fn of_ticket(desk: &Helpdesk, caller: &Caller, no: TicketNo) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.ticket(desk, no)?;
    let rows = |change: &Change| {
        let rows = change.events.iter().flat_map(|event| rows(desk, no, change, event));
        rows.collect::<Vec<Value>>()
    };
    let history: Vec<Value> = ticket.changes.iter().flat_map(rows).collect();
    ok(&json!({ "history": history, "assets": { "User": {} } }))
}

fn rows(desk: &Helpdesk, no: TicketNo, change: &Change, event: &Event) -> Vec<Value> {
    // What a trigger does is done by the system's own user.
    let by = match event.cause {
        Cause::Rule(_) => Helpdesk::SYSTEM,
        Cause::Request | Cause::Person => change.by,
    };
    let row = |kind: &str, rest: Value| {
        let mut row = json!({
            "id": event.no, "type": kind, "object": "Ticket", "o_id": no, "created_by_id": by, "created_at": time(change.at),
        });
        if let (Some(row), Value::Object(rest)) = (row.as_object_mut(), rest) {
            row.extend(rest);
        }
        row
    };
    match &event.what {
        What::Created(_) => vec![row("created", json!({}))],
        What::Tags(moved) => {
            let added = moved.to.difference(&moved.from);
            let removed = moved.from.difference(&moved.to);
            let added = added.map(|tag| row("added", json!({ "attribute": "tag", "value_to": tag })));
            let removed = removed.map(|tag| row("removed", json!({ "attribute": "tag", "value_to": tag })));
            added.chain(removed).collect()
        }
        What::Said(message) => {
            vec![row("created", json!({ "object": "Ticket::Article", "o_id": message, "related_o_id": no }))]
        }
        What::Merged(into) => vec![row("merged_into", json!({ "id_from": no, "id_to": into }))],
        other => updated(desk, other).map(|rest| row("updated", rest)).into_iter().collect(),
    }
}

/// An attribute with its numbers and names before and after; none: this sets no attribute.
fn updated(desk: &Helpdesk, what: &What) -> Option<Value> {
    let set = |attribute: &str, from: (Value, String), to: (Value, String)| json!({ "attribute": attribute, "value_from": from.1, "value_to": to.1, "id_from": from.0, "id_to": to.0 });
    let queue = |no: Option<QueueNo>| {
        let name = no.and_then(|no| desk.queues.get(&no)).map_or_else(String::new, |queue| queue.name.clone());
        (json!(no), name)
    };
    let owner = |no: Option<PersonNo>| {
        let no = no.unwrap_or(Helpdesk::SYSTEM);
        (json!(no), login(desk, no))
    };
    let state = |status| {
        let id = state_number(status);
        (json!(id), state_name(id).to_owned())
    };
    let level = |word: &Option<String>| {
        let (id, name) = priority(word.as_deref());
        (json!(id), name.to_owned())
    };
    let plain = |text: String| (Value::Null, text);
    let word = |text: &Option<String>| plain(text.clone().unwrap_or_default());
    Some(match what {
        What::Queue(moved) => set("group", queue(moved.from), queue(moved.to)),
        What::Owner(moved) => set("owner", owner(moved.from), owner(moved.to)),
        What::Status(moved) => set("state", state(moved.from), state(moved.to)),
        What::Priority(moved) => set("priority", level(&moved.from), level(&moved.to)),
        What::Subject(moved) => set("title", plain(moved.from.clone()), plain(moved.to.clone())),
        What::Kind(moved) => set("type", word(&moved.from), word(&moved.to)),
        What::Field(field, moved) => {
            let name = desk.fields.get(field).map(field_name).unwrap_or_default();
            set(&name, plain(moved.from.join(", ")), plain(moved.to.join(", ")))
        }
        What::Extra(key, moved) => set(key, word(&moved.from), word(&moved.to)),
        What::Created(_) | What::Tags(_) | What::Said(_) | What::Merged(_) | What::Deleted => return None,
    })
}
