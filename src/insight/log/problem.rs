//! What is wrong with a log: at which line and column, and what to do.

use crate::config::Problems;
use serde::Serialize;
use std::fmt;

/// How many problems are shown; the rest is counted.
pub(super) const SHOWN: usize = 20;

/// After so many the rest of the file is not read: it is another file than the map says.
pub(super) const GIVE_UP: u64 = 1_000;

/// One place that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogProblem {
    /// The line, from 1.
    pub line: u64,
    /// The character in that line, from 1.
    pub column: u64,
    /// The name of the column, where one is concerned.
    pub named: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub help: String,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The map names columns that the log does not have: problems of the map, at their places in it.
    #[error("{0}")]
    Columns(Problems),
    /// Rows cannot be read.
    #[error("{}", shown(name, problems, *count))]
    Broken {
        /// The log.
        name: String,
        /// The first of them.
        problems: Vec<LogProblem>,
        /// How many there are, as far as was read.
        count: u64,
    },
    /// The file cannot be opened or read.
    #[error("{name} cannot be read: {error}")]
    Unreadable {
        /// The log.
        name: String,
        /// The system's words.
        error: std::io::Error,
    },
}

impl LogError {
    /// One problem that ends the reading.
    pub(super) fn at(name: &str, problem: LogProblem) -> Self {
        Self::Broken { name: name.to_owned(), problems: vec![problem], count: 1 }
    }
}

impl fmt::Display for LogProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if let Some(named) = &self.named {
            write!(f, "column \"{named}\": ")?;
        }
        write!(f, "{}\n    help: {}", self.message, self.help)
    }
}

fn shown(name: &str, problems: &[LogProblem], count: u64) -> String {
    let mut text: String = problems.iter().map(|problem| format!("{name}:{problem}\n")).collect();
    let shown = u64::try_from(problems.len()).unwrap_or(u64::MAX);
    if count > shown {
        let most = if count >= GIVE_UP { "at least " } else { "" };
        text.push_str(&format!("{most}{} more are not shown\n", count - shown));
    }
    text.trim_end().to_owned()
}
