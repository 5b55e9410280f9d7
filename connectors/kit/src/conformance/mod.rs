//! The conformance suite: one list of promises that every connector keeps, run against the connector's own dialect of
//! the sandbox (and against a real helpdesk where there is one).
//!
//! The test side implements [`Stage`]: it sets a scene on the helpdesk and reads back what is there, without the
//! connector. All of the connector's requests pass through a [`Wire`], which counts them and makes them fail on
//! purpose. [`run`] then tries every promise that the desk's capabilities declare and lists each as passed, failed or
//! skipped with the reason.

mod checks;
pub mod example;
mod ground;
mod report;
mod stage;
mod wire;

use crate::desk::Desk;
use ground::{Ground, Stop};

pub use report::{Line, Outcome, Report};
pub use stage::{
    CannotStage, EndAct, FactName, Names, NewMessage, NewTicket, NoteOnDesk, OnDesk, PersonAct, Posted, Rights, Sender,
    StaffAct, Stage, Staged, staged,
};
pub use wire::{Edit, Fault, IsWrite, Traffic, Wire};

#[cfg(test)]
mod tests;

/// Tries every promise that the desk's capabilities declare. Pass a fresh helpdesk: checks make their own tickets.
pub async fn run(desk: &dyn Desk, stage: &mut dyn Stage) -> Report {
    let capabilities = desk.capabilities();
    let mut ground = Ground::new(desk, stage);
    let mut lines = Vec::new();
    for check in checks::all() {
        let outcome = match (check.not_declared)(capabilities) {
            Some(why) => Outcome::Skipped(why.to_owned()),
            None => match (check.try_it)(&mut ground).await {
                Ok(()) => Outcome::Passed,
                Err(Stop::Failed(why)) => Outcome::Failed(why),
                Err(Stop::Skipped(why)) => Outcome::Skipped(why),
            },
        };
        // A check that stopped early may have left a fault behind.
        ground.wire.mend();
        lines.push(Line { promise: check.promise, outcome });
    }
    Report { connector: capabilities.connector, lines }
}
