//! A policy that has run before, in the place of the file's: what decides is the kept one's, all else is the file's.

use handoffd::config::{self, Config};
use handoffd::policy::rules::Mode;
use std::path::Path;

const BASE: &str = include_str!("../fixtures/config/base.toml");

fn read(text: &str) -> Config {
    config::read(text, "handoffd.toml", Path::new("")).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The file with the policy of this text in its place.
fn with(file: &str, kept: &str) -> Result<Config, String> {
    let kept = read(kept);
    read(file).with_kept_policy(&kept.policy.version, kept.text())
}

#[test]
fn what_decides_is_the_kept_one_s_and_how_it_is_carried_out_is_the_file_s() {
    let file = BASE
        .replacen("mode = \"shadow\"", "mode = \"live\"", 1)
        .replacen("poll = \"30s\"", "poll = \"45s\"", 1)
        .replacen("reason = \"A refund", "reason = \"Any refund", 1);
    let config = with(&file, BASE).unwrap_or_else(|why| panic!("{why}"));
    let base = read(BASE);
    assert_eq!((&config.policy.version, &config.meaning), (&base.policy.version, &base.meaning));
    assert!(config.policy.escalations[0].reason.starts_with("A refund"));
    assert_eq!((config.policy.mode, base.policy.mode), (Mode::Live, Mode::Shadow), "the master switch is the file's");
    assert_eq!(config.desks[&"acme".into()].poll, read(&file).desks[&"acme".into()].poll);
    assert_ne!(config.desks[&"acme".into()].poll, base.desks[&"acme".into()].poll);
}

#[test]
fn desks_that_the_kept_policy_does_not_know_are_left_alone() {
    let more = "\n[desks.third]\nconnector = \"rt\"\nurl = \"https://third.acme.example\"\nlogin = { token = { file = \"t\" } }\n";
    let config = with(&format!("{BASE}{more}"), BASE).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(config.desks.keys().collect::<Vec<_>>(), config.policy.desks.keys().collect::<Vec<_>>());
    let gone = with(BASE, &format!("{BASE}{more}")).map(|_| ()).expect_err("no such desk");
    assert!(gone.contains("put [desks.third] back first"), "{gone}");
}

#[test]
fn a_text_that_is_not_what_was_kept_never_runs() {
    let version = read(BASE).policy.version;
    let changed = BASE.replacen("reason = \"A refund", "reason = \"Any refund", 1);
    for (text, why) in [
        (changed.as_str(), "means something else now"),
        ("", "does not pass `check`"),
        ("[[escalate", "does not pass `check`"),
        ("include = [\"/etc/passwd\"]", "does not pass `check`"),
    ] {
        let told = read(BASE).with_kept_policy(&version, text).map(|_| ()).expect_err("refused");
        assert!(told.contains(why) && !told.contains("root:"), "{text:.20}: {told}");
    }
}
