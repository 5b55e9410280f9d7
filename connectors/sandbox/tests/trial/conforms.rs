//! The kit's conformance suite against this desk, and what a vendor may leave out of it.

use super::Account;
use handoffd_kit::conformance::{self, Outcome, Report};
use handoffd_kit::desk::Desk;
use std::io::Write as _;

/// What is skipped on every desk of these connectors: none of their vendors has it.
const NOBODY_HAS: [&str; 7] = [
    "machine mail is not declared to be told",
    "the stream does not say who",
    "no load of members is declared",
    "no followers are declared",
    "the desk does not compare versions by itself",
    "the desk can look",
    "the desk sends webhooks",
];

/// Runs the suite and prints what it found: nothing may fail.
pub fn run<D: Desk>(account: Account<D>) -> Report {
    let Account { mut stage, desk, .. } = account;
    let report = futures::executor::block_on(conformance::run(&desk, &mut stage));
    let _ = writeln!(std::io::stderr(), "{report}");
    assert!(report.is_clean(), "{report}");
    report
}

/// At least so many promises are kept, and what is skipped says something about this vendor, and nothing else is.
pub fn keeps<D: Desk>(account: Account<D>, at_least: usize, lacks: &[&str]) {
    let report = run(account);
    let (passed, _, _) = report.counts();
    assert!(passed >= at_least, "{report}");
    let skipped = report.lines.iter().filter_map(|line| match &line.outcome {
        Outcome::Skipped(why) => Some(why.as_str()),
        _ => None,
    });
    let is_known = |why: &str| NOBODY_HAS.iter().chain(lacks).any(|known| why.starts_with(known));
    let strange: Vec<&str> = skipped.filter(|why| !is_known(why)).collect();
    assert!(strange.is_empty(), "{strange:?}");
}
