//! Deadlines in opening hours: within a day, over a weekend and a clock change, and ten days of office hours with holidays
//! on the way. One iteration is one deadline with its working.

#![expect(clippy::expect_used, reason = "a benchmark stops where its input is wrong")]

use criterion::{Criterion, criterion_group, criterion_main};
use handoffd_hours::{Block, Calendar, Day, Week, zone};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use std::hint::black_box;

fn office() -> Calendar {
    let mut week = Week::new();
    for (days, blocks) in [(&Day::ALL[..4], &["09:00-12:00", "13:00-17:30"][..]), (&Day::ALL[4..5], &["09:00-15:00"])] {
        for (day, block) in days.iter().flat_map(|day| blocks.iter().map(move |block| (day, block))) {
            week.add(*day, Block::parse(block).expect("a block")).expect("no overlap");
        }
    }
    let holidays = (2020..2040).flat_map(|year| [date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)]);
    Calendar::new(zone("Europe/Berlin").expect("a zone"), &week, holidays).expect("a calendar")
}

fn deadlines(bench: &mut Criterion) {
    let office = office();
    for (name, from, hours) in [
        ("two hours, same day", "2026-11-24T08:30:00Z", 2),
        ("four hours, over a weekend", "2026-11-27T13:00:00Z", 4),
        ("eight hours, over a clock change", "2026-03-27T13:00:00Z", 8),
        ("ten days, over Christmas", "2026-12-21T13:00:00Z", 80),
        ("a year of office hours", "2026-06-01T13:00:00Z", 1_800),
    ] {
        let from: Timestamp = from.parse().expect("an instant");
        let length = SignedDuration::from_hours(hours);
        bench.bench_function(name, |bench| bench.iter(|| office.add(black_box(from), black_box(length))));
    }
    let (from, to) =
        ("2026-01-01T00:00:00Z".parse().expect("an instant"), "2026-12-31T00:00:00Z".parse().expect("one"));
    bench.bench_function("open time of a year", |bench| bench.iter(|| office.between(black_box(from), black_box(to))));
}

criterion_group!(hours, deadlines);
criterion_main!(hours);
