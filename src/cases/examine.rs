//! One look at one case, from what is known to what is recorded. Pure: it either asks for more parts of the ticket or
//! gives the whole update for the ledger.

use super::after::{After, Seen, after};
use super::stays::{Stays, is_provisional, new_stays};
use crate::ledger::records::{CaseRecord, CaseUpdate, HandoffHappening, HandoffRecord, NewHandoff, SignedWording};
use crate::ledger::states::{HandoffEvent, HandoffState};
use crate::plan;
use crate::policy::case::{Case, Memory};
use crate::policy::decide::decide;
use crate::policy::proposal::{CustomerPlan, Proposal};
use crate::policy::rules::{Mode, Policy};
use crate::policy::verdict::{Decision, Outcome, Risk, RuleResult, StayReason, Verdict};
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::WordingSignature;
use handoffd_kit::id::DeskId;
use handoffd_kit::model::{PartKind, PartSet, Parts, TicketHead};
use jiff::{SignedDuration, Timestamp};

/// All that one look knows.
pub struct Look<'a> {
    /// The desk it is about.
    pub desk: &'a DeskId,
    /// What that desk can do.
    pub capabilities: &'a Capabilities,
    /// The policy.
    pub policy: &'a Policy,
    /// Signed wordings.
    pub signed: &'a [SignedWording],
    /// What the ledger knows.
    pub record: &'a CaseRecord,
    /// The ticket's head.
    pub head: &'a TicketHead,
    /// When it was read.
    pub read_at: Timestamp,
    /// Its parts, as far as they were read.
    pub parts: &'a Parts,
    /// Parts that were asked for and that the desk did not give: not asked for again.
    pub refused: PartSet,
    /// When this desk was first met: `start = "now"`.
    pub desk_met: Timestamp,
    /// How long a verification waits for a poll to bring the head.
    pub poll_brings_heads_within: SignedDuration,
    /// The generation of the look; none for a command.
    pub generation: Option<i64>,
    /// Now.
    pub now: Timestamp,
}

/// What comes of it.
pub enum Step {
    /// Read these parts and ask again.
    Need(PartSet),
    /// Record this.
    Done(Box<CaseUpdate>),
}

/// Finishes a look, or says what is missing.
pub fn examine(look: &Look<'_>) -> Step {
    let readable = look.capabilities.readable_history && !look.refused.has(PartKind::History);
    let history = look.parts.history.as_deref();
    let stays = match new_stays(look.record, look.policy, look.desk, look.head, history, readable) {
        Stays::NeedHistory => return Step::Need(PartSet::of(&[PartKind::History])),
        Stays::New(stays) => stays,
    };
    let news = ![&look.record.last_version, &look.record.own_version].contains(&&Some(look.head.version.clone()));
    let patience = look.poll_brings_heads_within;
    let seen = Seen { head: look.head, history, readable, news, read_at: look.read_at, patience };
    let after = look.record.handoff.as_ref().map(|handoff| after(handoff, &stays, &seen)).unwrap_or_default();
    if after.need_history {
        return Step::Need(PartSet::of(&[PartKind::History]));
    }
    let counts = counts(look);
    let mut memory = look.record.memory.clone();
    memory.counts = counts;
    for moved in &stays {
        memory.stay = moved.change.stay.clone();
        memory.teams_seen.extend(moved.change.stay.as_ref().map(|stay| stay.team.clone()));
    }
    memory.closed_paths.extend(after.close.clone());
    let unsent = unsent(look.record, &mut memory);

    let case = Case {
        desk: look.desk.clone(),
        head: look.head.clone(),
        parts: look.parts.clone(),
        asked: look.parts.read().union(look.refused),
        memory,
    };
    let verdict =
        match decide(&case, look.policy, &|message, wording| signature(look, message, wording).is_some(), look.now) {
            Decision::Need(parts) if parts.without(look.parts.read()).without(look.refused).is_empty() => {
                unreadable(parts)
            }
            Decision::Need(parts) => return Step::Need(parts.without(look.parts.read())),
            Decision::Verdict(verdict) => verdict,
        };
    // The keys of a handoff derive from the change that opened the episode: find it out before anything is recorded.
    let vague = case.memory.stay.as_ref().is_some_and(|stay| is_provisional(&stay.episode));
    if acts(&verdict) && vague && history.is_none() && readable {
        return Step::Need(PartSet::of(&[PartKind::History, PartKind::Conversation]).without(look.parts.read()));
    }
    let mut update = base(look, counts);
    update.stays = stays.into_iter().map(|moved| moved.change).collect();
    record_after(&mut update, after);
    record_verdict(look, &mut update, verdict, unsent, &case);
    Step::Done(Box::new(update))
}

/// A case counts once it is newer than the desk's start, or something changed on it since. Desks write whole seconds: what
/// happened in the second of the start may have happened after it, and counts.
fn counts(look: &Look<'_>) -> bool {
    use crate::policy::rules::Start;
    let start = match look.policy.desks.get(look.desk).map(|desk| desk.start) {
        Some(Start::At(start)) => start,
        Some(Start::Now) | None => look.desk_met,
    };
    let since = |at: Option<&Timestamp>| at.is_some_and(|at| at.as_second() >= start.as_second());
    look.record.memory.counts || since(look.head.created_at.known()) || since(look.head.updated_at.known())
}

/// The open handoff that has sent nothing: the case is decided as if it were not there, and then compared with it.
fn unsent<'a>(record: &'a CaseRecord, memory: &mut Memory) -> Option<&'a HandoffRecord> {
    let open = memory.open.as_ref().filter(|open| !open.sent)?;
    let handoff = record.handoff.as_ref().filter(|handoff| handoff.id == open.id)?;
    memory.open = None;
    let episode = handoff.proposal.episode.clone();
    memory.fired.retain(|fired| (&fired.rule, &fired.episode) != (&handoff.proposal.rule, &episode));
    Some(handoff)
}

fn unreadable(parts: PartSet) -> Verdict {
    let why = format!("the desk did not give parts that the policy needs: {parts:?}");
    Verdict { outcome: Outcome::Stay(StayReason::Unclear(why)), trace: Vec::new(), would: Vec::new(), again_at: None }
}

fn acts(verdict: &Verdict) -> bool {
    !matches!(verdict.outcome, Outcome::Stay(_)) || !verdict.would.is_empty()
}

fn base(look: &Look<'_>, counts: bool) -> CaseUpdate {
    CaseUpdate {
        desk: look.desk.clone(),
        ticket: look.head.id.clone(),
        generation: look.generation,
        version: Some(look.head.version.clone()),
        raw: look.head.raw.clone(),
        at: look.now,
        counts,
        stays: Vec::new(),
        handoff_events: Vec::new(),
        close_paths: Vec::new(),
        verdict: None,
        would: Vec::new(),
        handoff: None,
        look_again: None,
        over_limit: None,
        limits: look.policy.limits,
    }
}

fn record_after(update: &mut CaseUpdate, after: After) {
    update.handoff_events.extend(after.happening);
    update.close_paths.extend(after.close);
    update.look_again = earlier(update.look_again, after.look_again);
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn record_verdict(
    look: &Look<'_>,
    update: &mut CaseUpdate,
    verdict: Verdict,
    unsent: Option<&HandoffRecord>,
    case: &Case,
) {
    update.would = verdict.would.clone();
    update.look_again = earlier(update.look_again, verdict.again_at);
    update.over_limit = verdict.over_limit().cloned();
    let (proposal, risks) = match &verdict.outcome {
        Outcome::Stay(_) => (None, Vec::new()),
        Outcome::Route(proposal) | Outcome::Escalate(proposal) => (Some(proposal.as_ref()), Vec::new()),
        Outcome::AskPerson { proposed, risks } => (Some(proposed.as_ref()), risks.clone()),
    };
    match proposal {
        Some(proposal) => record_proposal(look, update, proposal, risks, unsent, case),
        // A pause ends nothing: what is planned waits in the ledger until it is over.
        None if paused(&verdict) => {}
        None => update.handoff_events.extend(unsent.map(|handoff| withdraw(handoff, &verdict.outcome))),
    }
    update.verdict = Some(verdict);
}

fn paused(verdict: &Verdict) -> bool {
    verdict.outcome == Outcome::Stay(StayReason::Paused)
        || verdict.trace.iter().any(|trace| trace.result == RuleResult::Paused)
}

/// What was decided no longer holds: nothing was sent, so nothing needs to be explained on the ticket.
fn withdraw(handoff: &HandoffRecord, outcome: &Outcome) -> HandoffHappening {
    let why = match outcome {
        Outcome::Stay(reason) => format!("stale: read again, the case stays ({})", reason.shown()),
        _ => "stale".to_owned(),
    };
    HandoffHappening {
        handoff: handoff.id.clone(),
        event: Some(HandoffEvent::Withdrawn),
        detail: Some(why),
        claimed: None,
        drop_effects: true,
        closing_note: None,
    }
}

fn record_proposal(
    look: &Look<'_>,
    update: &mut CaseUpdate,
    proposal: &Proposal,
    risks: Vec<Risk>,
    unsent: Option<&HandoffRecord>,
    case: &Case,
) {
    let same = unsent.filter(|handoff| is_same(&handoff.proposal, proposal));
    if same.is_some_and(|handoff| handoff.state == HandoffState::InReview) {
        return; // The person is asked already.
    }
    let replaced = unsent.filter(|_| same.is_none());
    // What it replaces ends with it, and has used up its key.
    let ends = |handoff: &HandoffRecord| {
        (&handoff.proposal.rule, &handoff.proposal.episode) == (&proposal.rule, &proposal.episode)
    };
    let nth = look.record.ended(&proposal.rule, &proposal.episode) + u32::from(replaced.is_some_and(ends));
    let id = same.map_or_else(
        || plan::handoff_id(&proposal.desk, &proposal.ticket, &proposal.rule, &proposal.episode, nth),
        |handoff| handoff.id.clone(),
    );
    if on_desk_already(case, &id) {
        return; // A restored ledger meets its own mark: done before the backup was taken.
    }
    // A person's yes to the same handoff stands, whatever version the ticket has by now, and its note goes on naming them.
    let approved_by = same.and_then(|handoff| handoff.approved_by.as_deref());
    let asks = !risks.is_empty() && proposal.mode == Mode::Live && approved_by.is_none();
    let state = if asks { HandoffState::InReview } else { HandoffState::Sending };
    let effects = if asks { Vec::new() } else { effects(look, proposal, &id, approved_by) };
    update.handoff = Some(NewHandoff {
        id,
        proposal: proposal.clone(),
        state,
        risks,
        effects,
        replaces: replaced.map(|handoff| handoff.id.clone()),
        needs_place: !case.memory.released.contains(&proposal.rule),
    });
}

/// Same rule, target and facts: the same handoff, with the same keys, for a newer version of the ticket.
fn is_same(one: &Proposal, other: &Proposal) -> bool {
    one.rule == other.rule && one.to == other.to && one.facts_hash == other.facts_hash && one.episode == other.episode
}

fn on_desk_already(case: &Case, id: &str) -> bool {
    let history = case.parts.history.iter().flatten();
    history.filter_map(|change| change.mark.as_ref()).any(|mark| mark.handoff == id)
}

/// The effects of a proposal against the ticket as it was just read.
fn effects(look: &Look<'_>, proposal: &Proposal, id: &str, approved_by: Option<&str>) -> Vec<plan::PlannedEffect> {
    let signature = planned_signature(look, proposal);
    match approved_by {
        Some(who) => plan::approved_effects(proposal, id, look.capabilities, look.head, signature, who),
        None => plan::effects(proposal, id, look.capabilities, look.head, signature),
    }
}

/// The signature of the wording that a proposal's customer message was rendered from, if somebody signed it.
pub fn planned_signature(look: &Look<'_>, proposal: &Proposal) -> Option<WordingSignature> {
    match &proposal.customer {
        CustomerPlan::Tell { message, wording_hash, .. } => signature(look, message.as_str(), wording_hash),
        CustomerPlan::Nothing { .. } => None,
    }
}

fn signature(look: &Look<'_>, message: &str, wording: &str) -> Option<WordingSignature> {
    let signed = look.signed.iter().find(|signed| signed.message == message && signed.wording == wording)?;
    Some(WordingSignature {
        message: signed.message.clone(),
        wording: signed.wording.clone(),
        signer: signed.signer.clone(),
    })
}
