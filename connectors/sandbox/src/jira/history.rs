//! `GET /issue/{id}/changelog`: who changed which field from what to what, oldest first (Jira Service Management sheet,
//! *History*). Comments are not in it, and neither is the issue's creation.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show::{time, user};
use super::words::{STATUSES, TEAM_FIELD, TEAM_NAME, Word, account_id, field_id, key, priority, status};
use crate::ids::{PersonNo, QueueNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{Cause, Change, Event, Status, What};
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

/// One page of it.
pub(super) fn of_issue(
    desk: &Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.issue(desk, no)?;
    let all: Vec<Value> = ticket.changes.iter().flat_map(|change| entries(desk, change)).collect();
    let (start, most) = (call.number("startAt", 0)?, call.number("maxResults", 100)?.min(100));
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(start).take(most).collect();
    let last = start + page.len() >= total;
    ok(&json!({ "startAt": start, "maxResults": most, "total": total, "isLast": last, "values": page }))
}

/// A change as one entry, and what an automation did within it as another.
pub(super) fn entries(desk: &Helpdesk, change: &Change) -> Vec<Value> {
    let (own, others): (Vec<&Event>, Vec<&Event>) = change.events.iter().partition(|event| event.cause == change.cause);
    let parts = [(change.by, change.no.0, own), (Helpdesk::SYSTEM, change.no.0 + 1_000_000, others)];
    let entry = |(by, id, events): (PersonNo, u64, Vec<&Event>)| {
        let items: Vec<Value> = events.into_iter().filter_map(|event| item(desk, &event.what)).collect();
        // What a rule of the site's own does, its app does.
        let by = if matches!(change.cause, Cause::Rule(_)) { Helpdesk::SYSTEM } else { by };
        let mut entry = json!({
            "id": id.to_string(), "author": user(desk, Some(by)), "created": time(change.at), "items": items,
        });
        if !change.custom.is_null() && by == change.by {
            entry["historyMetadata"] = change.custom.clone();
        }
        (entry["items"] != json!([])).then_some(entry)
    };
    parts.into_iter().filter_map(entry).collect()
}

type Side = (Option<String>, Option<String>);

fn set(field: &str, id: &str, kind: &str, from: Side, to: Side) -> Value {
    json!({
        "field": field, "fieldId": id, "fieldtype": kind,
        "from": from.0, "fromString": from.1, "to": to.0, "toString": to.1,
    })
}

/// A field with what it was and is; none: this sets no field.
fn item(desk: &Helpdesk, what: &What) -> Option<Value> {
    let queue = |no: Option<QueueNo>| {
        let queue = no.and_then(|no| desk.queues.get(&no));
        (queue.map(|queue| queue.no.to_string()), queue.map(|queue| queue.name.clone()))
    };
    let owner = |no: Option<PersonNo>| {
        let person = no.and_then(|no| desk.person(no));
        (person.map(account_id), person.map(|person| person.name.clone()))
    };
    let state = |wanted: Status| {
        let word: &Word = STATUSES.iter().find(|word| word.means == wanted).unwrap_or_else(|| status(wanted));
        (Some(word.id.to_owned()), Some(word.name.to_owned()))
    };
    let level = |word: &Option<String>| {
        let shown = priority(word.as_deref());
        let text = |key: &str| shown[key].as_str().map(str::to_owned);
        (text("id"), text("name"))
    };
    let plain = |text: String| (None, Some(text));
    let joined = |tags: &std::collections::BTreeSet<String>| {
        plain(tags.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
    };
    Some(match what {
        What::Queue(moved) => set(TEAM_NAME, TEAM_FIELD, "custom", queue(moved.from), queue(moved.to)),
        What::Owner(moved) => set("assignee", "assignee", "jira", owner(moved.from), owner(moved.to)),
        What::Status(moved) => set("status", "status", "jira", state(moved.from), state(moved.to)),
        What::Priority(moved) => set("priority", "priority", "jira", level(&moved.from), level(&moved.to)),
        What::Subject(moved) => set("summary", "summary", "jira", plain(moved.from.clone()), plain(moved.to.clone())),
        What::Tags(moved) => set("labels", "labels", "jira", joined(&moved.from), joined(&moved.to)),
        What::Field(no, moved) => {
            let def = desk.fields.get(no)?;
            set(&def.name, &field_id(def), "custom", plain(moved.from.join(", ")), plain(moved.to.join(", ")))
        }
        What::Merged(into) => {
            let key = desk.tickets.get(into).map(key).unwrap_or_default();
            let words = format!("This work item duplicates {key}");
            json!({
                "field": "Link", "fieldtype": "jira", "from": null, "fromString": null, "to": key, "toString": words,
            })
        }
        What::Created(_) | What::Said(_) | What::Kind(_) | What::Extra(..) | What::Deleted => return None,
    })
}
