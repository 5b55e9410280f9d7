//! The one place of the root package that names vendors.

use handoffd_kit::desk::Desk;
use handoffd_kit::settings::{DeskSettings, Seams, SettingProblem};
use std::sync::Arc;

/// The connectors that `connector = "…"` can name.
pub fn known() -> &'static [&'static str] {
    &[handoffd_zendesk::NAME, handoffd_rt::NAME]
}

/// Opens a desk through its connector. Touches no network.
///
/// # Errors
/// Everything that is wrong in the desk's own settings.
pub fn open(connector: &str, settings: DeskSettings, seams: Seams) -> Result<Arc<dyn Desk>, Vec<SettingProblem>> {
    match connector {
        handoffd_zendesk::NAME => Ok(Arc::new(handoffd_zendesk::connect(settings, seams)?)),
        handoffd_rt::NAME => Ok(Arc::new(handoffd_rt::connect(settings, seams)?)),
        other => Err(vec![SettingProblem {
            key: "connector".into(),
            problem: format!("no connector speaks \"{other}\""),
            help: format!("write one of: {}", known().join(", ")),
        }]),
    }
}
