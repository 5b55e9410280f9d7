//! The cursor-based incremental export (Zendesk sheet, *Incremental read*): ordered by what changed when, the last
//! minute left out, admins only.

use super::paging::{decode, encode, link};
use super::people::sideloads;
use super::refusals::Refusal;
use super::request::Call;
use super::tickets::listed;
use crate::store::Helpdesk;
use crate::ticket::{End, Ticket};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// What happened less than this ago is not exported.
const LAG: SignedDuration = SignedDuration::from_secs(60);

/// `GET /incremental/tickets/cursor`.
pub(super) fn cursor(desk: &Helpdesk, call: &Call<'_>) -> Result<Value, Refusal> {
    let horizon = (desk.now - LAG.max(desk.habits.stream_lag)).as_second();
    let after = match (call.param("cursor"), call.param("start_time")) {
        (Some(cursor), _) => decode(cursor).ok_or(Refusal::BadPage)?,
        (None, Some(start)) => {
            let start: i64 = start.parse().map_err(|_| Refusal::BadParameter("start_time"))?;
            if start > (desk.now - LAG).as_second() {
                return Err(Refusal::TooRecent);
            }
            (start, 0)
        }
        (None, None) => return Err(Refusal::BadParameter("start_time")),
    };
    let size: usize = call.param("per_page").map_or(Ok(1000), str::parse).map_err(|_| Refusal::BadPage)?;
    let without_deleted = call.param("exclude_deleted") == Some("true");
    let is_due = |(key, ticket): &((i64, u64), &Ticket)| {
        *key > after && key.0 <= horizon && !(without_deleted && ticket.end == Some(End::Deleted))
    };
    let keyed = desk.tickets.values().map(|ticket| ((ticket.touched_at.as_second(), ticket.no.0), ticket));
    let mut due: Vec<_> = keyed.filter(is_due).collect();
    due.sort_by_key(|(key, _)| *key);
    let end_of_stream = due.len() <= size.clamp(1, 1000);
    due.truncate(size.clamp(1, 1000));
    let next = encode(due.last().map_or(after, |(key, _)| *key));
    let tickets: Vec<&Ticket> = due.into_iter().map(|(_, ticket)| ticket).collect();
    let shown: Vec<Value> = tickets.iter().map(|ticket| listed(desk, call, ticket)).collect();
    let body = json!({
        "tickets": shown,
        "after_cursor": next,
        "after_url": link(call, &["start_time", "cursor"], ("cursor", &next)),
        "before_cursor": null,
        "before_url": null,
        "end_of_stream": end_of_stream,
    });
    Ok(sideloads(desk, call, body, &tickets))
}
