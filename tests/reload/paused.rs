//! A kill switch while writes wait for their turn at the desk: what has not left two seconds later does not leave before the
//! switch is off, and then it does, once.

use crate::stage::{BOTH, Dialect, Stage, policy};
use handoffd::daemon::control::Command;
use handoffd::ledger::records::Switch;
use handoffd::ledger::states::EffectState;
use handoffd_kit::clock::Clock;
use handoffd_sandbox::faults::{Fault, FaultPlan, On};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::Kind;
use jiff::{SignedDuration, Timestamp};

const MANY: usize = 40;

/// A house with a second rule, and a desk that lets writes wait: Zendesk by its limits, Request Tracker by answering slowly.
fn busy(dialect: Dialect) -> Stage {
    let stage = Stage::new(dialect);
    let text = policy(dialect);
    let rule = text.find("[[escalate]]").map(|at| text[at..].replace("\"refund\"", "\"invoice\"")).expect("a rule");
    stage.write("handoffd.toml", format!("{text}\n{rule}"));
    stage.reload().expect("taken in");
    if dialect == Dialect::Tracker {
        let slow = Fault::Slow(SignedDuration::from_secs(20));
        stage.sandbox.set_faults(FaultPlan::default().rate(On::Writes, slow, 1.0));
    }
    stage
}

/// So many tickets, and time until some of their writes have left and more wait for their turn.
fn crowd(stage: &mut Stage, subject: impl Fn(usize) -> &'static str) -> Vec<TicketNo> {
    let tickets: Vec<TicketNo> = (0..MANY).map(|n| stage.ticket(subject(n))).collect();
    for _ in 0..600 {
        stage.seconds(1);
        if waiting(stage) >= 8 && writes(stage).len() >= 4 {
            return tickets;
        }
    }
    panic!("{} wait, {} have left", waiting(stage), writes(stage).len());
}

/// How many writes stand in the desk's gate; nothing else does when all looks are done.
fn waiting(stage: &Stage) -> usize {
    let flying = |handoff: &handoffd::ledger::records::HandoffRecord| {
        handoff.effects.iter().any(|effect| matches!(effect.state, EffectState::InFlight { .. }))
    };
    stage.handoffs().iter().filter(|handoff| flying(handoff)).count()
}

/// When each write left.
fn writes(stage: &Stage) -> Vec<(Timestamp, Option<TicketNo>)> {
    let requests = stage.sandbox.journal().requests;
    requests.into_iter().filter(|asked| asked.kind == Kind::Write).map(|asked| (asked.at, asked.ticket)).collect()
}

fn switch(stage: &Stage, switch: &Switch, on: bool) {
    stage.order(Command::Switch { switch: switch.clone(), on }).expect("switched");
}

fn handed_off(stage: &Stage, tickets: &[TicketNo]) -> usize {
    tickets.iter().filter(|no| stage.queue(**no) == "Billing").count()
}

#[test]
fn nothing_leaves_later_than_two_seconds_after_a_pause_and_all_of_it_once_when_it_is_over() {
    for dialect in BOTH {
        for stop in [Switch::All, Switch::Desk("acme".into()), Switch::Rule("refund".into())] {
            let mut stage = busy(dialect);
            let tickets = crowd(&mut stage, |_| "A refund");
            let at = stage.clock.now();
            switch(&stage, &stop, true);
            stage.seconds(300);
            let before = writes(&stage);
            // It outlives the process.
            let mut stage = stage.restart(None);
            stage.seconds(600);
            let after = writes(&stage);
            let late: Vec<_> = after.iter().filter(|(left, _)| *left > at + SignedDuration::from_secs(2)).collect();
            assert!(late.is_empty(), "{dialect:?}, {stop:?}: paused at {at}, and then: {late:?}");
            assert_eq!(before.len(), after.len(), "{dialect:?}, {stop:?}");
            let done = handed_off(&stage, &tickets);
            assert!(done < MANY - 8, "{dialect:?}, {stop:?}: in the middle of them, not after {done}");

            // What was held back was not tried, has not failed, and is not looked for.
            let mut held = 0;
            for effect in stage.handoffs().iter().flat_map(|handoff| &handoff.effects) {
                match effect.state {
                    EffectState::Done => {}
                    EffectState::Due { attempt: 0, .. } => {
                        assert_eq!((effect.lost_at, effect.write.first_tried), (None, None), "{dialect:?}, {stop:?}");
                        held += usize::from(effect.reason.as_deref().is_some_and(|why| why.contains("paused")));
                    }
                    ref other => panic!("{dialect:?}, {stop:?}: {other:?}"),
                }
            }
            assert!(held >= 6, "{dialect:?}, {stop:?}: {held} were given up in the gate");

            switch(&stage, &stop, false);
            stage.seconds(3_600);
            assert_eq!(handed_off(&stage, &tickets), MANY, "{dialect:?}, {stop:?}");
            for no in &tickets {
                assert_eq!(stage.marks(*no).len(), 1, "{dialect:?}, {stop:?}: once, {no}");
            }
            assert_eq!(stage.handoffs().len(), MANY, "{dialect:?}, {stop:?}");
            assert_eq!(stage.reasons(), "[]", "{dialect:?}, {stop:?}");
        }
    }
}

#[test]
fn a_paused_rule_keeps_nobody_else_from_leaving() {
    for dialect in BOTH {
        let mut stage = busy(dialect);
        let tickets = crowd(&mut stage, |n| if n % 2 == 0 { "A refund" } else { "An invoice" });
        let (refunds, invoices): (Vec<TicketNo>, Vec<TicketNo>) =
            (tickets.iter().copied().step_by(2).collect(), tickets.iter().copied().skip(1).step_by(2).collect());
        let at = stage.clock.now();
        let stop = Switch::Rule("refund".into());
        switch(&stage, &stop, true);
        stage.seconds(3_600);
        assert_eq!(handed_off(&stage, &invoices), MANY / 2, "{dialect:?}");
        let of_refunds = |left: &(Timestamp, Option<TicketNo>)| left.1.is_some_and(|no| refunds.contains(&no));
        let late = writes(&stage).into_iter().filter(of_refunds);
        assert_eq!(late.filter(|(left, _)| *left > at + SignedDuration::from_secs(2)).count(), 0, "{dialect:?}");
        assert!(handed_off(&stage, &refunds) < MANY / 2, "{dialect:?}");
        switch(&stage, &stop, false);
        stage.seconds(3_600);
        assert_eq!(handed_off(&stage, &refunds), MANY / 2, "{dialect:?}");
        assert!(tickets.iter().all(|no| stage.marks(*no).len() == 1), "{dialect:?}");
    }
}

#[test]
fn a_pause_that_ends_before_two_seconds_have_passed_loses_and_doubles_nothing() {
    for dialect in BOTH {
        let mut stage = busy(dialect);
        let tickets = crowd(&mut stage, |_| "A refund");
        for _ in 0..5 {
            switch(&stage, &Switch::All, true);
            switch(&stage, &Switch::All, false);
            stage.seconds(1);
            switch(&stage, &Switch::All, true);
            stage.seconds(1);
            switch(&stage, &Switch::All, false);
        }
        stage.seconds(3_600);
        assert_eq!(handed_off(&stage, &tickets), MANY, "{dialect:?}");
        assert!(tickets.iter().all(|no| stage.marks(*no).len() == 1), "{dialect:?}");
    }
}

#[test]
fn what_waits_for_its_turn_does_not_leave_after_a_reload_to_shadow() {
    for dialect in BOTH {
        let mut stage = busy(dialect);
        let tickets = crowd(&mut stage, |_| "A refund");
        let at = stage.clock.now();
        stage.edit("mode = \"live\"\n\n[policy]", "mode = \"shadow\"\n\n[policy]");
        stage.reload().expect("taken in");
        stage.seconds(900);
        let late = writes(&stage).into_iter().filter(|(left, _)| *left > at + SignedDuration::from_secs(2)).count();
        assert_eq!(late, 0, "{dialect:?}");
        assert!(handed_off(&stage, &tickets) < MANY, "{dialect:?}");
    }
}
