//! The clocks of a case as they stand at an instant: the desk's own, and the receiving team's internal target.

use super::activity::Learnt;
use super::case::Case;
use handoffd_kit::model::{ClockState, PartKind, VendorClock};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A clock that rules know by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockName {
    /// Until the first public reply of an agent.
    FirstReply,
    /// Until an agent answers the customer's last word.
    NextReply,
    /// Until the case is solved.
    Resolution,
    /// The receiving team's own target for its stay.
    Internal,
}

impl ClockName {
    /// All of them.
    pub const ALL: [ClockName; 4] = [Self::FirstReply, Self::NextReply, Self::Resolution, Self::Internal];

    /// Its name in conditions and in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstReply => "first_reply",
            Self::NextReply => "next_reply",
            Self::Resolution => "resolution",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ClockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Counts, stands still, was met or missed.
    pub state: ClockState,
    /// When it runs out, or ran out; none while it stands still.
    pub at: Option<Timestamp>,
}

/// How a clock of this case stands at an instant; none: it has no such clock.
pub fn standing(case: &Case, name: ClockName, now: Timestamp) -> Learnt<Option<Standing>> {
    if name == ClockName::Internal {
        return Learnt::Known(case.memory.internal_until.map(|at| running_until(at, now)));
    }
    let Some(clocks) = &case.parts.clocks else {
        return if case.asked.has(PartKind::Clocks) { Learnt::Unknown } else { Learnt::Unread(PartKind::Clocks) };
    };
    match foremost(clocks, name) {
        None => Learnt::Unknown,
        Some(clock) => Learnt::Known(Some(match (clock.state, clock.breaches_at) {
            // A desk may be late to say so.
            (ClockState::Running, Some(at)) => running_until(at, now),
            (state, at) => Standing { state, at },
        })),
    }
}

fn running_until(at: Timestamp, now: Timestamp) -> Standing {
    let state = if at <= now { ClockState::Breached } else { ClockState::Running };
    Standing { state, at: Some(at) }
}

/// A desk may have several clocks of one name, one for each time it ran: the one that runs out first counts, then one that
/// stands still, then what became of the others.
fn foremost(clocks: &[VendorClock], name: ClockName) -> Option<&VendorClock> {
    let rank = |clock: &&VendorClock| {
        let state = match clock.state {
            ClockState::Running => 0,
            ClockState::Paused => 1,
            ClockState::Breached => 2,
            ClockState::Met => 3,
        };
        (state, clock.breaches_at.unwrap_or(Timestamp::MAX))
    };
    clocks.iter().filter(|clock| clock.name == name.name()).min_by_key(rank)
}

/// The word for a clock's state in conditions.
pub fn state_name(state: ClockState) -> &'static str {
    match state {
        ClockState::Running => "running",
        ClockState::Paused => "paused",
        ClockState::Met => "met",
        ClockState::Breached => "breached",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;

    fn clock(name: &str, state: ClockState, minute: i64) -> VendorClock {
        let at = testing::now() + jiff::SignedDuration::from_mins(minute);
        VendorClock { name: name.into(), state, breaches_at: (state != ClockState::Paused).then_some(at) }
    }

    fn told(clocks: Vec<VendorClock>) -> Option<(ClockState, i64)> {
        let mut case = testing::case();
        case.parts.clocks = Some(clocks);
        match standing(&case, ClockName::Resolution, testing::now()) {
            Learnt::Known(Some(standing)) => {
                let minute = standing.at.map_or(0, |at| at.duration_since(testing::now()).as_mins());
                Some((standing.state, minute))
            }
            _ => None,
        }
    }

    #[test]
    fn the_clock_that_runs_out_first_counts() {
        use ClockState::*;
        let mine = |state, minute| clock("resolution", state, minute);
        assert_eq!(told(vec![mine(Met, -9), mine(Running, 9), mine(Running, 5)]), Some((Running, 5)));
        assert_eq!(told(vec![mine(Breached, -9), mine(Paused, 0)]), Some((Paused, 0)));
        assert_eq!(told(vec![clock("next_reply", Running, 5)]), None);
        assert_eq!(told(vec![mine(Running, 0)]), Some((Breached, 0)), "the desk is late to say so");
    }

    #[test]
    fn the_internal_target_is_the_ledgers() {
        let mut case = testing::case();
        let now = testing::now();
        assert_eq!(standing(&case, ClockName::Internal, now), Learnt::Known(None));
        case.memory.internal_until = Some(now);
        let state = |at| match standing(&case, ClockName::Internal, at) {
            Learnt::Known(Some(standing)) => standing.state,
            other => panic!("{other:?}"),
        };
        assert_eq!(state(now - jiff::SignedDuration::from_secs(1)), ClockState::Running);
        assert_eq!(state(now), ClockState::Breached);
        assert_eq!(standing(&case, ClockName::NextReply, now), Learnt::Unread(PartKind::Clocks));
    }
}
