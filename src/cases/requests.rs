//! What becomes of a handoff that an agent asked for: the rules decide on it as on every other, and the agent is told
//! where the ticket does not show it by itself. Also the way back, while it has sent nothing. Pure.

use super::commands::{accepted, answer_to, one_line};
use super::examine::{Look, effects};
use super::overtaken::overtaken_since;
use crate::ledger::records::{CaseUpdate, HandoffHappening, HandoffRecord, NewHandoff};
use crate::ledger::states::{HandoffEvent, HandoffState};
use crate::plan;
use crate::policy::case::{Case, ClosedBy, Request};
use crate::policy::names::PersonName;
use crate::policy::proposal::{HandoffKind, Proposal};
use crate::policy::reviewers::{reviewers, who_may_approve};
use crate::policy::rules::{Mode, Trigger};
use crate::policy::verdict::{Outcome, RuleResult, RuleTrace, StayReason, Verdict};
use handoffd_kit::model::Status;

/// Looks what became of a request that was not answered yet, once the update has its verdict.
pub(super) fn follow(look: &Look<'_>, case: &Case, update: &mut CaseUpdate) {
    let Some(request) = case.memory.request.as_ref().filter(|request| request.open) else { return };
    let Some(verdict) = &update.verdict else { return };
    let started = update
        .handoff
        .as_ref()
        .filter(|new| new.proposal.asked.as_ref().is_some_and(|asked| asked.command == request.command));
    let (request, words) = match started {
        Some(new) => {
            let led = Request { led_to: Some(new.id.clone()), ..request.clone() };
            (led, (new.state == HandoffState::InReview).then(|| waits_for_a_yes(look, new)))
        }
        None if request.led_to.is_some() => return, // It is on its way.
        None => unanswered(look, case, request, verdict),
    };
    if !request.open {
        // Nobody can release what was answered with no: whoever asked has to ask again.
        let asked_so = |would: &Proposal| would.asked.as_ref().is_some_and(|asked| asked.command == request.command);
        update.would.retain(|would| !asked_so(would));
    }
    if let Some(words) = words.filter(|_| look.policy.mode == Mode::Live) {
        let text = format!("Command /handoff {} (by {}): {}.", request.to, request.by, one_line(&words));
        let again = case.memory.request.as_ref().is_some_and(|before| before.told);
        let to = answer_to(look, &request.command, "handoff");
        update.heard.told.push(plan::answer(&to, &text, again, look.capabilities));
    }
    update.heard.request = Some(request);
}

fn waits_for_a_yes(look: &Look<'_>, new: &NewHandoff) -> String {
    let proposal = &new.proposal;
    let anybody = reviewers(look.policy, proposal).is_empty();
    let who: Vec<&str> = who_may_approve(look.policy, proposal).into_iter().map(PersonName::as_str).collect();
    match (anybody, who.as_slice()) {
        (true, _) => "it waits for a yes of a colleague: /approve, or /reject REASON, in an internal note".to_owned(),
        (false, []) => format!(
            "it waits for a yes, and nobody else may give it: whoever runs handoffd has to name another reviewer of {}, or take it \
             back with /reject REASON in an internal note",
            proposal.to
        ),
        (false, who) => {
            format!("it waits for a yes of {}: /approve, or /reject REASON, in an internal note", who.join(" or "))
        }
    }
}

/// No handoff came of it: either it waits, or the answer is no.
fn unanswered(look: &Look<'_>, case: &Case, asked: &Request, verdict: &Verdict) -> (Request, Option<String>) {
    let closed = Request { open: false, ..asked.clone() };
    let here = case.memory.stay.as_ref().is_some_and(|stay| stay.episode == asked.episode);
    if !here {
        return (closed, Some("not done, the case was moved meanwhile".into()));
    }
    match &verdict.outcome {
        Outcome::Stay(StayReason::HeldBack | StayReason::NoRule | StayReason::Paused) => {}
        Outcome::Stay(StayReason::UnderWay) => return (closed, Some("not done, another handoff is under way".into())),
        // Nothing is done here, and nothing is written.
        Outcome::Stay(_) => return (closed, None),
        // A restored ledger has met the handoff on the desk.
        Outcome::Route(proposal) | Outcome::Escalate(proposal) if proposal.to == asked.to => return (closed, None),
        Outcome::AskPerson { proposed, .. } | Outcome::AskForParts { proposed, .. } if proposed.to == asked.to => {
            return (closed, None);
        }
        Outcome::Route(other)
        | Outcome::Escalate(other)
        | Outcome::AskForParts { proposed: other, .. }
        | Outcome::AskPerson { proposed: other, .. } => {
            let words = format!("not done, rule {} hands the case to {} now", other.rule, other.to);
            return (closed, Some(words));
        }
    }
    let traces: Vec<&RuleTrace> = verdict.trace.iter().filter(|trace| on_request(look, asked, trace)).collect();
    if traces.iter().any(|trace| trace.result == RuleResult::OverLimit) {
        let words = (!asked.told).then(|| "it waits: so many handoffs are not allowed in one hour".to_owned());
        return (Request { told: true, ..asked.clone() }, words);
    }
    let why: Vec<String> = traces
        .iter()
        .map(|trace| unsigned(look, case, trace).unwrap_or_else(|| why_not(trace, &trace.result)))
        .collect();
    let why = if why.is_empty() { "no rule allows it".to_owned() } else { why.join("; ") };
    (closed, Some(format!("not done, {why}. {}", accepted_elsewhere(look, case, asked))))
}

/// Whether this is the trace of a rule that could carry the request out.
fn on_request(look: &Look<'_>, asked: &Request, trace: &RuleTrace) -> bool {
    trace.to == asked.to
        && trace.result != RuleResult::NotFrom
        && look.policy.escalations.iter().any(|rule| rule.rule.name == trace.rule && rule.trigger == Trigger::Manual)
}

/// A rule that would act if its second reviewer had signed it.
fn unsigned(look: &Look<'_>, case: &Case, trace: &RuleTrace) -> Option<String> {
    let mut unsigned = look.policy.unsigned(&case.memory.signed_rules);
    let waits = trace.result == RuleResult::Shadow && unsigned.any(|rule| rule.name == trace.rule);
    waits.then(|| {
        let rule = &trace.rule;
        format!("rule {rule} is in shadow until its second reviewer has signed it: it would have been handed off")
    })
}

/// What kept a rule from acting, in words.
pub(super) fn why_not(trace: &RuleTrace, result: &RuleResult) -> String {
    let rule = &trace.rule;
    match result {
        RuleResult::Unasked(bar) => why_not(trace, bar),
        RuleResult::NotMatched(_, condition) => format!("rule {rule} wants that {condition}"),
        RuleResult::Unknown(_, what) => format!("rule {rule} cannot be told, the desk does not say {what}"),
        RuleResult::NotYet(at) => format!("rule {rule} holds at {at} only: ask again then"),
        RuleResult::NoInstant(why) => format!("rule {rule} never holds, as things stand: {why}"),
        RuleResult::TimeUnknown(key) => {
            format!("rule {rule} cannot be told, the desk does not say since when, for {key}")
        }
        RuleResult::AlreadyFired => format!("rule {rule} has acted in this stay already"),
        RuleResult::PathClosed(why) => {
            let why = match why {
                ClosedBy::Bounce => "gave it straight back",
                ClosedBy::Rejection => "said no",
                ClosedBy::Undo => "lost it to an undo",
                ClosedBy::Contest => "lost it to another automation",
                ClosedBy::Unclaimed => "did not claim it in time",
                ClosedBy::Back => "has done it",
            };
            format!("{} {why} before: say a new reason that answers that", trace.to)
        }
        RuleResult::Shadow => format!("rule {rule} is in shadow: it would have been handed off"),
        RuleResult::OutsideShare => format!("rule {rule} does not cover this ticket yet"),
        RuleResult::Held => format!("rule {rule} waits for a release"),
        RuleResult::Paused => format!("rule {rule} is paused: ask again when it goes on"),
        RuleResult::AlreadyThere => "the case is there already".to_owned(),
        RuleResult::OverLimit
        | RuleResult::Fires
        | RuleResult::Agrees
        | RuleResult::NotAsked
        | RuleResult::NotReached
        | RuleResult::OffDuty(_)
        | RuleResult::PersonActive(_)
        | RuleResult::PersonMayBeActive(_)
        | RuleResult::NotFrom
        | RuleResult::Behind(_) => format!("rule {rule} does not act"),
    }
}

/// The other teams that could be asked for.
fn accepted_elsewhere(look: &Look<'_>, case: &Case, asked: &Request) -> String {
    let Some(stay) = &case.memory.stay else { return String::new() };
    let others = look.policy.on_request(&stay.team).into_iter().any(|team| *team != asked.to);
    if others { accepted(look, &stay.team) } else { String::new() }
}

/// The way back is an agent's decision: it is not decided anew, only brought up to the ticket as it is now, as long as the
/// case is where they gave it back from.
pub(super) fn still_back(look: &Look<'_>, case: &Case, open: &HandoffRecord, mut update: CaseUpdate) -> CaseUpdate {
    let proposal = &open.proposal;
    let here = case.memory.stay.as_ref().map(|stay| &stay.team) == proposal.from.as_ref();
    // Somebody may have decided otherwise between the command and its sending: their act stands.
    let history = look.parts.history.as_deref().unwrap_or_default();
    let overtaken = overtaken_since(open, history, look.policy);
    if here && takes_notes(look) && overtaken.is_none() {
        update.handoff = Some(NewHandoff {
            id: open.id.clone(),
            proposal: proposal.clone(),
            state: HandoffState::Sending,
            risks: Vec::new(),
            effects: effects(look, proposal, &open.id, None),
            replaces: None,
            ask_until: None,
            needs_place: false,
        });
        return update;
    }
    let why = match overtaken {
        _ if !here => "the case was moved meanwhile".to_owned(),
        Some(why) if takes_notes(look) => why,
        _ => "the ticket has ended".to_owned(),
    };
    let note =
        takes_notes(look).then(|| plan::stale_note(proposal, &open.id, &why, look.capabilities, look.head, look.now));
    update.handoff_events.push(HandoffHappening {
        handoff: open.id.clone(),
        event: Some(HandoffEvent::Withdrawn),
        detail: Some(why),
        claimed: None,
        drop_effects: true,
        closing_note: note,
    });
    update
}

/// Whether an open handoff is the way back.
pub(super) fn is_back(open: &HandoffRecord) -> bool {
    open.proposal.kind == HandoffKind::Back
}

/// A note that what an agent was told to be on its way will not come, where the ticket still takes one.
pub(super) fn not_after_all(look: &Look<'_>, handoff: &HandoffRecord, why: &str) -> Option<plan::PlannedEffect> {
    let asked = handoff.proposal.asked.as_ref()?;
    note_of_end(look, handoff, |proposal| {
        format!("Not handed off to {}, which {} asked for: {why}.\nNothing was changed.", proposal.to, asked.by)
    })
}

/// The note for a review that nobody has answered and that has nothing to be answered any more.
pub(super) fn review_is_over(
    look: &Look<'_>,
    review: &HandoffRecord,
    outcome: &Outcome,
) -> Option<plan::PlannedEffect> {
    if review.state != HandoffState::InReview {
        return None;
    }
    let why = match outcome {
        Outcome::Stay(reason) => format!("read again, the case stays ({})", reason.shown()),
        _ => "read again, it is decided otherwise".to_owned(),
    };
    note_of_end(look, review, |proposal| {
        format!(
            "Not handed off to {}, and nobody needs to say yes or no any more: {why}.\nNothing was changed. Rule: {}",
            proposal.to, proposal.rule
        )
    })
}

/// The last note of a handoff that has sent nothing, where the ticket takes one.
fn note_of_end(
    look: &Look<'_>,
    handoff: &HandoffRecord,
    words: impl FnOnce(&Proposal) -> String,
) -> Option<plan::PlannedEffect> {
    let (proposal, id) = (&handoff.proposal, &handoff.id);
    let writes = look.policy.mode == Mode::Live && takes_notes(look);
    writes.then(|| plan::ending_note(proposal, id, &words(proposal), look.capabilities, look.head, look.now))
}

fn takes_notes(look: &Look<'_>) -> bool {
    look.head.ending.is_none() && look.head.status.known() != Some(&Status::Closed)
}
