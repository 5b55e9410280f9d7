//! One look at one case, from what is known to what is recorded. Pure: it either asks for more parts of the ticket or
//! gives the whole update for the ledger.

use super::after::{After, Seen, after, opens, straight_back};
use super::asking;
use super::commands::Scene;
use super::forgotten;
use super::hearing::{Hearing, end_of_history, hear};
use super::ownership::{self, Tasks};
use super::past::{past, unread};
use super::pauses;
use super::requests::{follow, is_back, not_after_all, review_is_over, still_back};
use super::review::{as_shown, wording_changed};
use super::sides::Sides;
use super::stays::{Moved, Stays, is_provisional, new_stays, transfer};
use super::unclaimed::{Chain, chain};
use super::waiting;
use crate::ledger::records::{
    AsRead, CaseRecord, CaseUpdate, HandoffHappening, HandoffRecord, LostNote, NewHandoff, OwnerSeen, SignedWording,
};
use crate::ledger::states::{HandoffEvent, HandoffState};
use crate::plan;
use crate::policy::case::{Begun, Case, ClosedPath, Memory};
use crate::policy::closed::unnoted;
use crate::policy::decide::decide;
use crate::policy::names::TeamName;
use crate::policy::offer;
use crate::policy::proposal::{CustomerPlan, HandoffKind, Proposal};
use crate::policy::review_terms::review_plan;
use crate::policy::roster::Rosters;
use crate::policy::rules::{Mode, Policy};
use crate::policy::verdict::{Decision, Outcome, Risk, StayReason, Verdict};
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
    /// Who works in the teams of the desk.
    pub rosters: &'a Rosters,
    /// The ticket's head.
    pub head: &'a TicketHead,
    /// When it was read.
    pub read_at: Timestamp,
    /// When a webhook last said that somebody else than us has changed it.
    pub others_at: Option<Timestamp>,
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

/// A case as a look found it, ready to be decided.
pub struct Prepared<'a> {
    /// The case.
    pub case: Case,
    /// The stays that this look found.
    stays: Vec<Moved>,
    /// What became of the handoff that brought the case where it is.
    after: After,
    /// Paths that a handoff took which the ledger does not know, and that somebody closed by giving the case back.
    forgotten: Vec<ClosedPath>,
    /// What became of a pause of the customer's clock.
    pause: Option<pauses::Found>,
    /// What became of tasks that were left with agents before.
    tasks: Tasks,
    /// What becomes of a handoff that nobody has claimed.
    chained: Chain,
    /// The open handoff that has sent nothing.
    unsent: Option<&'a HandoffRecord>,
}

/// What the ledger knows and what was read, joined; or the parts that it takes.
///
/// # Errors
/// The parts.
pub fn prepare<'a>(look: &Look<'a>) -> Result<Prepared<'a>, PartSet> {
    let readable = history_is_readable(look);
    let history = look.parts.history.as_deref();
    let stays = match new_stays(look.record, look.policy, look.desk, look.head, history, readable) {
        Stays::NeedHistory => return Err(PartSet::of(&[PartKind::History])),
        Stays::New(stays) => stays,
    };
    let news = ![&look.record.last_version, &look.record.own_version].contains(&&Some(look.head.version.clone()));
    let patience = look.poll_brings_heads_within;
    let past = past(look);
    let said = past.as_deref().filter(|_| history.is_none());
    let listenable = unread(look) == Some(PartKind::Conversation);
    let (head, read_at) = (look.head, look.read_at);
    let stay = stays.last().map_or(look.record.memory.stay.as_ref(), |moved| moved.change.stay.as_ref());
    let came_by = look.record.came_by.as_ref().map(|came| came.id.as_str());
    let with = stay.map(|stay| &stay.team);
    let became = |handoff: &HandoffRecord| {
        let sides = Sides::of(&handoff.proposal, look);
        let seen =
            Seen { head, history, readable, said, listenable, news, read_at, patience, sides, stay: with, came_by };
        after(handoff, &stays, &seen)
    };
    let mut after = judged(look.record, &stays).map(became).unwrap_or_default();
    let stopped = look.record.stopped.as_deref().and_then(|handoff| straight_back(handoff, &stays, came_by));
    after.close = after.close.or(stopped);
    let tasks = ownership::tasks(look, stay, news, past.as_deref());
    let telling = PartSet::of(&[unread(look).unwrap_or(PartKind::History)]);
    if after.need_history || tasks.need_history {
        return Err(telling);
    }
    let pause = look.record.pause.as_ref().map(|pause| pauses::judge(pause, look, readable));
    if matches!(pause, Some(pauses::Found::NeedHistory)) {
        return Err(PartSet::of(&[PartKind::History]));
    }
    let mut memory = look.record.memory.clone();
    memory.counts = counts(look);
    for moved in &stays {
        memory.stay = moved.change.stay.clone();
        let team = moved.change.stay.as_ref().map(|stay| stay.team.clone());
        // A stay that was known provisionally is dated anew once the history is read: its team is seen once.
        memory.teams_seen.extend(team.filter(|team| !memory.teams_seen.contains(team)));
        memory.internal_until = internal_target(look.record, moved);
    }
    if let Some(closed) = &after.close {
        memory.closed_paths.retain(|known| (&known.from, &known.to) != (&closed.from, &closed.to));
        memory.closed_paths.push(closed.clone());
    }
    let forgotten = history.map(|history| forgotten::given_back(look, history)).unwrap_or_default();
    memory.closed_paths.extend(forgotten.iter().cloned());
    if !news {
        memory.arrived = look.record.arrived.clone();
    }
    memory.paused_until = match &pause {
        Some(pauses::Found::GoesOn(_)) => look.record.pause.as_ref().map(|pause| pause.until),
        _ => None,
    };
    let unsent = unsent(look.record, &mut memory);
    let chained = chain(look, &after, &memory, unsent);
    if matches!(chained, Chain::NeedHistory) {
        return Err(telling);
    }
    let case = Case {
        desk: look.desk.clone(),
        head: look.head.clone(),
        parts: look.parts.clone(),
        asked: look.parts.read().union(look.refused),
        memory,
        rosters: look.rosters.clone(),
    };
    Ok(Prepared { case, stays, after, forgotten, pause, tasks, chained, unsent })
}

/// Whether the desk would give the history, as far as is known.
pub(super) fn history_is_readable(look: &Look<'_>) -> bool {
    look.capabilities.readable_history && !look.refused.has(PartKind::History)
}

/// The handoff whose receiving team has the case, or had it last: as long as the next one has moved nothing, that is the one
/// before. Who asked for the way back and then went it by hand has not said no.
fn judged<'a>(record: &'a CaseRecord, stays: &[Moved]) -> Option<&'a HandoffRecord> {
    let handoff = record.handoff.as_ref()?;
    if !handoff.state.is_open() || transfer(handoff).is_some() || opens(handoff, stays) {
        return Some(handoff);
    }
    record.came_by.as_deref().filter(|_| handoff.proposal.kind != HandoffKind::Back)
}

/// Finishes a look, or says what is missing.
pub fn examine(look: &Look<'_>) -> Step {
    let Prepared { case, stays, after, forgotten, pause, tasks, chained, unsent } = match prepare(look) {
        Ok(prepared) => prepared,
        Err(parts) => return Step::Need(parts),
    };
    let path_facts = match unnoted_facts(look, &case, pause.as_ref()) {
        Ok(facts) => facts,
        Err(parts) => return Step::Need(parts),
    };
    let came_by = came_by(look.record, &stays, &after);
    let listened = match hear(look, case.memory.stay.as_ref(), came_by.is_some()) {
        Hearing::Need(parts) => return Step::Need(parts),
        Hearing::Heard(listened) => *listened,
    };
    let (owner, lost_note) = match owner(look, &case) {
        Ok(owner) => owner,
        Err(parts) => return Step::Need(parts),
    };
    let mut update = CaseUpdate { path_facts, owner, lost_note, ..base(look, case.memory.counts) };
    update.tasks_over = tasks.over;
    update.look_again = tasks.look_again;
    update.stays = stays.into_iter().map(|moved| moved.change).collect();
    record_after(&mut update, after);
    update.close_paths.extend(forgotten);
    match pause {
        Some(pauses::Found::GoesOn(until)) => update.look_again = earlier(update.look_again, Some(until)),
        Some(pauses::Found::Ends(ends)) => update.pause = Some(ends),
        Some(pauses::Found::NeedHistory) | None => {}
    }
    update.heard.up_to = listened.up_to;
    if !listened.orders.is_empty() {
        let decide = |chosen: Option<&TeamName>| decided_for(look, &case, chosen);
        let scene = Scene { look, case: &case, came_by, unsent, decide: &decide };
        return scene.carry_out(&listened.orders, update);
    }
    if let Some(back) = unsent.filter(|open| is_back(open)) {
        if look.parts.history.is_none() && history_is_readable(look) {
            return Step::Need(PartSet::of(&[PartKind::History]));
        }
        return Step::Done(Box::new(still_back(look, &case, back, update)));
    }
    let verdict = match decided(look, &case) {
        Decision::Need(parts) => return Step::Need(parts),
        Decision::Verdict(verdict) => verdict,
    };
    let (verdict, chained) = chained.decide(verdict, look, &case.memory);
    if let Some(parts) = waiting::needs(look, unsent) {
        return Step::Need(parts);
    }
    // The keys of a handoff derive from the change that opened the episode: find it out before anything is recorded.
    let readable = history_is_readable(look);
    let vague = acts(&verdict) && case.memory.stay.as_ref().is_some_and(|stay| is_provisional(&stay.episode));
    // And what a ledger that was restored, or begun anew, does not know of this case, the history tells.
    let first = look.record.known.is_empty() && !matches!(verdict.outcome, Outcome::Stay(_));
    if (vague || first) && look.parts.history.is_none() && readable {
        return Step::Need(PartSet::of(&[PartKind::History, PartKind::Conversation]).without(look.parts.read()));
    }
    let unsent = unsent.filter(|_| !chained.over);
    chained.record(&mut update, look.now);
    record_verdict(look, &mut update, verdict, unsent, &case);
    follow(look, &case, &mut update);
    if update.handoff.as_ref().is_some_and(|new| new.state == HandoffState::InReview) {
        // A yes counts only if it was given after the question.
        match end_of_history(look) {
            Some(Hearing::Need(parts)) => return Step::Need(parts),
            Some(Hearing::Heard(end)) => update.heard.up_to = end.up_to,
            None => {}
        }
    }
    Step::Done(Box::new(update))
}

/// What is to be noted of closed paths, or the parts that it takes. While writes of ours are on their way, which may put back
/// a status that a rule matches, nothing is: the look after the last of them does.
fn unnoted_facts(look: &Look<'_>, case: &Case, pause: Option<&pauses::Found>) -> Result<Vec<ClosedPath>, PartSet> {
    let resumes = matches!(pause, Some(pauses::Found::Ends(_)));
    if look.record.writes_pending || resumes || look.head.ending.is_some() {
        return Ok(Vec::new());
    }
    unnoted(case, look.policy, look.now)
}

/// Who owns the case, and what is to be said where they are gone; or the parts that it takes.
fn owner(look: &Look<'_>, case: &Case) -> Result<(Option<OwnerSeen>, Option<LostNote>), PartSet> {
    let seen = ownership::seen(look, case)?;
    let lost = ownership::say_lost(look, seen.as_ref(), &case.memory)?;
    Ok((seen, lost))
}

/// Whether somebody signed this wording of a message.
pub fn is_signed(look: &Look<'_>, message: &str, wording: &str) -> bool {
    signature(look, message, wording).is_some()
}

/// The target that our handoff gave the team whose stay it opened.
fn internal_target(record: &CaseRecord, moved: &Moved) -> Option<Timestamp> {
    let handoff = record.handoff.as_ref()?;
    let opened = moved.change.by_handoff.as_ref() == Some(&handoff.id);
    handoff.proposal.clock.internal_until.as_ref().filter(|_| opened).map(|until| until.at)
}

/// What the policy says now; what the desk did not give is not asked for again.
fn decided(look: &Look<'_>, case: &Case) -> Decision {
    match decide(case, look.policy, &|message, wording| is_signed(look, message, wording), look.now) {
        Decision::Need(parts) if parts.without(look.parts.read()).without(look.refused).is_empty() => {
            Decision::Verdict(unreadable(parts))
        }
        Decision::Need(parts) => Decision::Need(parts.without(look.parts.read())),
        verdict => verdict,
    }
}

/// The same, once a person has chosen this of the teams that rules want.
fn decided_for(look: &Look<'_>, case: &Case, chosen: Option<&TeamName>) -> Decision {
    let Some(team) = chosen else { return decided(look, case) };
    let memory = Memory { chosen: Some(team.clone()), ..case.memory.clone() };
    decided(look, &Case { memory, ..case.clone() })
}

/// The handoff that brought the case where it is now, if it stands.
fn came_by<'a>(record: &'a CaseRecord, moved: &[Moved], after: &After) -> Option<&'a HandoffRecord> {
    let ends = |event| matches!(event, HandoffEvent::Bounced | HandoffEvent::Contested | HandoffEvent::Rejected);
    let ended = after.happening.as_ref().filter(|happening| happening.event.is_some_and(ends));
    let stands = |handoff: &&HandoffRecord| ended.is_none_or(|ended| ended.handoff != handoff.id);
    match moved.last() {
        None => record.came_by.as_deref().filter(stands),
        Some(last) => record
            .handoff
            .as_ref()
            .filter(|handoff| last.change.by_handoff.as_ref() == Some(&handoff.id))
            .filter(stands),
    }
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
    let rule = || Some(handoff.proposal.rule.clone());
    if handoff.state == HandoffState::InReview {
        let others = offer::wanted(&handoff.risks).map(|(rule, _)| rule.clone());
        memory.in_review = rule().into_iter().chain(others).collect();
    }
    // What is under way goes on under the policy that replaces the one it was decided by.
    memory.arrived.retain(|rule| *rule != handoff.proposal.rule && !memory.in_review.contains(rule));
    memory.begun = rule();
    // Which of the teams that rules want, somebody has said.
    let said = handoff.approved_by.as_ref().map(|_| handoff.proposal.to.clone());
    memory.chosen = memory.chosen.take().or(said);
    let has_place = matches!(handoff.state, HandoffState::InReview | HandoffState::Sending);
    memory.begun_as = has_place.then(|| Begun {
        to: handoff.proposal.to.clone(),
        episode,
        facts: handoff.proposal.facts_hash.clone(),
    });
    if handoff.state == HandoffState::Asking {
        memory.asking = rule();
    }
    Some(handoff)
}

fn unreadable(parts: PartSet) -> Verdict {
    let why = format!("the desk did not give parts that the policy needs: {parts:?}");
    Verdict {
        outcome: Outcome::Stay(StayReason::Unclear(why)),
        trace: Vec::new(),
        would: Vec::new(),
        again_at: None,
        clock_differences: Vec::new(),
    }
}

fn acts(verdict: &Verdict) -> bool {
    !matches!(verdict.outcome, Outcome::Stay(_)) || !verdict.would.is_empty()
}

fn base(look: &Look<'_>, counts: bool) -> CaseUpdate {
    CaseUpdate {
        generation: look.generation,
        version: Some(look.head.version.clone()),
        raw: look.head.raw.clone(),
        customer: look.head.requester.known().cloned().flatten(),
        told_elsewhere: look.record.memory.told_elsewhere.clone(),
        as_read: Some(AsRead::of(look.record)),
        policy: Some(look.policy.version.clone()),
        says_asked: asking::says_asked(look.head),
        ..CaseUpdate::nothing(look.desk.clone(), look.head.id.clone(), counts, look.policy.limits, look.now)
    }
}

fn record_after(update: &mut CaseUpdate, after: After) {
    update.handoff_events.extend(after.happening);
    update.close_paths.extend(after.close);
    update.look_again = earlier(update.look_again, after.look_again);
}

pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
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
    match wanted(&verdict.outcome) {
        Some(wanted) => record_proposal(look, update, wanted, unsent, case),
        None => record_stay(look, update, &verdict, unsent),
    }
    update.verdict = Some(verdict);
}

/// What a verdict wants done.
struct Wanted<'a> {
    proposal: &'a Proposal,
    /// Why a person is asked first.
    risks: &'a [Risk],
    /// How long the current agent is asked for parts first.
    ask_until: Option<Timestamp>,
}

fn wanted(outcome: &Outcome) -> Option<Wanted<'_>> {
    match outcome {
        Outcome::Stay(_) => None,
        Outcome::Route(proposal) | Outcome::Escalate(proposal) => {
            Some(Wanted { proposal, risks: &[], ask_until: None })
        }
        Outcome::AskForParts { proposed, until } => {
            Some(Wanted { proposal: proposed, risks: &[], ask_until: Some(*until) })
        }
        Outcome::AskPerson { proposed, risks } => Some(Wanted { proposal: proposed, risks, ask_until: None }),
    }
}

fn record_stay(look: &Look<'_>, update: &mut CaseUpdate, verdict: &Verdict, unsent: Option<&HandoffRecord>) {
    let asking = unsent.filter(|handoff| handoff.state == HandoffState::Asking);
    if let Some(again) = asking.and_then(|handoff| asking::waits(look, handoff, verdict)) {
        update.look_again = earlier(update.look_again, Some(again));
        return;
    }
    // A pause ends nothing: what is planned waits in the ledger until it is over.
    if verdict.is_paused() {
        return;
    }
    update.handoff_events.extend(unsent.map(|handoff| withdraw(look, handoff, &verdict.outcome)));
    update.asking_over =
        asking.and_then(|handoff| asking::over(look, handoff, Some(asking::why_over(handoff, look, &verdict.outcome))));
}

/// What was decided no longer holds: nothing was sent, so nothing needs to be explained on the ticket, unless an agent
/// asked for it, or a person was asked about it.
fn withdraw(look: &Look<'_>, handoff: &HandoffRecord, outcome: &Outcome) -> HandoffHappening {
    let why = match outcome {
        Outcome::Stay(reason) => format!("stale: read again, the case stays ({})", reason.shown()),
        _ => "stale".to_owned(),
    };
    // One that was still asking for parts says so itself.
    let note = not_after_all(look, handoff, &why).filter(|_| handoff.state != HandoffState::Asking);
    let note = note.or_else(|| review_is_over(look, handoff, outcome));
    HandoffHappening { closing_note: note, ..withdrawn(handoff, why) }
}

fn withdrawn(handoff: &HandoffRecord, why: String) -> HandoffHappening {
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
    wanted: Wanted<'_>,
    unsent: Option<&HandoffRecord>,
    case: &Case,
) {
    let proposal = wanted.proposal;
    let asked_otherwise = |handoff: &HandoffRecord| {
        handoff.state == HandoffState::InReview && wording_changed(&handoff.proposal, proposal).is_some()
    };
    let same = unsent.filter(|handoff| is_same(handoff, proposal) && !asked_otherwise(handoff));
    if let Some(review) = same.filter(|handoff| handoff.state == HandoffState::InReview) {
        // The person is asked already.
        waiting::wait_on(update, look, review, (proposal, wanted.risks), &case.memory);
        return;
    }
    let replaced = unsent.filter(|_| same.is_none());
    // What it replaces ends with it, and has used up its key.
    let ends = |handoff: &HandoffRecord| {
        (&handoff.proposal.rule, &handoff.proposal.episode) == (&proposal.rule, &proposal.episode)
    };
    let nth = look.record.ended(&proposal.rule, &proposal.episode) + u32::from(replaced.is_some_and(ends));
    let goes_on = same.is_some_and(|handoff| handoff.state == HandoffState::Sending);
    let id = same.map_or_else(
        || plan::handoff_id(&proposal.desk, &proposal.ticket, &proposal.rule, &proposal.episode, nth),
        |handoff| handoff.id.clone(),
    );
    if on_desk_already(case, &id) {
        return; // A restored ledger meets its own mark: done before the backup was taken.
    }
    // A person's yes to the same handoff stands, whatever version the ticket has by now, and its note goes on naming them.
    let approved_by = same.and_then(HandoffRecord::yes);
    let asks = !wanted.risks.is_empty() && proposal.mode == Mode::Live && approved_by.is_none();
    let approved = same.filter(|_| approved_by.is_some());
    let reviewed = approved.map(|handoff| as_shown(&handoff.proposal, proposal.clone()));
    let mut proposal = reviewed.unwrap_or_else(|| proposal.clone());
    if wanted.ask_until.is_none() && asks {
        proposal.review = review_plan(look.policy, &proposal, wanted.risks, look.now);
        proposal.alert = look.policy.review_alerts(&proposal, wanted.risks, look.head);
        waiting::begin(update, look, &proposal);
    }
    let proposal = &proposal;
    let (state, effects) = match wanted.ask_until {
        Some(until) => (HandoffState::Asking, asking::begin(look, proposal, &id, until)),
        None if asks => (HandoffState::InReview, Vec::new()),
        None => (HandoffState::Sending, effects(look, proposal, &id, approved_by.as_deref())),
    };
    let was_asking = unsent.filter(|handoff| handoff.state == HandoffState::Asking);
    if let Some(over) = was_asking.filter(|over| over.id != id) {
        let why = format!("rule {} hands the case to {}", proposal.rule, proposal.to);
        update.handoff_events.push(withdrawn(over, format!("superseded by {id}: {why}")));
        update.asking_over = asking::over(look, over, Some(why));
    } else if let Some(over) = was_asking.filter(|_| state != HandoffState::Asking) {
        update.asking_over = asking::over(look, over, None);
    }
    update.handoff = Some(NewHandoff {
        id,
        proposal: proposal.clone(),
        state,
        risks: wanted.risks.to_vec(),
        effects,
        ask_until: wanted.ask_until,
        replaces: replaced.filter(|_| was_asking.is_none()).map(|handoff| handoff.id.clone()),
        // The same took its place when it began, or needed none: a person has said yes.
        needs_place: !case.memory.released.contains(&proposal.rule) && !goes_on,
    });
}

/// Same rule, target and facts: the same handoff, with the same keys, for a newer version of the ticket. One that only asks
/// an agent has decided nothing yet by its facts.
fn is_same(handoff: &HandoffRecord, new: &Proposal) -> bool {
    let old = &handoff.proposal;
    let facts = old.facts_hash == new.facts_hash || handoff.state == HandoffState::Asking;
    old.rule == new.rule && old.to == new.to && facts && old.episode == new.episode
}

fn on_desk_already(case: &Case, id: &str) -> bool {
    let history = case.parts.history.iter().flatten();
    let of_it = |mark: &handoffd_kit::mark::Mark| mark.handoff == id && !plan::comes_before(mark.number);
    history.filter_map(|change| change.mark.as_ref()).any(of_it)
}

/// The effects of a proposal against the ticket as it was just read.
pub(super) fn effects(
    look: &Look<'_>,
    proposal: &Proposal,
    id: &str,
    approved_by: Option<&str>,
) -> Vec<plan::PlannedEffect> {
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
    let signed = look.signed.iter().find(|signed| signed.covers(message, wording))?;
    Some(WordingSignature {
        message: signed.message.clone(),
        wording: signed.wording.clone(),
        signer: signed.signer.clone(),
    })
}
