//! The change streams: the list of tickets by the time of their last change, oldest first; once for those that are there and
//! once for those that were deleted, whom the first leaves out (Freshdesk sheet, *Incremental read*). How a list becomes a
//! stream is the kit's [`walk`](handoffd_kit::walk); its ticks are seconds here. No list goes beyond page 300, and whether
//! `updated_since` includes its second is not verified: the walk copes with both.

use crate::api::Ask;
use crate::desk::FreshdeskDesk;
use crate::limits::{DELETED, LIST, TICKETS};
use crate::wire::{self, Time};
use handoffd_kit::desk::{Changed, Cursor, Page};
use handoffd_kit::error::{DeskError, Result};
use handoffd_kit::id::{StreamName, TicketId};
use handoffd_kit::walk::{Listed, Pace, Place};
use jiff::Timestamp;
use serde_json::Value;

const OPERATION: &str = "read changes";

/// How far each poll reaches back over the last one.
pub(crate) const OVERLAP_SECONDS: i64 = 120;

const PACE: Pace = Pace { back: 1, overlap: OVERLAP_SECONDS };

impl FreshdeskDesk {
    /// One page of changes.
    pub(crate) async fn read_stream(
        &self,
        stream: &StreamName,
        cursor: Option<&Cursor>,
        since: Timestamp,
    ) -> Result<Page> {
        let filter = match stream.as_str() {
            TICKETS => None,
            DELETED => Some(DELETED),
            _ => return Err(DeskError::no_stream(OPERATION, "Freshdesk", stream)),
        };
        let now = self.api.gate().now();
        let place = Place::read(cursor, since.as_second());
        let walk = place.walk(PACE);
        let ask = self.changes(filter, walk.at)?;
        let (raws, more) = self.api.page::<Value>(&ask, walk.page).await?;
        let tickets = listed(raws).ok_or_else(|| ask.malformed("the answer lists something that is no ticket"))?;
        let (fresh, next) = place.step(PACE, tickets, more, self.api.gate().now().as_second());
        let heads = match filter {
            None => self.heads(&fresh.iter().map(|one| &one.kept).collect::<Vec<_>>(), now).await?,
            // A head is read when the deleted ticket is looked at.
            Some(_) => fresh.iter().map(|_| None).collect(),
        };
        let changed = fresh.iter().zip(heads).map(|(one, head)| Changed {
            ticket: TicketId::new(one.id.to_string()),
            head,
            // The list does not say who made a change.
            by_us: false,
        });
        let cursor = next.cursor().ok_or_else(|| ask.malformed("the place cannot be kept"))?;
        Ok(Page { changed: changed.collect(), next: cursor, more: next.goes_on() })
    }

    /// Without an instant only tickets of the last 30 days would come: there is always one.
    fn changes(&self, filter: Option<&str>, at: i64) -> Result<Ask> {
        let ask = Ask::get(OPERATION, "tickets", self.api.gate().now()).endpoint(LIST);
        let since = Timestamp::from_second(at.max(0)).map_err(|_| ask.malformed("the place lies outside of time"))?;
        let ask = ask.query("updated_since", since).query("order_by", "updated_at").query("order_type", "asc");
        Ok(match filter {
            Some(filter) => ask.query("filter", filter),
            None => ask.query("include", "description"),
        })
    }
}

/// The tickets of a page; none: one of them has no id, so it could not be looked at.
fn listed(raws: Vec<Value>) -> Option<Vec<Listed<Value>>> {
    let one = |raw: Value| {
        let ticket: wire::Ticket = serde_json::from_value(raw.clone()).ok()?;
        let id = ticket.id.get().copied().filter(|id| id.is_record())?;
        let at = ticket.updated_at.get().and_then(|at| Time::read(at)).map(|at| at.0.as_second());
        Some(Listed { id, at, kept: raw })
    };
    raws.into_iter().map(one).collect()
}
