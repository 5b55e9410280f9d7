//! The connector from outside, in one binary: the conformance suite, the vendor's traps, hostile answers, requests and answers
//! against the vendor's own description, and the example.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod conformance;
mod description;
mod dialect;
mod example;
mod hostile;
#[path = "../../../sandbox/tests/all/published.rs"]
mod published;
mod reading;
mod rights;
mod stage;
mod traps;
