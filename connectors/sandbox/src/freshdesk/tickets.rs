//! Reading tickets: one, the list, and what was said on one.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, json};
use super::show;
use crate::ids::{PersonNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{End, Ticket};
use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::{SignedDuration, Timestamp};

/// Without an instant, only tickets created within this are listed (Freshdesk sheet, *Incremental read*).
const DEFAULT_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 30);

const TOO_DEEP: &str = "You cannot access tickets beyond the 300th page. Please provide a smaller page number.";

/// A ticket that the caller may see: others do not exist for them.
pub(super) fn visible<'a>(desk: &'a Helpdesk, caller: &Caller, no: TicketNo) -> Result<&'a Ticket, Refusal> {
    desk.tickets.get(&no).filter(|ticket| sees(caller, ticket)).ok_or(Refusal::NotFound)
}

fn sees(caller: &Caller, ticket: &Ticket) -> bool {
    caller.person.rights.sees.covers(ticket.queue)
}

/// `GET /tickets/{id}`: also one that was deleted, which says so.
pub(super) fn one(desk: &Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Response<Bytes>, Refusal> {
    call.only(&["include"])?;
    included(call, &["stats", "requester", "company", "conversations"])?;
    let ticket = visible(desk, caller, no)?;
    Ok(json(StatusCode::OK, &show::ticket(desk, ticket, call.included().any(|word| word == "stats"))))
}

/// `GET /tickets`.
pub(super) fn list(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    call.only(&["page", "per_page", "updated_since", "order_by", "order_type", "filter", "include", "requester_id"])?;
    included(call, &["stats", "requester", "description", "company"])?;
    let wrong = |field: &str, message: &str| Refusal::invalid(field, message, "invalid_value");
    let since = match call.param("updated_since") {
        None => None,
        Some(text) => Some(text.parse::<Timestamp>().map_err(|_| wrong("updated_since", "It should be a valid date"))?),
    };
    let deleted = match call.param("filter") {
        None => false,
        Some("deleted") => true,
        Some(_) => return Err(wrong("filter", "It should be one of these values: 'deleted'")),
    };
    let requester = match call.param("requester_id") {
        None => None,
        Some(id) => {
            Some(PersonNo(id.parse().map_err(|_| wrong("requester_id", "It should be a/an Positive Integer"))?))
        }
    };
    let horizon = desk.now - desk.habits.stream_lag;
    let shown = |ticket: &&Ticket| {
        let recent = match since {
            Some(since) => ticket.updated_at.as_second() >= since.as_second(),
            None => ticket.created_at > desk.now - DEFAULT_WINDOW,
        };
        let there = (ticket.end == Some(End::Deleted)) == deleted && ticket.updated_at <= horizon;
        there && recent && sees(caller, ticket) && requester.is_none_or(|no| ticket.requester == no)
    };
    let mut tickets: Vec<&Ticket> = desk.tickets.values().filter(shown).collect();
    match call.param("order_by") {
        None | Some("created_at") => tickets.sort_by_key(|ticket| (ticket.created_at.as_second(), ticket.no)),
        Some("updated_at") => tickets.sort_by_key(|ticket| (ticket.updated_at.as_second(), ticket.no)),
        Some(_) => {
            return Err(wrong("order_by", "It should be one of these values: 'created_at,due_by,updated_at,status'"));
        }
    }
    match call.param("order_type") {
        Some("asc") => {}
        None | Some("desc") => tickets.reverse(),
        Some(_) => return Err(wrong("order_type", "It should be one of these values: 'asc,desc'")),
    }
    let has = |wanted: &str| call.included().any(|word| word == wanted);
    let (described, stats) = (has("description"), has("stats"));
    call.page(tickets, Some(TOO_DEEP), |ticket| show::listed(desk, ticket, described, stats))
}

fn included(call: &Call<'_>, known: &[&str]) -> Result<(), Refusal> {
    match call.included().all(|word| known.contains(&word)) {
        true => Ok(()),
        false => {
            let words = format!("It should be one of these values: '{}'", known.join(","));
            Err(Refusal::invalid("include", &words, "invalid_value"))
        }
    }
}

/// `GET /tickets/{id}/conversations`, oldest first, without the ticket's first message.
pub(super) fn conversations(
    desk: &Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    call.only(&["page", "per_page"])?;
    let ticket = visible(desk, caller, no)?;
    let entries = ticket.messages.iter().skip(1).collect();
    call.page(entries, None, |message| show::entry(desk, ticket, message))
}
