//! The walk through windows, against a small desk whose pages shift.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const PAGE: usize = 3;

/// One page of what the desk shows now in a window, in an order of its own, with pages that count.
fn page(desk: &BTreeMap<i64, i64>, walk: &Walk, inclusive: bool) -> Listed {
    let (low, high) = if inclusive { (walk.low - 1, walk.high + 1) } else { (walk.low, walk.high) };
    let mut all: Vec<(i64, i64)> = desk.iter().map(|(id, at)| (*at, *id)).collect();
    all.retain(|(at, _)| (low..=high).contains(at));
    all.sort_unstable_by(|one, other| other.cmp(one));
    let skipped: usize = walk.after.as_deref().map_or(0, |after| after.parse().unwrap());
    let more = all.len() > skipped + PAGE;
    let shown = all.into_iter().skip(skipped).take(PAGE).map(|(at, id)| (Id(id), Some(at))).collect();
    Listed { all: shown, next: more.then(|| (skipped + PAGE).to_string()) }
}

/// Reads to the end, through storage between each two pages; gives what was new and how many pages it took.
fn poll(place: &mut Place, desk: &BTreeMap<i64, i64>, now: i64, inclusive: bool) -> (Vec<i64>, usize) {
    let mut new = Vec::new();
    for pages in 1..2_000 {
        let stored = Cursor(serde_json::to_string(place).unwrap());
        let mut read = Place::read(Some(&stored), 0);
        let walk = read.window(now);
        let listed = page(desk, &walk, inclusive);
        if let Step::Taken(fresh) = read.step(walk, listed) {
            new.extend(fresh.into_iter().map(|id| id.0));
        }
        *place = read;
        if place.walk.is_none() {
            new.sort_unstable();
            return (new, pages);
        }
    }
    panic!("the walk never ends");
}

#[test]
fn a_backlog_is_read_once_and_a_quiet_desk_costs_one_page() {
    for inclusive in [true, false] {
        let desk: BTreeMap<i64, i64> = (1..=20).map(|id| (id, 1_000 + 200 * id)).collect();
        let mut place = Place::read(None, 1_000);
        let (new, pages) = poll(&mut place, &desk, 10_000, inclusive);
        assert_eq!(new, (1..=20).collect::<Vec<_>>());
        assert!(pages < 60, "{pages}");
        assert_eq!(poll(&mut place, &desk, 10_030, inclusive), (vec![], 1));
    }
}

#[test]
fn more_than_a_page_within_one_second_are_all_read_also_those_that_come_later_in_it() {
    for inclusive in [true, false] {
        let mut desk: BTreeMap<i64, i64> = (1..=11).map(|id| (id, 5_000)).collect();
        let mut place = Place::read(None, 4_990);
        assert_eq!(poll(&mut place, &desk, 5_000, inclusive).0, (1..=11).collect::<Vec<_>>());
        desk.insert(12, 5_000);
        assert_eq!(poll(&mut place, &desk, 5_001, inclusive).0, [12]);
        desk.insert(3, 5_001);
        assert_eq!(poll(&mut place, &desk, 5_001, inclusive).0, [3]);
    }
}

#[test]
fn what_changed_before_it_was_asked_for_is_not_shown_and_nonsense_begins_anew() {
    let desk = BTreeMap::from([(1, 999), (2, 1_000)]);
    assert_eq!(poll(&mut Place::read(None, 1_000), &desk, 2_000, true).0, [2]);
    assert_eq!(Place::read(Some(&Cursor("nonsense".into())), 7), Place::read(None, 7));
}

#[test]
fn the_borders_are_asked_for_a_second_further_out_and_the_last_window_into_the_future() {
    let walk = Walk { low: 1_000, high: 1_100, end: 1_100, after: None, newest: 0, found: false, passes: 0 };
    let shown = |walk: &Walk| format!("{:?}", changes(walk, Timestamp::MAX));
    assert!(shown(&walk).contains("999") && shown(&walk).contains("1401"), "{}", shown(&walk));
    let inner = Walk { end: 2_000, ..walk };
    assert!(shown(&inner).contains("1101"), "{}", shown(&inner));
}

proptest! {
    /// Conversations change, and vanish, while the windows are walked; in the end every change was shown. Our clock may be ahead
    /// of the desk's by as much as is allowed for.
    #[test]
    fn no_change_is_lost(acts in proptest::collection::vec((1i64..25, 0i64..3, 0u8..9), 1..60), inclusive in any::<bool>(), ahead in 0i64..=BEHIND) {
        let (mut now, mut desk, mut place) = (10_000, BTreeMap::new(), Place::read(None, 9_000));
        let mut shown: BTreeSet<(i64, i64)> = BTreeSet::new();
        let mut read = |place: &mut Place, desk: &BTreeMap<i64, i64>, now: i64| {
            let walk = place.window(now + ahead);
            let listed = page(desk, &walk, inclusive);
            let all = listed.all.clone();
            if let Step::Taken(fresh) = place.step(walk, listed) {
                let at = |id: &Id| all.iter().find(|(one, _)| one == id).and_then(|(_, at)| *at).unwrap();
                shown.extend(fresh.iter().map(|id| (id.0, at(id))));
            }
        };
        for (id, pause, act) in acts {
            now += pause;
            if act == 0 { desk.remove(&id); } else { desk.insert(id, now); }
            read(&mut place, &desk, now);
        }
        for _ in 0..2 {
            loop {
                read(&mut place, &desk, now);
                if place.walk.is_none() { break }
            }
        }
        for (id, at) in &desk {
            prop_assert!(shown.contains(&(*id, *at)), "conversation {} at {}", id, at);
        }
    }
}
