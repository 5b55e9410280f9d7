//! Counts how often a desk's clock and our own target of the same name did not agree. The desk's counts; that they differ
//! is for a person to look at: a target that was changed in one place, hours that are not the same.

use crate::policy::clocks::{ClockDifference, ClockName};
use handoffd_kit::id::DeskId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How often, by desk and clock, since the process began. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Differences(Arc<Mutex<BTreeMap<(DeskId, ClockName), u64>>>);

impl Differences {
    /// Counts what a look found.
    pub fn note<'a>(&self, desk: &DeskId, found: impl Iterator<Item = &'a ClockDifference>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for difference in found {
            *counts.entry((desk.clone(), difference.clock)).or_default() += 1;
        }
    }

    /// The counts.
    pub fn counts(&self) -> BTreeMap<(DeskId, ClockName), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
