//! Which tier a team is: by its name, by a table, or by a column of the log.

use super::{Column, ValueColumn};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A tier: a number, which has an order, or a name like `2/3`, which has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tier(String);

impl Tier {
    /// A tier by its text; `2` and `"2"` are the same.
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        match text.parse::<u32>() {
            Ok(number) => Self(number.to_string()),
            Err(_) => Self(text.to_owned()),
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its number, where it is one.
    pub fn number(&self) -> Option<u32> {
        self.0.parse().ok()
    }
}

impl PartialOrd for Tier {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Tier {
    /// Numbers first, by size, then names.
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |tier: &Self| (tier.number().is_none(), tier.number(), tier.0.clone());
        key(self).cmp(&key(other))
    }
}

/// How a team's tier is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tiers {
    /// Not at all.
    #[default]
    Unknown,
    /// The first rule that fits the team's name.
    Rules(Vec<TierRule>),
    /// By a table; other teams have none.
    Table(BTreeMap<String, Tier>),
    /// A column of the log; a team's first row counts.
    Column(ValueColumn),
}

/// One rule on a team's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierRule {
    /// Which names it fits.
    pub test: TierTest,
    /// Their tier.
    pub tier: Tier,
}

/// Which names a rule fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TierTest {
    /// All.
    Any,
    /// That end so.
    EndsWith(String),
    /// That begin so.
    StartsWith(String),
    /// That have it anywhere.
    Contains(String),
    /// These.
    Teams(Vec<String>),
}

impl TierTest {
    /// Whether it fits this name.
    pub fn fits(&self, team: &str) -> bool {
        match self {
            Self::Any => true,
            Self::EndsWith(end) => team.ends_with(end.as_str()),
            Self::StartsWith(start) => team.starts_with(start.as_str()),
            Self::Contains(part) => team.contains(part.as_str()),
            Self::Teams(teams) => teams.iter().any(|named| named == team),
        }
    }
}

impl Tiers {
    /// The tier that a team's name says; none: unknown, or a column says it.
    pub fn by_name(&self, team: &str) -> Option<Tier> {
        match self {
            Self::Unknown | Self::Column(_) => None,
            Self::Rules(rules) => rules.iter().find(|rule| rule.test.fits(team)).map(|rule| rule.tier.clone()),
            Self::Table(table) => table.get(team).cloned(),
        }
    }

    /// The column that says it, if one does.
    pub fn column(&self) -> Option<&Column> {
        match self {
            Self::Column(value) => Some(&value.column),
            Self::Unknown | Self::Rules(_) | Self::Table(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_order_and_before_names() {
        let mut tiers: Vec<Tier> = ["10", "2/3", "2", "1"].map(Tier::new).into();
        tiers.sort();
        assert_eq!(tiers.iter().map(Tier::as_str).collect::<Vec<_>>(), ["1", "2", "10", "2/3"]);
        assert_eq!((Tier::new(" 2 "), Tier::new("2/3").number()), (Tier::new("02"), None));
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rule = |test, tier| TierRule { test, tier: Tier::new(tier) };
        let tiers = Tiers::Rules(vec![
            rule(TierTest::EndsWith(" 2nd 3rd".into()), "2/3"),
            rule(TierTest::EndsWith(" 3rd".into()), "3"),
            rule(TierTest::StartsWith("L2".into()), "2"),
            rule(TierTest::Contains("second".into()), "2"),
            rule(TierTest::Teams(vec!["Billing".into()]), "2"),
            rule(TierTest::Any, "1"),
        ]);
        for (team, tier) in [
            ("V13 2nd 3rd", "2/3"),
            ("V5 3rd", "3"),
            ("L2 net", "2"),
            ("the second", "2"),
            ("Billing", "2"),
            ("V30", "1"),
        ] {
            assert_eq!(tiers.by_name(team), Some(Tier::new(tier)), "{team}");
        }
        assert_eq!(Tiers::default().by_name("V30"), None);
    }
}
