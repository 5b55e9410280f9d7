//! The app's limit, counted in windows of ten seconds, and the headers that tell of it (Intercom sheet, *Rate limits*).

use super::refusals::Refusal;
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};

const WINDOW: SignedDuration = SignedDuration::from_secs(10);

/// Counts requests.
pub(super) struct Limiter {
    calls: u32,
    ends: Timestamp,
    used: u32,
}

impl Limiter {
    pub(super) fn new(calls: u32) -> Self {
        Self { calls, ends: Timestamp::MIN, used: 0 }
    }

    /// Counts a request that comes now.
    pub(super) fn count(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if now >= self.ends {
            (self.used, self.ends) = (0, now.saturating_add(WINDOW).unwrap_or(Timestamp::MAX));
        }
        if self.used >= self.calls {
            return Err(Refusal::TooMany { retry_after: None });
        }
        self.used += 1;
        Ok(())
    }

    /// Writes the headers: the window's end is an instant in whole seconds.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let ends = self.ends.as_second() + i64::from(self.ends.subsec_nanosecond() > 0);
        headers.insert("x-ratelimit-limit", HeaderValue::from(self.calls));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(self.calls - self.used));
        headers.insert("x-ratelimit-reset", HeaderValue::from(ends));
    }
}
