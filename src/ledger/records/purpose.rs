//! What an effect is for, beside carrying its handoff out.

use serde::{Deserialize, Serialize};

/// Why an effect was planned. Effects of one handoff and purpose are delivered in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To carry the handoff out: it ends with it.
    Handoff,
    /// To say or to take something back, whatever has become of the handoff: a closing or correcting note, an undo.
    Apart,
    /// To ask the current agent for package parts, or to end that.
    Asking,
    /// To let the customer's clock run again that the handoff stopped.
    Resume,
    /// To ask somebody to take the case on: not wanted any more once somebody has.
    Reminder,
}

impl Purpose {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Handoff => "handoff",
            Self::Apart => "apart",
            Self::Asking => "asking",
            Self::Resume => "resume",
            Self::Reminder => "reminder",
        }
    }

    /// The purpose of that name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Handoff, Self::Apart, Self::Asking, Self::Resume, Self::Reminder];
        all.into_iter().find(|purpose| purpose.name() == name)
    }
}
