//! The one place where an error becomes an exit code and words for a person.

use super::output::Context;
use crate::ledger::LedgerError;
use std::process::ExitCode;

/// Why a command ended.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: anyhow::Error,
}

impl Failure {
    /// Problems were found (exit 1).
    pub fn problems(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 1, error: error.into() }
    }

    /// Wrong usage or configuration (exit 2).
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 2, error: error.into() }
    }

    /// A desk or the ledger cannot be reached (exit 3).
    pub fn unreachable(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 3, error: error.into() }
    }

    /// What is wrong, in words.
    pub fn words(&self) -> String {
        format!("{:#}", self.error)
    }

    /// The ledger's error that it comes from, where it comes from one.
    ///
    /// # Errors
    /// Itself, where it does not.
    pub fn into_ledger(self) -> Result<LedgerError, Self> {
        let Self { code, error } = self;
        error.downcast().map_err(|error| Self { code, error })
    }

    /// Prints the chain of causes once, to stderr.
    pub fn print(&self, context: &Context) -> ExitCode {
        if context.json {
            let causes: Vec<String> = self.error.chain().map(ToString::to_string).collect();
            context.say(&serde_json::json!({ "error": causes.join(": "), "exit": self.code }).to_string());
        } else {
            context.say(&format!("handoffd: {:#}", self.error));
        }
        ExitCode::from(self.code)
    }
}

impl From<anyhow::Error> for Failure {
    /// What is not classified is a problem found.
    fn from(error: anyhow::Error) -> Self {
        Self::problems(error)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::unreachable(error)
    }
}
