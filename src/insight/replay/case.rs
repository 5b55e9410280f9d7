//! One case, event by event.

use super::stage::Stage;
use super::{Asks, By, Fire, Then};
use crate::insight::log::{Event, EventLog, Instant, Length};
use crate::policy::case::{Case, Fired, Memory, Stay};
use crate::policy::decide::decide;
use crate::policy::names::RuleName;
use crate::policy::proposal::Proposal;
use crate::policy::roster::Rosters;
use crate::policy::verdict::{Decision, Outcome, RuleResult, Verdict};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{TicketId, Version};
use handoffd_kit::model::{PartKind, PartSet, Parts, Status, TicketHead};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// So many instants between two events at most: a policy that waits in ever smaller steps must come to an end.
const MOST_INSTANTS: u32 = 1_000;

/// What came of some cases.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub fires: Vec<Fire>,
    pub decisions: u64,
    /// How often a condition of each rule could not be told.
    pub untold: BTreeMap<RuleName, u64>,
}

impl Done {
    pub fn add(&mut self, more: Done) {
        self.fires.extend(more.fires);
        self.decisions += more.decisions;
        for (rule, count) in more.untold {
            *self.untold.entry(rule).or_default() += count;
        }
    }
}

impl Fire {
    /// How much earlier than people.
    pub(super) fn earlier(&self) -> Option<Length> {
        match self.then {
            Then::Confirmed { earlier_s } => Some(Length::of_seconds(earlier_s)),
            Then::Never => None,
        }
    }
}

pub(super) fn replay_all(stage: &Stage<'_>, log: &EventLog, cases: &[&[Event]]) -> Done {
    let mut done = Done::default();
    for events in cases {
        Replaying::new(stage, log, events).go(&mut done);
    }
    done
}

struct Replaying<'r> {
    stage: &'r Stage<'r>,
    log: &'r EventLog,
    events: &'r [Event],
    case: Case,
    /// The team of the log that holds it.
    team: Option<u32>,
}

impl<'r> Replaying<'r> {
    fn new(stage: &'r Stage<'r>, log: &'r EventLog, events: &'r [Event]) -> Self {
        let name = events.first().map_or("", |event| log.cases.name(event.case));
        let mut head = TicketHead::unknown(TicketId::new(name), Version::new("0"));
        head.created_at = events.first().map_or(Fact::Unknown, |event| Fact::Known(event.at.timestamp()));
        // The log has nothing of these: what takes one is unknown, and never asked for.
        let asked = PartSet::of(&[PartKind::Conversation, PartKind::Customer, PartKind::History, PartKind::Clocks]);
        let memory = Memory { counts: true, ..Memory::default() };
        let (parts, rosters) = (Parts::default(), Rosters::default());
        let case = Case { desk: stage.desk.clone(), head, parts, asked, memory, rosters };
        Self { stage, log, events, case, team: None }
    }

    fn go(mut self, done: &mut Done) {
        for at in 0..self.events.len() {
            self.happen(at);
            let now = self.events[at].at;
            let next = self.events.get(at + 1).map(|event| event.at);
            // Events of one instant are one look, as a desk would show them.
            if next == Some(now) {
                continue;
            }
            let mut again = self.ask(at, now.timestamp(), By::Event, done);
            for _ in 0..MOST_INSTANTS {
                let before_next = |instant: &Timestamp| next.is_none_or(|next| Instant::of(*instant) < next);
                let Some(instant) = again.filter(before_next) else { break };
                let later = self.ask(at, instant, By::Time, done);
                again = later.filter(|later| *later > instant);
            }
        }
    }

    /// What an event changes.
    fn happen(&mut self, at: usize) {
        let event = self.events[at];
        let instant = event.at.timestamp();
        let head = &mut self.case.head;
        head.version = Version::new((at + 1).to_string());
        head.updated_at = Fact::Known(instant);
        head.status = Fact::Known(if event.done() { Status::Solved } else { Status::Open });
        let Some(team) = event.team() else { return };
        let ours = usize::try_from(team).ok().and_then(|at| self.stage.teams.get(at)).and_then(Option::as_ref);
        head.queue = Fact::Known(ours.map(|(_, queue)| queue.clone()));
        if self.team.replace(team) == Some(team) {
            return;
        }
        let memory = &mut self.case.memory;
        let before = memory.stay.take();
        let Some((name, _)) = ours else { return };
        let known = memory.teams_seen.contains(name);
        memory.hops += u32::from(before.as_ref().is_some_and(|stay| stay.team != *name));
        memory.returns += u32::from(known);
        if !known {
            memory.teams_seen.push(name.clone());
        }
        memory.stay = Some(Stay { team: name.clone(), episode: format!("e{at}"), since: instant });
    }

    /// Decides now; what fires is noted, so that it fires once. Gives when something could come out differently.
    fn ask(&mut self, at: usize, now: Timestamp, by: By, done: &mut Done) -> Option<Timestamp> {
        done.decisions += 1;
        let verdict = match decide(&self.case, &self.stage.policy, &|_, _| true, now) {
            Decision::Verdict(verdict) => verdict,
            Decision::Need(_) => return None,
        };
        for trace in verdict
            .trace
            .iter()
            .filter(|trace| matches!(trace.result, RuleResult::Unknown(..) | RuleResult::TimeUnknown(_)))
        {
            *done.untold.entry(trace.rule.clone()).or_default() += 1;
        }
        let again_at = verdict.again_at;
        let Some((proposal, asks)) = proposed(verdict) else { return again_at };
        done.fires.push(Fire {
            case: self.case.head.id.to_string(),
            rule: proposal.rule.clone(),
            version: proposal.rule_version.clone(),
            from: self.team.filter(|_| proposal.from.is_some()).map(|team| self.log.teams.name(team).to_owned()),
            to: proposal.to.clone(),
            at: now,
            age_s: Instant::of(now).since(self.events.first().map_or(Instant::of(now), |event| event.at)),
            by,
            asks,
            then: self.then(at, now),
        });
        self.case.memory.fired.push(Fired { rule: proposal.rule, episode: proposal.episode });
        again_at
    }

    /// Whether people took the case out of the team's tier later.
    fn then(&self, at: usize, now: Timestamp) -> Then {
        let tier = |team: Option<u32>| {
            team.and_then(|team| usize::try_from(team).ok()).and_then(|at| self.stage.tiers.get(at)).copied().flatten()
        };
        let held = tier(self.team);
        let later = self.events[at + 1..].iter().find(|event| event.team().is_some() && tier(event.team()) != held);
        later.map_or(Then::Never, |event| Then::Confirmed { earlier_s: event.at.since(Instant::of(now)).as_seconds() })
    }
}

fn proposed(verdict: Verdict) -> Option<(Proposal, Asks)> {
    match verdict.outcome {
        Outcome::Stay(_) => None,
        Outcome::Route(proposal) | Outcome::Escalate(proposal) => Some((*proposal, Asks::Nobody)),
        Outcome::AskForParts { proposed, .. } => Some((*proposed, Asks::Parts)),
        Outcome::AskPerson { proposed, .. } => Some((*proposed, Asks::Review)),
    }
}
