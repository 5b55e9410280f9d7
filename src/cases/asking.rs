//! A handoff that waits for package parts: what it asks with, when it waits on, and how its asking ends. Pure.

use super::examine::Look;
use crate::ledger::records::{AskingOver, HandoffRecord};
use crate::plan::PlannedEffect;
use crate::plan::asking::{Asking, How};
use crate::policy::command::ASKING;
use crate::policy::package::{ORDER, name_of};
use crate::policy::proposal::Proposal;
use crate::policy::rules::{FieldOwner, Missing, PackagePart, Then};
use crate::policy::verdict::{Outcome, RuleResult, StayReason, Verdict};
use handoffd_kit::model::{Status, TicketHead};
use jiff::{SignedDuration, Timestamp};

/// A desk that says too little is asked again so soon.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// The effects that ask, but for those that a restored ledger finds on the ticket.
pub fn begin(look: &Look<'_>, proposal: &Proposal, id: &str, until: Timestamp) -> Vec<PlannedEffect> {
    let mapped = mapped(look);
    let (then, until) = deadline(look, proposal, until);
    let how = How { labels: &look.policy.labels, mapped: &mapped, until, then };
    let asking = Asking { proposal, id, note_max_bytes: look.capabilities.note_max_bytes };
    let mut effects = asking.begin(&how, look.head, look.capabilities.race_free_tags);
    let marks = || look.parts.history.iter().flatten().filter_map(|change| change.mark.as_ref());
    effects.retain(|effect| !marks().any(|mark| mark.key() == effect.write.mark.key()));
    effects
}

/// The asking is over, which the ticket is to say if it can be written to. `why`: nothing is handed off now, for this reason.
pub fn over(look: &Look<'_>, handoff: &HandoffRecord, why: Option<String>) -> Option<AskingOver> {
    let note_max_bytes = look.capabilities.note_max_bytes;
    takes_writes(look.head).then(|| AskingOver { handoff: handoff.id.clone(), why, note_max_bytes })
}

/// Whether the ticket says that somebody is asked, and can be written to.
pub fn says_asked(head: &TicketHead) -> bool {
    takes_writes(head) && head.tags.known().is_some_and(|tags| tags.iter().any(|tag| tag == ASKING))
}

fn takes_writes(head: &TicketHead) -> bool {
    head.ending.is_none() && head.status.known() != Some(&Status::Closed)
}

/// Whether an asking waits on although its rule does not act now, and when it is looked at again: a pause, an hour without
/// a free place, or a desk that says too little end nothing.
pub fn waits(look: &Look<'_>, handoff: &HandoffRecord, verdict: &Verdict) -> Option<Timestamp> {
    let result = verdict.trace.iter().find(|trace| trace.rule == handoff.proposal.rule).map(|trace| &trace.result);
    let held = matches!(result, Some(RuleResult::OverLimit | RuleResult::Paused));
    let unclear = matches!(verdict.outcome, Outcome::Stay(StayReason::Unclear(_) | StayReason::Paused));
    let until = handoff.ask_until.filter(|until| *until > look.now);
    (held || unclear).then(|| until.unwrap_or(look.now + AGAIN))
}

/// Why an asking is over without a handoff, in words.
pub fn why_over(handoff: &HandoffRecord, look: &Look<'_>, outcome: &Outcome) -> String {
    let queue = look.head.queue.known().cloned().flatten();
    match (&queue, outcome) {
        (Some(now), _) if queue != handoff.proposal.from_queue => {
            format!("the case lies in {} now", now.name.as_deref().unwrap_or(now.id.as_str()))
        }
        (_, Outcome::Stay(StayReason::NoRule)) => "the rule's conditions do not hold any more".to_owned(),
        (_, Outcome::Stay(reason)) => reason.shown(),
        _ => "it was decided otherwise".to_owned(),
    }
}

fn mapped(look: &Look<'_>) -> Vec<PackagePart> {
    let fields = look.policy.desks.get(look.desk).map(|desk| &desk.fields);
    let is_mapped = |part: &PackagePart| {
        fields.and_then(|fields| fields.get(name_of(*part))).is_some_and(|field| field.of == FieldOwner::Ticket)
    };
    ORDER.into_iter().filter(is_mapped).collect()
}

/// What is done when the time is over, and when that is, as the giving team reads it.
fn deadline(look: &Look<'_>, proposal: &Proposal, until: Timestamp) -> (Then, String) {
    let rule = look.policy.escalation(&proposal.rule);
    let ask = rule.and_then(|escalation| match escalation.package.missing {
        Missing::Ask { within, then } => Some((within, then)),
        Missing::Send | Missing::Review => None,
    });
    let then = ask.map_or(Then::default(), |(_, then)| then);
    let team = proposal.from.as_ref().and_then(|from| look.policy.teams.get(from));
    let shown = team.map_or_else(
        || until.to_string(),
        |team| {
            // Its working is told while it is fresh; an older one was told before.
            let fresh = ask.and_then(|(within, _)| team.due(look.now, within)).filter(|due| due.at == until);
            fresh.map_or_else(|| team.moment(until, look.now), |due| format!("{} ({})", due.shown, due.working))
        },
    );
    (then, shown)
}
