//! A calendar: a week, a zone, and the dates on which all of it is closed.

use crate::date::{number, weekday};
use crate::week::{DAY, Week};
use crate::zone::Clocks;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// When somebody is there. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Calendar(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clocks: Clocks,
    /// The open parts of each weekday, Monday first: seconds since midnight.
    days: [Vec<(u32, u32)>; 7],
    /// Open seconds of a week without a holiday.
    week: i64,
    /// Day numbers, in order.
    holidays: Vec<i64>,
}

/// Why a calendar cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarProblem {
    /// Its week has no block.
    NeverOpens,
}

impl Calendar {
    /// A calendar. On a holiday it is closed from midnight to midnight; a holiday twice counts once.
    ///
    /// # Errors
    /// It would never open.
    pub fn new(zone: TimeZone, week: &Week, holidays: impl IntoIterator<Item = Date>) -> Result<Self, CalendarProblem> {
        let days = week.parts();
        let open = days.iter().flatten().map(|(from, to)| i64::from(to - from)).sum();
        if open == 0 {
            return Err(CalendarProblem::NeverOpens);
        }
        let mut holidays: Vec<i64> = holidays.into_iter().map(number).collect();
        holidays.sort_unstable();
        holidays.dedup();
        Ok(Self(Arc::new(Inner { clocks: Clocks::new(zone), days, week: open, holidays })))
    }

    /// Its zone.
    pub fn zone(&self) -> &TimeZone {
        self.0.clocks.zone()
    }

    /// What its zone's clocks show.
    pub(crate) fn clocks(&self) -> &Clocks {
        &self.0.clocks
    }

    /// Open time of a week without a holiday or a clock change.
    pub fn open_per_week(&self) -> SignedDuration {
        SignedDuration::from_secs(self.0.week)
    }

    /// Open seconds of a week without a holiday.
    pub(crate) fn week(&self) -> i64 {
        self.0.week
    }

    /// Whether the clock on the wall, `local` seconds after 1970-01-01T00:00, shows an open time.
    pub(crate) fn is_open_at_local(&self, local: i64) -> bool {
        let (day, second) = (local.div_euclid(i64::from(DAY)), local.rem_euclid(i64::from(DAY)));
        let open = |(from, to): &(u32, u32)| (i64::from(*from)..i64::from(*to)).contains(&second);
        self.0.holidays.binary_search(&day).is_err() && self.parts(day).iter().any(open)
    }

    /// The open parts of a day, were it no holiday.
    pub(crate) fn parts(&self, day: i64) -> &[(u32, u32)] {
        &self.0.days[weekday(day)]
    }

    /// Whether open time goes on over the midnight on which this day begins, were it and the day before no holidays.
    pub(crate) fn goes_on(&self, day: i64) -> bool {
        let ends = self.parts(day - 1).last().is_some_and(|(_, to)| *to == DAY);
        ends && self.parts(day).first().is_some_and(|(from, _)| *from == 0)
    }

    /// Holidays from this day on.
    pub(crate) fn holidays_from(&self, day: i64) -> &[i64] {
        &self.0.holidays[self.0.holidays.partition_point(|holiday| *holiday < day)..]
    }

    /// What the clock on the wall shows at this instant, in seconds after 1970-01-01T00:00.
    pub(crate) fn local(&self, second: i64) -> i64 {
        second + self.0.clocks.offset(second)
    }

    /// Whether somebody is there at this instant.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.is_open_at_local(self.local(floor(at).0))
    }
}

/// The second that an instant lies in, and the nanoseconds of it that have passed.
pub(crate) fn floor(at: Timestamp) -> (i64, i32) {
    let (second, nanos) = (at.as_second(), at.subsec_nanosecond());
    if nanos < 0 { (second - 1, nanos + 1_000_000_000) } else { (second, nanos) }
}
