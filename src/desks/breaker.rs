//! A breaker for each desk: after a few calls without an answer the desk is left alone, but for one poll after a growing
//! rest. When that is answered, everything goes on. The queue keeps; catching up is paced by the gate.

use crate::backoff;
use jiff::{SignedDuration, Timestamp};

/// How many calls in a row may stay unanswered before the desk is left alone.
const PATIENCE: u32 = 3;

/// Counts unanswered calls in a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    failures: u32,
    silent_since: Option<Timestamp>,
    rests_until: Option<Timestamp>,
}

impl Breaker {
    /// A call was answered: all is well again.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// A call was not answered. Gives the instant to try again; past [`PATIENCE`] the desk rests until then.
    pub fn failed(&mut self, now: Timestamp, jitter: f64) -> Timestamp {
        self.failures = self.failures.saturating_add(1);
        self.silent_since.get_or_insert(now);
        let again = now + backoff::after(self.failures, jitter).min(SignedDuration::from_mins(1));
        if self.is_open() {
            self.rests_until = Some(self.rests_until.map_or(again, |until| until.max(again)));
        }
        again
    }

    /// Whether the desk is left alone.
    pub fn is_open(&self) -> bool {
        self.failures >= PATIENCE
    }

    /// Until when not even a poll is tried.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.rests_until.filter(|until| *until > now)
    }

    /// Since when calls have gone unanswered.
    pub fn silent_since(&self) -> Option<Timestamp> {
        self.silent_since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_desk_rests_longer_and_longer_up_to_a_minute_and_one_answer_heals_it() {
        let now = Timestamp::UNIX_EPOCH;
        let mut breaker = Breaker::default();
        breaker.failed(now, 0.5);
        breaker.failed(now, 0.5);
        assert_eq!(breaker.rests_until(now), None, "patience");
        breaker.failed(now, 0.5);
        let first = breaker.rests_until(now).expect("rests");
        for _ in 0..20 {
            breaker.failed(now, 1.0);
        }
        let long = breaker.rests_until(now).expect("rests");
        assert!(first < long && long <= now + SignedDuration::from_mins(1));
        assert_eq!(breaker.rests_until(long), None, "then it is asked once");
        assert!(breaker.is_open(), "and only once");
        breaker.answered();
        assert!(!breaker.is_open());
        assert_eq!(breaker.silent_since(), None);
    }
}
