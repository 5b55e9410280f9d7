//! Every zone of the tz database, against a minute-by-minute reference that is written from the zone's rules.
//!
//! The reference knows nothing of the crate under test: it asks the database for the offset at each instant, reads the
//! clock on the wall from that, and looks the time up in the blocks as they were written. Where an offset is no whole
//! number of minutes (local mean time, Monrovia until 1972), it goes second by second.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod wall;

use jiff::tz::TimeZoneDatabase;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was compared.
#[derive(Default)]
struct Tally {
    deadlines: AtomicU64,
    beyond: AtomicU64,
    spans: AtomicU64,
    openings: AtomicU64,
    steps: AtomicU64,
    changes: AtomicU64,
}

fn count(what: &AtomicU64, by: u64) {
    what.fetch_add(by, Ordering::Relaxed);
}

#[test]
fn every_zone_agrees_with_its_own_clock_on_the_wall() {
    let seed = std::env::var("HANDOFFD_HOURS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_129);
    let names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect();
    assert!(names.len() > 500, "the tz database has shrunk to {} names", names.len());
    let tally = Tally::default();
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                cases::check_zone(name, seed, &tally);
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| worker.join().expect("a case differs from the reference"));
    });
    let [deadlines, beyond, spans, openings, steps, changes] =
        [&tally.deadlines, &tally.beyond, &tally.spans, &tally.openings, &tally.steps, &tally.changes]
            .map(|count| count.load(Ordering::Relaxed));
    println!(
        "{} zones, seed {seed}: {deadlines} deadlines ({beyond} of them behind the window), {spans} spans, {openings} openings, \
         against {steps} steps of the reference with {changes} clock changes in them",
        names.len()
    );
    assert!(
        deadlines >= 200_000 && beyond < deadlines / 2 && changes >= 1_000,
        "too few cases: the generator has weakened"
    );
}
