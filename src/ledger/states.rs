//! The states of effects and handoffs, each with its one transition function. An impossible step is an error, in the
//! daemon and while loading after a crash; nothing else in the house changes a state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an effect stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum EffectState {
    /// Waits for its turn.
    Due {
        /// Not before.
        at: Timestamp,
        /// Tries so far.
        attempt: u32,
    },
    /// Being sent. After a crash: unsure.
    InFlight {
        /// Which try, from 1.
        attempt: u32,
    },
    /// May have happened: looked up before it is repeated.
    Unsure {
        /// Tries so far.
        attempt: u32,
        /// Lookups after the settle time that did not find it.
        missed: u32,
        /// Look up not before.
        at: Timestamp,
    },
    /// On the desk.
    Done,
    /// The desk will not take it; a person has seen it or the handoff has ended.
    Refused,
    /// Not wanted any more.
    Dropped,
    /// Stopped until a person acts.
    Parked,
}

/// What happened to an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectEvent {
    /// A worker took it.
    Claimed,
    /// The desk's answer proves it.
    Accepted,
    /// It was not applied and may be sent again at this instant.
    TryAgain(Timestamp),
    /// It may have been applied: look it up at this instant.
    Lost(Timestamp),
    /// A lookup found it.
    Found,
    /// A lookup did not find it: look again at this instant.
    NotSeen(Timestamp),
    /// Two lookups after the settle time did not find it: send again at this instant.
    Absent(Timestamp),
    /// The lookup itself failed: try it again at this instant.
    LookupFailed(Timestamp),
    /// The desk will never take it.
    Refused,
    /// It is not wanted any more.
    Drop,
    /// A person must act.
    Park,
    /// A person says: try again at this instant.
    Retry(Timestamp),
    /// The daemon came up and found it in flight: look it up at this instant.
    Restarted(Timestamp),
}

/// Where a handoff stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffState {
    /// Waits for missing package parts.
    Asking,
    /// Waits for a person's yes or no.
    InReview,
    /// Its effects are being delivered.
    Sending,
    /// All sent; compared again after `verify_after`.
    Verifying,
    /// As decided.
    Settled,
    /// The stay right after the receiving team's is the giving team again.
    Bounced,
    /// A reviewer or the receiving team said no, with a reason.
    Rejected,
    /// Another automation undid it.
    Contested,
    /// A person undid it through us.
    Undone,
    /// It ended before anything was sent, or the rest was dropped.
    Withdrawn,
}

/// What happened to a handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffEvent {
    /// A person said yes, or the package is complete.
    Approved,
    /// A person said no.
    Rejected,
    /// Every effect is done.
    Sent,
    /// Compared again, and it is as decided (or a person has moved it on since: their move).
    Verified,
    /// The giving team has it again.
    Bounced,
    /// Another automation undid it.
    Contested,
    /// A person undid it through us.
    Undone,
    /// Stale, superseded, closed, merged, switched off.
    Withdrawn,
}
