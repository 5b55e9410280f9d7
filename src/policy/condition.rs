//! Conditions: CEL over declared facts, compiled and type-checked once, at load.

/// One condition, ready to be asked.
#[derive(Clone, Debug)]
pub struct Condition {
    source: String,
}

impl Condition {
    /// The condition as written.
    pub fn source(&self) -> &str {
        &self.source
    }
}
