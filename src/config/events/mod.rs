//! The map of an event log: which columns of a file from any system say what. TOML, read with places like the
//! configuration: every problem at once, unknown keys with the nearest known one.
//!
//! An [`EventMap`] can only come from [`load_map`] or [`read_map`]; `insight` reads logs by it. Which columns a log really
//! has shows only then: [`EventMap::missing_columns`] says it at the places in the map that name them.

mod facts;
pub mod keys;
mod read;
#[cfg(test)]
mod tests;
mod tiers;

pub use facts::{FactColumn, FactColumns};
pub use tiers::{Tier, TierRule, TierTest, Tiers};

use super::found::Found;
use super::problem::{Problems, Severity};
use super::scalar::{listed, nearest, shown};
use super::source::Source;
use jiff::tz::TimeZone;
use std::ops::Range;
use std::path::Path;
use toml::de::DeTable;

/// How the columns of an event log are read.
#[derive(Clone, Debug)]
pub struct EventMap {
    /// Whose event a row is.
    pub case: Column,
    /// When it happened.
    pub at: InstantColumn,
    /// Orders rows of the same case and instant; none: the order of the file.
    pub order: Option<Column>,
    /// The team that holds the case after the event.
    pub team: ValueColumn,
    /// The status after the event.
    pub status: Option<Column>,
    /// What refines the status, for the table of first events.
    pub sub_status: Option<Column>,
    /// Who made the change.
    pub agent: Option<ValueColumn>,
    /// When a case counts as taken, waiting or done.
    pub statuses: Statuses,
    /// Which tier a team is.
    pub tier: Tiers,
    /// Columns whose value at a case's first event splits the figures.
    pub by: Vec<Column>,
    /// Columns whose values at a case's first event make cases alike; empty: the team that opened them.
    pub like: Vec<Column>,
    /// Facts of the ticket, for a back-test.
    pub facts: FactColumns,
    /// What parts the cells of a row; none: seen from the first line.
    pub separator: Option<u8>,
    source: Source,
}

/// A column, and where the map names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the log.
    pub name: String,
    span: Range<usize>,
}

/// A column with the values that mean "none"; an empty cell always does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueColumn {
    /// The column.
    pub column: Column,
    /// Values that mean the same as an empty cell.
    pub none: Vec<String>,
}

impl ValueColumn {
    /// The value of a cell; none where it says nothing.
    pub fn value<'t>(&self, cell: &'t str) -> Option<&'t str> {
        let cell = cell.trim();
        (!cell.is_empty() && !self.none.iter().any(|none| none == cell)).then_some(cell)
    }
}

/// The column with the instant and how it is written.
#[derive(Clone, Debug)]
pub struct InstantColumn {
    /// The column.
    pub column: Column,
    /// How it is written.
    pub format: InstantFormat,
    /// The zone where the text has none.
    pub zone: Option<TimeZone>,
}

/// How an instant is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstantFormat {
    /// ISO 8601: `2010-03-31T16:59:42+02:00`, also with a space, without seconds' fractions, or as a date alone.
    Iso,
    /// Seconds since 1970 in UTC.
    UnixSeconds,
    /// Milliseconds since 1970 in UTC.
    UnixMillis,
    /// A strptime format.
    Strptime(String),
}

/// Which statuses mean what. A status in no list is neither waiting nor done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses {
    /// The case lies in the team's queue and nobody has taken it.
    pub waiting: Vec<String>,
    /// Somebody has taken it. With `waiting` this adds nothing; alone, all that is neither here nor in `done` waits.
    pub accepted: Vec<String>,
    /// Nothing is left to do.
    pub done: Vec<String>,
    /// A column that shows the claim, where statuses do not.
    pub claimed_when: Option<Claim>,
}

/// A claim that a column shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The column, with the values that say "nobody".
    pub value: ValueColumn,
    /// The case is taken when the value is known (true), or when it is not (false).
    pub known: bool,
}

/// Somebody's text as it may stand in a message: short, without control characters.
pub fn printable(text: &str) -> String {
    shown(text)
}

/// The nearest of these words, where one is near enough to be meant.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(word, known)
}

/// Reads and checks the file.
///
/// # Errors
/// Every problem of the file, warnings included.
pub fn load_map(path: &Path) -> Result<EventMap, Problems> {
    let help = "name the map with --map FILE; docs/REPORTS.md shows what stands in one";
    let text = super::read_text(path, help)?;
    read_map(&text, &path.display().to_string())
}

/// Checks a map's text; `name` is what problems call the file.
///
/// # Errors
/// Every problem of the text, warnings included.
pub fn read_map(text: &str, name: &str) -> Result<EventMap, Problems> {
    let source = Source::new(name, text);
    let (document, syntax) = DeTable::parse_recoverable(text);
    let mut found = Found::new(text);
    let map = read::read(&mut found, document.get_ref(), &source);
    let mut problems = found.into_problems(&source, syntax);
    match map {
        Some(map) if !problems.has_errors() => Ok(map),
        _ => {
            if !problems.has_errors() {
                let message = "the map cannot be used, and nothing says why".to_owned();
                problems.add(0..0, Severity::Error, message, "please report this with the file".to_owned());
            }
            Err(problems)
        }
    }
}

impl EventMap {
    /// The file it was read from, as it was named.
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// Every column that the map names, once each.
    pub fn columns(&self) -> Vec<&Column> {
        let claim = self.statuses.claimed_when.as_ref().map(|claim| &claim.value.column);
        let single = [&self.case, &self.at.column, &self.team.column].into_iter();
        let agent = self.agent.as_ref().map(|agent| &agent.column);
        let optional = [&self.order, &self.status, &self.sub_status].into_iter().flatten().chain(agent);
        let all = single.chain(optional).chain(claim).chain(self.tier.column()).chain(&self.by).chain(&self.like);
        let all = all.chain(self.facts.columns());
        let mut columns: Vec<&Column> = Vec::new();
        for column in all {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column);
            }
        }
        columns
    }

    /// Every column that a log lacks, each at the place in the map that names it; none: all are there.
    pub fn missing_columns(&self, log: &str, header: &[String]) -> Option<Problems> {
        let mut problems = Problems::none(&self.source);
        let mut missing: Vec<&Column> =
            self.columns().into_iter().filter(|column| !header.contains(&column.name)).collect();
        missing.sort_by_key(|column| column.span.start);
        for column in missing {
            let near = nearest(&column.name, header.iter().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("did you mean \"{}\"? ", shown(near)));
            let help = format!("{near}its columns: {}", listed(header.iter().map(String::as_str)));
            let message = format!("{log} has no column \"{}\"", shown(&column.name));
            problems.add(column.span.clone(), Severity::Error, message, help);
        }
        (!problems.is_empty()).then_some(problems)
    }
}
