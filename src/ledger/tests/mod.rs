//! The ledger's operations together, on a real SQLite: what holds between them.

mod alerts;
mod closed_paths;
mod damage;
mod delivery;
mod invariants;
mod lists;
mod memory;
mod model;
mod people;
mod recording;
