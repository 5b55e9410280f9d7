//! What stands now, and whether the ledger that tells it can be written.

use super::Sources;
use super::figures::Figures;
use super::reloads::Loaded;
use crate::ledger::{Failing, LedgerError};
use crate::policy::rules::Mode;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What health judges and metrics print.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// What the ledger tells; its error where it tells nothing.
    pub(super) figures: Result<Figures, LedgerError>,
    /// Why the ledger cannot be written, if it cannot. It may still be read: from a full disk, for example.
    pub(super) failing: Option<Failing>,
    /// How many transactions have failed since the start, by reason.
    pub(super) failed: BTreeMap<&'static str, u64>,
    /// The ledger's file.
    pub(super) ledger: PathBuf,
    /// The version of the policy that runs.
    pub(super) policy: String,
    /// Nothing is written.
    pub(super) shadow: bool,
    /// How what runs stands to its file.
    pub(super) loaded: Loaded,
}

impl Standing {
    /// Asks. A ledger that another program holds is not asked: the answer would be late, and the same.
    pub(super) async fn collect(sources: &Sources) -> Self {
        let held = sources.ledger.failing().filter(|failing| failing.why == LedgerError::Busy);
        let figures = match held {
            Some(failing) => Err(failing.why),
            None => Figures::collect(sources).await,
        };
        Self {
            figures,
            failing: sources.ledger.failing(),
            failed: sources.ledger.failed(),
            ledger: sources.ledger.path().map(Into::into).unwrap_or_default(),
            policy: sources.policy.version.clone(),
            shadow: sources.policy.mode == Mode::Shadow,
            loaded: sources.reloads.now(),
        }
    }

    /// Whether a webhook that comes now could be stored.
    pub(super) fn is_ready(&self) -> bool {
        self.figures.is_ok() && self.failing.is_none()
    }
}
