//! A person's yes, by the command line or inside the helpdesk: whether deciding again comes to the same. Pure.

use super::requests::why_not;
use crate::ledger::records::HandoffRecord;
use crate::policy::proposal::{CustomerPlan, Proposal};
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

/// Whether deciding again comes to the same.
pub fn compare(handoff: &HandoffRecord, now: Option<&Verdict>, policy: &Policy) -> Still {
    let ours = &handoff.proposal;
    let same = |fresh: &Proposal| {
        (&fresh.rule, &fresh.to, &fresh.facts_hash, &fresh.episode)
            == (&ours.rule, &ours.to, &ours.facts_hash, &ours.episode)
    };
    if let Some(why) = rule_changed(ours, policy) {
        return Still::Stale(why);
    }
    match now.map(|verdict| &verdict.outcome) {
        Some(Outcome::Stay(StayReason::Paused)) => Still::Waits("it is paused".into()),
        Some(Outcome::Stay(StayReason::HeldBack)) => Still::Waits(why_held(ours, now)),
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

/// A yes is to a handoff as it was shown, with all of its answers: to another one nobody has said yes.
pub fn amended(asked: &Proposal, fresh: &Proposal) -> Option<String> {
    let other_rule = (asked.rule == fresh.rule && asked.rule_version != fresh.rule_version).then(|| changed(asked));
    other_rule.or_else(|| wording_changed(asked, fresh))
}

fn rule_changed(asked: &Proposal, policy: &Policy) -> Option<String> {
    match policy.rule(&asked.rule) {
        None => Some(format!("rule {} is not in the policy any more", asked.rule)),
        Some(rule) => (rule.version != asked.rule_version).then(|| changed(asked)),
    }
}

fn changed(asked: &Proposal) -> String {
    format!("rule {} was changed after this was asked", asked.rule)
}

/// The wording is signed on its own, and no part of the rule's version.
fn wording_changed(asked: &Proposal, fresh: &Proposal) -> Option<String> {
    match (&asked.customer, &fresh.customer) {
        (CustomerPlan::Tell { wording_hash: then, .. }, CustomerPlan::Tell { wording_hash: now, message, .. }) => {
            (then != now).then(|| format!("the wording of message {message} was changed after this was asked"))
        }
        _ => None,
    }
}

fn why_held(asked: &Proposal, now: Option<&Verdict>) -> String {
    let mut traces = now.into_iter().flat_map(|verdict| &verdict.trace);
    let ours = traces.find(|trace| trace.rule == asked.rule && trace.to == asked.to);
    ours.map_or_else(|| "it is held back, see `handoffd explain`".to_owned(), |trace| why_not(trace, &trace.result))
}
