//! Small histories whose decisions can be told by hand.

use super::*;
use crate::config::events::read_map;
use crate::insight::log::{EventLog, Reading, read};
use crate::policy::rules::{
    CustomerDecision, CustomerFacing, Missing, PackagePart, Policy, ReviewDecision, Then as Then_,
};
use crate::policy::testing;
use std::io::Cursor;

const MAP: &str = r#"
case   = "id"
at     = "at"
team   = "team"
status = "status"
done   = ["done"]
tier   = [ { ends_with = "2", tier = 2 }, { ends_with = "x", tier = "2/3" }, { ends_with = "?", tier = 9 }, { starts_with = "net", tier = 1 }, { teams = ["frontline", "Incoming"], tier = 1 } ]
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

/// The same, where a name is taken.
fn rows_of(rows: &str) -> EventLog {
    log(rows)
}

fn policy(when: &str) -> Policy {
    let mut policy = testing::policy();
    policy.escalations = vec![testing::escalation("up", when, "billing")];
    policy
}

fn replayed<'l>(policy: &Policy, log: &'l EventLog) -> Run<'l> {
    let stage = Stage::set(policy, &"acme".into(), log);
    let last = std::sync::Mutex::new((0, 0));
    let progress = |done, all| {
        let mut last = last.lock().expect("no panic");
        *last = (last.0.max(done), all);
    };
    let run = run(&stage, NonZeroUsize::new(2).expect("two"), &progress);
    let cases = log.by_case().count();
    assert_eq!(*last.lock().expect("no panic"), (cases, cases), "all of it was told of");
    run
}

/// Fires as `case from minute`.
fn told(run: &Run<'_>) -> Vec<String> {
    let minute = |fire: &Shown<'_>| (fire.at.as_second() - 1_700_000_000) / 60;
    run.fires.iter().map(|fire| format!("{} {} {}", fire.case, fire.from.unwrap_or("-"), minute(&fire))).collect()
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
    let log = log(ROWS);
    let run = replayed(&policy("case.tier == 1"), &log);
    assert_eq!(told(&run), ["1 frontline 0", "1 net 5", "2 net 0", "3 frontline 0", "3 frontline 2"]);
    assert_eq!((run.cases, run.events, run.stand_ins, run.not_ours), (3, 9, 3, 0));
    assert_eq!((run.rules[0].fires, run.rules[0].cases, run.rules[0].by_time), (5, 3, 0));
}

#[test]
fn what_people_did_later_confirms_it_with_how_much_earlier_it_was() {
    let log = log(ROWS);
    let run = replayed(&policy("case.tier == 1"), &log);
    let then: Vec<Then> = run.fires.iter().map(|fire| fire.then).collect();
    let confirmed = |earlier_s| Then::Confirmed { earlier_s };
    assert_eq!(then, [confirmed(540.0), confirmed(240.0), Then::Never, confirmed(60.0), Then::Never]);
    assert_eq!(run.rules[0].confirmed, Share::new(3, 5));
}

#[test]
fn tiers_seen_are_each_tier_once() {
    let log = log(ROWS);
    let run = replayed(&policy("case.tiers_seen == [1] && case.hops == 1"), &log);
    assert_eq!(told(&run), ["1 net 5"]);
}

#[test]
fn a_fact_that_the_log_does_not_have_is_untold_and_fires_nothing() {
    let log = log(ROWS);
    let run = replayed(&policy("has_tag('refund')"), &log);
    assert!(run.fires.is_empty());
    assert!(run.rules[0].untold > 0, "untold conditions are counted");
}

#[test]
fn solved_cases_are_left_alone() {
    let log = log("1 0 net done\n1 1 net done\n2 0 net done\n2 2 net open");
    let run = replayed(&policy("case.tier == 1"), &log);
    assert_eq!(told(&run), ["2 net 2"]);
}

#[test]
fn events_of_one_instant_are_one_look() {
    let log = log("1 0 net open\n1 0 net2 open");
    let run = replayed(&policy("case.tier == 1"), &log);
    assert!(run.fires.is_empty(), "{:?}", told(&run));
}

#[test]
fn the_load_of_a_team_has_its_busiest_hour() {
    let rows: String = (0..6).map(|case| format!("{case} {} net open\n", case * 20)).collect();
    let log = log(&rows);
    let run = replayed(&policy("case.tier == 1"), &log);
    let load = &run.load[0];
    // 1,700,000,000 is 13 minutes and 20 seconds past a full hour.
    assert_eq!((load.team.as_str(), load.cases, load.busiest_hour), ("billing", 6, 3));
    let hours: Vec<u64> = load.hours.iter().map(|hour| hour.count).collect();
    assert_eq!((hours, load.hours[0].at), (vec![3, 3], at_hour()), "and every other one");
}

#[test]
fn another_policy_is_compared_case_by_case() {
    let log = log(ROWS);
    let (one, other) = (replayed(&policy("case.tier == 1"), &log), replayed(&policy("case.hops > 0"), &log));
    let differences = compare(&one, &other);
    let cases: Vec<(&str, usize, usize)> =
        differences.iter().map(|one| (log.cases.name(one.case), one.only_first.len(), one.only_other.len())).collect();
    assert_eq!(cases, [("1", 1, 0), ("2", 1, 0), ("3", 1, 0)]);
    assert!(compare(&one, &one).is_empty());
}

#[test]
fn what_the_limits_of_an_hour_would_hold_back_is_counted() {
    let rows: String = (0..6).map(|case| format!("{case} {} net open\n", case * 20)).collect();
    let mut policy = policy("case.tier == 1");
    policy.limits.per_rule_per_hour = 2;
    // At minutes 0, 20, 40, 60, 80, 100: the third waits, so does the sixth.
    let log = log(&rows);
    assert_eq!(replayed(&policy, &log).rules[0].over_limit, 2);
    (policy.limits.per_rule_per_hour, policy.limits.per_desk_per_hour) = (30, 1);
    assert_eq!(replayed(&policy, &log).rules[0].over_limit, 4);
}

#[test]
fn messages_and_alerts_are_told_beside_the_load() {
    let mut policy = policy("case.tier == 1");
    let hours = vec![Hour { at: at_hour(), count: 1 }];
    let told = Told { channel: "room".into(), alerts: 1, busiest_hour: 1, when: at_hour(), hours };
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
    // Who the customer is no log says: the message counts, since they may be somebody to write to.
    let log = log("1 0 net open");
    let run = replayed(&policy, &log);
    assert_eq!(run.alerts, [told]);
    let fires: Vec<Shown<'_>> = run.fires.iter().collect();
    assert_eq!((fires[0].alerts, fires[0].message), (&["room".into()][..], Some(&"escalated".into())));
    assert_eq!(run.rules[0].messages, 1);
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
    let log = log(rows);
    told(&replayed(policy, &log))
}

#[test]
fn a_customer_is_written_to_no_more_often_than_the_rule_says_and_not_after_a_bounce() {
    let mut policy = policy("case.tier == 1");
    if let CustomerDecision::Message { quiet_for, .. } = &mut policy.escalations[0].customer {
        *quiet_for = Some(jiff::SignedDuration::from_mins(10));
    }
    let messages = |rows: &str| {
        let log = log(rows);
        let run = replayed(&policy, &log);
        (run.rules[0].fires, run.rules[0].messages)
    };
    assert_eq!(messages("1 0 net open\n1 5 neta open"), (2, 1), "within the quiet time");
    assert_eq!(messages("1 0 net open\n1 15 neta open"), (2, 2), "after it");
    assert_eq!(
        messages("1 0 net open\n1 15 neta open\n1 30 net open"),
        (3, 2),
        "what comes back is a person's to tell"
    );
}

#[test]
fn what_a_package_lacks_is_not_known_from_a_log_and_told_apart() {
    let asked = |missing: Missing, review: ReviewDecision| {
        let mut policy = policy("case.tier == 1");
        policy.escalations[0].package.require = vec![PackagePart::Summary];
        policy.escalations[0].package.missing = missing;
        policy.escalations[0].review = review;
        let log = log("1 0 net open");
        let run = replayed(&policy, &log);
        let rule = &run.rules[0];
        (rule.fires, rule.reviews, rule.perhaps_reviews, rule.perhaps_asked_for_parts)
    };
    let ask = Missing::Ask {
        within: crate::policy::due::Wait::wall(jiff::SignedDuration::from_hours(4)),
        then: Then_::Review,
    };
    assert_eq!(asked(Missing::Send, ReviewDecision::Never), (1, 0, 0, 0));
    assert_eq!(asked(ask, ReviewDecision::Never), (1, 0, 0, 1));
    assert_eq!(asked(Missing::Review, ReviewDecision::Never), (1, 0, 1, 0));
    assert_eq!(asked(ask, ReviewDecision::Always), (1, 1, 0, 1), "who is asked in any case is told beside it");
    assert_eq!(asked(Missing::Review, ReviewDecision::Always), (1, 1, 0, 0));
    let unknown = ReviewDecision::When(testing::condition("has_tag('refund')"));
    assert_eq!(asked(Missing::Send, unknown), (1, 0, 1, 0), "a condition that cannot be told asks perhaps");
}

/// A catch-all route of the desk to `to`.
fn routed(to: &str) -> Policy {
    let mut policy = policy("false");
    policy.routes = vec![testing::route("start", "", to)];
    policy
}

#[test]
fn routes_decide_for_cases_that_never_had_a_team_and_for_no_other() {
    let policy = routed("frontline");
    assert_eq!(policy.desks[&"acme".into()].intake.len(), 1, "Incoming");
    for (rows, fires, why) in [
        ("1 0  open\n1 5 frontline open", &["1 - 0"][..], "an event without a team: no queue"),
        ("1 0 Incoming open\n1 5 frontline open", &["1 - 0"], "a queue of the intake, though the map gives it a tier"),
        ("1 0 elsewhere! open\n1 5 frontline open", &[], "a queue of nobody's"),
        ("1 0 elsewhere! open\n1 5 Incoming open", &["1 - 5"], "it has not had a team of the policy's"),
        ("1 0 frontline open\n1 5 Incoming open", &[], "it has had a team"),
        ("1 0  open\n1 5  open\n1 6 frontline open\n1 7  open", &["1 - 0"], "once"),
    ] {
        assert_eq!(told_of(&policy, rows), fires, "{why}");
    }
}

#[test]
fn the_same_team_later_confirms_a_route_and_is_counted_for_an_escalation() {
    let log = log("1 0  open\n1 5 net open\n1 9 frontline open\n2 0  open\n2 5 net open");
    let run = replayed(&routed("frontline"), &log);
    let then: Vec<(Then, SameTeam)> = run.fires.iter().map(|fire| (fire.then, fire.same_team)).collect();
    let earlier_s = 540.0;
    let given = (Then::Confirmed { earlier_s }, SameTeam::Later { earlier_s });
    assert_eq!(then, [given, (Then::Never, SameTeam::Never)]);
    assert_eq!((run.rules[0].confirmed, run.rules[0].same_team), (Share::new(1, 2), Share::new(1, 2)));
    // Given to another team of the next tier: confirmed, but not to the same one.
    let other = rows_of("1 0 net open\n1 5 net2 open\n2 0 net open\n2 5 billing open");
    let run = replayed(&policy("case.tier == 1"), &other);
    assert_eq!((run.rules[0].confirmed, run.rules[0].same_team), (Share::new(2, 2), Share::new(1, 2)));
    // A log without that team says nothing of it.
    let without = rows_of("1 0 net open\n1 5 net2 open");
    let run = replayed(&policy("case.tier == 1"), &without);
    assert_eq!(run.rules[0].same_team, Share::new(0, 0));
}

#[test]
fn what_two_policies_do_in_another_way_is_told_by_what_it_is() {
    let log = log("1 0 net open");
    let of = |change: &dyn Fn(&mut Policy)| {
        let mut other = policy("case.tier == 1");
        change(&mut other);
        let (one, two) = (replayed(&policy("case.tier == 1"), &log), replayed(&other, &log));
        let differences = compare(&one, &two);
        assert!(differences.iter().all(|one| one.only_first.is_empty() && one.only_other.is_empty()));
        let all = differences.into_iter().flat_map(|difference| difference.changed).flat_map(|changed| changed.differs);
        all.map(|aspect| aspect.what).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(of(&|_| ()), none);
    assert_eq!(of(&|other| other.escalations[0].rule.name = "renamed".into()), none);
    assert_eq!(of(&|other| other.escalations[0].review = ReviewDecision::Always), ["asks"]);
    assert_eq!(of(&|other| other.escalations[0].owner.customer_facing = CustomerFacing::New), ["owner"]);
    assert_eq!(of(&|other| other.escalations[0].package.require.clear()), ["package"]);
    let nothing = CustomerDecision::Nothing { because: "billing writes".into() };
    assert_eq!(of(&|other| other.escalations[0].customer = nothing.clone()), ["message", "customer"]);
    let hour = Some(crate::policy::due::Wait::wall(jiff::SignedDuration::from_hours(1)));
    assert_eq!(of(&|other| other.escalations[0].clock.internal = hour), ["clock"]);
}

#[test]
fn every_rule_that_fires_has_examples() {
    let rows: String =
        (0..60).map(|case| format!("{case} {case} net open\n{case} {} frontline open\n", case + 90)).collect();
    let mut policy = policy("case.hops == 0");
    policy.escalations.push(testing::escalation("second", "case.hops == 1", "billing"));
    let log = log(&rows);
    let run = replayed(&policy, &log);
    let examples = run.examples(10);
    let of = |name: &str| examples.iter().filter(|fire| fire.rule.as_str() == name).count();
    assert_eq!((of("up"), of("second"), examples.len()), (5, 5, 10));
    assert!(examples.iter().any(|fire| fire.case == "59"), "from the whole of the log");
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
