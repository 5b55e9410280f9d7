//! What becomes of a handoff that nobody of the receiving team has claimed in time: who is asked next, and when. Pure.
//!
//! The wait is a look of the case; each look works its end out anew from the handoff, so nothing is remembered but how many
//! steps of the chain were taken, and when the last of them was. Nobody is overruled: each step is decided on the ticket as
//! just read, and whoever has acted since ends the wait. A step that hands the case on ([`hand_on`]) is a handoff of its own.

mod hand_on;

use super::after::{After, made_owner};
use super::examine::{Look, earlier};
use super::past::unread;
use super::reminders::{anew, to_come};
use crate::ledger::records::{CaseUpdate, ClaimWait, EffectRecord, HandoffHappening, HandoffRecord};
use crate::ledger::states::{HandoffEvent, HandoffState};
use crate::plan::reminder::{Reminder, reminder, step_of};
use crate::policy::case::{ClosedPath, Memory};
use crate::policy::due::Due;
use crate::policy::hold::may_write;
use crate::policy::names::TeamName;
use crate::policy::proposal::{ClaimPlan, HandoffKind};
use crate::policy::rules::Unclaimed;
use crate::policy::teams::Team;
use crate::policy::verdict::{Outcome, StayReason, Verdict};
use hand_on::{HandOn, hand_on, planned_before};
use handoffd_kit::desk::OwnerSpec;
use handoffd_kit::model::{Change, PartKind, Status};
use jiff::Timestamp;

/// What a look makes of it.
#[derive(Default)]
pub enum Chain {
    /// Nothing is waited for.
    #[default]
    Nothing,
    /// The history must be read to tell.
    NeedHistory,
    /// There is time left, or nobody left to ask.
    Wait(ClaimWait),
    /// The time is over, and a kill switch holds the next step back.
    Paused(ClaimWait),
    /// Somebody of the team is asked, where the rules leave the case where it is.
    Remind {
        /// With the step.
        asked: ClaimWait,
        /// Without it.
        held: ClaimWait,
    },
    /// The case is handed on.
    HandOn(Box<HandOn>),
    /// What was planned is not wanted any more.
    Over {
        /// What happened, its end among it.
        happenings: Vec<HandoffHappening>,
        /// How long is waited before it is planned again; none: the ledger knows, or nobody is waited for any more.
        wait: Option<ClaimWait>,
    },
}

/// Judges the latest handoff. `memory` knows the stays that this look found; `unsent` is a handoff of which nothing was sent.
pub fn chain(look: &Look<'_>, after: &After, memory: &Memory, unsent: Option<&HandoffRecord>) -> Chain {
    if let Some(planned) = unsent.filter(|handoff| handoff.proposal.chained.is_some()) {
        return planned_before(look, memory, planned);
    }
    let Some(handoff) = look.record.handoff.as_ref() else { return Chain::Nothing };
    let plan = handoff.proposal.owner.claim.as_ref().filter(|_| is_waited_for(look, handoff, after, memory));
    let reached = Reached::of(handoff, look);
    let awaited = plan.and_then(|plan| {
        let team = look.policy.teams.get(&handoff.proposal.to)?;
        Some((plan, team, team.due(reached.since, plan.within)?))
    });
    match awaited {
        Some((plan, team, due)) => Wait { look, handoff, memory, plan, team, due, reached }.judged(),
        None if handoff.claim_due.is_some() => Chain::Wait(ClaimWait::over(handoff)),
        None => Chain::Nothing,
    }
}

/// Whether the receiving team still has it and has not acted.
fn is_waited_for(look: &Look<'_>, handoff: &HandoffRecord, after: &After, memory: &Memory) -> bool {
    let happening = after.happening.as_ref();
    let claimed = handoff.claimed.is_some() || happening.is_some_and(|happening| happening.claimed.is_some());
    let ended = happening.and_then(|happening| happening.event).is_some_and(|event| event != HandoffEvent::Verified);
    let there = memory.stay.as_ref().is_some_and(|stay| stay.team == handoff.proposal.to);
    let sent = matches!(handoff.state, HandoffState::Verifying | HandoffState::Settled);
    sent && there && !claimed && !ended && !is_over(look)
}

fn is_readable(look: &Look<'_>) -> bool {
    look.capabilities.readable_history && !look.refused.has(PartKind::History)
}

fn is_over(look: &Look<'_>) -> bool {
    look.head.ending.is_some() || matches!(look.head.status.known(), Some(Status::Solved | Status::Closed))
}

/// How far a wait has come.
#[derive(Clone, Copy)]
struct Reached {
    /// How many steps of the chain were taken.
    steps: u32,
    /// From when on the time for the next one counts.
    since: Timestamp,
    /// Whether the ledger does not know that yet.
    is_news: bool,
}

impl Reached {
    /// As the ledger says, unless it was restored and the ticket bears reminders that it has forgotten. A case that was over
    /// and is opened again has its whole time again: nobody could have been expected to take it on meanwhile.
    fn of(handoff: &HandoffRecord, look: &Look<'_>) -> Self {
        let since = handoff.unclaimed_at.or(handoff.sent_at).unwrap_or(handoff.created_at);
        let known = Self { steps: handoff.unclaimed_steps, since, is_news: false };
        let reminded = |change: &Change| {
            let mark = change.mark.as_ref().filter(|mark| mark.handoff == handoff.id)?;
            Some((step_of(mark.number)? + 1, change.at))
        };
        let on_ticket = look.parts.history.iter().flatten().filter_map(reminded).max_by_key(|(steps, _)| *steps);
        let reached = match on_ticket {
            Some((steps, since)) if steps > known.steps => Self { steps, since, is_news: true },
            _ => known,
        };
        if look.record.ended_at.is_some() { Self { since: look.now, is_news: true, ..reached } } else { reached }
    }

    /// The next step.
    fn next(self, plan: &ClaimPlan) -> Option<&Unclaimed> {
        usize::try_from(self.steps).ok().and_then(|at| plan.chain.get(at))
    }
}

/// A handoff that is waited for.
struct Wait<'a> {
    look: &'a Look<'a>,
    handoff: &'a HandoffRecord,
    memory: &'a Memory,
    plan: &'a ClaimPlan,
    /// The receiving team.
    team: &'a Team,
    /// Until when it has time for the next step.
    due: Due,
    /// How far it has come.
    reached: Reached,
}

impl Wait<'_> {
    fn judged(&self) -> Chain {
        let look = self.look;
        if let Some(reminder) = to_come(self.handoff) {
            return if self.may_hide_a_claim() { Chain::NeedHistory } else { self.remind_still(reminder) };
        }
        let step = self.reached.next(self.plan).filter(|_| look.now >= self.due.at);
        let Some(step) = step else { return Chain::Wait(self.waits()) };
        if self.is_paused() {
            return Chain::Paused(self.waits());
        }
        // Handoffs under way keep their policy; what may write now, the present one says.
        if !may_write(&self.handoff.proposal.rule, look.policy, &self.memory.signed_rules) {
            return Chain::Wait(self.waits());
        }
        if self.may_hide_a_claim() {
            return Chain::NeedHistory;
        }
        let giver = self.handoff.proposal.giver().map(|giver| giver.team);
        let (to, kind) = match step {
            Unclaimed::Lead => return self.remind(None),
            Unclaimed::Team(to) => (Some(to), HandoffKind::Escalate),
            Unclaimed::Back => (giver.as_ref(), HandoffKind::Unclaimed),
        };
        match (self.is_owned_by_choice(), receiver(to, look, self.memory)) {
            (None, _) => Chain::NeedHistory,
            (Some(true), _) => Chain::Wait(self.waits()),
            (Some(false), Ok(to)) => hand_on(self, to, kind),
            // The team that has it is told, instead of nobody.
            (Some(false), Err(why)) => self.remind(Some((step, why))),
        }
    }

    /// Whether the history is still to be read before anybody is reminded or loses the case, even if nothing is new: the look
    /// that a claim brought may not have been able to judge it. Its author was not known yet as one of the team, another
    /// handoff was judged in that look, the desk did not give the history, or the version of the ticket did not show the
    /// change. With the history read, [`super::after`] judges all of it.
    fn may_hide_a_claim(&self) -> bool {
        unread(self.look).is_some()
    }

    /// Whether a person has made somebody its owner since, of the team or not: then it is not taken from them. None: the
    /// history must be read to tell.
    fn is_owned_by_choice(&self) -> Option<bool> {
        let Some(owner) = self.look.head.owner.known().and_then(|owner| owner.as_ref()) else { return Some(false) };
        if self.handoff.proposal.owner.set == OwnerSpec::User(owner.id.clone()) {
            return Some(false);
        }
        match self.look.parts.history.as_deref() {
            Some(history) => Some(made_owner(&self.handoff.id, history) == Some(&owner.id)),
            None if is_readable(self.look) => None,
            None => Some(true),
        }
    }

    /// As it stands, without a step.
    fn waits(&self) -> ClaimWait {
        ClaimWait {
            handoff: self.handoff.id.clone(),
            due: Some(self.due.at),
            steps: self.reached.steps,
            since: self.reached.is_news.then_some(self.reached.since),
            effects: Vec::new(),
        }
    }

    fn is_paused(&self) -> bool {
        self.memory.switched_off.stops(&self.handoff.proposal.rule)
    }

    /// Still nobody has claimed the case: the reminder goes out for the ticket as it is now.
    fn remind_still(&self, reminder: &EffectRecord) -> Chain {
        let held = self.waits();
        match anew(reminder, self.look.head) {
            Some(anew) => Chain::Remind { asked: ClaimWait { effects: vec![anew], ..held.clone() }, held },
            None => Chain::Wait(held),
        }
    }

    /// Its lead is asked. `cannot`: a step that should have taken the case elsewhere and cannot be taken, with why.
    fn remind(&self, cannot: Option<(&Unclaimed, String)>) -> Chain {
        let (look, team) = (self.look, self.team);
        let next = team.due(look.now, self.plan.within);
        let name = team.lead.as_ref();
        let person = name.and_then(|lead| look.policy.people.get(lead));
        let known = look.rosters.of(team, look.now).ok().zip(person).and_then(|(roster, person)| {
            roster.members.iter().find(|member| member.is(person, &team.desk)).and_then(|member| member.name.clone())
        });
        let nobody = || match cannot {
            Some(_) => format!("Somebody of {}", team.name),
            None => format!("The lead of {}", team.name),
        };
        let steps = self.reached.steps + 1;
        let then = Reached { steps, ..self.reached }.next(self.plan);
        let told = Reminder {
            lead: name.map_or_else(nobody, ToString::to_string),
            known_as: known,
            due: &self.due,
            step: self.reached.steps,
            cannot: cannot.as_ref().map(|(step, why)| (*step, why.as_str())),
            then: then.zip(next.as_ref()),
            now: look.now,
        };
        let effect = reminder(&self.handoff.proposal, &self.handoff.id, &told, look.capabilities, look.head);
        let asked = ClaimWait {
            handoff: self.handoff.id.clone(),
            due: next.map(|due| due.at),
            steps,
            since: Some(look.now),
            effects: vec![effect],
        };
        Chain::Remind { asked, held: self.waits() }
    }
}

/// The team that a step leads to; else why it cannot go there, in words.
fn receiver<'a>(to: Option<&TeamName>, look: &Look<'a>, memory: &Memory) -> Result<&'a Team, String> {
    let to = to.ok_or("it is not known from which team it came")?;
    let team = look.policy.teams.get(to).ok_or_else(|| format!("the policy knows no team {to} any more"))?;
    if team.desk != *look.desk {
        return Err(format!("the cases of {to} are on the desk {} now", team.desk));
    }
    if memory.queues_gone.contains(&team.queue) {
        return Err(format!("the desk shows no queue \"{}\" any more", team.queue.shown()));
    }
    Ok(team)
}

/// What goes with a verdict because of the chain.
#[derive(Default)]
pub struct Effective {
    /// A handoff that was planned is not wanted any more: its end stands in `happenings`.
    pub over: bool,
    wait: Option<ClaimWait>,
    happenings: Vec<HandoffHappening>,
    close: Option<ClosedPath>,
}

impl Effective {
    fn waiting(wait: ClaimWait) -> Self {
        Self { wait: Some(wait), ..Self::default() }
    }

    /// Into what the look records.
    pub fn record(self, update: &mut CaseUpdate, now: Timestamp) {
        let due = self.wait.as_ref().and_then(|wait| wait.due).filter(|due| *due > now);
        update.look_again = earlier(update.look_again, due);
        update.claim = self.wait;
        update.handoff_events.extend(self.happenings);
        update.close_paths.extend(self.close);
    }
}

impl Chain {
    /// The verdict with it. The policy's own rules go first: a case that they hand on needs no chain.
    pub fn decide(self, verdict: Verdict, look: &Look<'_>, memory: &Memory) -> (Verdict, Effective) {
        match self {
            Self::Nothing | Self::NeedHistory => (verdict, Effective::default()),
            Self::Wait(wait) => (verdict, Effective::waiting(wait)),
            Self::Paused(wait) => {
                let stays = matches!(verdict.outcome, Outcome::Stay(_));
                let outcome = if stays { Outcome::Stay(StayReason::Paused) } else { verdict.outcome };
                (Verdict { outcome, ..verdict }, Effective::waiting(wait))
            }
            Self::Remind { asked, held } => {
                let wait = if leaves_it_there(&verdict) { asked } else { held };
                (verdict, Effective::waiting(wait))
            }
            Self::Over { happenings, wait } => {
                (verdict, Effective { over: true, wait, happenings, ..Effective::default() })
            }
            Self::HandOn(on) => on.decide(verdict, look, memory),
        }
    }
}

/// Whether the policy's own rules leave the case where it is, and nothing holds handoffs back.
fn leaves_it_there(verdict: &Verdict) -> bool {
    use StayReason::{Ended, Never, Paused, UnderWay};
    match &verdict.outcome {
        Outcome::Stay(reason) => !matches!(reason, Ended | Never | Paused | UnderWay),
        _ => false,
    }
}
