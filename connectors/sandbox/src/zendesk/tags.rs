//! Tags added and removed without touching the others (Zendesk sheet, *Write-back*, tags).

use super::checks;
use super::login::Caller;
use super::refusals::Refusal;
use super::request::Call;
use super::tickets::visible;
use crate::change::{By, TagChange, Update};
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use crate::ticket::Cause;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    tags: BTreeSet<String>,
    safe_update: Option<Value>,
    updated_stamp: Option<String>,
}

/// `GET /tickets/{id}/tags`.
pub(super) fn list(desk: &Helpdesk, caller: &Caller, no: TicketNo) -> Result<Value, Refusal> {
    Ok(json!({ "tags": visible(desk, caller, no)?.tags }))
}

/// `PUT /tickets/{id}/tags`.
pub(super) fn add(desk: &mut Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Value, Refusal> {
    change(desk, caller, call, no, TagChange::Add)
}

/// `DELETE /tickets/{id}/tags`.
pub(super) fn remove(desk: &mut Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Value, Refusal> {
    change(desk, caller, call, no, TagChange::Remove)
}

fn change(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
    how: fn(BTreeSet<String>) -> TagChange,
) -> Result<Value, Refusal> {
    let Request { tags, safe_update, updated_stamp } = call.body()?;
    let (ticket, person) = checks::changeable(desk, caller, no)?;
    checks::stamp(ticket, safe_update.as_ref(), updated_stamp.as_deref())?;
    let update = Update { tags: Some(how(tags)), ..Update::default() };
    checks::valid(desk, ticket, &update)?;
    let by = By { person: person.no, cause: Cause::Request, custom: Value::Null };
    desk.update(no, &by, update);
    list(desk, caller, no)
}
