//! A right that is missing for one ticket holds up no other; one that is missing for all stops the desk and parks nothing.
//! Zendesk only: a Request Tracker tells by queue what our account may do, and is asked that.

use crate::stage::{Dialect, Stage, policy};
use handoffd::daemon::control::Command;
use handoffd::ledger::records::{DeskTrouble, Switch};
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::people::Reach;
use handoffd_sandbox::seed::BOT;

/// Tickets about refunds, one of the second line and others of the frontline, that are due at once.
struct Due {
    stage: Stage,
    second_line: TicketNo,
    frontline: Vec<TicketNo>,
}

fn due(reach: &[&str]) -> Due {
    let rule = "[[escalate]]\nname = \"refund\"\nmode = \"live\"\ntrigger = \"exception\"\n\
         from = [\"frontline\", \"second-line\"]\nto = \"billing\"\nwhen = ['has_tag(\"refund\")']\nreason = \"a refund\"\n";
    let mut stage = Stage::with(Dialect::Zendesk, &policy(Dialect::Zendesk, rule));
    switch(&mut stage, true);
    let frontline: Vec<TicketNo> = (0..12).map(|_| stage.opens("Support", &["refund"])).collect();
    let second_line = stage.opens("Tier 2", &["refund"]);
    reaches(&stage, reach);
    Due { stage, second_line, frontline }
}

/// Our account may change tickets of these queues.
fn reaches(stage: &Stage, queues: &[&str]) {
    let us = stage.sandbox.person(BOT).no().expect("our account");
    stage.sandbox.with(|desk| {
        let numbers = queues.iter().filter_map(|name| desk.find_queue(name).map(|queue| queue.no)).collect();
        desk.people.get_mut(&us).expect("our account").rights.changes = Reach::Queues(numbers);
    });
}

fn switch(stage: &mut Stage, on: bool) {
    stage.orders("lead", Command::Switch { switch: Switch::Desk("acme".into()), on }).expect("switched");
}

fn at_billing(due: &Due) -> usize {
    due.frontline.iter().filter(|ticket| due.stage.queue(**ticket) == "Billing").count()
}

fn troubles(due: &Due) -> Vec<DeskTrouble> {
    due.stage.troubles()
}

#[test]
fn a_ticket_that_our_account_may_not_change_holds_up_no_other_and_is_parked() {
    let mut due = due(&["Support", "Billing"]);
    // It is the newest of all, and the first that is due.
    due.stage.does("tier2-1", due.second_line, Update { priority: Some(None), ..Update::default() });
    switch(&mut due.stage, false);
    due.stage.pass(600);
    assert_eq!(at_billing(&due), due.frontline.len(), "{:?}", troubles(&due));
    due.stage.pass(3_600);
    assert_eq!(troubles(&due), [], "the desk takes our writes");
    let parked = due.stage.parked();
    assert_eq!(parked.len(), 1);
    assert!(parked[0].reason.as_ref().is_some_and(|why| why.contains("403")), "{:?}", parked[0].reason);
    assert!(parked[0].next_step.is_some());
}

#[test]
fn a_right_that_is_missing_everywhere_stops_the_desk_until_it_is_back_and_parks_nothing() {
    let mut due = due(&["Billing"]);
    switch(&mut due.stage, false);
    due.stage.pass(4 * 3_600);
    assert_eq!((at_billing(&due), due.stage.parked().len()), (0, 0));
    let [trouble] = troubles(&due).try_into().expect("one trouble");
    assert!(trouble.writes_stopped, "{trouble:?}");
    reaches(&due.stage, &["Support", "Billing", "Tier 2"]);
    due.stage.pass(600);
    assert_eq!((at_billing(&due), due.stage.queue(due.second_line).as_str()), (due.frontline.len(), "Billing"));
    assert_eq!((troubles(&due), due.stage.parked().len()), (vec![], 0));
}
