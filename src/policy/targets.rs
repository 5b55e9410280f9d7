//! Our own clocks, `[targets.NAME]`: where a desk has none. The first target whose condition holds is the case's. What a
//! clock has used up is told by the conversation and the history; nothing of it is kept, so nothing can drift.

use super::activity::{Learnt, is_reply_by};
use super::case::Case;
use super::clocks::{ClockName, Source, Standing};
use super::condition::{Answer, Condition};
use super::due::{Counts, Due, TeamHours, Wait, instant, told};
use super::facts::Facts;
use super::names::TargetName;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{ClockState, PartKind, PartSet, Role, Status, What};
use jiff::Timestamp;
use std::sync::Arc;

/// Clocks of our own, for the cases that its condition holds for.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its key.
    pub name: TargetName,
    /// Which cases it is for; all must hold.
    pub when: Vec<Condition>,
    /// The hours it counts in; none: those of the team that has the case.
    pub hours: Option<Arc<TeamHours>>,
    /// Until the first public reply of an agent.
    pub first_reply: Option<Wait>,
    /// Until an agent answers the customer's last word.
    pub next_reply: Option<Wait>,
    /// Until the case is solved.
    pub resolution: Option<Wait>,
    /// In these statuses the resolution clock stands still.
    pub paused_in: Vec<Status>,
}

impl Target {
    /// How long its clock of this name runs; none: it gives none.
    pub fn length(&self, clock: ClockName) -> Option<Wait> {
        match clock {
            ClockName::FirstReply => self.first_reply,
            ClockName::NextReply => self.next_reply,
            ClockName::Resolution => self.resolution,
            ClockName::Internal => None,
        }
    }
}

/// How our own clock of this name stands; none: no target gives the case one.
pub fn own_clock(facts: &Facts<'_>, name: ClockName) -> Learnt<Option<Standing>> {
    let target = match target_of(facts) {
        Learnt::Known(Some(target)) => target,
        Learnt::Known(None) => return Learnt::Known(None),
        Learnt::Unread(part) => return Learnt::Unread(part),
        Learnt::Unknown => return Learnt::Unknown,
    };
    let Some(wait) = target.length(name) else { return Learnt::Known(None) };
    let hours = target.hours.as_deref().or(facts.team().and_then(|team| team.hours.as_deref()));
    let own = Own { target, wait, hours, case: facts.case(), now: facts.now() };
    match name {
        ClockName::FirstReply => own.first_reply(),
        ClockName::NextReply => own.next_reply(),
        ClockName::Resolution => own.resolution(),
        ClockName::Internal => Learnt::Known(None),
    }
}

/// The case's target: the first one that holds. One that cannot be told hides those behind it.
fn target_of<'a>(facts: &Facts<'a>) -> Learnt<Option<&'a Target>> {
    for target in &facts.policy().targets {
        let mut holds = true;
        for condition in &target.when {
            match condition.ask(facts) {
                Answer::Holds => {}
                Answer::Fails => {
                    holds = false;
                    break;
                }
                Answer::Unknown(missing) => {
                    return first_of(missing.unread).map_or(Learnt::Unknown, Learnt::Unread);
                }
            }
        }
        if holds {
            return Learnt::Known(Some(target));
        }
    }
    Learnt::Known(None)
}

fn first_of(parts: PartSet) -> Option<PartKind> {
    let kinds = [PartKind::Conversation, PartKind::History, PartKind::Customer, PartKind::Clocks];
    kinds.into_iter().find(|kind| parts.has(*kind))
}

/// One clock of a case.
struct Own<'a> {
    target: &'a Target,
    wait: Wait,
    hours: Option<&'a TeamHours>,
    case: &'a Case,
    now: Timestamp,
}

impl Own<'_> {
    fn first_reply(&self) -> Learnt<Option<Standing>> {
        let Some(said) = &self.case.parts.conversation else { return self.lacking(PartKind::Conversation) };
        let Fact::Known(opened) = &self.case.head.created_at else { return Learnt::Unknown };
        let replied = said.messages.iter().find(|message| is_reply_by(message, Role::Agent)).map(|reply| reply.at);
        if replied.is_none() && !said.complete {
            return Learnt::Unknown;
        }
        self.between(*opened, replied)
    }

    /// Runs from the first word of the customer that nobody has answered; before the first reply there is none.
    fn next_reply(&self) -> Learnt<Option<Standing>> {
        let Some(said) = &self.case.parts.conversation else { return self.lacking(PartKind::Conversation) };
        if !said.complete {
            return Learnt::Unknown;
        }
        let by = |role| move |message: &&handoffd_kit::model::Message| is_reply_by(message, role);
        let Some(replied) = said.messages.iter().filter(by(Role::Agent)).map(|reply| reply.at).max() else {
            return Learnt::Known(None);
        };
        let open = said.messages.iter().filter(by(Role::Customer)).map(|word| word.at).filter(|at| *at > replied).min();
        match open {
            Some(asked) => self.between(asked, None),
            None => self.standing(ClockState::Met, None),
        }
    }

    fn resolution(&self) -> Learnt<Option<Standing>> {
        let Fact::Known(opened) = &self.case.head.created_at else { return Learnt::Unknown };
        if self.target.paused_in.is_empty() {
            return self.between(*opened, None);
        }
        let Some(runs) = self.runs(*opened) else { return self.lacking(PartKind::History) };
        let mut left = self.wait.length;
        for (from, to) in runs {
            let Some(due) = self.due(from, Wait { length: left, ..self.wait }) else { return Learnt::Unknown };
            match to {
                Some(to) if due.at > to => left = left.saturating_sub(self.counted(from, to)),
                _ => return self.running(due),
            }
        }
        self.standing(ClockState::Paused, None)
    }

    /// When the clock ran: from each instant to the next pause; none: until now and on. `None`: the history was not read.
    fn runs(&self, opened: Timestamp) -> Option<Vec<(Timestamp, Option<Timestamp>)>> {
        let history = self.case.parts.history.as_ref()?;
        let turns = history.iter().flat_map(|change| {
            change.what.iter().filter_map(move |what| match what {
                What::Status { from, to } => Some((change.at, *from, *to)),
                _ => None,
            })
        });
        let stands = |status: Option<Status>| status.is_some_and(|status| self.target.paused_in.contains(&status));
        let mut turns = turns.peekable();
        let first = turns.peek().map_or(self.case.head.status.known().copied(), |(_, from, _)| *from);
        let mut runs = Vec::new();
        let mut since = (!stands(first)).then_some(opened);
        for (at, _, to) in turns {
            match (since, stands(to)) {
                (Some(from), true) => {
                    runs.push((from, Some(at)));
                    since = None;
                }
                (None, false) => since = Some(at),
                _ => {}
            }
        }
        runs.extend(since.map(|from| (from, None)));
        Some(runs)
    }

    fn counted(&self, from: Timestamp, to: Timestamp) -> jiff::SignedDuration {
        match self.hours.filter(|_| self.wait.counts == Counts::TeamHours) {
            Some(hours) => hours.calendar.between(from, to),
            None => to.duration_since(from),
        }
    }

    /// From an instant until what it waits for has happened.
    fn between(&self, from: Timestamp, happened: Option<Timestamp>) -> Learnt<Option<Standing>> {
        let Some(due) = self.due(from, self.wait) else { return Learnt::Unknown };
        match happened {
            None => self.running(due),
            Some(at) if at <= due.at => self.standing(ClockState::Met, None),
            Some(_) => self.standing(ClockState::Breached, None),
        }
    }

    fn running(&self, due: Due) -> Learnt<Option<Standing>> {
        let state = if due.at <= self.now { ClockState::Breached } else { ClockState::Running };
        self.standing(state, Some(due))
    }

    fn standing(&self, state: ClockState, due: Option<Due>) -> Learnt<Option<Standing>> {
        let at = due.as_ref().map(|due| due.at);
        let source = Source::Target(self.target.name.clone());
        Learnt::Known(Some(Standing { state, at, over: at.is_none() && state != ClockState::Paused, due, source }))
    }

    fn due(&self, from: Timestamp, wait: Wait) -> Option<Due> {
        let (at, working) = instant(self.hours, from, wait)?;
        Some(told(self.hours, from, at, wait, &working))
    }

    fn lacking(&self, part: PartKind) -> Learnt<Option<Standing>> {
        if self.case.asked.has(part) { Learnt::Unknown } else { Learnt::Unread(part) }
    }
}
