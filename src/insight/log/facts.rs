//! What an event tells of its ticket beside team and status, for the conditions of a policy. What is not told is unknown.

use crate::config::events::FactColumns;
use handoffd_kit::model::Priority;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Facts of a ticket after an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its labels; none: unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// How urgent; none: unknown, or no word that we know. Empty: none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Custom fields by the policy's name; none: known to be empty. A field that is not here is unknown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Option<String>>,
}

const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];

impl Facts {
    /// From the cells of a row, which `cell` gives by the column's name.
    ///
    /// # Errors
    /// The cell's.
    pub(super) fn of<'r, E>(
        columns: &FactColumns,
        mut cell: impl FnMut(&str) -> Result<&'r str, E>,
    ) -> Result<Self, E> {
        let mut facts = Self::default();
        if let Some(tags) = &columns.tags {
            facts.tags = tags.value(cell(&tags.column.name)?).map(|value| value.map_or(Vec::new(), list));
        }
        if let Some(priority) = &columns.priority {
            let told =
                priority.value(cell(&priority.column.name)?).map(|value| value.unwrap_or_default().to_lowercase());
            facts.priority = told.filter(|word| word.is_empty() || named(word).is_some());
        }
        for (name, field) in &columns.fields {
            if let Some(value) = field.value(cell(&field.column.name)?) {
                facts.fields.insert(name.clone(), value.map(str::to_owned));
            }
        }
        Ok(facts)
    }

    /// As text, in one way only.
    pub(super) fn text(&self) -> String {
        // A struct of texts always has a JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From that text.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// How urgent; none: unknown. `Some(None)`: none is set.
    pub fn priority(&self) -> Option<Option<Priority>> {
        self.priority.as_deref().map(named)
    }
}

fn named(word: &str) -> Option<Priority> {
    PRIORITIES.into_iter().find(|priority| priority.name() == word)
}

/// Labels of a cell: a JSON list of texts, or parted by commas or semicolons.
fn list(cell: &str) -> Vec<String> {
    if let Ok(Value::Array(values)) = serde_json::from_str(cell) {
        let text = |value: Value| if let Value::String(text) = value { text } else { value.to_string() };
        return values.into_iter().map(text).collect();
    }
    let parts = cell.split([',', ';']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_a_list_of_json_or_parted_by_commas() {
        assert_eq!(list("[\"a, b\", 5]"), ["a, b", "5"]);
        assert_eq!((list("a, b;c,,"), list("[a")), (vec!["a".into(), "b".into(), "c".into()], vec!["[a".to_owned()]));
    }

    #[test]
    fn what_was_written_is_read() {
        let facts = Facts {
            tags: Some(vec!["a\u{1e}\"".into()]),
            priority: Some(String::new()),
            fields: BTreeMap::from([("plan".into(), None), ("refund".into(), Some("600".into()))]),
        };
        assert!(!facts.text().contains('\u{1e}'), "no separator stands in it");
        assert_eq!(Facts::read(&facts.text()), Some(facts));
        assert_eq!(Facts::read(&Facts::default().text()), Some(Facts::default()));
    }
}
