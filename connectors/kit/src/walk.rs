//! A list of tickets by the time of their last change, oldest first, read as a stream where the vendor has no better one. Pure:
//! what a page holds and the present instant are arguments, and the place travels as an opaque [`Cursor`].
//!
//! Page numbers shift while tickets change. So a full page is followed by the first page *since its last ticket*, not by the
//! second one: nothing can slip between. Only where more tickets than a page holds changed at one instant are further pages
//! read, and all of them again until nothing new is among them. Whether the list includes the instant that it is asked for
//! does not matter: each read begins a little earlier, and repeats are recognised.

use crate::desk::Cursor;
use crate::wire::Id;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// More are not kept to recognise repeats; repeats are allowed.
const MOST_SEEN: usize = 5_000;

/// How often the pages of one crowded instant are read at most.
const MOST_PASSES: u8 = 4;

/// How far a list is read again, in ticks: the unit of its time stamps, which the connector chooses.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How far each page reaches back over the last one: at least the precision of what the list can be asked for.
    pub back: i64,
    /// How far each poll reaches back over the last one: at least as long as a change may show late.
    pub overlap: i64,
}

/// Where a list was read up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Everything that changed before was seen.
    from: i64,
    /// What changed before was not asked for.
    since: i64,
    /// What was seen of late: ticket and tick.
    #[serde(default)]
    seen: BTreeSet<(i64, i64)>,
    /// A walk up the list that has not ended.
    #[serde(default)]
    walk: Option<Walk>,
}

/// A walk from the last high-water mark to the end of the list, one page a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The pages are of what changed since then.
    pub at: i64,
    /// The next one of them, from 1.
    pub page: usize,
    /// The newest change that was met.
    newest: i64,
    /// Whether this pass over several pages has met anything new.
    found: bool,
    /// How often they were read before.
    passes: u8,
}

/// A ticket of a page, as far as the walk cares.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// Which one.
    pub id: Id,
    /// When it last changed; none: unreadable, so it always counts as changed.
    pub at: Option<i64>,
    /// What the connector wants to keep of it.
    pub kept: T,
}

impl Place {
    /// The place that a cursor tells; without one, or with one of another form, the beginning at `since`.
    pub fn read(cursor: Option<&Cursor>, since: i64) -> Self {
        let start = || Self { from: since, since, ..Self::default() };
        cursor.and_then(|cursor| serde_json::from_str(&cursor.0).ok()).unwrap_or_else(start)
    }

    /// The same as a cursor; none: it cannot be written down.
    pub fn cursor(&self) -> Option<Cursor> {
        serde_json::to_string(self).ok().map(Cursor)
    }

    /// Whether there is more to read at once.
    pub fn goes_on(&self) -> bool {
        self.walk.is_some()
    }

    /// The walk that goes on, or a new one.
    pub fn walk(&self, pace: Pace) -> Walk {
        let at = self.from.saturating_sub(pace.overlap).max(0);
        self.walk.unwrap_or(Walk { at, page: 1, newest: self.from, found: false, passes: 0 })
    }

    /// Takes a page in: what of it is new, and where to go on. `more`: the list does not end with it.
    #[must_use]
    pub fn step<T>(mut self, pace: Pace, tickets: Vec<Listed<T>>, more: bool, now: i64) -> (Vec<Listed<T>>, Self) {
        let walk = self.walk(pace);
        let last = tickets.iter().filter_map(|one| one.at).max();
        let stamps: Vec<(i64, i64)> = tickets.iter().filter_map(|one| Some((one.id.0, one.at?))).collect();
        let (since, known) = (self.since, &self.seen);
        let is_new = |one: &Listed<T>| one.at.is_none_or(|at| at >= since && !known.contains(&(one.id.0, at)));
        let fresh: Vec<Listed<T>> = tickets.into_iter().filter(is_new).collect();
        self.seen.extend(stamps);
        // One time stamp from the future must not hide all that happens until then.
        let newest = walk.newest.max(last.unwrap_or(walk.newest).min(now));
        let found = walk.found || fresh.iter().any(|one| one.at.is_some());
        let onward = last.map(|last| last.saturating_sub(pace.back)).filter(|at| *at > walk.at);
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
        let keep = self.walk(pace).at.saturating_sub(pace.overlap);
        self.seen.retain(|(_, at)| *at >= keep);
        if self.seen.len() > MOST_SEEN {
            self.seen.clear();
        }
        (fresh, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const NOW: i64 = 1_000_000;
    const PACE: Pace = Pace { back: 1, overlap: 120 };

    fn place(from: i64) -> Place {
        Place { from, ..Place::default() }
    }

    /// One page of what the desk shows now: those that changed since (or after) the walk's instant, oldest first.
    fn page(desk: &BTreeMap<i64, i64>, walk: &Walk, size: usize, inclusive: bool) -> (Vec<Listed<()>>, bool) {
        let mut listed: Vec<(i64, i64)> = desk.iter().map(|(id, at)| (*at, *id)).collect();
        listed.retain(|(at, _)| if inclusive { *at >= walk.at } else { *at > walk.at });
        listed.sort_unstable();
        let more = listed.len() > walk.page * size;
        let shown = listed.into_iter().skip((walk.page - 1) * size).take(size);
        (shown.map(|(at, id)| Listed { id: Id(id), at: Some(at), kept: () }).collect(), more)
    }

    /// Reads to the end, through storage between each two pages; gives what was new and how many pages it took.
    fn poll(place: &mut Place, desk: &BTreeMap<i64, i64>, inclusive: bool) -> (Vec<i64>, usize) {
        let mut new = Vec::new();
        for pages in 1..1_000 {
            let read = Place::read(place.cursor().as_ref(), NOW);
            let walk = read.walk(PACE);
            let (tickets, more) = page(desk, &walk, 3, inclusive);
            let (fresh, next) = read.step(PACE, tickets, more, NOW);
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
        let seen = |id, at| Listed { id: Id(id), at, kept: () };
        let start = place(1_000);
        let (fresh, next) = start.step(PACE, vec![seen(1, None), seen(2, Some(9 * NOW))], false, 1_002);
        assert_eq!((fresh.len(), next.from), (2, 1_002));
        let (fresh, _) = next.step(PACE, vec![seen(1, None), seen(3, Some(1_003))], false, 1_004);
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
                let walk = place.walk(PACE);
                let (tickets, more) = page(desk, &walk, size, inclusive);
                let (fresh, next) = place.step(PACE, tickets, more, NOW);
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
