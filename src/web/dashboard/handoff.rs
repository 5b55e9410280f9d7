//! One handoff as pages and `/api/v1` show it: what travels, who owns it, what the clocks do, what the customer is told, why,
//! and how far it got.

use crate::ledger::records::{EffectRecord, HandoffRecord};
use crate::ledger::states::EffectState;
use crate::policy::due::Due;
use crate::policy::offer::offers;
use crate::policy::package::name_of;
use crate::policy::proposal::{CustomerPlan, Proposal};
use crate::policy::verdict::Risk;
use jiff::Timestamp;
use serde::Serialize;

/// One handoff in a list.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Brief {
    pub id: String,
    pub state: &'static str,
    pub desk: String,
    pub ticket: String,
    pub from: String,
    pub to: String,
    pub rule: String,
    pub version: String,
    pub reason: String,
    pub created_at: Timestamp,
    pub deadline: Timestamp,
    pub completeness: Option<f64>,
    /// Why a person is asked.
    pub risks: Vec<String>,
    /// The teams that a yes may name, the first one first.
    pub offers: Vec<String>,
    /// Until when they should answer.
    pub answer_until: Option<Timestamp>,
    /// What no answer by then means, in words.
    pub unanswered: Option<&'static str>,
}

impl Brief {
    /// The line of a handoff.
    pub fn of(handoff: &HandoffRecord) -> Self {
        let proposal = &handoff.proposal;
        Self {
            id: handoff.id.clone(),
            state: handoff.state.name(),
            desk: proposal.desk.to_string(),
            ticket: proposal.ticket.to_string(),
            from: proposal.from.as_ref().map_or("intake".to_owned(), ToString::to_string),
            to: proposal.to.to_string(),
            rule: proposal.rule.to_string(),
            version: proposal.rule_version.clone(),
            reason: proposal.reason.clone(),
            created_at: handoff.created_at,
            deadline: proposal.deadline,
            completeness: handoff.completeness,
            risks: handoff.risks.iter().map(Risk::shown).collect(),
            offers: offers(proposal, &handoff.risks).iter().map(|offer| offer.to.to_string()).collect(),
            answer_until: proposal.review.as_ref().map(|plan| plan.until.at),
            unanswered: proposal.review.as_ref().map(|plan| plan.unanswered.shown()),
        }
    }
}

/// One part of the package.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Part {
    pub name: &'static str,
    pub lines: Vec<String>,
    pub source: String,
}

/// A word and what is said about it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub name: String,
    pub value: String,
}

/// One effect.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Effect {
    pub handoff: String,
    pub number: u32,
    pub label: String,
    pub state: &'static str,
    pub parked: bool,
    pub receipt: Option<String>,
    pub reason: Option<String>,
    pub next_step: Option<String>,
    pub first_tried: Option<Timestamp>,
}

impl Effect {
    /// An effect as stored.
    pub fn of(effect: &EffectRecord) -> Self {
        Self {
            handoff: effect.handoff.clone(),
            number: effect.number,
            label: effect.label.clone(),
            state: effect.state.name(),
            parked: matches!(effect.state, EffectState::Parked { .. }),
            receipt: effect.receipt.as_ref().map(|receipt| receipt.id.clone()),
            reason: effect.reason.clone(),
            next_step: effect.next_step.clone(),
            first_tried: effect.write.first_tried,
        }
    }
}

/// A handoff whole.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Whole {
    #[serde(flatten)]
    pub brief: Brief,
    pub needs: Option<String>,
    pub detail: Option<String>,
    pub approved_by: Option<String>,
    pub claimed_by: Option<String>,
    pub claimed_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    pub package: Vec<Part>,
    pub missing: Vec<&'static str>,
    pub unknown: Vec<String>,
    pub facts: Vec<Line>,
    pub answers: Vec<Line>,
    pub effects: Vec<Effect>,
}

impl Whole {
    /// A handoff as stored.
    pub fn of(handoff: &HandoffRecord) -> Self {
        let proposal = &handoff.proposal;
        let package = proposal.package.as_ref();
        let part = |section: &crate::policy::proposal::PackageSection| Part {
            name: name_of(section.part),
            lines: section.lines.clone(),
            source: section.source.clone(),
        };
        Self {
            brief: Brief::of(handoff),
            needs: proposal.needs.clone(),
            detail: handoff.detail.clone(),
            approved_by: handoff.approved_by.clone(),
            claimed_by: handoff.claimed.as_ref().map(|(_, by)| by.clone()),
            claimed_at: handoff.claimed.as_ref().map(|(at, _)| *at),
            sent_at: handoff.sent_at,
            package: package.map(|package| package.parts.iter().map(part).collect()).unwrap_or_default(),
            missing: package.map(|it| it.missing.iter().map(|part| name_of(*part)).collect()).unwrap_or_default(),
            unknown: package.map(|package| package.unknown.clone()).unwrap_or_default(),
            facts: proposal.facts.iter().map(|(name, value)| line(name, value)).collect(),
            answers: answers(proposal),
            effects: handoff.effects.iter().map(Effect::of).collect(),
        }
    }
}

fn line(name: &str, value: impl Into<String>) -> Line {
    Line { name: name.to_owned(), value: value.into() }
}

/// Who owns it, what the clocks do, what the customer is told.
fn answers(proposal: &Proposal) -> Vec<Line> {
    let mut lines = vec![line("owner", &*proposal.owner.shown)];
    lines.extend(proposal.owner.fallback.as_ref().map(|why| line("owner, not as declared", &**why)));
    lines.extend(proposal.owner.previous.as_ref().map(|who| line("agent before", &**who)));
    lines.extend(proposal.owner.previous_task.as_ref().map(|task| line("they still do", &**task)));
    lines.extend(proposal.owner.previous_until.as_ref().map(|until| line("until", until.told())));
    lines.extend(proposal.clock.internal_until.as_ref().map(|until| line("the team's clock", until.told())));
    let customer = proposal.clock.customer_until.as_ref();
    let ran_out = |until: &Due| if until.at > proposal.decided_at { "" } else { ", ran out" };
    lines.extend(customer.map(|(name, until)| line(&format!("clock {name}{}", ran_out(until)), until.told())));
    lines.extend(proposal.clock.pause.as_ref().map(|pause| line("clock paused", pause.until.told())));
    lines.push(match &proposal.customer {
        CustomerPlan::Tell { message, text, .. } => line(&format!("the customer is told ({message})"), &**text),
        CustomerPlan::Nothing { because } => line("the customer is told nothing", &**because),
    });
    lines
}
