//! From a checked configuration to a wired house. Everything that can fail without touching a desk fails here, at once.

use super::house::{House, Pace};
use crate::config::{Config, Problems, secrets};
use crate::ledger::Handle;
use crate::ledger::policies::Kept;
use crate::registry;
use handoffd_kit::desk::Desk;
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::Seams;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads the secrets and opens every desk.
///
/// # Errors
/// Missing secrets, and what connectors find wrong in their settings: all of it, each at its place.
pub fn open_desks(
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
    seams: &Seams,
) -> Result<BTreeMap<DeskId, Arc<dyn Desk>>, Problems> {
    let (settings, mut problems) = secrets::resolve(config, env)?;
    let mut desks = BTreeMap::new();
    for (id, settings) in settings {
        let Some(desk) = config.desks.get(&id) else { continue };
        match registry::open(&desk.connector, settings, seams.clone()) {
            Ok(desk) => drop(desks.insert(id, desk)),
            Err(wrong) => problems.extend(config.setting_problems(&id, &wrong)),
        }
    }
    if problems.has_errors() { Err(problems) } else { Ok(desks) }
}

/// Wires a house from a configuration, its open desks and its ledger.
pub fn wire(config: &Config, desks: BTreeMap<DeskId, Arc<dyn Desk>>, ledger: Handle, seams: Seams) -> House {
    let house = House::new(ledger, desks, Arc::new(config.policy.clone()), seams, pace(config));
    furnished(house, config)
}

/// The same house under another configuration.
pub(super) fn rewire(house: &House, config: &Config, desks: BTreeMap<DeskId, Arc<dyn Desk>>) -> House {
    furnished(house.under(desks, Arc::new(config.policy.clone()), pace(config)), config)
}

fn furnished(house: House, config: &Config) -> House {
    let kept = Kept { meaning: config.meaning.text(), text: config.text().to_owned() };
    House { kept: Some(Arc::new(kept)), shutdown_within: config.daemon.shutdown_within, ..house }
}

fn pace(config: &Config) -> Pace {
    let every = |poll| SignedDuration::try_from(poll).unwrap_or(SignedDuration::from_secs(30));
    Pace {
        verify_after: config.daemon.verify_after,
        polls: config.desks.iter().map(|(id, desk)| (id.clone(), every(desk.poll))).collect(),
        keep_raw: config.daemon.keep_raw,
    }
}
