//! What all fires of a run come to: by rule, by team, by channel. Pure.

use super::case::Done;
use super::fire::{Asks, By, Fires, Perhaps, SameTeam, Then};
use super::limits;
use super::{Hour, Load, RuleRun, Run, Stage, Told};
use crate::insight::log::{Instant, Length};
use crate::insight::stats::{Share, Spread};
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(super) fn summed_up<'l>(stage: &Stage<'l>, done: Done, cases: u64) -> Run<'l> {
    let Done { fires, answers, decisions, untold, unsure, missing } = done;
    let fires = Fires { list: fires, answers: answers.into_list(), rules: stage.rules.clone(), log: stage.log };
    let over = limits::over(&fires, stage.policy.limits);
    let mut rules = by_rule(&fires);
    for rule in &mut rules {
        rule.over_limit = over.get(&rule.rule).copied().unwrap_or(0);
        rule.untold = untold.get(&rule.rule).copied().unwrap_or(0);
    }
    let mut missing: Vec<(String, u64)> = missing.into_iter().collect();
    missing.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Run {
        policy: stage.policy.version.clone(),
        cases,
        events: stage.log.events.len() as u64,
        decisions,
        unsure,
        missing,
        stand_ins: stage.stand_ins,
        not_ours: stage.not_ours,
        intake: stage.intake,
        repairs: stage.log.repairs.clone(),
        risks_not_looked_at: stage.wordless.clone(),
        rules,
        load: load(&fires),
        alerts: told(&fires),
        fires,
    }
}

/// What is counted of a rule while its fires go by.
#[derive(Default)]
struct Counting {
    last_case: Option<u32>,
    earlier: Vec<Length>,
}

fn by_rule(fires: &Fires<'_>) -> Vec<RuleRun> {
    let empty = |rule: &super::RuleAnswers| RuleRun {
        rule: rule.rule.clone(),
        version: rule.version.clone(),
        fires: 0,
        cases: 0,
        by_time: 0,
        reviews: 0,
        perhaps_reviews: 0,
        perhaps_asked_for_parts: 0,
        messages: 0,
        over_limit: 0,
        confirmed: Share::default(),
        same_team: Share::default(),
        earlier: Spread::default(),
        untold: 0,
    };
    let mut rules: Vec<RuleRun> = fires.rules.iter().map(empty).collect();
    let mut counting: Vec<Counting> = rules.iter().map(|_| Counting::default()).collect();
    for fire in &fires.list {
        let Some(answer) = fires.answer(fire) else { continue };
        let at = usize::try_from(answer.rule).ok();
        let Some((rule, counting)) = at.and_then(|at| rules.get_mut(at).zip(counting.get_mut(at))) else { continue };
        rule.fires += 1;
        // Fires stand by case.
        rule.cases += u64::from(counting.last_case.replace(fire.case) != Some(fire.case));
        rule.by_time += u64::from(fire.by == By::Time);
        rule.reviews += u64::from(answer.asks == Asks::Review);
        rule.perhaps_reviews += u64::from(answer.perhaps_asks == Some(Perhaps::Review));
        rule.perhaps_asked_for_parts += u64::from(answer.perhaps_asks == Some(Perhaps::Parts));
        rule.messages += u64::from(answer.message.is_some());
        rule.same_team.count += u64::from(matches!(fire.same_team, SameTeam::Later { .. }));
        rule.same_team.of += u64::from(fire.same_team != SameTeam::NotInLog);
        if let Then::Confirmed { earlier_s } = fire.then {
            counting.earlier.push(Length::of_seconds(earlier_s));
        }
    }
    for (rule, mut counting) in rules.iter_mut().zip(counting) {
        rule.confirmed = Share::new(counting.earlier.len() as u64, rule.fires);
        rule.earlier = Spread::of(&mut counting.earlier);
    }
    rules
}

/// How many there were of a name by hour of the clock.
type Hours = BTreeMap<i64, u64>;

const HOUR: i64 = 3_600;

fn count(hours: &mut Hours, at: Instant) {
    *hours.entry(at.timestamp().as_second().div_euclid(HOUR)).or_default() += 1;
}

fn hours(hours: &Hours) -> Vec<Hour> {
    let hour = |(hour, count): (&i64, &u64)| Hour {
        at: Timestamp::from_second(hour * HOUR).unwrap_or_default(),
        count: *count,
    };
    hours.iter().map(hour).collect()
}

/// The busiest one, the first of several.
fn busiest(hours: &[Hour]) -> (u64, Timestamp) {
    let most = hours.iter().map(|hour| hour.count).max().unwrap_or(0);
    let when = hours.iter().find(|hour| hour.count == most).map(|hour| hour.at);
    (most, when.unwrap_or_default())
}

/// Most first, then by name.
fn most_first<N: Ord>(counted: BTreeMap<N, Hours>) -> Vec<(N, u64, Vec<Hour>)> {
    let mut all: Vec<_> =
        counted.into_iter().map(|(name, by_hour)| (name, by_hour.values().sum::<u64>(), hours(&by_hour))).collect();
    all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    all
}

fn load(fires: &Fires<'_>) -> Vec<Load> {
    let mut by_team: BTreeMap<_, Hours> = BTreeMap::new();
    for fire in &fires.list {
        if let Some(answer) = fires.answer(fire) {
            count(by_team.entry(&answer.to).or_default(), fire.at);
        }
    }
    let load = |(team, cases, hours): (&crate::policy::names::TeamName, u64, Vec<Hour>)| {
        let (busiest_hour, when) = busiest(&hours);
        Load { team: team.clone(), cases, busiest_hour, when, hours }
    };
    most_first(by_team).into_iter().map(load).collect()
}

fn told(fires: &Fires<'_>) -> Vec<Told> {
    let mut by_channel: BTreeMap<_, Hours> = BTreeMap::new();
    for fire in &fires.list {
        for channel in fires.answer(fire).into_iter().flat_map(super::fire::Answer::alerts) {
            count(by_channel.entry(channel).or_default(), fire.at);
        }
    }
    let told = |(channel, alerts, hours): (&crate::policy::names::AlertName, u64, Vec<Hour>)| {
        let (busiest_hour, when) = busiest(&hours);
        Told { channel: channel.clone(), alerts, busiest_hour, when, hours }
    };
    most_first(by_channel).into_iter().map(told).collect()
}
