//! Where the stream of transactions was read up to. Pure.
//!
//! A transaction gets its number when it begins and can be seen when it ends, so a lower number may show after a higher
//! one. Every sweep therefore begins below the youngest transactions, at the *floor*: everything up to it is older than
//! [`OVERLAP`] and is not waited for any more. What a sweep sees again is known by its number and not reported twice.

use crate::wire::Transaction;
use handoffd_kit::desk::Cursor as Opaque;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// How far each sweep reaches back: longer than a web server lets a request of RT's run.
pub(crate) const OVERLAP: Duration = Duration::from_secs(180);
/// How late a transaction may show.
pub(crate) const LAG: Duration = Duration::from_secs(60);

/// The most numbers that a cursor carries; beyond, the floor rises early.
const MOST_SEEN: usize = 5_000;

/// Where the stream was read up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Everything up to this number is done with.
    floor: u64,
    /// How far the present sweep has come; none: the next one begins at the floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    /// Whether the present sweep has met one that is young.
    #[serde(default, skip_serializing_if = "is_false")]
    young: bool,
    /// What was reported above the floor.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    seen: BTreeSet<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Cursor {
    /// A cursor behind which nothing is of interest.
    pub fn behind(floor: u64) -> Self {
        Self { floor, ..Self::default() }
    }

    /// Reads a stored cursor. `None`: it is not one of ours.
    pub fn read(stored: &Opaque) -> Option<Self> {
        serde_json::from_str(&stored.0).ok()
    }

    pub fn store(&self) -> Opaque {
        // Plain numbers in a plain struct always have a JSON form.
        Opaque(serde_json::to_string(self).unwrap_or_default())
    }

    /// Above which number to go on reading.
    pub fn reads_above(&self) -> u64 {
        self.at.unwrap_or(self.floor)
    }

    /// Takes a page of transactions above [`Cursor::reads_above`], in the order of their numbers, and returns those that
    /// are new. An empty page ends the sweep.
    pub fn take(&mut self, page: Vec<Transaction>, now: Timestamp) -> Vec<Transaction> {
        let Some(last) = page.last().map(|one| one.id) else {
            self.end_sweep();
            return Vec::new();
        };
        let overlap = SignedDuration::try_from(OVERLAP).unwrap_or(SignedDuration::MAX);
        let mut new = Vec::new();
        for transaction in page {
            let id = transaction.id;
            self.young |= now.duration_since(transaction.created) < overlap;
            let unseen = id > self.floor && !self.seen.contains(&id);
            if self.young {
                self.seen.insert(id);
            } else {
                self.floor = self.floor.max(id);
            }
            if unseen {
                new.push(transaction);
            }
        }
        self.at = Some(last.max(self.reads_above()));
        new
    }

    fn end_sweep(&mut self) {
        let floor = self.floor;
        self.seen.retain(|id| *id > floor);
        while self.seen.len() > MOST_SEEN {
            self.floor = self.seen.pop_first().unwrap_or(self.floor);
        }
        self.at = None;
        self.young = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn one(id: u64, created: i64) -> Transaction {
        serde_json::from_value(json!({"id": id, "Type": "Set", "Created": at(created).to_string()})).unwrap()
    }

    /// A whole sweep over what the desk shows now, in pages of two, through storage between each.
    fn sweep(cursor: &mut Cursor, desk: &[Transaction], now: i64) -> Vec<u64> {
        let mut new = Vec::new();
        for _ in 0..1_000 {
            *cursor = Cursor::read(&cursor.store()).unwrap();
            let above = cursor.reads_above();
            let page: Vec<_> = desk.iter().filter(|one| one.id > above).take(2).cloned().collect();
            let last = page.is_empty();
            new.extend(cursor.take(page, at(now)).iter().map(|one| one.id));
            if last {
                return new;
            }
        }
        panic!("the sweep never ends");
    }

    #[test]
    fn everything_is_reported_once() {
        let mut cursor = Cursor::behind(10);
        let mut desk: Vec<_> = (11..=15).map(|id| one(id, 0)).collect();
        assert_eq!(sweep(&mut cursor, &desk, 1), [11, 12, 13, 14, 15]);
        assert!(sweep(&mut cursor, &desk, 2).is_empty());
        desk.push(one(16, 3));
        assert_eq!(sweep(&mut cursor, &desk, 4), [16]);
    }

    #[test]
    fn a_lower_number_that_shows_late_is_reported() {
        let mut cursor = Cursor::behind(0);
        assert_eq!(sweep(&mut cursor, &[one(1, 0), one(3, 0)], 1), [1, 3]);
        let desk = [one(1, 0), one(2, 0), one(3, 0), one(4, 50)];
        assert_eq!(sweep(&mut cursor, &desk, 60), [2, 4]);
        assert!(sweep(&mut cursor, &desk, 61).is_empty());
    }

    #[test]
    fn a_quiet_desk_is_read_from_its_newest_and_the_cursor_stays_small() {
        let mut cursor = Cursor::behind(0);
        let desk: Vec<_> = (1..=500).map(|id| one(id, 0)).collect();
        assert_eq!(sweep(&mut cursor, &desk, 1).len(), 500);
        assert_eq!(cursor.reads_above(), 0, "all are young");
        assert!(sweep(&mut cursor, &desk, 600).is_empty());
        assert_eq!(cursor, Cursor::behind(500));
    }

    #[test]
    fn an_old_backlog_is_not_carried_along() {
        let mut cursor = Cursor::behind(0);
        let desk: Vec<_> = (1..=500).map(|id| one(id, 0)).collect();
        assert_eq!(sweep(&mut cursor, &desk, 9_000).len(), 500);
        assert_eq!(cursor, Cursor::behind(500));
    }

    #[test]
    fn a_flood_of_young_ones_raises_the_floor_instead_of_growing_without_end() {
        let mut cursor = Cursor::behind(0);
        let count = MOST_SEEN as u64 + 7;
        let page: Vec<_> = (1..=count).map(|id| one(id, 0)).collect();
        assert_eq!(cursor.take(page, at(1)).len() as u64, count);
        cursor.take(Vec::new(), at(1));
        assert_eq!((cursor.seen.len(), cursor.reads_above()), (MOST_SEEN, 7));
    }

    #[test]
    fn an_imported_ticket_with_old_dates_is_reported_too() {
        let mut cursor = Cursor::behind(5);
        assert_eq!(sweep(&mut cursor, &[one(6, -90_000), one(7, 0)], 1), [6, 7]);
    }

    #[test]
    fn what_is_not_a_cursor_is_not_read_as_one() {
        for text in ["", "17x", "{}", "[]", "null", r#"{"floor":-1}"#] {
            assert_eq!(Cursor::read(&Opaque(text.into())), None, "{text}");
        }
    }
}
