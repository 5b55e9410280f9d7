//! A person's yes, by the command line or inside the helpdesk: whether deciding again comes to the same. Pure.

use crate::ledger::records::HandoffRecord;
use crate::policy::proposal::Proposal;
use crate::policy::verdict::{Outcome, StayReason};

/// What became of what a review is about.
#[derive(Debug)]
pub enum Still {
    /// As it was: this would be done now.
    Same(Box<Proposal>),
    /// Not now, but later perhaps: the review stays.
    Waits(&'static str),
    /// No more.
    Stale(String),
}

/// Whether deciding again comes to the same.
pub fn compare(handoff: &HandoffRecord, now: Option<&Outcome>) -> Still {
    let ours = &handoff.proposal;
    let same = |fresh: &Proposal| {
        (&fresh.rule, &fresh.to, &fresh.facts_hash, &fresh.episode)
            == (&ours.rule, &ours.to, &ours.facts_hash, &ours.episode)
    };
    match now {
        Some(Outcome::Stay(StayReason::Paused)) => Still::Waits("it is paused"),
        Some(Outcome::Stay(StayReason::HeldBack)) => Still::Waits("it is held back, see `handoffd explain`"),
        Some(
            Outcome::AskPerson { proposed: fresh, .. }
            | Outcome::AskForParts { proposed: fresh, .. }
            | Outcome::Route(fresh)
            | Outcome::Escalate(fresh),
        ) => match (same(fresh), fresh.rule == ours.rule && fresh.to == ours.to) {
            (true, _) => Still::Same(fresh.clone()),
            (false, true) => Still::Stale("a fact that the rule matched has changed".into()),
            (false, false) => Still::Stale(format!("rule {} would hand it to {} now", fresh.rule, fresh.to)),
        },
        Some(Outcome::Stay(reason)) => Still::Stale(format!("the case stays now ({})", reason.shown())),
        None => Still::Stale("the case was not decided again".into()),
    }
}
