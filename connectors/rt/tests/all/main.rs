//! The connector from outside, in one binary: the conformance suite, the traps of RT with its answers written down, and the
//! example.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod example;
mod scripted;
