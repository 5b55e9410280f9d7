//! From a checked configuration to open alert channels.

use crate::alert::{self, Channel};
use crate::config::{Config, Problems, secrets};
use crate::policy::names::AlertName;
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::{HttpTransport, Transport};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Open channels by name.
pub type Channels = BTreeMap<AlertName, Arc<dyn Channel>>;

/// Reads the secrets of the alert channels and opens them: all, or one.
///
/// # Errors
/// Missing secrets, and what is wrong in a channel's settings: all of it, each at its place.
pub fn open_channels(
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
    seams: &Seams,
    only: Option<&AlertName>,
) -> Result<Channels, Problems> {
    let (settings, mut problems) = secrets::resolve_alerts(config, env, only)?;
    let public: Arc<dyn Transport> = Arc::new(HttpTransport::public_only(1));
    let mut open = Channels::new();
    for (name, settings) in settings {
        match alert::open(settings, seams, &public) {
            Ok(channel) => drop(open.insert(name, channel)),
            Err(wrong) => problems.extend(config.alert_problems(&name, &wrong)),
        }
    }
    if problems.has_errors() { Err(problems) } else { Ok(open) }
}
