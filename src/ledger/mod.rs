//! The ledger: everything handoffd must not forget, in SQLite, and the only SQL of the house.
//!
//! Its interface is a few coarse operations in the domain's words on [`Ledger`], each one transaction; a thread with group
//! commit ([`Handle`]) is a shell around it. `condition` says whether it can be written.
//! Every state has its one transition function in [`states`].
//!
//! In reading order: [`states`], [`records`] (what goes in and out), `schema`, `open`, `log_check`, then one file per concern:
//! `webhooks`, `looks`; `cases` and `stays` (what a look knows), `record`, `places` and `would` (what it changes), [`stock`] (looks under a new policy) and [`policies`] (those that have run); `handoffs`, `effects`,
//! `outcomes`; `people`, `audit`, `commands`, `switches`, `case_troubles`, `absent`, `rosters`, `queues`, `ownership`, `claims`, `alerts`, `digests`, `lulls`; `counts`, `reports`, [`board`] (what the dashboard lists), `purge`, `forget`; `inspect`, `copies` and `compact` (what an
//! admin does with the file).

mod absent;
mod alerts;
mod askings;
mod audit;
pub mod board;
mod case_troubles;
mod cases;
mod claims;
mod closed_paths;
mod codec;
pub mod commands;
mod compact;
mod condition;
mod copies;
mod counts;
mod digests;
mod effects;
mod error;
mod forget;
mod handle;
mod handoffs;
mod inspect;
mod log_check;
mod looks;
mod lulls;
mod open;
mod outcomes;
mod ownership;
mod packages;
mod pauses;
mod people;
mod places;
pub mod policies;
mod purge;
mod queues;
mod record;
pub mod records;
pub mod reports;
mod rosters;
#[cfg(test)]
pub(crate) mod samples;
mod schema;
pub mod states;
mod stays;
pub mod stock;
mod switches;
#[cfg(test)]
mod tests;
mod told;
pub mod waiting;
mod webhooks;
mod would;

pub use absent::DeskWaits;
pub use audit::{ActRecord, Chain};
pub use compact::{Compactor, bytes_on_disk};
pub use condition::Failing;
pub use copies::{Restored, partial_path};
pub use counts::Counts;
pub use error::{LedgerError, Result};
pub use forget::{Forgotten, PersonWanted};
pub use handle::{Boundary, Handle};
pub use handoffs::HandoffFilter;
pub use inspect::Fault;
pub use lulls::Lulls;
pub use open::{Durability, Ledger, lock_path};
pub use packages::PackageVersion;
pub use people::Act;
