//! The policy in a desk's own words, as files on a disk, read and checked as the daemon does.

use handoffd::config::{self, Config};
use handoffd::ledger::records::SignedWording;
use handoffd::ledger::{Handle, Ledger};
use handoffd::policy::case::SignedRule;
use handoffd::policy::trial;
use jiff::Timestamp;
use std::path::Path;
use tempfile::TempDir;

/// The policy, and what it includes.
pub const FILES: [(&str, &str); 2] =
    [("handoffd.toml", include_str!("policy.toml")), ("policy/words.toml", include_str!("words.toml"))];

/// What stands between @ signs, in a desk's own words.
pub type Words = Vec<(&'static str, String)>;

/// A text with a desk's words in it.
pub fn worded(text: &str, words: &Words) -> String {
    let text = words.iter().fold(text.to_owned(), |text, (name, word)| text.replace(&format!("@{name}@"), word));
    assert!(!text.contains("\"@"), "a word is missing: {text}");
    text
}

/// The files in a folder of their own, with the secret of the desk's webhook, and the checked configuration.
pub fn config(words: &Words) -> (TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("policy")).unwrap();
    for (name, text) in FILES {
        std::fs::write(folder.path().join(name), worded(text, words)).unwrap();
    }
    let secret = folder.path().join("hook.secret");
    std::fs::write(&secret, "0123456789abcdef0123456789abcdef").unwrap();
    private(&secret);
    let text = worded(FILES[0].1, words);
    let config = config::read(&text, "handoffd.toml", folder.path()).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(config.warnings.is_empty(), "{}", config.warnings);
    let live = trial::as_if_live(&config.policy);
    for test in &config.tests {
        let report = trial::run(&test.trial, &live);
        assert_eq!(report.differences, [], "{}: {:?}", test.trial.name, report.why);
    }
    (folder, config)
}

#[cfg(unix)]
fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &Path) {}

/// A ledger in which every wording is signed, and this version of every sensitive rule.
pub fn ledger(config: &Config, now: Timestamp) -> Handle {
    let mut ledger = Ledger::in_memory().unwrap();
    for message in config.policy.messages.values() {
        let signed = SignedWording {
            message: message.name.to_string(),
            wording: message.wording_hash.clone(),
            signer: "support-ops@acme.example".into(),
            system_user: "test".into(),
            at: now,
        };
        ledger.sign(&signed).unwrap();
    }
    let signer = config.policy.header.second_reviewer.clone().unwrap();
    for rule in config.policy.escalations.iter().map(|path| &path.rule).filter(|rule| rule.sensitive) {
        let signed = SignedRule { rule: rule.name.clone(), version: rule.version.clone(), signer: signer.clone() };
        ledger.sign_rule(&signed, "test", now).unwrap();
    }
    Handle::inline(ledger, None)
}
