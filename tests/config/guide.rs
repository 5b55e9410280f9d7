//! The policy guide and the page of triggers must not drift: their policies are ones that `check` accepts and whose tests
//! pass, and the guide's facts and later keys are the code's.

use handoffd::config::{self, keys};
use handoffd::policy::known::KnownFacts;
use handoffd::policy::trial;
use std::path::Path;

#[expect(clippy::expect_used, reason = "a test's helper")]
fn page_text(page: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("the page")
}

fn guide() -> String {
    page_text("docs/POLICY-GUIDE.md")
}

fn section<'a>(guide: &'a str, title: &str) -> &'a str {
    let (_, rest) = guide.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section {title}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The policy that the TOML blocks of a page are, one after the other; all of its tests pass.
fn policy_of(page: &str) -> config::Config {
    let text = page_text(page);
    let blocks: Vec<&str> =
        text.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap_or_default()).collect();
    assert!(blocks.len() > 4);
    let config = config::read(&blocks.concat(), page, Path::new(""));
    let config = config.unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.warnings.is_empty(), "{}", config.warnings);
    let live = trial::as_if_live(&config.policy);
    for test in &config.tests {
        let report = trial::run(&test.trial, &live);
        assert_eq!(report.differences, [], "{}: {:?}", test.trial.name, report.why);
    }
    config
}

#[test]
fn the_blocks_of_the_guide_are_one_policy_without_a_problem() {
    assert!(!policy_of("docs/POLICY-GUIDE.md").tests.is_empty());
}

/// Every kind of trigger has its section, with each of its rules fired by a test there, and a twin that stays.
#[test]
fn every_trigger_has_rules_that_fire_and_twins_that_do_not() {
    let config = policy_of("docs/TRIGGERS.md");
    let text = page_text("docs/TRIGGERS.md");
    for trigger in ["complexity", "account", "steps-failed", "sla", "waiting", "repeat", "exception", "manual"] {
        let section = section(&text, trigger);
        let rules: Vec<&str> = config
            .policy
            .escalations
            .iter()
            .filter(|rule| serde_json::to_value(rule.trigger).is_ok_and(|word| word == trigger))
            .map(|rule| rule.rule.name.as_str())
            .collect();
        assert!(!rules.is_empty(), "{trigger} has no rule");
        let here: Vec<_> = config
            .tests
            .iter()
            .map(|test| &test.trial)
            .filter(|trial| section.contains(&format!("\"{}\"", trial.name)))
            .collect();
        for rule in &rules {
            assert!(section.contains(&format!("\"{rule}\"")), "{rule} stands elsewhere");
            let fires = |trial: &&&trial::Trial| trial.expect.rule.as_ref().is_some_and(|name| name.as_str() == *rule);
            assert!(here.iter().any(|trial| fires(&trial)), "no ticket fires {rule}");
        }
        let stays =
            |trial: &&&trial::Trial| matches!(trial.expect.stays, Some(trial::Stays::Yes | trial::Stays::For(_)));
        let twins = here.iter().filter(stays).count();
        assert!(twins >= rules.len(), "{trigger} has {} rules and {twins} twins that stay", rules.len());
    }
}

/// Every time key stands on a rule of that page, so that a ticket fires it there.
#[test]
fn every_time_key_has_its_example() {
    let config = policy_of("docs/TRIGGERS.md");
    let times: Vec<_> = config.policy.escalations.iter().map(|rule| &rule.rule.times).collect();
    assert!(times.iter().any(|times| times.idle_for.is_some()), "idle_for");
    assert!(times.iter().any(|times| times.held_for.is_some()), "held_for");
    assert!(times.iter().any(|times| times.in_status_for.is_some()), "in_status_for");
    assert!(times.iter().any(|times| times.silent_for.is_some()), "silent_for");
    assert!(times.iter().any(|times| times.open_for.is_some()), "open_for");
    assert!(times.iter().any(|times| times.before_breach.is_some()), "before_breach");
}

#[test]
fn the_table_of_facts_is_whole_and_true() {
    let guide = guide();
    let table = section(&guide, "Facts");
    let told: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2))
        .filter(|name| !name.ends_with("fields.NAME"))
        .collect();
    let names = KnownFacts::new().names();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let missing: Vec<_> = known.iter().filter(|name| !told.contains(name)).collect();
    let wrong: Vec<_> = told.iter().filter(|name| !known.contains(name)).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "missing {missing:?}, not there {wrong:?}");
}

#[test]
fn every_key_that_comes_later_is_named_as_such() {
    let guide = guide();
    let later = section(&guide, "What comes later");
    for shape in [keys::ROOT, keys::TEAM, keys::ROUTE, keys::ESCALATE, keys::PACKAGE, keys::OWNER, keys::CLOCK] {
        for key in shape.keys.iter().filter(|key| key.later.is_some()) {
            assert!(later.contains(key.name), "{} of {}", key.name, shape.title);
        }
    }
}
