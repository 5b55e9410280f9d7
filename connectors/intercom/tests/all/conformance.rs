//! The kit's conformance suite, against the sandbox in Intercom's dialect.

use crate::stage::Account;
use handoffd_kit::conformance::{self, Outcome};
use std::io::Write as _;

#[test]
fn an_app_with_all_permissions_keeps_every_promise() {
    let Account { mut stage, desk, .. } = Account::new();
    let report = futures::executor::block_on(conformance::run(&desk, &mut stage));
    let _ = writeln!(std::io::stderr(), "{report}");
    assert!(report.is_clean(), "{report}");
    let (passed, _, _) = report.counts();
    assert!(passed >= 45, "{report}");
    // What is skipped says something about Intercom, and nothing else is.
    let skipped = report.lines.iter().filter_map(|line| match &line.outcome {
        Outcome::Skipped(why) => Some(why.as_str()),
        _ => None,
    });
    let known = [
        "machine mail is not declared to be told",
        "nothing is set together",
        "the stream does not say who",
        "no load of members is declared",
        "no followers are declared",
        "the desk does not compare versions by itself",
        "the desk can look",
        "webhooks are not signed with a time",
        "the desk sends webhooks",
        "this helpdesk has no state that takes no more writes",
    ];
    let strange: Vec<&str> = skipped.filter(|why| !known.iter().any(|known| why.starts_with(known))).collect();
    assert!(strange.is_empty(), "{strange:?}");
}
