//! The connector from outside, in one binary: the conformance suite, requests and answers as the vendor describes them, the
//! vendor's traps, hostile answers, and the example.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod conformance;
mod description;
mod dialect;
mod example;
mod hostile;
#[path = "../../../sandbox/tests/all/published.rs"]
mod published;
mod rights;
mod stage;
mod traps;
