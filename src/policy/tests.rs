//! What `decide` decides, one sentence of the semantics at a time.

use super::case::{Case, ClosedBy, Fired, OpenHandoff};
use super::decide::decide;
use super::proposal::Proposal;
use super::rules::*;
use super::teams::PersonEntry;
use super::testing::{self, condition, escalation, route};
use super::verdict::*;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{PartKind, PartSet, Person, Role};
use proptest::prelude::*;

const EVERYTHING: [PartKind; 4] = [PartKind::Conversation, PartKind::History, PartKind::Customer, PartKind::Clocks];

fn policy_of(escalations: impl IntoIterator<Item = Escalation>) -> Policy {
    Policy { escalations: escalations.into_iter().collect(), ..testing::policy() }
}

fn routes_of(routes: impl IntoIterator<Item = Route>) -> Policy {
    Policy { routes: routes.into_iter().collect(), ..testing::policy() }
}

fn refund() -> Escalation {
    escalation("refund", "ticket.fields.refund_eur > 500.0", "billing")
}

fn new_case() -> Case {
    let mut case = testing::case_with_parts();
    case.memory.stay = None;
    case.memory.teams_seen.clear();
    case.head.queue = Fact::Known(None);
    case
}

fn verdict(case: &Case, policy: &Policy) -> Verdict {
    match decide(case, policy, &|_, _| true, testing::now()) {
        Decision::Verdict(verdict) => verdict,
        Decision::Need(parts) => panic!("needs {parts:?}"),
    }
}

fn result(verdict: &Verdict, rule: &str) -> RuleResult {
    verdict.trace.iter().find(|trace| trace.rule.as_str() == rule).unwrap().result.clone()
}

fn proposal(verdict: &Verdict) -> &Proposal {
    match &verdict.outcome {
        Outcome::Route(proposal)
        | Outcome::Escalate(proposal)
        | Outcome::AskForParts { proposed: proposal, .. }
        | Outcome::AskPerson { proposed: proposal, .. } => proposal,
        Outcome::Stay(reason) => panic!("stays: {reason:?}, {:?}", verdict.trace),
    }
}

fn stays(verdict: &Verdict) -> &StayReason {
    match &verdict.outcome {
        Outcome::Stay(reason) => reason,
        other => panic!("does not stay: {other:?}"),
    }
}

fn risks(verdict: &Verdict) -> &[Risk] {
    match &verdict.outcome {
        Outcome::AskPerson { risks, .. } => risks,
        other => panic!("asks nobody: {other:?}"),
    }
}

#[test]
fn a_rule_that_matches_escalates_with_its_five_answers() {
    let verdict = verdict(&testing::case_with_parts(), &policy_of([refund()]));
    let Outcome::Escalate(proposal) = &verdict.outcome else { panic!("{verdict:?}") };
    assert_eq!((proposal.from.as_ref().unwrap().as_str(), proposal.to.as_str()), ("frontline", "billing"));
    assert_eq!(proposal.reason, "A refund of 6000 EUR is above the limit of frontline");
    assert_eq!(proposal.facts, [("ticket.fields.refund_eur".to_owned(), "6000".to_owned())]);
    assert_eq!(proposal.episode, "e1");
    assert_eq!(proposal.package.as_ref().unwrap().missing, []);
    assert_eq!(proposal.owner.previous.as_deref(), Some("First Agent"));
    let until = proposal.clock.internal_until.as_ref().map(crate::policy::due::Due::told);
    assert_eq!(until.as_deref(), Some("Mon 2 Nov 16:00 UTC: 4 h, around the clock"));
    assert_eq!(proposal.deadline, "2026-11-02T12:15:00Z".parse().unwrap());
    assert_eq!(result(&verdict, "refund"), RuleResult::Fires);
}

#[test]
fn the_agent_before_is_called_by_name_whoever_knows_it() {
    let mut policy = policy_of([refund()]);
    let mut case = testing::case_with_parts();
    let person = |name: Option<&str>| Person {
        id: "1002".into(),
        name: name.map(str::to_owned),
        email: None,
        role: Role::Agent,
    };
    case.head.owner = Fact::Known(Some(person(None)));
    let called =
        |case: &Case, policy: &Policy| proposal(&verdict(case, policy)).owner.previous.clone().unwrap_or_default();
    assert_eq!(called(&case, &policy), "1002");
    let entry = PersonEntry { desk: [(case.desk.clone(), "1002".into())].into(), ..PersonEntry::default() };
    policy.people.insert("first-agent".into(), entry);
    assert_eq!(called(&case, &policy), "first-agent");
    case.parts.people.push(person(Some("First Agent")));
    assert_eq!(called(&case, &policy), "First Agent");
}

#[test]
fn parts_are_asked_for_only_once_a_rule_fires() {
    let bare = testing::case();
    let Decision::Need(parts) = decide(&bare, &policy_of([refund()]), &|_, _| true, testing::now()) else { panic!() };
    assert_eq!(parts, PartSet::of(&[PartKind::Conversation, PartKind::History, PartKind::Customer, PartKind::Clocks]));
    assert_eq!(
        stays(&verdict(&bare, &policy_of([escalation("x", "has_tag('other')", "billing")]))),
        &StayReason::NoRule
    );
    // An unsigned message is held back anyway: nobody's language has to be read for it.
    let Decision::Need(parts) = decide(&bare, &policy_of([refund()]), &|_, _| false, testing::now()) else { panic!() };
    assert_eq!(parts, PartSet::of(&[PartKind::Conversation, PartKind::History, PartKind::Clocks]));
}

#[test]
fn no_part_is_asked_for_twice() {
    let mut case = testing::case();
    case.asked = PartSet::of(&EVERYTHING);
    let verdict = verdict(&case, &policy_of([refund(), escalation("german", "customer.language == 'de'", "billing")]));
    assert_eq!(proposal(&verdict).rule.as_str(), "refund");
    assert_eq!(result(&verdict, "german"), RuleResult::Unknown(1, "customer.language".into()));
    assert!(!proposal(&verdict).package.as_ref().unwrap().unknown.is_empty());
}

#[test]
fn a_rule_that_cannot_act_costs_no_read() {
    let mut case = testing::case();
    case.memory.fired.push(Fired { rule: "german".into(), episode: "e1".into() });
    let verdict = verdict(&case, &policy_of([escalation("german", "customer.language == 'de'", "billing")]));
    let result = result(&verdict, "german");
    assert_eq!(result, RuleResult::Unasked(Box::new(RuleResult::AlreadyFired)), "not the desk's silence");
    assert_eq!(result.shown(), "was not asked: it has fired already");
}

#[test]
fn a_condition_that_meets_an_unknown_fact_does_not_fire_and_says_so() {
    let mut case = testing::case_with_parts();
    case.head.fields.insert("f-refund".into(), serde_json::json!("a lot"));
    let verdict = verdict(&case, &policy_of([refund()]));
    assert_eq!(stays(&verdict), &StayReason::NoRule);
    assert_eq!(result(&verdict, "refund"), RuleResult::Unknown(1, "ticket.fields.refund_eur".into()));
    assert_eq!(verdict.trace[0].facts, [("ticket.fields.refund_eur".to_owned(), "unknown".to_owned())]);
}

#[test]
fn a_new_case_takes_the_first_route_that_matches() {
    let policy = routes_of([
        route("invoices", "mentions(ticket.subject, 'invoice')", "billing"),
        route("refunds", "has_tag('refund')", "billing"),
        route("rest", "", "frontline"),
    ]);
    let verdict = verdict(&new_case(), &policy);
    let Outcome::Route(proposal) = &verdict.outcome else { panic!("{verdict:?}") };
    assert_eq!(
        (proposal.rule.as_str(), proposal.episode.as_str(), proposal.from.is_none()),
        ("refunds", "intake", true)
    );
    assert_eq!(proposal.package, None);
    assert_eq!(result(&verdict, "rest"), RuleResult::Behind("refunds".into()));
    assert!(matches!(result(&verdict, "invoices"), RuleResult::NotMatched(1, _)));
}

#[test]
fn a_route_in_shadow_or_outside_its_share_hides_no_live_one() {
    let mut shadow = route("shadow", "", "billing");
    shadow.rule.mode = Mode::Shadow;
    let mut none = route("none", "", "engineering");
    none.rule.share = 0.0;
    let verdict = verdict(&new_case(), &routes_of([shadow, none, route("rest", "", "frontline")]));
    assert_eq!(proposal(&verdict).rule.as_str(), "rest");
    assert_eq!(result(&verdict, "shadow"), RuleResult::Shadow);
    assert_eq!(result(&verdict, "none"), RuleResult::OutsideShare);
    assert_eq!(verdict.would.len(), 1);
}

#[test]
fn a_route_that_is_held_back_still_owns_its_cases() {
    let mut case = new_case();
    case.memory.held.push("refunds".into());
    let policy = routes_of([route("refunds", "has_tag('refund')", "billing"), route("rest", "", "frontline")]);
    let verdict = verdict(&case, &policy);
    assert_eq!(stays(&verdict), &StayReason::HeldBack);
    assert_eq!(result(&verdict, "refunds"), RuleResult::Held);
    assert_eq!(verdict.would.len(), 1);
}

#[test]
fn escalations_that_agree_act_as_one() {
    let policy = policy_of([refund(), escalation("vip", "has_tag('refund')", "billing")]);
    let verdict = verdict(&testing::case_with_parts(), &policy);
    assert_eq!(proposal(&verdict).rule.as_str(), "refund");
    assert_eq!(proposal(&verdict).also, ["vip".into()]);
    assert_eq!(result(&verdict, "vip"), RuleResult::Agrees);
}

#[test]
fn a_rule_that_agrees_and_wants_a_review_is_not_passed_over() {
    let mut vip = escalation("vip", "has_tag('refund')", "billing");
    let wants = |risk| Risk::Agreeing("vip".into(), Box::new(risk));
    vip.review = ReviewDecision::Always;
    let case = testing::case_with_parts();
    assert_eq!(risks(&verdict(&case, &policy_of([refund(), vip.clone()]))), [wants(Risk::Always)]);
    // What its condition needs is read first.
    vip.review = ReviewDecision::When(condition("ticket.text != ''"));
    let mut unread = case.clone();
    unread.parts.conversation = None;
    let mut first = refund();
    first.customer = CustomerDecision::Nothing { because: "nothing to say".into() };
    first.package.require.clear();
    let need = decide(&unread, &policy_of([first.clone(), vip.clone()]), &|_, _| true, testing::now());
    assert!(matches!(need, Decision::Need(need) if need.has(PartKind::Conversation)), "{need:?}");
    let read = verdict(&case, &policy_of([first.clone(), vip.clone()]));
    assert_eq!(risks(&read), [wants(Risk::Condition("ticket.text != ''".into()))]);
    // In shadow, or where it does not match, it has no say.
    vip.rule.mode = Mode::Shadow;
    assert!(matches!(verdict(&case, &policy_of([first, vip])).outcome, Outcome::Escalate(_)));
}

#[test]
fn escalations_that_disagree_leave_it_to_a_person() {
    let policy = policy_of([refund(), escalation("bug", "has_tag('refund')", "engineering")]);
    let verdict = verdict(&testing::case_with_parts(), &policy);
    assert_eq!(
        risks(&verdict),
        [Risk::Disagreement(vec![("refund".into(), "billing".into()), ("bug".into(), "engineering".into())])]
    );
}

#[test]
fn a_rule_in_shadow_neither_agrees_nor_disagrees() {
    let mut shadow = escalation("bug", "", "engineering");
    shadow.rule.mode = Mode::Shadow;
    let verdict = verdict(&testing::case_with_parts(), &policy_of([shadow, refund()]));
    assert!(matches!(verdict.outcome, Outcome::Escalate(_)));
    assert_eq!(verdict.would[0].to.as_str(), "engineering");
    assert_eq!(verdict.would[0].mode, Mode::Shadow);
}

#[test]
fn the_daemons_mode_is_the_master_switch() {
    let policy = Policy { mode: Mode::Shadow, ..policy_of([refund()]) };
    let verdict = verdict(&testing::case_with_parts(), &policy);
    assert_eq!(stays(&verdict), &StayReason::HeldBack);
    assert_eq!(verdict.would.len(), 1);
    assert!(verdict.would[0].package.is_some());
}

#[test]
fn a_rule_fires_once_per_episode_or_once_per_case() {
    let mut case = testing::case_with_parts();
    case.memory.fired.push(Fired { rule: "refund".into(), episode: "e0".into() });
    assert!(matches!(verdict(&case, &policy_of([refund()])).outcome, Outcome::Escalate(_)));
    let mut once = refund();
    once.rule.once = Once::Case;
    assert_eq!(result(&verdict(&case, &policy_of([once])), "refund"), RuleResult::AlreadyFired);
    case.memory.fired.push(Fired { rule: "refund".into(), episode: "e1".into() });
    assert_eq!(result(&verdict(&case, &policy_of([refund()])), "refund"), RuleResult::AlreadyFired);
}

#[test]
fn a_held_rule_waits_until_it_is_released() {
    let mut case = testing::case_with_parts();
    case.memory.held.push("refund".into());
    let held = verdict(&case, &policy_of([refund()]));
    assert_eq!(result(&held, "refund"), RuleResult::Held);
    assert_eq!(held.would.len(), 1);
    case.memory.released.push("refund".into());
    assert!(matches!(verdict(&case, &policy_of([refund()])).outcome, Outcome::Escalate(_)));
}

#[test]
fn over_its_limit_a_rule_waits_for_a_place() {
    let mut case = testing::case_with_parts();
    case.memory.recent.by_rule.insert("refund".into(), 30);
    let limited = verdict(&case, &policy_of([refund()]));
    assert_eq!(stays(&limited), &StayReason::HeldBack);
    assert_eq!(result(&limited, "refund"), RuleResult::OverLimit);
    assert_eq!(limited.over_limit(), Some(&"refund".into()));
    case.memory.recent.by_rule.insert("refund".into(), 29);
    assert!(matches!(verdict(&case, &policy_of([refund()])).outcome, Outcome::Escalate(_)));
}

#[test]
fn a_free_place_belongs_to_the_case_that_has_waited_longest() {
    let mut case = testing::case_with_parts();
    case.memory.recent.by_rule.insert("refund".into(), 29);
    case.memory.recent.ahead.insert("refund".into(), 1);
    assert_eq!(result(&verdict(&case, &policy_of([refund()])), "refund"), RuleResult::OverLimit);
    case.memory.recent.ahead.clear();
    case.memory.recent.ahead.insert("other".into(), 50);
    assert!(matches!(verdict(&case, &policy_of([refund()])).outcome, Outcome::Escalate(_)));
    (case.memory.recent.on_desk, case.memory.recent.ahead_on_desk) = (150, 50);
    assert_eq!(result(&verdict(&case, &policy_of([refund()])), "refund"), RuleResult::OverLimit);
    case.memory.released.push("refund".into());
    assert!(matches!(verdict(&case, &policy_of([refund()])).outcome, Outcome::Escalate(_)), "a person's word counts");
}

#[test]
fn a_case_that_moved_too_often_today_goes_to_a_person() {
    let mut case = testing::case_with_parts();
    case.memory.hops_today = 4;
    assert_eq!(risks(&verdict(&case, &policy_of([refund()]))), [Risk::HopBudget(4)]);
}

#[test]
fn a_review_asks_always_when_its_condition_holds_and_when_it_cannot_be_told() {
    let mut rule = refund();
    let case = testing::case_with_parts();
    rule.review = ReviewDecision::Always;
    assert_eq!(risks(&verdict(&case, &policy_of([rule.clone()]))), [Risk::Always]);
    rule.review = ReviewDecision::When(condition("ticket.fields.refund_eur > 5000.0"));
    assert_eq!(
        risks(&verdict(&case, &policy_of([rule.clone()]))),
        [Risk::Condition("ticket.fields.refund_eur > 5000.0".into())]
    );
    rule.review = ReviewDecision::When(condition("ticket.channel == 'chat'"));
    assert_eq!(risks(&verdict(&case, &policy_of([rule.clone()]))), [Risk::Unknown("ticket.channel".into())]);
    rule.review = ReviewDecision::When(condition("ticket.fields.refund_eur > 9000.0"));
    assert!(matches!(verdict(&case, &policy_of([rule])).outcome, Outcome::Escalate(_)));
}

#[test]
fn what_is_paused_does_nothing_and_says_so() {
    let mut case = testing::case_with_parts();
    case.memory.switched_off.rules.push("refund".into());
    let paused = verdict(&case, &policy_of([refund()]));
    assert_eq!((stays(&paused), result(&paused, "refund")), (&StayReason::Paused, RuleResult::Paused));
    case.memory.switched_off.rules.clear();
    case.memory.switched_off.all = true;
    assert_eq!(stays(&verdict(&case, &policy_of([refund()]))), &StayReason::Paused);
}

#[test]
fn what_a_pause_left_unread_is_held_back_by_it_too() {
    let german = || policy_of([escalation("german", "customer.language == 'de'", "billing")]);
    let mut case = testing::case();
    case.memory.switched_off.rules.push("german".into());
    let paused = verdict(&case, &german());
    assert_eq!(result(&paused, "german"), RuleResult::Unasked(Box::new(RuleResult::Paused)));
    assert!(paused.is_paused(), "or nothing would bring the case up again when the pause is over");
    case.memory.switched_off.rules.clear();
    case.memory.fired.push(Fired { rule: "german".into(), episode: "e1".into() });
    assert!(!verdict(&case, &german()).is_paused(), "no pause keeps it from acting");
}

#[test]
fn an_open_handoff_is_replaced_only_while_it_has_sent_nothing() {
    let mut case = testing::case_with_parts();
    let facts = proposal(&verdict(&case, &policy_of([refund()]))).facts_hash.clone();
    case.memory.fired.push(Fired { rule: "refund".into(), episode: "e1".into() });
    let open = |facts: &str, sent| {
        let (rule, to, missing) = ("refund".into(), "billing".into(), Vec::new());
        Some(OpenHandoff { id: "h1".into(), rule, to, facts: facts.into(), missing, sent })
    };
    case.memory.open = open(&facts, false);
    assert_eq!(stays(&verdict(&case, &policy_of([refund()]))), &StayReason::UnderWay);
    case.memory.open = open("other", false);
    assert!(matches!(verdict(&case, &policy_of([refund()])).outcome, Outcome::Escalate(_)));
    case.memory.open = open(&facts, false);
    case.memory.open.as_mut().unwrap().missing.push(PackagePart::Steps);
    let supplied = verdict(&case, &policy_of([refund()]));
    assert!(matches!(supplied.outcome, Outcome::Escalate(_)), "what was missing is there now: {supplied:?}");
    case.memory.open = open("other", true);
    case.memory.fired.clear();
    assert_eq!(stays(&verdict(&case, &policy_of([refund()]))), &StayReason::UnderWay);
}

#[test]
fn a_label_that_a_rule_does_not_ask_for_makes_no_other_handoff_of_it() {
    let labelled = |labels: &[&str], when: &str| {
        let mut case = testing::case_with_parts();
        case.head.tags = Fact::Known(labels.iter().map(|label| (*label).to_owned()).collect());
        let rule = escalation("refund", when, "billing");
        proposal(&verdict(&case, &policy_of([rule]))).facts_hash.clone()
    };
    let by_name = "has_tag('refund') && !has_tag('vip')";
    assert_eq!(labelled(&["refund"], by_name), labelled(&["trigger-7", "refund"], by_name));
    let either = "has_tag('refund') || has_tag('vip')";
    assert_ne!(labelled(&["refund"], either), labelled(&["refund", "vip"], either), "one that it asks for");
    let whole = "has_tag('refund') && size(ticket.tags) > 0";
    assert_ne!(labelled(&["refund"], whole), labelled(&["refund", "trigger-7"], whole), "all count");
}

#[test]
fn a_case_that_is_there_already_is_not_moved() {
    let mut case = new_case();
    case.head.queue = testing::queue("Incoming");
    let mut policy = routes_of([route("rest", "", "frontline")]);
    policy.teams.get_mut(&"frontline".into()).unwrap().queue = handoffd_kit::desk::QueueSpec::Name("Incoming".into());
    let verdict = verdict(&case, &policy);
    assert_eq!((stays(&verdict), result(&verdict, "rest")), (&StayReason::NoRule, RuleResult::AlreadyThere));
}

#[test]
fn the_trace_names_every_rule_in_the_order_of_the_file() {
    let mut other = escalation("other", "", "engineering");
    other.from = vec!["billing".into()];
    let policy = Policy { routes: vec![route("rest", "", "frontline")], ..policy_of([other, refund()]) };
    let verdict = verdict(&testing::case_with_parts(), &policy);
    let names: Vec<&str> = verdict.trace.iter().map(|trace| trace.rule.as_str()).collect();
    assert_eq!(names, ["rest", "other", "refund"]);
    assert_eq!(result(&verdict, "other"), RuleResult::NotFrom);
    assert_eq!(result(&verdict, "rest"), RuleResult::NotFrom);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_same_case_is_decided_the_same_way(
        refund_eur in "[0-9]{0,5}|many", tags in prop::collection::vec("refund|vip|x", 0..3),
        hops in 0u32..6, shadow: bool, fired: bool, share in 0.0..=1.0f64,
    ) {
        let mut case = testing::case_with_parts();
        case.head.fields.insert("f-refund".into(), serde_json::json!(refund_eur));
        case.head.tags = Fact::Known(tags);
        case.memory.hops_today = hops;
        if fired {
            case.memory.fired.push(Fired { rule: "refund".into(), episode: "e1".into() });
        }
        let mut bug = escalation("bug", "has_tag('vip')", "engineering");
        bug.rule.share = share;
        bug.rule.mode = if shadow { Mode::Shadow } else { Mode::Live };
        let policy = policy_of([refund(), bug]);
        let (one, two) = (verdict(&case, &policy), verdict(&case, &policy));
        prop_assert_eq!(&one, &two);
        // What acts is live, in its share, and has not fired before.
        if let Outcome::Escalate(proposal) = &one.outcome {
            prop_assert_eq!(proposal.mode, Mode::Live);
            prop_assert!(!(fired && proposal.rule.as_str() == "refund"));
            prop_assert!(hops < 4);
        }
        prop_assert_eq!(one.trace.len(), 2);
    }
}

#[test]
fn the_hash_of_the_matched_facts_does_not_depend_on_what_happened_to_be_read() {
    let policy = policy_of([escalation("any", "customer.language == 'de' || has_tag('refund')", "billing")]);
    let bare = testing::case();
    let Decision::Need(parts) = decide(&bare, &policy, &|_, _| false, testing::now()) else { panic!("decided unread") };
    assert!(parts.has(PartKind::Customer));
}

/// Refunds on request, beside an automatic rule to another team.
fn on_request() -> Policy {
    let mut rule = escalation("on-request", "has_tag('refund')", "billing");
    rule.trigger = Trigger::Manual;
    policy_of([rule])
}

#[test]
fn a_rule_on_request_acts_when_an_agent_asked_for_its_team_in_this_stay_and_never_by_itself() {
    let (policy, mut case) = (on_request(), testing::case_with_parts());
    let before = verdict(&case, &policy);
    assert_eq!((result(&before, "on-request"), stays(&before)), (RuleResult::NotAsked, &StayReason::NoRule));
    case.memory.request = Some(testing::request("billing"));
    let acted = verdict(&case, &policy);
    let asked = proposal(&acted).asked.clone().expect("whose request it is");
    assert_eq!((asked.by.as_str(), asked.reason.as_str()), ("Second Agent", "the customer insists"));
    let reason = ("command.reason".to_owned(), "the customer insists".to_owned());
    assert!(proposal(&acted).facts.contains(&reason), "{:?}", proposal(&acted).facts);
    let request = |change: fn(&mut super::case::Request)| {
        let mut case = case.clone();
        change(case.memory.request.as_mut().expect("a request"));
        verdict(&case, &policy)
    };
    for change in [
        (|request| request.to = "second-line".into()) as fn(&mut super::case::Request),
        |request| request.episode = "e0".into(),
        |request| request.open = false,
    ] {
        assert_eq!(result(&request(change), "on-request"), RuleResult::NotAsked);
    }
}

#[test]
fn a_request_meets_the_same_conditions_limits_and_closed_paths_as_every_rule() {
    let (mut policy, mut case) = (on_request(), testing::case_with_parts());
    case.memory.request = Some(testing::request("billing"));
    policy.escalations.push(escalation("by-itself", "has_tag('refund')", "billing"));
    testing::close(&mut case, &policy, ClosedBy::Rejection);
    assert_eq!(result(&verdict(&case, &policy), "on-request"), RuleResult::PathClosed(ClosedBy::Rejection));
    assert_eq!(result(&verdict(&case, &policy), "by-itself"), RuleResult::PathClosed(ClosedBy::Rejection));
    // Another reason is news for the rules on request, and for no other.
    case.memory.request.as_mut().expect("a request").reason = "order 4711 proves it".into();
    assert_eq!(result(&verdict(&case, &policy), "on-request"), RuleResult::Fires);
    assert_eq!(result(&verdict(&case, &policy), "by-itself"), RuleResult::PathClosed(ClosedBy::Rejection));
    case.head.tags = Fact::Known(Vec::new());
    assert!(matches!(result(&verdict(&case, &policy), "on-request"), RuleResult::NotMatched(1, _)));
}
