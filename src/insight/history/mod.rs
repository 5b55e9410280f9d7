//! The history of a live desk as an event log that can be kept: one row for each change of each ticket that changed since an
//! instant, from the ticket's beginning. Reads the desk through its connector and its gate, and writes nothing there.
//!
//! [`rows`] makes rows of one ticket's history and is pure; [`taking`] asks the desk, ticket by ticket; [`keep`] is the file, with
//! what it takes to go on after a break. In memory are one page of the desk and the names of the tickets that were taken.

pub mod keep;
mod known;
pub mod rows;
pub mod taking;

pub use keep::Keep;
pub use rows::{Row, map};
pub use taking::{Stopped, Taken, Taking};
