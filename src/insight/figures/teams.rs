//! Every team: what it held and for how long, what it gave and got, and how cases that began with it went on.

use super::tally::{Backs, Tally, Waits};
use super::{Told, World};
use crate::insight::log::Length;
use crate::insight::stats::{Share, Spread};
use crate::policy::triage::is_weak;
use jiff::SignedDuration;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One team.
#[derive(Clone, Debug, Serialize)]
pub struct TeamRow {
    /// Its name.
    pub team: String,
    /// Its tier; empty: unknown.
    pub tier: String,
    /// Cases that it held at some time.
    pub cases: u64,
    /// Stays of cases with it.
    pub stays: u64,
    /// How long stays lasted: to the next one, or to the case's last event.
    pub held: Spread,
    /// All of that together, in seconds.
    pub held_total_s: Length,
    /// Transfers away from it.
    pub gave: u64,
    /// Of what it gave: handed right back to it.
    pub given_bounced: Backs,
    /// Transfers to it.
    pub got: u64,
    /// Of what it got: it handed right back.
    pub got_bounced: Backs,
    /// How it took what it got.
    pub waits: Waits,
    /// Cases that were opened with it.
    pub opened: u64,
}

/// Cases that left the team they were opened with soon, of all cases.
#[derive(Clone, Debug, Serialize)]
pub struct Triage {
    /// Within 15 minutes.
    pub within_15m: Share,
    /// Within an hour.
    pub within_1h: Share,
    /// Within a day.
    pub within_1d: Share,
}

#[derive(Default)]
struct Team {
    cases: u64,
    opened: u64,
    held: Vec<Length>,
    gave: Tally,
    got: Tally,
}

#[derive(Default)]
pub(super) struct Counting {
    teams: BTreeMap<u32, Team>,
    /// Cases that left their first team within each of the windows.
    left_soon: [u64; 3],
}

const SOON: [SignedDuration; 3] =
    [SignedDuration::from_mins(15), SignedDuration::from_hours(1), SignedDuration::from_hours(24)];

impl Counting {
    pub fn add(&mut self, told: &Told<'_>) {
        let distinct: BTreeSet<u32> = told.story.stays.iter().map(|stay| stay.team).collect();
        for team in distinct {
            self.teams.entry(team).or_default().cases += 1;
        }
        for (at, stay) in told.story.stays.iter().enumerate() {
            self.teams.entry(stay.team).or_default().held.push(told.story.held(at));
        }
        if let Some(first) = told.story.stays.first() {
            self.teams.entry(first.team).or_default().opened += 1;
        }
        for transfer in told.transfers {
            self.teams.entry(transfer.from).or_default().gave.add(transfer, false);
            self.teams.entry(transfer.to).or_default().got.add(transfer, false);
        }
        let left = told.transfers.first().map(|_| SignedDuration::from_micros(told.story.held(0).micros()));
        for (count, soon) in self.left_soon.iter_mut().zip(SOON) {
            *count += u64::from(left.is_some_and(|held| is_weak(held, soon)));
        }
    }

    pub fn triage(&self, cases: u64) -> Triage {
        let [within_15m, within_1h, within_1d] = self.left_soon.map(|count| Share::new(count, cases));
        Triage { within_15m, within_1h, within_1d }
    }

    /// Every team, by what it held in all, longest first.
    pub fn rows(self, world: World<'_>) -> Vec<TeamRow> {
        let row = |(number, mut team): (u32, Team)| TeamRow {
            team: world.teams.name(number).to_owned(),
            tier: world.tier_name(number),
            cases: team.cases,
            stays: team.held.len() as u64,
            held_total_s: team.held.iter().fold(Length::default(), |sum, held| sum.plus(*held)),
            held: Spread::of(&mut team.held),
            gave: team.gave.transfers,
            given_bounced: Backs::of(&team.gave.bounced, team.gave.transfers),
            got: team.got.transfers,
            got_bounced: Backs::of(&team.got.bounced, team.got.transfers),
            waits: team.got.waits(),
            opened: team.opened,
        };
        let mut rows: Vec<TeamRow> = self.teams.into_iter().map(row).collect();
        rows.sort_by(|one, other| other.held_total_s.cmp(&one.held_total_s).then_with(|| one.team.cmp(&other.team)));
        rows
    }
}
