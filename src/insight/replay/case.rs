//! One case, event by event.

use super::fire::{Answer, Answers, Asks, By, Fire, Perhaps, SameTeam, Then};
use super::stage::{Place, Stage};
use crate::insight::log::{Event, EventLog, Instant};
use crate::policy::case::{Case, Fired, Memory, Stay};
use crate::policy::decide::decide;
use crate::policy::names::{MessageName, RuleName, TeamName};
use crate::policy::proposal::Proposal;
use crate::policy::roster::Rosters;
use crate::policy::rules::{CustomerDecision, Missing};
use crate::policy::silence::{Quiet, Silencer};
use crate::policy::verdict::{Decision, Outcome, Risk, RuleResult, Verdict};
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
    /// What they would have done.
    pub answers: Answers,
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
        let numbers = self.answers.add(more.answers);
        self.fires.extend(more.fires.into_iter().map(|fire| {
            let number = usize::try_from(fire.answer).ok().and_then(|at| numbers.get(at));
            Fire { answer: number.copied().unwrap_or(fire.answer), ..fire }
        }));
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
    stays: Stays,
}

/// The last stays, as the ledger counts them: one with no team of the policy's is a stay too.
#[derive(Debug, Default)]
struct Stays {
    before: [Option<TeamName>; 2],
    last_team: Option<TeamName>,
}

impl Stays {
    fn begin(&mut self, team: Option<&TeamName>, memory: &mut Memory) {
        if let Some(team) = team {
            let moved = self.last_team.as_ref().is_some_and(|last| last != team);
            let seen = memory.teams_seen.contains(team);
            memory.hops += u32::from(moved);
            memory.returns += u32::from(seen && self.before[1].as_ref() != Some(team));
            memory.bounces += u32::from(moved && self.before[0].as_ref() == Some(team) && self.before[1].is_some());
            if !seen {
                memory.teams_seen.push(team.clone());
            }
            self.last_team = Some(team.clone());
        }
        self.before = [self.before[1].take(), team.cloned()];
    }
}

impl<'r> Replaying<'r> {
    fn new(stage: &'r Stage<'r>, log: &'r EventLog, events: &'r [Event]) -> Self {
        let name = events.first().map_or("", |event| log.cases.name(event.case));
        let mut head = TicketHead::unknown(TicketId::new(name), Version::new("0"));
        // Until an event names a team it lies in no queue: that is where routing decides.
        head.queue = Fact::Known(None);
        head.created_at = events.first().map_or(Fact::Unknown, |event| Fact::Known(event.at.timestamp()));
        // The log has nothing of these: what takes one is unknown, and never asked for.
        let asked = PartSet::of(&[PartKind::Conversation, PartKind::Customer, PartKind::History, PartKind::Clocks]);
        let memory = Memory { counts: true, ..Memory::default() };
        let (parts, rosters) = (Parts::default(), Rosters::default());
        let case = Case { desk: stage.desk.clone(), head, parts, asked, memory, rosters };
        Self { stage, log, events, case, team: None, stays: Stays::default() }
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
        // An event without a team parts no stay: the case lies where it lay.
        let Some(team) = event.team() else { return };
        if self.team.replace(team) == Some(team) {
            return;
        }
        let Some(place) = self.stage.place(team) else { return };
        head.queue = Fact::Known(Some(place.queue().clone()));
        let name = match place {
            Place::Team(name, _) => Some(name),
            Place::Intake(_) | Place::Foreign(_) => None,
        };
        let memory = &mut self.case.memory;
        self.stays.begin(name, memory);
        memory.stay = name.map(|name| Stay { team: name.clone(), episode: format!("e{at}"), since: instant });
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
        let Some((proposal, risks)) = proposed(verdict) else { return again_at };
        let answer = self.answer(&proposal, &risks, now);
        if answer.message.is_some() {
            // Those who have just been written to are left in peace, as the rule says.
            self.case.memory.last_public_message = Some(now);
        }
        let at_now = Instant::of(now);
        let internal = proposal.clock.internal_until.as_ref().map(|due| Instant::of(due.at).since(at_now));
        let same_team = self.same_team(at, at_now, &proposal.to);
        done.fires.push(Fire {
            case: self.events.first().map_or(0, |event| event.case),
            answer: done.answers.number(answer),
            from: self.team.filter(|_| proposal.from.is_some()),
            at: at_now,
            age: at_now.since(self.events.first().map_or(at_now, |event| event.at)),
            internal,
            by,
            then: self.then(at, at_now, &proposal),
            same_team,
        });
        self.case.memory.fired.push(Fired { rule: proposal.rule, episode: proposal.episode });
        again_at
    }

    /// What would have been done, as far as a log can tell.
    fn answer(&self, proposal: &Proposal, risks: &[Risk], now: Timestamp) -> Answer {
        let asks = if risks.iter().any(is_certain) { Asks::Review } else { Asks::Nobody };
        // What a package has comes from the conversation, and a log has none: whether a part is missing is not known.
        let parts = match self.stage.missing(&proposal.rule) {
            _ if proposal.missing().is_empty() => None,
            Missing::Ask { .. } => Some(Perhaps::Parts),
            Missing::Review => Some(Perhaps::Review),
            Missing::Send => None,
        };
        let review = (!risks.is_empty()).then_some(Perhaps::Review);
        let perhaps_asks = parts.or(review).filter(|one| *one != Perhaps::Review || asks != Asks::Review);
        Answer {
            rule: self.stage.number(&proposal.rule),
            to: proposal.to.clone(),
            asks,
            perhaps_asks,
            message: self.message(proposal, now),
            told: proposal.alert.told.clone(),
        }
    }

    /// The message of the rule, unless something that a log shows holds it back. Who the customer is, and with that whether
    /// they may be written to, no log says.
    fn message(&self, proposal: &Proposal, now: Timestamp) -> Option<MessageName> {
        let mut escalations = self.stage.policy.escalations.iter();
        let escalation = escalations.find(|escalation| escalation.rule.name == proposal.rule)?;
        let CustomerDecision::Message { name, quiet_for, after_reply, .. } = &escalation.customer else { return None };
        let quiet = Quiet { after_ours: *quiet_for, after_agent: *after_reply };
        let silencer =
            Silencer { case: &self.case, to: &proposal.to, quiet, suppress: &self.stage.policy.suppress, now };
        silencer.at_once().is_none().then(|| name.clone())
    }

    /// The first later event with a team that fits.
    fn later(&self, at: usize, fits: impl Fn(u32) -> bool) -> Option<Instant> {
        let mut later = self.events.iter().skip(at + 1);
        later.find(|event| event.team().is_some_and(&fits)).map(|event| event.at)
    }

    fn same_team(&self, at: usize, now: Instant, to: &TeamName) -> SameTeam {
        if !self.stage.in_log(to) {
            return SameTeam::NotInLog;
        }
        let later = self.later(at, |team| self.stage.is_team(team, to));
        later.map_or(SameTeam::Never, |then| SameTeam::Later { earlier_s: then.since(now).as_seconds() })
    }

    /// Whether people took the case out of the team's tier later; of a route: brought it to that team, or where the log does
    /// not have it, to one that stands in for those of its tier.
    fn then(&self, at: usize, now: Instant, proposal: &Proposal) -> Then {
        let stage = self.stage;
        let later = if proposal.from.is_some() {
            let held = self.team.and_then(|team| stage.tier(team));
            self.later(at, |team| stage.tier(team) != held)
        } else if stage.in_log(&proposal.to) {
            self.later(at, |team| stage.is_team(team, &proposal.to))
        } else {
            let wanted = stage.policy.teams.get(&proposal.to).map(|team| team.tier);
            self.later(at, |team| stage.tier(team).is_some_and(|tier| Some(tier) == wanted))
        };
        later.map_or(Then::Never, |then| Then::Confirmed { earlier_s: then.since(now).as_seconds() })
    }
}

/// Whether a person would have been asked whatever the log does not hold.
fn is_certain(risk: &Risk) -> bool {
    match risk {
        Risk::Agreeing(_, risk) => is_certain(risk),
        Risk::Unknown(_) | Risk::WordsUnknown { .. } | Risk::PackageIncomplete(_) => false,
        _ => true,
    }
}

/// Where the log speaks of statuses in our own words they are taken as such; else a case is open or solved.
fn status(word: &str, done: bool) -> Status {
    let open = [Status::New, Status::Open, Status::Pending, Status::OnHold];
    let over = [Status::Solved, Status::Closed];
    let (known, default) = if done { (&over[..], Status::Solved) } else { (&open[..], Status::Open) };
    known.iter().copied().find(|status| status.name() == word).unwrap_or(default)
}

fn proposed(verdict: Verdict) -> Option<(Proposal, Vec<Risk>)> {
    match verdict.outcome {
        Outcome::Stay(_) => None,
        Outcome::Route(proposal) | Outcome::Escalate(proposal) => Some((*proposal, Vec::new())),
        Outcome::AskForParts { proposed, .. } => Some((*proposed, Vec::new())),
        Outcome::AskPerson { proposed, risks } => Some((*proposed, risks)),
    }
}
