//! The connector from outside, in one binary: its requests against the vendor's description and as they are sent, collisions,
//! the stream of changes, rights, and the conformance suite.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checking;
mod collision;
mod common;
mod conformance;
mod description;
#[path = "../../../sandbox/tests/all/published.rs"]
mod published;
mod requests;
mod stream;
