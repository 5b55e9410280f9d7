//! Each alert channel against a receiver that was not written for it: over HTTP on loopback one that checks signature, order
//! and duplicates, for mail one that takes the steps of SMTP strictly, and a real server that nobody here wrote.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod commands;
mod real_mail;
#[allow(dead_code, reason = "the daemon's tests use all of it")]
mod receiver;
mod signed;
mod smtp;
mod vendors;

use handoffd::alert::{self, AlertError, Attempt, Channel};
use handoffd::config::AlertSettings;
use handoffd::plan::alert::Alert;
use handoffd::policy::alert::ChannelKind;
use handoffd_kit::clock::ManualClock;
use handoffd_kit::random::Random;
use handoffd_kit::settings::{Seams, Setting, SettingProblem};
use handoffd_kit::transport::{HttpTransport, Transport};
use jiff::Timestamp;
use std::sync::Arc;

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

/// When everything happens.
pub fn now() -> Timestamp {
    "2026-11-02T12:00:00Z".parse().expect("an instant")
}

/// A channel with these keys.
pub fn settings(kind: ChannelKind, keys: &[(&str, &str)], to: &[&str], allow_private: bool) -> AlertSettings {
    let secret = ["url", "token", "key", "secret", "old_secret", "password"];
    let setting = |key: &str, value: &str| match secret.contains(&key) {
        true => Setting::Secret(value.into()),
        false => Setting::Text(value.to_owned()),
    };
    let settings = keys.iter().map(|(key, value)| ((*key).to_owned(), setting(key, value))).collect();
    AlertSettings { kind, settings, to: to.iter().map(|to| (*to).to_owned()).collect(), allow_private }
}

/// Opens it, over real sockets.
pub fn open(settings: AlertSettings) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
    let seams = Seams {
        clock: Arc::new(ManualClock::new(now())),
        random: Arc::new(Even),
        transport: Arc::new(HttpTransport::new(1)),
    };
    let public: Arc<dyn Transport> = Arc::new(HttpTransport::public_only(1));
    alert::open(settings, &seams, &public)
}

/// An alert of its own key.
pub fn an_alert(nonce: u64) -> Alert {
    Alert::test(&"room".into(), nonce, now())
}

/// Sends it once.
pub async fn send(channel: &Arc<dyn Channel>, alert: &Alert) -> Result<String, AlertError> {
    channel.send(alert, Attempt { now: now(), repeated: false }).await
}
