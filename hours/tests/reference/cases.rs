//! Random hours, instants and lengths for one zone, each compared with the reference.

use crate::wall::{Hours, Wall};
use crate::{Tally, count};
use fastrand::Rng;
use handoffd_hours::{Block, Calendar, Day, Week};
use jiff::civil::Weekday;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};

const DAY: i64 = 86_400;

/// Compares windows of several lengths: around clock changes, at random, far ahead, and long enough for whole weeks.
pub fn check_zone(name: &str, seed: u64, tally: &Tally) {
    let mut rng = Rng::with_seed(name.bytes().fold(seed, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into())));
    let zone = TimeZoneDatabase::bundled().get(name).unwrap();
    let second = |year: i16| zone.to_timestamp(jiff::civil::date(year, 1, 1).at(0, 0, 0, 0)).unwrap().as_second();
    let changes: Vec<i64> = zone
        .following(Timestamp::from_second(second(1890)).unwrap())
        .take_while(|change| change.timestamp().as_second() < second(2100))
        .map(|change| change.timestamp().as_second())
        .collect();
    // Local mean time ends first; later its seconds are rare, and seconds are many.
    let later =
        &changes[changes.partition_point(|change| *change < second(1975)).min(changes.len().saturating_sub(1))..];
    let any = second(1950)..second(2150);
    for window in 0..6 {
        let (days, centre) = match window {
            0 => (1, changes.first().copied()),
            1 | 2 => (14, rng.choice(later).copied()),
            3 => (10, None),
            4 => (40, rng.choice(later).copied()),
            // Longer in a few zones, for the minutes are many.
            _ if rng.u8(..32) == 0 => (800, None),
            _ => (20, changes.last().copied()),
        };
        let begin = centre.unwrap_or_else(|| rng.i64(any.clone())) - rng.i64(0..days * DAY);
        let hours = hours(&mut rng, &zone, begin, days);
        let wall = Wall::watch(&zone, &hours, begin, begin + days * DAY);
        count(&tally.steps, wall.steps());
        count(&tally.changes, wall.changes);
        Cases { name, hours: &hours, calendar: calendar(&zone, &hours), wall: &wall, tally }.run(&mut rng, 100);
    }
}

/// A few blocks a week, none overlapping, some over midnight; holidays within the window.
fn hours(rng: &mut Rng, zone: &TimeZone, begin: i64, days: i64) -> Hours {
    let mut hours = Hours { blocks: Vec::new(), holidays: Vec::new() };
    let mut week = Week::new();
    let always = rng.u8(..20) == 0;
    if always {
        hours.blocks = Weekday::Monday.cycle_forward().take(7).map(|day| (day, 0, 24 * 60)).collect();
    }
    let wanted = if always { 0 } else { rng.usize(1..16) };
    while hours.blocks.is_empty() || hours.blocks.len() < wanted && rng.u8(..40) > 0 {
        let on = Weekday::from_monday_zero_offset(rng.i8(0..7)).unwrap();
        let grain = *rng.choice(&[1, 15, 60]).unwrap();
        let from = rng.u16(0..1_440 / grain) * grain;
        let to = match rng.u8(..8) {
            0 => 1_440,
            _ => rng.u16(0..1_440 / grain) * grain,
        };
        if from != to && week.add(day(on), block(from, to)).is_ok() {
            hours.blocks.push((on, from, to));
        }
    }
    for _ in 0..rng.usize(0..5) {
        let at = Timestamp::from_second(begin + rng.i64(0..days * DAY)).unwrap();
        hours.holidays.push(at.to_zoned(zone.clone()).date());
        // Also one of two days that a zone may have skipped or had twice.
        hours.holidays.extend(hours.holidays.last().unwrap().checked_add(1.day()));
    }
    hours
}

fn day(weekday: Weekday) -> Day {
    Day::ALL[weekday.to_monday_zero_offset() as usize]
}

fn block(from: u16, to: u16) -> Block {
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    Block::parse(&format!("{}-{}", clock(from), clock(to))).unwrap()
}

fn calendar(zone: &TimeZone, hours: &Hours) -> Calendar {
    let mut week = Week::new();
    for (on, from, to) in &hours.blocks {
        week.add(day(*on), block(*from, *to)).unwrap();
    }
    Calendar::new(zone.clone(), &week, hours.holidays.iter().copied()).unwrap()
}

struct Cases<'a> {
    name: &'a str,
    hours: &'a Hours,
    calendar: Calendar,
    wall: &'a Wall,
    tally: &'a Tally,
}

impl Cases<'_> {
    fn run(&self, rng: &mut Rng, times: usize) {
        for _ in 0..times {
            let from = self.instant(rng);
            self.deadline(rng, from);
            self.between(rng, from);
            self.opening(from);
        }
    }

    /// A second and nanoseconds within the window; often a whole second.
    fn instant(&self, rng: &mut Rng) -> (i64, i64) {
        let second = rng.i64(self.wall.begin..self.wall.end());
        let second = if rng.bool() { second - second.rem_euclid(60) } else { second };
        let nanos = if rng.u8(..4) == 0 { rng.i64(0..1_000_000_000) } else { 0 };
        (second.max(self.wall.begin), nanos)
    }

    fn say(&self, from: Timestamp, what: &str) -> String {
        format!("{}: {what} from {from} with {:?}", self.name, self.hours)
    }

    fn deadline(&self, rng: &mut Rng, (second, nanos): (i64, i64)) {
        let from = stamp(second, nanos);
        let left = self.wall.passed(self.wall.end(), 0) - self.wall.passed(second, nanos);
        let length = match rng.u8(..4) {
            // Often exactly what is left of a span, or of all.
            0 => left,
            1 => i128::from(rng.i64(1..8 * 3_600)) * 1_000_000_000,
            _ => i128::from(rng.u64(1..(left.max(60_000_000_000) / 60_000_000_000) as u64 + 2)) * 60_000_000_000,
        };
        if length <= 0 {
            return;
        }
        count(&self.tally.deadlines, 1);
        let told = self.calendar.add(from, SignedDuration::from_nanos_i128(length));
        let Some((second, nanos)) = self.wall.when(self.wall.passed(second, nanos) + length) else {
            count(&self.tally.beyond, 1);
            let behind = told.is_err() || told.is_ok_and(|told| told.at >= stamp(self.wall.end(), 0));
            assert!(behind, "{}", self.say(from, &format!("{length} ns lie behind the window")));
            return;
        };
        let expected = stamp(second, nanos);
        let told = told.unwrap_or_else(|error| panic!("{}", self.say(from, &format!("{length} ns, {error:?}"))));
        assert_eq!(told.at, expected, "{}", self.say(from, &format!("{length} ns")));
        assert_eq!(told.working.counted().as_nanos(), length, "{}", self.say(from, "the working"));
        let mut before = None;
        for span in told.working.first.iter().chain(&told.working.last) {
            let opens = span.from.as_second();
            let (outside, inside) = (opens - 1, self.wall.is_open(opens));
            // A span begins where the hours do, or where counting began.
            let begins = span.from == from || outside < self.wall.begin || !self.wall.is_open(outside);
            assert!(inside && begins && before < Some(span.from), "{}", self.say(from, &format!("span {span:?}")));
            before = Some(span.to);
        }
        assert_eq!(before, Some(expected), "{}", self.say(from, "the last span"));
    }

    fn between(&self, rng: &mut Rng, (second, nanos): (i64, i64)) {
        let (to, behind) = self.instant(rng);
        count(&self.tally.spans, 1);
        let expected = (self.wall.passed(to, behind) - self.wall.passed(second, nanos)).max(0);
        let told = self.calendar.between(stamp(second, nanos), stamp(to, behind)).as_nanos();
        assert_eq!(told, expected, "{}", self.say(stamp(second, nanos), &format!("until {}", stamp(to, behind))));
    }

    fn opening(&self, (second, nanos): (i64, i64)) {
        let at = stamp(second, nanos);
        count(&self.tally.openings, 1);
        assert_eq!(self.calendar.is_open(at), self.wall.is_open(second), "{}", self.say(at, "open or not"));
        let told = self.calendar.next_opening(at);
        match self.wall.next_open(second) {
            Some(opens) if opens == second => assert_eq!(told, Some(at), "{}", self.say(at, "it is open")),
            Some(opens) => assert_eq!(told, Some(stamp(opens, 0)), "{}", self.say(at, "next opening")),
            None => {
                assert!(told.is_none_or(|told| told >= stamp(self.wall.end(), 0)), "{}", self.say(at, "no opening"))
            }
        }
    }
}

fn stamp(second: i64, nanos: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap() + SignedDuration::from_nanos(nanos)
}
