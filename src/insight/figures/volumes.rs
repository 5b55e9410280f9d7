//! How much there is: cases, events, teams, transfers.

use super::paths::PathRow;
use super::{Told, World};
use crate::config::events::Tier;
use crate::insight::stats::rounded;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How much there is.
#[derive(Clone, Debug, Serialize)]
pub struct Volumes {
    /// Cases.
    pub cases: u64,
    /// Events, duplicates not counted.
    pub events: u64,
    /// Teams that held a case.
    pub teams: u64,
    /// Teams that opened one.
    pub opening_teams: u64,
    /// People who made changes; none: nobody says.
    pub agents: Option<usize>,
    /// Teams by tier.
    pub teams_by_tier: BTreeMap<String, u64>,
    /// Events by the tier of their team.
    pub events_by_tier: BTreeMap<String, u64>,
    /// Transfers.
    pub transfers: u64,
    /// Distinct paths.
    pub paths: u64,
    /// Transfers of a case: mean, to four decimals.
    pub transfers_per_case_mean: f64,
    /// Transfers of a case: the usual median.
    pub transfers_per_case_median: f64,
    /// Transfers of a case: most.
    pub transfers_per_case_max: u64,
    /// Cases with at least one, two and three transfers.
    pub cases_handed_over: [u64; 3],
    /// Cases by their number of transfers: 0 to 9, and 10 or more.
    pub cases_by_transfers: [u64; 11],
    /// Distinct teams of a case: mean, to three decimals.
    pub teams_per_case_mean: f64,
    /// Distinct teams of a case: most.
    pub teams_per_case_max: u64,
    /// How many of the busiest paths carry a quarter, half and four fifths of all transfers.
    pub busiest_paths: Vec<Window>,
    /// Paths with at least 20 transfers.
    pub paths_with_20: u64,
    /// Paths with exactly one.
    pub paths_with_1: u64,
    /// Transfers by the status at the first event of the receiving stay, most first.
    pub first_statuses: Vec<(String, u64)>,
}

/// So many paths carry this share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Share of all transfers in percent.
    pub percent: u64,
    /// The least number of paths that carry it.
    pub paths: u64,
}

#[derive(Default)]
pub(super) struct Counting {
    cases: u64,
    events: u64,
    teams: BTreeSet<u32>,
    opening: BTreeSet<u32>,
    events_by_team: BTreeMap<u32, u64>,
    /// Cases by their number of transfers.
    by_transfers: BTreeMap<u64, u64>,
    distinct_teams: u64,
    most_teams: u64,
    statuses: BTreeMap<u32, u64>,
}

impl Counting {
    pub fn add(&mut self, told: &Told<'_>) {
        self.cases += 1;
        self.events += told.story.events;
        self.opening.extend(told.story.stays.first().map(|stay| stay.team));
        for stay in &told.story.stays {
            *self.events_by_team.entry(stay.team).or_default() += stay.events;
        }
        let distinct: BTreeSet<u32> = told.story.stays.iter().map(|stay| stay.team).collect();
        self.distinct_teams += distinct.len() as u64;
        self.most_teams = self.most_teams.max(distinct.len() as u64);
        self.teams.extend(distinct);
        *self.by_transfers.entry(told.transfers.len() as u64).or_default() += 1;
        for status in told.transfers.iter().filter_map(|transfer| transfer.status) {
            *self.statuses.entry(status).or_default() += 1;
        }
    }

    pub fn cases(&self) -> u64 {
        self.cases
    }

    pub fn finish(self, world: World<'_>, paths: &[PathRow]) -> Volumes {
        let transfers: u64 = self.by_transfers.iter().map(|(transfers, cases)| transfers * cases).sum();
        let at_least = |least: u64| self.by_transfers.range(least..).map(|(_, cases)| cases).sum();
        let mut by_transfers = [0; 11];
        for (transfers, cases) in &self.by_transfers {
            by_transfers[usize::try_from(*transfers).unwrap_or(usize::MAX).min(10)] += cases;
        }
        let each = |total: u64| if self.cases == 0 { 0.0 } else { total as f64 / self.cases as f64 };
        let mut first_statuses: Vec<(String, u64)> = self
            .statuses
            .iter()
            .map(|(status, count)| (world.statuses.name(*status).to_owned(), *count))
            .filter(|(status, _)| !status.is_empty())
            .collect();
        first_statuses.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        Volumes {
            cases: self.cases,
            events: self.events,
            teams: self.teams.len() as u64,
            opening_teams: self.opening.len() as u64,
            agents: world.agents,
            teams_by_tier: by_tier(world, self.teams.iter().map(|team| (*team, 1))),
            events_by_tier: by_tier(world, self.events_by_team.iter().map(|(team, events)| (*team, *events))),
            transfers,
            paths: paths.len() as u64,
            transfers_per_case_mean: rounded(each(transfers), 4),
            transfers_per_case_median: self.median(),
            transfers_per_case_max: self.by_transfers.keys().next_back().copied().unwrap_or(0),
            cases_handed_over: [at_least(1), at_least(2), at_least(3)],
            cases_by_transfers: by_transfers,
            teams_per_case_mean: rounded(each(self.distinct_teams), 3),
            teams_per_case_max: self.most_teams,
            busiest_paths: [25, 50, 80]
                .map(|percent| Window { percent, paths: carrying(paths, transfers, percent) })
                .into(),
            paths_with_20: paths.iter().filter(|path| path.transfers >= 20).count() as u64,
            paths_with_1: paths.iter().filter(|path| path.transfers == 1).count() as u64,
            first_statuses,
        }
    }

    fn median(&self) -> f64 {
        let nth = |position: u64| {
            let mut seen = 0;
            let hit = self.by_transfers.iter().find(|(_, cases)| {
                seen += **cases;
                seen > position
            });
            hit.map_or(0.0, |(transfers, _)| *transfers as f64)
        };
        (nth(self.cases.saturating_sub(1) / 2) + nth(self.cases / 2)) / 2.0
    }
}

/// Counts by the tier of each team; teams without one stand under `unknown`. Empty where no team has a tier.
fn by_tier(world: World<'_>, counts: impl Iterator<Item = (u32, u64)>) -> BTreeMap<String, u64> {
    let mut tiers: BTreeMap<Option<&Tier>, u64> = BTreeMap::new();
    for (team, count) in counts {
        *tiers.entry(world.tier(team)).or_default() += count;
    }
    if tiers.keys().all(Option::is_none) {
        return BTreeMap::new();
    }
    let name = |tier: Option<&Tier>| tier.map_or("unknown", Tier::as_str).to_owned();
    tiers.into_iter().map(|(tier, count)| (name(tier), count)).collect()
}

/// The least number of paths, busiest first, that carry at least this share.
fn carrying(paths: &[PathRow], transfers: u64, percent: u64) -> u64 {
    let mut carried = 0;
    let before = paths.iter().take_while(|path| {
        let more_needed = carried * 100 < transfers * percent;
        carried += path.transfers;
        more_needed
    });
    before.count() as u64
}
