//! How long to wait before the next try: doubling, capped, with jitter so that many cases do not come back at once.

use jiff::SignedDuration;

const FIRST: SignedDuration = SignedDuration::from_secs(2);
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

/// The wait after the `attempt`-th try (from 1). `jitter` is a sample of `0.0..1.0` and moves it by up to a fifth.
pub fn after(attempt: u32, jitter: f64) -> SignedDuration {
    growing(attempt, LONGEST, jitter)
}

/// The same up to another longest wait.
pub fn growing(attempt: u32, longest: SignedDuration, jitter: f64) -> SignedDuration {
    let doubled = FIRST.checked_mul(1 << attempt.saturating_sub(1).min(20)).unwrap_or(longest).min(longest);
    doubled.mul_f64_clamped(0.8 + 0.4 * jitter.clamp(0.0, 1.0))
}

trait MulClamped {
    fn mul_f64_clamped(self, factor: f64) -> Self;
}

impl MulClamped for SignedDuration {
    fn mul_f64_clamped(self, factor: f64) -> Self {
        SignedDuration::try_from_secs_f64(self.as_secs_f64() * factor).unwrap_or(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_grow_and_stay_within_their_bounds(attempt in 0u32..1000, jitter in -1.0f64..2.0) {
            let wait = after(attempt, jitter);
            prop_assert!(wait >= SignedDuration::from_millis(1600));
            prop_assert!(wait <= SignedDuration::from_mins(12));
            prop_assert!(after(attempt + 1, jitter) >= wait);
        }
    }
}
