//! Reload, rollback and pause in the middle of a hundred open handoffs.

use crate::choice;
use crate::stage::{BOTH, Stage};
use futures::executor::block_on;
use handoffd::daemon::control::Command;
use handoffd::ledger::records::{HandoffRecord, Switch};
use handoffd::ledger::states::HandoffState;
use handoffd_sandbox::ids::TicketNo;
use std::collections::{BTreeMap, BTreeSet};

/// Each handoff's version of its rule, of those that a change of policy must leave alone: it has begun to be sent, or a person
/// has been asked.
fn begun(stage: &Stage) -> BTreeMap<String, String> {
    let begun = |handoff: &HandoffRecord| handoff.has_sent() || handoff.state == HandoffState::InReview;
    let handoffs = stage.handoffs().into_iter().filter(begun);
    handoffs.map(|handoff| (handoff.id, handoff.proposal.rule_version)).collect()
}

fn sent(stage: &Stage, tickets: &[TicketNo]) -> usize {
    tickets.iter().filter(|no| !stage.marks(**no).is_empty()).count()
}

/// A second passes, in which another of the hundred tickets may come in: the first forty at once, then one a second.
fn second(stage: &mut Stage, tickets: &mut Vec<TicketNo>) {
    let now = if tickets.is_empty() { 40 } else { 1 };
    for n in tickets.len()..(tickets.len() + now).min(100) {
        tickets.push(stage.ticket(if n.is_multiple_of(5) { "A large refund" } else { "A refund" }));
    }
    stage.seconds(1);
}

/// Runs until so many tickets have a note.
fn run_until(stage: &mut Stage, tickets: &mut Vec<TicketNo>, wanted: usize) {
    for _ in 0..2_000 {
        if sent(stage, tickets) >= wanted {
            return;
        }
        second(stage, tickets);
    }
    panic!("only {} of {wanted} were sent", sent(stage, tickets));
}

#[test]
fn a_hundred_open_handoffs_each_keep_the_version_they_began_with_and_none_is_lost_or_doubled() {
    for dialect in BOTH {
        let mut stage = Stage::new(dialect);
        let first = stage.version();
        let mut tickets = Vec::new();
        run_until(&mut stage, &mut tickets, 20);
        let mut kept = begun(&stage);
        stage.edit("first wording", "second wording");
        stage.reload().expect("taken in");
        assert_ne!(stage.version(), first);
        assert!(sent(&stage, &tickets) < 60, "in the middle of them");

        run_until(&mut stage, &mut tickets, 45);
        kept.extend(begun(&stage));
        stage.order(Command::Switch { switch: Switch::All, on: true }).expect("paused");
        (0..2).for_each(|_| second(&mut stage, &mut tickets));
        let paused = sent(&stage, &tickets);
        (0..240).for_each(|_| second(&mut stage, &mut tickets));
        stage.seconds(120);
        assert_eq!(sent(&stage, &tickets), paused, "nothing is sent while it is paused: {dialect:?}");

        kept.extend(begun(&stage));
        block_on(stage.reloader.reload(choice(&stage, &first), "lead")).expect("rolled back");
        stage.order(Command::Switch { switch: Switch::All, on: false }).expect("resumed");
        stage.seconds(1_200);
        for handoff in stage.handoffs().iter().filter(|handoff| handoff.state == HandoffState::InReview) {
            stage.order(Command::Approve { handoff: handoff.id.clone(), reason: None, to: None }).expect("approved");
        }
        stage.seconds(1_200);

        let handoffs = stage.handoffs();
        let by_ticket: BTreeMap<String, &HandoffRecord> =
            handoffs.iter().map(|handoff| (handoff.proposal.ticket.to_string(), handoff)).collect();
        assert_eq!((handoffs.len(), by_ticket.len()), (100, 100), "{dialect:?}");
        let mut versions = BTreeSet::new();
        for no in &tickets {
            let handoff = by_ticket[&no.to_string()];
            assert_eq!(handoff.state, HandoffState::Settled, "{dialect:?} {no}");
            assert_eq!(stage.queue(*no), "Billing");
            let marks: BTreeSet<(String, u32)> =
                stage.marks(*no).iter().map(|mark| (mark.handoff.to_string(), mark.number)).collect();
            assert_eq!((marks.len(), stage.marks(*no).len()), (1, 1), "{dialect:?} {no}");
            let version = &handoff.proposal.rule_version;
            assert!(stage.marks(*no).iter().all(|mark| mark.version == *version), "{dialect:?} {no}");
            versions.insert(version.clone());
        }
        for (id, version) in kept {
            let handoff = handoffs.iter().find(|handoff| handoff.id == id).expect("none is lost");
            assert_eq!(handoff.proposal.rule_version, version, "{dialect:?} {id}");
        }
        assert_eq!(versions.len(), 2, "each version sent some");
    }
}
