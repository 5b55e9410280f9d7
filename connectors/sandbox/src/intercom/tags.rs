//! Labels: each is a record of the workspace with an id, put on a conversation and taken off one by one (Intercom sheet,
//! *Write-back*).

use super::login::{Caller, number, writer};
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show;
use crate::change::{TagChange, Update};
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use crate::ticket::{Ticket, What};
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A label's id: made of its name, so that it is the same in every run.
pub(super) fn tag_id(name: &str) -> u64 {
    name.bytes().fold(7_u64, |id, byte| (id * 31 + u64::from(byte)) % 899_999_981) + 100_000_000
}

/// A label as it stands on a conversation, with who put it there and when, as far as the history knows.
pub(super) fn applied(desk: &Helpdesk, ticket: &Ticket, name: &str) -> Value {
    let put = ticket.changes.iter().rev().find_map(|change| {
        let event = change.events.iter().find(|event| match &event.what {
            What::Tags(moved) => moved.to.contains(name) && !moved.from.contains(name),
            _ => false,
        })?;
        Some((change.at.as_second(), show::actor(desk, change, event)))
    });
    let (at, by) =
        put.map_or((Value::Null, Value::Null), |(at, by)| (json!(at), json!({ "type": by["type"], "id": by["id"] })));
    json!({ "type": "tag", "id": tag_id(name).to_string(), "name": name, "applied_at": at, "applied_by": by })
}

fn plain(name: &str) -> Value {
    json!({ "type": "tag", "id": tag_id(name).to_string(), "name": name })
}

/// All names of labels: those that were made and those that stand on anything.
fn names(desk: &Helpdesk, made: &BTreeSet<String>) -> BTreeSet<String> {
    desk.tickets.values().flat_map(|ticket| &ticket.tags).chain(made).cloned().collect()
}

/// `GET /tags`.
pub(super) fn list(desk: &Helpdesk, made: &BTreeSet<String>) -> Result<Response<Bytes>, Refusal> {
    let data: Vec<Value> = names(desk, made).iter().map(|name| plain(name)).collect();
    ok(&json!({ "type": "list", "data": data }))
}

/// `POST /tags`: makes a label, or finds the one of this name.
pub(super) fn make(caller: &Caller, call: &Call<'_>, made: &mut BTreeSet<String>) -> Result<Response<Bytes>, Refusal> {
    if caller.person.rights.changes == crate::people::Reach::Nothing {
        return Err(Refusal::Forbidden { scope: "write_tags" });
    }
    let body = call.body(&["name", "id"])?;
    let name = body.get("name").and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or(Refusal::invalid("invalid tag parameters"))?;
    made.insert(name.to_owned());
    ok(&plain(name))
}

/// `POST /conversations/{id}/tags`.
pub(super) fn add(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
    made: &BTreeSet<String>,
) -> Result<Response<Bytes>, Refusal> {
    caller.changeable(desk, no)?;
    let body = call.body(&["id", "admin_id"])?;
    let by = writer(desk, &body)?;
    let wanted = body.get("id").and_then(number);
    let name = names(desk, made).into_iter().find(|name| Some(tag_id(name)) == wanted).ok_or(Refusal::NoTag)?;
    let tags = Some(TagChange::Add(BTreeSet::from([name.clone()])));
    desk.update(no, &by, Update { tags, ..Update::default() });
    let ticket = desk.tickets.get(&no).ok_or(Refusal::NotFound)?;
    ok(&applied(desk, ticket, &name))
}

/// `DELETE /conversations/{id}/tags/{id}`, with the admin in its body.
pub(super) fn remove(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
    tag: u64,
) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.changeable(desk, no)?;
    let name = ticket.tags.iter().find(|name| tag_id(name) == tag).cloned().ok_or(Refusal::NoTag)?;
    let shown = applied(desk, ticket, &name);
    let by = writer(desk, &call.body(&["admin_id"])?)?;
    let tags = Some(TagChange::Remove(BTreeSet::from([name])));
    desk.update(no, &by, Update { tags, ..Update::default() });
    ok(&shown)
}
