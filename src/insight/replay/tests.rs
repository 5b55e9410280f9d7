//! Small histories whose decisions can be told by hand.

use super::*;
use crate::config::events::read_map;
use crate::insight::log::{Reading, read};
use crate::policy::rules::Policy;
use crate::policy::testing;
use std::io::Cursor;

const MAP: &str = r#"
case   = "id"
at     = "at"
team   = "team"
status = "status"
done   = ["done"]
tier   = [ { ends_with = "2", tier = 2 }, { ends_with = "x", tier = "2/3" }, { ends_with = "?", tier = 9 }, { tier = 1 } ]
"#;

/// Rows as `case minute team status`.
fn log(rows: &str) -> EventLog {
    let mut log = "id,at,team,status\n".to_owned();
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let [case, minute, team, status] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let at = Timestamp::from_second(1_700_000_000 + 60 * minute.parse::<i64>().expect("minute")).expect("at");
        log.push_str(&format!("{case},{at},{team},{status}\n"));
    }
    let map = read_map(MAP, "map.toml").unwrap_or_else(|problems| panic!("{problems}"));
    read(Cursor::new(log), "log.csv", &map, Reading::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn policy(when: &str) -> Policy {
    let mut policy = testing::policy();
    policy.escalations = vec![testing::escalation("up", when, "billing")];
    policy
}

fn replayed(policy: &Policy, log: &EventLog) -> Run {
    let stage = Stage::set(policy, &"acme".into(), log);
    let last = std::sync::Mutex::new((0, 0));
    let progress = |done, all| {
        let mut last = last.lock().expect("no panic");
        *last = (last.0.max(done), all);
    };
    let run = run(&stage, log, NonZeroUsize::new(2).expect("two"), &progress);
    let cases = log.by_case().count();
    assert_eq!(*last.lock().expect("no panic"), (cases, cases), "all of it was told of");
    run
}

/// Fires as `case from minute`.
fn told(run: &Run) -> Vec<String> {
    let minute = |fire: &Fire| (fire.at.as_second() - 1_700_000_000) / 60;
    run.fires
        .iter()
        .map(|fire| format!("{} {} {}", fire.case, fire.from.as_deref().unwrap_or("-"), minute(fire)))
        .collect()
}

const ROWS: &str = "
    1 0 frontline open
    1 5 net open
    1 9 net2 open
    2 0 net open
    2 3 net open
    2 4 net done
    3 0 frontline open
    3 1 netx open
    3 2 frontline open
";

#[test]
fn teams_of_the_same_tier_stand_in_and_a_rule_fires_once_an_episode() {
    let run = replayed(&policy("case.tier == 1"), &log(ROWS));
    assert_eq!(told(&run), ["1 frontline 0", "1 net 5", "2 net 0", "3 frontline 0", "3 frontline 2"]);
    assert_eq!((run.cases, run.events, run.stand_ins, run.not_ours), (3, 9, 3, 0));
    assert_eq!((run.rules[0].fires, run.rules[0].cases, run.rules[0].by_time), (5, 3, 0));
}

#[test]
fn what_people_did_later_confirms_it_with_how_much_earlier_it_was() {
    let run = replayed(&policy("case.tier == 1"), &log(ROWS));
    let then: Vec<Then> = run.fires.iter().map(|fire| fire.then).collect();
    let confirmed = |earlier_s| Then::Confirmed { earlier_s };
    assert_eq!(then, [confirmed(540.0), confirmed(240.0), Then::Never, confirmed(60.0), Then::Never]);
    assert_eq!(run.rules[0].confirmed, Share::new(3, 5));
}

#[test]
fn tiers_seen_are_each_tier_once() {
    let run = replayed(&policy("case.tiers_seen == [1] && case.hops == 1"), &log(ROWS));
    assert_eq!(told(&run), ["1 net 5"]);
}

#[test]
fn a_fact_that_the_log_does_not_have_is_untold_and_fires_nothing() {
    let run = replayed(&policy("has_tag('refund')"), &log(ROWS));
    assert!(run.fires.is_empty());
    assert!(run.rules[0].untold > 0, "untold conditions are counted");
}

#[test]
fn solved_cases_are_left_alone() {
    let run = replayed(&policy("case.tier == 1"), &log("1 0 net done\n1 1 net done\n2 0 net done\n2 2 net open"));
    assert_eq!(told(&run), ["2 net 2"]);
}

#[test]
fn events_of_one_instant_are_one_look() {
    let run = replayed(&policy("case.tier == 1"), &log("1 0 net open\n1 0 net2 open"));
    assert!(run.fires.is_empty(), "{:?}", run.fires);
}

#[test]
fn the_load_of_a_team_has_its_busiest_hour() {
    let rows: String = (0..6).map(|case| format!("{case} {} net open\n", case * 20)).collect();
    let run = replayed(&policy("case.tier == 1"), &log(&rows));
    let load = &run.load[0];
    // 1,700,000,000 is 13 minutes and 20 seconds past a full hour.
    assert_eq!((load.team.as_str(), load.cases, load.busiest_hour), ("billing", 6, 3));
}

#[test]
fn another_policy_is_compared_case_by_case() {
    let log = log(ROWS);
    let (one, other) = (replayed(&policy("case.tier == 1"), &log), replayed(&policy("case.hops > 0"), &log));
    let differences = compare(&one, &other);
    let cases: Vec<(&str, usize, usize)> =
        differences.iter().map(|one| (one.case.as_str(), one.only_first.len(), one.only_other.len())).collect();
    assert_eq!(cases, [("1", 1, 0), ("2", 1, 0), ("3", 1, 0)]);
    assert!(compare(&one, &one).is_empty());
}

#[test]
fn what_the_limits_of_an_hour_would_hold_back_is_counted() {
    let rows: String = (0..6).map(|case| format!("{case} {} net open\n", case * 20)).collect();
    let mut policy = policy("case.tier == 1");
    policy.limits.per_rule_per_hour = 2;
    // At minutes 0, 20, 40, 60, 80, 100: the third waits, so does the sixth.
    assert_eq!(replayed(&policy, &log(&rows)).rules[0].over_limit, 2);
    (policy.limits.per_rule_per_hour, policy.limits.per_desk_per_hour) = (30, 1);
    assert_eq!(replayed(&policy, &log(&rows)).rules[0].over_limit, 4);
}

#[test]
fn messages_and_alerts_are_told_beside_the_load() {
    let mut policy = policy("case.tier == 1");
    let told = Told { channel: "room".into(), alerts: 1, busiest_hour: 1, when: at_hour() };
    let channel = crate::policy::alert::AlertChannel {
        kind: crate::policy::alert::ChannelKind::Slack,
        tells: vec![crate::policy::alert::Occasion::Handoff],
        hours: None,
        outside: crate::policy::alert::Outside::Wait,
    };
    policy.alerts.channels.insert("room".into(), channel);
    if let Some(billing) = policy.teams.get_mut(&"billing".into()) {
        billing.alert = vec!["room".into()];
    }
    let run = replayed(&policy, &log("1 0 net open"));
    assert_eq!(run.alerts, [told]);
    assert_eq!(run.fires[0].alerts, ["room".into()]);
    assert_eq!(run.rules[0].messages, u64::from(run.fires[0].message.is_some()));
}

/// The full hour before the first event.
fn at_hour() -> Timestamp {
    Timestamp::from_second(1_700_000_000 / 3_600 * 3_600).expect("an hour")
}

#[test]
fn statuses_in_our_own_words_are_taken_as_such() {
    let pending = policy("ticket.status == 'pending'");
    assert_eq!(told_of(&pending, "1 0 net open\n1 5 net pending\n2 0 net Pending"), ["1 net 5"]);
}

fn told_of(policy: &Policy, rows: &str) -> Vec<String> {
    told(&replayed(policy, &log(rows)))
}

#[test]
fn a_record_says_what_changes_what_fails_and_what_to_watch() {
    let log = log(ROWS);
    let mut strict = policy("case.tier == 1");
    strict.limits.per_rule_per_hour = 1;
    strict.escalations.push(testing::escalation("tagged", "has_tag('refund')", "billing"));
    let (run, other) = (replayed(&strict, &log), replayed(&policy("case.hops > 0"), &log));
    let differences = compare(&run, &other);
    let record = record::Record {
        at: at_hour(),
        log: ("log.csv", "map.toml"),
        config: "handoffd.toml",
        run: &run,
        limits: strict.limits,
        against: Some(("other.toml", &other, &differences)),
    };
    let text = record.text();
    for words in [
        "| up | ",
        "3 cases are decided differently",
        "- 1: only this: billing by up at ",
        "- up: 4 fires would have waited for a place: 1 an hour are allowed",
        "because the log does not have a fact: ticket.tags ",
        "- tagged never fired",
        "- billing would have got 5, at most 5 in one hour",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}
