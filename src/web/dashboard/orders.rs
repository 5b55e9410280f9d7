//! What persons decide on the dashboard, and who carries it out: the daemon, with the handlers of its control socket.

use crate::config::Role;
use crate::policy::rules::PackagePart;
use futures::future::BoxFuture;

/// What somebody decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Yes to a review.
    Approve {
        /// Which handoff.
        handoff: String,
        /// Why, if there is something to say.
        reason: Option<String>,
        /// To which team; none: the one that it is about. Where rules want different ones, it is named.
        to: Option<String>,
    },
    /// No to a review.
    Reject {
        /// Which handoff.
        handoff: String,
        /// Why.
        reason: String,
    },
    /// Other words for parts of what travels with a review.
    Edit {
        /// Which handoff.
        handoff: String,
        /// The version of its package that was shown.
        of: u32,
        /// The parts that are other ones now, each with its words; none of them: the part is left out.
        parts: Vec<(PackagePart, String)>,
    },
    /// Try again what is parked.
    Retry(Target),
    /// Give up what is parked.
    Drop {
        /// What.
        target: Target,
        /// Why.
        reason: String,
    },
}

/// What is parked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One effect.
    Effect {
        /// Of which handoff.
        handoff: String,
        /// Its number there.
        number: u32,
    },
    /// A case that cannot be looked at.
    Case {
        /// On which desk.
        desk: String,
        /// Which ticket.
        ticket: String,
    },
    /// All that waits for a desk that is not configured.
    Desk {
        /// Which.
        desk: String,
    },
}

/// Why it was not carried out, in words for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It makes no sense.
    Wrong(String),
    /// There is no such thing.
    NotFound(String),
    /// It makes sense and is not allowed, or not any more.
    Refused(String),
    /// The desk does not answer, or refuses.
    Desk(String),
    /// The ledger does not answer.
    Ledger(String),
}

/// Carries out what persons decide, and writes down who did.
pub trait Orders: Send + Sync {
    /// Carries it out for this person. Gives what was done, in words.
    fn give(&self, wish: Wish, by: String) -> BoxFuture<'_, Result<String, Refusal>>;
}

impl Wish {
    /// The review that it answers or edits.
    pub fn review(&self) -> Option<&str> {
        match self {
            Self::Approve { handoff, .. } | Self::Reject { handoff, .. } | Self::Edit { handoff, .. } => Some(handoff),
            Self::Retry(_) | Self::Drop { .. } => None,
        }
    }

    /// What it takes to decide this.
    pub fn takes(&self) -> Role {
        match self {
            Self::Approve { .. } | Self::Reject { .. } | Self::Edit { .. } => Role::Review,
            Self::Retry(_) | Self::Drop { .. } => Role::Operate,
        }
    }
}

impl Refusal {
    /// In words.
    pub fn words(&self) -> &str {
        match self {
            Self::Wrong(words)
            | Self::NotFound(words)
            | Self::Refused(words)
            | Self::Desk(words)
            | Self::Ledger(words) => words,
        }
    }
}
