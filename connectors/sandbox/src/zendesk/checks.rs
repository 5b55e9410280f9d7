//! What Zendesk checks before it changes a ticket, in its order: rights, the safe update's stamp, then the ticket itself.

use super::login::Caller;
use super::refusals::Refusal;
use super::show;
use super::tickets::visible;
use crate::change::Update;
use crate::ids::{FieldNo, PersonNo, TicketNo};
use crate::people::Person;
use crate::store::Helpdesk;
use crate::ticket::{FieldType, Status, Ticket};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A ticket holds at most this many comments (Zendesk sheet, *Objects*).
const COMMENTS_MAX: usize = 5000;

/// A ticket that the caller may change, and who they are.
pub(super) fn changeable<'a>(
    desk: &'a Helpdesk,
    caller: &Caller,
    no: TicketNo,
) -> Result<(&'a Ticket, &'a Person), Refusal> {
    let ticket = visible(desk, caller, no)?;
    let person = caller.person.and_then(|no| desk.person(no)).ok_or(Refusal::Unauthenticated)?;
    if !person.rights.changes.covers(ticket.queue) {
        return Err(Refusal::Forbidden);
    }
    Ok((ticket, person))
}

/// The mere presence of `safe_update` switches the comparison on, `false` too (Zendesk sheet, *Write-back*).
pub(super) fn stamp(ticket: &Ticket, safe_update: Option<&Value>, stamp: Option<&str>) -> Result<(), Refusal> {
    if safe_update.is_none() {
        return Ok(());
    }
    let stamp: Timestamp = stamp.and_then(|stamp| stamp.parse().ok()).ok_or(Refusal::BadParameter("updated_stamp"))?;
    match stamp.as_second() == ticket.updated_at.as_second() {
        true => Ok(()),
        false => Err(Refusal::Conflict),
    }
}

/// Whether the ticket can become what the update makes of it.
pub(super) fn valid(desk: &Helpdesk, ticket: &Ticket, update: &Update) -> Result<(), Refusal> {
    open_for_changes(desk, ticket)?;
    if ticket.messages.len() + update.say.len() > COMMENTS_MAX {
        return Err(Refusal::invalid("comment", "Comment: the ticket has too many comments"));
    }
    assignee(desk, ticket, update)?;
    update.fields.iter().try_for_each(|(no, values)| field(desk, *no, values))?;
    if update.status == Some(Status::Solved) {
        solvable(desk, ticket, update)?;
    }
    Ok(())
}

fn open_for_changes(desk: &Helpdesk, ticket: &Ticket) -> Result<(), Refusal> {
    if ticket.status == Status::Closed {
        return Err(Refusal::invalid("status", "Status: closed prevents ticket update"));
    }
    let requester = desk.person(ticket.requester);
    match requester.filter(|person| person.suspended) {
        Some(person) => Err(Refusal::invalid("requester", format!("Requester: {} is suspended.", person.name))),
        None => Ok(()),
    }
}

fn assignee(desk: &Helpdesk, ticket: &Ticket, update: &Update) -> Result<(), Refusal> {
    let queue = update.queue.unwrap_or(ticket.queue);
    if let Some(queue) = queue
        && !desk.queues.contains_key(&queue)
    {
        return Err(Refusal::invalid("group", "Group: is invalid"));
    }
    let Some(Some(owner)) = update.owner else { return Ok(()) };
    if !is_agent(desk, owner) {
        return Err(Refusal::invalid("assignee", "Assignee: is invalid"));
    }
    match queue {
        Some(queue) if !desk.is_member(queue, owner) => {
            Err(Refusal::invalid("assignee", "Assignee: is not a member of the group"))
        }
        _ => Ok(()),
    }
}

fn is_agent(desk: &Helpdesk, no: PersonNo) -> bool {
    desk.person(no).is_some_and(|person| person.role.is_staff() && !person.suspended)
}

fn field(desk: &Helpdesk, no: FieldNo, values: &[String]) -> Result<(), Refusal> {
    let wrong = |what: &str| {
        let detail =
            json!({ "description": what, "ticket_field_id": no, "ticket_field_type": show::field_class(desk, no) });
        Err(Refusal::Invalid(json!({ "base": [detail] })))
    };
    let Some(def) = desk.fields.get(&no) else { return wrong("Custom field: does not exist") };
    let fits = |value: &String| match def.kind {
        FieldType::Text => true,
        FieldType::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
        FieldType::YesNo => ["true", "false"].contains(&value.as_str()),
        FieldType::Date => value.parse::<jiff::civil::Date>().is_ok(),
        FieldType::Choice => def.options.contains(value),
    };
    match values.iter().all(fits) && (def.many || values.len() <= 1) {
        true => Ok(()),
        false => wrong(&format!("{}: is invalid", def.name)),
    }
}

/// A ticket is solved by somebody, and with every field that solving requires.
fn solvable(desk: &Helpdesk, ticket: &Ticket, update: &Update) -> Result<(), Refusal> {
    if update.owner.unwrap_or(ticket.owner).is_none() {
        return Err(Refusal::invalid("assignee", "Assignee: is required when solving a ticket"));
    }
    let is_empty = |no: &FieldNo| update.fields.get(no).or_else(|| ticket.fields.get(no)).is_none_or(Vec::is_empty);
    let missing = desk.fields.values().filter(|def| def.required_on_solve && is_empty(&def.no));
    let details: Vec<Value> = missing
        .map(|def| {
            json!({
                "description": format!("{}: is required when solving a ticket", def.name),
                "ticket_field_id": def.no,
                "ticket_field_type": show::field_class(desk, def.no),
            })
        })
        .collect();
    if details.is_empty() { Ok(()) } else { Err(Refusal::Invalid(json!({ "base": details }))) }
}
