//! Stories become figures. Each figure's definition stands in [`definitions`], once: the help, the page and the document
//! show it from there. The JSON of [`Figures`] is stable: names are not changed, only added; `report` counts its versions.

pub mod definitions;
mod groups;
mod overuse;
mod paths;
mod resolution;
mod rules;
mod tally;
mod teams;
#[cfg(test)]
mod tests;
mod tiers;
mod volumes;

pub use groups::{Group, GroupValue};
pub use overuse::{Overused, Signal};
pub use paths::{Pair, PathRow, WorstPath};
pub use resolution::{Band, LikeCases, Resolution, Stratum};
pub use rules::{Gap, HandoffFigures, Rejection, Reviews, RuleHandoffs, RuleRow};
pub use tally::{Back, Backs, Waits};
pub use teams::{TeamRow, Triage};
pub use tiers::{Containment, TierCell, TierFigures, Touched};
pub use volumes::{Volumes, Window};

use super::log::{EventLog, Instant, Length, Names, Repairs};
use super::story::{Story, Transfer};
use crate::config::events::{EventMap, Tier};
use jiff::Timestamp;
use serde::Serialize;

/// The version of the JSON.
const VERSION: u32 = 1;

/// All figures.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// The version of this JSON.
    pub report: u32,
    /// Where they come from.
    pub source: Source,
    /// How much there is.
    pub volumes: Volumes,
    /// Cases that the giving team had right back.
    pub bounces: Back,
    /// Cases that the giving team had back at all.
    pub returns: Back,
    /// Unordered pairs of teams by bounces between them, most first.
    pub pairs: Vec<Pair>,
    /// How receiving teams took cases.
    pub waits: Waits,
    /// The same by the receiving team's tier.
    pub waits_by_tier: Vec<TierWaits>,
    /// What tiers do; none: no tier is known.
    pub tiers: Option<TierFigures>,
    /// Cases that left the team they were opened with soon.
    pub triage: Triage,
    /// How long cases took, with and without a handoff.
    pub resolution: Resolution,
    /// Paths that carry much, and grow or come back more than the rest.
    pub overused: Vec<Overused>,
    /// Paths with at least 20 transfers by their share returned within 7 days, highest first.
    pub worst_paths: Vec<WorstPath>,
    /// The figures by the first event's value of each column of `by`.
    pub groups: Vec<Group>,
    /// By the rule, and its version, that brought transfers about; the ledger knows it.
    pub rules: Vec<RuleRow>,
    /// What became of our handoffs; the ledger knows it.
    pub handoffs: Option<HandoffFigures>,
    /// Every team.
    pub teams: Vec<TeamRow>,
    /// Every path, busiest first.
    pub paths: Vec<PathRow>,
}

/// How cases were taken by teams of one tier.
#[derive(Clone, Debug, Serialize)]
pub struct TierWaits {
    /// The tier.
    pub tier: String,
    /// How.
    #[serde(flatten)]
    pub waits: Waits,
}

/// Where figures come from.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// `events` or `ledger`.
    pub kind: &'static str,
    /// The file.
    pub name: String,
    /// The first event.
    pub first: Timestamp,
    /// The last event.
    pub last: Timestamp,
    /// From here on, transfers count as recent.
    pub recent_from: Timestamp,
    /// What was repaired, left out or assumed while reading.
    pub repairs: Option<Repairs>,
}

/// The tables that stories' numbers point into, and what is known at all.
#[derive(Clone, Copy, Debug)]
pub struct World<'w> {
    /// Names of teams.
    pub teams: &'w Names,
    /// Each team's tier.
    pub tiers: &'w [Option<Tier>],
    /// Names of statuses.
    pub statuses: &'w Names,
    /// Values at the first event.
    pub marks: &'w Names,
    /// Rules with their versions.
    pub rules: &'w Names,
    /// The columns of `by`.
    pub by: &'w [String],
    /// The columns of `like`.
    pub like: &'w [String],
    /// Whether anything says when a case is done.
    pub done_known: bool,
    /// How many people made changes; none: nobody says.
    pub agents: Option<usize>,
}

impl World<'_> {
    fn tier(&self, team: u32) -> Option<&Tier> {
        usize::try_from(team).ok().and_then(|at| self.tiers.get(at))?.as_ref()
    }

    fn tier_name(&self, team: u32) -> String {
        self.tier(team).map_or(String::new(), |tier| tier.as_str().to_owned())
    }
}

/// How far back "recent" reaches: half of a shorter time.
const RECENT: Length = Length::seconds(28 * 86_400);

/// The figures of an event log. `name` is what the report calls it.
pub fn of_log(log: &EventLog, map: &EventMap, name: &str) -> Figures {
    let names = |columns: &[crate::config::events::Column]| columns.iter().map(|column| column.name.clone()).collect();
    let (by, like): (Vec<String>, Vec<String>) = (names(&map.by), names(&map.like));
    let world = World {
        teams: &log.teams,
        tiers: &log.tiers,
        statuses: &log.statuses,
        marks: &log.marks,
        rules: &Names::default(),
        by: &by,
        like: &like,
        done_known: log.done_known,
        agents: log.agents,
    };
    let instants = || log.events.iter().map(|event| event.at);
    let (first, last) = (instants().min().unwrap_or_default(), instants().max().unwrap_or_default());
    let source = Source {
        kind: "events",
        name: name.to_owned(),
        first: first.timestamp(),
        last: last.timestamp(),
        recent_from: recent_from(first, last).timestamp(),
        repairs: Some(log.repairs.clone()),
    };
    compute(log.by_case().map(|events| Story::of(events, log)), world, source)
}

/// Where "recent" begins.
pub fn recent_from(first: Instant, last: Instant) -> Instant {
    let half = Length::seconds(last.since(first).micros() / 2_000_000);
    last.before(half.min(RECENT))
}

/// Every figure of these stories.
pub fn compute(stories: impl Iterator<Item = Story>, world: World<'_>, source: Source) -> Figures {
    let mut all = All {
        world,
        recent_from: Instant::of(source.recent_from),
        volumes: volumes::Counting::default(),
        moves: tally::Tally::default(),
        paths: paths::Counting::default(),
        tiers: tiers::Counting::new(world),
        teams: teams::Counting::default(),
        groups: groups::Counting::new(world),
        resolution: resolution::Counting::default(),
        rules: rules::Counting::default(),
    };
    for story in stories {
        all.add(&story);
    }
    all.finish(source)
}

struct All<'w> {
    world: World<'w>,
    recent_from: Instant,
    volumes: volumes::Counting,
    moves: tally::Tally,
    paths: paths::Counting,
    tiers: tiers::Counting,
    teams: teams::Counting,
    groups: groups::Counting,
    resolution: resolution::Counting,
    rules: rules::Counting,
}

/// One story with what is worked out of it once.
struct Told<'s> {
    story: &'s Story,
    transfers: &'s [Transfer],
}

impl All<'_> {
    fn add(&mut self, story: &Story) {
        let transfers = story.transfers();
        let told = Told { story, transfers: &transfers };
        self.volumes.add(&told);
        for transfer in &transfers {
            let recent = transfer.at >= self.recent_from;
            self.moves.add(transfer, recent);
            self.paths.add(transfer, recent);
            self.rules.add(transfer);
        }
        self.moves.add_case(&transfers);
        self.tiers.add(&told, self.world);
        self.teams.add(&told);
        self.groups.add(&told, self.world, &self.tiers);
        self.resolution.add(&told, self.world);
    }

    fn finish(mut self, source: Source) -> Figures {
        let world = self.world;
        let paths = self.paths.rows(world);
        let cases = self.volumes.cases();
        Figures {
            report: VERSION,
            source,
            volumes: self.volumes.finish(world, &paths),
            bounces: self.moves.bounces(cases),
            returns: self.moves.returns(cases),
            pairs: self.paths.pairs(world),
            waits: self.moves.waits(),
            waits_by_tier: self.tiers.waits(),
            triage: self.teams.triage(cases),
            groups: self.groups.finish(),
            resolution: self.resolution.finish(world),
            overused: overuse::find(&self.paths, &self.moves, world),
            worst_paths: self.paths.worst(world),
            rules: self.rules.rows(world),
            handoffs: None,
            teams: self.teams.rows(world),
            tiers: self.tiers.finish(world),
            paths,
        }
    }
}
