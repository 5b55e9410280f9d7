//! The ledger: everything handoffd must not forget, in SQLite, and the only SQL of the house.
//!
//! Its interface is a few coarse operations in the domain's words on [`Ledger`], each one transaction; a thread with group
//! commit ([`Handle`]) is a shell around it. Every state has its one transition function in [`states`].
//!
//! In reading order: [`states`], [`records`] (what goes in and out), `schema`, `open`, then one file per concern:
//! `webhooks`, `looks`, `cases`, `would`, `handoffs`, `effects`, `people`, `switches`, `counts`, `purge`.

mod cases;
mod codec;
mod counts;
mod effects;
mod effects_after;
mod error;
mod handle;
mod handoffs;
mod looks;
mod open;
mod people;
mod purge;
pub mod records;
#[cfg(test)]
mod samples;
mod schema;
pub mod states;
mod switches;
mod webhooks;
mod would;

pub use counts::Counts;
pub use error::{LedgerError, Result};
pub use handle::{Boundary, Handle};
pub use handoffs::HandoffFilter;
pub use open::{Durability, Ledger, lock_path};
pub use people::Act;
