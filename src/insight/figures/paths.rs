//! Paths: ordered pairs of teams, and what became of the transfers on them.

use super::World;
use super::tally::{Tally, WITHIN_7D};
use crate::insight::log::Length;
use crate::insight::stats::{Quantile, Share, nearest_rank};
use crate::insight::story::Transfer;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Paths with fewer transfers say nothing by themselves.
pub(super) const ENOUGH: u64 = 20;

/// One path. Its fields are the columns of the CSV, in this order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PathRow {
    /// The giving team.
    pub from_team: String,
    /// The receiving team.
    pub to_team: String,
    /// The giving team's tier; empty: unknown.
    pub from_line: String,
    /// The receiving team's tier.
    pub to_line: String,
    /// How many.
    pub transfers: u64,
    /// Bounced within a day.
    pub bounce_1d: u64,
    /// Bounced within three days.
    pub bounce_3d: u64,
    /// Bounced within seven days.
    pub bounce_7d: u64,
    /// Bounced at any time.
    pub bounce_any: u64,
    /// Returned within a day.
    pub return_1d: u64,
    /// Returned within three days.
    pub return_3d: u64,
    /// Returned within seven days.
    pub return_7d: u64,
    /// Returned at any time.
    pub return_any: u64,
    /// Waited and were taken.
    pub queued_picked: u64,
    /// Waited and were not taken.
    pub queued_never: u64,
    /// Were at work at once.
    pub direct: u64,
    /// The wait of those taken, in seconds.
    pub wait_p50_s: Option<Length>,
    /// The wait of those taken, in seconds.
    pub wait_p90_s: Option<Length>,
}

/// Two teams and the bounces between them, both directions added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The two, in the order of their names.
    pub teams: [String; 2],
    /// Bounces.
    pub bounces: u64,
    /// Transfers.
    pub transfers: u64,
}

/// A path that comes back much.
#[derive(Clone, Debug, Serialize)]
pub struct WorstPath {
    /// The giving team.
    pub from: String,
    /// The receiving team.
    pub to: String,
    /// Returned by any route within seven days, of all its transfers.
    pub returned_7d: Share,
}

#[derive(Default)]
pub(super) struct Counting {
    pub by_path: HashMap<(u32, u32), Tally>,
}

impl Counting {
    pub fn add(&mut self, transfer: &Transfer, recent: bool) {
        self.by_path.entry((transfer.from, transfer.to)).or_default().add(transfer, recent);
    }

    /// Every path: transfers descending, then names.
    pub fn rows(&mut self, world: World<'_>) -> Vec<PathRow> {
        let mut rows: Vec<PathRow> = self.by_path.iter_mut().map(|(path, tally)| row(world, *path, tally)).collect();
        rows.sort_by(|one, other| {
            let names = |row: &PathRow| (row.from_team.clone(), row.to_team.clone());
            other.transfers.cmp(&one.transfers).then_with(|| names(one).cmp(&names(other)))
        });
        rows
    }

    /// Every pair of teams with a bounce: bounces descending, then names.
    pub fn pairs(&self, world: World<'_>) -> Vec<Pair> {
        let mut pairs: BTreeMap<[String; 2], (u64, u64)> = BTreeMap::new();
        for ((from, to), tally) in &self.by_path {
            let mut teams = [world.teams.name(*from).to_owned(), world.teams.name(*to).to_owned()];
            teams.sort();
            let both = pairs.entry(teams).or_default();
            *both = (both.0 + tally.bounced[3], both.1 + tally.transfers);
        }
        let mut pairs: Vec<Pair> = pairs
            .into_iter()
            .filter(|(_, (bounces, _))| *bounces > 0)
            .map(|(teams, (bounces, transfers))| Pair { teams, bounces, transfers })
            .collect();
        pairs.sort_by(|one, other| other.bounces.cmp(&one.bounces).then_with(|| one.teams.cmp(&other.teams)));
        pairs
    }

    /// Paths with enough transfers: share returned within seven days descending, then transfers descending, then names.
    pub fn worst(&self, world: World<'_>) -> Vec<WorstPath> {
        let mut worst: Vec<WorstPath> = self
            .by_path
            .iter()
            .filter(|(_, tally)| tally.transfers >= ENOUGH && tally.returned[WITHIN_7D] > 0)
            .map(|((from, to), tally)| WorstPath {
                from: world.teams.name(*from).to_owned(),
                to: world.teams.name(*to).to_owned(),
                returned_7d: Share::new(tally.returned[WITHIN_7D], tally.transfers),
            })
            .collect();
        worst.sort_by(|one, other| {
            // Shares compared as fractions, exactly.
            let (a, b) = (one.returned_7d, other.returned_7d);
            let share = (u128::from(b.count) * u128::from(a.of)).cmp(&(u128::from(a.count) * u128::from(b.of)));
            share.then(b.of.cmp(&a.of)).then_with(|| (&one.from, &one.to).cmp(&(&other.from, &other.to)))
        });
        worst
    }
}

fn row(world: World<'_>, (from, to): (u32, u32), tally: &mut Tally) -> PathRow {
    tally.waits.sort_unstable();
    let [bounce_1d, bounce_3d, bounce_7d, bounce_any] = tally.bounced;
    let [return_1d, return_3d, return_7d, return_any] = tally.returned;
    PathRow {
        from_team: world.teams.name(from).to_owned(),
        to_team: world.teams.name(to).to_owned(),
        from_line: world.tier_name(from),
        to_line: world.tier_name(to),
        transfers: tally.transfers,
        bounce_1d,
        bounce_3d,
        bounce_7d,
        bounce_any,
        return_1d,
        return_3d,
        return_7d,
        return_any,
        queued_picked: tally.picked(),
        queued_never: tally.never,
        direct: tally.direct,
        wait_p50_s: nearest_rank(&tally.waits, Quantile(50)),
        wait_p90_s: nearest_rank(&tally.waits, Quantile(90)),
    }
}
