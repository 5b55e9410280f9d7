//! Cases: takes due looks and finishes them: read the ticket now, join what the ledger knows, see what became of the
//! last handoff, decide, plan, record. One transaction at the end; the way back is always a new look.
//!
//! [`stays`], [`after`], `asking` and [`examine`] are pure, and so is what becomes of agents' commands (`hearing`, `commands`,
//! `requests`, [`review`], `waiting`) and of what a desk tells of a ticket's past (`past`); [`work`] is the loop around them that
//! reads the desk and the ledger.

pub mod after;
mod asking;
pub mod chosen;
mod commands;
pub mod differences;
pub mod examine;
mod forgotten;
mod hearing;
pub mod overtaken;
pub mod ownership;
mod past;
mod pauses;
mod reminders;
mod requests;
pub mod review;
mod sides;
pub mod stays;
pub mod unclaimed;
pub mod unknowns;
mod waiting;
pub mod work;
