//! What the ledger remembers of a case, as `decide` gets it.

use crate::ledger::records::{CaseUpdate, HandoffHappening, NewHandoff, Switch};
use crate::ledger::samples::{
    accepted, act, at, claim, decide, in_review, ledger, nothing_found, proposal, sending, stay,
};
use crate::ledger::states::HandoffEvent;
use crate::ledger::{Ledger, states::HandoffState};
use crate::policy::case::Memory;
use jiff::Timestamp;

fn memory(ledger: &Ledger, ticket: &str, now: Timestamp) -> Memory {
    ledger.case(&"acme".into(), &ticket.into(), now).expect("case").memory
}

fn send_all(ledger: &mut Ledger, now: Timestamp) {
    while let Some(claimed) = claim(ledger, now) {
        ledger.record_outcome(&accepted(&claimed, "v2", now)).expect("recorded");
    }
}

fn happens(handoff: &str, event: HandoffEvent) -> HandoffHappening {
    HandoffHappening {
        handoff: handoff.into(),
        event: Some(event),
        detail: None,
        claimed: Some((at(70), "an agent".into())),
        drop_effects: false,
        closing_note: None,
    }
}

#[test]
fn a_case_that_was_never_met_is_all_defaults() {
    let ledger = ledger();
    let record = ledger.case(&"acme".into(), &"1".into(), at(0)).expect("case");
    assert_eq!((record.memory, record.handoff, record.first_seen), (Memory::default(), None, None));
}

#[test]
fn limits_count_what_was_let_go_in_the_last_hour_and_say_when_a_place_is_free() {
    let mut ledger = ledger();
    for (number, ticket) in ["1", "2", "3"].into_iter().enumerate() {
        decide(&mut ledger, sending(&format!("h{ticket}"), ticket, "v1"), at(number as i64 * 10));
    }
    decide(&mut ledger, in_review("h4", "4"), at(30));
    let recent = memory(&ledger, "9", at(40)).recent;
    assert_eq!((recent.on_desk, recent.by_rule.get(&"refund".into())), (3, Some(&3)), "a review does not count yet");
    assert_eq!(memory(&ledger, "2", at(40)).recent.on_desk, 2, "what is still decided does not count against itself");
    assert_eq!(memory(&ledger, "9", at(3605)).recent.on_desk, 2);
    assert_eq!(memory(&ledger, "9", at(9000)).recent, crate::policy::case::Recent::default());
    let elsewhere = ledger.recent(&"globex".into(), at(40)).expect("recent");
    assert_eq!(
        (elsewhere.on_desk, elsewhere.by_rule.get(&"refund".into())),
        (0, Some(&3)),
        "a rule's count is its own"
    );
}

#[test]
fn a_rule_has_fired_once_something_was_decided_and_not_when_it_was_withdrawn_unsent() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    assert_eq!(memory(&ledger, "1", at(1)).fired.len(), 1);
    let withdrawn = vec![HandoffHappening { drop_effects: true, ..happens("h1", HandoffEvent::Withdrawn) }];
    ledger.record_case(&CaseUpdate { handoff_events: withdrawn, ..nothing_found("1", at(2)) }).expect("recorded");
    let memory = memory(&ledger, "1", at(3));
    assert_eq!((memory.fired.len(), memory.handoffs, memory.open), (0, 0, None));
}

#[test]
fn our_moves_of_a_day_are_counted() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    send_all(&mut ledger, at(1));
    assert_eq!((memory(&ledger, "1", at(2)).hops_today, memory(&ledger, "1", at(2)).handoffs), (1, 1));
    assert_eq!(memory(&ledger, "1", at(86_500)).hops_today, 0);
}

#[test]
fn the_handoff_that_matters_is_the_one_whose_receiving_stay_is_not_over() {
    let mut ledger = ledger();
    let record = |ledger: &mut Ledger, update: CaseUpdate| ledger.record_case(&update).expect("recorded");
    let current = |ledger: &Ledger| {
        let record = ledger.case(&"acme".into(), &"1".into(), at(100)).expect("case");
        record.handoff.map(|handoff| (handoff.id, handoff.state))
    };
    let start = CaseUpdate { stays: vec![stay("frontline", "e1", at(0), None)], ..nothing_found("1", at(0)) };
    record(&mut ledger, start);
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    send_all(&mut ledger, at(1));
    let arrived = CaseUpdate {
        stays: vec![stay("billing", "audit", at(1), Some("h1"))],
        handoff_events: vec![happens("h1", HandoffEvent::Verified)],
        ..nothing_found("1", at(61))
    };
    record(&mut ledger, arrived);
    assert_eq!(current(&ledger), Some(("h1".into(), HandoffState::Settled)));
    assert_eq!(ledger.handoff("h1").expect("handoff").claimed, Some((at(70), "an agent".into())));
    record(&mut ledger, CaseUpdate { stays: vec![stay("legal", "c9", at(80), None)], ..nothing_found("1", at(80)) });
    assert_eq!(current(&ledger), None, "what happens after legal had it is no bounce of ours");
    let memory = memory(&ledger, "1", at(100));
    assert_eq!((memory.teams_seen.len(), memory.hops, memory.bounces), (3, 2, 0));
}

#[test]
fn a_found_out_episode_is_the_handoffs_too() {
    let mut ledger = ledger();
    let vague = CaseUpdate { stays: vec![stay("frontline", "~v1", at(0), None)], ..nothing_found("1", at(0)) };
    ledger.record_case(&vague).expect("recorded");
    let handoff = NewHandoff { proposal: proposal("1", "refund", "~v1", "facts"), ..sending("h1", "1", "v1") };
    decide(&mut ledger, handoff, at(1));
    let known = CaseUpdate { stays: vec![stay("frontline", "c7", at(0), None)], ..nothing_found("1", at(2)) };
    ledger.record_case(&known).expect("recorded");
    let record = ledger.case(&"acme".into(), &"1".into(), at(3)).expect("case");
    assert_eq!(record.memory.fired[0].episode, "c7");
    assert_eq!(record.handoff.expect("handoff").proposal.episode, "c7");
    assert_eq!(record.memory.hops, 0);
}

#[test]
fn switches_reach_the_memory_of_the_cases_they_concern() {
    let mut ledger = ledger();
    ledger.set_switch(&Switch::Desk("globex".into()), true, &act(at(0))).expect("on");
    ledger.set_switch(&Switch::Rule("refund".into()), true, &act(at(0))).expect("on");
    let off = memory(&ledger, "1", at(1)).switched_off;
    assert_eq!((off.all, off.rules), (false, vec!["refund".into()]));
    ledger.set_switch(&Switch::All, true, &act(at(0))).expect("on");
    assert!(memory(&ledger, "1", at(1)).switched_off.all);
    assert_eq!(ledger.switches().expect("switches").len(), 3);
}
