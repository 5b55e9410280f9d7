//! The templates can be copied: each file works alone and with all others, answers every question itself, and shows a
//! ticket that fires each of its rules and a twin that does not.

use handoffd::config::{self, Config};
use handoffd::policy::document::{Around, document};
use handoffd::policy::rules::Mode;
use handoffd::policy::trial::{self, Stays};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/templates")
}

/// The files of `policy/`, by name.
#[expect(clippy::expect_used, reason = "a test's helper")]
fn files() -> Vec<String> {
    let entries = fs::read_dir(folder().join("policy")).expect("the templates");
    let mut files: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    files.sort();
    files
}

/// A copy of the folder with these files alone.
#[expect(clippy::expect_used, reason = "a test's helper")]
fn copied(files: &[String]) -> (TempDir, Config) {
    let copy = tempfile::tempdir().expect("a folder");
    fs::create_dir(copy.path().join("policy")).expect("a folder");
    for file in files.iter().map(|file| format!("policy/{file}")).chain(["handoffd.toml".into()]) {
        fs::copy(folder().join(&file), copy.path().join(&file)).expect("copied");
    }
    let config = config::load(&copy.path().join("handoffd.toml"));
    let config = config.unwrap_or_else(|problems| panic!("{files:?}: {problems}"));
    (copy, config)
}

fn tests_pass(config: &Config) {
    let live = trial::as_if_live(&config.policy);
    for test in &config.tests {
        let report = trial::run(&test.trial, &live);
        assert_eq!(report.differences, [], "{}: {:?}", test.trial.name, report.why);
    }
}

#[test]
fn all_of_them_together_are_one_policy_in_shadow_without_a_warning() {
    let (_copy, config) = copied(&files());
    assert!(config.warnings.is_empty(), "{}", config.warnings);
    tests_pass(&config);
    assert_eq!(config.policy.mode, Mode::Shadow);
    assert!(config.policy.rules().all(|rule| rule.mode == Mode::Shadow), "nobody copies a rule that acts");
    assert!(config.policy.rules().any(|rule| rule.sensitive));
    let text =
        document(&config.policy, &Around { systems: &[], signed_rules: &[], is_signed: &|_, _| false, instead: None });
    for rule in config.policy.rules() {
        assert!(text.contains(&format!("`{}`", rule.name)), "{} is not in the document", rule.name);
    }
}

#[test]
fn each_of_them_works_alone_and_shows_what_fires_its_rules_and_what_does_not() {
    let files = files();
    assert!(files.len() >= 8, "{files:?}");
    for file in &files {
        let (_copy, config) = copied(std::slice::from_ref(file));
        tests_pass(&config);
        let trials = || config.tests.iter().map(|test| &test.trial);
        for rule in config.policy.rules() {
            let fires = |trial: &trial::Trial| trial.expect.rule.as_ref() == Some(&rule.name);
            assert!(trials().any(fires), "{file}: no ticket fires {}", rule.name);
        }
        let stays = |trial: &&trial::Trial| matches!(trial.expect.stays, Some(Stays::Yes | Stays::For(_)));
        let twins = trials().filter(stays).count();
        assert!(twins >= config.policy.escalations.len().max(1), "{file}: {twins} twins");
    }
}

#[test]
fn the_page_of_the_templates_names_each_file_once_and_no_other() {
    let page = fs::read_to_string(folder().join("README.md")).expect("the page");
    let named: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| [")?.split(']').next()).collect();
    assert_eq!(named, files());
}
