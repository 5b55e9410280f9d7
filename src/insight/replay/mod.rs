//! The back-test: history goes through the very same [`decide`](crate::policy::decide::decide) on simulated time. Pure.
//!
//! Every event of a case is a look; between two events, `decide` itself says when something could come out differently
//! (`again_at`), and is asked again at that exact instant. What the policy would have done is compared with what people did
//! afterwards; history is not changed by it, so a case goes on as it did.

mod case;
mod compare;
mod fire;
mod limits;
pub mod record;
mod stage;
mod sums;
#[cfg(test)]
mod tests;

pub use compare::{Aspect, COMPARED, Changed, Difference, Differences, compare};
pub use fire::{Asks, By, Fire, Fires, Perhaps, RuleAnswers, SameTeam, Shown, Then};
pub use stage::Stage;

use super::log::Repairs;
use super::stats::{Share, Spread};
use crate::insight::words::number;
use crate::policy::names::{AlertName, RiskName, RuleName, TeamName};
use jiff::Timestamp;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a policy would have done with a log.
#[derive(Clone, Debug, Serialize)]
pub struct Run<'l> {
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
    /// Teams of the log that are queues of the desk's intake.
    pub intake: u64,
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
    pub fires: Fires<'l>,
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
    /// A person would have been asked first if what the log does not hold is so: whether a part of the package is missing, or what
    /// the condition of the review looks at.
    pub perhaps_reviews: u64,
    /// The agent would have been asked first for parts of the package, if they are missing; a log does not hold them.
    pub perhaps_asked_for_parts: u64,
    /// Messages to customers, if they may be written to; a log does not say who they are.
    pub messages: u64,
    /// Those that would have waited for a place under the limits of the hour.
    pub over_limit: u64,
    /// People handed the case over too, later.
    pub confirmed: Share,
    /// People gave it to the very same team, later; of the fires whose team the log has.
    pub same_team: Share,
    /// By how much the policy was earlier than people.
    pub earlier: Spread,
    /// Decisions in which a condition could not be told, because the log does not have the fact.
    pub untold: u64,
}

/// How many there were in an hour of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hour {
    /// Its beginning.
    pub at: Timestamp,
    /// How many.
    pub count: u64,
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
    /// Every hour of the clock in which there was any.
    pub hours: Vec<Hour>,
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
    /// Every hour of the clock in which there was any.
    pub hours: Vec<Hour>,
}

impl Run<'_> {
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

    /// Fires to read: some of each rule that fires, from the whole of the log, so many in all where there are not more rules.
    pub fn examples(&self, most: usize) -> Vec<Shown<'_>> {
        let firing = self.rules.iter().filter(|rule| rule.fires > 0).count().max(1);
        let of_each = (most / firing).max(2) as u64;
        let mut met = vec![0_u64; self.rules.len()];
        let mut examples: Vec<Vec<Shown<'_>>> = vec![Vec::new(); self.rules.len()];
        for fire in &self.fires.list {
            let at = self.fires.answer(fire).and_then(|answer| usize::try_from(answer.rule).ok());
            let Some(((rule, met), examples)) =
                at.and_then(|at| Some((self.rules.get(at)?, met.get_mut(at)?)).zip(examples.get_mut(at)))
            else {
                continue;
            };
            // Evenly spread over its fires: the oldest cases alone would say little.
            let wanted = of_each.min(rule.fires);
            if *met * wanted / rule.fires < (*met + 1) * wanted / rule.fires {
                examples.extend(self.fires.shown(fire));
            }
            *met += 1;
        }
        examples.into_iter().flatten().collect()
    }
}

/// Replays a whole log, on as many threads as there are. `progress` is told now and then how many cases are done, of how many, by any
/// of the threads.
pub fn run<'l>(stage: &Stage<'l>, threads: NonZeroUsize, progress: &(dyn Fn(usize, usize) + Sync)) -> Run<'l> {
    let log = stage.log;
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
    sums::summed_up(stage, all, cases.len() as u64)
}
