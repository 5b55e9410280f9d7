//! How much may happen before handoffs wait, or a person is asked.

/// Bounds on what may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Handoffs of one rule in one hour.
    pub per_rule_per_hour: u32,
    /// Handoffs on one desk in one hour.
    pub per_desk_per_hour: u32,
    /// Moves of one case in one day; beyond, a person decides.
    pub hops_per_day: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_rule_per_hour: 30, per_desk_per_hour: 200, hops_per_day: 4 }
    }
}
