//! The policy's own tests, run by `handoffd check`: each with its name, and what came out otherwise than expected.

use super::output::{Context, Tint};
use crate::config::{Config, Problems};
use crate::policy::trial::{self, Difference};
use serde::Serialize;

/// What came of all tests.
pub struct TestRun {
    rows: Vec<Row>,
    failed: Problems,
}

/// One test, for scripts.
#[derive(Clone, Debug, Serialize)]
struct Row {
    name: String,
    file: String,
    line: usize,
    passed: bool,
    differences: Vec<Difference>,
    why: Vec<String>,
}

impl TestRun {
    /// Runs all tests of a policy, in the order of the file.
    pub fn of(config: &Config) -> Self {
        let live = trial::as_if_live(&config.policy);
        let mut failed = config.warnings.of_same_file();
        let mut rows = Vec::new();
        for test in &config.tests {
            let report = trial::run(&test.trial, &live);
            let passed = report.differences.is_empty();
            if !passed {
                failed.extend(config.test_problem(test, &report));
            }
            let (file, line) = config.test_place(test);
            let name = test.trial.name.clone();
            rows.push(Row { name, file, line, passed, differences: report.differences, why: report.why });
        }
        Self { rows, failed }
    }

    /// Whether one of them does not pass.
    pub fn fails(&self) -> bool {
        self.rows.iter().any(|row| !row.passed)
    }

    /// For `--json`.
    ///
    /// # Errors
    /// What cannot be written as JSON: a bug.
    pub fn to_json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(&self.rows)
    }

    /// Each failure at its place.
    pub fn failures(&self) -> &Problems {
        &self.failed
    }

    /// For a person: the list.
    pub fn print(&self, context: &Context) {
        for row in &self.rows {
            let word = if row.passed { ("passes", Tint::Good) } else { ("FAILS ", Tint::Bad) };
            context.print(&format!("test {} {}", context.tinted(word.0, word.1), super::output::tame(&row.name)));
        }
    }
}
