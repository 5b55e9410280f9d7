//! A breaker for each desk: after a few calls without an answer the desk is left alone, but for one poll after a growing
//! rest. When that is answered, everything goes on. The queue keeps; catching up is paced by the gate.

use crate::backoff;
use handoffd_kit::error::{DeskError, DeskErrorKind};
use jiff::{SignedDuration, Timestamp};

/// How many calls in a row may stay unanswered before the desk is left alone.
const PATIENCE: u32 = 3;

/// Counts unanswered calls in a row.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures: u32,
    silence: Option<Silence>,
    rests_until: Option<Timestamp>,
}

/// A desk that does not answer, or not so that it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Since when.
    pub since: Timestamp,
    /// Whether it answers, and what it says cannot be read.
    pub answers: bool,
    /// What came of the latest call, for people.
    pub words: String,
}

impl Breaker {
    /// A call was answered: all is well again.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// A call was not answered, or not so that it could be read. Gives the instant to try again; past [`PATIENCE`] the desk
    /// rests until then.
    pub fn failed(&mut self, error: &DeskError, now: Timestamp, jitter: f64) -> Timestamp {
        self.failures = self.failures.saturating_add(1);
        let since = self.silence.as_ref().map_or(now, |silence| silence.since);
        let answers = error.kind == DeskErrorKind::Protocol;
        self.silence = Some(Silence { since, answers, words: error.to_string() });
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

    /// Since when calls have gone unanswered, and why.
    pub fn silence(&self) -> Option<&Silence> {
        self.silence.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::error::Retry;

    fn down() -> DeskError {
        DeskError::new(DeskErrorKind::Unavailable, Retry::After(None), "read changes").words("connection refused")
    }

    #[test]
    fn a_silent_desk_rests_longer_and_longer_up_to_a_minute_and_one_answer_heals_it() {
        let now = Timestamp::UNIX_EPOCH;
        let mut breaker = Breaker::default();
        breaker.failed(&down(), now, 0.5);
        breaker.failed(&down(), now, 0.5);
        assert_eq!(breaker.rests_until(now), None, "patience");
        breaker.failed(&down(), now, 0.5);
        let first = breaker.rests_until(now).expect("rests");
        for _ in 0..20 {
            breaker.failed(&down(), now, 1.0);
        }
        let long = breaker.rests_until(now).expect("rests");
        assert!(first < long && long <= now + SignedDuration::from_mins(1));
        assert_eq!(breaker.rests_until(long), None, "then it is asked once");
        assert!(breaker.is_open(), "and only once");
        breaker.answered();
        assert!(!breaker.is_open());
        assert_eq!(breaker.silence(), None);
    }
}
