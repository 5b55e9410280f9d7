//! What a desk told us, or did not. A missing field is *unknown*, visibly, and never becomes a default
//! by accident: "no owner" is `Known(None)`, "the answer had no owner field" is `Unknown`.

use serde::{Deserialize, Serialize};

/// A value that the desk stated, or the plain admission that it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    /// The desk said so.
    Known(T),
    /// The desk did not say, or said something we could not read.
    #[default]
    Unknown,
}

impl<T> Fact<T> {
    /// The value, if the desk stated one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(value) => Some(value),
            Fact::Unknown => None,
        }
    }

    /// Whether the desk did not say.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Fact::Unknown)
    }

    /// The same knowledge about something derived from the value.
    pub fn map<U>(self, derive: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Fact::Known(value) => Fact::Known(derive(value)),
            Fact::Unknown => Fact::Unknown,
        }
    }
}

impl<T> From<Option<T>> for Fact<T> {
    /// `None` means *unknown*. For "known to be none" write `Fact::Known(None)`.
    fn from(value: Option<T>) -> Self {
        value.map_or(Fact::Unknown, Fact::Known)
    }
}
