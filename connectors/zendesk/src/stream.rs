//! The change stream: the incremental export by cursor, or, for logins that may not export, the list of tickets by newest
//! change. Where it stands is one [`Place`], which travels as the kit's opaque cursor (Zendesk sheet, *Incremental read*).

use crate::api::{Ask, next_page, take};
use crate::desk::ZendeskDesk;
use crate::limits::{INCREMENTAL, LIST};
use crate::wire::{self, Id};
use handoffd_kit::desk::{Changed, Cursor, Page};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result};
use handoffd_kit::id::TicketId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

/// How far the list, and an export that starts anew, reach back over what was read.
pub(crate) const OVERLAP_SECONDS: i64 = 60;
/// An export must start at least a minute ago; the rest is for clocks that differ.
const START_AGE_SECONDS: i64 = 120;
/// How long a refused export is left alone.
const EXPORT_AGAIN_SECONDS: i64 = 24 * 60 * 60;
/// More are not kept to recognise repeats; repeats are allowed.
const MOST_SEEN: usize = 5_000;

/// The largest page of an export, and the one for desks that are too slow for it. Zendesk gives 1,000; a page of so many
/// leaves the daemon with twice the memory for good, and 2,500 tickets a minute are more than can be looked at.
pub(crate) const LARGE_PAGE: u32 = 250;
const SMALL_PAGE: u32 = 100;

/// Where the stream was read up to. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    Export(Export),
    List(List),
}

/// A place in the export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Export {
    /// Zendesk's cursor; none: it starts at `from`.
    cursor: Option<String>,
    /// Where to start anew should Zendesk refuse the cursor.
    from: i64,
    /// What changed before was not asked for.
    since: i64,
}

/// A place in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct List {
    /// Everything that changed before was seen.
    from: i64,
    /// What changed before was not asked for.
    since: i64,
    /// What was seen of the time just before `from`: ticket and second.
    seen: BTreeSet<(i64, i64)>,
    /// A walk down the list that has not ended.
    walk: Option<Walk>,
    /// When to ask for the export again.
    export_again: i64,
}

/// A walk from the newest change down to the last high-water mark, one page a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    /// The newest change when it began: the next high-water mark.
    top: i64,
    after: String,
    /// What this walk has seen of the time just before `top`.
    seen: BTreeSet<(i64, i64)>,
}

/// A ticket of a page, as far as the stream cares.
struct Seen {
    id: Id,
    /// When it last changed; none: unreadable, so it always counts as changed.
    at: Option<i64>,
    raw: Value,
}

impl ZendeskDesk {
    /// One page of changes.
    pub(crate) async fn read_stream(&self, cursor: Option<&Cursor>, since: Timestamp) -> Result<Page> {
        let since = since.as_second();
        let start = Place::Export(Export { cursor: None, from: since, since });
        // A cursor of another version is no reason to stop: the beginning is still there.
        let place = cursor.and_then(|cursor| serde_json::from_str(&cursor.0).ok()).unwrap_or(start);
        match place {
            Place::Export(export) => self.export_or_list(export, BTreeSet::new()).await,
            Place::List(list) if list.walk.is_none() && self.now_seconds() >= list.export_again => {
                let from = list.from.saturating_sub(OVERLAP_SECONDS);
                self.export_or_list(Export { cursor: None, from, since: from }, list.seen).await
            }
            Place::List(list) => self.list(list).await,
        }
    }

    fn now_seconds(&self) -> i64 {
        self.api.gate().now().as_second()
    }

    /// The export, or the list where the login may not export.
    async fn export_or_list(&self, export: Export, seen: BTreeSet<(i64, i64)>) -> Result<Page> {
        let (from, since) = (export.from, export.since);
        match self.export(export).await {
            Err(error) if error.kind == DeskErrorKind::Forbidden => {
                let export_again = self.now_seconds().saturating_add(EXPORT_AGAIN_SECONDS);
                self.list(List { from, since, seen, walk: None, export_again }).await
            }
            page => page,
        }
    }

    async fn export(&self, mut place: Export) -> Result<Page> {
        let mut answer = match self.export_page(&place).await {
            Err(error) if place.cursor.is_some() && refuses_cursor(&error) => {
                place.cursor = None;
                self.export_page(&place).await?
            }
            answer => answer?,
        };
        let tickets: Vec<Value> =
            take(&mut answer, "tickets").ok_or_else(|| export_ask(&self.api).malformed(NO_LIST))?;
        let end = answer["end_of_stream"].as_bool();
        let cursor = answer["after_cursor"].as_str().map(str::to_owned);
        let moved = cursor.is_some() && cursor != place.cursor;
        if end.is_none() || (!moved && !tickets.is_empty() && end == Some(false)) {
            return Err(export_ask(&self.api).malformed("the export does not say where it goes on"));
        }
        let seen = seen(tickets, generated).ok_or_else(|| export_ask(&self.api).malformed(NO_ID))?;
        let newest = seen.iter().filter_map(|ticket| ticket.at).max().map(|newest| newest.min(self.now_seconds()));
        if end == Some(true) {
            self.export_size.store(LARGE_PAGE, Ordering::Relaxed);
        }
        let next = Export {
            cursor: cursor.or(place.cursor),
            from: newest.map_or(place.from, |newest| place.from.max(newest.saturating_sub(OVERLAP_SECONDS))),
            since: place.since,
        };
        let asked_for = seen.into_iter().filter(|ticket| ticket.at.is_none_or(|at| at >= place.since)).collect();
        self.page(asked_for, &Place::Export(next), end == Some(false) && moved).await
    }

    /// Asks for a page, and for a smaller one where a large one is too slow or too much.
    async fn export_page(&self, place: &Export) -> Result<Value> {
        let size = self.export_size.load(Ordering::Relaxed);
        match self.api.json(&place.ask(size, &self.api)).await {
            Err(error) if size > SMALL_PAGE && too_much(&error) => {
                self.export_size.store(SMALL_PAGE, Ordering::Relaxed);
                self.api.json(&place.ask(SMALL_PAGE, &self.api)).await
            }
            answer => answer,
        }
    }

    async fn list(&self, mut place: List) -> Result<Page> {
        let answer = match self.list_page(place.walk.as_ref()).await {
            Err(error) if place.walk.is_some() && refuses_cursor(&error) => {
                place.walk = None;
                self.list_page(None).await
            }
            answer => answer,
        };
        let mut answer = answer?;
        let after = next_page(&answer);
        let tickets: Vec<Value> = take(&mut answer, "tickets").ok_or_else(|| list_ask(&self.api).malformed(NO_LIST))?;
        let seen = seen(tickets, updated).ok_or_else(|| list_ask(&self.api).malformed(NO_ID))?;
        let (fresh, next) = place.step(seen, after, self.now_seconds());
        let more = next.walk.is_some();
        self.page(fresh, &Place::List(next), more).await
    }

    async fn list_page(&self, walk: Option<&Walk>) -> Result<Value> {
        let ask = list_ask(&self.api).query("sort", "-updated_at").query("page[size]", 100);
        let ask = match walk {
            Some(walk) => ask.query("page[after]", &walk.after),
            None => ask,
        };
        self.api.json(&ask).await
    }

    async fn page(&self, tickets: Vec<Seen>, next: &Place, more: bool) -> Result<Page> {
        let raws: Vec<&Value> = tickets.iter().map(|ticket| &ticket.raw).collect();
        let heads = self.heads(&raws, self.api.gate().now()).await?;
        let changed = tickets.iter().zip(heads).map(|(ticket, head)| Changed {
            ticket: TicketId::new(ticket.id.to_string()),
            head,
            // Neither list says who made a change.
            by_us: false,
        });
        let next =
            serde_json::to_string(next).map_err(|_| list_ask(&self.api).malformed("the place cannot be kept"))?;
        Ok(Page { changed: changed.collect(), next: Cursor(next), more })
    }
}

const NO_LIST: &str = "the answer lacks its list of tickets";
const NO_ID: &str = "the answer lists something that is no ticket";

fn export_ask(api: &crate::api::Api) -> Ask {
    Ask::get("read changes", "incremental/tickets/cursor", api.gate().now()).endpoint(INCREMENTAL)
}

fn list_ask(api: &crate::api::Api) -> Ask {
    Ask::get("list tickets", "tickets", api.gate().now()).endpoint(LIST)
}

impl Export {
    fn ask(&self, size: u32, api: &crate::api::Api) -> Ask {
        let ask = export_ask(api).query("per_page", size);
        match &self.cursor {
            Some(cursor) => ask.query("cursor", cursor),
            None => ask.query("start_time", self.from.min(api.gate().now().as_second() - START_AGE_SECONDS).max(0)),
        }
    }
}

impl List {
    /// Takes a page in: what of it is new, and where to go on. Without `after` the list has ended.
    fn step(self, page: Vec<Seen>, after: Option<String>, now: i64) -> (Vec<Seen>, List) {
        let List { from, since, seen: before, walk, export_again } = self;
        let floor = from.saturating_sub(OVERLAP_SECONDS);
        let newest = page.iter().filter_map(|ticket| ticket.at).max();
        let reached_floor = page.is_empty() || page.iter().any(|ticket| ticket.at.is_some_and(|at| at < floor));
        let (top, mut seen) = match walk {
            Some(walk) => (walk.top, walk.seen),
            // One time stamp from the future must not hide all that happens until then.
            None => (newest.map_or(from, |newest| newest.min(now).max(from)), BTreeSet::new()),
        };
        let keep_from = top.saturating_sub(OVERLAP_SECONDS);
        let stamps = page.iter().filter_map(|ticket| Some((ticket.id.0, ticket.at?)));
        seen.extend(stamps.filter(|(_, at)| *at >= keep_from));
        let asked_for = floor.max(since);
        let is_new = |ticket: &Seen| ticket.at.is_none_or(|at| at >= asked_for && !before.contains(&(ticket.id.0, at)));
        let fresh = page.into_iter().filter(is_new).collect();
        let next = match after.filter(|_| !reached_floor) {
            Some(after) => {
                let walk = Some(Walk { top, after, seen: bounded(seen) });
                List { from, since, seen: before, walk, export_again }
            }
            None => {
                seen.extend(before.into_iter().filter(|(_, at)| *at >= keep_from));
                List { from: top, since, seen: bounded(seen), walk: None, export_again }
            }
        };
        (fresh, next)
    }
}

/// Forgetting means repeats, never gaps.
fn bounded(seen: BTreeSet<(i64, i64)>) -> BTreeSet<(i64, i64)> {
    if seen.len() > MOST_SEEN { BTreeSet::new() } else { seen }
}

/// The tickets of a page; none: one of them has no id, so it could not be looked at.
fn seen(tickets: Vec<Value>, at: fn(&wire::Ticket) -> Option<i64>) -> Option<Vec<Seen>> {
    let one = |raw: Value| {
        let ticket: wire::Ticket = serde_json::from_value(raw.clone()).ok()?;
        let id = ticket.id.get().copied().filter(|id| id.is_record())?;
        Some(Seen { id, at: at(&ticket), raw })
    };
    tickets.into_iter().map(one).collect()
}

/// The export compares on this; `updated_at` may lie before it.
fn generated(ticket: &wire::Ticket) -> Option<i64> {
    ticket.generated_timestamp.get().copied()
}

fn updated(ticket: &wire::Ticket) -> Option<i64> {
    ticket.updated_at.get()?.parse().ok().map(Timestamp::as_second)
}

/// A cursor that ran out or that Zendesk no longer understands.
fn refuses_cursor(error: &DeskError) -> bool {
    matches!(error.status, Some(400 | 404 | 410 | 422))
}

/// The answer took too long, or was larger than we read.
fn too_much(error: &DeskError) -> bool {
    let slow = error.kind == DeskErrorKind::Unavailable && matches!(error.status, None | Some(408 | 504));
    slow || (error.kind == DeskErrorKind::Protocol && error.status.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_000_000;

    fn list(from: i64) -> List {
        List { from, since: 0, seen: BTreeSet::new(), walk: None, export_again: 0 }
    }

    fn page(tickets: &[(i64, i64)]) -> Vec<Seen> {
        tickets.iter().map(|(id, at)| Seen { id: Id(*id), at: Some(*at), raw: Value::Null }).collect()
    }

    fn ids(fresh: &[Seen]) -> Vec<i64> {
        fresh.iter().map(|ticket| ticket.id.0).collect()
    }

    #[test]
    fn a_second_poll_shows_only_what_is_new_and_misses_nothing_of_the_same_second() {
        let (fresh, place) = list(1_000).step(page(&[(2, 1_005), (1, 1_004), (9, 900)]), None, NOW);
        assert_eq!(ids(&fresh), [2, 1]);
        assert_eq!(place.from, 1_005);
        let (fresh, place) = place.step(page(&[(3, 1_005), (2, 1_005), (1, 1_004), (9, 900)]), None, NOW);
        assert_eq!(ids(&fresh), [3], "changed in the same second, after the first poll");
        let (fresh, _) = place.step(page(&[(1, 1_006), (3, 1_005), (2, 1_005), (9, 900)]), None, NOW);
        assert_eq!(ids(&fresh), [1], "changed again");
    }

    #[test]
    fn a_walk_goes_on_until_the_high_water_mark_which_then_moves_to_where_it_began() {
        let (fresh, place) = list(1_000).step(page(&[(5, 2_000), (4, 1_900)]), Some("a".into()), NOW);
        assert_eq!(ids(&fresh), [5, 4]);
        assert_eq!((place.from, place.walk.as_ref().unwrap().top), (1_000, 2_000));
        let (fresh, place) = place.step(page(&[(3, 1_500), (2, 939)]), Some("b".into()), NOW);
        assert_eq!(ids(&fresh), [3]);
        assert_eq!((place.from, place.walk), (2_000, None));
    }

    #[test]
    fn a_place_that_cannot_be_dated_is_shown_every_time() {
        let odd = || vec![Seen { id: Id(7), at: None, raw: Value::Null }];
        let (fresh, place) = list(1_000).step(odd(), None, NOW);
        assert_eq!((ids(&fresh), place.from), (vec![7], 1_000));
        assert_eq!(ids(&place.step(odd(), None, NOW).0), [7]);
    }

    #[test]
    fn a_time_stamp_from_the_future_hides_nothing() {
        let (fresh, place) = list(1_000).step(page(&[(8, 2 * NOW), (1, 1_001)]), None, 1_002);
        assert_eq!(ids(&fresh), [8, 1]);
        let (fresh, _) = place.step(page(&[(8, 2 * NOW), (2, 1_003), (1, 1_001)]), None, 1_004);
        assert_eq!(ids(&fresh), [2]);
    }

    #[test]
    fn what_changed_before_it_was_asked_for_is_not_shown() {
        let (fresh, _) = List { since: 1_000, ..list(1_000) }.step(page(&[(2, 1_000), (1, 999), (0, 900)]), None, NOW);
        assert_eq!(ids(&fresh), [2]);
    }

    proptest! {
        /// Tickets change while the list is walked in small pages; in the end every change was shown.
        #[test]
        fn no_change_is_lost(changes in proptest::collection::vec((1i64..30, 0i64..3), 1..80), size in 1usize..6) {
            let (mut now, mut tickets) = (10_000, std::collections::BTreeMap::new());
            let (mut place, mut last_seen) = (list(now), std::collections::BTreeMap::new());
            let mut walk = |tickets: &std::collections::BTreeMap<i64, i64>, place: List| {
                let mut sorted: Vec<(i64, i64)> = tickets.iter().map(|(id, at)| (*id, *at)).collect();
                sorted.sort_by_key(|(id, at)| std::cmp::Reverse((*at, *id)));
                let after = |walk: &Walk| -> (i64, i64) { serde_json::from_str(&walk.after).unwrap() };
                let start = place.walk.as_ref().map(after);
                sorted.retain(|(id, at)| start.is_none_or(|start| (*at, *id) < start));
                let more = sorted.len() > size;
                sorted.truncate(size);
                let last = sorted.last().map(|(id, at)| serde_json::to_string(&(at, id)).unwrap());
                let (fresh, next) = place.step(page(&sorted), last.filter(|_| more), NOW);
                last_seen.extend(fresh.iter().map(|ticket| (ticket.id.0, ticket.at.unwrap())));
                next
            };
            for (id, pause) in changes {
                now += pause;
                tickets.insert(id, now);
                place = walk(&tickets, place);
            }
            loop {
                place = walk(&tickets, place);
                if place.walk.is_none() { break }
            }
            loop {
                place = walk(&tickets, place);
                if place.walk.is_none() { break }
            }
            prop_assert_eq!(last_seen, tickets);
        }
    }
}
