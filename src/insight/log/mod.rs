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
mod facts;
mod instant;
mod json_rows;
mod names;
mod open;
mod order;
mod problem;
mod repairs;
#[cfg(test)]
mod tests;

pub use facts::Facts;
pub use instant::{Instant, Length};
pub use names::Names;
pub use open::open;
pub use problem::{LogError, LogProblem};
pub use repairs::{Repairs, Unmet};

use crate::config::events::{EventMap, Tier};
use jiff::Timestamp;
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
    /// Values of the columns of `by` and then of `like`, as [`split_mark`] parts them, and facts of the ticket.
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
/// What stands before the facts of a mark; no cell of a log has it.
const FACTS_SEPARATOR: char = '\u{1e}';

/// The values of a mark, one for each column of `by` and then of `like`.
pub fn split_mark(mark: &str) -> impl Iterator<Item = &str> {
    mark.split_once(FACTS_SEPARATOR).map_or(mark, |(values, _)| values).split(MARK_SEPARATOR)
}

impl EventLog {
    /// What an event tells of the ticket beside team and status; none: the map names no such column.
    pub fn facts(&self, event: &Event) -> Option<Facts> {
        let (_, facts) = self.marks.name(event.mark).split_once(FACTS_SEPARATOR)?;
        Facts::read(facts)
    }

    /// The events of each case.
    pub fn by_case(&self) -> impl Iterator<Item = &[Event]> {
        self.events.chunk_by(|one, other| one.case == other.case)
    }
}

/// How a log is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Leaves out every case with a row that cannot be read, instead of giving up.
    pub skip_broken: bool,
    /// The present instant: what a log says of later is counted. None: nothing is.
    pub now: Option<Timestamp>,
}

/// Reads a whole log. `name` is what problems call it.
///
/// # Errors
/// Columns that are not there, rows that cannot be read (the first of them, each with its place), or no events at all.
pub fn read(input: impl Read + 'static, name: &str, map: &EventMap, reading: Reading) -> Result<EventLog, LogError> {
    let opened = open::sniff(Box::new(input), name, map)?;
    collect::collect(opened, name, map, reading)
}
