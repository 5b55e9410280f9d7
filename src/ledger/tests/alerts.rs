//! Alerts and what they tell: planned together, told in the order of their thread, closed together with the act.

use crate::ledger::Ledger;
use crate::ledger::records::{AlertOutcome, CaseUpdate, ClaimedAlert, HandoffHappening, NewHandoff, Switch};
use crate::ledger::samples::{
    accepted, act, answer, at, claim, decide, in_review, ledger, nothing_found, outcome, planned, sending, stay,
};
use crate::ledger::states::{EffectEvent, EffectState};
use crate::policy::alert::{AlertPlan, Occasion, Window};
use crate::policy::proposal::Proposal;
use jiff::Timestamp;

/// With a room that is told of everything, and a pager whose incidents are closed.
fn told(handoff: NewHandoff) -> NewHandoff {
    let names = vec!["room".into(), "pager".into()];
    let told = Occasion::ALL.map(|occasion| (occasion, names.clone())).into();
    let alert = AlertPlan { told, closes: vec!["pager".into()], ..AlertPlan::default() };
    NewHandoff { proposal: Proposal { alert, ..handoff.proposal }, ..handoff }
}

fn take(ledger: &mut Ledger, channel: &str, now: Timestamp) -> Option<ClaimedAlert> {
    ledger.claim_due_alert(&channel.into(), Window::Open, now).expect("claimed")
}

fn record(ledger: &mut Ledger, claimed: &ClaimedAlert, event: EffectEvent, now: Timestamp) {
    let alert = claimed.record.id;
    let may_have_arrived = matches!(event, EffectEvent::Lost(_));
    let outcome = AlertOutcome {
        alert,
        event,
        at: now,
        receipt: None,
        reason: None,
        next_step: None,
        may_have_arrived,
        stops: false,
    };
    ledger.record_alert(&outcome).expect("recorded");
}

fn states(ledger: &Ledger, handoff: &str) -> Vec<(String, &'static str)> {
    let all = ledger.alerts_of(handoff).expect("alerts").into_iter();
    all.map(|record| (record.alert.key, record.state.name())).collect()
}

fn state(ledger: &Ledger, key: &str) -> &'static str {
    let all = states(ledger, "h1");
    all.iter().find(|(known, _)| known == key).unwrap_or_else(|| panic!("{key} in {all:?}")).1
}

/// The whole handoff is on the desk: the team is told.
fn handed_over() -> Ledger {
    let mut ledger = ledger();
    decide(&mut ledger, told(sending("h1", "1", "v1")), at(0));
    assert_eq!(states(&ledger, "h1"), [], "not before it is there");
    for second in 1..3 {
        let claimed = claim(&mut ledger, at(second)).expect("due");
        ledger.record_outcome(&accepted(&claimed, "v2", at(second))).expect("recorded");
        assert_eq!(states(&ledger, "h1").len(), 2, "with the transfer, and once");
    }
    ledger
}

fn claimed_by_somebody(ledger: &mut Ledger, now: Timestamp) {
    let happening = HandoffHappening {
        handoff: "h1".into(),
        event: None,
        detail: None,
        claimed: Some((now, "Agent 22".into())),
        drop_effects: false,
        closing_note: None,
    };
    ledger.record_case(&CaseUpdate { handoff_events: vec![happening], ..nothing_found("1", now) }).expect("recorded");
}

#[test]
fn a_claim_drops_what_was_not_told_and_closes_what_was() {
    let mut ledger = handed_over();
    let paged = take(&mut ledger, "pager", at(3)).expect("due");
    record(&mut ledger, &paged, EffectEvent::Accepted, at(3));
    claimed_by_somebody(&mut ledger, at(4));
    assert_eq!(state(&ledger, "h1/handoff@room"), "dropped");
    assert_eq!(state(&ledger, "h1/handoff@pager-closed"), "due");
    claimed_by_somebody(&mut ledger, at(5));
    assert_eq!(states(&ledger, "h1").len(), 3, "closed once");
    assert_eq!(take(&mut ledger, "pager", at(6)).expect("due").record.alert.key, "h1/handoff@pager-closed");
    assert_eq!(take(&mut ledger, "room", at(6)), None);
}

#[test]
fn what_is_on_its_way_when_somebody_acts_is_not_repeated_and_is_closed_after_it() {
    let mut ledger = handed_over();
    let (room, pager) =
        (take(&mut ledger, "room", at(3)).expect("due"), take(&mut ledger, "pager", at(3)).expect("due"));
    claimed_by_somebody(&mut ledger, at(4));
    assert_eq!(take(&mut ledger, "pager", at(5)), None, "the end of an incident waits for its beginning");
    record(&mut ledger, &room, EffectEvent::Lost(at(9)), at(5));
    record(&mut ledger, &pager, EffectEvent::TryAgain(at(9)), at(5));
    assert_eq!((state(&ledger, "h1/handoff@room"), state(&ledger, "h1/handoff@pager")), ("dropped", "dropped"));
    assert_eq!(take(&mut ledger, "pager", at(6)).expect("due").record.alert.key, "h1/handoff@pager-closed");
}

#[test]
fn a_thread_is_told_in_its_order_and_another_one_does_not_wait_for_it() {
    let mut ledger = handed_over();
    decide(&mut ledger, told(in_review("h2", "2")), at(3));
    let first = take(&mut ledger, "room", at(4)).expect("due");
    assert_eq!(first.record.alert.key, "h1/handoff@room");
    record(&mut ledger, &first, EffectEvent::TryAgain(at(60)), at(4));
    let second = take(&mut ledger, "room", at(5)).expect("due");
    assert_eq!(second.record.alert.key, "h2/review@room");
    record(&mut ledger, &second, EffectEvent::Accepted, at(5));
    assert_eq!(take(&mut ledger, "room", at(59)), None);
    assert_eq!(ledger.next_alert_due(&"room".into()).expect("asked"), Some(at(60)));
    assert_eq!(take(&mut ledger, "room", at(60)).map(|claimed| claimed.attempt), Some(2));
}

#[test]
fn a_restart_repeats_what_was_on_its_way_under_the_same_key() {
    let mut ledger = handed_over();
    let before = take(&mut ledger, "room", at(3)).expect("due");
    let channels = ["room".into(), "pager".into()];
    assert_eq!(ledger.recover_alerts(&channels, at(10)).expect("recovered"), 1);
    let after = take(&mut ledger, "room", at(11)).expect("due");
    assert_eq!((&after.record.alert, after.attempt), (&before.record.alert, 2));
    assert_eq!(after.record.lost_at, Some(at(10)));
    record(&mut ledger, &after, EffectEvent::Accepted, at(11));
    assert_eq!(take(&mut ledger, "room", at(99)), None);
}

#[test]
fn a_review_that_is_answered_is_over_and_one_that_is_asked_for_again_is_told_again() {
    let mut ledger = ledger();
    decide(&mut ledger, told(in_review("h1", "1")), at(0));
    for channel in ["room", "pager"] {
        let claimed = take(&mut ledger, channel, at(1)).expect("due");
        record(&mut ledger, &claimed, EffectEvent::Accepted, at(1));
    }
    ledger.approve(&answer("h1", planned("h1", "1", "v1"), at(2))).expect("approved");
    assert_eq!(state(&ledger, "h1/review@pager-closed"), "due");
    let anew = NewHandoff { effects: Vec::new(), ..in_review("h1", "1") };
    decide(&mut ledger, told(anew), at(3));
    assert_eq!(state(&ledger, "h1/review-again-1@room"), "due");
    ledger.reject(&answer("h1", Vec::new(), at(4))).expect("rejected");
    assert_eq!(state(&ledger, "h1/review-again-1@room"), "dropped");
}

#[test]
fn a_case_that_a_person_moves_on_or_that_ends_needs_nobody_any_more() {
    let mut ledger = handed_over();
    let moved = CaseUpdate { stays: vec![stay("engineering", "e9", at(5), None)], ..nothing_found("1", at(5)) };
    ledger.record_case(&moved).expect("recorded");
    assert_eq!((state(&ledger, "h1/handoff@room"), state(&ledger, "h1/handoff@pager")), ("dropped", "dropped"));
}

#[test]
fn what_is_parked_is_told_until_it_is_tried_again_or_given_up() {
    let mut ledger = ledger();
    decide(&mut ledger, told(sending("h1", "1", "v1")), at(0));
    let claimed = claim(&mut ledger, at(1)).expect("due");
    ledger.record_outcome(&outcome(claimed.effect.id, EffectEvent::Park, at(1))).expect("parked");
    let room = take(&mut ledger, "room", at(2)).expect("due");
    assert_eq!(room.record.alert.key, "h1/parked-1-1@room");
    let pager = take(&mut ledger, "pager", at(2)).expect("due");
    record(&mut ledger, &pager, EffectEvent::Accepted, at(2));
    ledger.retry_effect(claimed.effect.id, &act(at(3))).expect("retried");
    assert_eq!(state(&ledger, "h1/parked-1-1@pager-closed"), "due");
    let claimed = claim(&mut ledger, at(4)).expect("due");
    ledger.record_outcome(&outcome(claimed.effect.id, EffectEvent::Park, at(4))).expect("parked");
    assert_eq!(state(&ledger, "h1/parked-1-2@room"), "due", "parked again, told again");
}

#[test]
fn a_pause_holds_alerts_back_and_a_row_that_cannot_be_read_is_listed() {
    let mut ledger = handed_over();
    ledger.set_switch(&Switch::Rule("refund".into()), true, &act(at(3))).expect("paused");
    assert_eq!(take(&mut ledger, "room", at(4)), None);
    assert_eq!(ledger.next_alert_due(&"room".into()).expect("asked"), None);
    ledger.set_switch(&Switch::Rule("refund".into()), false, &act(at(5))).expect("resumed");
    ledger.garble("UPDATE alerts SET content = '{' WHERE channel = 'room'").expect("garbled");
    assert_eq!(take(&mut ledger, "room", at(6)), None, "it is not sent");
    let parked = ledger.parked_alerts().expect("parked");
    assert_eq!(parked.len(), 1);
    assert_eq!(
        (parked[0].alert.key.as_str(), &parked[0].state),
        ("h1/handoff@room", &EffectState::Parked { attempt: 0, unsure: true })
    );
    ledger.drop_alert(parked[0].id, &act(at(7))).expect("given up");
    assert_eq!(ledger.parked_alerts().expect("parked"), []);
}

#[test]
fn a_channel_is_counted_by_what_waits_for_it() {
    let mut ledger = handed_over();
    let claimed = take(&mut ledger, "room", at(3)).expect("due");
    record(&mut ledger, &claimed, EffectEvent::TryAgain(at(9)), at(4));
    let counts = ledger.alert_counts().expect("counted");
    assert_eq!(counts[&"room".into()].by_state["due"], 1);
    assert_eq!(counts[&"pager".into()].by_state["due"], 1);
    let claimed = take(&mut ledger, "room", at(9)).expect("due");
    record(&mut ledger, &claimed, EffectEvent::Park, at(9));
    assert_eq!(ledger.alert_counts().expect("counted")[&"room".into()].parked, Some((1, at(1))));
}
