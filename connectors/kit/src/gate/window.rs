//! How many calls went in the last so many seconds, and when the next may go.
//!
//! A sliding window that remembers each call, and no leaky bucket (governor): a bucket refills while it is being emptied,
//! so that nearly twice the limit can pass within one of the vendor's windows. Here no stretch of time as long as the
//! window ever holds more calls than are ours, whichever way the vendor counts.

use super::Class;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// The calls of one limit that still count.
#[derive(Debug, Default)]
pub(super) struct Window {
    reads: VecDeque<Timestamp>,
    writes: VecDeque<Timestamp>,
}

/// What may stand in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Calls of both classes.
    pub all: usize,
    /// Calls of one class.
    pub each: usize,
    /// How long a call counts.
    pub per: SignedDuration,
}

impl Room {
    /// Room for `ours` calls. When both classes use it, each leaves a tenth (at least one call) to the other.
    pub fn new(ours: usize, per: SignedDuration, both_classes: bool) -> Self {
        let kept = if both_classes && ours > 1 { (ours / 10).max(1) } else { 0 };
        Self { all: ours, each: ours - kept, per }
    }
}

impl Window {
    /// When a call of this class may go; none: now.
    pub fn opens(&mut self, class: Class, room: Room, now: Timestamp) -> Option<Timestamp> {
        self.forget(now, room.per);
        let oldest = [self.reads.front(), self.writes.front()].into_iter().flatten().min().copied();
        let all = oldest.filter(|_| self.len() >= room.all);
        let same = self.of(class);
        let each = same.len().checked_sub(room.each).and_then(|over| same.get(over)).copied();
        all.max(each).map(|at| later(at, room.per))
    }

    /// Counts a call.
    pub fn take(&mut self, class: Class, now: Timestamp) {
        self.of(class).push_back(now);
    }

    /// Uncounts a call that was taken at `at` and never sent.
    pub fn give_back(&mut self, class: Class, at: Timestamp) {
        let calls = self.of(class);
        if let Some(place) = calls.iter().rposition(|call| *call == at) {
            calls.remove(place);
        }
    }

    /// Drops calls that count no more, and says whether none is left.
    pub fn is_idle(&mut self, now: Timestamp, per: SignedDuration) -> bool {
        self.forget(now, per);
        self.len() == 0
    }

    /// How many calls count now.
    pub fn used(&mut self, now: Timestamp, per: SignedDuration) -> usize {
        self.forget(now, per);
        self.len()
    }

    fn forget(&mut self, now: Timestamp, per: SignedDuration) {
        for calls in [&mut self.reads, &mut self.writes] {
            while calls.front().is_some_and(|at| later(*at, per) <= now) {
                calls.pop_front();
            }
        }
    }

    fn len(&self) -> usize {
        self.reads.len() + self.writes.len()
    }

    fn of(&mut self, class: Class) -> &mut VecDeque<Timestamp> {
        match class {
            Class::Read => &mut self.reads,
            Class::Write => &mut self.writes,
        }
    }
}

/// `at` and `span` later, or the end of time.
pub(super) fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.saturating_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_full_window_opens_when_its_oldest_call_counts_no_more() {
        let (mut window, room) = (Window::default(), Room::new(2, MINUTE, false));
        for second in [0, 10] {
            assert_eq!(window.opens(Class::Read, room, at(second)), None);
            window.take(Class::Read, at(second));
        }
        assert_eq!(window.opens(Class::Read, room, at(59)), Some(at(60)));
        assert_eq!(window.opens(Class::Read, room, at(60)), None);
    }

    #[test]
    fn each_class_leaves_a_tenth_to_the_other() {
        let (mut window, room) = (Window::default(), Room::new(10, MINUTE, true));
        for _ in 0..9 {
            assert_eq!(window.opens(Class::Write, room, at(0)), None);
            window.take(Class::Write, at(0));
        }
        assert_eq!(window.opens(Class::Write, room, at(1)), Some(at(60)));
        assert_eq!(window.opens(Class::Read, room, at(1)), None);
        assert_eq!(Room::new(1, MINUTE, true).each, 1, "a single call cannot be shared");
    }

    #[test]
    fn a_call_that_was_never_sent_is_given_back() {
        let (mut window, room) = (Window::default(), Room::new(1, MINUTE, false));
        window.take(Class::Write, at(0));
        window.give_back(Class::Write, at(0));
        assert_eq!(window.opens(Class::Write, room, at(0)), None);
        assert!(window.is_idle(at(0), MINUTE));
    }

    #[test]
    fn a_limit_that_shrank_waits_until_enough_calls_are_old() {
        let mut window = Window::default();
        (0..4).for_each(|second| window.take(Class::Read, at(second)));
        let room = Room::new(2, MINUTE, false);
        assert_eq!(window.opens(Class::Read, room, at(61)), Some(at(62)));
        assert_eq!(window.opens(Class::Read, room, at(62)), None);
    }
}
