//! What people decide: reviews, parked effects, undo, releases.

use crate::ledger::error::LedgerError;
use crate::ledger::records::{CaseUpdate, Purpose, ReviewAnswer};
use crate::ledger::samples::{
    accepted, act, answer, at, claim, decide, in_review, ledger, looks_due, nothing_found, outcome, planned, proposal,
    sending, stay,
};
use crate::ledger::states::{EffectEvent, EffectState, HandoffState};
use crate::plan::PlannedEffect;
use crate::policy::case::ClosedBy;
use crate::policy::proposal::{Package, Proposal};
use handoffd_kit::desk::{DeskChange, Update};

fn parked(ledger: &mut crate::ledger::Ledger, event: EffectEvent) -> i64 {
    decide(ledger, sending("h1", "1", "v1"), at(0));
    let id = claim(ledger, at(1)).expect("transfer").effect.id;
    if event != EffectEvent::Park {
        ledger.record_outcome(&outcome(id, event, at(2))).expect("lost");
    }
    ledger.record_outcome(&outcome(id, EffectEvent::Park, at(3))).expect("parked");
    id
}

#[test]
fn a_yes_stores_the_effects_and_a_second_answer_is_refused_in_words() {
    let mut ledger = ledger();
    decide(&mut ledger, in_review("h1", "1"), at(0));
    assert_eq!(ledger.reviews().expect("reviews").len(), 1);
    assert_eq!(claim(&mut ledger, at(1)), None, "nothing is written before the yes");
    ledger.approve(&answer("h1", planned("h1", "1", "v1"), at(5))).expect("approved");
    let handoff = ledger.handoff("h1").expect("handoff");
    assert_eq!((handoff.state, handoff.effects.len()), (HandoffState::Sending, 2));
    assert!(handoff.approved_by.is_some() && ledger.reviews().expect("reviews").is_empty());
    let error = ledger.reject(&answer("h1", Vec::new(), at(6))).expect_err("answered already");
    assert!(matches!(&error, LedgerError::WrongState(words) if words.contains("sending")), "{error}");
    assert!(matches!(ledger.approve(&answer("nope", Vec::new(), at(6))), Err(LedgerError::NotFound(_))));
    let memory = ledger.case(&"acme".into(), &"1".into(), at(7)).expect("case").memory;
    assert_eq!(memory.released, ["refund".into()], "decided anew, it is not held back");
    assert_eq!(memory.recent.on_desk, 0, "it does not count against itself");
}

#[test]
fn a_yes_that_was_prepared_before_an_edit_is_refused_and_sends_nothing() {
    let mut ledger = ledger();
    decide(&mut ledger, in_review("h1", "1"), at(0));
    let yes = |ledger: &mut crate::ledger::Ledger, seen: Proposal, now| {
        ledger.approve(&ReviewAnswer { proposal: Some(Box::new(seen)), ..answer("h1", planned("h1", "1", "v1"), now) })
    };
    let seen = ledger.handoff("h1").expect("handoff").proposal;
    let package = Package { unknown: vec!["the plan".into()], ..Package::default() };
    assert_eq!(ledger.edit_package("h1", 1, &package, &act(at(2))).expect("edited"), 2);
    let early = yes(&mut ledger, seen, at(3)).expect_err("prepared before");
    assert!(matches!(&early, LedgerError::WrongState(words) if words.contains("edited")), "{early}");
    let handoff = ledger.handoff("h1").expect("handoff");
    assert_eq!((handoff.state, handoff.effects.len()), (HandoffState::InReview, 0));
    yes(&mut ledger, handoff.proposal, at(4)).expect("approved");
    assert_eq!(ledger.handoff("h1").expect("handoff").proposal.package, Some(package));
    assert_eq!(ledger.package_versions("h1").expect("versions").len(), 2, "both are kept");
}

#[test]
fn a_no_closes_the_path_and_lets_other_rules_look() {
    let mut ledger = ledger();
    decide(&mut ledger, in_review("h1", "1"), at(0));
    ledger.reject(&answer("h1", Vec::new(), at(5))).expect("rejected");
    let record = ledger.case(&"acme".into(), &"1".into(), at(6)).expect("case");
    assert_eq!((record.handoff, record.memory.open), (None, None));
    let path = &record.memory.closed_paths[0];
    assert_eq!((path.why, &path.to), (ClosedBy::Rejection, &"billing".into()));
    assert!(path.facts.is_empty(), "the look that follows notes them");
    assert_eq!(looks_due(&ledger, at(5)).len(), 1);
}

#[test]
fn a_stale_review_ends_with_its_note() {
    let mut ledger = ledger();
    decide(&mut ledger, in_review("h1", "1"), at(0));
    let note = planned("h1", "1", "v2").remove(0);
    ledger.end_stale_review("h1", "the owner changed", Some(note), at(5)).expect("ended");
    assert_eq!(ledger.handoff("h1").expect("handoff").state, HandoffState::Withdrawn);
    assert!(claim(&mut ledger, at(5)).expect("the note").effect.purpose == Purpose::Apart);
}

#[test]
fn a_parked_effect_is_listed_and_retried_unsure_ones_by_a_look() {
    for (event, unsure) in [(EffectEvent::Park, false), (EffectEvent::Lost(at(3)), true)] {
        let mut ledger = ledger();
        let id = parked(&mut ledger, event);
        assert_eq!(ledger.parked().expect("parked").iter().map(|effect| effect.id).collect::<Vec<_>>(), [id]);
        assert_eq!(claim(&mut ledger, at(900)), None, "and nothing after it");
        let state = ledger.retry_effect(id, &act(at(10))).expect("retried");
        assert_eq!(matches!(state, EffectState::Unsure { .. }), unsure);
        assert!(claim(&mut ledger, at(10)).is_some());
        assert!(matches!(ledger.retry_effect(id, &act(at(11))), Err(LedgerError::WrongState(_))));
    }
}

#[test]
fn whoever_gives_the_transfer_up_gives_up_what_follows_and_it_does_not_come_back() {
    let mut ledger = ledger();
    let id = parked(&mut ledger, EffectEvent::Park);
    ledger.drop_effect(id, &act(at(10))).expect("dropped");
    let handoff = ledger.handoff("h1").expect("handoff");
    assert_eq!(handoff.state, HandoffState::Withdrawn);
    assert!(handoff.effects.iter().all(|effect| effect.state == EffectState::Dropped), "the customer hears nothing");
    assert_eq!(claim(&mut ledger, at(900)), None);
    let memory = ledger.case(&"acme".into(), &"1".into(), at(11)).expect("case").memory;
    assert_eq!(memory.closed_paths.len(), 1);
    assert_eq!(looks_due(&ledger, at(10)).len(), 1, "which notes the facts of the path");
}

#[test]
fn whoever_gives_the_message_up_after_the_transfer_keeps_the_handoff() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let transfer = claim(&mut ledger, at(1)).expect("transfer");
    ledger.record_outcome(&accepted(&transfer, "v2", at(2))).expect("recorded");
    let message = claim(&mut ledger, at(2)).expect("message").effect.id;
    ledger.record_outcome(&outcome(message, EffectEvent::Park, at(3))).expect("parked");
    ledger.drop_effect(message, &act(at(10))).expect("dropped");
    assert_eq!(ledger.handoff("h1").expect("handoff").state, HandoffState::Verifying);
    assert_eq!(looks_due(&ledger, at(10)).len(), 1);
}

#[test]
fn an_undo_closes_the_path_and_puts_the_case_back_when_nothing_is_under_way() {
    let mut ledger = ledger();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let mut back = planned("h1", "1", "v2");
    back.truncate(1);
    back[0].number = 50;
    assert!(matches!(ledger.record_undo("h1", &back, &act(at(1))), Err(LedgerError::WrongState(_))), "nothing sent");
    let transfer = claim(&mut ledger, at(1)).expect("transfer");
    ledger.record_outcome(&accepted(&transfer, "v2", at(2))).expect("recorded");
    let message = claim(&mut ledger, at(2)).expect("message");
    ledger.record_undo("h1", &back, &act(at(3))).expect("undone halfway");
    assert_eq!(claim(&mut ledger, at(3)), None, "the message is in flight");
    ledger.record_outcome(&outcome(message.effect.id, EffectEvent::TryAgain(at(4)), at(4))).expect("not taken");
    let undo = claim(&mut ledger, at(4)).expect("undo");
    assert_eq!(undo.effect.number, 50, "and the message is not tried again");
    ledger.record_outcome(&accepted(&undo, "v3", at(5))).expect("recorded");
    let memory = ledger.case(&"acme".into(), &"1".into(), at(6)).expect("case").memory;
    assert_eq!((memory.closed_paths[0].why, memory.open), (ClosedBy::Undo, None));
}

/// A handoff that was sent, with a plan of three effects that puts it back; the second one is parked.
fn half_put_back(first: u32, done: bool) -> (crate::ledger::Ledger, i64) {
    let mut ledger = ledger();
    let mut handoff = sending("h1", "1", "v1");
    handoff.effects.truncate(1);
    decide(&mut ledger, handoff, at(0));
    let transfer = claim(&mut ledger, at(1)).expect("transfer");
    ledger.record_outcome(&accepted(&transfer, "v2", at(2))).expect("recorded");
    let plan = (first..first + 3).map(|number| PlannedEffect {
        number,
        label: format!("piece {number}"),
        ..planned("h1", "1", "v2").remove(0)
    });
    let mut plan: Vec<PlannedEffect> = plan.collect();
    plan.iter_mut().for_each(|effect| effect.write.mark.number = effect.number);
    ledger.record_undo("h1", &plan, &act(at(3))).expect("undone");
    if done {
        let note = claim(&mut ledger, at(3)).expect("the first piece");
        ledger.record_outcome(&accepted(&note, "v3", at(4))).expect("recorded");
    }
    let next = claim(&mut ledger, at(5)).expect("the next piece").effect.id;
    ledger.record_outcome(&outcome(next, EffectEvent::Park, at(5))).expect("parked");
    (ledger, next)
}

#[test]
fn whoever_gives_up_a_piece_of_putting_a_case_back_gives_up_the_rest_and_the_ticket_says_so() {
    for (first, done, left, told) in
        [(50, true, 1, true), (70, true, 1, true), (50, false, 2, false), (70, false, 2, true)]
    {
        let (mut ledger, piece) = half_put_back(first, done);
        let labels = ledger.drop_effect(piece, &act(at(10))).expect("dropped");
        let last = format!("piece {}", first + 2);
        assert_eq!((labels.len(), labels.last()), (left, Some(&last)), "plan from {first}");
        let next = claim(&mut ledger, at(11));
        assert_eq!(next.as_ref().map(|next| next.effect.number), told.then_some(90), "plan from {first}, {done}");
        let Some(note) = next else { continue };
        let DeskChange::Update(Update { note: Some(words), .. }) = &note.effect.write.change else {
            panic!("a note and nothing else");
        };
        assert!(words.0.contains(&last) && words.0.contains("because"), "{words:?}");
        ledger.record_outcome(&accepted(&note, "v4", at(12))).expect("recorded");
        assert_eq!(claim(&mut ledger, at(900)), None, "nothing more follows");
    }
}

#[test]
fn what_a_person_overtook_of_putting_a_case_back_takes_the_rest_with_it() {
    let (mut ledger, piece) = half_put_back(50, true);
    ledger.retry_effect(piece, &act(at(6))).expect("retried");
    assert_eq!(claim(&mut ledger, at(7)).map(|claimed| claimed.effect.id), Some(piece));
    ledger.record_outcome(&outcome(piece, EffectEvent::Drop, at(8))).expect("overtaken");
    assert_eq!(claim(&mut ledger, at(900)), None, "the owner stays as that person wanted it");
}

#[test]
fn whoever_gives_the_transfer_up_behind_its_note_is_contradicted_by_no_note() {
    let mut ledger = ledger();
    let mut handoff = sending("h1", "1", "v1");
    let note = handoff.effects[0].write.change.clone();
    handoff.effects[0].write.change = DeskChange::Update(Update::default());
    handoff.effects[1].write.change = note;
    decide(&mut ledger, handoff, at(0));
    let first = claim(&mut ledger, at(1)).expect("the note");
    ledger.record_outcome(&accepted(&first, "v2", at(2))).expect("recorded");
    let transfer = claim(&mut ledger, at(2)).expect("transfer").effect.id;
    ledger.record_outcome(&outcome(transfer, EffectEvent::Park, at(3))).expect("parked");
    ledger.drop_effect(transfer, &act(at(10))).expect("dropped");
    assert_eq!(ledger.handoff("h1").expect("handoff").state, HandoffState::Withdrawn);
    assert_eq!(claim(&mut ledger, at(11)).map(|claimed| claimed.effect.number), Some(90), "the closing note");
}

#[test]
fn held_matches_are_released_some_at_a_time_and_fire_once() {
    let mut ledger = ledger();
    for ticket in ["1", "2", "3"] {
        let would = vec![proposal(ticket, "refund", "e1", "facts")];
        let stays = vec![stay("frontline", "e1", at(0), None)];
        let update = CaseUpdate { would, stays, ..nothing_found(ticket, at(ticket.parse().expect("number"))) };
        ledger.record_case(&update).expect("recorded");
    }
    let memory = |ledger: &crate::ledger::Ledger, ticket: &str| {
        ledger.case(&"acme".into(), &ticket.into(), at(9)).expect("case").memory
    };
    assert_eq!(memory(&ledger, "1").held, ["refund".into()]);
    let released = ledger.release(&"refund".into(), 1.0, 2, &act(at(9))).expect("released").cases;
    assert_eq!(released.iter().map(|(_, ticket)| ticket.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(looks_due(&ledger, at(9)).len(), 2);
    assert_eq!((memory(&ledger, "1").held.len(), memory(&ledger, "1").released.len()), (0, 1));
    ledger.record_case(&nothing_found("1", at(10))).expect("does not match just now");
    assert_eq!(memory(&ledger, "1").released.len(), 1, "a release outlives that");
    decide(&mut ledger, sending("h1", "1", "v1"), at(11));
    assert_eq!(ledger.would(Some(&"refund".into()), None, 10).expect("would").len(), 2);
    assert_eq!(memory(&ledger, "1").released.len(), 1, "while it is decided anew, it stays released");
    let moved = CaseUpdate { stays: vec![stay("billing", "e2", at(12), None)], ..nothing_found("2", at(12)) };
    ledger.record_case(&moved).expect("recorded");
    assert_eq!(ledger.would(None, None, 10).expect("would").len(), 1, "its episode is over");
    ledger.record_case(&nothing_found("3", at(12))).expect("recorded");
    assert_eq!(ledger.would(None, None, 10), Ok(Vec::new()), "what no longer matches is forgotten");
}
