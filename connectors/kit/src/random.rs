//! Chance as an argument: jitter and nothing else depends on it, and a seed makes it repeatable.

/// A source of random numbers.
pub trait Random: Send + Sync {
    /// The next 64 random bits.
    fn bits(&self) -> u64;

    /// A number in `0.0..1.0`.
    fn fraction(&self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}
