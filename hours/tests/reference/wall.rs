//! The reference: the clock on the wall, step by step.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::{Offset, TimeZone};

/// Hours as a test writes them: a weekday, and a block in minutes. One that ends at or before its beginning ends on the
/// next day.
#[derive(Clone, Debug)]
pub struct Hours {
    pub blocks: Vec<(Weekday, u16, u16)>,
    pub holidays: Vec<Date>,
}

impl Hours {
    /// Whether somebody is there when the wall shows this.
    fn is_open(&self, date: Date, weekday: Weekday, second: i64) -> bool {
        let covers = |(on, from, to): &(Weekday, u16, u16)| {
            let (from, to) = (i64::from(*from) * 60, i64::from(*to) * 60);
            let until = if to <= from { 86_400 } else { to };
            let today = *on == weekday && from <= second && second < until;
            let yesterdays = to < from && on.next() == weekday && second < to;
            today || yesterdays
        };
        !self.holidays.contains(&date) && self.blocks.iter().any(covers)
    }
}

/// What the wall shows from one second on, step by step.
pub struct Wall {
    pub begin: i64,
    step: i64,
    open: Vec<bool>,
    /// Open steps before each one, and all of them at the end.
    sums: Vec<i64>,
    pub changes: u64,
}

impl Wall {
    /// Looks at the wall until `end`; second by second no longer than two days.
    pub fn watch(zone: &TimeZone, hours: &Hours, begin: i64, end: i64) -> Self {
        let offset = |second: i64| zone.to_offset(Timestamp::from_second(second).unwrap());
        // Minutes are enough where the wall turns its minutes when UTC does.
        let begin = begin.div_euclid(60) * 60;
        let minutes: Vec<Offset> = (begin..end + 60).step_by(60).map(offset).collect();
        let starts = (begin..).step_by(60).zip(minutes.windows(2));
        let even = starts.into_iter().all(|(minute, pair)| {
            pair[0].seconds() % 60 == 0 && (pair[0] == pair[1] || offset(minute + 59) == pair[0])
        });
        let (step, end) = if even { (60, end) } else { (1, end.min(begin + 2 * 86_400)) };
        let mut wall = Self { begin, step, open: Vec::new(), sums: vec![0], changes: 0 };
        let mut before = minutes[0];
        for (number, second) in (begin..end).step_by(usize::try_from(step).unwrap()).enumerate() {
            let offset = if even { minutes[number] } else { offset(second) };
            wall.changes += u64::from(offset != before);
            before = offset;
            let shown = offset.to_datetime(Timestamp::from_second(second).unwrap());
            let of_day = i64::from(shown.hour()) * 3_600 + i64::from(shown.minute()) * 60 + i64::from(shown.second());
            let open = hours.is_open(shown.date(), shown.weekday(), of_day);
            wall.open.push(open);
            wall.sums.push(wall.sums[wall.sums.len() - 1] + i64::from(open));
        }
        wall
    }

    pub fn steps(&self) -> u64 {
        self.open.len() as u64
    }

    /// The instant after the last step.
    pub fn end(&self) -> i64 {
        self.begin + self.open.len() as i64 * self.step
    }

    fn step_of(&self, second: i64) -> usize {
        usize::try_from((second - self.begin) / self.step).unwrap()
    }

    pub fn is_open(&self, second: i64) -> bool {
        self.open[self.step_of(second)]
    }

    /// Open nanoseconds from the beginning to an instant within.
    pub fn passed(&self, second: i64, nanos: i64) -> i128 {
        let step = self.step_of(second);
        let whole = i128::from(self.sums[step] * self.step) * 1_000_000_000;
        if !self.open.get(step).copied().unwrap_or(false) {
            return whole;
        }
        whole + i128::from((second - self.begin) % self.step) * 1_000_000_000 + i128::from(nanos)
    }

    /// The first instant by which so many open nanoseconds have passed since the beginning, in seconds and nanoseconds.
    pub fn when(&self, passed: i128) -> Option<(i64, i64)> {
        let of_step = i128::from(self.step) * 1_000_000_000;
        let steps = self.sums.partition_point(|sum| i128::from(*sum) * of_step < passed);
        let sum = *self.sums.get(steps)?;
        // The last of these steps is the one in which it is reached.
        let too_much = i128::from(sum) * of_step - passed;
        let nanos = i128::from(self.begin + steps as i64 * self.step) * 1_000_000_000 - too_much;
        Some((nanos.div_euclid(1_000_000_000) as i64, nanos.rem_euclid(1_000_000_000) as i64))
    }

    /// The first open second from this one on.
    pub fn next_open(&self, second: i64) -> Option<i64> {
        let step = self.step_of(second);
        let ahead = self.open[step..].iter().position(|open| *open)?;
        Some(if ahead == 0 { second } else { self.begin + (step + ahead) as i64 * self.step })
    }
}
