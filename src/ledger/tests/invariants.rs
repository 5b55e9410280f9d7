//! Whatever is done, in whatever order, some things hold: one open handoff per case, effects in order and one at a time,
//! nothing sent for what has ended, no refusal other than in words, no look lost.

use crate::ledger::error::LedgerError;
use crate::ledger::records::{Busy, CaseUpdate, ClaimedEffect, EffectWork, NewHandoff, Purpose, Switch};
use crate::ledger::samples::{
    accepted, act, answer, at, decide, in_review, ledger, look, looks_due, nothing_found, outcome, planned, proposal,
    sending,
};
use crate::ledger::states::{EffectEvent, HandoffState};
use crate::ledger::{HandoffFilter, Ledger};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
enum Op {
    Look(u8),
    FinishLook(u8),
    Decide { ticket: u8, rule: u8, asks: bool, replaces: bool },
    Claim,
    Answer(u8),
    Approve,
    Reject,
    Undo,
    RetryParked,
    DropParked,
    Pause(bool),
    Crash,
    Later(u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0..3u8).prop_map(Op::Look),
        2 => (0..3u8).prop_map(Op::FinishLook),
        5 => (0..3u8, 0..2u8, any::<bool>(), any::<bool>())
            .prop_map(|(ticket, rule, asks, replaces)| Op::Decide { ticket, rule, asks, replaces }),
        6 => Just(Op::Claim),
        8 => any::<u8>().prop_map(Op::Answer),
        2 => Just(Op::Approve),
        1 => Just(Op::Reject),
        1 => Just(Op::Undo),
        2 => Just(Op::RetryParked),
        1 => Just(Op::DropParked),
        1 => any::<bool>().prop_map(Op::Pause),
        1 => Just(Op::Crash),
        3 => (1..120u8).prop_map(Op::Later),
    ]
}

/// The ledger with what a pipeline keeps in memory.
struct World {
    ledger: Ledger,
    now: i64,
    number: u32,
    in_work: Vec<ClaimedEffect>,
    looks: BTreeSet<String>,
}

impl World {
    fn busy(&self) -> Busy {
        let case = |claimed: &ClaimedEffect| (claimed.effect.desk.clone(), claimed.effect.write.ticket.clone());
        Busy {
            cases: self.in_work.iter().map(case).collect(),
            effects: self.in_work.iter().map(|claimed| claimed.effect.id).collect(),
            desks: Vec::new(),
            only: None,
            tried: Vec::new(),
            shadow: false,
        }
    }

    fn handoffs(&self) -> Vec<crate::ledger::records::HandoffRecord> {
        let all = HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() };
        self.ledger.handoffs(&all).expect("readable")
    }

    fn act(&mut self, op: &Op) -> Result<(), LedgerError> {
        let now = at(self.now);
        match op {
            Op::Look(ticket) => {
                self.looks.insert(ticket.to_string());
                self.ledger.note_looks(&"acme".into(), &[look(&ticket.to_string(), now)])
            }
            Op::FinishLook(ticket) => {
                let taken = looks_due(&self.ledger, now);
                let Some(taken) = taken.into_iter().find(|look| look.ticket.as_str() == ticket.to_string()) else {
                    return Ok(());
                };
                self.looks.remove(taken.ticket.as_str());
                let generation = Some(taken.generation);
                let update = CaseUpdate { generation, ..nothing_found(taken.ticket.as_str(), now) };
                self.ledger.record_case(&update).map(|_| ())
            }
            Op::Decide { ticket, rule, asks, replaces } => {
                self.decide(&ticket.to_string(), *rule, *asks, *replaces);
                Ok(())
            }
            Op::Claim => {
                self.in_work.extend(self.ledger.claim_due_effect(now, &self.busy())?);
                Ok(())
            }
            Op::Answer(how) => self.answer(*how),
            Op::Approve => {
                self.review(|ledger, id, ticket, now| ledger.approve(&answer(id, planned(id, ticket, "v5"), now)))
            }
            Op::Reject => self.review(|ledger, id, _, now| ledger.reject(&answer(id, Vec::new(), now))),
            Op::Undo => self.undo(),
            Op::RetryParked => match self.ledger.parked()?.first() {
                Some(effect) => self.ledger.retry_effect(effect.id, &act(now)).map(|_| ()),
                None => Ok(()),
            },
            Op::DropParked => match self.ledger.parked()?.first() {
                Some(effect) => self.ledger.drop_effect(effect.id, &act(now)).map(|_| ()),
                None => Ok(()),
            },
            Op::Pause(on) => self.ledger.set_switch(&Switch::All, *on, &act(now)),
            Op::Crash => {
                self.in_work.clear();
                self.ledger.recover(now).map(|_| ())
            }
            Op::Later(seconds) => {
                self.now += i64::from(*seconds);
                Ok(())
            }
        }
    }

    fn decide(&mut self, ticket: &str, rule: u8, asks: bool, replaces: bool) {
        let record = self.ledger.case(&"acme".into(), &ticket.into(), at(self.now)).expect("case");
        self.number += 1;
        let open = record.memory.open.map(|open| open.id);
        let id = if replaces { None } else { open.clone() }.unwrap_or_else(|| format!("h{}", self.number));
        let handoff = if asks { in_review(&id, ticket) } else { sending(&id, ticket, &format!("v{}", self.number)) };
        let proposal = proposal(ticket, &format!("rule{rule}"), "e1", "facts");
        decide(&mut self.ledger, NewHandoff { proposal, replaces: open.filter(|_| replaces), ..handoff }, at(self.now));
    }

    fn answer(&mut self, how: u8) -> Result<(), LedgerError> {
        use EffectEvent as E;
        if self.in_work.is_empty() {
            return Ok(());
        }
        let claimed = self.in_work.remove(usize::from(how) % self.in_work.len());
        let (now, later) = (at(self.now), at(self.now + 5));
        let event = match (claimed.work, how % 7) {
            (EffectWork::Send, 0..=2) => return self.ledger.record_outcome(&accepted(&claimed, "v9", now)),
            (EffectWork::Send, 3) => E::TryAgain(later),
            (EffectWork::Send, 4 | 5) => E::Lost(later),
            (EffectWork::LookUp, 0 | 1) => E::Found,
            (EffectWork::LookUp, 2) => E::LookupFailed(later),
            (EffectWork::LookUp, 3..=5) => match claimed.effect.state {
                crate::ledger::states::EffectState::Unsure { missed: 0, .. } => E::NotSeen(later),
                _ => E::Absent(later),
            },
            _ => E::Park,
        };
        self.ledger.record_outcome(&outcome(claimed.effect.id, event, now))
    }

    fn review(
        &mut self,
        decide: impl Fn(&mut Ledger, &str, &str, jiff::Timestamp) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let Some(review) = self.ledger.reviews()?.pop() else { return Ok(()) };
        decide(&mut self.ledger, &review.id, review.proposal.ticket.as_str(), at(self.now))
    }

    fn undo(&mut self) -> Result<(), LedgerError> {
        let Some(handoff) = self.handoffs().into_iter().find(|handoff| handoff.sent_at.is_some()) else {
            return Ok(());
        };
        let mut back = planned(&handoff.id, handoff.proposal.ticket.as_str(), "v9");
        back.truncate(1);
        back[0].number = 50;
        self.ledger.record_undo(&handoff.id, &back, &act(at(self.now)))
    }

    fn check(&self) {
        assert_eq!(self.ledger.inspect_rows(), Ok(Vec::new()), "what `ledger check` asks for");
        let handoffs = self.handoffs();
        let mut open = BTreeSet::new();
        let mut under_way = BTreeSet::new();
        for handoff in &handoffs {
            let case = handoff.proposal.ticket.clone();
            assert!(!handoff.state.is_open() || open.insert(case.clone()), "two open handoffs of {case}");
            let regular: Vec<_> = handoff.effects.iter().filter(|effect| effect.purpose == Purpose::Handoff).collect();
            for (at, effect) in regular.iter().enumerate() {
                let name = effect.state.name();
                let begun = matches!(name, "in_flight" | "unsure" | "done");
                assert!(!begun || regular[..at].iter().all(|before| before.state.name() == "done"), "out of order");
                assert!(name != "in_flight" || under_way.insert(case.clone()), "two calls for {case} at once");
                let waits = matches!(name, "due" | "parked");
                assert!(!waits || !handoff.state.has_ended(), "{name} though {:?}", handoff.state);
            }
            let all_done = regular.iter().all(|effect| effect.state.is_over());
            assert!(handoff.state != HandoffState::Sending || !all_done, "sent, and nobody noticed");
        }
        let noted: BTreeSet<String> =
            looks_due(&self.ledger, at(self.now + 900)).into_iter().map(|look| look.ticket.to_string()).collect();
        assert!(self.looks.is_subset(&noted), "a look was lost: {:?} of {noted:?}", self.looks);
        for claimed in self.in_work.iter().filter(|claimed| claimed.work == EffectWork::Send) {
            assert_eq!(self.ledger.effect(claimed.effect.id).expect("there").state.name(), "in_flight");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_in_whatever_order(ops in proptest::collection::vec(op(), 1..80)) {
        let mut world =
            World { ledger: ledger(), now: 0, number: 0, in_work: Vec::new(), looks: BTreeSet::new() };
        for op in &ops {
            match world.act(op) {
                Ok(()) | Err(LedgerError::WrongState(_)) => {}
                Err(error) => prop_assert!(false, "{op:?}: {error}"),
            }
            world.check();
        }
    }
}
