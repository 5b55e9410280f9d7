//! People, statuses, priorities, dates and tickets in RT's form (RT sheet, *Reading a ticket*).

use crate::ids::{PersonNo, QueueNo};
use crate::seed::LABELS;
use crate::store::Helpdesk;
use crate::ticket::{End, FieldDef, Status, Ticket};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The user that stands for nobody, and its number.
pub(super) const NOBODY: &str = "Nobody";
pub(super) const NOBODY_NO: u64 = 6;
/// The user in whose name RT and its scrips act.
pub(super) const SYSTEM: &str = "RT_System";

/// Somebody's user name.
pub(super) fn login(desk: &Helpdesk, person: Option<PersonNo>) -> String {
    match person {
        None => NOBODY.into(),
        Some(Helpdesk::SYSTEM) => SYSTEM.into(),
        Some(no) => desk.person(no).map_or_else(|| no.to_string(), |person| person.login.clone()),
    }
}

/// Somebody's number, as transactions have it.
pub(super) fn number(person: Option<PersonNo>) -> u64 {
    person.map_or(NOBODY_NO, |no| no.0)
}

/// Somebody by user name or number: `Some(None)` is nobody, `None` that there is no such user.
pub(super) fn find_user(desk: &Helpdesk, who: &str) -> Option<Option<PersonNo>> {
    if who.eq_ignore_ascii_case(NOBODY) || who == NOBODY_NO.to_string() {
        return Some(None);
    }
    if who.eq_ignore_ascii_case(SYSTEM) {
        return Some(Some(Helpdesk::SYSTEM));
    }
    let is = |person: &&crate::people::Person| {
        person.no.to_string() == who || (person.no != Helpdesk::SYSTEM && person.login.eq_ignore_ascii_case(who))
    };
    desk.people.values().find(is).map(|person| Some(person.no))
}

/// A record as others name it.
pub(super) fn reference(base: &str, kind: &str, id: &str) -> Value {
    json!({ "id": id, "type": kind, "_url": format!("{base}/{kind}/{id}") })
}

pub(super) fn user_ref(desk: &Helpdesk, base: &str, person: Option<PersonNo>) -> Value {
    reference(base, "user", &login(desk, person))
}

pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What RT shows where a date is not set.
pub(super) const UNSET: &str = "1970-01-01T00:00:00Z";

/// The words of RT's default lifecycle. It has one state for waiting.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::New => "new",
        Status::Open => "open",
        Status::Pending | Status::OnHold => "stalled",
        Status::Solved => "resolved",
        Status::Closed => "rejected",
    }
}

pub(super) fn read_status(word: &str) -> Option<Status> {
    [Status::New, Status::Open, Status::Pending, Status::Solved, Status::Closed]
        .into_iter()
        .find(|one| status(*one).eq_ignore_ascii_case(word))
}

/// What a ticket's status is shown as: a deletion is one.
pub(super) fn ticket_status(ticket: &Ticket) -> &'static str {
    if ticket.end == Some(End::Deleted) { "deleted" } else { status(ticket.status) }
}

/// A priority as a number. The seeds write words.
pub(super) fn priority(word: Option<&str>) -> i64 {
    match word {
        Some("low") | None => 0,
        Some("normal") => 50,
        Some("high") => 75,
        Some("urgent") => 100,
        Some(number) => number.parse().unwrap_or(0),
    }
}

/// The word that RT shows for a priority.
pub(super) fn priority_word(level: i64) -> &'static str {
    match level {
        ..50 => "Low",
        50..100 => "Medium",
        _ => "High",
    }
}

/// What a custom field holds; the labels are the core's own.
pub(super) fn values(ticket: &Ticket, field: &FieldDef) -> Vec<String> {
    if field.no == LABELS {
        return ticket.tags.iter().cloned().collect();
    }
    ticket.fields.get(&field.no).cloned().unwrap_or_default()
}

pub(super) fn queue_name(desk: &Helpdesk, queue: Option<QueueNo>) -> &str {
    queue.and_then(|no| desk.queues.get(&no)).map_or("", |queue| &queue.name)
}

/// When a ticket is due: what was set on it.
pub(super) fn due(ticket: &Ticket) -> String {
    ticket.extra.get("Due").map_or_else(|| UNSET.into(), |due| format!("{}Z", due.replacen(' ', "T", 1)))
}

/// When a ticket was first put into this status, or not at all.
fn first(ticket: &Ticket, wanted: Status) -> String {
    let puts = |event: &crate::ticket::Event| matches!(&event.what, crate::ticket::What::Status(to) if to.to == wanted);
    let change = ticket.changes.iter().find(|change| change.events.iter().any(puts));
    change.map_or_else(|| UNSET.into(), |change| time(change.at))
}

/// A ticket as it is.
pub(super) fn ticket(desk: &Helpdesk, base: &str, me: PersonNo, ticket: &Ticket) -> Map<String, Value> {
    let id = ticket.no.to_string();
    let field = |def: &FieldDef| {
        let mut shown = reference(base, "customfield", &def.no.to_string());
        shown["name"] = json!(def.name);
        shown["values"] = json!(values(ticket, def));
        shown
    };
    let mut shown = json!({
        "id": ticket.no, "Type": "ticket", "Subject": ticket.subject, "Status": ticket_status(ticket),
        "Priority": priority(ticket.priority.as_deref()).to_string(),
        "InitialPriority": "0", "FinalPriority": "0",
        "TimeWorked": "0", "TimeLeft": "0", "TimeEstimated": "0",
        "SLA": ticket.extra.get("SLA"),
        "Queue": reference(base, "queue", &ticket.queue.map_or(0, |no| no.0).to_string()),
        "Owner": user_ref(desk, base, ticket.owner),
        "Creator": user_ref(desk, base, Some(ticket.requester)),
        "LastUpdatedBy": user_ref(desk, base, ticket.last_change().map(|change| change.by)),
        "Requestor": [user_ref(desk, base, Some(ticket.requester))], "Cc": [], "AdminCc": [],
        "EffectiveId": reference(base, "ticket", &id),
        "Created": time(ticket.created_at), "LastUpdated": time(ticket.updated_at),
        "Due": due(ticket), "Told": UNSET, "Starts": UNSET,
        "Started": first(ticket, Status::Open), "Resolved": first(ticket, Status::Solved),
        // In no fixed order: here the newest field comes first.
        "CustomFields": desk.fields.values().rev().map(field).collect::<Vec<_>>(),
    });
    shown["_hyperlinks"] = hyperlinks(desk, base, me, ticket);
    match shown {
        Value::Object(shown) => shown,
        _ => Map::new(),
    }
}

/// What can be done with a ticket, as far as the asker may.
fn hyperlinks(desk: &Helpdesk, base: &str, me: PersonNo, ticket: &Ticket) -> Value {
    let at = format!("{base}/ticket/{}", ticket.no);
    let mut links = vec![
        json!({ "ref": "self", "type": "ticket", "id": ticket.no, "_url": at }),
        json!({ "ref": "history", "_url": format!("{at}/history") }),
    ];
    if let Some(other) = ticket.extra.get("refers-to") {
        links.push(
            json!({ "ref": "refers-to", "type": "ticket", "id": other, "_url": format!("{base}/ticket/{other}") }),
        );
    }
    if desk.person(me).is_some_and(|person| person.rights.changes.covers(ticket.queue)) {
        links.push(json!({ "ref": "correspond", "_url": format!("{at}/correspond") }));
        links.push(json!({ "ref": "comment", "_url": format!("{at}/comment") }));
        links.push(json!({
            "ref": "lifecycle", "from": status(ticket.status), "to": "resolved", "label": "Resolve",
            "update": "Comment", "_url": format!("{at}/comment"),
        }));
    }
    Value::Array(links)
}
