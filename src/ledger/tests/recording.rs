//! What one look records: superseding, deciding anew, and looks that were overtaken by a person.

use crate::ledger::records::{AsRead, CaseUpdate, EffectOutcome, HandoffHappening, NewHandoff, Recorded};
use crate::ledger::samples::{
    accepted, answer, at, claim, decide, in_review, ledger, look, looks_due, nothing_found, outcome, planned, proposal,
    sending,
};
use crate::ledger::states::{EffectEvent, EffectState, HandoffEvent, HandoffState};

#[test]
fn finishing_a_look_clears_it_and_its_wait_is_a_new_one() {
    let mut ledger = ledger();
    ledger.note_looks(&"acme".into(), &[look("1", at(0))]).expect("noted");
    let taken = looks_due(&ledger, at(0)).remove(0);
    let generation = Some(taken.generation);
    let update = CaseUpdate { generation, look_again: Some(at(60)), ..nothing_found("1", at(1)) };
    assert_eq!(ledger.record_case(&update), Ok(Recorded::Whole));
    assert!(looks_due(&ledger, at(59)).is_empty());
    assert_eq!(looks_due(&ledger, at(60)).len(), 1);
    let (when, verdict) = ledger.last_verdict(&"acme".into(), &"1".into()).expect("read").expect("a verdict");
    assert_eq!((when, verdict["outcome"]["stay"].as_str()), (at(1), Some("no_rule")));
}

#[test]
fn a_newer_verdict_replaces_a_handoff_that_has_sent_nothing() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let proposal = proposal("1", "other", "e1", "facts");
    let next = NewHandoff { proposal, replaces: Some("h1".into()), ..sending("h2", "1", "v2") };
    assert_eq!(decide(&mut ledger, next, at(1)), Recorded::Whole);
    let old = ledger.handoff("h1").expect("old");
    assert_eq!(old.state, HandoffState::Withdrawn);
    assert!(old.effects.iter().all(|effect| effect.state == EffectState::Dropped));
    let record = ledger.case(&"acme".into(), &"1".into(), at(2)).expect("case");
    assert_eq!(record.memory.open.map(|open| open.id).as_deref(), Some("h2"));
    assert_eq!(record.memory.fired.iter().map(|fired| fired.rule.as_str()).collect::<Vec<_>>(), ["other"]);
    assert_eq!(record.ended, [("refund".into(), "e1".into(), 1)]);
}

#[test]
fn what_has_begun_to_send_is_neither_replaced_nor_decided_anew() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    claim(&mut ledger, at(1)).expect("in flight");
    assert_eq!(decide(&mut ledger, sending("h1", "1", "v9"), at(2)), Recorded::HandoffLeft);
    let next = NewHandoff { replaces: Some("h1".into()), ..sending("h2", "1", "v2") };
    assert!(matches!(decide(&mut ledger, next, at(2)), Recorded::Overtaken(_)));
    assert!(matches!(decide(&mut ledger, sending("h3", "1", "v2"), at(2)), Recorded::Overtaken(_)), "one at a time");
    let handoff = ledger.handoff("h1").expect("handoff");
    assert_eq!(handoff.state, HandoffState::Sending);
    assert_eq!(handoff.effects[0].write.expected, Some("v1".into()));
    assert_eq!(ledger.handoffs(&crate::ledger::HandoffFilter::default()).expect("all").len(), 1);
}

#[test]
fn a_conflict_is_decided_anew_with_the_same_keys_and_the_new_version() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let id = claim(&mut ledger, at(1)).expect("transfer").effect.id;
    let conflict =
        EffectOutcome { conflict: true, look_at: Some(at(2)), ..outcome(id, EffectEvent::TryAgain(at(300)), at(2)) };
    ledger.record_outcome(&conflict).expect("recorded");
    assert_eq!(claim(&mut ledger, at(2)), None);
    assert_eq!(decide(&mut ledger, sending("h1", "1", "v2"), at(3)), Recorded::Whole);
    let again = claim(&mut ledger, at(3)).expect("at once");
    assert_eq!((again.effect.id, again.effect.conflicts, again.attempt), (id, 1, 2));
    assert_eq!(again.effect.write.expected, Some("v2".into()));
    assert_eq!(ledger.handoff("h1").expect("handoff").redecided, 1);
}

#[test]
fn an_effect_that_waits_for_another_reason_waits_on_when_nothing_changed() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let id = claim(&mut ledger, at(1)).expect("transfer").effect.id;
    ledger.record_outcome(&outcome(id, EffectEvent::TryAgain(at(300)), at(2))).expect("rate limited");
    decide(&mut ledger, sending("h1", "1", "v1"), at(3));
    assert_eq!(claim(&mut ledger, at(299)), None);
    assert!(claim(&mut ledger, at(300)).is_some());
}

#[test]
fn what_may_have_arrived_keeps_the_version_of_its_first_try() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let id = claim(&mut ledger, at(1)).expect("transfer").effect.id;
    for event in [EffectEvent::Lost(at(2)), EffectEvent::NotSeen(at(3)), EffectEvent::Absent(at(900))] {
        ledger.record_outcome(&outcome(id, event, at(2))).expect("recorded");
    }
    let open = ledger.case(&"acme".into(), &"1".into(), at(4)).expect("case").memory.open.expect("open");
    assert!(open.sent, "a late arrival must still be able to make it fail");
    assert_eq!(decide(&mut ledger, sending("h1", "1", "v2"), at(4)), Recorded::HandoffLeft);
    assert_eq!(ledger.effect(id).expect("effect").write.expected, Some("v1".into()));
}

#[test]
fn looked_up_again_after_a_conflict_and_not_there_it_is_decided_anew() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let id = claim(&mut ledger, at(1)).expect("transfer").effect.id;
    let twice = [EffectEvent::NotSeen(at(3)), EffectEvent::Absent(at(4))];
    for event in [EffectEvent::Lost(at(2))].into_iter().chain(twice.clone()) {
        ledger.record_outcome(&outcome(id, event, at(2))).expect("recorded");
    }
    claim(&mut ledger, at(4)).expect("sent again");
    let conflict = EffectOutcome { conflict: true, ..outcome(id, EffectEvent::Lost(at(5)), at(4)) };
    ledger.record_outcome(&conflict).expect("recorded");
    for event in twice {
        ledger.record_outcome(&outcome(id, event, at(9))).expect("recorded");
    }
    assert_eq!(decide(&mut ledger, sending("h1", "1", "v2"), at(10)), Recorded::Whole);
    assert_eq!(ledger.effect(id).expect("effect").write.expected, Some("v2".into()));
}

#[test]
fn a_parked_effect_stays_parked_when_its_handoff_is_decided_anew() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let id = claim(&mut ledger, at(1)).expect("transfer").effect.id;
    ledger.record_outcome(&outcome(id, EffectEvent::Park, at(2))).expect("parked");
    decide(&mut ledger, sending("h1", "1", "v2"), at(3));
    let effect = ledger.effect(id).expect("effect");
    assert!(matches!(effect.state, EffectState::Parked { unsure: false, .. }));
    assert_eq!(effect.write.expected, Some("v2".into()), "a retry takes the newest version");
}

#[test]
fn a_handoff_that_needs_a_person_after_all_is_not_sent_before_the_yes() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    decide(&mut ledger, in_review("h1", "1"), at(1));
    let handoff = ledger.handoff("h1").expect("handoff");
    assert_eq!((handoff.state, handoff.effects.len(), handoff.risks.len()), (HandoffState::InReview, 0, 1));
    assert_eq!(claim(&mut ledger, at(900)), None);
    ledger.approve(&answer("h1", planned("h1", "1", "v2"), at(2))).expect("approved");
    assert!(claim(&mut ledger, at(2)).is_some());
}

#[test]
fn fewer_effects_than_before_leave_none_behind() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let mut fewer = sending("h1", "1", "v2");
    fewer.effects.truncate(1);
    decide(&mut ledger, fewer, at(1));
    assert_eq!(ledger.handoff("h1").expect("handoff").effects.len(), 1);
    decide(&mut ledger, sending("h1", "1", "v3"), at(2));
    assert_eq!(ledger.handoff("h1").expect("handoff").effects.len(), 2, "and more than before are all there");
}

#[test]
fn a_look_that_a_person_overtook_records_nothing_and_is_done_again() {
    let mut ledger = ledger();
    decide(&mut ledger, in_review("h1", "1"), at(0));
    ledger.note_looks(&"acme".into(), &[look("1", at(1))]).expect("noted");
    let taken = looks_due(&ledger, at(1)).remove(0);
    ledger.reject(&answer("h1", Vec::new(), at(2))).expect("a person was faster");
    let withdrawn = HandoffHappening {
        handoff: "h1".into(),
        event: Some(HandoffEvent::Withdrawn),
        detail: Some("stale".into()),
        claimed: None,
        drop_effects: true,
        closing_note: None,
    };
    let update = CaseUpdate {
        generation: Some(taken.generation),
        version: Some("v7".into()),
        handoff_events: vec![withdrawn],
        handoff: Some(sending("h2", "1", "v7")),
        ..nothing_found("1", at(3))
    };
    assert!(matches!(ledger.record_case(&update), Ok(Recorded::Overtaken(_))));
    let record = ledger.case(&"acme".into(), &"1".into(), at(4)).expect("case");
    assert_eq!((record.last_version, record.handoff), (Some("v1".into()), None));
    assert!(looks_due(&ledger, at(4)).is_empty(), "not in a circle");
    assert_eq!(looks_due(&ledger, at(5)).len(), 1);
}

#[test]
fn what_a_person_decided_while_a_look_was_reading_is_not_taken_back_by_it() {
    let withdrawn = || HandoffHappening {
        handoff: "h1".into(),
        event: Some(HandoffEvent::Withdrawn),
        detail: Some("stale".into()),
        claimed: None,
        drop_effects: true,
        closing_note: None,
    };
    let mut ledger = ledger();
    decide(&mut ledger, in_review("h1", "1"), at(0));
    ledger.note_looks(&"acme".into(), &[look("1", at(1))]).expect("noted");
    let taken = looks_due(&ledger, at(1)).remove(0);
    let record = ledger.case(&"acme".into(), &"1".into(), at(1)).expect("the look begins");
    ledger.approve(&answer("h1", planned("h1", "1", "v1"), at(2))).expect("a person says yes");
    let update = CaseUpdate {
        generation: Some(taken.generation),
        handoff_events: vec![withdrawn()],
        as_read: Some(AsRead::of(&record)),
        ..nothing_found("1", at(3))
    };
    assert!(matches!(ledger.record_case(&update), Ok(Recorded::Overtaken(why)) if why.contains("in_review")));
    assert_eq!(ledger.handoff("h1").expect("handoff").state, HandoffState::Sending);
    assert_eq!(looks_due(&ledger, at(5)).len(), 1, "it is looked at again");
    let record = ledger.case(&"acme".into(), &"1".into(), at(5)).expect("the next look");
    let update = CaseUpdate { as_read: Some(AsRead::of(&record)), at: at(6), ..update };
    assert_eq!(ledger.record_case(&update), Ok(Recorded::Whole), "and what that one finds counts");
    assert_eq!(ledger.handoff("h1").expect("handoff").state, HandoffState::Withdrawn);
}

#[test]
fn the_next_handoff_ends_the_comparing_of_the_one_before() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    for version in ["v2", "v3"] {
        let claimed = claim(&mut ledger, at(1)).expect("due");
        ledger.record_outcome(&accepted(&claimed, version, at(1))).expect("recorded");
    }
    decide(&mut ledger, sending("h2", "1", "v3"), at(5));
    let states = ["h1", "h2"].map(|id| ledger.handoff(id).expect("handoff").state);
    assert_eq!(states, [HandoffState::Settled, HandoffState::Sending]);
}

#[test]
fn verdicts_are_kept_for_a_while_and_not_for_ever() {
    let mut ledger = ledger();
    for second in 0..30 {
        ledger.record_case(&nothing_found("1", at(second))).expect("recorded");
    }
    let kept = |ledger: &crate::ledger::Ledger| -> i64 {
        ledger.connection.query_row("SELECT count(*) FROM verdicts", [], |row| row.get(0)).expect("count")
    };
    assert_eq!(kept(&ledger), 20);
    ledger.purge(at(1000), jiff::SignedDuration::from_secs(1)).expect("purged");
    assert_eq!(kept(&ledger), 0);
}
