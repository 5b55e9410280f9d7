//! The figures by what a column says at a case's first event.

use super::{Told, World, tiers};
use crate::insight::log::split_mark;
use crate::insight::stats::Share;
use serde::Serialize;
use std::collections::BTreeMap;

/// One column of `by`.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Its name.
    pub column: String,
    /// Its values, most cases first.
    pub values: Vec<GroupValue>,
}

/// Cases whose first event has this value.
#[derive(Clone, Debug, Serialize)]
pub struct GroupValue {
    /// The value.
    pub value: String,
    /// How many.
    pub cases: u64,
    /// Never with a team outside the first tier.
    pub contained: Share,
    /// With a bounce.
    pub bounced: Share,
    /// Their transfers.
    pub transfers: u64,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    cases: u64,
    contained: u64,
    bounced: u64,
    transfers: u64,
}

pub(super) struct Counting {
    columns: Vec<(String, BTreeMap<String, Counts>)>,
}

impl Counting {
    pub fn new(world: World<'_>) -> Self {
        Self { columns: world.by.iter().map(|column| (column.clone(), BTreeMap::new())).collect() }
    }

    pub fn add(&mut self, told: &Told<'_>, world: World<'_>, tiers: &tiers::Counting) {
        let values = split_mark(world.marks.name(told.story.mark));
        for ((_, counts), value) in self.columns.iter_mut().zip(values) {
            let counts = counts.entry(value.to_owned()).or_default();
            counts.cases += 1;
            counts.contained += u64::from(tiers.contains(told.story, world));
            counts.bounced += u64::from(told.transfers.iter().any(|transfer| transfer.bounced.is_some()));
            counts.transfers += told.transfers.len() as u64;
        }
    }

    pub fn finish(self) -> Vec<Group> {
        let value = |(value, counts): (String, Counts)| GroupValue {
            value,
            cases: counts.cases,
            contained: Share::new(counts.contained, counts.cases),
            bounced: Share::new(counts.bounced, counts.cases),
            transfers: counts.transfers,
        };
        let group = |(column, counts): (String, BTreeMap<String, Counts>)| {
            let mut values: Vec<GroupValue> = counts.into_iter().map(value).collect();
            values.sort_by(|one, other| other.cases.cmp(&one.cases).then_with(|| one.value.cmp(&other.value)));
            Group { column, values }
        };
        self.columns.into_iter().map(group).collect()
    }
}
