//! Which fires would have waited: the limits of an hour, by rule and for the desk, as the daemon counts them. Pure.

use super::fire::{Asks, Fires};
use crate::insight::log::{Instant, Length};
use crate::policy::names::RuleName;
use crate::policy::rules::Limits;
use std::collections::{BTreeMap, VecDeque};

const HOUR: Length = Length::seconds(3_600);

/// By rule, how many fires of which nobody is asked first would not have found a place in the hour before them.
pub(super) fn over(fires: &Fires<'_>, limits: Limits) -> BTreeMap<RuleName, u64> {
    let mut in_time: Vec<(Instant, u32)> = fires
        .list
        .iter()
        .filter_map(|fire| fires.answer(fire).filter(|answer| answer.asks == Asks::Nobody).map(|of| (fire.at, of.rule)))
        .collect();
    in_time.sort_by_key(|(at, _)| *at);
    let mut desk: VecDeque<Instant> = VecDeque::new();
    let mut rules: BTreeMap<u32, VecDeque<Instant>> = BTreeMap::new();
    let mut over = BTreeMap::new();
    for (at, number) in in_time {
        let rule = rules.entry(number).or_default();
        for recent in [&mut desk, &mut *rule] {
            while recent.front().is_some_and(|before| at.since(*before) >= HOUR) {
                recent.pop_front();
            }
        }
        let full = |recent: &VecDeque<Instant>, most: u32| recent.len() as u64 >= u64::from(most);
        if full(rule, limits.per_rule_per_hour) || full(&desk, limits.per_desk_per_hour) {
            *over.entry(number).or_default() += 1;
        } else {
            rule.push_back(at);
            desk.push_back(at);
        }
    }
    let named = |(number, count)| {
        let rule = usize::try_from(number).ok().and_then(|at: usize| fires.rules.get(at))?;
        Some((rule.rule.clone(), count))
    };
    over.into_iter().filter_map(named).collect()
}
