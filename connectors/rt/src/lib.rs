//! Request Tracker 5 over its REST 2.0.
//!
//! What is special here: a 200 does not mean that something was done; a list does not say where it ends; the version
//! check has a gap; owner goes after queue. Every fact about RT comes from the RT sheet and was seen on a running 5.0.3.
//!
//! In reading order:
//! - `config`: the `[desks.NAME]` table. `api`: one request, its login and its refusals. `wire`: RT's records.
//! - `normalise`: a ticket as a head. `history`: transactions as history and conversation. Both pure.
//! - `catalog`: what numbers are called. `read`: tickets, transactions, texts.
//! - `cursor`, `stream`: what changed since.
//! - `wish`: one thing to write, pure. `write`: writes and proves it. `refusals`: RT's sentences. `find`: lost answers.
//! - `webhook`: the optional hook. `check`: login and rights. `desk`: all of it behind the kit's trait.

mod api;
mod catalog;
mod check;
mod config;
mod contacts;
mod cursor;
mod desk;
mod find;
mod history;
mod limits;
mod normalise;
mod read;
mod refusals;
mod roster;
mod stream;
mod webhook;
mod wire;
mod wish;
mod write;

pub use config::{LOGIN_HELP, WEBHOOK_HELP};
pub use desk::RtDesk;

use handoffd_kit::capability::Capabilities;
use handoffd_kit::settings::{DeskSettings, Seams, SettingProblem};

/// The connector's name in the configuration.
pub const NAME: &str = "rt";

/// Opens a desk. Touches no network.
///
/// # Errors
/// Every problem in the settings, each with what would be accepted.
pub fn connect(settings: DeskSettings, seams: Seams) -> Result<RtDesk, Vec<SettingProblem>> {
    let config = config::Config::read(&settings)?;
    let account = read::Account {
        api: api::Api::new(&config.base, config.token.clone(), settings.budget, seams),
        catalog: catalog::Catalog::default(),
        base: config.base.clone(),
        user: config.user.clone(),
    };
    Ok(RtDesk::new(account, config))
}

/// Everything that is wrong in a table.
pub fn wrong_settings(settings: &DeskSettings) -> Vec<SettingProblem> {
    config::Config::read(settings).err().unwrap_or_default()
}

/// What a desk of this table can do.
pub fn capabilities(settings: &DeskSettings) -> Capabilities {
    limits::capabilities(!settings.webhook.is_empty())
}
