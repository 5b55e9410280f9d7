//! Claiming and recording effects: order, one at a time for each case, what holds them back, what follows from an answer.

use crate::ledger::records::{
    Busy, CaseUpdate, DeskTrouble, EffectOutcome, EffectWork, HandoffHappening, Purpose, Switch,
};
use crate::ledger::samples::{
    accepted, act, at, claim, decide, ledger, looks_due, nothing_found, outcome, planned, sending,
};
use crate::ledger::states::{EffectEvent, EffectState, HandoffEvent, HandoffState};
use handoffd_kit::desk::Write;

fn ends(handoff: &str, note: bool) -> HandoffHappening {
    let mut closing = planned(handoff, "1", "v2").remove(0);
    closing.number = 90;
    closing.label = "closing note".into();
    HandoffHappening {
        handoff: handoff.into(),
        event: Some(HandoffEvent::Withdrawn),
        detail: Some("an agent changed the owner".into()),
        claimed: None,
        drop_effects: true,
        closing_note: note.then_some(closing),
    }
}

#[test]
fn a_handoff_is_sent_in_order_each_effect_with_the_version_of_the_one_before() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let first = claim(&mut ledger, at(1)).expect("transfer");
    assert_eq!((first.work, first.attempt, first.first, first.last), (EffectWork::Send, 1, true, false));
    assert_eq!(first.left, ["customer message"]);
    assert_eq!(first.effect.write.first_tried, Some(at(1)));
    assert_eq!(claim(&mut ledger, at(1)), None, "one at a time for each case");

    ledger.record_outcome(&accepted(&first, "v2", at(2))).expect("recorded");
    let second = claim(&mut ledger, at(2)).expect("message");
    assert_eq!((second.first, second.last, second.receipts.len()), (false, true, 1));
    assert_eq!(second.effect.write.expected, Some("v2".into()));
    ledger.record_outcome(&accepted(&second, "v3", at(3))).expect("recorded");

    let record = ledger.case(&"acme".into(), &"1".into(), at(4)).expect("case");
    let handoff = record.handoff.expect("handoff");
    assert_eq!(
        (handoff.state, handoff.sent_at, handoff.verify_at),
        (HandoffState::Verifying, Some(at(3)), Some(at(63)))
    );
    assert_eq!((record.own_version, record.memory.last_public_message), (Some("v3".into()), Some(at(3))));
    assert!(handoff.effects.iter().all(|effect| effect.receipt.as_ref().is_some_and(|receipt| receipt.head.is_none())));
    assert_eq!(looks_due(&ledger, at(63)).len(), 1, "compared again");
    assert!(looks_due(&ledger, at(62)).is_empty());
}

#[test]
fn the_nearest_deadline_goes_first_and_busy_cases_and_desks_wait() {
    let mut ledger = ledger();
    for (id, ticket, deadline) in [("h1", "1", 900), ("h2", "2", 300), ("h3", "3", 600)] {
        let mut handoff = sending(id, ticket, "v1");
        for effect in &mut handoff.effects {
            effect.write = Write { deadline: at(deadline), ..effect.write.clone() };
        }
        decide(&mut ledger, handoff, at(0));
    }
    let busy = Busy { cases: [("acme".into(), "2".into())].into(), ..Busy::default() };
    let first = ledger.claim_due_effect(at(1), &busy).expect("claimed").expect("due");
    assert_eq!(first.effect.handoff, "h3");
    assert_eq!(claim(&mut ledger, at(1)).map(|claimed| claimed.effect.handoff).as_deref(), Some("h2"));
    let resting = Busy { desks: vec!["acme".into()], ..Busy::default() };
    assert_eq!(ledger.claim_due_effect(at(1), &resting), Ok(None));
    assert_eq!(ledger.next_due(&resting), Ok(None));
    assert_eq!(ledger.next_due(&Busy::default()), Ok(Some(at(0))));
}

#[test]
fn switches_and_trouble_hold_writes_back_and_lookups_go_on() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    for switch in [Switch::All, Switch::Desk("acme".into()), Switch::Rule("refund".into())] {
        ledger.set_switch(&switch, true, &act(at(0))).expect("on");
        assert_eq!(claim(&mut ledger, at(1)), None, "{switch:?}");
        assert_eq!(ledger.next_due(&Busy::default()), Ok(None), "nothing to wake up for");
        ledger.set_switch(&switch, false, &act(at(0))).expect("off");
    }
    ledger.set_switch(&Switch::Rule("another".into()), true, &act(at(0))).expect("on");
    let claimed = claim(&mut ledger, at(1)).expect("another rule's switch is none of ours");
    ledger.record_outcome(&outcome(claimed.effect.id, EffectEvent::Lost(at(3)), at(2))).expect("lost");
    ledger.set_switch(&Switch::All, true, &act(at(0))).expect("on");
    let lookup = claim(&mut ledger, at(3)).expect("a lookup writes nothing");
    assert_eq!((lookup.work, lookup.lost_at), (EffectWork::LookUp, Some(at(2))));

    let trouble = DeskTrouble {
        desk: "acme".into(),
        what: "login refused".into(),
        next_step: "renew it".into(),
        since: at(3),
        writes_stopped: true,
    };
    ledger.set_trouble(&trouble).expect("set");
    ledger.set_trouble(&DeskTrouble { since: at(9), writes_stopped: false, ..trouble.clone() }).expect("again");
    assert_eq!(ledger.troubles(), Ok(vec![trouble]), "the first instant, and the worst");
    ledger.set_switch(&Switch::All, false, &act(at(3))).expect("off");
    decide(&mut ledger, sending("h2", "2", "v1"), at(0));
    let still = claim(&mut ledger, at(3)).expect("a lookup is a read");
    assert_eq!((still.work, still.effect.id), (EffectWork::LookUp, lookup.effect.id));
    let busy = Busy { effects: [lookup.effect.id].into(), ..Busy::default() };
    assert_eq!(ledger.claim_due_effect(at(9), &busy), Ok(None), "a write is none");
    ledger.clear_trouble(&"acme".into()).expect("cleared");
    let sent = ledger.claim_due_effect(at(9), &busy).expect("claimed").expect("the other one");
    assert_eq!(sent.work, EffectWork::Send);
}

#[test]
fn in_shadow_nothing_is_claimed_for_sending_and_what_may_be_there_is_looked_up() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    decide(&mut ledger, sending("h2", "2", "v1"), at(0));
    let lost = claim(&mut ledger, at(1)).expect("live");
    ledger.record_outcome(&outcome(lost.effect.id, EffectEvent::Lost(at(3)), at(2))).expect("lost");
    let shadow = Busy { shadow: true, ..Busy::default() };
    let looked_up = ledger.claim_due_effect(at(9), &shadow).expect("claimed").expect("the lookup");
    assert_eq!((looked_up.work, looked_up.effect.id), (EffectWork::LookUp, lost.effect.id));
    let busy = Busy { effects: [lost.effect.id].into(), ..shadow };
    assert_eq!(ledger.claim_due_effect(at(9), &busy), Ok(None), "planned while it was live, and not sent");
    assert!(ledger.claim_due_effect(at(9), &Busy { shadow: false, ..busy }).expect("claimed").is_some());
}

#[test]
fn what_was_written_wrongly_stays_parked_as_something_that_was_sent() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let claimed = claim(&mut ledger, at(1)).expect("transfer");
    ledger.record_outcome(&outcome(claimed.effect.id, EffectEvent::ParkApplied, at(2))).expect("parked");
    let handoff = ledger.handoff("h1").expect("known");
    assert!(handoff.has_sent(), "no later look may take it for one that was never sent");
    assert_eq!(ledger.parked().expect("listed").len(), 1);
    let retried = ledger.retry_effect(claimed.effect.id, &act(at(5))).expect("retried");
    assert!(matches!(retried, EffectState::Unsure { .. }), "looked up, not repeated: {retried:?}");
}

#[test]
fn a_lost_answer_is_looked_up_and_while_it_is_nothing_else_of_the_case_is_sent() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let claimed = claim(&mut ledger, at(1)).expect("transfer");
    let id = claimed.effect.id;
    ledger.record_outcome(&outcome(id, EffectEvent::Lost(at(3)), at(2))).expect("lost");
    assert_eq!(claim(&mut ledger, at(2)), None, "not before its time");
    assert_eq!(claim(&mut ledger, at(3)).expect("lookup").work, EffectWork::LookUp);
    assert!(ledger.record_outcome(&outcome(id, EffectEvent::Absent(at(4)), at(3))).is_err(), "one look is none");
    ledger.record_outcome(&outcome(id, EffectEvent::NotSeen(at(5)), at(4))).expect("looked");
    ledger.record_outcome(&outcome(id, EffectEvent::Absent(at(6)), at(5))).expect("looked twice");
    let again = claim(&mut ledger, at(6)).expect("sent again");
    assert_eq!((again.work, again.attempt, again.lost_at), (EffectWork::Send, 2, Some(at(2))));
    assert_eq!(again.effect.write.first_tried, Some(at(1)), "the version and the instant of the first try");
    assert_eq!(again.effect.write.expected, Some("v1".into()));
}

#[test]
fn what_was_in_flight_when_the_process_died_is_unsure_when_it_comes_up() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let claimed = claim(&mut ledger, at(1)).expect("transfer");
    assert_eq!(ledger.recover(at(50)), Ok(1));
    assert_eq!(ledger.recover(at(51)), Ok(0));
    let lookup = claim(&mut ledger, at(50)).expect("lookup");
    assert_eq!((lookup.effect.id, lookup.work, lookup.lost_at), (claimed.effect.id, EffectWork::LookUp, Some(at(50))));
}

#[test]
fn overtaken_halfway_the_rest_is_dropped_and_one_closing_note_goes_out() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let first = claim(&mut ledger, at(1)).expect("transfer");
    ledger.record_outcome(&accepted(&first, "v2", at(2))).expect("recorded");
    let second = claim(&mut ledger, at(2)).expect("message");
    let overtaken = EffectOutcome {
        handoff: Some(ends("h1", true)),
        look_at: Some(at(3)),
        ..outcome(second.effect.id, EffectEvent::Drop, at(3))
    };
    ledger.record_outcome(&overtaken).expect("recorded");
    let note = claim(&mut ledger, at(3)).expect("closing note");
    assert_eq!((note.effect.label.as_str(), note.effect.purpose, note.last), ("closing note", Purpose::Apart, true));
    ledger.record_outcome(&accepted(&note, "v3", at(4))).expect("recorded");
    assert_eq!(claim(&mut ledger, at(900)), None);
    assert_eq!(ledger.handoff("h1").expect("handoff").state, HandoffState::Withdrawn);
    let record = ledger.case(&"acme".into(), &"1".into(), at(5)).expect("case");
    assert_eq!(record.memory.fired.len(), 1, "something of it reached the desk: it has fired");
    assert_eq!((record.memory.handoffs, record.memory.hops_today), (1, 1));
}

#[test]
fn an_unsure_effect_of_an_ended_handoff_is_looked_up_and_never_sent_again() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let claimed = claim(&mut ledger, at(1)).expect("transfer");
    let id = claimed.effect.id;
    let lost = EffectOutcome { handoff: Some(ends("h1", false)), ..outcome(id, EffectEvent::Lost(at(3)), at(2)) };
    ledger.record_outcome(&lost).expect("lost, and the handoff ended");
    assert_eq!(claim(&mut ledger, at(3)).expect("lookup").work, EffectWork::LookUp);
    ledger.record_outcome(&outcome(id, EffectEvent::NotSeen(at(4)), at(3))).expect("looked");
    ledger.record_outcome(&outcome(id, EffectEvent::Absent(at(5)), at(4))).expect("looked twice");
    assert_eq!(ledger.effect(id).expect("effect").state, EffectState::Dropped);
    assert_eq!(claim(&mut ledger, at(900)), None);
}

#[test]
fn a_row_that_cannot_be_read_is_named_and_nothing_is_lost() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let write: String =
        ledger.connection.query_row("SELECT write FROM effects WHERE number = 1", [], |row| row.get(0)).expect("text");
    ledger.connection.execute("UPDATE effects SET write = '{\"ticket\":' WHERE number = 1", []).expect("garbled");
    assert_eq!(claim(&mut ledger, at(1)), None, "parked, and what follows it waits");
    let parked = ledger.parked().expect("listed").remove(0);
    assert!(parked.reason.as_ref().is_some_and(|reason| reason.contains("effect 1")), "{:?}", parked.reason);
    ledger.connection.execute("UPDATE effects SET write = ? WHERE number = 1", [write]).expect("repaired");
    ledger.retry_effect(parked.id, &act(at(2))).expect("retried");
    let again = claim(&mut ledger, at(2)).expect("due");
    assert_eq!((again.effect.number, again.work), (1, EffectWork::LookUp), "looked up before it is sent");
}

#[test]
fn huge_and_hostile_text_comes_back_as_it_was() {
    let mut ledger = ledger();
    let mut handoff = sending("h1", "1", "v1");
    handoff.proposal.reason = "'; DROP TABLE effects; -- \u{0}\u{202e}\u{fffd}".repeat(20_000);
    let reason = handoff.proposal.reason.clone();
    decide(&mut ledger, handoff, at(0));
    assert_eq!(ledger.handoff("h1").expect("handoff").proposal.reason, reason);
}

#[test]
fn a_message_that_waits_for_a_person_does_not_hold_the_handoff_up_and_goes_out_when_they_say_so() {
    for bounced in [false, true] {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        let transfer = claim(&mut ledger, at(1)).expect("transfer");
        ledger.record_outcome(&accepted(&transfer, "v2", at(2))).expect("recorded");
        let message = claim(&mut ledger, at(2)).expect("message").effect.id;
        let sent = HandoffHappening { event: Some(HandoffEvent::Sent), drop_effects: false, ..ends("h1", true) };
        let parked = EffectOutcome {
            handoff: Some(sent),
            verify_at: Some(at(63)),
            look_at: Some(at(90)),
            ..outcome(message, EffectEvent::Park, at(3))
        };
        ledger.record_outcome(&parked).expect("parked");
        let handoff = ledger.handoff("h1").expect("handoff");
        assert_eq!((handoff.state, handoff.verify_at), (HandoffState::Verifying, Some(at(63))));
        assert_eq!(looks_due(&ledger, at(90))[0].due, at(90), "the caller knows when a poll brings the head");
        let note = claim(&mut ledger, at(3)).expect("the correcting note");
        assert!(note.effect.purpose == Purpose::Apart && note.ended);
        ledger.record_outcome(&accepted(&note, "v3", at(4))).expect("recorded");
        if bounced {
            let bounce =
                HandoffHappening { event: Some(HandoffEvent::Bounced), drop_effects: false, ..ends("h1", false) };
            let update = CaseUpdate { handoff_events: vec![bounce], ..nothing_found("1", at(5)) };
            ledger.record_case(&update).expect("given back");
            assert_eq!(ledger.parked(), Ok(Vec::new()), "the customer is not told of what did not last");
            continue;
        }
        ledger.retry_effect(message, &act(at(6))).expect("retried");
        let again = claim(&mut ledger, at(6)).expect("message");
        assert_eq!((again.effect.id, again.ended), (message, false));
        ledger.record_outcome(&accepted(&again, "v4", at(7))).expect("recorded");
        assert_eq!(ledger.handoff("h1").expect("handoff").state, HandoffState::Verifying);
    }
}

#[test]
fn a_write_that_a_pause_kept_from_leaving_was_not_tried_and_is_due_again() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let first = claim(&mut ledger, at(1)).expect("transfer");
    let key = first.effect.write.mark.key();
    let (rule, desk) = (|name: &str| Switch::Rule(name.into()), |name: &str| Switch::Desk(name.into()));
    for (switch, holds) in [
        (Switch::All, true),
        (desk("acme"), true),
        (rule("refund"), true),
        (desk("other"), false),
        (rule("other"), false),
    ] {
        ledger.set_switch(&switch, true, &act(at(2))).expect("paused");
        let held = ledger.to_hold_back(false).expect("read");
        let held: Vec<String> = held
            .into_iter()
            .flat_map(|(desk, writes)| writes.into_iter().map(move |write| format!("{desk}: {write}")))
            .collect();
        assert_eq!(held, if holds { vec![format!("acme: {key}")] } else { Vec::new() }, "{switch:?}");
        ledger.set_switch(&switch, false, &act(at(2))).expect("resumed");
    }
    assert_eq!(ledger.to_hold_back(true).expect("read").len(), 1, "in shadow nothing leaves");

    let held_back = |ledger: &mut crate::ledger::Ledger, id, second| {
        ledger.record_outcome(&outcome(id, EffectEvent::HeldBack(at(second)), at(second))).expect("recorded");
        let effect = ledger.effect(id).expect("effect");
        (effect.state, effect.write.first_tried)
    };
    let id = first.effect.id;
    assert_eq!(held_back(&mut ledger, id, 4), (EffectState::Due { at: at(4), attempt: 0 }, None));
    let again = claim(&mut ledger, at(6)).expect("due again");
    assert_eq!((again.effect.id, again.attempt, again.effect.write.first_tried), (id, 1, Some(at(6))));
    // One that was tried before keeps when that was, and how often.
    ledger.record_outcome(&outcome(id, EffectEvent::TryAgain(at(7)), at(7))).expect("recorded");
    assert_eq!(claim(&mut ledger, at(8)).expect("again").attempt, 2);
    assert_eq!(held_back(&mut ledger, id, 9), (EffectState::Due { at: at(9), attempt: 1 }, Some(at(6))));
}
