//! The traps of the RT sheet, one by one, with RT's answers written down: what a running RT shows only by luck or not at
//! all (races, a proxy's pages, an account that sees half).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod desk;
mod reading;
mod writing;
