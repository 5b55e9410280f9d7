//! The helpdesk's own clocks on a ticket: each runs, pauses while somebody waits for the customer, is met or breached.

use jiff::{SignedDuration, Timestamp};

/// What a clock measures and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaTarget {
    /// The vendor's name for what is measured.
    pub metric: String,
    /// How long it may take.
    pub within: SignedDuration,
    /// What meets it.
    pub met_by: MetBy,
    /// Whether it pauses while the ticket waits for the customer.
    pub pauses: bool,
}

/// What meets a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetBy {
    /// The first public word of an agent.
    Reply,
    /// The ticket is solved.
    Solution,
}

/// One clock of one ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaClock {
    /// What it measures.
    pub target: SlaTarget,
    /// How it stands.
    pub state: SlaState,
}

/// How a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlaState {
    /// It counts, and runs out at this instant.
    Running(Timestamp),
    /// It stands still with this much left.
    Paused(SignedDuration),
    /// It was met.
    Met,
}

/// What a clock reacts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlaEvent {
    /// An agent answered the customer.
    Replied,
    /// The ticket now waits for the customer.
    Waits,
    /// The ticket is worked on (again).
    Works,
    /// The ticket is solved.
    Solved,
}

impl SlaClock {
    /// A clock that starts now.
    pub fn started(target: SlaTarget, now: Timestamp) -> Self {
        let state = SlaState::Running(now + target.within);
        Self { target, state }
    }

    /// The same clock after something happened: the only place where its state changes.
    #[must_use]
    pub fn after(&self, event: SlaEvent, now: Timestamp) -> SlaState {
        use SlaState::{Met, Paused, Running};
        match (self.state, event) {
            (Met, _) => Met,
            (_, SlaEvent::Replied) if self.target.met_by == MetBy::Reply => Met,
            (_, SlaEvent::Solved) => Met,
            (Running(at), SlaEvent::Waits) if self.target.pauses => Paused(at.duration_since(now)),
            (Paused(left), SlaEvent::Works) => Running(now + left),
            (state, _) => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(met_by: MetBy, pauses: bool) -> (SlaClock, Timestamp) {
        let now: Timestamp = "2026-05-03T10:00:00Z".parse().unwrap();
        let target = SlaTarget { metric: "m".into(), within: SignedDuration::from_hours(1), met_by, pauses };
        (SlaClock::started(target, now), now)
    }

    #[test]
    fn a_pausing_clock_keeps_what_was_left_and_goes_on_from_there() {
        let (mut clock, now) = clock(MetBy::Solution, true);
        let later = now + SignedDuration::from_mins(20);
        clock.state = clock.after(SlaEvent::Waits, later);
        assert_eq!(clock.state, SlaState::Paused(SignedDuration::from_mins(40)));
        let back = later + SignedDuration::from_hours(9);
        assert_eq!(clock.after(SlaEvent::Works, back), SlaState::Running(back + SignedDuration::from_mins(40)));
    }

    #[test]
    fn a_reply_meets_only_reply_clocks_and_what_is_met_stays_met() {
        let (mut reply, now) = clock(MetBy::Reply, false);
        reply.state = reply.after(SlaEvent::Replied, now);
        assert_eq!(reply.state, SlaState::Met);
        assert_eq!(reply.after(SlaEvent::Works, now), SlaState::Met);
        let (solution, now) = clock(MetBy::Solution, false);
        assert_eq!(solution.after(SlaEvent::Replied, now), solution.state);
        assert_eq!(solution.after(SlaEvent::Waits, now), solution.state);
    }
}
