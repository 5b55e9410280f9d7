//! The package, tried by the whole daemon on helpdesks in the same process: what is missing is asked for, supplied by the
//! agent inside the helpdesk and handed off; hostile text travels as text; the guide's examples fire where they say.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod asking;
mod examples;
mod fields;
mod hostile;
mod related;
mod stage;
