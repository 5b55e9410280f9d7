//! Versions follow the meaning: what changes a decision changes them, what does not leaves them alone.

use handoffd::config::{self, Config};
use std::collections::BTreeSet;
use std::path::Path;

const BASE: &str = include_str!("../fixtures/config/base.toml");

fn read(text: &str) -> Config {
    config::read(text, "handoffd.toml", Path::new("")).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The version of the whole, of the route `invoices`, of the escalation `refund`.
fn versions(text: &str) -> [String; 3] {
    let policy = read(text).policy;
    [policy.version, policy.routes[0].rule.version.clone(), policy.escalations[0].rule.version.clone()]
}

/// What the file says differently than the base, as `of key`.
fn changes(text: &str) -> Vec<String> {
    let [base, other] = [BASE, text].map(|text| read(text).meaning);
    let changes = base.changes(&other);
    assert_eq!(other.changes(&base).len(), changes.len());
    changes.iter().map(|change| format!("{} {}", change.of, change.key)).collect()
}

#[test]
fn a_change_is_told_under_the_key_that_was_edited() {
    for (old, new, told) in [
        ("mode = \"live\"", "mode = \"shadow\"", vec!["escalate.refund mode"]),
        ("once = \"episode\"", "once = \"case\"", vec!["escalate.refund once"]),
        (
            "needs = ",
            "before_breach = { clock = \"internal\", by = \"45m\" }\nneeds = ",
            vec!["escalate.refund before_breach"],
        ),
        ("clock.internal = \"4h\"", "clock.internal = \"4h wall\"", vec!["escalate.refund clock.internal"]),
        ("within = \"1d\"", "within = \"2d\"", vec!["escalate.refund owner.previous.within"]),
        ("\"360001\"", "\"360009\"", vec!["desks.acme fields.steps.id"]),
        ("queue = \"Support\"", "queue = \"Support 2\"", vec!["teams.frontline queue.name"]),
        ("look at this until", "look at it until", vec!["messages.escalated wordings.en"]),
        ("owner = \"ops", "limits = { hops_per_day = 5 }\nowner = \"ops", vec!["policy limits.hops_per_day"]),
        (
            "[defaults.escalate]",
            "[package.labels]\nsteps = [\"Versucht\"]\n\n[defaults.escalate]",
            vec!["labels steps"],
        ),
        ("name = \"refund\"", "name = \"refunds\"", vec!["escalate.refund ", "escalate.refunds "]),
        ("poll = \"30s\"", "poll = \"40s\"", vec![]),
    ] {
        assert!(BASE.contains(old), "{old}");
        assert_eq!(changes(&BASE.replacen(old, new, 1)), told, "{new}");
    }
}

fn edited(old: &str, new: &str) -> [String; 3] {
    assert!(BASE.contains(old), "{old}");
    versions(&BASE.replacen(old, new, 1))
}

#[test]
fn a_version_is_twelve_hex_digits_and_the_same_every_time() {
    for version in versions(BASE) {
        assert!(version.len() == 12 && version.bytes().all(|byte| byte.is_ascii_hexdigit()), "{version}");
    }
    assert_eq!(versions(BASE), versions(BASE));
}

#[test]
fn comments_order_spelling_and_the_daemon_do_not_count() {
    for (old, new) in [
        ("[daemon]", "# a comment\n[daemon]"),
        ("mode = \"shadow\"", "mode = \"live\"\nkeep_raw = \"1d\""),
        ("tier = 1\ndesk = \"acme\"", "desk = \"acme\"\ntier = 1"),
        ("queue = \"Support\"", "queue = { name = \"Support\" }"),
        ("once = \"episode\"\n", ""),
        ("package.missing = \"send\"\n", ""),
        ("clock.internal = \"4h\"", "clock.internal = \"240m\""),
        ("within = \"1d\" }", "within = \"24h\" }, customer_facing = \"new\""),
        ("when = 'mentions(ticket.subject, \"invoice\")'", "when = ['mentions(ticket.subject, \"invoice\")']"),
        ("from = [\"frontline\"]", "from = { tier = 1 }"),
        ("steps = \"360001\"", "steps = { id = \"360001\", type = \"text\", of = \"ticket\" }"),
        ("poll = \"30s\"\nbudget = \"80%\"", "poll = \"1m\""),
        ("\"https://acme.zendesk.com\"", "\"https://acme.example\""),
        ("owner = \"ops", "limits = { per_rule_per_hour = 30 }\nowner = \"ops"),
    ] {
        assert_eq!(edited(old, new), versions(BASE), "{new}");
    }
}

#[test]
fn switching_a_rule_on_changes_the_whole_and_not_the_rule() {
    for (old, new) in [("mode = \"live\"", "mode = \"shadow\""), ("share = \"100%\"", "share = \"10%\"")] {
        let (before, after) = (versions(BASE), edited(old, new));
        assert_ne!(before[0], after[0], "{new}");
        assert_eq!(before[1..], after[1..], "{new}");
    }
}

#[test]
fn every_change_of_meaning_changes_the_rule_and_the_whole() {
    let mut seen = BTreeSet::from([versions(BASE)[2].clone()]);
    for (old, new) in [
        ("once = \"episode\"", "once = \"case\""),
        ("trigger = \"exception\"", "trigger = \"manual\""),
        ("from = [\"frontline\"]\nto = \"billing\"", "from = [\"billing\"]\nto = \"frontline\""),
        ("needs = \"authority\"", "needs = \"skill\""),
        ("needs = ", "idle_for = \"4h\"\nneeds = "),
        ("needs = ", "idle_for = \"4h wall\"\nneeds = "),
        ("needs = ", "held_for = \"4h\"\nneeds = "),
        ("needs = ", "in_status_for = \"4h\"\nneeds = "),
        ("needs = ", "silent_for = \"4h\"\nneeds = "),
        ("needs = ", "open_for = \"4h\"\nneeds = "),
        ("needs = ", "before_breach = { clock = \"resolution\", by = \"45m\" }\nneeds = "),
        ("needs = ", "before_breach = { clock = \"internal\", by = \"45m\" }\nneeds = "),
        ("needs = ", "before_breach = { clock = \"internal\", by = \"46m\" }\nneeds = "),
        ("needs = ", "quiet_after_person = \"5m\"\nneeds = "),
        ("when = ['has_tag(\"refund\")', ", "when = ["),
        ("reason = \"A refund", "reason = \"The refund"),
        ("require = [\"summary\", \"steps\"]", "require = [\"summary\"]"),
        ("package.missing = \"send\"", "package.missing = \"review\""),
        ("package.missing = \"send\"", "package.missing = \"ask\"\npackage.ask_for = \"4h\""),
        ("package.missing = \"send\"", "package.missing = \"ask\"\npackage.ask_for = \"5h\""),
        ("package.missing = \"send\"", "package.missing = \"ask\"\npackage.ask_for = \"4h\"\npackage.then = \"send\""),
        ("assign = \"queue\", previous", "assign = \"lead\", previous"),
        ("assign = \"queue\", previous", "assign = \"round-robin\", previous"),
        ("assign = \"queue\", previous", "assign = \"queue\", claim_within = \"2h\", previous"),
        ("assign = \"queue\", previous", "assign = \"queue\", claim_within = \"2h\", unclaimed = [\"back\"], previous"),
        ("assign = \"queue\", previous", "assign = \"least-loaded\", previous"),
        ("assign = \"queue\", previous", "assign = \"lead\", fallback = \"round-robin\", previous"),
        ("task = \"Answer questions\"", "task = \"Wait\""),
        ("within = \"1d\"", "within = \"2d\""),
        ("assign = \"queue\", previous", "assign = \"queue\", customer_facing = \"previous\", previous"),
        ("clock.internal = \"4h\"", "clock.internal = \"5h\""),
        ("clock.internal = \"4h\"", "clock.internal = \"4h wall\""),
        ("clock.internal = \"4h\"", "clock.internal = \"4h\"\nclock.internal_from = \"opened\""),
        ("clock.internal = \"4h\"", "clock.accountable = \"from\""),
        ("clock.customer = \"continue\"", "clock.customer = { pause = \"hold\", at_most = \"1d\" }"),
        ("clock.customer = \"continue\"", "clock.customer = { pause = \"hold\", at_most = \"2d\" }"),
        ("customer.respond_within = \"8h\"", "customer.respond_within = \"9h\""),
        ("customer.quiet_for = \"24h\"", "customer.quiet_for = \"25h\""),
        ("customer.quiet_for = \"24h\"", "customer.quiet_for = \"24h\"\ncustomer.after_reply = \"11m\""),
        ("review = 'ticket.fields.refund_eur > 5000.0'", "review = \"always\""),
        ("review = 'ticket.fields.refund_eur > 5000.0'", "review = \"never\""),
    ] {
        let (before, after) = (versions(BASE), edited(old, new));
        assert_ne!(before[0], after[0], "{new}");
        assert_eq!(before[1], after[1], "{new}: the route is another rule");
        assert!(seen.insert(after[2].clone()), "{new} does not change the rule's version");
    }
}

#[test]
fn what_rules_stand_on_changes_the_whole_alone() {
    for (old, new) in [
        ("never = 'has_tag(\"legal-hold\")'\n", ""),
        ("owner = \"ops", "limits = { hops_per_day = 5 }\nowner = \"ops"),
        ("owner = \"ops", "quiet_after_person = \"5m\"\nowner = \"ops"),
        ("owner = \"ops@acme.example\"", "owner = \"other@acme.example\""),
        ("owner = \"ops", "suppress = [\"no-reply@*\"]\nowner = \"ops"),
        ("intake = [\"Incoming\"]", "intake = [\"Incoming\", \"More\"]"),
        ("start = \"now\"", "start = 2026-01-01"),
        ("\"360001\"", "\"360009\""),
        ("queue = \"Support\"", "queue = \"Support 2\""),
        ("queue = \"Support\"", "queue = { id = \"4711\" }"),
        ("email = \"lead@acme.example\"", "email = \"boss@acme.example\""),
        ("look at this until", "look at it until"),
        ("[defaults.escalate]", "[package.labels]\nsteps = [\"Versucht\"]\n\n[defaults.escalate]"),
    ] {
        let (before, after) = (versions(BASE), edited(old, new));
        assert_ne!(before[0], after[0], "{new}");
        assert_eq!(before[1..], after[1..], "{new}");
    }
}
