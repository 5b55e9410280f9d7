//! Notes and replies (Freshdesk sheet, *Write-back*). A note is private unless it says otherwise; a reply is public.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, json};
use super::show;
use super::update::{by, changeable};
use crate::change::{NewMessage, Update};
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use crate::ticket::{Body, Visibility};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

/// `POST /tickets/{id}/notes`.
pub(super) fn note(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let body = known(call, &["body", "private", "notify_emails", "user_id", "incoming"])?;
    let visibility = match body.get("private") {
        None | Some(Value::Bool(true)) => Visibility::Internal,
        Some(Value::Bool(false)) => Visibility::Public,
        Some(_) => return Err(Refusal::invalid("private", "It should be a/an Boolean", "datatype_mismatch")),
    };
    say(desk, caller, no, &body, visibility)
}

/// `POST /tickets/{id}/reply`.
pub(super) fn reply(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let body = known(call, &["body", "from_email", "user_id", "cc_emails", "bcc_emails"])?;
    say(desk, caller, no, &body, Visibility::Public)
}

fn known(call: &Call<'_>, keys: &[&str]) -> Result<Map<String, Value>, Refusal> {
    let body = call.body()?;
    match body.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(Refusal::invalid(key, "Unexpected/invalid field in request", "invalid_field")),
        None => Ok(body),
    }
}

fn say(
    desk: &mut Helpdesk,
    caller: &Caller,
    no: TicketNo,
    body: &Map<String, Value>,
    visibility: Visibility,
) -> Result<Response<Bytes>, Refusal> {
    // The right is looked at before the values, as with an update.
    let (_, person) = changeable(desk, caller, no)?;
    let html = match body.get("body") {
        Some(Value::String(html)) if !html.trim().is_empty() => html.clone(),
        Some(Value::String(_)) | None => {
            return Err(Refusal::invalid(
                "body",
                "It should not be blank as this is a mandatory field",
                "missing_field",
            ));
        }
        Some(_) => return Err(Refusal::invalid("body", "It should be a/an String", "datatype_mismatch")),
    };
    let message = NewMessage::new(visibility, Body::Html(html));
    desk.update(no, &by(&person), Update { say: vec![message], ..Update::default() });
    let ticket = desk.tickets.get(&no).ok_or(Refusal::NotFound)?;
    let message = ticket.messages.last().ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::CREATED, &show::entry(desk, ticket, message)))
}
