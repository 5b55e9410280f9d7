//! Freshdesk for handoffd, over its REST API v2.
//!
//! What is special here: there is no history, no version to compare and no signature. So every write is preceded by a read of
//! its own, a handoff's note and its transfer are two calls, and what happened between two looks is known from the ledger
//! alone. Facts come from the Freshdesk sheet; those that it marks as unverified are read both ways, and the place says so.
//!
//! In reading order:
//! - [`config`]: the desk's table, checked. [`connect`] makes a desk of it.
//! - `limits`: what Freshdesk can do and allows. `api`, `refusals`: one way to send a request and to read what comes back.
//! - `wire`: Freshdesk's JSON. `statuses`: its numbers. `normalise`, `history`: the same in the kit's words, pure.
//! - `people`: who and what ids mean, remembered. `parts`, `stream`: reading. `write`: writing; `find`: lost answers.
//!   `webhook`: what came in. `check`: login and rights.
//! - `desk`: the kit's trait over all of it.

mod api;
mod check;
pub mod config;
mod desk;
mod find;
mod history;
mod limits;
mod normalise;
mod parts;
mod people;
mod refusals;
mod statuses;
mod stream;
mod webhook;
mod wire;
mod write;

pub use config::{LOGIN_HELP, WEBHOOK_HELP};
pub use desk::FreshdeskDesk;

use handoffd_kit::capability::Capabilities;
use handoffd_kit::settings::{DeskSettings, Seams, SettingProblem};

/// The connector's name in the configuration.
pub const NAME: &str = "freshdesk";

/// A desk of this table. Sends nothing yet.
///
/// # Errors
/// Every problem of the table at once, each with what would be accepted.
pub fn connect(settings: DeskSettings, seams: Seams) -> Result<FreshdeskDesk, Vec<SettingProblem>> {
    let config = config::Config::read(&settings)?;
    Ok(FreshdeskDesk::new(config, settings.budget, seams))
}

/// Everything that is wrong in a table.
pub fn wrong_settings(settings: &DeskSettings) -> Vec<SettingProblem> {
    config::Config::read(settings).err().unwrap_or_default()
}

/// What a desk of this table can do.
pub fn capabilities(settings: &DeskSettings) -> Capabilities {
    limits::capabilities(!settings.webhook.is_empty())
}
