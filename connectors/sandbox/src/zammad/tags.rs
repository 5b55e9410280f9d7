//! Labels: listed, and added and removed one by one without touching the others (Zammad sheet, *Write-back*).

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::update::by;
use crate::change::{TagChange, Update};
use crate::store::Helpdesk;
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `GET /tags?object=Ticket&o_id={id}`.
pub(super) fn list(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    let no = call.ticket().filter(|_| call.param("object") == Some("Ticket"));
    let ticket = caller.ticket(desk, no.ok_or(Refusal::Unprocessable("Invalid object".into()))?)?;
    ok(&json!({ "tags": ticket.tags }))
}

/// `POST /tags/add` and `DELETE /tags/remove`.
pub(super) fn change(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    adds: bool,
) -> Result<Response<Bytes>, Refusal> {
    let body = call.body()?;
    let item = body.get("item").and_then(Value::as_str).map(str::trim).filter(|item| !item.is_empty());
    let item = item.ok_or(Refusal::Unprocessable("Invalid item".into()))?;
    if body.get("object") != Some(&json!("Ticket")) {
        return Err(Refusal::Unprocessable("Invalid object".into()));
    }
    let no = call.ticket().ok_or(Refusal::NoRecord { model: "Ticket", id: 0 })?;
    caller.changeable(desk, no)?;
    let items = BTreeSet::from([item.to_owned()]);
    let tags = Some(if adds { TagChange::Add(items) } else { TagChange::Remove(items) });
    desk.update(no, &by(caller), Update { tags, ..Update::default() });
    ok(&json!(true))
}
