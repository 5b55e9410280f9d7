//! A ticket's history in Zendesk's form: one audit for each change, its events with string values (Zendesk sheet,
//! *Objects*, audits).

use super::show;
use crate::people::Role;
use crate::store::Helpdesk;
use crate::ticket::{Cause, Change, Event, Moved, Opened, Ticket, What};
use serde_json::{Map, Value, json};

/// One audit.
pub(super) fn audit(desk: &Helpdesk, base: &str, ticket: &Ticket, change: &Change) -> Value {
    let events: Vec<Value> = change.events.iter().flat_map(|event| shown(desk, base, ticket, change, event)).collect();
    let custom = if change.custom.is_null() { json!({}) } else { change.custom.clone() };
    let mut metadata = json!({ "system": { "client": "sandbox", "ip_address": "127.0.0.1" }, "custom": custom });
    // Left out where nothing is flagged.
    if ticket.messages.iter().any(|message| message.change == change.no && message.by_machine) {
        metadata["flags"] = json!(show::flags(true));
        metadata["flags_options"] = json!({ "4": { "trusted": true } });
    }
    json!({
        "id": change.no,
        "ticket_id": ticket.no,
        "author_id": author(desk, change),
        "created_at": show::time(change.at),
        "via": via(desk, change, &change.cause),
        "metadata": metadata,
        "events": events,
    })
}

/// An audit of nothing: what an update answers that changed nothing.
pub(super) fn empty(ticket: &Ticket, by: crate::ids::PersonNo, at: jiff::Timestamp) -> Value {
    json!({
        "id": 0, "ticket_id": ticket.no, "author_id": by, "created_at": show::time(at), "via": show::via("api"),
        "metadata": { "system": {}, "custom": {} }, "events": [],
    })
}

/// What automations do, they do in the name of user -1.
fn author(desk: &Helpdesk, change: &Change) -> Value {
    match desk.person(change.by).map(|person| person.role) {
        Some(Role::System) | None => json!(-1),
        Some(_) => json!(change.by),
    }
}

fn via(desk: &Helpdesk, change: &Change, cause: &Cause) -> Value {
    match cause {
        Cause::Request => show::via("api"),
        Cause::Person => {
            let customer = desk.person(change.by).is_some_and(|person| person.role == Role::Customer);
            show::via(if customer { "email" } else { "web" })
        }
        Cause::Rule(name) => {
            let within = change.cause != *cause;
            let rel = if within { "trigger" } else { "automation" };
            json!({ "channel": "rule", "source": { "from": { "title": name }, "to": {}, "rel": rel } })
        }
    }
}

fn shown(desk: &Helpdesk, base: &str, ticket: &Ticket, change: &Change, event: &Event) -> Vec<Value> {
    let mut events = match &event.what {
        What::Created(opened) => created(ticket, opened),
        What::Said(no) => {
            let message = ticket.messages.iter().find(|message| message.no == *no);
            message.map(|message| show::comment(desk, base, message)).into_iter().collect()
        }
        What::Deleted => vec![changed("status", json!("deleted"), json!(show::status(ticket.status)))],
        What::Merged(_) => vec![],
        other => plain(other).into_iter().map(|(name, value, before)| changed(&name, value, before)).collect(),
    };
    for (at, shown) in (0_u64..).zip(&mut events) {
        // The events of one audit have ids of their own; those of creation share one number here.
        shown["id"] = json!(event.no.0 * 16 + at);
        if let Cause::Rule(name) = &event.cause
            && change.cause != event.cause
        {
            let from = json!({ "title": name });
            shown["via"] = json!({ "channel": "rule", "source": { "from": from, "to": {}, "rel": "trigger" } });
        }
    }
    events
}

fn changed(field: &str, value: Value, previous: Value) -> Value {
    json!({ "type": "Change", "field_name": field, "value": value, "previous_value": previous })
}

/// The vendor's name of what changed, what it is, and what it was.
pub(super) fn plain(what: &What) -> Option<(String, Value, Value)> {
    let number = |no: Option<u64>| no.map_or(Value::Null, |no| json!(no.to_string()));
    Some(match what {
        What::Queue(Moved { from, to }) => ("group_id".into(), number(to.map(|no| no.0)), number(from.map(|no| no.0))),
        What::Owner(Moved { from, to }) => {
            ("assignee_id".into(), number(to.map(|no| no.0)), number(from.map(|no| no.0)))
        }
        What::Status(Moved { from, to }) => ("status".into(), json!(show::status(*to)), json!(show::status(*from))),
        What::Priority(Moved { from, to }) => ("priority".into(), json!(to), json!(from)),
        What::Kind(Moved { from, to }) => ("type".into(), json!(to), json!(from)),
        What::Subject(Moved { from, to }) => ("subject".into(), json!(to), json!(from)),
        What::Tags(Moved { from, to }) => {
            let line = |tags: &std::collections::BTreeSet<String>| tags.iter().cloned().collect::<Vec<_>>().join(" ");
            ("tags".into(), json!(line(to)), json!(line(from)))
        }
        What::Field(no, Moved { from, to }) => (no.to_string(), json!(to.join(" ")), json!(from.join(" "))),
        What::Extra(..) | What::Created(_) | What::Said(_) | What::Merged(_) | What::Deleted => return None,
    })
}

fn created(ticket: &Ticket, opened: &Opened) -> Vec<Value> {
    let mut initial = Map::new();
    initial.insert("subject".into(), json!(opened.subject));
    initial.insert("requester_id".into(), json!(ticket.requester.to_string()));
    initial.insert("status".into(), json!(show::status(opened.status)));
    initial.extend(opened.priority.as_ref().map(|priority| ("priority".into(), json!(priority))));
    initial.extend(opened.queue.map(|queue| ("group_id".into(), json!(queue.to_string()))));
    initial.extend(opened.owner.map(|owner| ("assignee_id".into(), json!(owner.to_string()))));
    if !opened.tags.is_empty() {
        let tags: Vec<_> = opened.tags.iter().cloned().collect();
        initial.insert("tags".into(), json!(tags.join(" ")));
    }
    initial.extend(opened.fields.iter().map(|(no, values)| (no.to_string(), json!(values.join(" ")))));
    initial.into_iter().map(|(name, value)| json!({ "type": "Create", "field_name": name, "value": value })).collect()
}
