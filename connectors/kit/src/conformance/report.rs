//! What the suite found, in the order it tried.

use std::fmt;

/// What came of every check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The connector's name.
    pub connector: &'static str,
    /// One line for each check.
    pub lines: Vec<Line>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The promise that was tried, as a sentence.
    pub promise: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Kept.
    Passed,
    /// Broken: what was seen instead.
    Failed(String),
    /// Not tried: why.
    Skipped(String),
}

impl Report {
    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| matches!(line.outcome, Outcome::Failed(_)))
    }

    /// Whether nothing failed.
    pub fn is_clean(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Checks that passed, failed, and were skipped.
    pub fn counts(&self) -> (usize, usize, usize) {
        self.lines.iter().fold((0, 0, 0), |(passed, failed, skipped), line| match line.outcome {
            Outcome::Passed => (passed + 1, failed, skipped),
            Outcome::Failed(_) => (passed, failed + 1, skipped),
            Outcome::Skipped(_) => (passed, failed, skipped + 1),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passed, failed, skipped) = self.counts();
        writeln!(f, "{}: {passed} passed, {failed} failed, {skipped} skipped", self.connector)?;
        for Line { promise, outcome } in &self.lines {
            match outcome {
                Outcome::Passed => writeln!(f, "  passed   {promise}")?,
                Outcome::Failed(why) => writeln!(f, "  FAILED   {promise}: {why}")?,
                Outcome::Skipped(why) => writeln!(f, "  skipped  {promise}: {why}")?,
            }
        }
        Ok(())
    }
}
