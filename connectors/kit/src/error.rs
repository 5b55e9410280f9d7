//! What a desk call failed with.
//!
//! Two axes, as a caller needs them: the *kind* says what is wrong and decides what happens to the
//! case; [`Retry`] says whether the same call may be sent again. The third answer of [`Retry`] is the
//! important one: *unsure*, the desk may have acted, look before you repeat. Each connector translates its
//! vendor's habits (a 403 that is a quota, a 200 that refuses) into these; nothing above reads a status code.

use crate::id::StreamName;
use jiff::Timestamp;
use std::fmt;

/// The result of a desk call.
pub type Result<T> = std::result::Result<T, DeskError>;

/// What is wrong. Closed on purpose: a caller matches on all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeskErrorKind {
    /// The login is refused: stop this desk's calls and tell a person.
    Unauthorized,
    /// A right is missing: stop this desk's writes and name the right.
    Forbidden,
    /// No such ticket; on desks that do not tell the two apart, also one that our account may not see.
    NotFound,
    /// The ticket is there and our account may not see it (any more).
    Hidden,
    /// The ticket exists but takes no more writes: closed, merged, deleted.
    Gone,
    /// The ticket changed since the version we expected: decide anew.
    Conflict,
    /// The desk understood and will never accept this: park with its words.
    Refused,
    /// Too many calls: wait as told.
    RateLimited,
    /// A person paused it while it waited for its turn: it has not left, and nothing is known of the desk.
    Held,
    /// The desk is down or overloaded, or cannot be reached.
    Unavailable,
    /// The answer is not what the vendor documents: malformed, truncated, too large.
    Protocol,
    /// An internal text of ours stands there in public: nothing more is written on this desk before a person has looked.
    Leaked,
}

impl DeskErrorKind {
    /// A stable name for logs, metrics and the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Hidden => "hidden",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::RateLimited => "rate_limited",
            Self::Held => "held",
            Self::Unavailable => "unavailable",
            Self::Protocol => "protocol",
            Self::Leaked => "leaked",
        }
    }
}

/// Whether the same call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It will fail again.
    Never,
    /// It was not applied and may be repeated: not before this instant, if the desk named one.
    After(Option<Timestamp>),
    /// It may have been applied: look for its mark first.
    Unsure,
    /// It was applied, and not as it was meant (an internal note that came out public): a person must look, and nothing
    /// may count it as not sent.
    Applied,
    /// It was applied over what a person did at the same moment, and theirs stands again: they have decided otherwise, and
    /// nothing that ours was part of may follow.
    Overruled,
}

/// A failed desk call.
#[derive(Clone, Debug)]
pub struct DeskError {
    /// What is wrong.
    pub kind: DeskErrorKind,
    /// Whether it may be repeated.
    pub retry: Retry,
    /// Which call: "apply update", "read head", …
    pub operation: &'static str,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The vendor's own words, bounded, without secrets or ticket text.
    pub words: String,
    /// What a person can do about it.
    pub next_step: Option<String>,
}

impl DeskError {
    /// An error with its two axes; words and next step are added with the methods below.
    pub fn new(kind: DeskErrorKind, retry: Retry, operation: &'static str) -> Self {
        Self { kind, retry, operation, status: None, words: String::new(), next_step: None }
    }

    /// A stream is asked for that the connector does not declare.
    pub fn no_stream(operation: &'static str, vendor: &str, stream: &StreamName) -> Self {
        Self::new(DeskErrorKind::Refused, Retry::Never, operation).words(format!("{vendor} has no stream {stream}"))
    }

    /// An internal note of ours came out public, as the desk's answer shows.
    pub fn leaked(operation: &'static str, ticket: impl fmt::Display) -> Self {
        Self::new(DeskErrorKind::Leaked, Retry::Applied, operation)
            .words(format!("INCIDENT: the internal note on ticket {ticket} is public, the customer may have read it"))
            .next_step(
                "Open the ticket, make the comment an internal note at once, and find the trigger, app or setting that made \
                 it public before you resume this desk",
            )
    }

    /// A public reply of ours came out internal, as the desk's answer shows.
    pub fn untold(operation: &'static str, ticket: impl fmt::Display) -> Self {
        Self::new(DeskErrorKind::Refused, Retry::Applied, operation)
            .words(format!("the public reply on ticket {ticket} became an internal note: the customer was not told"))
            .next_step("Answer the customer by hand, and check what made the comment internal")
    }

    /// Adds the status of the answer.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds the vendor's words, cut at 500 characters.
    #[must_use]
    pub fn words(mut self, words: impl Into<String>) -> Self {
        let words: String = words.into();
        self.words = words.chars().take(500).collect();
        self
    }

    /// The same error of another call, of which the failed one was a part.
    #[must_use]
    pub fn during(self, operation: &'static str) -> Self {
        Self { operation, ..self }
    }

    /// Adds what a person can do.
    #[must_use]
    pub fn next_step(mut self, step: impl Into<String>) -> Self {
        self.next_step = Some(step.into());
        self
    }
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.kind.name().replace('_', " "))?;
        if let Some(status) = self.status {
            write!(f, " (HTTP {status})")?;
        }
        if !self.words.is_empty() {
            write!(f, ": {}", self.words)?;
        }
        Ok(())
    }
}

impl std::error::Error for DeskError {}
