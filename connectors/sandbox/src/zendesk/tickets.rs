//! Reading tickets: one, several, and the list that works without admin rights.

use super::login::Caller;
use super::paging::{Order, page};
use super::people::sideloads;
use super::refusals::Refusal;
use super::request::Call;
use super::{show, sla};
use crate::ids::{PersonNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{End, Ticket};
use serde_json::{Value, json};

/// A ticket that the caller may see: others do not exist for them.
pub(super) fn visible<'a>(desk: &'a Helpdesk, caller: &Caller, no: TicketNo) -> Result<&'a Ticket, Refusal> {
    let ticket = desk.tickets.get(&no).filter(|ticket| ticket.end != Some(End::Deleted));
    ticket.filter(|ticket| sees(desk, caller, ticket)).ok_or(Refusal::NotFound)
}

fn sees(desk: &Helpdesk, caller: &Caller, ticket: &Ticket) -> bool {
    caller.person.and_then(|no| desk.person(no)).is_some_and(|person| person.rights.sees.covers(ticket.queue))
}

/// `GET /tickets/{id}`. It ignores `include=slas`, as one project reports of the real one (Zendesk sheet, *SLA data*).
pub(super) fn show(desk: &Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Value, Refusal> {
    let ticket = visible(desk, caller, no)?;
    let body = json!({ "ticket": show::ticket(desk, &call.base(), ticket) });
    Ok(sideloads(desk, call, body, &[ticket]))
}

/// `GET /tickets/show_many`.
pub(super) fn many(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Result<Value, Refusal> {
    let ids = call.ids()?;
    let found: Vec<&Ticket> = ids.iter().filter_map(|id| visible(desk, caller, TicketNo(*id)).ok()).collect();
    let shown: Vec<Value> = found.iter().map(|ticket| listed(desk, call, ticket)).collect();
    let body = json!({ "tickets": shown, "count": shown.len(), "next_page": null, "previous_page": null });
    Ok(sideloads(desk, call, body, &found))
}

/// `GET /tickets`, by number or by the time of the last update.
pub(super) fn list(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Result<Value, Refusal> {
    let by_update = call.param("sort").is_some_and(|sort| sort.ends_with("updated_at"));
    let order = match call.param("sort") {
        Some(sort) if sort.starts_with('-') => Order::Descending,
        Some("id" | "updated_at") | None => Order::Ascending,
        Some(_) => return Err(Refusal::BadParameter("sort")),
    };
    let horizon = desk.now - desk.habits.stream_lag;
    let listed_now = |ticket: &&Ticket| {
        ticket.end != Some(End::Deleted) && sees(desk, caller, ticket) && ticket.updated_at <= horizon
    };
    let key = |ticket: &Ticket| match by_update {
        true => (ticket.updated_at.as_second(), ticket.no.0),
        false => (0, ticket.no.0),
    };
    let items = desk.tickets.values().filter(listed_now).map(|ticket| (key(ticket), ticket)).collect();
    let mut on_page = Vec::new();
    let (body, _) = page(call, "tickets", items, order, |ticket| {
        on_page.push(ticket);
        listed(desk, call, ticket)
    })?;
    Ok(sideloads(desk, call, body, &on_page))
}

/// `GET /users/{id}/tickets/requested`, by number or by the time of opening.
pub(super) fn requested(desk: &Helpdesk, caller: &Caller, call: &Call<'_>, no: PersonNo) -> Result<Value, Refusal> {
    desk.person(no).ok_or(Refusal::NotFound)?;
    let by_opening = match call.param("sort_by") {
        Some("created_at") => true,
        Some("id") | None => false,
        Some(_) => return Err(Refusal::BadParameter("sort_by")),
    };
    let order = match call.param("sort_order") {
        Some("desc") => Order::Descending,
        Some("asc") | None => Order::Ascending,
        Some(_) => return Err(Refusal::BadParameter("sort_order")),
    };
    let theirs =
        |ticket: &&Ticket| ticket.requester == no && ticket.end != Some(End::Deleted) && sees(desk, caller, ticket);
    let key = |ticket: &Ticket| (if by_opening { ticket.created_at.as_second() } else { 0 }, ticket.no.0);
    let items = desk.tickets.values().filter(theirs).map(|ticket| (key(ticket), ticket)).collect();
    Ok(page(call, "tickets", items, order, |ticket| listed(desk, call, ticket))?.0)
}

/// A ticket as lists show it: with its clocks, if they are asked for.
pub(super) fn listed(desk: &Helpdesk, call: &Call<'_>, ticket: &Ticket) -> Value {
    let mut shown = show::ticket(desk, &call.base(), ticket);
    if call.includes("slas") {
        shown["slas"] = json!({ "policy_metrics": sla::shown(ticket, desk.now) });
    }
    shown
}
