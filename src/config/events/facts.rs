//! Which columns of a log tell facts of the ticket, for conditions of a policy: labels, priority, custom fields.

use super::Column;
use std::collections::BTreeMap;

/// Facts of the ticket after an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactColumns {
    /// Labels.
    pub tags: Option<FactColumn>,
    /// How urgent: low, normal, high or urgent.
    pub priority: Option<FactColumn>,
    /// Custom fields, by the policy's name.
    pub fields: BTreeMap<String, FactColumn>,
}

/// A column that tells a fact. An empty cell says nothing: the fact is unknown then, unless the map says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactColumn {
    /// The column.
    pub column: Column,
    /// Values that say "none"; an empty list of JSON always does.
    pub none: Vec<String>,
    /// Whether an empty cell says "none".
    pub empty_is_none: bool,
}

impl FactColumns {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tags.is_none() && self.priority.is_none() && self.fields.is_empty()
    }

    /// All of them.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.tags.iter().chain(&self.priority).chain(self.fields.values()).map(|fact| &fact.column)
    }
}

impl FactColumn {
    /// What a cell says; none: nothing. `Some(None)`: it says that there is none.
    pub fn value<'t>(&self, cell: &'t str) -> Option<Option<&'t str>> {
        let cell = cell.trim();
        if cell.is_empty() {
            return self.empty_is_none.then_some(None);
        }
        let none = cell == "[]" || self.none.iter().any(|none| none == cell);
        Some((!none).then_some(cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cell_is_unknown_unless_the_map_says_that_it_is_none() {
        let fact = |empty_is_none| FactColumn {
            column: Column { name: "a".into(), span: 0..0 },
            none: vec!["-".into()],
            empty_is_none,
        };
        let told = |empty_is_none, cell| fact(empty_is_none).value(cell).map(|value| value.map(str::to_owned));
        assert_eq!((told(false, " "), told(true, "")), (None, Some(None)));
        assert_eq!((told(false, "[]"), told(false, " - ")), (Some(None), Some(None)));
        assert_eq!(told(true, " x "), Some(Some("x".into())));
    }
}
