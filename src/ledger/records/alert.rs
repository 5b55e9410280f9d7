//! Alerts as the ledger keeps them.

use crate::ledger::states::{EffectEvent, EffectState};
use crate::plan::alert::Alert;
use crate::policy::names::AlertName;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// An alert as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRecord {
    /// Row id.
    pub id: i64,
    /// Which channel.
    pub channel: AlertName,
    /// What it says.
    pub alert: Alert,
    /// Where it stands.
    pub state: EffectState,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When it was first tried.
    pub tried_at: Option<Timestamp>,
    /// When it may have arrived first although no answer says so.
    pub lost_at: Option<Timestamp>,
    /// The channel's proof, where it gives one.
    pub receipt: Option<String>,
    /// The last error, or the reason it stands where it stands.
    pub reason: Option<String>,
    /// What a person can do.
    pub next_step: Option<String>,
}

/// An alert that a worker took: it is in flight.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedAlert {
    /// The alert.
    pub record: AlertRecord,
    /// Which try this is, from 1.
    pub attempt: u32,
}

/// What came of sending an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertOutcome {
    /// Which.
    pub alert: i64,
    /// What happened.
    pub event: EffectEvent,
    /// When.
    pub at: Timestamp,
    /// The channel's proof.
    pub receipt: Option<String>,
    /// The error, or the reason.
    pub reason: Option<String>,
    /// What a person can do.
    pub next_step: Option<String>,
    /// It may have arrived, whatever follows.
    pub may_have_arrived: bool,
    /// The channel asked never to be sent to again: nothing is, until a person says so.
    pub stops: bool,
}

/// How the alerts of one channel stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertCounts {
    /// By state.
    pub by_state: BTreeMap<String, u32>,
    /// Those that wait for a person, with the instant the oldest was planned.
    pub parked: Option<(u32, Timestamp)>,
}
