//! Where an issue may go from here, and going there: a status is never set by itself (Jira Service Management sheet,
//! *Write-back*). Every status leads to every other, but what is closed is opened again in one way only.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, done, ok};
use super::update::by;
use super::words::{STATUSES, Word};
use crate::change::Update;
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use crate::ticket::{Status, Ticket};
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

/// Those that there are, with their ids.
fn open(ticket: &Ticket) -> Vec<(String, &'static Word)> {
    let there = |(_, word): &(usize, &'static Word)| {
        let way = word.means != ticket.status && word.means != Status::New;
        way && (ticket.status != Status::Closed || word.means == Status::Open)
    };
    STATUSES.iter().enumerate().filter(there).map(|(at, word)| (format!("{}1", at + 1), word)).collect()
}

/// `GET /issue/{id}/transitions`: empty for those who may not go anywhere.
pub(super) fn list(desk: &Helpdesk, caller: &Caller, no: TicketNo) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.issue(desk, no)?;
    let may = caller.person.rights.changes.covers(ticket.queue);
    let one = |(id, word): &(String, &Word)| {
        json!({
            "id": id, "name": format!("To {}", word.name), "to": word.shown(), "hasScreen": false, "isGlobal": true,
            "isInitial": false, "isConditional": false, "isAvailable": true,
        })
    };
    let all: Vec<Value> = open(ticket).iter().filter(|_| may).map(one).collect();
    ok(&json!({ "expand": "transitions", "transitions": all }))
}

/// `POST /issue/{id}/transitions`.
pub(super) fn go(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let body = call.body(&["transition", "fields", "update", "historyMetadata", "properties"])?;
    let ticket = caller.editable(desk, no)?;
    let wanted = body.get("transition").and_then(|transition| transition["id"].as_str()).unwrap_or_default();
    let found = open(ticket).into_iter().find(|(id, _)| id == wanted).map(|(_, word)| word.means);
    let status = found.ok_or_else(|| {
        Refusal::bad(format!("It seems that you have tried to perform a workflow operation (id {wanted}) that is not valid for the current state of this issue."))
    })?;
    let noted = body.get("historyMetadata").cloned().unwrap_or(Value::Null);
    desk.update(no, &by(caller, noted), Update { status: Some(status), ..Update::default() });
    done()
}
