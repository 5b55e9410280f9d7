//! The policy: what a team wrote down about handoffs, and what follows from it for one case.
//!
//! Everything here is pure: same case, same rules, same instant, same verdict. No clock, no file, no network.
//! Routing (where a case should start) and escalation (when it has outgrown its tier) are different objects throughout.

pub mod case;
pub mod cel;
pub mod condition;
pub mod facts;
pub mod known;
pub mod message;
pub mod names;
pub mod proposal;
pub mod rules;
pub mod verdict;
