//! Paths that are used too much: they carry a good part of all transfers, and their part grows, or more of them come back than
//! of the rest. Many paths are compared at once, so a signal needs a 99 % interval that lies above nothing.

use super::World;
use super::paths::{Counting, ENOUGH};
use super::tally::{Tally, WITHIN_7D};
use crate::insight::stats::{Difference, Share};
use serde::Serialize;

/// A path that is used too much.
#[derive(Clone, Debug, Serialize)]
pub struct Overused {
    /// The giving team.
    pub from: String,
    /// The receiving team.
    pub to: String,
    /// Its part of all transfers.
    pub volume: Share,
    /// Its part of all transfers in the recent time.
    pub recent: Share,
    /// How much its part grew, against the time before.
    pub growth: Difference,
    /// Bounced within seven days.
    pub bounced_7d: Share,
    /// How much more of it bounces than of all other transfers.
    pub above_rest: Difference,
    /// Bounces beyond what its number of transfers would bring at the rest's share: what could be spared.
    pub excess: f64,
    /// What speaks against it; not empty.
    pub signals: Vec<Signal>,
}

/// What speaks against a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Its part of all transfers is larger now than before.
    Grows,
    /// More of it comes back than of the rest.
    Bounces,
}

/// The paths that are used too much, those with the most to spare first.
pub(super) fn find(paths: &Counting, all: &Tally, world: World<'_>) -> Vec<Overused> {
    let mut found: Vec<Overused> = paths
        .by_path
        .iter()
        .filter(|(_, tally)| tally.transfers >= ENOUGH)
        .map(|(path, tally)| judge(*path, tally, all, world))
        .filter(|path| !path.signals.is_empty())
        .collect();
    found.sort_by(|one, other| {
        other.excess.total_cmp(&one.excess).then_with(|| (&one.from, &one.to).cmp(&(&other.from, &other.to)))
    });
    found
}

fn judge((from, to): (u32, u32), path: &Tally, all: &Tally, world: World<'_>) -> Overused {
    let recent = Share::new(path.recent, all.recent);
    let before = Share::new(path.transfers - path.recent, all.transfers - all.recent);
    let bounced_7d = Share::new(path.bounced[WITHIN_7D], path.transfers);
    let rest = Share::new(all.bounced[WITHIN_7D] - path.bounced[WITHIN_7D], all.transfers - path.transfers);
    let (growth, above_rest) = (recent.above(before), bounced_7d.above(rest));
    let excess = path.bounced[WITHIN_7D] as f64 - rest.share() * path.transfers as f64;
    // Without a time before, or without any other path, there is nothing to compare with.
    let grows = (before.of > 0 && growth.low > 0.0).then_some(Signal::Grows);
    let bounces = (rest.of > 0 && above_rest.low > 0.0).then_some(Signal::Bounces);
    Overused {
        from: world.teams.name(from).to_owned(),
        to: world.teams.name(to).to_owned(),
        volume: Share::new(path.transfers, all.transfers),
        recent,
        growth,
        bounced_7d,
        above_rest,
        excess: crate::insight::stats::rounded(excess, 1),
        signals: grows.into_iter().chain(bounces).collect(),
    }
}
