//! What handoffs really do: figures from any event log or from the ledger. Pure, apart from reading and the kept history.
//!
//! - [`log`]: an event log of any system, by its map, becomes events in order; what had to be repaired is counted.
//! - [`story`]: one case as its stays; an event log and the ledger both feed this one model.
//! - [`house`]: the ledger's stays as stories.
//! - [`figures`]: stories become figures, each with its definition; [`stats`] has the intervals.
//! - [`replay`]: history through a policy's own `decide`, at exact instants.
//! - [`history`]: a live desk's history as an event log that can be kept.
//! - [`behind`]: the cases behind each figure, for the dashboard.
//! - [`digest`]: one week beside the week before.
//! - [`export`], [`page`]: the figures as CSV, and as one self-contained HTML page.

pub mod behind;
pub mod chart;
pub mod digest;
pub mod export;
pub mod figures;
pub mod history;
pub mod house;
pub mod log;
pub mod page;
pub mod replay;
pub mod stats;
pub mod story;
pub mod words;
