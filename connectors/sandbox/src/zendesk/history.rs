//! What was said on a ticket, and what was changed.

use super::login::Caller;
use super::paging::{self, Order, page};
use super::people::users_of;
use super::refusals::Refusal;
use super::request::Call;
use super::tickets::visible;
use super::{audit, show};
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use serde_json::Value;

/// `GET /tickets/{id}/comments`.
pub(super) fn comments(desk: &Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Value, Refusal> {
    let ticket = visible(desk, caller, no)?;
    let items = ticket.messages.iter().map(|message| ((message.at.as_second(), message.no.0), message)).collect();
    let mut authors = Vec::new();
    let (body, _) = page(call, "comments", items, order(call), |message| {
        authors.push(message.author);
        show::comment(desk, &call.base(), message)
    })?;
    Ok(match call.includes("users") {
        true => paging::with(body, "users", users_of(desk, &call.base(), authors)),
        false => body,
    })
}

/// `GET /tickets/{id}/audits`.
pub(super) fn audits(desk: &Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Value, Refusal> {
    let ticket = visible(desk, caller, no)?;
    let items = ticket.changes.iter().map(|change| ((change.at.as_second(), change.no.0), change)).collect();
    let mut authors = Vec::new();
    let (body, _) = page(call, "audits", items, order(call), |change| {
        authors.push(change.by);
        audit::audit(desk, &call.base(), ticket, change)
    })?;
    Ok(match call.includes("users") {
        true => paging::with(body, "users", users_of(desk, &call.base(), authors)),
        false => body,
    })
}

fn order(call: &Call<'_>) -> Order {
    let descending = call.param("sort").is_some_and(|sort| sort.starts_with('-'))
        || call.param("sort_order").is_some_and(|order| order.eq_ignore_ascii_case("desc"));
    if descending { Order::Descending } else { Order::Ascending }
}
