//! handoffd against a Zendesk tenant that nobody of the house has written: independent of the sandbox and of the
//! connector, made from the vendor's documents alone, and strict. What the vendor refuses it refuses, and it complains of
//! whatever the vendor would only ignore. It keeps its own journal, and the census at the end asks that journal alone.
//!
//! In reading order: `desk` (the tenant), `cast` (its tickets, and what people do to them), `daemon` (the real binary as
//! a process that can be killed), `inside` (the same house in this process, on a clock that the test moves), `census`
//! (what must hold in the end); then the scenarios: `storm`, `held` and `refusals` on the real daemon, `day` with crashes anywhere,
//! `outage`, `patience`, `start`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod cast;
mod census;
mod daemon;
mod day;
mod desk;
mod held;
mod inside;
mod outage;
mod patience;
mod refusals;
mod start;
mod storm;
