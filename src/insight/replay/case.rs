//! One case, event by event.

use super::stage::Stage;
use super::{Asks, By, Fire, Then};
use crate::insight::log::{Event, EventLog, Instant, Length};
use crate::policy::alert::Occasion;
use crate::policy::case::{Case, Fired, Memory, Stay};
use crate::policy::decide::decide;
use crate::policy::names::{AlertName, MessageName, RuleName};
use crate::policy::proposal::{CustomerPlan, Proposal};
use crate::policy::roster::Rosters;
use crate::policy::verdict::{Decision, Outcome, RuleResult, Verdict};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{TicketId, Version};
use handoffd_kit::model::{PartKind, PartSet, Parts, Status, TicketHead};
use jiff::Timestamp;
use serde_json::Value;
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
    /// Decisions in which a condition of some rule could not.
    pub unsure: u64,
    /// How often each fact was what was missing.
    pub missing: BTreeMap<String, u64>,
}

impl Done {
    pub fn add(&mut self, more: Done) {
        self.fires.extend(more.fires);
        self.decisions += more.decisions;
        self.unsure += more.unsure;
        for (fact, count) in more.missing {
            *self.missing.entry(fact).or_default() += count;
        }
        for (rule, count) in more.untold {
            *self.untold.entry(rule).or_default() += count;
        }
    }
}

impl Done {
    /// Notes which rules could not be told, and for want of which facts.
    fn note_untold(&mut self, verdict: &Verdict) {
        let mut any = false;
        for trace in &verdict.trace {
            let (RuleResult::Unknown(_, what) | RuleResult::TimeUnknown(what)) = &trace.result else { continue };
            any = true;
            count(&mut self.untold, &trace.rule);
            for fact in what.split(", ") {
                match self.missing.get_mut(fact) {
                    Some(count) => *count += 1,
                    None => drop(self.missing.insert(fact.to_owned(), 1)),
                }
            }
        }
        self.unsure += u64::from(any);
    }
}

fn count(counts: &mut BTreeMap<RuleName, u64>, rule: &RuleName) {
    match counts.get_mut(rule) {
        Some(count) => *count += 1,
        None => drop(counts.insert(rule.clone(), 1)),
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

/// So many cases are done between two words about it.
const TOLD_EVERY: usize = 256;

pub(super) fn replay_all(stage: &Stage<'_>, log: &EventLog, cases: &[&[Event]], told: &dyn Fn(usize)) -> Done {
    let mut done = Done::default();
    for some in cases.chunks(TOLD_EVERY) {
        for events in some {
            Replaying::new(stage, log, events).go(&mut done);
        }
        told(some.len());
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
        head.status = Fact::Known(status(self.log.statuses.name(event.status()), event.done()));
        if let Some(facts) = self.log.facts(&event) {
            head.priority = facts.priority().into();
            head.tags = facts.tags.into();
            head.fields = facts
                .fields
                .into_iter()
                .filter_map(|(name, value)| {
                    let id = self.stage.fields.get(&name)?;
                    Some((id.clone(), value.map_or(Value::Null, Value::String)))
                })
                .collect();
        }
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
        done.note_untold(&verdict);
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
            message: message(&proposal),
            alerts: alerts(&proposal, asks),
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

fn message(proposal: &Proposal) -> Option<MessageName> {
    match &proposal.customer {
        CustomerPlan::Tell { message, .. } => Some(message.clone()),
        CustomerPlan::Nothing { .. } => None,
    }
}

/// The channels that are told at once: of a handoff, or of a person who is asked.
fn alerts(proposal: &Proposal, asks: Asks) -> Vec<AlertName> {
    let occasion = match asks {
        Asks::Nobody => Occasion::Handoff,
        Asks::Review => Occasion::Review,
        Asks::Parts => return Vec::new(),
    };
    proposal.alert.told.get(&occasion).cloned().unwrap_or_default()
}

/// Where the log speaks of statuses in our own words they are taken as such; else a case is open or solved.
fn status(word: &str, done: bool) -> Status {
    let open = [Status::New, Status::Open, Status::Pending, Status::OnHold];
    let over = [Status::Solved, Status::Closed];
    let (known, default) = if done { (&over[..], Status::Solved) } else { (&open[..], Status::Open) };
    known.iter().copied().find(|status| status.name() == word).unwrap_or(default)
}

fn proposed(verdict: Verdict) -> Option<(Proposal, Asks)> {
    match verdict.outcome {
        Outcome::Stay(_) => None,
        Outcome::Route(proposal) | Outcome::Escalate(proposal) => Some((*proposal, Asks::Nobody)),
        Outcome::AskForParts { proposed, .. } => Some((*proposed, Asks::Parts)),
        Outcome::AskPerson { proposed, .. } => Some((*proposed, Asks::Review)),
    }
}
