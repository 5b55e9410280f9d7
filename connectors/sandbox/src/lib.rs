//! The sandbox: an embedded, stateful helpdesk that speaks vendors' dialects over HTTP.
//!
//! It serves `handoffd demo`, rehearsals (`handoffd sandbox`), tests, and in the same process the seeded simulation.
//! Nothing in it reads a clock or draws chance by itself and the core starts no task: all that happens, happens inside
//! a call, at the instant the clock shows, in an order that only the seed and the calls decide.
//!
//! In reading order:
//! - [`ids`], [`people`], [`ticket`]: what a helpdesk is made of, in no vendor's words.
//! - [`store`]: the helpdesk itself; [`change`]: the one way to change a ticket; [`rules`]: other automations on it;
//!   [`sla`]: its clocks; [`access`]: tokens and clients.
//! - [`journal`]: what was asked and what it did, for tests to count.
//! - [`faults`]: what goes wrong, by rates, spans and script.
//! - [`dialect`]: what a vendor's dialect must answer; [`zendesk`] is one, [`rt`], [`freshdesk`], [`zammad`],
//!   [`jira`] and [`intercom`] are others.
//! - [`sandbox`]: the handle that everybody uses: requests, people, webhooks; [`person`] acts for people.
//! - [`transport`], [`server`]: in the same process, or over a socket, there with a control API for rehearsals.
//! - [`seed`]: people and tickets to begin with; [`stage`]: the same helpdesk for the kit's conformance suite.

pub mod access;
pub mod change;
mod control;
pub mod dialect;
pub mod faults;
pub mod freshdesk;
pub mod ids;
pub mod intercom;
pub mod jira;
pub mod journal;
pub mod outbox;
pub mod people;
pub mod person;
pub mod rt;
pub mod rules;
pub mod sandbox;
pub mod seed;
pub mod server;
pub mod sla;
pub mod stage;
pub mod store;
pub mod text;
pub mod ticket;
pub mod transport;
pub mod zammad;
pub mod zendesk;

pub use faults::{Fault, FaultPlan, On};
pub use journal::Journal;
pub use sandbox::{Answer, Sandbox};
pub use stage::SandboxStage;
pub use transport::SandboxTransport;
