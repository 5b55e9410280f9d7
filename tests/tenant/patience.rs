//! No storm: while something is refused or unanswered, the desk is asked now and then, whatever waits for it, and one ticket
//! that makes trouble is not asked about for ever.

use crate::desk::Question;
use crate::desk::faults::{Does, Fault};
use crate::outage::{
    TEN_MINUTES, TICKETS, asked, at_rest, change, fault, others_are_fine, reason, recovered, refunds, tried_writes,
};
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::sync::Mutex;

#[test]
fn a_vendor_that_falls_silent_in_the_middle_of_the_writes_loses_and_doubles_nothing() {
    let (mut world, parts) = at_rest();
    // Some writes are done before their answers are lost, the others never arrive.
    let first = refunds(&parts)[0];
    let on = move |question: &Question| question.way.writes() && question.way.ticket() == Some(first);
    world.with(|tenant| tenant.faults.push(Fault::once(Does::CutAfter, on)));
    // So is every look-up.
    let tried = Mutex::new(BTreeSet::new());
    fault(&world, Does::Cut, move |question| {
        let mut tried = tried.lock().expect("no test panics here");
        question.way.writes() && tried.insert(question.way.ticket())
            || question.way.endpoint() == "audits" && tried.contains(&question.way.ticket())
    });
    let before = asked(&world);
    change(&mut world, &parts);
    world.pass(TEN_MINUTES);
    let calls = asked(&world) - before;
    assert!(calls <= TICKETS + 200, "{calls} calls, {TICKETS} of them first reads");
    recovered(&mut world, &parts);
}

#[test]
fn a_refused_login_stops_everything_says_so_and_heals() {
    let (mut world, parts) = at_rest();
    fault(&world, Does::unauthorized(), |_| true);
    let before = asked(&world);
    change(&mut world, &parts);
    world.pass(TEN_MINUTES);
    let calls = asked(&world) - before;
    assert_eq!(reason(&world, "Couldn't authenticate you"), "failing");
    // What was in work asks once more, for a token; then one look, one poll and one check of the login now and then.
    assert!(calls <= 150, "{calls} calls in ten minutes with a login that is refused");
    recovered(&mut world, &parts);
}

#[test]
fn a_missing_right_to_read_says_so_and_heals() {
    let (mut world, parts) = at_rest();
    fault(&world, Does::forbidden(), |question| !question.way.writes() && question.way.endpoint() != "token");
    let before = asked(&world);
    change(&mut world, &parts);
    world.pass(TEN_MINUTES);
    let calls = asked(&world) - before;
    assert_eq!(reason(&world, "You do not have access"), "failing");
    assert!(calls <= 200, "{calls} calls in ten minutes without the right to read");
    assert_eq!(tried_writes(&world), 0);
    recovered(&mut world, &parts);
}

#[test]
fn one_ticket_that_may_not_be_read_holds_nobody_up_and_is_not_asked_for_ever() {
    for does in [Does::forbidden(), Does::Garble, Does::broken(), Does::not_found()] {
        let (mut world, parts) = at_rest();
        let id = refunds(&parts)[5];
        fault(&world, does.clone(), move |question| question.way.ticket() == Some(id));
        change(&mut world, &parts);
        world.pass(SignedDuration::from_hours(1));
        others_are_fine(&world, &parts, &[id]);
        let calls = world.with(|tenant| tenant.journal.asked(id, "ticket"));
        assert!((1..=40).contains(&calls), "{does:?}: {calls} reads of one ticket in an hour");
        if !matches!(does, Does::Say(_)) || calls > 1 {
            recovered(&mut world, &parts);
        }
    }
}
