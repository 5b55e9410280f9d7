//! Counts how often a rule's conditions could not be told, because the desk did not say what they ask for. A rule that
//! never fires for that reason looks like one that has nothing to do; the figures and `explain` tell them apart.

use crate::policy::names::RuleName;
use crate::policy::verdict::{RuleResult, Verdict};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How often, by rule, since the process began. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Unknowns(Arc<Mutex<BTreeMap<RuleName, u64>>>);

impl Unknowns {
    /// Counts what a verdict could not tell.
    pub fn note(&self, verdict: Option<&Verdict>) {
        let traces = verdict.iter().flat_map(|verdict| &verdict.trace);
        let unknown =
            traces.filter(|trace| matches!(trace.result, RuleResult::Unknown(..) | RuleResult::TimeUnknown(_)));
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for trace in unknown {
            *counts.entry(trace.rule.clone()).or_default() += 1;
        }
    }

    /// The counts.
    pub fn counts(&self) -> BTreeMap<RuleName, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
