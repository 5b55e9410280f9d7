//! `[daemon]`: how this process works. None of it is part of the policy's meaning.

use super::found::Found;
use super::keys;
use super::scalar;
use super::walk::Section;
use crate::policy::rules::Mode;
use jiff::SignedDuration;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// How the daemon works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonConfig {
    /// The ledger's file. Default: `handoffd.db` beside the configuration.
    pub ledger: PathBuf,
    /// Where everything is served. Default: 127.0.0.1:8787.
    pub listen: SocketAddr,
    /// When set: webhooks, and nothing else, are served here and not on `listen`.
    pub hooks: Option<SocketAddr>,
    /// The master switch. Default: shadow.
    pub mode: Mode,
    /// How long after a write the ticket is read again, to see whether it stayed. Default: 60 s.
    pub verify_after: SignedDuration,
    /// How long raw payloads are kept. Default: 14 days.
    pub keep_raw: SignedDuration,
    /// The largest webhook body that is accepted, in bytes. Default: 1,000,000.
    pub webhook_max_bytes: usize,
    /// How long a shutdown waits for calls under way. Default: 20 s.
    pub shutdown_within: SignedDuration,
    /// How logs are written. Default: text.
    pub log: LogFormat,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The words of `mode`.
pub(super) const MODES: [(&str, Mode); 2] = [("shadow", Mode::Shadow), ("live", Mode::Live)];

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl DaemonConfig {
    fn default_in(base: &Path) -> Self {
        Self {
            ledger: base.join("handoffd.db"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)),
            hooks: None,
            mode: Mode::Shadow,
            verify_after: SignedDuration::from_secs(60),
            keep_raw: DAY * 14,
            webhook_max_bytes: 1_000_000,
            shutdown_within: SignedDuration::from_secs(20),
            log: LogFormat::Text,
        }
    }
}

/// Reads `[daemon]`; `base` is the folder of the file, which paths are relative to.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>, base: &Path) -> DaemonConfig {
    let mut daemon = DaemonConfig::default_in(base);
    let Some(section) = root.table(found, "daemon", keys::DAEMON, "[daemon]".into()) else { return daemon };
    if let Some(ledger) = section.text(found, "ledger") {
        daemon.ledger = base.join(ledger.value);
    }
    addresses(found, &section, &mut daemon);
    if let Some(mode) = section.word(found, "mode", &MODES) {
        daemon.mode = mode;
    }
    let mut length = |key, least, most, field: &mut SignedDuration| {
        if let Some(length) = section.duration(found, key, (least, most)) {
            *field = length;
        }
    };
    length("verify_after", SignedDuration::ZERO, SignedDuration::from_hours(1), &mut daemon.verify_after);
    length("keep_raw", SignedDuration::ZERO, DAY * 3_650, &mut daemon.keep_raw);
    length("shutdown_within", SignedDuration::from_secs(1), SignedDuration::from_hours(1), &mut daemon.shutdown_within);
    if let Some(bytes) = section.number(found, "webhook_max_bytes", 1_024..100_000_001) {
        daemon.webhook_max_bytes = usize::try_from(bytes.value).unwrap_or(usize::MAX);
    }
    if let Some(log) = section.word(found, "log", &[("text", LogFormat::Text), ("json", LogFormat::Json)]) {
        daemon.log = log;
    }
    daemon
}

fn addresses(found: &mut Found<'_>, section: &Section<'_>, daemon: &mut DaemonConfig) {
    if let Some(listen) = section.parsed(found, "listen", scalar::socket) {
        daemon.listen = listen.value;
        if !listen.value.ip().is_loopback() {
            let message = "`listen` serves everything to everybody who reaches this address";
            found.mismatch(&listen.span, message, "keep it on 127.0.0.1; `hooks` serves webhooks alone to the outside");
        }
    }
    if let Some(hooks) = section.parsed(found, "hooks", scalar::socket) {
        daemon.hooks = Some(hooks.value);
        if hooks.value == daemon.listen && hooks.value.port() != 0 {
            let help = "give `hooks` its own port, or leave it out to serve webhooks on `listen`";
            found.mismatch(&hooks.span, "`hooks` and `listen` are the same address", help);
        }
    }
}
