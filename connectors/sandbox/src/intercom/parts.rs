//! The parts of a conversation: one for each thing that was said or done, the 500 most recent (Intercom sheet, *Objects*).
//! What the customer began with is no part; the team and the admin that it came to at once were assigned by a bot. Of labels and
//! priorities no part tells: choices where the sheet is silent.

use super::field_name;
use super::show::{actor, attachments, author, body, state};
use crate::store::Helpdesk;
use crate::ticket::{Cause, Change, Event, Opened, Status, Ticket, Visibility, What};
use serde_json::{Value, json};

/// More are not shown.
const MOST: usize = 500;

/// The list of parts.
pub(super) fn of(desk: &Helpdesk, ticket: &Ticket, plain: bool) -> Value {
    let all: Vec<Value> = ticket.changes.iter().flat_map(|change| of_change(desk, ticket, change, plain)).collect();
    let total = all.len();
    let newest = all.into_iter().skip(total.saturating_sub(MOST)).collect::<Vec<_>>();
    json!({ "type": "conversation_part.list", "conversation_parts": newest, "total_count": total })
}

fn of_change(desk: &Helpdesk, ticket: &Ticket, change: &Change, plain: bool) -> Vec<Value> {
    let of = |event: &Event| match &event.what {
        What::Created(opened) => routed(desk, (change, event), opened),
        _ => of_event(desk, ticket, (change, event), plain).into_iter().collect(),
    };
    change.events.iter().flat_map(of).collect()
}

/// Where a new conversation came to at once, by a workflow.
fn routed(desk: &Helpdesk, (change, event): (&Change, &Event), opened: &Opened) -> Vec<Value> {
    let team = opened.queue.map(|no| (1, json!({ "type": "team", "id": no.to_string() })));
    let admin = opened.owner.map(|no| (2, json!({ "type": "admin", "id": no.to_string() })));
    let one = |(place, to): (u64, Value)| {
        let id = (event.no.0 * 10 + place).to_string();
        let rest = json!({ "assigned_to": to, "id": id, "author": author(desk, Helpdesk::SYSTEM) });
        part(desk, (change, event), "assignment", rest)
    };
    team.into_iter().chain(admin).map(one).collect()
}

fn of_event(desk: &Helpdesk, ticket: &Ticket, (change, event): (&Change, &Event), plain: bool) -> Option<Value> {
    let woke = change.events.iter().any(|event| matches!(&event.what, What::Status(moved) if moved.to == Status::Open));
    let assigned = |to: Value| {
        let kind = if woke && event.cause == Cause::Request { "assign_and_reopen" } else { "assignment" };
        (kind, json!({ "assigned_to": to }))
    };
    let (kind, rest) = match &event.what {
        What::Said(no) => {
            let message = ticket.messages.iter().skip(1).find(|message| message.no == *no)?;
            let kind = if message.visibility == Visibility::Internal { "note" } else { "comment" };
            (kind, json!({ "body": body(message, plain), "attachments": attachments(message) }))
        }
        What::Queue(moved) => assigned(match moved.to {
            Some(no) => json!({ "type": "team", "id": no.to_string() }),
            None => json!({ "type": "nobody_team", "id": null }),
        }),
        What::Owner(moved) => assigned(match moved.to {
            Some(no) => json!({ "type": "admin", "id": no.to_string() }),
            None => json!({ "type": "nobody_admin", "id": null }),
        }),
        What::Status(moved) => match state(moved.to) {
            before if before == state(moved.from) => return None,
            // The assignment that woke it up says so itself.
            "open" if assigns(change) && event.cause == Cause::Request => return None,
            "closed" => ("close", json!({})),
            kind => (kind, json!({})),
        },
        What::Field(no, moved) => {
            let name = desk.fields.get(no).map(field_name)?;
            let (before, now) = (moved.from.join(", "), moved.to.join(", "));
            let details = json!({ "attribute": { "name": name }, "value": { "name": now, "previous": before } });
            let kind = match event.cause {
                Cause::Rule(_) => "conversation_attribute_updated_by_workflow",
                _ => "conversation_attribute_updated_by_admin",
            };
            (kind, json!({ "event_details": details }))
        }
        What::Merged(_) => ("merged_secondary_conversation", json!({})),
        _ => return None,
    };
    Some(part(desk, (change, event), kind, rest))
}

fn assigns(change: &Change) -> bool {
    change.events.iter().any(|event| matches!(event.what, What::Queue(_) | What::Owner(_)))
}

fn part(desk: &Helpdesk, (change, event): (&Change, &Event), kind: &str, rest: Value) -> Value {
    let at = change.at.as_second();
    let mut part = json!({
        "type": "conversation_part", "id": (event.no.0 * 10).to_string(), "part_type": kind, "body": null,
        "created_at": at, "updated_at": at, "notified_at": at, "assigned_to": null,
        "author": actor(desk, change, event), "attachments": [], "external_id": null, "redacted": false,
        "state": "open", "tags": [], "event_details": null, "metadata": {}, "email_message_metadata": null,
        "app_package_code": (event.cause == Cause::Request).then_some("handoffd-app"),
    });
    if let (Some(part), Value::Object(rest)) = (part.as_object_mut(), rest) {
        part.extend(rest);
    }
    part
}

/// How often it was assigned and opened again.
pub(super) fn statistics(ticket: &Ticket) -> Value {
    let count = |did: &dyn Fn(&What) -> bool| {
        let events = ticket.changes.iter().flat_map(|change| &change.events);
        events.filter(|event| did(&event.what)).count()
    };
    let assigned = |what: &What| matches!(what, What::Queue(_) | What::Owner(_));
    let reopened = |what: &What| matches!(what, What::Status(moved) if moved.from == Status::Solved);
    json!({
        "type": "conversation_statistics", "count_assignments": count(&assigned), "count_reopens": count(&reopened),
        "count_conversation_parts": ticket.messages.len(),
    })
}
