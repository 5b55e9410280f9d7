//! What becomes of a handoff that an agent asked for: the rules decide on it as on every other, and the agent is told
//! where the ticket does not show it by itself. Also the way back, while it has sent nothing. Pure.

use super::examine::{Look, effects};
use super::overtaken::overtaken_since;
use crate::ledger::records::{CaseUpdate, HandoffHappening, HandoffRecord, NewHandoff};
use crate::ledger::states::{HandoffEvent, HandoffState};
use crate::plan::note::one_line;
use crate::plan::{self, Answer};
use crate::policy::case::{Case, ClosedBy, Request};
use crate::policy::names::{PersonName, TeamName};
use crate::policy::offer::{Offer, answers, several, wanted};
use crate::policy::proposal::{HandoffKind, Proposal};
use crate::policy::reviewers::{reviewers, who_may_approve};
use crate::policy::rules::{Mode, Trigger};
use crate::policy::verdict::{Outcome, Risk, RuleResult, RuleTrace, StayReason, Verdict};
use handoffd_kit::id::TicketId;
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
            let waits = || format!("it {}", waits_for_a_yes(look, &new.proposal, &new.risks));
            (led, (new.state == HandoffState::InReview).then(waits))
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

/// What is said to whoever asks for what a person is asked about already.
pub(super) fn joins(look: &Look<'_>, (proposal, risks): (&Proposal, &[Risk]), reason: &str) -> String {
    let waits = waits_for_a_yes(look, proposal, risks);
    format!("a handoff to {} by rule {} {waits}. Recorded with it: {reason}", proposal.to, proposal.rule)
}

/// Why nobody can ask for anything where no team has the case.
pub(super) fn in_no_team(look: &Look<'_>) -> &'static str {
    if look.policy.routes.iter().any(|route| route.desk == *look.desk) {
        "the case is with no team yet: its first team is found by the routes"
    } else {
        "the case is with no team yet: move it to a team first, then say it again"
    }
}

/// After "it ": whose yes it waits for, and how that is said. Where rules want different teams: for each of them.
fn waits_for_a_yes(look: &Look<'_>, proposal: &Proposal, risks: &[Risk]) -> String {
    let offers = several(proposal, risks);
    if !offers.is_empty() {
        let (answers, each) = (answers(&offers), offers.iter().map(|offer| decide_for(look, proposal, offer)));
        let each = each.collect::<Vec<_>>().join(", ");
        return format!("waits for a yes to one of the teams that rules want ({each}): {answers}, in an internal note");
    }
    let anybody = reviewers(look.policy, proposal).is_empty();
    let who: Vec<&str> = who_may_approve(look.policy, proposal).into_iter().map(PersonName::as_str).collect();
    match (anybody, who.as_slice()) {
        (true, _) => "waits for a yes of a colleague: /approve, or /reject REASON, in an internal note".to_owned(),
        (false, []) => format!(
            "waits for a yes, and nobody else may give it: whoever runs handoffd has to name another reviewer of {}, or take it \
             back with /reject REASON in an internal note",
            proposal.to
        ),
        (false, who) => {
            format!("waits for a yes of {}: /approve, or /reject REASON, in an internal note", who.join(" or "))
        }
    }
}

/// Who may say yes to one of several teams.
fn decide_for(look: &Look<'_>, proposal: &Proposal, offer: &Offer<'_>) -> String {
    let about = offer.about(proposal);
    let who: Vec<&str> = who_may_approve(look.policy, &about).into_iter().map(PersonName::as_str).collect();
    match (reviewers(look.policy, &about).is_empty(), who.as_slice()) {
        (true, _) => format!("{}: a colleague", offer.to),
        (false, []) => format!("{}: nobody may", offer.to),
        (false, who) => format!("{}: {}", offer.to, who.join(" or ")),
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
        Outcome::AskPerson { proposed, risks } if proposed.to == asked.to => {
            return (closed, Some(joins(look, (proposed, risks), &asked.reason)));
        }
        Outcome::AskForParts { proposed, .. } if proposed.to == asked.to => return (closed, None),
        // It stands as long as a person chooses among the teams: a yes to this one carries it out.
        Outcome::AskPerson { proposed, risks } if wanted(risks).any(|(_, team)| *team == asked.to) => {
            let words = (!asked.told).then(|| chosen_among(look, proposed, risks));
            return (Request { told: true, ..asked.clone() }, words);
        }
        Outcome::AskPerson { proposed, .. } => return (closed, Some(asked_about(proposed, asked))),
        Outcome::Route(other) | Outcome::Escalate(other) | Outcome::AskForParts { proposed: other, .. } => {
            let words = format!("not done, rule {} hands the case to {} now", other.rule, other.to);
            return (closed, Some(words));
        }
    }
    let traces: Vec<&RuleTrace> = verdict.trace.iter().filter(|trace| on_request(look, asked, trace)).collect();
    if traces.iter().any(|trace| trace.result == RuleResult::OverLimit) {
        let words = (!asked.told).then(|| "it waits: so many handoffs are not allowed in one hour".to_owned());
        return (Request { told: true, ..asked.clone() }, words);
    }
    if let Some(trace) = traces.iter().find(|trace| trace.result.is_paused()) {
        // Where everything is paused, so are answers.
        let tells = !asked.told && !case.memory.switched_off.all;
        let words = tells.then(|| format!("it waits: rule {} is paused. It is done when that goes on", trace.rule));
        return (Request { told: asked.told || tells, ..asked.clone() }, words);
    }
    let why: Vec<String> = traces
        .iter()
        .map(|trace| unsigned(look, case, trace).unwrap_or_else(|| why_not(trace, &trace.result)))
        .collect();
    let why = if why.is_empty() { "no rule allows it".to_owned() } else { why.join("; ") };
    (closed, Some(format!("not done, {why}. {}", accepted_elsewhere(look, case, asked))))
}

/// A person is asked about several teams, and the one that was asked for is one of them.
fn chosen_among(look: &Look<'_>, proposed: &Proposal, risks: &[Risk]) -> String {
    let disagree = risks.iter().find(|risk| matches!(risk, Risk::Disagreement(_)));
    let because = disagree.map(|risk| format!(" ({})", risk.shown())).unwrap_or_default();
    format!("a person is asked{because}; it {}", waits_for_a_yes(look, proposed, risks))
}

/// A person is asked about another team: what would help.
fn asked_about(proposed: &Proposal, asked: &Request) -> String {
    let (Proposal { rule, to, .. }, asked) = (proposed, &asked.to);
    format!(
        "not done, a person is asked whether rule {rule} hands the case to {to}. If it is to go to {asked} instead, a reviewer says \
         /reject REASON, and then it is /handoff {asked} REASON again, with another reason"
    )
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
                ClosedBy::Stopped => "did not get it, as somebody decided otherwise,",
            };
            format!("{} {why} before: say a new reason that answers that", trace.to)
        }
        RuleResult::Shadow => format!("rule {rule} is in shadow: it would have been handed off"),
        RuleResult::OutsideShare => format!("rule {rule} does not cover this ticket yet"),
        RuleResult::Held => format!("rule {rule} waits for a release"),
        RuleResult::Paused => format!("rule {rule} is paused: ask again when it goes on"),
        RuleResult::AlreadyThere => "the case is there already".to_owned(),
        RuleResult::OverLimit => format!("rule {rule} waits: its limit, or the desk's, is used up for this hour"),
        RuleResult::OffDuty(until) => format!("rule {rule} waits for its team, which is off duty until {until}"),
        RuleResult::PersonActive(until) | RuleResult::PersonMayBeActive(until) => {
            format!("rule {rule} waits until {until}: an agent has just acted on the case")
        }
        RuleResult::Fires
        | RuleResult::Agrees
        | RuleResult::NotAsked
        | RuleResult::NotReached
        | RuleResult::NotFrom
        | RuleResult::OnAnotherDesk(_)
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

/// What an agent of this team may ask for, in words.
pub(super) fn accepted(look: &Look<'_>, team: &TeamName) -> String {
    let teams = look.policy.on_request(team);
    if teams.is_empty() {
        return format!("No team can be asked for from {team}");
    }
    let forms: Vec<String> = teams.into_iter().map(|team| format!("/handoff {team} REASON")).collect();
    format!("Accepted: {}", forms.join(", "))
}

/// Who and what an answer is to.
pub(super) fn answer_to<'a>(look: &'a Look<'_>, command: &'a str, verb: &'a str) -> Answer<'a> {
    let ticket: &TicketId = &look.head.id;
    Answer { command, verb, ticket, version: &look.head.version, now: look.now }
}

/// Where nothing is ever done, no answer is written either.
pub(super) fn out_of_scope(outcome: &Outcome) -> Option<&StayReason> {
    match outcome {
        Outcome::Stay(
            reason @ (StayReason::Ended
            | StayReason::NotOurs
            | StayReason::Unclear(_)
            | StayReason::Never
            | StayReason::BeforeStart),
        ) => Some(reason),
        _ => None,
    }
}
