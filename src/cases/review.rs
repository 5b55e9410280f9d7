//! A person's yes, by the command line or inside the helpdesk: whether deciding again comes to the same. Pure.

use super::requests::why_not;
use crate::ledger::records::HandoffRecord;
use crate::policy::proposal::{ClockPlan, CustomerPlan, OwnerPlan, Proposal};
use crate::policy::rules::Policy;
use crate::policy::verdict::{Outcome, StayReason, Verdict};

/// What became of what a review is about.
#[derive(Debug)]
pub enum Still {
    /// As it was: this would be done now.
    Same(Box<Proposal>),
    /// Not now, but later perhaps: the review stays.
    Waits(String),
    /// No more.
    Stale(String),
}

/// Whether deciding again comes to the same. A review keeps the version of its rule that it began with, as long as the rule is
/// still there and would do the same with this case.
pub fn compare(handoff: &HandoffRecord, now: Option<&Verdict>, policy: &Policy) -> Still {
    let ours = &handoff.proposal;
    let same = |fresh: &Proposal| {
        (&fresh.rule, &fresh.to, &fresh.facts_hash, &fresh.episode)
            == (&ours.rule, &ours.to, &ours.facts_hash, &ours.episode)
    };
    if policy.rule(&ours.rule).is_none() {
        return Still::Stale(format!("rule {} is not in the policy any more", ours.rule));
    }
    match now.map(|verdict| &verdict.outcome) {
        Some(Outcome::Stay(StayReason::Paused)) => Still::Waits("it is paused".into()),
        // The next look would end it for the same reason.
        Some(Outcome::Stay(StayReason::HeldBack)) => Still::Stale(why_held(ours, now)),
        Some(
            Outcome::AskPerson { proposed: fresh, .. }
            | Outcome::AskForParts { proposed: fresh, .. }
            | Outcome::Route(fresh)
            | Outcome::Escalate(fresh),
        ) => match (same(fresh), fresh.rule == ours.rule && fresh.to == ours.to) {
            (true, _) => wording_changed(ours, fresh).map_or_else(|| Still::Same(fresh.clone()), Still::Stale),
            (false, true) => Still::Stale("a fact that the rule matched has changed".into()),
            (false, false) => Still::Stale(format!("rule {} would hand it to {} now", fresh.rule, fresh.to)),
        },
        Some(Outcome::Stay(reason)) => Still::Stale(format!("the case stays now ({})", reason.shown())),
        None => Still::Stale("the case was not decided again".into()),
    }
}

/// What a yes carries out: the handoff as it was shown, with what counts from now. `fresh`: the same as it is decided now.
///
/// Where the rule has become another version since, each answer that it gives otherwise now is the one that was shown, but for
/// silence: nobody is written to whom the present version, or the present case, would not write to.
pub fn as_shown(shown: &Proposal, fresh: Proposal) -> Proposal {
    // Nobody has said yes to another wording.
    let fresh = match wording_changed(shown, &fresh) {
        Some(_) => Proposal { customer: shown.customer.clone(), ..fresh },
        None => fresh,
    };
    if fresh.rule_version == shown.rule_version {
        return fresh.as_reviewed(shown);
    }
    let owner = if same_owner(&shown.owner, &fresh.owner) { fresh.owner } else { shown.owner.clone() };
    let clock = if same_clock(&shown.clock, &fresh.clock) { fresh.clock } else { shown.clock.clone() };
    let customer = match (&shown.customer, &fresh.customer) {
        (CustomerPlan::Tell { .. }, _) => fresh.customer,
        (CustomerPlan::Nothing { .. }, _) => shown.customer.clone(),
    };
    let Proposal { from_queue, to_queue, decided_at, deadline, .. } = fresh;
    Proposal { from_queue, to_queue, decided_at, deadline, owner, clock, customer, ..shown.clone() }
}

/// Whether two versions of a rule answer the same about the owner; whose turn it is, and until when, is another thing.
fn same_owner(shown: &OwnerPlan, fresh: &OwnerPlan) -> bool {
    let claim = |plan: &OwnerPlan| plan.claim.as_ref().map(|claim| (claim.within, claim.chain.clone()));
    let chosen = |plan: &OwnerPlan| plan.turn.is_some() || plan.fallback.is_some();
    let set = shown.set == fresh.set || chosen(shown) && chosen(fresh);
    set && shown.customer_facing == fresh.customer_facing
        && shown.previous_task == fresh.previous_task
        && shown.previous_until.is_some() == fresh.previous_until.is_some()
        && claim(shown) == claim(fresh)
}

/// Whether two versions of a rule answer the same about the clocks, as far as it shows.
fn same_clock(shown: &ClockPlan, fresh: &ClockPlan) -> bool {
    let pause = |plan: &ClockPlan| plan.pause.as_ref().map(|pause| pause.status.clone());
    shown.internal_until.is_some() == fresh.internal_until.is_some()
        && shown.internal_from == fresh.internal_from
        && shown.accountable == fresh.accountable
        && pause(shown) == pause(fresh)
}

/// The wording is signed on its own, and no part of the rule's version: what would be told to the customer now, nobody has
/// said yes to.
pub fn wording_changed(asked: &Proposal, fresh: &Proposal) -> Option<String> {
    match (&asked.customer, &fresh.customer) {
        (
            CustomerPlan::Tell { wording_hash: then, message: told, .. },
            CustomerPlan::Tell { wording_hash: now, message, .. },
        ) => {
            let why = || format!("the wording of message {message} was changed after this was asked");
            ((told, then) != (message, now)).then(why)
        }
        _ => None,
    }
}

fn why_held(asked: &Proposal, now: Option<&Verdict>) -> String {
    let mut traces = now.into_iter().flat_map(|verdict| &verdict.trace);
    let ours = traces.find(|trace| trace.rule == asked.rule && trace.to == asked.to);
    ours.map_or_else(|| "it is held back, see `handoffd explain`".to_owned(), |trace| why_not(trace, &trace.result))
}
