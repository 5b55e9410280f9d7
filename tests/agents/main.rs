//! Agents who never leave their helpdesk: what they type and click there, on a whole house, in the dialects of the
//! sandbox. Every scenario reads what came of it from the helpdesk itself and from the ledger.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod answered;
mod asking;
mod at_once;
mod between;
mod choosing;
mod claims;
mod clock;
mod closed_paths;
mod collisions;
mod cost;
mod edited;
mod edits;
mod giving_back;
mod hostile;
mod labels;
mod lost;
mod restored;
mod reviews;
mod rights;
mod risks;
mod spoken;
mod stage;
mod unanswered;
