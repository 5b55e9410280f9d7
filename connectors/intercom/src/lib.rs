//! Intercom for handoffd, over its REST API 2.16: conversations of the inbox; a team is a queue, an admin an owner.
//!
//! What is special here: everything that was said and done to a conversation is one list of parts, which comes with the
//! conversation itself, so a head costs what the past costs; but only the 500 most recent parts are shown. Nothing is compared
//! and nothing goes together: note, team, admin, attributes, state and each label are a call of their own, and what such a call
//! covered is found among the parts and put back. Facts come from the Intercom sheet (API description 2.16); those that it marks
//! as unverified are read both ways, and the place says so.
//!
//! In reading order:
//! - [`config`]: the desk's table, checked. [`connect`] makes a desk of it.
//! - `limits`: what Intercom can do and allows. `api`, `refusals`: one way to send a request and to read what comes back.
//! - `wire`: Intercom's JSON. `normalise`, `history`: the same in the kit's words, pure.
//! - `people`: who and what ids mean, remembered. `parts`, `stream`: reading. `write`, `labels`: writing; `collision`: what it
//!   covered; `find`: lost answers. `webhook`: what came in. `check`: login and rights.
//! - `desk`: the kit's trait over all of it.

mod api;
mod check;
mod collision;
pub mod config;
mod desk;
mod find;
mod history;
mod labels;
mod limits;
mod normalise;
mod parts;
mod people;
mod refusals;
mod stream;
mod webhook;
mod wire;
mod write;

pub use config::{LOGIN_HELP, WEBHOOK_HELP};
pub use desk::IntercomDesk;

use handoffd_kit::capability::Capabilities;
use handoffd_kit::settings::{DeskSettings, Seams, SettingProblem};

/// The connector's name in the configuration.
pub const NAME: &str = "intercom";

/// A desk of this table. Sends nothing yet.
///
/// # Errors
/// Every problem of the table at once, each with what would be accepted.
pub fn connect(settings: DeskSettings, seams: Seams) -> Result<IntercomDesk, Vec<SettingProblem>> {
    let config = config::Config::read(&settings)?;
    Ok(IntercomDesk::new(config, settings.budget, seams))
}

/// Everything that is wrong in a table.
pub fn wrong_settings(settings: &DeskSettings) -> Vec<SettingProblem> {
    config::Config::read(settings).err().unwrap_or_default()
}

/// What a desk of this table can do.
pub fn capabilities(settings: &DeskSettings) -> Capabilities {
    limits::capabilities(!settings.webhook.is_empty())
}
