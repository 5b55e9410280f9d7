//! The daemon: wires the pipeline, serves the web and the control socket, drains on shutdown.

#[cfg(test)]
mod alert_tests;
pub mod alert_wiring;
#[cfg(test)]
mod chains;
pub mod chosen;
#[cfg(test)]
mod claims;
pub mod control;
#[cfg(test)]
mod dashboard_tests;
#[cfg(test)]
mod digest_tests;
mod digests;
mod draining;
pub mod house;
pub mod pipeline;
pub mod reload;
#[cfg(test)]
mod review_versions;
#[cfg(test)]
mod review_waits;
pub mod running;
pub mod service_manager;
pub mod wake;
pub mod wiring;

#[cfg(test)]
mod absent_desks;
#[cfg(test)]
mod afterwards;
#[cfg(test)]
mod api_tests;
#[cfg(test)]
mod asking_parts;
mod housekeeping;
#[cfg(test)]
mod ledger_troubles;
mod lulls;
#[cfg(test)]
mod owners;
#[cfg(test)]
mod pause_tests;
#[cfg(test)]
mod queue_tests;
mod rosters;
mod setback;
#[cfg(test)]
mod stock_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod time_tests;
#[cfg(test)]
mod triage_tests;
#[cfg(test)]
mod troubles;
#[cfg(test)]
mod web_tests;
#[cfg(test)]
mod write_troubles;
