//! Jira Service Management (Cloud) for handoffd, over Jira's platform API, version 3, and the service desk API above it.
//!
//! What is special here: a queue is only a filter, so that a team is the value of one field; a comment is public unless it says
//! otherwise, so that every note's visibility is read back; changes are asked for by the minute, in the time zone of our own
//! account; a status is reached by a transition and never set; nothing is compared, but the history tells who changed what, with
//! our own mark in it. Facts come from the Jira Service Management sheet and the vendor's published description of the platform
//! API; those that the sheet marks as unverified are read both ways, and the place says so.
//!
//! In reading order:
//! - [`config`]: the desk's table, checked. [`connect`] makes a desk of it.
//! - `limits`: what Jira can do and allows. `api`, `refusals`: one way to send a request and to read what comes back.
//! - `wire`: Jira's JSON. `adf`, `markup`: its documents, and the older form of text that comments are written in. `setup`: what a
//!   site's fields and statuses mean. `normalise`, `history`: the same in the kit's words, pure.
//! - `people`: our own account and the site's setup, remembered. `parts`, `stream`: reading. `write`: writing; `collision`: what it
//!   covered; `find`: lost answers. `webhook`: what came in. `check`: login and rights.
//! - `desk`: the kit's trait over all of it.

mod adf;
mod api;
mod check;
mod collision;
pub mod config;
mod desk;
mod find;
mod history;
mod limits;
mod markup;
mod normalise;
mod parts;
mod people;
mod refusals;
mod setup;
mod stream;
mod teams;
mod webhook;
mod wire;
mod wish;
mod write;

pub use config::{LOGIN_HELP, WEBHOOK_HELP};
pub use desk::JiraDesk;

use handoffd_kit::capability::Capabilities;
use handoffd_kit::settings::{DeskSettings, Seams, SettingProblem};

/// The connector's name in the configuration.
pub const NAME: &str = "jira-service-management";

/// A desk of this table. Sends nothing yet.
///
/// # Errors
/// Every problem of the table at once, each with what would be accepted.
pub fn connect(settings: DeskSettings, seams: Seams) -> Result<JiraDesk, Vec<SettingProblem>> {
    let config = config::Config::read(&settings)?;
    Ok(JiraDesk::new(config, settings.budget, seams))
}

/// Everything that is wrong in a table.
pub fn wrong_settings(settings: &DeskSettings) -> Vec<SettingProblem> {
    config::Config::read(settings).err().unwrap_or_default()
}

/// What a desk of this table can do.
pub fn capabilities(settings: &DeskSettings) -> Capabilities {
    limits::capabilities(config::trust(settings))
}
