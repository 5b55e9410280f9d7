//! Time keys, tried on `decide`: a second before its instant a rule waits, at its instant it fires; what has no instant says
//! why; what must be read is asked for.

use super::case::Case;
use super::clocks::ClockName;
use super::decide::decide;
use super::due::Wait;
use super::rules::{Policy, Trigger};
use super::testing;
use super::timing::{BeforeBreach, TimeKeys};
use super::verdict::{Decision, Outcome, RuleResult, StayReason, Verdict};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Actor, Author, Change, ClockState, PartKind, PartSet, Role, Status, VendorClock, What};
use jiff::{SignedDuration, Timestamp};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A policy with one rule that waits; frontline has office hours in Berlin.
fn policy(times: TimeKeys) -> Policy {
    let mut policy = testing::policy();
    policy.teams.get_mut(&"frontline".into()).unwrap().hours = Some(testing::office_hours());
    let mut rule = testing::escalation("waits", "has_tag(\"refund\")", "billing");
    rule.trigger = Trigger::Waiting;
    rule.rule.times = times;
    policy.escalations.push(rule);
    policy
}

/// A case of Friday noon in Berlin, with everything read and nothing done since.
fn friday() -> Case {
    let mut case = testing::case_with_parts();
    let noon = at("2026-11-27T11:00:00Z");
    case.head.created_at = Fact::Known(noon);
    case.head.updated_at = Fact::Known(noon);
    case.memory.stay.as_mut().unwrap().since = noon;
    for message in &mut case.parts.conversation.as_mut().unwrap().messages {
        message.at = noon;
    }
    case
}

fn change(instant: &str, role: Role, what: What) -> Change {
    let by = Author { id: None, name: None, role };
    Change { id: instant.into(), at: at(instant), by, actor: Actor::Person, mark: None, what: vec![what] }
}

fn verdict(case: &Case, policy: &Policy, now: Timestamp) -> Verdict {
    match decide(case, policy, &|_, _| true, now) {
        Decision::Verdict(verdict) => verdict,
        Decision::Need(parts) => panic!("needs {parts:?}"),
    }
}

/// Asserts that the rule fires at exactly this instant, and says so before.
fn fires_at(case: &Case, policy: &Policy, instant: &str) {
    let instant = at(instant);
    let before = verdict(case, policy, instant - SECOND);
    assert_eq!(before.outcome, Outcome::Stay(StayReason::NotYet), "{instant}: {:?}", before.trace);
    assert_eq!((before.again_at, &before.trace[0].result), (Some(instant), &RuleResult::NotYet(instant)));
    let there = verdict(case, policy, instant);
    assert!(matches!(there.outcome, Outcome::Escalate(_)), "{:?}", there.trace);
    assert_eq!(there.again_at, None);
}

fn hours(hours: i64) -> Option<Wait> {
    Some(SignedDuration::from_hours(hours).into())
}

#[test]
fn each_key_fires_at_its_instant_in_the_right_hours() {
    // Friday 12:00 to 15:00 are three hours of the office; the fourth begins on Monday at 9.
    let idle = policy(TimeKeys { idle_for: hours(4), ..TimeKeys::default() });
    fires_at(&friday(), &idle, "2026-11-30T09:00:00Z");
    let mut acted = friday();
    acted.parts.history = Some(vec![change("2026-11-27T13:00:00Z", Role::Agent, testing::tagged())]);
    fires_at(&acted, &idle, "2026-11-30T11:00:00Z");
    let held = policy(TimeKeys { held_for: hours(4), ..TimeKeys::default() });
    fires_at(&acted, &held, "2026-11-30T09:00:00Z");
    let status = policy(TimeKeys { in_status_for: hours(1), ..TimeKeys::default() });
    let turned = What::Status { from: Some(Status::New), to: Some(Status::Open) };
    acted.parts.history = Some(vec![change("2026-11-27T13:30:00Z", Role::Agent, turned)]);
    fires_at(&acted, &status, "2026-11-30T08:30:00Z");
    // The customer's time is wall time.
    fires_at(&friday(), &policy(TimeKeys { silent_for: wall(4), ..TimeKeys::default() }), "2026-11-27T15:00:00Z");
    fires_at(&friday(), &policy(TimeKeys { open_for: wall(48), ..TimeKeys::default() }), "2026-11-29T11:00:00Z");
    fires_at(&friday(), &policy(TimeKeys { idle_for: wall(4), ..TimeKeys::default() }), "2026-11-27T15:00:00Z");
}

fn wall(hours: i64) -> Option<Wait> {
    Some(Wait::wall(SignedDuration::from_hours(hours)))
}

#[test]
fn all_keys_and_conditions_must_hold() {
    let both = policy(TimeKeys { idle_for: wall(1), open_for: wall(3), ..TimeKeys::default() });
    fires_at(&friday(), &both, "2026-11-27T14:00:00Z");
    let mut untagged = friday();
    untagged.head.tags = Fact::Known(Vec::new());
    let stays = verdict(&untagged, &both, at("2026-12-24T00:00:00Z"));
    assert_eq!((stays.outcome, stays.again_at), (Outcome::Stay(StayReason::NoRule), None));
}

fn breach(clock: ClockName, minutes: i64) -> TimeKeys {
    let by = SignedDuration::from_mins(minutes);
    TimeKeys { before_breach: Some(BeforeBreach { clock, by }), ..TimeKeys::default() }
}

fn with_clock(state: ClockState, breaches_at: Option<&str>) -> Case {
    let mut case = friday();
    let clock = VendorClock { name: "resolution".into(), state, breaches_at: breaches_at.map(at) };
    case.parts.clocks = Some(vec![clock]);
    case
}

#[test]
fn a_clock_near_its_end_fires_and_one_that_stands_still_has_no_instant() {
    let policy = policy(breach(ClockName::Resolution, 45));
    let running = with_clock(ClockState::Running, Some("2026-11-27T20:00:00Z"));
    fires_at(&running, &policy, "2026-11-27T19:15:00Z");
    let breached = with_clock(ClockState::Breached, Some("2026-11-27T20:00:00Z"));
    assert!(matches!(verdict(&breached, &policy, at("2026-11-28T00:00:00Z")).outcome, Outcome::Escalate(_)));
    // Where the desk does not say since when, it is now, whatever the fraction of a second.
    let whenever = with_clock(ClockState::Breached, None);
    assert!(matches!(verdict(&whenever, &policy, at("2026-11-28T00:00:00.0001234Z")).outcome, Outcome::Escalate(_)));
    for (state, word) in [(ClockState::Paused, "paused"), (ClockState::Met, "met")] {
        let still = verdict(&with_clock(state, None), &policy, at("2027-01-01T00:00:00Z"));
        assert_eq!((still.outcome, still.again_at), (Outcome::Stay(StayReason::NoRule), None));
        let why = format!("before_breach: the clock resolution is {word}");
        assert_eq!(still.trace[0].result, RuleResult::NoInstant(why));
    }
    let mut none = friday();
    none.parts.clocks = Some(Vec::new());
    assert_eq!(
        verdict(&none, &policy, at("2027-01-01T00:00:00Z")).trace[0].result,
        RuleResult::TimeUnknown("before_breach".into())
    );
}

#[test]
fn the_internal_target_of_the_present_stay_is_a_clock_too() {
    let policy = policy(breach(ClockName::Internal, 30));
    let mut case = friday();
    let none = verdict(&case, &policy, at("2026-11-27T12:00:00Z"));
    assert_eq!(none.trace[0].result, RuleResult::NoInstant("before_breach: the case has no clock internal".into()));
    case.memory.internal_until = Some(at("2026-11-27T14:00:00Z"));
    fires_at(&case, &policy, "2026-11-27T13:30:00Z");
}

#[test]
fn a_condition_on_a_clock_is_asked_again_when_the_clock_runs_out() {
    let mut policy = testing::policy();
    let mut rule = testing::escalation("late", "clocks.resolution.state == 'breached'", "billing");
    rule.trigger = Trigger::Sla;
    policy.escalations.push(rule);
    let case = with_clock(ClockState::Running, Some("2026-11-27T20:00:00Z"));
    let before = verdict(&case, &policy, at("2026-11-27T19:59:59Z"));
    assert_eq!(before.outcome, Outcome::Stay(StayReason::NoRule));
    assert_eq!(before.again_at, Some(at("2026-11-27T20:00:00Z")));
    assert!(matches!(verdict(&case, &policy, at("2026-11-27T20:00:00Z")).outcome, Outcome::Escalate(_)));
}

#[test]
fn only_what_a_rule_needs_is_read_and_only_when_its_conditions_hold() {
    let need = |times: TimeKeys, case: &Case| match decide(case, &policy(times), &|_, _| true, testing::now()) {
        Decision::Need(parts) => Some(parts),
        Decision::Verdict(_) => None,
    };
    let history = Some(PartSet::of(&[PartKind::History]));
    let mut unread = testing::case();
    assert_eq!(need(TimeKeys { idle_for: hours(4), ..TimeKeys::default() }, &unread), history);
    assert_eq!(need(TimeKeys { in_status_for: hours(4), ..TimeKeys::default() }, &unread), history);
    let conversation = Some(PartSet::of(&[PartKind::Conversation]));
    assert_eq!(need(TimeKeys { silent_for: wall(4), ..TimeKeys::default() }, &unread), conversation);
    assert_eq!(need(breach(ClockName::NextReply, 5), &unread), Some(PartSet::of(&[PartKind::Clocks])));
    for times in
        [TimeKeys { held_for: hours(4), ..TimeKeys::default() }, TimeKeys { open_for: wall(99), ..TimeKeys::default() }]
    {
        assert_eq!(need(times, &unread), None);
    }
    unread.head.tags = Fact::Known(Vec::new());
    assert_eq!(need(TimeKeys { idle_for: hours(4), ..TimeKeys::default() }, &unread), None);
    // What the desk does not give is unknown, and the rule says so.
    let mut refused = testing::case();
    refused.asked = PartSet::of(&[PartKind::History]);
    let told = verdict(&refused, &policy(TimeKeys { in_status_for: hours(4), ..TimeKeys::default() }), testing::now());
    assert_eq!(told.trace[0].result, RuleResult::TimeUnknown("in_status_for".into()));
}

#[test]
fn a_note_tells_what_was_waited_for_and_a_path_closes_by_facts_alone() {
    let rules = policy(TimeKeys { idle_for: hours(4), ..TimeKeys::default() });
    let fires = verdict(&friday(), &rules, at("2026-11-30T10:00:00Z"));
    let Outcome::Escalate(proposal) = fires.outcome else { panic!("{:?}", fires.trace) };
    let told = "no agent acted since Fri 27 Nov 12:00 Europe/Berlin; reached Mon 30 Nov 10:00 Europe/Berlin: \
                4 h of office hours, Fri 12:00–15:00 and Mon 09:00–10:00";
    assert_eq!(proposal.facts[1], ("idle_for".to_owned(), told.to_owned()));
    let later = verdict(&friday(), &rules, at("2026-12-30T10:00:00Z"));
    let Outcome::Escalate(later) = later.outcome else { panic!("{:?}", later.trace) };
    assert_eq!(proposal.facts_hash, later.facts_hash, "time alone opens no closed path");
}

#[test]
fn a_rule_that_can_not_act_any_more_is_not_waited_for() {
    let mut rules = policy(TimeKeys { idle_for: hours(4), ..TimeKeys::default() });
    let mut case = friday();
    case.memory.fired.push(super::case::Fired { rule: "waits".into(), episode: "e1".into() });
    assert_eq!(verdict(&case, &rules, at("2026-11-27T11:00:00Z")).again_at, None);
    case.memory.fired.clear();
    case.memory.switched_off.all = true;
    let reached = Some(at("2026-11-30T09:00:00Z"));
    assert_eq!(verdict(&case, &rules, at("2026-11-27T11:00:00Z")).again_at, reached, "the pause may be over by then");
    case.memory.switched_off.all = false;
    rules.escalations[0].rule.mode = super::rules::Mode::Shadow;
    assert_eq!(verdict(&case, &rules, at("2026-11-27T11:00:00Z")).again_at, reached, "it is listed then");
}

#[test]
fn an_automatic_rule_waits_until_the_agent_has_been_quiet_for_a_while() {
    let mut rules = policy(TimeKeys::default());
    rules.escalations[0].trigger = Trigger::Exception;
    rules.quiet_after_person = Some(SignedDuration::from_mins(10));
    let mut case = friday();
    case.parts.history = Some(vec![change("2026-11-27T12:00:00Z", Role::Agent, testing::tagged())]);
    let (during, after) = (at("2026-11-27T12:09:59Z"), at("2026-11-27T12:10:00Z"));
    let held = verdict(&case, &rules, during);
    assert_eq!((held.outcome, held.again_at), (Outcome::Stay(StayReason::HeldBack), Some(after)));
    assert_eq!(held.trace[0].result, RuleResult::PersonActive(after));
    assert!(matches!(verdict(&case, &rules, after).outcome, Outcome::Escalate(_)));
    let acts = |rules: &Policy, case: &Case| matches!(verdict(case, rules, during).outcome, Outcome::Escalate(_));
    // The customer and automations are nobody to wait for; nor is anybody where an agent asked for it.
    let mut quiet = case.clone();
    quiet.parts.history = Some(vec![change("2026-11-27T12:00:00Z", Role::Customer, testing::tagged())]);
    assert!(acts(&rules, &quiet));
    let mut manual = rules.clone();
    manual.escalations[0].trigger = Trigger::Manual;
    let asks = Case {
        memory: super::case::Memory { request: Some(testing::request("billing")), ..case.memory.clone() },
        ..case.clone()
    };
    assert!(acts(&manual, &asks) && !acts(&manual, &case));
    let mut own = rules.clone();
    own.escalations[0].quiet_after_person = Some(SignedDuration::ZERO);
    assert!(acts(&own, &case));
    let mut reviewed = case.clone();
    reviewed.memory.in_review = vec!["waits".into()];
    assert!(acts(&rules, &reviewed));
    // An agent who was asked for package parts and has just given them has been waited for.
    let mut asked = case.clone();
    asked.memory.asking = Some("waits".into());
    rules.escalations[0].rule.times.idle_for = hours(4);
    assert!(acts(&rules, &asked));
    rules.escalations[0].rule.times.idle_for = None;
    case.parts.history = None;
    assert!(matches!(
        decide(&case, &rules, &|_, _| true, during),
        Decision::Need(parts) if parts == PartSet::of(&[PartKind::History])
    ));
}

#[test]
fn where_the_desk_is_silent_about_agents_a_change_may_be_one_of_theirs() {
    let mut rules = policy(TimeKeys::default());
    rules.escalations[0].trigger = Trigger::Exception;
    rules.quiet_after_person = Some(SignedDuration::from_mins(10));
    let mut case = friday();
    case.parts.history = None;
    case.asked = PartSet::of(&[PartKind::History]);
    case.head.updated_at = Fact::Known(at("2026-11-27T12:00:00Z"));
    let (during, after) = (at("2026-11-27T12:09:59Z"), at("2026-11-27T12:10:00Z"));
    let held = verdict(&case, &rules, during);
    assert_eq!((held.outcome, held.again_at), (Outcome::Stay(StayReason::HeldBack), Some(after)));
    assert_eq!(held.trace[0].result, RuleResult::PersonMayBeActive(after));
    assert!(matches!(verdict(&case, &rules, after).outcome, Outcome::Escalate(_)));
    case.head.updated_at = Fact::Unknown;
    assert_eq!(verdict(&case, &rules, after).trace[0].result, RuleResult::TimeUnknown("quiet_after_person".into()));
    // The same for a rule on idle time: it fires where it is certain that nobody has acted for so long.
    let idle = policy(TimeKeys { idle_for: hours(1), ..TimeKeys::default() });
    case.head.updated_at = Fact::Known(at("2026-11-27T12:00:00Z"));
    let verdict_at = |case: &Case, rules: &Policy, now| verdict(case, rules, at(now)).trace[0].result.clone();
    assert_eq!(verdict_at(&case, &idle, "2026-11-27T12:59:00Z"), RuleResult::NotYet(at("2026-11-27T13:00:00Z")));
    assert_eq!(verdict_at(&case, &idle, "2026-11-27T13:00:00Z"), RuleResult::Fires);
    case.head.updated_at = Fact::Unknown;
    assert_eq!(verdict_at(&case, &idle, "2026-11-27T13:00:00Z"), RuleResult::TimeUnknown("idle_for".into()));
}

#[test]
fn an_instant_within_a_millisecond_is_never_looked_at_too_early() {
    let rules = policy(TimeKeys { open_for: wall(1), ..TimeKeys::default() });
    let mut case = friday();
    case.head.created_at = Fact::Known(at("2026-11-27T11:00:00.0001Z"));
    let again = verdict(&case, &rules, at("2026-11-27T11:30:00Z")).again_at;
    assert_eq!(again, Some(at("2026-11-27T12:00:00.001Z")));
    assert!(matches!(verdict(&case, &rules, at("2026-11-27T12:00:00.001Z")).outcome, Outcome::Escalate(_)));
}
