//! The change streams: the list of tickets by the time of their last change, oldest first; once for those that are there and
//! once for those that were deleted, whom the first leaves out. Where one stands is a [`Place`], which travels as the kit's
//! opaque cursor (Freshdesk sheet, *Incremental read*).
//!
//! Page numbers shift while tickets change, and end at 300. So a full page is followed by the first page *since its last
//! ticket*, not by the second one: nothing can slip between. Only where more tickets than a page holds changed in one second
//! are further pages read, and all of them again until nothing new is among them. Whether `updated_since` includes its second
//! is not verified: each read begins one second earlier and copes with both.

use crate::api::Ask;
use crate::desk::FreshdeskDesk;
use crate::limits::{DELETED, LIST, TICKETS};
use crate::wire::{self, Id, Time};
use handoffd_kit::desk::{Changed, Cursor, Page};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::id::{StreamName, TicketId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

const OPERATION: &str = "read changes";

/// How far each poll reaches back over the last one.
pub(crate) const OVERLAP_SECONDS: i64 = 120;

/// More are not kept to recognise repeats; repeats are allowed.
const MOST_SEEN: usize = 5_000;

/// How often the pages of one crowded second are read at most.
const MOST_PASSES: u8 = 4;

/// Where a stream was read up to. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Everything that changed before was seen.
    from: i64,
    /// What changed before was not asked for.
    since: i64,
    /// What was seen of late: ticket and second.
    #[serde(default)]
    seen: BTreeSet<(i64, i64)>,
    /// A walk up the list that has not ended.
    #[serde(default)]
    walk: Option<Walk>,
}

/// A walk from the last high-water mark to the end of the list, one page a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    /// The pages are of what changed since then.
    at: i64,
    /// The next one of them.
    page: usize,
    /// The newest change that was met.
    newest: i64,
    /// Whether this pass over several pages has met anything new.
    found: bool,
    /// How often they were read before.
    passes: u8,
}

/// A ticket of a page, as far as the stream cares.
struct Seen {
    id: Id,
    /// When it last changed; none: unreadable, so it always counts as changed.
    at: Option<i64>,
    raw: Value,
}

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
            other => {
                let error = DeskError::new(DeskErrorKind::Refused, Retry::Never, OPERATION);
                return Err(error.words(format!("Freshdesk has no stream {other:?}")));
            }
        };
        let start = || Place { from: since.as_second(), since: since.as_second(), ..Place::default() };
        // A cursor of another version is no reason to stop: the beginning is still there.
        let place = cursor.and_then(|cursor| serde_json::from_str::<Place>(&cursor.0).ok()).unwrap_or_else(start);
        let walk = place.begun();
        let ask = self.changes(filter, walk.at)?;
        let (raws, more) = self.api.page::<Value>(&ask, walk.page).await?;
        let tickets = seen(raws).ok_or_else(|| ask.malformed("the answer lists something that is no ticket"))?;
        let (fresh, next) = place.step(walk, tickets, more, self.api.now().as_second());
        let heads = match filter {
            None => self.heads(&fresh.iter().map(|one| &one.raw).collect::<Vec<_>>(), self.api.now()).await?,
            // A head is read when the deleted ticket is looked at.
            Some(_) => fresh.iter().map(|_| None).collect(),
        };
        let changed = fresh.iter().zip(heads).map(|(one, head)| Changed {
            ticket: TicketId::new(one.id.to_string()),
            head,
            // The list does not say who made a change.
            by_us: false,
        });
        let more = next.walk.is_some();
        let cursor = serde_json::to_string(&next).map_err(|_| ask.malformed("the place cannot be kept"))?;
        Ok(Page { changed: changed.collect(), next: Cursor(cursor), more })
    }

    /// Without an instant only tickets of the last 30 days would come: there is always one.
    fn changes(&self, filter: Option<&str>, at: i64) -> Result<Ask> {
        let ask = Ask::get(OPERATION, "tickets", self.api.now()).endpoint(LIST);
        let since = Timestamp::from_second(at.max(0)).map_err(|_| ask.malformed("the place lies outside of time"))?;
        let ask = ask.query("updated_since", since).query("order_by", "updated_at").query("order_type", "asc");
        Ok(match filter {
            Some(filter) => ask.query("filter", filter),
            None => ask.query("include", "description"),
        })
    }
}

impl Place {
    /// The walk that goes on, or a new one.
    fn begun(&self) -> Walk {
        let at = self.from.saturating_sub(OVERLAP_SECONDS).max(0);
        self.walk.unwrap_or(Walk { at, page: 1, newest: self.from, found: false, passes: 0 })
    }

    /// Takes a page in: what of it is new, and where to go on. `more`: the list does not end with it.
    fn step(mut self, walk: Walk, tickets: Vec<Seen>, more: bool, now: i64) -> (Vec<Seen>, Self) {
        let last = tickets.iter().filter_map(|one| one.at).max();
        let stamps: Vec<(i64, i64)> = tickets.iter().filter_map(|one| Some((one.id.0, one.at?))).collect();
        let (since, known) = (self.since, &self.seen);
        let is_new = |one: &Seen| one.at.is_none_or(|at| at >= since && !known.contains(&(one.id.0, at)));
        let fresh: Vec<Seen> = tickets.into_iter().filter(is_new).collect();
        self.seen.extend(stamps);
        // One time stamp from the future must not hide all that happens until then.
        let newest = walk.newest.max(last.unwrap_or(walk.newest).min(now));
        let found = walk.found || fresh.iter().any(|one| one.at.is_some());
        let onward = last.map(|last| last.saturating_sub(1)).filter(|at| *at > walk.at);
        let again = walk.page > 1 && found && walk.passes + 1 < MOST_PASSES;
        self.walk = match (more, onward) {
            (true, None) => Some(Walk { page: walk.page + 1, newest, found, ..walk }),
            _ if again => Some(Walk { page: 1, newest, found: false, passes: walk.passes + 1, ..walk }),
            (true, Some(at)) => Some(Walk { at, page: 1, newest, found: false, passes: 0 }),
            (false, _) => None,
        };
        if self.walk.is_none() {
            self.from = self.from.max(newest);
        }
        let keep = self.begun().at.saturating_sub(OVERLAP_SECONDS);
        self.seen.retain(|(_, at)| *at >= keep);
        if self.seen.len() > MOST_SEEN {
            self.seen.clear();
        }
        (fresh, self)
    }
}

/// The tickets of a page; none: one of them has no id, so it could not be looked at.
fn seen(raws: Vec<Value>) -> Option<Vec<Seen>> {
    let one = |raw: Value| {
        let ticket: wire::Ticket = serde_json::from_value(raw.clone()).ok()?;
        let id = ticket.id.get().copied().filter(|id| id.is_record())?;
        let at = ticket.updated_at.get().and_then(|at| Time::read(at)).map(|at| at.0.as_second());
        Some(Seen { id, at, raw })
    };
    raws.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const NOW: i64 = 1_000_000;

    fn place(from: i64) -> Place {
        Place { from, ..Place::default() }
    }

    /// One page of what the desk shows now: those that changed since (or after) the walk's instant, oldest first.
    fn page(desk: &BTreeMap<i64, i64>, walk: &Walk, size: usize, inclusive: bool) -> (Vec<Seen>, bool) {
        let mut listed: Vec<(i64, i64)> = desk.iter().map(|(id, at)| (*at, *id)).collect();
        listed.retain(|(at, _)| if inclusive { *at >= walk.at } else { *at > walk.at });
        listed.sort_unstable();
        let more = listed.len() > walk.page * size;
        let shown = listed.into_iter().skip((walk.page - 1) * size).take(size);
        (shown.map(|(at, id)| Seen { id: Id(id), at: Some(at), raw: Value::Null }).collect(), more)
    }

    /// Reads to the end, through storage between each two pages; gives what was new and how many pages it took.
    fn poll(place: &mut Place, desk: &BTreeMap<i64, i64>, inclusive: bool) -> (Vec<i64>, usize) {
        let mut new = Vec::new();
        for pages in 1..1_000 {
            let stored = serde_json::to_string(place).unwrap();
            let read: Place = serde_json::from_str(&stored).unwrap();
            let walk = read.begun();
            let (tickets, more) = page(desk, &walk, 3, inclusive);
            let (fresh, next) = read.step(walk, tickets, more, NOW);
            new.extend(fresh.iter().map(|one| one.id.0));
            *place = next;
            if place.walk.is_none() {
                return (new, pages);
            }
        }
        panic!("the walk never ends");
    }

    #[test]
    fn a_backlog_is_read_once_and_a_quiet_desk_costs_one_page() {
        for inclusive in [true, false] {
            let desk: BTreeMap<i64, i64> = (0..20).map(|id| (id, 1_000 + 200 * id)).collect();
            let mut place = place(0);
            assert_eq!(poll(&mut place, &desk, inclusive).0, (0..20).collect::<Vec<_>>());
            assert_eq!(poll(&mut place, &desk, inclusive), (vec![], 1));
        }
    }

    #[test]
    fn more_than_a_page_within_one_second_are_all_read() {
        for inclusive in [true, false] {
            let mut desk: BTreeMap<i64, i64> = (0..11).map(|id| (id, 5_000)).collect();
            let mut place = place(4_990);
            let mut first = poll(&mut place, &desk, inclusive).0;
            first.sort_unstable();
            assert_eq!(first, (0..11).collect::<Vec<_>>());
            desk.insert(11, 5_000);
            assert_eq!(poll(&mut place, &desk, inclusive).0, [11], "in the same second, after the first poll");
            desk.insert(3, 5_001);
            assert_eq!(poll(&mut place, &desk, inclusive).0, [3]);
        }
    }

    #[test]
    fn a_time_stamp_from_the_future_and_one_that_is_none_hide_nothing() {
        let seen = |id, at| Seen { id: Id(id), at, raw: Value::Null };
        let start = place(1_000);
        let (fresh, next) =
            start.clone().step(start.begun(), vec![seen(1, None), seen(2, Some(9 * NOW))], false, 1_002);
        assert_eq!((fresh.len(), next.from), (2, 1_002));
        let (fresh, _) = next.clone().step(next.begun(), vec![seen(1, None), seen(3, Some(1_003))], false, 1_004);
        assert_eq!(fresh.iter().map(|one| one.id.0).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn what_changed_before_it_was_asked_for_is_not_shown() {
        let start = Place { since: 1_000, ..place(1_000) };
        let desk = BTreeMap::from([(1, 999), (2, 1_000)]);
        assert_eq!(poll(&mut start.clone(), &desk, true).0, [2]);
    }

    proptest! {
        /// Tickets change, and vanish, while the list is walked in small pages; in the end every change was shown.
        #[test]
        fn no_change_is_lost(
            acts in proptest::collection::vec((1i64..25, 0i64..3, 0u8..9), 1..80), size in 1usize..6, inclusive in any::<bool>()
        ) {
            let (mut now, mut desk, mut place) = (10_000, BTreeMap::new(), place(9_000));
            let mut shown: BTreeMap<i64, i64> = BTreeMap::new();
            let mut read = |place: Place, desk: &BTreeMap<i64, i64>| {
                let walk = place.begun();
                let (tickets, more) = page(desk, &walk, size, inclusive);
                let (fresh, next) = place.step(walk, tickets, more, NOW);
                shown.extend(fresh.iter().map(|one| (one.id.0, one.at.unwrap())));
                next
            };
            for (id, pause, act) in acts {
                now += pause;
                if act == 0 { desk.remove(&id); } else { desk.insert(id, now); }
                place = read(place, &desk);
            }
            for _ in 0..2 {
                loop {
                    place = read(place, &desk);
                    if place.walk.is_none() { break }
                }
            }
            for (id, at) in &desk {
                prop_assert_eq!(shown.get(id), Some(at), "ticket {}", id);
            }
        }
    }
}
