//! The connector from outside, in one binary: the conformance suite, the vendor's traps, hostile answers, and the example.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod conformance;
mod dialect;
mod example;
mod hostile;
mod rights;
mod stage;
mod traps;
