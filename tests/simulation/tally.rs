//! What a run exercised: printed, and held to have happened at all.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Counts something.
    pub fn count(&mut self, what: impl Into<String>, times: u64) {
        if times > 0 {
            *self.0.entry(what.into()).or_default() += times;
        }
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Tally) {
        for (what, times) in &other.0 {
            self.count(what.clone(), *times);
        }
    }

    /// A simulation in which nothing went wrong proves nothing.
    pub fn assert_everything_happened(&self) {
        let wanted = [
            "seeds",
            "tickets",
            "crashes",
            "handoffs settled",
            "handoffs in_review",
            "handoffs withdrawn",
            "handoffs bounced",
            "handoffs contested",
            "webhooks delivered",
            "webhooks known",
            "conflicts met",
            "public replies",
            "orders by hand",
            "switches to shadow",
            "askings",
            "cases given back by a person",
            "cases put back on a word",
            "closed paths opened",
            "reviews answered with no",
            "left because fires",
            "left because held",
            "left because path_closed",
            "handoffs that went on because nobody claimed the case",
            "reminders written",
            "handoffs claimed",
            "handoffs rejected",
            "handoffs undone",
            "by billing-on-request",
            "by second-line-on-request",
            "commands handoff taken",
            "commands handoff refused",
            "commands back done",
            "commands reject done",
            "commands approve done",
            "commands rate done",
            "webhooks replayed",
            "reloads",
            "version Stricter",
            "version Others",
            "effects under a later version",
            "pauses",
            "alerts done",
            "alerts repeated",
        ];
        let missing: Vec<&str> = wanted.into_iter().chain(FAULTS).filter(|what| !self.0.contains_key(*what)).collect();
        assert!(missing.is_empty(), "never happened: {missing:?}");
    }
}

/// Everything that goes wrong.
const FAULTS: [&str; 14] = [
    "fault rate_limited",
    "fault server_error",
    "fault unavailable",
    "fault slow",
    "fault lost_before",
    "fault lost_after",
    "fault late",
    "fault truncated",
    "fault malformed",
    "fault down",
    "fault unauthorized",
    "fault forbidden",
    "ledger full",
    "ledger locked",
];

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<String> = self.0.iter().map(|(what, times)| format!("{what} {times}")).collect();
        let met = FAULTS.iter().filter(|fault| self.0.contains_key(**fault)).count();
        write!(f, "simulated: {}\n{met} of {} kinds of fault met", rows.join(", "), FAULTS.len())
    }
}
