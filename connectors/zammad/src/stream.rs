//! The change stream: a search by the time of the last change, oldest first, on the database itself (Zammad sheet, *Incremental
//! read*). How a list becomes a stream is the kit's [`walk`](handoffd_kit::walk); its ticks are milliseconds here. Whether
//! *after* is strict is not verified: each page begins a second earlier. Deleted tickets show in no list; who deleted one is
//! not told, and the next look finds it gone. A ticket's labels may change without a trace here.

use crate::api::{Ask, PAGE};
use crate::desk::ZammadDesk;
use crate::limits::TICKETS;
use crate::wire;
use handoffd_kit::desk::{Changed, Cursor, Page};
use handoffd_kit::error::{DeskError, Result};
use handoffd_kit::id::{StreamName, TicketId};
use handoffd_kit::walk::{Listed, Pace, Place};
use jiff::Timestamp;
use serde_json::{Value, json};

const OPERATION: &str = "read changes";

/// How far each poll reaches back over the last one.
pub(crate) const OVERLAP_MILLIS: i64 = 120_000;

const PACE: Pace = Pace { back: 1_000, overlap: OVERLAP_MILLIS };

impl ZammadDesk {
    /// One page of changes.
    pub(crate) async fn read_stream(
        &self,
        stream: &StreamName,
        cursor: Option<&Cursor>,
        since: Timestamp,
    ) -> Result<Page> {
        if stream.as_str() != TICKETS {
            return Err(DeskError::no_stream(OPERATION, "Zammad", stream));
        }
        let place = Place::read(cursor, since.as_millisecond());
        let walk = place.walk(PACE);
        let ask = self.changes(walk.at, walk.page)?;
        let raws = self.found(&ask).await?;
        let more = raws.len() >= PAGE;
        let tickets = listed(raws).ok_or_else(|| ask.malformed("the answer lists something that is no ticket"))?;
        let (fresh, next) = place.step(PACE, tickets, more, self.api.gate().now().as_millisecond());
        let changed = fresh.iter().map(|one| Changed {
            ticket: TicketId::new(one.id.to_string()),
            // The list has no labels: a head is read when the ticket is looked at.
            head: None,
            // Who changed it last, a mail that came in since does not change.
            by_us: false,
        });
        let cursor = next.cursor().ok_or_else(|| ask.malformed("the place cannot be kept"))?;
        Ok(Page { changed: changed.collect(), next: cursor, more: next.goes_on() })
    }

    fn changes(&self, at: i64, page: usize) -> Result<Ask> {
        let now = self.api.gate().now();
        let ask = |after: Timestamp| {
            let condition = json!({ "ticket.updated_at": { "operator": "after (absolute)", "value": after } });
            self.search(OPERATION, condition, ("updated_at", "asc"), page, now)
        };
        match Timestamp::from_millisecond(at.max(0)) {
            Ok(after) => Ok(ask(after)),
            Err(_) => Err(ask(now).malformed("the place lies outside of time")),
        }
    }
}

/// The tickets of a page; none: one of them has no id, so it could not be looked at.
fn listed(raws: Vec<Value>) -> Option<Vec<Listed<()>>> {
    let one = |raw: Value| {
        let ticket: wire::Ticket = serde_json::from_value(raw).ok()?;
        let id = ticket.id.get().copied().filter(|id| id.is_record())?;
        let at = ticket.updated_at.get().and_then(|at| at.parse::<Timestamp>().ok());
        Some(Listed { id, at: at.map(|at| at.as_millisecond()), kept: () })
    };
    raws.into_iter().map(one).collect()
}
