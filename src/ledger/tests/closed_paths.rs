//! Closed paths: what was noted first stands, closing anew forgets it, and a case that is put back is looked at.

use crate::ledger::records::{CaseUpdate, NewHandoff, Purpose};
use crate::ledger::samples::{accepted, act, answer, at, claim, decide, in_review, ledger, looks_due, nothing_found};
use crate::ledger::samples::{planned, sending, stay};
use crate::policy::case::{CHANGED, ClosedBy, ClosedPath};
use crate::policy::verdict::Risk;
use std::collections::BTreeMap;

fn path(facts: &[(&str, &str)]) -> ClosedPath {
    let facts = facts.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect();
    ClosedPath { facts, ..ClosedPath::new(Some("frontline".into()), "billing".into(), ClosedBy::Bounce) }
}

fn known(ledger: &crate::ledger::Ledger) -> Vec<ClosedPath> {
    ledger.case(&"acme".into(), &"1".into(), at(100)).expect("case").memory.closed_paths
}

fn noted(ledger: &mut crate::ledger::Ledger, facts: &[(&str, &str)]) {
    let update = CaseUpdate { path_facts: vec![path(facts)], ..nothing_found("1", at(2)) };
    ledger.record_case(&update).expect("recorded");
}

#[test]
fn the_look_that_closes_a_path_notes_its_facts_and_what_was_noted_first_stands() {
    let mut ledger = ledger();
    let closing = CaseUpdate { close_paths: vec![path(&[])], ..nothing_found("1", at(1)) };
    ledger
        .record_case(&CaseUpdate { path_facts: vec![path(&[("ticket.tags", "a")])], ..closing.clone() })
        .expect("recorded");
    noted(&mut ledger, &[("ticket.tags", "b"), ("ticket.status", "c")]);
    assert_eq!(known(&ledger), [path(&[("ticket.tags", "a"), ("ticket.status", "c")])]);
    ledger.record_case(&closing).expect("given back again");
    assert_eq!(known(&ledger), [path(&[])], "one row, and nothing of the last time");
}

#[test]
fn what_a_look_saw_change_takes_the_place_of_what_was_noted_and_stays() {
    let mut ledger = ledger();
    let closing = CaseUpdate { close_paths: vec![path(&[])], ..nothing_found("1", at(1)) };
    ledger.record_case(&closing).expect("recorded");
    for fact in ["a", CHANGED, "b"] {
        noted(&mut ledger, &[("ticket.subject", fact)]);
    }
    assert_eq!(known(&ledger), [path(&[("ticket.subject", CHANGED)])]);
}

#[test]
fn a_no_to_rules_that_disagree_closes_the_path_of_each() {
    let mut ledger = ledger();
    let wanted = ["billing", "engineering", "engineering"].map(|to| ("rule".into(), to.into()));
    let risks = vec![Risk::Disagreement(wanted.into())];
    decide(&mut ledger, NewHandoff { risks, ..in_review("h1", "1") }, at(0));
    ledger.reject(&answer("h1", Vec::new(), at(1))).expect("rejected");
    let mut to: Vec<_> = known(&ledger).into_iter().map(|path| (path.to.to_string(), path.why)).collect();
    to.sort_by(|one, other| one.0.cmp(&other.0));
    let closed = ["billing", "engineering"].map(|to| (to.to_owned(), ClosedBy::Rejection));
    assert_eq!(to, closed);
}

#[test]
fn facts_of_a_path_that_is_not_closed_are_not_noted_and_those_that_cannot_be_read_are_noted_anew() {
    let mut ledger = ledger();
    noted(&mut ledger, &[("ticket.tags", "a")]);
    assert!(known(&ledger).is_empty());
    decide(&mut ledger, in_review("h1", "1"), at(0));
    ledger.reject(&answer("h1", Vec::new(), at(1))).expect("rejected");
    noted(&mut ledger, &[("ticket.tags", "a")]);
    assert_eq!(known(&ledger)[0].facts.len(), 1);
    ledger.garble("UPDATE closed_paths SET facts = 'no json'").expect("garbled");
    assert_eq!(known(&ledger)[0].facts, BTreeMap::new());
    noted(&mut ledger, &[("ticket.tags", "b")]);
    assert_eq!(known(&ledger)[0].facts["ticket.tags"], "b");
}

#[test]
fn a_review_that_ended_as_stale_has_not_fired_though_its_note_was_written() {
    let mut ledger = ledger();
    decide(&mut ledger, in_review("h1", "1"), at(0));
    let note = planned("h1", "1", "v2").remove(0);
    ledger.end_stale_review("h1", "the owner changed", Some(note), at(5)).expect("ended");
    let note = claim(&mut ledger, at(6)).expect("the note");
    ledger.record_outcome(&accepted(&note, "v3", at(7))).expect("recorded");
    let memory = ledger.case(&"acme".into(), &"1".into(), at(8)).expect("case").memory;
    assert_eq!((memory.fired.len(), memory.handoffs, memory.hops_today), (0, 0, 0));
}

#[test]
fn a_handoff_that_was_undone_took_the_case_out_of_its_stay_whoever_saw_it() {
    let mut ledger = ledger();
    let frontline = stay("frontline", "e1", at(0), None);
    ledger.record_case(&CaseUpdate { stays: vec![frontline], ..nothing_found("1", at(0)) }).expect("recorded");
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let taken =
        |ledger: &crate::ledger::Ledger| ledger.case(&"acme".into(), &"1".into(), at(3)).expect("case").taken_away;
    let transfer = claim(&mut ledger, at(1)).expect("transfer");
    ledger.record_outcome(&accepted(&transfer, "v2", at(2))).expect("recorded");
    assert!(!taken(&ledger), "it has not ended");
    ledger.record_undo("h1", &[], &act(at(3))).expect("undone");
    assert!(taken(&ledger));
    let again = stay("frontline", "e3", at(4), None);
    ledger.record_case(&CaseUpdate { stays: vec![again], ..nothing_found("1", at(4)) }).expect("recorded");
    assert!(!taken(&ledger), "that was the stay before");
}

#[test]
fn while_a_case_is_being_put_back_writes_are_pending_and_the_last_one_brings_a_look() {
    let mut ledger = ledger();
    let mut handoff = sending("h1", "1", "v1");
    handoff.effects.truncate(1);
    decide(&mut ledger, handoff, at(0));
    let transfer = claim(&mut ledger, at(1)).expect("transfer");
    ledger.record_outcome(&accepted(&transfer, "v2", at(2))).expect("recorded");
    let pending =
        |ledger: &crate::ledger::Ledger| ledger.case(&"acme".into(), &"1".into(), at(3)).expect("case").writes_pending;
    assert!(!pending(&ledger));
    let mut back = planned("h1", "1", "v2");
    for (effect, number) in back.iter_mut().zip([50, 51]) {
        effect.number = number;
    }
    ledger.record_undo("h1", &back, &act(at(3))).expect("undone");
    let first = claim(&mut ledger, at(4)).expect("the first half");
    assert_eq!((first.effect.purpose, pending(&ledger)), (Purpose::Apart, true));
    ledger.record_outcome(&accepted(&first, "v3", at(5))).expect("recorded");
    assert!(looks_due(&ledger, at(6)).is_empty() && pending(&ledger));
    let second = claim(&mut ledger, at(6)).expect("the second half");
    ledger.record_outcome(&accepted(&second, "v4", at(7))).expect("recorded");
    assert_eq!((looks_due(&ledger, at(7)).len(), pending(&ledger)), (1, false));
}
