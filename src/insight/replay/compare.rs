//! Two policies over the same log: the decisions that differ, case by case.

use super::{Fire, Run};
use serde::Serialize;
use std::collections::BTreeMap;

/// A case that the two decide differently.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The case.
    pub case: String,
    /// What the first does and the other does not.
    pub only_first: Vec<Fire>,
    /// What the other does and the first does not.
    pub only_other: Vec<Fire>,
}

/// The cases that two policies decide differently: another team, another instant, another person asked. The rule's name and
/// version alone make no difference.
pub fn compare(first: &Run, other: &Run) -> Vec<Difference> {
    let mut cases: BTreeMap<&str, (Vec<&Fire>, Vec<&Fire>)> = BTreeMap::new();
    for fire in &first.fires {
        cases.entry(&fire.case).or_default().0.push(fire);
    }
    for fire in &other.fires {
        cases.entry(&fire.case).or_default().1.push(fire);
    }
    let same = |one: &Fire, other: &Fire| one.to == other.to && one.at == other.at && one.asks == other.asks;
    let without = |of: &[&Fire], others: &[&Fire]| -> Vec<Fire> {
        let only = of.iter().filter(|fire| !others.iter().any(|other| same(fire, other)));
        only.map(|fire| (*fire).clone()).collect()
    };
    let differences = cases.into_iter().map(|(case, (first, other))| Difference {
        case: case.to_owned(),
        only_first: without(&first, &other),
        only_other: without(&other, &first),
    });
    differences.filter(|difference| !difference.only_first.is_empty() || !difference.only_other.is_empty()).collect()
}
