//! From a verdict to effects: what is written, in which order, in which words. Pure.

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
