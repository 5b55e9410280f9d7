//! Time keys and what goes with them: how they are written, and every slip with its place and remedy.

use handoffd::config::{self, Config, Problems};
use handoffd::policy::due::Wait;
use jiff::SignedDuration;
use std::path::Path;

const BASE: &str = include_str!("../fixtures/config/base.toml");

/// The base with these lines in its escalation; `¦` marks the place of the problem.
fn with(lines: &str) -> String {
    BASE.replacen("needs = \"authority\"\n", &format!("{lines}\n"), 1)
}

fn read(text: &str) -> Result<Config, Problems> {
    config::read(&text.replacen('¦', "", 1), "handoffd.toml", Path::new(""))
}

fn error(lines: &str, message: &str, help: &str) {
    let marked = with(lines);
    let before = marked.split('¦').next().unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let problems = read(&marked).err().unwrap_or_else(|| panic!("{lines}: no problem"));
    let found: Vec<_> = problems.iter().collect();
    assert_eq!(found.len(), 1, "{lines}\n{problems}");
    assert!(found[0].message.contains(message) && found[0].help.contains(help), "{lines}\n{problems}");
    assert_eq!((found[0].line, found[0].column), (before.matches('\n').count() + 1, column), "{lines}\n{problems}");
}

#[test]
fn time_keys_count_in_hours_or_in_wall_time_as_they_say() {
    let config = read(&with("idle_for = \"4h\"\nheld_for = \"4h wall\"\nsilent_for = \"2d\"\nopen_for = \"2d wall\""));
    let times = config.unwrap_or_else(|problems| panic!("{problems}")).policy.escalations[0].rule.times.clone();
    let hours = SignedDuration::from_hours;
    assert_eq!(times.idle_for, Some(Wait::from(hours(4))));
    assert_eq!(times.held_for, Some(Wait::wall(hours(4))));
    assert_eq!((times.silent_for, times.open_for), (Some(Wait::wall(hours(48))), Some(Wait::wall(hours(48)))));
}

#[test]
fn a_time_key_answers_when() {
    let text = with("idle_for = \"4h\"");
    let when = "when = ['has_tag(\"refund\")', 'ticket.fields.refund_eur > 500.0']\n";
    assert!(text.contains(when));
    read(&text.replacen(when, "", 1)).unwrap_or_else(|problems| panic!("{problems}"));
    let problems = read(&BASE.replacen(when, "", 1)).expect_err("neither");
    assert!(problems.to_string().contains("leaves `when` open"), "{problems}");
}

#[test]
fn every_slip_in_a_time_key_is_named_at_its_place() {
    error("idle_for = ¦\"4 hours\"", "is no duration", "30s, 15m, 4h or 2d");
    error("idle_for = ¦\"0s\"", "`idle_for` is too short", "at least 1s");
    error("held_for = ¦\"999d\"", "`held_for` is too long", "at most 365d");
    error("in_status_for = ¦4", "`in_status_for` is text", "in_status_for = ");
    error("before_breach = ¦\"45m\"", "`before_breach` is a table", "clock = \"resolution\"");
    error("before_breach = { clock = ¦\"resolve\", by = \"45m\" }", "cannot be \"resolve\"", "first_reply, next_reply");
    error("¦before_breach = { clock = \"resolution\" }", "has no `by`", "by = \"45m\"");
    error("¦before_breach = { by = \"45m\" }", "has no `clock`", "clock = \"resolution\"");
    error("before_breach = { clock = \"internal\", by = \"45m\", ¦at = \"x\" }", "has no key `at`", "clock, by");
    error("quiet_after_person = ¦\"2d\"", "`quiet_after_person` is too long", "at most 1d");
}

#[test]
fn weak_triage_is_of_a_route_or_of_all_and_a_slip_in_it_is_named_at_its_place() {
    let with = |route: &str, all: &str| {
        let text = BASE.replacen("to = \"billing\"\n\n[[route]]", &format!("to = \"billing\"\n{route}\n[[route]]"), 1);
        text.replacen("owner = \"ops", &format!("{all}\nowner = \"ops"), 1)
    };
    let within = |route: &str, all: &str| {
        let config = read(&with(route, all)).unwrap_or_else(|problems| panic!("{problems}"));
        config.policy.routes.iter().map(|route| route.weak_triage_within.as_mins()).collect::<Vec<_>>()
    };
    assert_eq!(within("", ""), [60, 60]);
    assert_eq!(within("", "weak_triage_within = \"2h\""), [120, 120]);
    assert_eq!(within("weak_triage_within = \"15m\"", "weak_triage_within = \"2h\""), [15, 120]);
    for (route, all, message) in [
        ("weak_triage_within = \"soon\"", "", "\"soon\" is no duration"),
        ("weak_triage_within = \"31d\"", "", "`weak_triage_within` is too long"),
        ("", "weak_triage_within = \"0s\"", "`weak_triage_within` is too short"),
        ("", "weak_triage_within = 60", "`weak_triage_within` is text"),
    ] {
        let text = with(route, all);
        let problems = read(&text).expect_err(message);
        let found: Vec<_> = problems.iter().collect();
        assert!(found.len() == 1 && found[0].message.contains(message), "{problems}");
        let wanted = text.lines().position(|line| line.starts_with("weak_triage_within")).map(|line| line + 1);
        assert_eq!(Some(found[0].line), wanted, "{problems}");
    }
}

#[test]
fn a_reason_of_time_names_its_time() {
    let trigger = |word: &str| with("").replacen("¦", "", 1).replacen("trigger = \"exception\"", word, 1);
    for (word, help) in [("sla", "before_breach"), ("waiting", "idle_for = \"4h\"")] {
        let problems = read(&trigger(&format!("trigger = \"{word}\""))).expect_err("no time key");
        let found: Vec<_> = problems.iter().collect();
        assert_eq!(found.len(), 1, "{problems}");
        assert!(found[0].message.contains("no time key") && found[0].help.contains(help), "{problems}");
    }
    let on_a_clock = "trigger = \"sla\"\nbefore_breach = { clock = \"next_reply\", by = \"0s\" }";
    read(&trigger(on_a_clock)).unwrap_or_else(|problems| panic!("{problems}"));
    let asked = BASE.replacen("trigger = \"exception\"", "trigger = \"sla\"", 1).replacen(
        "'has_tag(\"refund\")'",
        "'clocks.resolution.state == \"breached\"'",
        1,
    );
    read(&asked).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn a_wait_that_a_teams_hours_take_years_for_is_a_slip() {
    let hours = "\n[hours.short]\nzone = \"UTC\"\nmon = [\"09:00-10:00\"]\n";
    let team = BASE.replacen("queue = \"Support\"\n", "queue = \"Support\"\nhours = \"short\"\n", 1) + hours;
    let text = |wait: &str| team.replacen("needs = \"authority\"\n", &format!("held_for = \"{wait}\"\n"), 1);
    let problems = read(&text("10d")).expect_err("240 weeks");
    assert!(problems.to_string().contains("more than two years") && problems.iter().count() == 1, "{problems}");
    read(&text("10d wall")).unwrap_or_else(|problems| panic!("{problems}"));
    read(&text("100h")).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn a_route_with_a_time_key_catches_not_all() {
    let text = BASE.replacen("name = \"rest\"", "open_for = \"1h\"\nname = \"rest\"", 1);
    let problems = read(&text).expect_err("no catch-all");
    assert!(problems.to_string().contains("no catch-all"), "{problems}");
}

#[test]
fn a_pause_names_its_status_and_its_longest() {
    let pause = |value: &str| {
        let text = BASE.replacen("clock.customer = \"continue\"", &format!("clock.customer = {value}"), 1);
        assert_ne!(text, BASE);
        read(&text)
    };
    pause("{ pause = \"hold\", at_most = \"1d\" }").unwrap_or_else(|problems| panic!("{problems}"));
    for (value, message, help) in [
        ("{ pause = \"hold\" }", "has no `at_most`", "at_most = \"1d\""),
        ("{ at_most = \"1d\" }", "has no `pause`", "pause = \"hold\""),
        ("{ pause = \"hold\", at_most = \"never\" }", "is no duration", "30s"),
        ("{ pause = \"\", at_most = \"1d\" }", "`pause` is empty", "pause = \"hold\""),
        ("{ pause = \"hold\", at_most = \"1d\", until = \"x\" }", "has no key `until`", "pause, at_most"),
        ("\"pause\"", "`clock.customer` cannot be \"pause\"", "at_most"),
        ("7", "`customer` is text", "continue"),
    ] {
        let problems = pause(value).err().unwrap_or_else(|| panic!("{value}: no problem"));
        let found: Vec<_> = problems.iter().collect();
        assert_eq!(found.len(), 1, "{value}\n{problems}");
        assert!(found[0].message.contains(message) && found[0].help.contains(help), "{value}\n{problems}");
    }
}
