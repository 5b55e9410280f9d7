//! Zammad for handoffd, over its REST API v1.
//!
//! What is special here: one update carries attributes and an article in one transaction, but compares nothing; the history
//! tells who changed what, so what an update covered is found afterwards and put back. Whether an article came out internal
//! is read back. Facts come from the Zammad sheet; those that it marks as unverified are read both ways, and the place says so.
//!
//! In reading order:
//! - [`config`]: the desk's table, checked. [`connect`] makes a desk of it.
//! - `limits`: what Zammad can do and allows. `api`, `refusals`: one way to send a request and to read what comes back.
//! - `wire`: Zammad's JSON. `states`: what states and priorities mean. `normalise`, `history`: the same in the kit's words, pure.
//! - `people`: who and what ids mean, remembered. `parts`, `stream`: reading. `write`: writing; `collision`: what it covered;
//!   `find`: lost answers. `webhook`: what came in. `check`: login and rights.
//! - `desk`: the kit's trait over all of it.

mod api;
mod check;
mod collision;
pub mod config;
mod desk;
mod find;
mod history;
mod limits;
mod normalise;
mod parts;
mod people;
mod refusals;
mod states;
mod stream;
mod webhook;
mod wire;
mod write;

pub use config::{LOGIN_HELP, WEBHOOK_HELP};
pub use desk::ZammadDesk;

use handoffd_kit::capability::Capabilities;
use handoffd_kit::settings::{DeskSettings, Seams, SettingProblem};

/// The connector's name in the configuration.
pub const NAME: &str = "zammad";

/// A desk of this table. Sends nothing yet.
///
/// # Errors
/// Every problem of the table at once, each with what would be accepted.
pub fn connect(settings: DeskSettings, seams: Seams) -> Result<ZammadDesk, Vec<SettingProblem>> {
    let config = config::Config::read(&settings)?;
    Ok(ZammadDesk::new(config, settings.budget, seams))
}

/// Everything that is wrong in a table.
pub fn wrong_settings(settings: &DeskSettings) -> Vec<SettingProblem> {
    config::Config::read(settings).err().unwrap_or_default()
}

/// What a desk of this table can do.
pub fn capabilities(settings: &DeskSettings) -> Capabilities {
    limits::capabilities(!settings.webhook.is_empty())
}
