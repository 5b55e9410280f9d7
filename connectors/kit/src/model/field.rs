//! Typed custom fields. A desk sends anything; the configuration declares what it should be; a value that
//! does not convert is unknown, and the caller counts it.

use crate::fact::Fact;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The declared type of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// Any text, one line or many.
    #[default]
    Text,
    /// A number; desks often send it as text.
    Number,
    /// Yes or no.
    YesNo,
    /// A calendar date.
    Date,
    /// One of a list, by the desk's value.
    Choice,
}

/// A field's value in its declared type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldValue {
    /// Text, also of a choice.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    YesNo(bool),
    /// A date.
    Date(jiff::civil::Date),
}

impl FieldType {
    /// Reads what the desk sent. `Known(None)`: the field is there and empty. `Unknown`: it does not convert.
    pub fn read(self, sent: &Value) -> Fact<Option<FieldValue>> {
        match sent {
            Value::Null => return Fact::Known(None),
            Value::String(text) if text.trim().is_empty() => return Fact::Known(None),
            // Request Tracker sends every field as a list of values.
            Value::Array(values) if values.is_empty() => return Fact::Known(None),
            Value::Array(values) if values.len() == 1 => return self.read(&values[0]),
            _ => {}
        }
        self.convert(sent).map(Some).into_fact()
    }

    fn convert(self, sent: &Value) -> Option<FieldValue> {
        match (self, sent) {
            (Self::Text, Value::Array(values)) => {
                let lines: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
                Some(FieldValue::Text(lines?.join("\n")))
            }
            (Self::Text | Self::Choice, Value::String(text)) => Some(FieldValue::Text(text.clone())),
            (Self::Text | Self::Choice, Value::Number(number)) => Some(FieldValue::Text(number.to_string())),
            (Self::Number, Value::Number(number)) => number.as_f64().map(FieldValue::Number),
            (Self::Number, Value::String(text)) => {
                text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(FieldValue::Number)
            }
            (Self::YesNo, Value::Bool(yes)) => Some(FieldValue::YesNo(*yes)),
            (Self::YesNo, Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Some(FieldValue::YesNo(true)),
                "false" | "no" | "0" => Some(FieldValue::YesNo(false)),
                _ => None,
            },
            (Self::Date, Value::String(text)) => text.get(..10)?.parse().ok().map(FieldValue::Date),
            _ => None,
        }
    }
}

impl FieldValue {
    /// As most desks take it in JSON: numbers and checkboxes as such, an empty text as nothing.
    pub fn json(&self) -> Value {
        match self {
            Self::Text(text) if text.is_empty() => Value::Null,
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Value::from(*number as i64),
            Self::Number(number) => Value::from(*number),
            Self::YesNo(yes) => Value::from(*yes),
            Self::Date(date) => Value::from(date.to_string()),
        }
    }

    /// Whether a field shows this value, however the desk writes it: dates may come with a time, numbers as text.
    pub fn is_shown_by(&self, now: &Value) -> bool {
        match (self, now) {
            (Self::Text(text), Value::Null) => text.is_empty(),
            (Self::Text(text), Value::String(now)) => now.trim() == text.trim(),
            (Self::Number(number), Value::Number(now)) => now.as_f64() == Some(*number),
            (Self::Number(number), Value::String(now)) => now.trim().parse() == Ok(*number),
            (Self::YesNo(yes), Value::Bool(now)) => now == yes,
            (Self::Date(date), Value::String(now)) => now.get(..10) == Some(date.to_string().as_str()),
            _ => false,
        }
    }
}

/// `Option<Option<T>>` reads badly; this says which `None` is meant.
trait IntoFact<T> {
    fn into_fact(self) -> Fact<T>;
}

impl<T> IntoFact<T> for Option<T> {
    fn into_fact(self) -> Fact<T> {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn desks_send_numbers_as_text_and_lists() {
        assert_eq!(FieldType::Number.read(&json!("745")), Fact::Known(Some(FieldValue::Number(745.0))));
        assert_eq!(FieldType::Number.read(&json!(["12.5"])), Fact::Known(Some(FieldValue::Number(12.5))));
    }

    #[test]
    fn a_value_is_recognised_in_what_it_was_written_as_and_in_the_desks_own_forms() {
        let date = FieldValue::Date("2026-05-03".parse().unwrap());
        for value in [
            FieldValue::Text("a".into()),
            FieldValue::Text(String::new()),
            FieldValue::Number(600.0),
            FieldValue::Number(12.5),
            FieldValue::YesNo(false),
            date.clone(),
        ] {
            assert!(value.is_shown_by(&value.json()), "{value:?}");
        }
        assert_eq!(FieldValue::Number(600.0).json(), json!(600));
        assert!(FieldValue::Number(12.5).is_shown_by(&json!(" 12.5 ")));
        assert!(date.is_shown_by(&json!("2026-05-03T00:00:00Z")) && !date.is_shown_by(&json!("2026-05-0")));
        assert!(
            !FieldValue::YesNo(true).is_shown_by(&json!("true"))
                && !FieldValue::Text("a".into()).is_shown_by(&json!(null))
        );
    }

    #[test]
    fn empty_is_known_to_be_none_and_nonsense_is_unknown() {
        assert_eq!(FieldType::Number.read(&json!("")), Fact::Known(None));
        assert_eq!(FieldType::Number.read(&json!([])), Fact::Known(None));
        for nonsense in [json!("many"), json!("NaN"), json!({}), json!(["1", "2"])] {
            assert!(FieldType::Number.read(&nonsense).is_unknown(), "{nonsense}");
        }
        assert!(FieldType::YesNo.read(&json!("perhaps")).is_unknown());
        assert!(FieldType::Date.read(&json!("2026-13-40")).is_unknown());
    }
}
