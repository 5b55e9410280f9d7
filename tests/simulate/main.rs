//! `handoffd simulate`: a policy over an event log, and over the history of a live desk, which is the embedded one here.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod desk;
mod log;
mod stage;
mod taking;
