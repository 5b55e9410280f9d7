//! The back-test: history goes through the very same [`decide`](crate::policy::decide::decide) on simulated time. Pure.
//!
//! Every event of a case is a look; between two events, `decide` itself says when something could come out differently
//! (`again_at`), and is asked again at that exact instant. What the policy would have done is compared with what people did
//! afterwards; history is not changed by it, so a case goes on as it did.

mod case;
mod compare;
mod limits;
pub mod record;
mod stage;
#[cfg(test)]
mod tests;

pub use compare::{Difference, compare};
pub use stage::Stage;

use super::log::{EventLog, Length, Repairs};
use super::stats::{Share, Spread};
use crate::insight::words::number;
use crate::policy::names::{AlertName, MessageName, RiskName, RuleName, TeamName};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One decision to hand over, as it would have been.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fire {
    /// The case.
    pub case: String,
    /// The rule.
    pub rule: RuleName,
    /// Its version.
    pub version: String,
    /// The giving team, as the log names it; none for a route.
    pub from: Option<String>,
    /// The receiving team of the policy.
    pub to: TeamName,
    /// The exact instant.
    pub at: Timestamp,
    /// How old the case was, in seconds.
    pub age_s: Length,
    /// Whether it fired at an event, or between two at an instant that the policy waited for.
    pub by: By,
    /// Whether a person would have been asked first, or an agent for missing parts.
    pub asks: Asks,
    /// The message that the customer would have got.
    pub message: Option<MessageName>,
    /// The channels that would have been told at that moment.
    pub alerts: Vec<AlertName>,
    /// What people did with the case afterwards.
    pub then: Then,
}

/// What made the policy look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// An event of the log.
    Event,
    /// The time that a rule waits for.
    Time,
}

/// Who would have been asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Nobody.
    Nobody,
    /// A person, for a yes.
    Review,
    /// An agent, for missing parts.
    Parts,
}

/// What people did afterwards: whether a later event shows the case outside the giving team's tier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// They handed it over too, so many seconds later.
    Confirmed {
        /// How much earlier the policy was, in seconds.
        earlier_s: f64,
    },
    /// They never did.
    Never,
}

/// What a policy would have done with a log.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The version of the policy.
    pub policy: String,
    /// Cases.
    pub cases: u64,
    /// Events.
    pub events: u64,
    /// How often the policy decided.
    pub decisions: u64,
    /// Decisions in which some condition could not be told, because the log does not have the fact.
    pub unsure: u64,
    /// Which facts those were, and how often each kept a rule from being told; most first.
    pub missing: Vec<(String, u64)>,
    /// Teams of the log that stand in for the policy's teams of their tier.
    pub stand_ins: u64,
    /// Teams of the log that are no team of the policy's.
    pub not_ours: u64,
    /// What was repaired, left out or assumed while the log was read.
    pub repairs: Repairs,
    /// Risks of the policy whose words nobody looked for: a log holds none, so who would be asked because of them is not told.
    pub risks_not_looked_at: Vec<RiskName>,
    /// By rule, in the order of the file.
    pub rules: Vec<RuleRun>,
    /// What each team would have got, most first.
    pub load: Vec<Load>,
    /// What each alert channel would have been told, most first.
    pub alerts: Vec<Told>,
    /// Every fire, by case and instant.
    pub fires: Vec<Fire>,
}

/// What one rule would have done.
#[derive(Clone, Debug, Serialize)]
pub struct RuleRun {
    /// The rule.
    pub rule: RuleName,
    /// Its version.
    pub version: String,
    /// How often it fired.
    pub fires: u64,
    /// In how many cases.
    pub cases: u64,
    /// Of those: at an instant that it waited for, between two events.
    pub by_time: u64,
    /// A person would have been asked first.
    pub reviews: u64,
    /// An agent would have been asked for missing parts of the package first.
    pub asked_for_parts: u64,
    /// Messages to customers.
    pub messages: u64,
    /// Those that would have waited for a place under the limits of the hour.
    pub over_limit: u64,
    /// People handed the case over too, later.
    pub confirmed: Share,
    /// By how much the policy was earlier than people.
    pub earlier: Spread,
    /// Decisions in which a condition could not be told, because the log does not have the fact.
    pub untold: u64,
}

/// What an alert channel would have been told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The channel.
    pub channel: AlertName,
    /// How often.
    pub alerts: u64,
    /// The most in one hour of the clock.
    pub busiest_hour: u64,
    /// Which hour that was.
    pub when: Timestamp,
}

/// What a team would have got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Load {
    /// The receiving team.
    pub team: TeamName,
    /// How many cases.
    pub cases: u64,
    /// The most in one hour of the clock.
    pub busiest_hour: u64,
    /// Which hour that was.
    pub when: Timestamp,
}

impl Run {
    /// What teams and alert channels would have got, a line each; `hour`: how the busiest one is told.
    pub fn loads(&self, hour: impl Fn(Timestamp) -> String) -> Vec<String> {
        let teams = self.load.iter().map(|load| {
            let (cases, most) = (number(load.cases), number(load.busiest_hour));
            format!("{} would have got {cases}, at most {most} in one hour ({})", load.team, hour(load.when))
        });
        let channels = self.alerts.iter().map(|told| {
            let (alerts, most) = (number(told.alerts), number(told.busiest_hour));
            let when = hour(told.when);
            format!(
                "the channel {} would have been told {alerts} times, at most {most} in one hour ({when})",
                told.channel
            )
        });
        teams.chain(channels).collect()
    }
}

/// Replays a whole log, on as many threads as there are. `progress` is told now and then how many cases are done, of how many, by any
/// of the threads.
pub fn run(stage: &Stage<'_>, log: &EventLog, threads: NonZeroUsize, progress: &(dyn Fn(usize, usize) + Sync)) -> Run {
    let cases: Vec<_> = log.by_case().collect();
    let part = cases.len().div_ceil(threads.get()).max(1);
    let (done, all) = (AtomicUsize::new(0), cases.len());
    let some_done = |count: usize| progress(done.fetch_add(count, Ordering::Relaxed) + count, all);
    let parts: Vec<case::Done> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            cases.chunks(part).map(|cases| scope.spawn(|| case::replay_all(stage, log, cases, &some_done))).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    let mut all = case::Done::default();
    for part in parts {
        all.add(part);
    }
    summed_up(stage, log, all, cases.len() as u64)
}

fn summed_up(stage: &Stage<'_>, log: &EventLog, done: case::Done, cases: u64) -> Run {
    let over = limits::over(&done.fires, stage.policy.limits);
    let rules = stage.policy.routes.iter().map(|route| &route.rule);
    let rules = rules.chain(stage.policy.escalations.iter().map(|escalation| &escalation.rule));
    let rules = rules.map(|rule| {
        let fires: Vec<&Fire> = done.fires.iter().filter(|fire| fire.rule == rule.name).collect();
        let cases: std::collections::BTreeSet<&str> = fires.iter().map(|fire| fire.case.as_str()).collect();
        let mut earlier: Vec<_> = fires.iter().filter_map(|fire| fire.earlier()).collect();
        RuleRun {
            rule: rule.name.clone(),
            version: rule.version.clone(),
            fires: fires.len() as u64,
            cases: cases.len() as u64,
            by_time: fires.iter().filter(|fire| fire.by == By::Time).count() as u64,
            reviews: fires.iter().filter(|fire| fire.asks == Asks::Review).count() as u64,
            asked_for_parts: fires.iter().filter(|fire| fire.asks == Asks::Parts).count() as u64,
            messages: fires.iter().filter(|fire| fire.message.is_some()).count() as u64,
            over_limit: over.get(&rule.name).copied().unwrap_or(0),
            confirmed: Share::new(earlier.len() as u64, fires.len() as u64),
            earlier: Spread::of(&mut earlier),
            untold: done.untold.get(&rule.name).copied().unwrap_or(0),
        }
    });
    let mut missing: Vec<(String, u64)> = done.missing.into_iter().collect();
    missing.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Run {
        policy: stage.policy.version.clone(),
        cases,
        events: log.events.len() as u64,
        decisions: done.decisions,
        unsure: done.unsure,
        missing,
        stand_ins: stage.stand_ins,
        not_ours: stage.not_ours,
        repairs: log.repairs.clone(),
        risks_not_looked_at: stage.wordless.clone(),
        rules: rules.collect(),
        load: load(&done.fires),
        alerts: told(&done.fires),
        fires: done.fires,
    }
}

/// How many there were of each name, the most in one hour of the clock, and which hour that was; most first.
fn by_hour<'f, N: Ord + 'f>(all: impl Iterator<Item = (&'f N, Timestamp)>) -> Vec<(&'f N, u64, u64, Timestamp)> {
    const HOUR: i64 = 3_600;
    let mut hours: BTreeMap<&N, BTreeMap<i64, u64>> = BTreeMap::new();
    for (name, at) in all {
        *hours.entry(name).or_default().entry(at.as_second().div_euclid(HOUR)).or_default() += 1;
    }
    let of_name = |(name, hours): (&'f N, BTreeMap<i64, u64>)| {
        let busiest = hours.iter().max_by_key(|(hour, count)| (**count, -**hour)).map(|(hour, count)| (*hour, *count));
        let (hour, most) = busiest.unwrap_or_default();
        (name, hours.values().sum::<u64>(), most, Timestamp::from_second(hour * HOUR).unwrap_or_default())
    };
    let mut counted: Vec<_> = hours.into_iter().map(of_name).collect();
    counted.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    counted
}

fn load(fires: &[Fire]) -> Vec<Load> {
    let counted = by_hour(fires.iter().map(|fire| (&fire.to, fire.at))).into_iter();
    counted.map(|(team, cases, busiest_hour, when)| Load { team: team.clone(), cases, busiest_hour, when }).collect()
}

fn told(fires: &[Fire]) -> Vec<Told> {
    let all = fires.iter().flat_map(|fire| fire.alerts.iter().map(move |channel| (channel, fire.at)));
    let counted = by_hour(all).into_iter();
    counted
        .map(|(channel, alerts, busiest_hour, when)| Told { channel: channel.clone(), alerts, busiest_hour, when })
        .collect()
}
