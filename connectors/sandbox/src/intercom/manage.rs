//! `POST /conversations/{id}/parts`: assignment to a team or an admin, each a call of its own; closing, opening, snoozing
//! (Intercom sheet, *Write-back*).

use super::conversations::written;
use super::login::{Caller, is_admin, number, writer};
use super::refusals::Refusal;
use super::request::Call;
use crate::change::Update;
use crate::ids::{PersonNo, QueueNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{Status, Ticket};
use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const KEYS: [&str; 6] = ["message_type", "type", "admin_id", "assignee_id", "body", "snoozed_until"];

/// When a snoozed conversation wakes up.
pub(super) const SNOOZED_UNTIL: &str = "snoozed_until";

/// Carries it out.
pub(super) fn manage(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.changeable(desk, no)?;
    let body = call.body(&KEYS)?;
    let by = writer(desk, &body)?;
    let update = match body.get("message_type").and_then(Value::as_str) {
        Some("assignment") => assignment(desk, ticket, &body)?,
        Some("close") => Update { status: Some(Status::Solved), ..Update::default() },
        Some("open") => woken(Status::Open),
        Some("snoozed") => {
            let until = body.get("snoozed_until").and_then(Value::as_i64).filter(|at| *at > desk.now.as_second());
            let until = until.ok_or(Refusal::invalid("snoozed_until must be a time in the future"))?;
            let extra = BTreeMap::from([(SNOOZED_UNTIL.to_owned(), Some(until.to_string()))]);
            Update { status: Some(Status::Pending), extra, ..Update::default() }
        }
        _ => return Err(Refusal::invalid("message_type must be one of: close, snoozed, open, assignment")),
    };
    desk.update(no, &by, update);
    written(desk, call, no)
}

fn woken(status: Status) -> Update {
    Update { status: Some(status), extra: BTreeMap::from([(SNOOZED_UNTIL.to_owned(), None)]), ..Update::default() }
}

/// An assignment wakes a conversation that is closed or snoozed (part type `assign_and_reopen`).
fn assignment(desk: &Helpdesk, ticket: &Ticket, body: &Map<String, Value>) -> Result<Update, Refusal> {
    let wanted = body.get("assignee_id").and_then(number);
    let wanted =
        wanted.ok_or(Refusal::Invalid { code: "parameter_not_found", message: "assignee_id is missing".into() })?;
    let asleep = !matches!(ticket.status, Status::New | Status::Open);
    let mut update = if asleep { woken(Status::Open) } else { Update::default() };
    match (body.get("type").and_then(Value::as_str), wanted) {
        (Some("team"), 0) => update.queue = Some(None),
        (Some("admin"), 0) => update.owner = Some(None),
        (Some("team"), no) if desk.queues.contains_key(&QueueNo(no)) => update.queue = Some(Some(QueueNo(no))),
        (Some("admin"), no) => {
            let person = desk.person(PersonNo(no)).filter(|person| is_admin(person) && !person.suspended);
            update.owner = Some(Some(person.ok_or(Refusal::NoAssignee)?.no));
        }
        (Some("team"), _) => return Err(Refusal::NoAssignee),
        _ => return Err(Refusal::invalid("type must be one of: admin, team")),
    }
    Ok(update)
}
