//! From a verdict to effects: what is written, in which order, in which words. Pure.
//!
//! - [`effects`] plans a handoff; [`undo`] takes one back; [`closing_note`] and [`correcting_note`] say what was not done.
//! - [`alert`] words what people are told outside the helpdesk.
//! - [`asking`] asks the current agent for package parts.
//! - [`back`] and [`rejected`] carry out what the receiving team says; [`answer`] and [`untag`] answer a command.
//! - [`note`] words what colleagues read; [`compare`] tells whether a ticket is as it was written.

pub mod alert;
pub mod asking;
mod back;
mod command;
pub mod compare;
mod effects;
mod key;
pub mod lost;
pub mod note;
pub mod pause;
pub mod reminder;
mod restore;
pub mod review;
mod stale;
#[cfg(test)]
mod tests;
mod undo;

pub use asking::asks;
pub use back::{Rejection, back, rejected};
pub use command::{Answer, answer, untag};
pub use effects::{CUSTOMER_MESSAGE, approved_effects, closing_note, correcting_note, effects, given_up_note};
pub use key::{back_id, command_id, handoff_id};
pub use restore::{follows, is_rejection, puts_back};
pub use stale::{ending_note, stale_note};
pub use undo::{Undo, undo};

use handoffd_kit::desk::Write;
use serde::{Deserialize, Serialize};

/// One effect of a handoff, ready to be stored and delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedEffect {
    /// Its number within the handoff, from 1: the order of delivery.
    pub number: u32,
    /// What it is for, for people: "transfer with note", "customer message".
    pub label: String,
    /// The write, with its mark.
    pub write: Write,
}

/// Whether an effect of this number goes out before its handoff is sent, so that its mark is no sign of the handoff itself.
pub fn comes_before(number: u32) -> bool {
    asking::is_about_asking(number) || review::NUMBERS.contains(&number)
}

/// Whether an effect of this number carries its handoff out; later ones undo it, ask for it or remind of it.
pub fn carries_out(number: u32) -> bool {
    (1..undo::FIRST).contains(&number)
}
