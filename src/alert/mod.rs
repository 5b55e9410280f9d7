//! Alert channels: one file for each. A channel lays a [`Card`](crate::plan::alert::Card) out in its own markup, with every
//! value escaped for it, sends it once, and says what came of that. It knows no ledger: who sends what, when, and how often is
//! `delivery`'s.

mod email;
mod hidden;
mod mattermost;
mod pagerduty;
mod post;
mod slack;
mod teams;
#[cfg(test)]
mod testing;
pub mod webhook;

use crate::config::AlertSettings;
use crate::plan::alert::Alert;
use crate::policy::alert::ChannelKind;
use futures::future::BoxFuture;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::{Seams, Setting, SettingProblem};
use handoffd_kit::transport::Transport;
use jiff::Timestamp;
use std::sync::Arc;

/// One open channel.
pub trait Channel: Send + Sync {
    /// Sends an alert once. Gives the channel's proof in a line; empty where it gives none.
    fn send<'a>(&'a self, alert: &'a Alert, attempt: Attempt) -> BoxFuture<'a, Result<String, AlertError>>;

    /// Whether the receiver knows a repetition by its key: then a lost answer costs nothing.
    fn knows_repetitions(&self) -> bool {
        false
    }

    /// Its secrets, with their keys in the channel's table.
    fn secrets(&self) -> Vec<(&'static str, Secret)>;
}

/// One try of an alert.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The instant.
    pub now: Timestamp,
    /// The answer to an earlier one was lost.
    pub repeated: bool,
}

/// What becomes of an alert that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It did not leave, or was refused for now: again, not before this instant if the channel named one. It does not count as
    /// an answer of the channel.
    NotSent,
    /// The channel has too much to do: again, not before this instant if it named one.
    Again(Option<Timestamp>),
    /// It may have arrived: the answer did not.
    Lost,
    /// The channel will not take it as it is configured.
    Refused,
    /// The channel wants nothing any more.
    Gone,
}

/// Why an alert was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertError {
    /// What becomes of it.
    pub failure: Failure,
    /// Why, in the channel's words where it has any: bounded, one line, without secrets.
    pub words: String,
    /// What a person can do.
    pub next_step: Option<String>,
}

impl AlertError {
    fn new(failure: Failure, words: impl Into<String>) -> Self {
        Self { failure, words: words.into(), next_step: None }
    }

    fn next(self, step: impl Into<String>) -> Self {
        Self { next_step: Some(step.into()), ..self }
    }
}

/// Opens a channel. `public` carries requests to the public network alone; channels that may lie in a private one go the
/// daemon's own way.
///
/// # Errors
/// Every problem of its settings.
pub fn open(
    settings: AlertSettings,
    seams: &Seams,
    public: &Arc<dyn Transport>,
) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
    let transport = match settings.kind {
        // Whoever configures these two names a server of their own; those of the others are the vendors'.
        ChannelKind::Mattermost | ChannelKind::Webhook if !settings.allow_private => public.clone(),
        _ => seams.transport.clone(),
    };
    Ok(match settings.kind {
        ChannelKind::Slack => slack::open(&settings, transport)?,
        ChannelKind::Teams => teams::open(&settings, transport)?,
        ChannelKind::Mattermost => mattermost::open(&settings, transport)?,
        ChannelKind::PagerDuty => pagerduty::open(&settings, transport)?,
        ChannelKind::Email => email::open(settings, seams.clock.clone())?,
        ChannelKind::Webhook => webhook::open(&settings, transport)?,
    })
}

/// A value of a channel's own keys. The configuration has checked that what must be there is there.
fn secret(settings: &AlertSettings, key: &str) -> Result<Secret, Vec<SettingProblem>> {
    optional(settings, key).ok_or_else(|| {
        let (problem, help) = ("is missing".to_owned(), format!("add `{key}`"));
        vec![SettingProblem { key: key.to_owned(), problem, help }]
    })
}

fn optional(settings: &AlertSettings, key: &str) -> Option<Secret> {
    settings.settings.get(key).map(|setting| match setting {
        Setting::Text(text) => Secret::from(text.as_str()),
        Setting::Secret(secret) => secret.clone(),
    })
}

fn text<'s>(settings: &'s AlertSettings, key: &str) -> Option<&'s str> {
    match settings.settings.get(key)? {
        Setting::Text(text) => Some(text),
        Setting::Secret(_) => None,
    }
}
