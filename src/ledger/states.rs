//! The states of effects and handoffs, each with its one transition function. An impossible step is an error, in the
//! daemon and while loading after a crash; nothing else in the house changes a state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an effect stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
        /// Lookups in a row that told nothing.
        #[serde(default)]
        failed: u32,
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
    Parked {
        /// Tries so far.
        attempt: u32,
        /// It may be on the desk: a retry looks first.
        unsure: bool,
    },
}

/// What happened to an effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// It stands on the desk, and not as it was meant: a person must act.
    ParkApplied,
    /// A person says: try again at this instant.
    Retry(Timestamp),
    /// The daemon came up and found it in flight: look it up at this instant.
    Restarted(Timestamp),
    /// It cannot be looked up, and a double is better than a miss: send it again at this instant.
    Repeat(Timestamp),
    /// It waits until this instant before it is tried.
    Postpone(Timestamp),
    /// It was paused before it left: it was not tried, and is due from this instant on.
    HeldBack(Timestamp),
}

/// Where a handoff stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Decided anew before anything was sent, and now a person must say yes first.
    ReviewNeeded,
}

/// A step that a state does not have: a bug, or a damaged row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {what} that is {from} cannot take the step {event}")]
pub struct IllegalStep {
    /// Effect or handoff.
    pub what: &'static str,
    /// The state.
    pub from: &'static str,
    /// The step.
    pub event: String,
}

impl EffectState {
    /// The state's name: in SQL, in lists, in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Due { .. } => "due",
            Self::InFlight { .. } => "in_flight",
            Self::Unsure { .. } => "unsure",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
            Self::Parked { .. } => "parked",
        }
    }

    /// When something has to be done about it.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Due { at, .. } | Self::Unsure { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// Whether nothing will happen to it any more by itself or by a person.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Refused | Self::Dropped)
    }

    /// The only place where an effect changes state.
    ///
    /// # Errors
    /// The step does not exist in this state.
    pub fn after(&self, event: &EffectEvent) -> Result<Self, IllegalStep> {
        use EffectEvent as E;
        Ok(match (self, event) {
            (Self::Due { attempt, .. }, E::Claimed) => Self::InFlight { attempt: attempt + 1 },
            (Self::InFlight { .. }, E::Accepted) | (Self::Unsure { .. }, E::Found) => Self::Done,
            (Self::InFlight { attempt }, E::TryAgain(at)) => Self::Due { at: *at, attempt: *attempt },
            (Self::InFlight { attempt }, E::HeldBack(at)) => Self::Due { at: *at, attempt: attempt.saturating_sub(1) },
            (Self::InFlight { attempt }, E::Lost(at) | E::Restarted(at)) => {
                Self::Unsure { attempt: *attempt, missed: 0, failed: 0, at: *at }
            }
            (Self::Unsure { attempt, missed, .. }, E::NotSeen(at)) => {
                Self::Unsure { attempt: *attempt, missed: missed + 1, failed: 0, at: *at }
            }
            (Self::Unsure { attempt, missed, failed, .. }, E::LookupFailed(at)) => {
                Self::Unsure { attempt: *attempt, missed: *missed, failed: failed + 1, at: *at }
            }
            // Two lookups: the first one is counted in `missed`, this is the second.
            (Self::Unsure { attempt, missed, .. }, E::Absent(at)) if *missed >= 1 => {
                Self::Due { at: *at, attempt: *attempt }
            }
            (Self::Unsure { attempt, .. }, E::Repeat(at)) | (Self::Due { attempt, .. }, E::Postpone(at)) => {
                Self::Due { at: *at, attempt: *attempt }
            }
            (Self::InFlight { .. }, E::Refused) => Self::Refused,
            (Self::InFlight { attempt } | Self::Due { attempt, .. }, E::Park) => {
                Self::Parked { attempt: *attempt, unsure: false }
            }
            (Self::InFlight { attempt }, E::ParkApplied) => Self::Parked { attempt: *attempt, unsure: true },
            (Self::Unsure { attempt, .. }, E::Park) => Self::Parked { attempt: *attempt, unsure: true },
            (Self::Parked { attempt, unsure: false }, E::Retry(at)) => Self::Due { at: *at, attempt: *attempt },
            (Self::Parked { attempt, unsure: true }, E::Retry(at)) => {
                Self::Unsure { attempt: *attempt, missed: 0, failed: 0, at: *at }
            }
            (Self::Due { .. } | Self::InFlight { .. } | Self::Unsure { .. } | Self::Parked { .. }, E::Drop) => {
                Self::Dropped
            }
            (from, event) => {
                return Err(IllegalStep { what: "effect", from: from.name(), event: format!("{event:?}") });
            }
        })
    }
}

impl HandoffState {
    /// The state's name: in SQL, in lists, in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asking => "asking",
            Self::InReview => "in_review",
            Self::Sending => "sending",
            Self::Verifying => "verifying",
            Self::Settled => "settled",
            Self::Bounced => "bounced",
            Self::Rejected => "rejected",
            Self::Contested => "contested",
            Self::Undone => "undone",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// All of them, in the order of a handoff's life.
    pub const ALL: [Self; 10] = [
        Self::Asking,
        Self::InReview,
        Self::Sending,
        Self::Verifying,
        Self::Settled,
        Self::Bounced,
        Self::Rejected,
        Self::Contested,
        Self::Undone,
        Self::Withdrawn,
    ];

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it is under way: one at a time for each case.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Asking | Self::InReview | Self::Sending)
    }

    /// Whether it is over, and not as it was decided.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Bounced | Self::Rejected | Self::Contested | Self::Undone | Self::Withdrawn)
    }

    /// The only place where a handoff changes state.
    ///
    /// # Errors
    /// The step does not exist in this state.
    pub fn after(self, event: HandoffEvent) -> Result<Self, IllegalStep> {
        use HandoffEvent as E;
        Ok(match (self, event) {
            (Self::InReview | Self::Asking, E::Approved) => Self::Sending,
            (Self::InReview | Self::Sending | Self::Verifying | Self::Settled, E::Rejected) => Self::Rejected,
            (Self::Sending, E::Sent) => Self::Verifying,
            (Self::Verifying, E::Verified) => Self::Settled,
            (Self::Verifying | Self::Settled, E::Bounced) => Self::Bounced,
            (Self::Verifying | Self::Settled, E::Contested) => Self::Contested,
            (Self::Sending | Self::Verifying | Self::Settled, E::Undone) => Self::Undone,
            (Self::Asking | Self::Sending, E::ReviewNeeded) => Self::InReview,
            (Self::Asking | Self::InReview | Self::Sending, E::Withdrawn) => Self::Withdrawn,
            (from, event) => {
                return Err(IllegalStep { what: "handoff", from: from.name(), event: format!("{event:?}") });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn events() -> Vec<EffectEvent> {
        use EffectEvent as E;
        vec![
            E::Claimed,
            E::Accepted,
            E::TryAgain(AT),
            E::Lost(AT),
            E::Found,
            E::NotSeen(AT),
            E::Absent(AT),
            E::LookupFailed(AT),
            E::Refused,
            E::Drop,
            E::Park,
            E::Retry(AT),
            E::Restarted(AT),
            E::Repeat(AT),
            E::Postpone(AT),
            E::HeldBack(AT),
        ]
    }

    /// Every state that three tries can reach, with the way there.
    fn reachable() -> Vec<EffectState> {
        let mut known = vec![EffectState::Due { at: AT, attempt: 0 }];
        let mut at = 0;
        while at < known.len() {
            for event in events() {
                let Ok(next) = known[at].after(&event) else { continue };
                let small = !matches!(next, EffectState::InFlight { attempt } if attempt > 3)
                    && !matches!(next, EffectState::Unsure { missed, failed, .. } if missed > 2 || failed > 2);
                if small && !known.contains(&next) {
                    known.push(next);
                }
            }
            at += 1;
        }
        known
    }

    #[test]
    fn what_is_over_takes_no_step() {
        for state in reachable().iter().filter(|state| state.is_over()) {
            assert!(events().iter().all(|event| state.after(event).is_err()), "{state:?}");
        }
    }

    #[test]
    fn nothing_unsure_is_sent_again_before_two_lookups_missed_it() {
        let unsure = EffectState::InFlight { attempt: 1 }.after(&EffectEvent::Lost(AT)).expect("lost");
        assert!(unsure.after(&EffectEvent::Absent(AT)).is_err());
        assert!(unsure.after(&EffectEvent::Claimed).is_err());
        let seen_once = unsure.after(&EffectEvent::NotSeen(AT)).expect("looked");
        assert_eq!(seen_once.after(&EffectEvent::Absent(AT)), Ok(EffectState::Due { at: AT, attempt: 1 }));
    }

    #[test]
    fn an_effect_parked_while_unsure_is_looked_up_when_a_person_retries_it() {
        let unsure = EffectState::Unsure { attempt: 2, missed: 1, failed: 3, at: AT };
        let parked = unsure.after(&EffectEvent::Park).expect("parked");
        assert_eq!(
            parked.after(&EffectEvent::Retry(AT)),
            Ok(EffectState::Unsure { attempt: 2, missed: 0, failed: 0, at: AT })
        );
    }

    #[test]
    fn only_what_is_in_flight_can_be_accepted() {
        for state in reachable() {
            let accepts = state.after(&EffectEvent::Accepted).is_ok();
            assert_eq!(accepts, matches!(state, EffectState::InFlight { .. }), "{state:?}");
        }
    }

    #[test]
    fn a_handoff_that_ended_stays_ended() {
        use HandoffEvent as E;
        let ends = [E::Verified, E::Bounced, E::Contested, E::Undone, E::Withdrawn, E::ReviewNeeded];
        let all: Vec<E> = [E::Approved, E::Rejected, E::Sent].into_iter().chain(ends).collect();
        use HandoffState as S;
        for state in S::ALL {
            assert_eq!(all.iter().all(|event| state.after(*event).is_err()), state.has_ended(), "{state:?}");
        }
    }
}
