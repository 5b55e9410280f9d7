//! Reads an event log: CSV or JSON Lines, packed with gzip or not, from a file or a pipe, by its map.
//!
//! Streaming: one row at a time is in memory as text. Of each event 40 bytes are kept, and each distinct name once; sorting
//! takes half of the events' bytes again. Rules, each counted in [`Repairs`]:
//! - Events of a case are sorted by instant. Equal instants: by the map's `order` column, else as the file has them (where
//!   most rows of a case go back in time, the file is newest first, and equal instants are turned round).
//! - A row that is equal in every cell to another of the same case counts once.
//! - A local time that a zone has twice is taken as the first; one that it skips is moved past the gap.
//! - A row that cannot be read is an error with its place; on request ([`Reading::skip_broken`]) its whole case is left out.

mod collect;
mod csv_rows;
mod instant;
mod json_rows;
mod names;
mod open;
mod order;
mod problem;
#[cfg(test)]
mod tests;

pub use instant::{Instant, Length};
pub use names::Names;
pub use open::open;
pub use problem::{LogError, LogProblem};

use crate::config::events::{EventMap, Tier};
use serde::Serialize;
use std::io::Read;

/// The longest row that is read, in bytes: a longer one is a quote that was never closed, or no log at all.
pub const LONGEST_ROW: usize = 1 << 20;

/// One event, small: names are numbers into the log's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Instant,
    tie: i64,
    hash: u64,
    /// Whose: an index into [`EventLog::cases`].
    pub case: u32,
    team: u32,
    status: u32,
    /// What the columns of `by` and `like` say: an index into [`EventLog::marks`].
    pub mark: u32,
}

const NO_TEAM: u32 = u32::MAX;
const WAITING: u32 = 1;
const DONE: u32 = 2;
const FLAG_BITS: u32 = 2;

impl Event {
    /// The team that holds the case after it, an index into [`EventLog::teams`].
    pub fn team(&self) -> Option<u32> {
        (self.team != NO_TEAM).then_some(self.team)
    }

    /// Its status with what refines it: an index into [`EventLog::statuses`].
    pub fn status(&self) -> u32 {
        self.status >> FLAG_BITS
    }

    /// Whether the case lies untaken after it.
    pub fn waits(&self) -> bool {
        self.status & WAITING != 0
    }

    /// Whether nothing is left to do after it.
    pub fn done(&self) -> bool {
        self.status & DONE != 0
    }
}

/// A whole log, in order.
#[derive(Clone, Debug)]
pub struct EventLog {
    /// Events by case, each case's in order.
    pub events: Vec<Event>,
    /// Names of cases.
    pub cases: Names,
    /// Names of teams.
    pub teams: Names,
    /// Each team's tier; none: unknown.
    pub tiers: Vec<Option<Tier>>,
    /// Statuses with what refines them: `Queued/Awaiting Assignment`.
    pub statuses: Names,
    /// Values of the columns of `by` and then of `like`, as [`split_mark`] parts them.
    pub marks: Names,
    /// Distinct values of the agent column; none: the map names no such column.
    pub agents: Option<usize>,
    /// Whether the map says when a case waits.
    pub waits_known: bool,
    /// Whether the map says when a case is done.
    pub done_known: bool,
    /// What was repaired, left out or assumed.
    pub repairs: Repairs,
}

/// What parts the values of a mark; no cell of a log has it.
const MARK_SEPARATOR: char = '\u{1f}';

/// The values of a mark, one for each column of `by` and then of `like`.
pub fn split_mark(mark: &str) -> impl Iterator<Item = &str> {
    mark.split(MARK_SEPARATOR)
}

impl EventLog {
    /// The events of each case.
    pub fn by_case(&self) -> impl Iterator<Item = &[Event]> {
        self.events.chunk_by(|one, other| one.case == other.case)
    }
}

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
    /// Rows that could not be read, with `--skip-broken`.
    pub broken_rows: u64,
    /// Cases left out because of such a row.
    pub broken_cases: u64,
    /// Of the broken rows, those whose case could not be told: one case or another lacks an event.
    pub lost_rows: u64,
}

/// How a log is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Leaves out every case with a row that cannot be read, instead of giving up.
    pub skip_broken: bool,
}

/// Reads a whole log. `name` is what problems call it.
///
/// # Errors
/// Columns that are not there, rows that cannot be read (the first of them, each with its place), or no events at all.
pub fn read(input: impl Read + 'static, name: &str, map: &EventMap, reading: Reading) -> Result<EventLog, LogError> {
    let opened = open::sniff(Box::new(input), name, map)?;
    collect::collect(opened, name, map, reading)
}
