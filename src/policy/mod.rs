//! The policy: what a team wrote down about handoffs, and what follows from it for one case.
//!
//! Everything here is pure: same case, same rules, same instant, same verdict. No clock, no file, no network.
//! Routing (where a case should start) and escalation (when it has outgrown its tier) are different objects throughout.

mod activity;
pub mod address;
pub mod alert;
mod called;
pub mod case;
pub mod cel;
pub mod clocks;
pub mod closed;
pub mod command;
pub mod condition;
pub mod customer;
mod date_words;
pub mod decide;
pub mod digest;
pub mod document;
pub mod due;
mod escalation;
pub mod explain;
pub mod facts;
mod fold;
pub mod header;
pub mod hold;
pub mod known;
pub mod languages;
pub mod limits;
pub mod lull;
mod matching;
pub mod meaning;
pub mod message;
mod message_uses;
pub mod names;
pub mod offer;
pub mod overlap;
mod owner;
pub mod package;
pub mod proposal;
mod propose;
pub mod review_terms;
pub mod reviewers;
pub mod risk;
pub mod roster;
mod routing;
pub mod rules;
mod scope;
mod shown;
pub mod silence;
pub mod target;
pub mod targets;
#[cfg(test)]
mod targets_tests;
pub mod teams;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;
pub mod timing;
pub mod triage;
pub mod trial;
pub mod verdict;
pub mod whatif;
mod whatif_notes;
pub mod wording;

pub use routing::INTAKE;
