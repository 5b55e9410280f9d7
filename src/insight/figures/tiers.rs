//! What tiers do: who hands over to whom, and how many cases the first tier solves alone.

use super::tally::{Tally, WITHIN_7D};
use super::{TierWaits, Told, World};
use crate::config::events::Tier;
use crate::insight::log::Length;
use crate::insight::stats::{Quantile, Share, nearest_rank};
use crate::insight::story::Story;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What tiers do.
#[derive(Clone, Debug, Serialize)]
pub struct TierFigures {
    /// Every pair of tiers, by giving and then receiving tier; pairs without a transfer included.
    pub matrix: Vec<TierCell>,
    /// Cases by the tier of their first team.
    pub first: BTreeMap<String, u64>,
    /// Cases by the set of tiers that they touched, most first.
    pub touched: Vec<Touched>,
    /// How many cases the first tier keeps.
    pub containment: Containment,
    /// Transfers with a team whose tier is unknown: in no pair.
    pub transfers_without_tier: u64,
}

/// Transfers from one tier to another.
#[derive(Clone, Debug, Serialize)]
pub struct TierCell {
    /// The giving tier.
    pub from: String,
    /// The receiving tier.
    pub to: String,
    /// How many.
    pub transfers: u64,
    /// Bounced at any time.
    pub bounced: u64,
    /// Returned within seven days.
    pub returned_7d: u64,
    /// The wait of those taken, in seconds.
    pub wait_p50_s: Option<Length>,
}

/// Cases that touched exactly these tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Touched {
    /// The tiers.
    pub tiers: Vec<String>,
    /// How many.
    pub cases: u64,
}

/// How many cases the first tier keeps. The first tier is the lowest number among the tiers of the log's teams.
#[derive(Clone, Debug, Serialize)]
pub struct Containment {
    /// The first tier.
    pub tier: String,
    /// Never with a team outside it.
    pub contained: Share,
    /// Start in it and leave it.
    pub left: Share,
    /// Do not start in it.
    pub started_elsewhere: Share,
    /// Do not start in it, or at some point step down to a lower tier.
    pub started_elsewhere_or_stepped_down: Share,
    /// The same, or at some point skip a tier on the way up.
    pub or_skipped_a_tier: Share,
}

pub(super) struct Counting {
    first_tier: Option<u32>,
    cells: BTreeMap<(Tier, Tier), Tally>,
    receiving: BTreeMap<Tier, Tally>,
    first: BTreeMap<Tier, u64>,
    touched: BTreeMap<BTreeSet<String>, u64>,
    cases: u64,
    contained: u64,
    left: u64,
    elsewhere: u64,
    stepped_down: u64,
    skipped: u64,
    without_tier: u64,
}

impl Counting {
    pub fn new(world: World<'_>) -> Self {
        let numbers = world.tiers.iter().flatten().filter_map(Tier::number);
        Self {
            first_tier: numbers.min(),
            cells: BTreeMap::new(),
            receiving: BTreeMap::new(),
            first: BTreeMap::new(),
            touched: BTreeMap::new(),
            cases: 0,
            contained: 0,
            left: 0,
            elsewhere: 0,
            stepped_down: 0,
            skipped: 0,
            without_tier: 0,
        }
    }

    pub fn add(&mut self, told: &Told<'_>, world: World<'_>) {
        self.cases += 1;
        for transfer in told.transfers {
            match (world.tier(transfer.from), world.tier(transfer.to)) {
                (Some(from), Some(to)) => {
                    self.cells.entry((from.clone(), to.clone())).or_default().add(transfer, false);
                }
                _ => self.without_tier += 1,
            }
            if let Some(to) = world.tier(transfer.to) {
                self.receiving.entry(to.clone()).or_default().add(transfer, false);
            }
        }
        let Some(first) = told.story.stays.first() else { return };
        if let Some(tier) = world.tier(first.team) {
            *self.first.entry(tier.clone()).or_default() += 1;
        }
        let name = |team| world.tier(team).map_or("unknown", Tier::as_str).to_owned();
        let touched = told.story.stays.iter().map(|stay| name(stay.team)).collect();
        *self.touched.entry(touched).or_default() += 1;
        self.add_containment(told, world);
    }

    fn add_containment(&mut self, told: &Told<'_>, world: World<'_>) {
        let starts_in_it = self.starts_in_first(told.story, world);
        let stays_in_it = self.contains(told.story, world);
        let steps = told.transfers.iter().map(|transfer| {
            let number = |team| world.tier(team).and_then(Tier::number);
            number(transfer.from).zip(number(transfer.to))
        });
        let steps: Vec<(u32, u32)> = steps.flatten().collect();
        let down = !starts_in_it || steps.iter().any(|(from, to)| to < from);
        let skips = steps.iter().any(|(from, to)| *to > from + 1);
        self.contained += u64::from(stays_in_it);
        self.left += u64::from(starts_in_it && !stays_in_it);
        self.elsewhere += u64::from(!starts_in_it);
        self.stepped_down += u64::from(down);
        self.skipped += u64::from(down || skips);
    }

    fn starts_in_first(&self, story: &Story, world: World<'_>) -> bool {
        let number = |team| world.tier(team).and_then(Tier::number);
        story.stays.first().is_some_and(|stay| number(stay.team).is_some() && number(stay.team) == self.first_tier)
    }

    /// Whether the first tier alone had it.
    pub fn contains(&self, story: &Story, world: World<'_>) -> bool {
        let number = |team| world.tier(team).and_then(Tier::number);
        let first = self.first_tier.is_some() && !story.stays.is_empty();
        first && story.stays.iter().all(|stay| number(stay.team) == self.first_tier)
    }

    /// How cases were taken, by receiving tier.
    pub fn waits(&mut self) -> Vec<TierWaits> {
        let waits =
            |(tier, tally): (&Tier, &mut Tally)| TierWaits { tier: tier.as_str().to_owned(), waits: tally.waits() };
        self.receiving.iter_mut().map(waits).collect()
    }

    pub fn finish(mut self, world: World<'_>) -> Option<TierFigures> {
        let tiers: BTreeSet<Tier> = world.tiers.iter().flatten().cloned().collect();
        if tiers.is_empty() {
            return None;
        }
        let mut matrix = Vec::new();
        for from in &tiers {
            for to in &tiers {
                let mut tally = self.cells.remove(&(from.clone(), to.clone())).unwrap_or_default();
                tally.waits.sort_unstable();
                matrix.push(TierCell {
                    from: from.as_str().to_owned(),
                    to: to.as_str().to_owned(),
                    transfers: tally.transfers,
                    bounced: tally.bounced[3],
                    returned_7d: tally.returned[WITHIN_7D],
                    wait_p50_s: nearest_rank(&tally.waits, Quantile(50)),
                });
            }
        }
        let mut touched: Vec<Touched> = self
            .touched
            .into_iter()
            .map(|(tiers, cases)| Touched { tiers: tiers.into_iter().collect(), cases })
            .collect();
        touched.sort_by(|one, other| other.cases.cmp(&one.cases).then_with(|| one.tiers.cmp(&other.tiers)));
        let of_all = |count| Share::new(count, self.cases);
        Some(TierFigures {
            matrix,
            first: self.first.iter().map(|(tier, cases)| (tier.as_str().to_owned(), *cases)).collect(),
            touched,
            containment: Containment {
                tier: self.first_tier.map_or(String::new(), |tier| tier.to_string()),
                contained: of_all(self.contained),
                left: of_all(self.left),
                started_elsewhere: of_all(self.elsewhere),
                started_elsewhere_or_stepped_down: of_all(self.stepped_down),
                or_skipped_a_tier: of_all(self.skipped),
            },
            transfers_without_tier: self.without_tier,
        })
    }
}
