//! What is sensitive needs a second person: somebody is named, and it is not the policy's owner under any of their names.

use handoffd::config::{self, Config, Problems};
use std::path::Path;

const BASE: &str = include_str!("../fixtures/config/base.toml");

/// The base with its escalation sensitive, these keys in `[policy]`, and these tables behind it.
fn sensitive(value: &str, header: &str, more: &str) -> Result<Config, Problems> {
    let rule = format!("sensitive = {value}\nneeds = ");
    let text = BASE.replacen("[policy]", &format!("[policy]\n{header}"), 1).replacen("needs = ", &rule, 1);
    config::read(&format!("{text}\n{more}"), "handoffd.toml", Path::new("/etc/handoffd"))
}

/// The one problem, as `line:column message | help`.
fn problem(value: &str, header: &str, more: &str) -> String {
    let problems = match sensitive(value, header, more) {
        Ok(config) => panic!("accepted: {:?}", config.policy.escalations[0].rule.sensitive),
        Err(problems) => problems,
    };
    let all: Vec<String> =
        problems.iter().map(|it| format!("{}:{} {} | {}", it.line, it.column, it.message, it.help)).collect();
    assert_eq!(all.len(), 1, "{all:#?}");
    all.concat()
}

/// The line of `sensitive` in what [`sensitive`] reads.
fn line(header: &str) -> usize {
    let before = BASE.split("needs = ").next().unwrap_or_default();
    before.lines().count() + 1 + header.lines().count().max(1)
}

#[test]
fn somebody_else_than_the_owner_signs() {
    let reviewer = "second_reviewer = \"security@acme.example\"";
    let config = sensitive("true", reviewer, "").unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.policy.escalations[0].rule.sensitive);
    let off = sensitive("false", "", "").unwrap_or_else(|problems| panic!("{problems}"));
    assert!(!off.policy.escalations[0].rule.sensitive, "false needs nobody");
    let nobody = problem("true", "", "");
    assert!(nobody.starts_with(&format!("{}:1 ", line(""))), "{nobody}");
    assert!(nobody.contains("nobody is there to sign it") && nobody.contains("second_reviewer ="), "{nobody}");
}

#[test]
fn the_owner_does_not_sign_alone_whatever_they_call_themselves() {
    let security = "[people.security]\nemail = \"OPS@acme.example\"\n";
    for (reviewer, more) in [("ops@acme.example", ""), ("Ops@acme.example", ""), ("security", security)] {
        let header = format!("second_reviewer = \"{reviewer}\"");
        let alone = problem("true", &header, more);
        assert!(alone.starts_with(&format!("{}:1 ", line(&header))), "{alone}");
        assert!(alone.contains("the policy's owner would sign it alone"), "{alone}");
    }
}

#[test]
fn it_is_true_or_false_and_nothing_else() {
    for value in ["\"yes\"", "1", "[]"] {
        let wrong = problem(value, "second_reviewer = \"security@acme.example\"", "");
        assert!(wrong.contains("true or false") && wrong.contains("sensitive = true"), "{wrong}");
    }
}

#[test]
fn its_version_is_that_of_its_meaning_whoever_signs_and_however_much_is_switched_on() {
    let rule = |value, header| {
        let config = sensitive(value, header, "").unwrap_or_else(|problems| panic!("{problems}"));
        (config.policy.escalations[0].rule.version.clone(), config.policy.version)
    };
    let reviewer = "second_reviewer = \"security@acme.example\"";
    let (signed, whole) = rule("true", reviewer);
    let (other, other_whole) = rule("true", "second_reviewer = \"legal@acme.example\"");
    let (off, off_whole) = rule("false", reviewer);
    assert!(signed == other && signed == off);
    assert!(whole != other_whole && whole != off_whole, "the whole tells");
}
