//! Zendesk Support for handoffd, over the Ticketing API v2.
//!
//! In reading order:
//! - [`config`]: the desk's table, checked. [`connect`] makes a desk of it.
//! - `limits`: what Zendesk can do and allows. `login`, `api`, `refusals`: one way to send a request and to read what
//!   comes back.
//! - `wire`: Zendesk's JSON. `normalise`, `history`: the same in the kit's words, pure.
//! - `people`: who and what ids mean, remembered. `parts`, `stream`: reading. `write`: writing; `collision`: what a write
//!   covered; `find`: a write whose answer was lost. `webhook`: what came in. `check`: login and rights.
//! - `desk`: the kit's trait over all of it.

mod api;
mod check;
mod collision;
pub mod config;
mod desk;
mod find;
mod history;
mod limits;
mod login;
mod normalise;
mod parts;
mod people;
mod refusals;
mod stream;
mod webhook;
mod wire;
mod write;

pub use config::{LOGIN_HELP, WEBHOOK_HELP};
pub use desk::ZendeskDesk;

use handoffd_kit::capability::{Capabilities, DeclaredLimit};
use handoffd_kit::settings::{DeskSettings, Seams, SettingProblem};

/// The connector's name in the configuration.
pub const NAME: &str = "zendesk";

/// A desk of this table. Sends nothing yet.
///
/// # Errors
/// Every problem of the table at once, each with what would be accepted.
pub fn connect(settings: DeskSettings, seams: Seams) -> Result<ZendeskDesk, Vec<SettingProblem>> {
    connect_with(settings, seams, limits::limits())
}

/// The same for an account whose limits are not those of the sheet: one that the vendor has given others, or none at all
/// where a bench wants to see what the rest can do.
///
/// # Errors
/// As for [`connect`].
pub fn connect_with(
    settings: DeskSettings,
    seams: Seams,
    limits: Vec<DeclaredLimit>,
) -> Result<ZendeskDesk, Vec<SettingProblem>> {
    let config = config::Config::read(&settings)?;
    Ok(ZendeskDesk::new(config, settings.budget, seams, limits))
}

/// Everything that is wrong in a table.
pub fn wrong_settings(settings: &DeskSettings) -> Vec<SettingProblem> {
    config::Config::read(settings).err().unwrap_or_default()
}

/// What an account can do whose limits are those of the sheet.
pub fn capabilities() -> Capabilities {
    limits::capabilities(limits::limits())
}
