//! The seeded simulation: the daemon's own pipeline, ledger and connector, in one process, on a clock that the simulation
//! moves, against the sandbox's dialects in turn; with lost answers, errors, outages, duplicate, late, reordered and lost
//! webhooks, people and other rules editing meanwhile, agents who write commands, people at the command line, other versions
//! of the policy taken in and taken back, kill switches, a ledger that is full or locked, rooms that answer nothing, and
//! crashes at any await. A checker with a model of its own holds the promises afterwards.
//!
//! `cargo test --test simulation` runs 50 seeds. `HANDOFFD_SIM_SEEDS=5000` runs more, `HANDOFFD_SIM_SEED=17` replays one,
//! `HANDOFFD_SIM_DESK=rt` runs all on one kind of helpdesk.
#![expect(clippy::expect_used, reason = "a test fails by panicking and prints what it exercised")]

mod acts;
mod by_hand;
mod checker;
mod helpdesk;
mod life;
mod lost;
mod moves;
mod news;
mod promises;
mod rooms;
mod switches;
mod tally;
mod troubles;
mod versions;
mod world;

use helpdesk::Kind;
use news::News;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tally::Tally;

/// What fits in four minutes on two cores.
const SEEDS: u64 = 50;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The helpdesk of a seed: the one that was asked for, or each in its turn.
fn kind_of(seed: u64) -> Kind {
    match std::env::var("HANDOFFD_SIM_DESK") {
        Ok(asked) => {
            let known = Kind::ALL.into_iter().find(|kind| kind.name() == asked);
            known.unwrap_or_else(|| panic!("HANDOFFD_SIM_DESK={asked}: no such helpdesk"))
        }
        Err(_) => Kind::of_seed(seed),
    }
}

#[expect(clippy::disallowed_methods, reason = "only what is printed rests on it")]
fn wall() -> Instant {
    Instant::now()
}

/// How much faster than real time the days went by.
fn pace(days: u64, took: Duration) -> String {
    let (day, rest) = News::Both.hours();
    let simulated = (day + rest).as_secs_f64() * days as f64;
    let times = simulated / took.as_secs_f64();
    format!("{:.0} hours in {:.0} s: {times:.0} times real time", simulated / 3_600.0, took.as_secs_f64())
}

/// Of which state of the code a failure is.
fn commit() -> String {
    let git = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let said = git.ok().filter(|git| git.status.success());
    said.map_or("an unknown commit".to_owned(), |git| String::from_utf8_lossy(&git.stdout).trim().to_owned())
}

#[test]
fn seeds_hold_the_promises() {
    let (from, count) = match number("HANDOFFD_SIM_SEED") {
        Some(seed) => (seed, 1),
        None => (1, number("HANDOFFD_SIM_SEEDS").unwrap_or(SEEDS)),
    };
    let (next, begun) = (AtomicU64::new(from), wall());
    let total = Mutex::new(Tally::default());
    let broken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    let (tally, wrong) = world::run(kind_of(seed), News::Both, seed);
                    total.lock().unwrap_or_else(PoisonError::into_inner).add(&tally);
                    broken.lock().unwrap_or_else(PoisonError::into_inner).extend(wrong);
                }
            });
        }
    });
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    let _ = writeln!(std::io::stderr(), "{total}\n{}", pace(count, begun.elapsed()));
    let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    let shown: Vec<String> = broken.iter().take(20).map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{} promises broken at {}:\n{}", broken.len(), commit(), shown.join("\n"));
    if count >= SEEDS {
        total.assert_everything_happened();
    }
}

/// Whose polls are cut off: two days of each helpdesk.
const SILENT: std::ops::Range<u64> = 1..9;

#[test]
fn without_webhooks_a_page_that_was_read_is_not_lost() {
    let seeds = number("HANDOFFD_SIM_SEED").map_or(SILENT, |seed| seed..seed + 1);
    let day = |seed| world::run(Kind::ALL[seed as usize % Kind::ALL.len()], News::Polled, seed).1;
    let broken: Vec<String> = seeds.flat_map(day).map(|broken| broken.to_string()).collect();
    assert!(broken.is_empty(), "{} promises broken at {}:\n{}", broken.len(), commit(), broken.join("\n"));
}

/// Whose polls bring nothing: a day of each of these helpdesks, which tell of every change by webhook.
const POSTED: [Kind; 2] = [Kind::Zendesk, Kind::Rt];

#[test]
fn without_polls_a_change_that_comes_while_the_ticket_is_read_is_not_lost() {
    let seed = number("HANDOFFD_SIM_SEED").unwrap_or(1);
    let day = |kind| world::run(kind, News::Posted, seed).1;
    let broken: Vec<String> = POSTED.into_iter().flat_map(day).map(|broken| broken.to_string()).collect();
    assert!(broken.is_empty(), "{} promises broken at {}:\n{}", broken.len(), commit(), broken.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_day() {
    for kind in Kind::ALL {
        let (first, _) = world::run(kind, News::Both, 4);
        let (again, _) = world::run(kind, News::Both, 4);
        assert_eq!(first, again, "{}", kind.name());
    }
}
