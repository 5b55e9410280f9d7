//! Which fires would have waited: the limits of an hour, by rule and for the desk, as the daemon counts them. Pure.

use super::{Asks, Fire};
use crate::policy::names::RuleName;
use crate::policy::rules::Limits;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// By rule, how many fires of which nobody is asked first would not have found a place in the hour before them.
pub(super) fn over(fires: &[Fire], limits: Limits) -> BTreeMap<RuleName, u64> {
    let mut in_time: Vec<&Fire> = fires.iter().filter(|fire| fire.asks == Asks::Nobody).collect();
    in_time.sort_by_key(|fire| fire.at);
    let mut desk: VecDeque<Timestamp> = VecDeque::new();
    let mut rules: BTreeMap<&RuleName, VecDeque<Timestamp>> = BTreeMap::new();
    let mut over = BTreeMap::new();
    for fire in in_time {
        let rule = rules.entry(&fire.rule).or_default();
        for recent in [&mut desk, &mut *rule] {
            while recent.front().is_some_and(|at| fire.at.duration_since(*at) >= HOUR) {
                recent.pop_front();
            }
        }
        let full = |recent: &VecDeque<Timestamp>, most: u32| recent.len() as u64 >= u64::from(most);
        if full(rule, limits.per_rule_per_hour) || full(&desk, limits.per_desk_per_hour) {
            *over.entry(fire.rule.clone()).or_default() += 1;
        } else {
            rule.push_back(fire.at);
            desk.push_back(fire.at);
        }
    }
    over
}
