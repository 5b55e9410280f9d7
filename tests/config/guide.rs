//! The policy guide must not drift: its policy is one that `check` accepts, and its facts and later keys are the code's.

use handoffd::config::{self, keys};
use handoffd::policy::known::KnownFacts;
use handoffd::policy::trial;
use std::path::Path;

#[expect(clippy::expect_used, reason = "a test's helper")]
fn guide() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/POLICY-GUIDE.md")).expect("the guide")
}

fn section<'a>(guide: &'a str, title: &str) -> &'a str {
    let (_, rest) = guide.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section {title}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

#[test]
fn the_blocks_of_the_guide_are_one_policy_without_a_problem() {
    let guide = guide();
    let blocks: Vec<&str> =
        guide.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap_or_default()).collect();
    assert!(blocks.len() > 4);
    let config = config::read(&blocks.concat(), "docs/POLICY-GUIDE.md", Path::new(""));
    let config = config.unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.warnings.is_empty(), "{}", config.warnings);
    assert!(!config.tests.is_empty());
    let live = trial::as_if_live(&config.policy);
    for test in &config.tests {
        let report = trial::run(&test.trial, &live);
        assert_eq!(report.differences, [], "{}: {:?}", test.trial.name, report.why);
    }
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
