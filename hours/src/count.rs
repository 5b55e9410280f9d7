//! Counting open time: forward to a deadline, or between two instants. Whole weeks without a holiday or a clock change are
//! counted at once, so that ten years cost little more than a day.

use crate::calendar::{Calendar, floor};
use crate::week::DAY;
use crate::working::{Counting, Deadline, Working};
use crate::zone::{Stretch, timestamp};
use jiff::{SignedDuration, Timestamp};

const DAY_SECONDS: i64 = DAY as i64;
const WEEK: i64 = 7 * DAY_SECONDS;

/// How far a search goes: fifty years, in seconds.
const REACH: i64 = 50 * 366 * DAY_SECONDS;

/// The calendar does not open often enough: a search of fifty years did not reach the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfReach {
    /// Where the search ended.
    pub searched_until: Timestamp,
}

impl Calendar {
    /// The first instant at which this much open time has passed since `from`. At once, where nothing is to be counted.
    ///
    /// # Errors
    /// It lies more than fifty years ahead.
    pub fn add(&self, from: Timestamp, length: SignedDuration) -> Result<Deadline, OutOfReach> {
        if length <= SignedDuration::ZERO {
            return Ok(Deadline { at: from, working: Working::default() });
        }
        let (second, nanos) = floor(from);
        // What has passed of an open second is counted again with it.
        let open = nanos > 0 && self.is_open_at_local(self.local(second));
        let length = if open { length.saturating_add(SignedDuration::new(0, nanos)) } else { length };
        let mut adding = Adding { left: length, counting: Counting::default(), end: None };
        self.walk(second, reach(second), &mut adding);
        let searched_until = timestamp(reach(second));
        let (second, nanos) = adding.end.ok_or(OutOfReach { searched_until })?;
        let at =
            timestamp(second).checked_add(SignedDuration::new(0, nanos)).map_err(|_| OutOfReach { searched_until })?;
        Ok(Deadline { at, working: adding.counting.finish(from, at) })
    }

    /// Open time from one instant to another; none, if the second is not the later one.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        if to <= from {
            return SignedDuration::ZERO;
        }
        let ((begin, before), (end, behind)) = (floor(from), floor(to));
        let mut sum = Sum(0);
        self.walk(begin, end, &mut sum);
        let counts = |second, nanos| nanos > 0 && self.is_open_at_local(self.local(second));
        let part = |second, nanos| if counts(second, nanos) { i64::from(nanos) } else { 0 };
        SignedDuration::from_secs(sum.0)
            .saturating_add(SignedDuration::from_nanos(part(end, behind) - part(begin, before)))
    }

    /// The first open instant from `at` on; none within fifty years.
    pub fn next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        let (second, _) = floor(at);
        let mut first = First(None);
        self.walk(second, reach(second), &mut first);
        // Where the second itself is open, so is the instant within it.
        first.0.map(|from| if from == second { at } else { timestamp(from) })
    }

    /// Hands on every open span from one second to another, in order.
    fn walk(&self, from: i64, until: i64, taker: &mut impl Taker) {
        for stretch in self.clocks().stretches(from, until) {
            if !self.walk_stretch(stretch, taker) {
                return;
            }
        }
    }

    /// The same for seconds of one offset. Whether the taker wants more.
    fn walk_stretch(&self, stretch: Stretch, taker: &mut impl Taker) -> bool {
        let (begin, end) = (stretch.from + stretch.offset, stretch.until + stretch.offset);
        let mut day = begin.div_euclid(DAY_SECONDS);
        let mut holidays = self.holidays_from(day);
        while day * DAY_SECONDS < end {
            let midnight = day * DAY_SECONDS;
            if midnight >= begin {
                // A week that ends with the stretch is walked through: what is open there may go on behind it.
                let free = holidays.first().map_or(i64::MAX, |holiday| holiday - day);
                let weeks =
                    taker.weeks(self.week(), || self.goes_on(day)).min((end - midnight - 1) / WEEK).min(free / 7);
                if weeks > 0 {
                    taker.take_weeks(midnight - stretch.offset, weeks, self.week());
                    day += 7 * weeks;
                    continue;
                }
            }
            if holidays.first() == Some(&day) {
                holidays = &holidays[1..];
            } else {
                for (from, to) in self.parts(day) {
                    let (from, to) = ((midnight + i64::from(*from)).max(begin), (midnight + i64::from(*to)).min(end));
                    if from < to && !taker.take(from - stretch.offset, to - stretch.offset) {
                        return false;
                    }
                }
            }
            day += 1;
        }
        true
    }
}

fn reach(second: i64) -> i64 {
    second.saturating_add(REACH).min(Timestamp::MAX.as_second())
}

/// What open spans are handed to, in seconds since 1970.
trait Taker {
    /// Takes a span. Whether it wants more.
    fn take(&mut self, from: i64, to: i64) -> bool;

    /// How many whole weeks, each with this much open time, it takes at once. `goes_on`: whether a span is under way there.
    fn weeks(&self, _open: i64, _goes_on: impl FnOnce() -> bool) -> i64 {
        0
    }

    /// Takes whole weeks that begin here.
    fn take_weeks(&mut self, _from: i64, _weeks: i64, _open: i64) {}
}

/// Looks for the end of a length.
struct Adding {
    left: SignedDuration,
    counting: Counting,
    end: Option<(i64, i32)>,
}

impl Taker for Adding {
    fn take(&mut self, from: i64, to: i64) -> bool {
        self.counting.push(from, to);
        let length = SignedDuration::from_secs(to - from);
        if self.left <= length {
            self.end = Some((from + self.left.as_secs(), self.left.subsec_nanos()));
            return false;
        }
        self.left = self.left.saturating_sub(length);
        true
    }

    fn weeks(&self, open: i64, goes_on: impl FnOnce() -> bool) -> i64 {
        // The end never lies in a week that is taken at once.
        let weeks = (self.left.as_secs() - 1) / open;
        let told = open == WEEK || weeks > 0 && self.counting.is_full() && !goes_on();
        if told { weeks } else { 0 }
    }

    fn take_weeks(&mut self, from: i64, weeks: i64, open: i64) {
        self.left = self.left.saturating_sub(SignedDuration::from_secs(weeks * open));
        // A calendar that never closes is one span.
        if open == WEEK { self.counting.push(from, from + weeks * WEEK) } else { self.counting.skip(weeks * open) }
    }
}

/// Sums open seconds up.
struct Sum(i64);

impl Taker for Sum {
    fn take(&mut self, from: i64, to: i64) -> bool {
        self.0 += to - from;
        true
    }

    fn weeks(&self, _open: i64, _goes_on: impl FnOnce() -> bool) -> i64 {
        i64::MAX
    }

    fn take_weeks(&mut self, _from: i64, weeks: i64, open: i64) {
        self.0 += weeks * open;
    }
}

/// Looks for the first open second.
struct First(Option<i64>);

impl Taker for First {
    fn take(&mut self, from: i64, _to: i64) -> bool {
        self.0 = Some(from);
        false
    }
}
