//! What an admin does with the ledger's file, through the real binary, and what becomes of a file that a disk has spoilt.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod commands;
mod disk;
mod fuzzed;
mod home;
