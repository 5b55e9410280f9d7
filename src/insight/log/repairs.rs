//! What a log had to be repaired, left out or assumed for, counted, and in words: each report shows all of it.

use crate::config::events::{EventMap, TierTest, Tiers, near, printable};
use crate::insight::words::number;
use serde::Serialize;
use std::collections::HashSet;

/// What was repaired, left out or assumed while reading. All counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repairs {
    /// Rows read, the header not counted.
    pub rows: u64,
    /// Rows equal in every cell to another of the same case: counted once.
    pub duplicate_rows: u64,
    /// Rows that stand after a later one of the same case: sorted.
    pub out_of_order: u64,
    /// Whether the file was taken as newest first.
    pub newest_first: bool,
    /// Events that share their instant (and `order`) with one of another team of the same case: the order of the file
    /// decided, so transfers of these cases are as good as that order.
    pub undecided_order: u64,
    /// Events without a team: they belong to no stay.
    pub without_team: u64,
    /// Cases that never had a team: in volumes, and in no other figure.
    pub cases_without_team: u64,
    /// Teams that have no tier.
    pub teams_without_tier: u64,
    /// Local times that their zone has twice: taken as the first.
    pub repeated_hour: u64,
    /// Local times that their zone skips: moved past the gap.
    pub skipped_hour: u64,
    /// Instants that came without an offset and were read in the map's zone.
    pub zone_assumed: u64,
    /// Rows that gave a team another tier than its first row did: the first counts.
    pub tier_conflicts: u64,
    /// Rows of an instant that lies in the future.
    pub later_than_now: u64,
    /// Rows that could not be read, with `--skip-broken`.
    pub broken_rows: u64,
    /// Cases left out because of such a row.
    pub broken_cases: u64,
    /// Of the broken rows, those whose case could not be told: one case or another lacks an event.
    pub lost_rows: u64,
    /// Words of the map that no row has, where that makes a figure wrong.
    pub unmet: Vec<Unmet>,
}

/// A word of the map that no row has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The key that lists it.
    pub key: &'static str,
    /// The word.
    pub word: String,
    /// A word of the log that is near to it.
    pub near: Option<String>,
}

impl Repairs {
    /// In words, one line for each kind that there is.
    pub fn lines(&self) -> Vec<String> {
        let counted = [
            (self.duplicate_rows, "rows equal to another of the same case, counted once"),
            (self.out_of_order, "rows out of order, sorted by instant"),
            (self.undecided_order, "events that share their instant with one of another team, in the file's order"),
            (self.without_team, "events without a team, in no stay"),
            (self.cases_without_team, "cases that never have a team, in the volumes alone"),
            (self.teams_without_tier, "teams without a tier"),
            (self.tier_conflicts, "rows that give a team another tier than its first row did"),
            (self.zone_assumed, "instants without an offset, read in the map's zone"),
            (self.repeated_hour, "local times that their zone has twice, taken as the first"),
            (self.skipped_hour, "local times that their zone skips, moved past the gap"),
            (self.later_than_now, "rows of an instant that lies in the future, as this machine's clock stands"),
            (self.broken_rows, "rows that cannot be read"),
            (self.broken_cases, "cases with such a row, left out"),
            (self.lost_rows, "such rows of which no case can be told: one case or another lacks an event"),
        ];
        let newest =
            self.newest_first.then(|| "the file is newest first: rows of one instant are turned round".to_owned());
        let lines = counted.iter().filter(|(count, _)| *count > 0);
        let lines = lines.map(|(count, words)| format!("{words}: {}", number(*count)));
        newest.into_iter().chain(lines).chain(self.unmet.iter().map(Unmet::shown)).collect()
    }
}

impl Unmet {
    fn shown(&self) -> String {
        let near = self.near.as_ref().map_or(String::new(), |near| format!(": did you mean \"{}\"?", printable(near)));
        format!("`{}` of the map names \"{}\", and no row has it{near}", self.key, printable(&self.word))
    }
}

/// Words of the map that no row has: a list of which nothing was met, and single words that are near to one that was met.
/// One among others that are met may just not have happened.
pub(super) fn unmet(map: &EventMap, statuses: &HashSet<String>, teams: &HashSet<&str>) -> Vec<Unmet> {
    let lists = &map.statuses;
    let listed: HashSet<&str> =
        [&lists.waiting, &lists.accepted, &lists.done].into_iter().flatten().map(String::as_str).collect();
    let met: Vec<&str> = statuses.iter().map(String::as_str).filter(|status| !status.is_empty()).collect();
    let unlisted: Vec<&str> = met.iter().copied().filter(|status| !listed.contains(status)).collect();
    let mut found = Vec::new();
    for (key, list) in [("waiting", &lists.waiting), ("accepted", &lists.accepted), ("done", &lists.done)] {
        found.extend(of_list(key, list.iter().map(String::as_str), &met, &unlisted));
    }
    let named: Vec<&str> = match &map.tier {
        Tiers::Table(table) => table.keys().map(String::as_str).collect(),
        Tiers::Rules(rules) => rules.iter().flat_map(|rule| named_teams(&rule.test)).collect(),
        Tiers::Unknown | Tiers::Column(_) => Vec::new(),
    };
    let met: Vec<&str> = teams.iter().copied().collect();
    let unlisted: Vec<&str> = met.iter().copied().filter(|team| !named.contains(team)).collect();
    found.extend(of_list("tier", named.into_iter(), &met, &unlisted));
    found
}

fn named_teams(test: &TierTest) -> impl Iterator<Item = &str> {
    let TierTest::Teams(teams) = test else { return [].iter().map(String::as_str) };
    teams.iter().map(String::as_str)
}

fn of_list<'w>(
    key: &'static str,
    words: impl Iterator<Item = &'w str> + Clone,
    met: &[&str],
    unlisted: &[&str],
) -> Vec<Unmet> {
    let is_met = |word: &str| met.contains(&word);
    let none_is_met = !words.clone().any(is_met);
    let mut sorted = unlisted.to_vec();
    sorted.sort_unstable();
    let missing = words.filter(|word| !is_met(word));
    let unmet = missing.map(|word| Unmet {
        key,
        word: word.to_owned(),
        near: near(word, sorted.iter().copied()).map(str::to_owned),
    });
    unmet.filter(|unmet| none_is_met || unmet.near.is_some()).collect()
}
