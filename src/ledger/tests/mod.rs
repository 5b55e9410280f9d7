//! The ledger's operations together, on a real SQLite: what holds between them.

mod alerts;
mod closed_paths;
mod delivery;
mod invariants;
mod memory;
mod people;
mod recording;
