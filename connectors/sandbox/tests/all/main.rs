//! The sandbox as its clients see it, in one binary: each dialect, its refusals, hostile requests, faults, webhooks, and its
//! answers against the vendor's own description.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod description;
mod faults;
mod hostile;
mod published;
mod refusals;
mod rt;
mod rt_common;
mod rt_hostile;
mod rt_refusals;
mod server;
mod sheet;
mod webhooks;
mod zendesk;
