//! The ledger: everything handoffd must not forget, in SQLite, and the only SQL of the house.
//!
//! Its interface is a dozen coarse operations in the domain's words ([`Ledger`]), each one transaction; a thread with group
//! commit ([`Handle`]) is a shell around it. Every state column has its one transition function in [`states`].

pub mod records;
pub mod states;
