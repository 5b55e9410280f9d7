//! `PUT /tickets/{id}`: attributes and one article in one transaction, answered with the ticket (Zammad sheet, *Write-back*).

use super::articles;
use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show::{self, field_name};
use super::words::{PRIORITIES, STATES, State};
use crate::change::{By, Update};
use crate::ids::{PersonNo, QueueNo, TicketNo};
use crate::people::{Person, Role};
use crate::store::Helpdesk;
use crate::ticket::{Cause, FieldDef, FieldType, Status, Ticket};
use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Who makes a change through the API.
pub(super) fn by(caller: &Caller) -> By {
    By { person: caller.person.no, cause: Cause::Request, custom: Value::Null }
}

/// Carries an update out.
pub(super) fn update(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.changeable(desk, no)?;
    let body = call.body()?;
    let mut update = read(desk, ticket, &body)?;
    if let Some(queue) = update.queue
        && !caller.person.rights.changes.covers(queue)
    {
        return Err(Refusal::NotAuthorized);
    }
    update.owner = owner_after(desk, ticket, &update);
    match body.get("article") {
        None | Some(Value::Null) => {}
        Some(Value::Object(article)) => update.say.push(articles::read(article)?),
        Some(_) => return Err(Refusal::Unprocessable("Need at least an 'article body' field.".into())),
    }
    desk.update(no, &by(caller), update);
    let ticket = desk.tickets.get(&no).ok_or(Refusal::NoRecord { model: "Ticket", id: no.0 })?;
    ok(&show::ticket(desk, ticket, call.expanded()))
}

/// An owner who is inactive, no agent, or has no full right in the group is silently replaced by nobody, on open tickets.
fn owner_after(desk: &Helpdesk, ticket: &Ticket, update: &Update) -> Option<Option<PersonNo>> {
    let status = update.status.unwrap_or(ticket.status);
    let queue = update.queue.unwrap_or(ticket.queue);
    let Some(owner) = update.owner.unwrap_or(ticket.owner) else { return update.owner };
    let open = !matches!(status, Status::Solved | Status::Closed);
    if open && !may_own(desk, desk.person(owner), queue) { Some(None) } else { update.owner }
}

fn may_own(desk: &Helpdesk, person: Option<&Person>, queue: Option<QueueNo>) -> bool {
    person.is_some_and(|person| {
        let agent = matches!(person.role, Role::Agent | Role::Admin | Role::Bot) && !person.suspended;
        agent && queue.is_none_or(|queue| desk.is_member(queue, person.no))
    })
}

fn read(desk: &Helpdesk, ticket: &Ticket, body: &Map<String, Value>) -> Result<Update, Refusal> {
    let mut update = Update::default();
    for (key, sent) in body {
        match (key.as_str(), sent) {
            ("article", _) => {}
            ("group", Value::String(name)) => {
                let queue = desk.queues.values().find(|queue| queue.name == *name);
                update.queue = Some(Some(queue.ok_or_else(|| Refusal::no_lookup("group", name))?.no));
            }
            ("group_id", sent) => update.queue = Some(Some(group(desk, sent)?)),
            ("owner", Value::String(name)) => {
                let person = desk.people.values().find(|person| person.email == *name || person.login == *name);
                update.owner = Some(Some(person.ok_or_else(|| Refusal::no_lookup("owner", name))?.no));
            }
            ("owner_id", sent) => update.owner = Some(owner(desk, sent)?),
            ("state" | "state_id", sent) => update.status = Some(state(key, sent, body, ticket)?),
            ("priority" | "priority_id", sent) => update.priority = Some(Some(priority(key, sent)?)),
            ("title", Value::String(title)) => update.subject = Some(title.clone()),
            ("pending_time", Value::String(at)) if at.parse::<Timestamp>().is_ok() => {
                update.extra.insert(key.clone(), Some(at.clone()));
            }
            (name, sent) => {
                let def = desk.fields.values().find(|def| field_name(def) == name);
                // Zammad leaves out what it does not know; here a misspelt key is found.
                let def =
                    def.ok_or_else(|| Refusal::Unprocessable(format!("unknown attribute '{name}' for Ticket.")))?;
                update.fields.insert(def.no, value(def, sent)?);
            }
        }
    }
    Ok(update)
}

fn group(desk: &Helpdesk, sent: &Value) -> Result<QueueNo, Refusal> {
    let no = sent.as_u64().map(QueueNo).filter(|no| desk.queues.contains_key(no));
    no.ok_or_else(|| Refusal::Unprocessable(format!("Invalid value for param 'group_id': {sent}")))
}

fn owner(desk: &Helpdesk, sent: &Value) -> Result<Option<PersonNo>, Refusal> {
    let no = sent.as_u64().map(PersonNo).filter(|no| desk.people.contains_key(no));
    let no = no.ok_or_else(|| Refusal::Unprocessable(format!("Invalid value for param 'owner_id': {sent}")))?;
    Ok(Some(no).filter(|no| *no != Helpdesk::SYSTEM))
}

fn state(key: &str, sent: &Value, body: &Map<String, Value>, ticket: &Ticket) -> Result<Status, Refusal> {
    let is = |state: &&State| Some(state.name) == sent.as_str() || Some(state.id) == sent.as_u64();
    let found = STATES.iter().find(is).filter(|state| state.active);
    let state = found.ok_or_else(|| Refusal::no_lookup(key, &sent.as_str().map_or(sent.to_string(), str::to_owned)))?;
    let pends = state.kind.1.starts_with("pending");
    if pends && !body.contains_key("pending_time") && !ticket.extra.contains_key("pending_time") {
        return Err(Refusal::Unprocessable("Missing required value for field 'pending_time'!".into()));
    }
    state.means.ok_or_else(|| Refusal::Unprocessable(format!("Invalid state {}", state.name)))
}

fn priority(key: &str, sent: &Value) -> Result<String, Refusal> {
    let by_id = sent.as_u64().and_then(|id| PRIORITIES.get((id as usize).wrapping_sub(1)));
    let by_name = || PRIORITIES.iter().find(|(_, name)| Some(*name) == sent.as_str());
    let found = by_id.or_else(by_name).ok_or_else(|| Refusal::no_lookup(key, &sent.to_string()))?;
    Ok(found.0.to_owned())
}

/// A custom field's values.
fn value(def: &FieldDef, sent: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::Unprocessable(format!("Invalid value for {}", field_name(def)));
    match (def.kind, sent) {
        (_, Value::Null) => Ok(vec![]),
        (FieldType::Number, Value::Number(number)) => Ok(vec![number.to_string()]),
        (FieldType::YesNo, Value::Bool(yes)) => Ok(vec![yes.to_string()]),
        (FieldType::Date, Value::String(date)) if date.parse::<jiff::civil::Date>().is_ok() => Ok(vec![date.clone()]),
        (FieldType::Choice, Value::String(text)) if def.options.contains(text) => Ok(vec![text.clone()]),
        (FieldType::Text, Value::String(text)) if text.is_empty() => Ok(vec![]),
        (FieldType::Text, Value::String(text)) => Ok(vec![text.clone()]),
        _ => Err(wrong()),
    }
}
