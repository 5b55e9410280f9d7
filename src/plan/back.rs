//! The receiving team gives a case back: as done (a handoff of its own, back to the giving team), or as rejected (the
//! case goes back where the handoff took it from, with the reason). Pure.

use super::PlannedEffect;
use super::note::spoken;
use super::restore::Restore;
use crate::policy::proposal::{AskedFor, ClockPlan, CustomerPlan, HandoffKind, OwnerPlan, Proposal};
use crate::policy::rules::Mode;
use crate::policy::teams::Team;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::{OwnerSpec, StatusSpec};
use handoffd_kit::model::TicketHead;
use jiff::Timestamp;

/// A rejection's effects count from here: behind a handoff's own, an undo's and those of asking.
pub(super) const FIRST: u32 = 70;

/// The handoff back to the giving team, whose present stay is `episode`. Its owner is whoever had the case there.
pub fn back(came: &Proposal, to: &Team, episode: &str, asked: AskedFor, head: &TicketHead, now: Timestamp) -> Proposal {
    let owner = head.owner.known().and_then(|owner| owner.as_ref());
    let (set, shown) = previous_owner(came, &to.name);
    Proposal {
        kind: HandoffKind::Back,
        mode: Mode::Live,
        episode: episode.to_owned(),
        from: Some(came.to.clone()),
        from_queue: head.queue.known().cloned().flatten(),
        to: to.name.clone(),
        to_queue: to.queue.clone(),
        trigger: None,
        reason: asked.reason.clone(),
        needs: None,
        also: Vec::new(),
        instead_of: None,
        weak_triage_within: None,
        asked: Some(asked),
        facts: Vec::new(),
        facts_hash: String::new(),
        package: None,
        owner: OwnerPlan {
            set,
            previous: owner.map(|person| person.name.clone().unwrap_or_else(|| person.id.to_string())),
            previous_id: owner.map(|person| person.id.clone()),
            ..OwnerPlan::queue(shown)
        },
        clock: ClockPlan::runs_on(),
        customer: CustomerPlan::Nothing { because: "the case goes back to those who know them".into() },
        chained: None,
        opened_at: head.created_at.known().copied(),
        decided_at: now,
        deadline: now,
        ..came.clone()
    }
}

fn previous_owner(came: &Proposal, to: &crate::policy::names::TeamName) -> (OwnerSpec, String) {
    match &came.owner.previous_id {
        Some(id) => {
            let name = came.owner.previous.clone().unwrap_or_else(|| id.to_string());
            (OwnerSpec::User(id.clone()), format!("{name}, who had it before"))
        }
        None => (OwnerSpec::Nobody, format!("{to}, nobody yet")),
    }
}

/// The receiving team says no.
pub struct Rejection<'a> {
    /// Who.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The status that the handoff stopped the customer's clock with, if it did.
    pub paused: Option<&'a StatusSpec>,
    /// The effects are due at once.
    pub now: Timestamp,
}

/// The effects of a rejection by the receiving team: queue and owner as they were, and a note with the reason.
pub fn rejected(
    proposal: &Proposal,
    id: &str,
    rejection: &Rejection<'_>,
    capabilities: &Capabilities,
    head: &TicketHead,
) -> Vec<PlannedEffect> {
    let Rejection { by, reason, paused, now } = *rejection;
    let from = proposal.from.as_ref().map_or("where it came from", |team| team.as_str());
    let (by, reason) = (spoken(by), spoken(reason));
    let text = format!(
        "Rejected: {} → {from}\nWhy: {reason} ({by}, /reject)\nQueue and owner are as before. Rule {} does not hand this \
         case to {} again unless what it matched changes.",
        proposal.to, proposal.rule, proposal.to
    );
    Restore { proposal, id, capabilities, head, first: FIRST, label: "rejection", paused, now }.effects(&text)
}
