//! The kit's conformance suite, against the sandbox in Freshdesk's dialect: for an agent with an admin's role and for one
//! without.

use crate::stage::Account;
use handoffd_kit::conformance::{self, Outcome, Report};
use handoffd_sandbox::seed;
use std::io::Write as _;

fn run(account: Account) -> Report {
    let Account { mut stage, desk, .. } = account;
    let report = futures::executor::block_on(conformance::run(&desk, &mut stage));
    let _ = writeln!(std::io::stderr(), "{report}");
    report
}

#[test]
fn an_agent_who_may_see_the_admins_fields_keeps_every_promise() {
    let report = run(Account::new());
    assert!(report.is_clean(), "{report}");
    let (passed, _, _) = report.counts();
    assert!(passed >= 40, "{report}");
    // What is skipped says something about Freshdesk, and nothing else is.
    let skipped: Vec<&str> = report
        .lines
        .iter()
        .filter_map(|line| match &line.outcome {
            Outcome::Skipped(why) => Some(why.as_str()),
            _ => None,
        })
        .collect();
    let known = [
        "no readable history is declared",
        "machine mail is not declared to be told",
        "the stream does not say who",
        "tags are not declared to be race-free",
        "the desk's answer tells no version",
        "no load of members is declared",
        "no followers are declared",
        "the desk does not compare versions by itself",
        "the desk can look",
        "webhooks are not signed with a time",
        "the desk sends webhooks",
    ];
    let strange: Vec<&&str> = skipped.iter().filter(|why| !known.iter().any(|known| why.starts_with(known))).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn an_ordinary_agent_keeps_every_promise() {
    let account = Account::new();
    account.stage.sandbox.with(|desk| {
        let bot = desk.people.values_mut().find(|person| person.login == seed::BOT);
        bot.unwrap().rights.admin = false;
    });
    let report = run(account);
    assert!(report.is_clean(), "{report}");
}
