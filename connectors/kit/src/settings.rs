//! What the configuration hands to a connector: one `[desks.NAME]` table, checked as far as it can be
//! without knowing the vendor, with its secrets resolved. A connector checks the rest and names every problem.

use crate::clock::Clock;
use crate::id::DeskId;
use crate::random::Random;
use crate::secret::Secret;
use crate::transport::Transport;
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;

/// One configured desk.
#[derive(Clone, Debug)]
pub struct DeskSettings {
    /// The desk's name.
    pub id: DeskId,
    /// The address of the helpdesk, as a person types it into a browser; no trailing slash needed.
    pub url: Url,
    /// The `login` table: each vendor's own keys.
    pub login: BTreeMap<String, Setting>,
    /// The `webhook` table: each vendor's own keys. Empty: the desk sends none.
    pub webhook: BTreeMap<String, Setting>,
    /// The share of the vendor's limits that is ours, `0.0..=1.0`.
    pub budget: f64,
}

/// A text or a secret.
#[derive(Clone, Debug)]
pub enum Setting {
    /// Written in the file.
    Text(String),
    /// Read from the environment, a file or a command; never printed.
    Secret(Secret),
}

/// Time, chance and the socket.
#[derive(Clone)]
pub struct Seams {
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// What jitter is drawn from.
    pub random: Arc<dyn Random>,
    /// What carries requests.
    pub transport: Arc<dyn Transport>,
}

/// Something wrong in a `[desks.NAME]` table that only the connector can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingProblem {
    /// The key, dotted from the desk's table: `login.client_secret`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What would be accepted.
    pub help: String,
}
