//! Conditions of searches: what TicketSQL and JSON conditions come to, and whether a record fits.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// What a record must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// All of these hold.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
    /// A field compares like this.
    Test(Test),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) field: String,
    pub(super) op: Op,
    /// With what; none: with being empty.
    pub(super) values: Vec<String>,
}

/// How a field compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
    Like,
    NotLike,
}

/// Fields that are instants.
const DATES: [&str; 8] = ["Created", "LastUpdated", "Due", "Told", "Starts", "Started", "Resolved", "Updated"];

/// A field's values on one record; none: empty. `None`: there is no such field.
pub(super) type Values = Option<Vec<String>>;

/// How a record's fields are read.
pub(super) type Read<'a> = &'a dyn Fn(&str) -> Values;

impl Condition {
    /// A field that `known` does not know.
    pub(super) fn unknown(&self, known: &dyn Fn(&str) -> bool) -> Option<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(|part| part.unknown(known)),
            Self::Test(test) => (!known(&test.field)).then_some(test.field.as_str()),
        }
    }

    /// Whether a record fits.
    pub(super) fn holds(&self, read: Read<'_>, now: Timestamp) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(read, now)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(read, now)),
            Self::Test(test) => read(&test.field).is_some_and(|held| test.holds(&held, now)),
        }
    }

    /// A number that `id` is certainly above.
    pub(super) fn above(&self) -> u64 {
        match self {
            Self::All(parts) => parts.iter().map(Self::above).max().unwrap_or(0),
            Self::Test(Test { field, op: Op::More, values }) if field == "id" => {
                values.first().and_then(|value| value.parse().ok()).unwrap_or(0)
            }
            Self::Any(_) | Self::Test(_) => 0,
        }
    }

    /// The numbers of which one of these fields must have one; none: there is no such condition.
    pub(super) fn numbers(&self, fields: &[&str]) -> Option<Vec<u64>> {
        match self {
            Self::All(parts) => parts.iter().find_map(|part| part.numbers(fields)),
            Self::Test(Test { field, op: Op::Is, values }) if fields.contains(&field.as_str()) => {
                Some(values.iter().filter_map(|value| value.parse().ok()).collect())
            }
            Self::Any(_) | Self::Test(_) => None,
        }
    }

    /// JSON conditions: a list that must all hold, but several equalities of one field of which one must. `None`: there is
    /// nothing to look for.
    pub(super) fn from_json(conditions: &Value) -> Option<Self> {
        let list = conditions.as_array().filter(|list| !list.is_empty())?;
        let test = |one: &Value| {
            let field = one.get("field")?.as_str()?.to_owned();
            let op = Op::read(one.get("operator").and_then(Value::as_str).unwrap_or("="))?;
            let values = match one.get("value")? {
                Value::Array(many) => many.iter().map(text).collect(),
                Value::Null => vec![],
                value => vec![text(value)],
            };
            Some(Self::Test(Test { field, op, values }))
        };
        let mut all: Vec<Self> = Vec::new();
        for one in list.iter().map(test).collect::<Option<Vec<_>>>()? {
            let Self::Test(new) = &one else { continue };
            let earlier = all.iter_mut().find_map(|known| match known {
                Self::Test(known) if known.field == new.field && (known.op, new.op) == (Op::Is, Op::Is) => Some(known),
                _ => None,
            });
            match earlier {
                Some(known) => known.values.extend(new.values.iter().cloned()),
                None => all.push(one),
            }
        }
        Some(Self::All(all))
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Op {
    /// An operator as it is written.
    pub(super) fn read(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "=" | "IS" | "IN" => Self::Is,
            "!=" | "<>" | "IS NOT" | "NOT IN" => Self::IsNot,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::More,
            ">=" => Self::AtLeast,
            "LIKE" => Self::Like,
            "NOT LIKE" => Self::NotLike,
            _ => return None,
        })
    }
}

impl Test {
    fn holds(&self, held: &[String], now: Timestamp) -> bool {
        let date = DATES.contains(&self.field.as_str());
        let any = |fits: &dyn Fn(&str, &str) -> bool| {
            held.iter().any(|held| self.values.iter().any(|value| fits(held, value)))
        };
        let order = |held: &str, value: &str| compare(held, value, date.then_some(now));
        let same = |held: &str, value: &str| order(held, value).is_eq();
        let within = |held: &str, value: &str| held.to_lowercase().contains(&value.to_lowercase());
        match self.op {
            Op::Is if self.values.is_empty() => held.is_empty(),
            Op::IsNot if self.values.is_empty() => !held.is_empty(),
            Op::Is => any(&same),
            Op::IsNot => !any(&same),
            Op::Less => any(&|held, value| order(held, value).is_lt()),
            Op::AtMost => any(&|held, value| order(held, value).is_le()),
            Op::More => any(&|held, value| order(held, value).is_gt()),
            Op::AtLeast => any(&|held, value| order(held, value).is_ge()),
            Op::Like => any(&within),
            Op::NotLike => !any(&within),
        }
    }
}

/// Numbers by size, dates by time, everything else as text without regard to case.
fn compare(held: &str, value: &str, date: Option<Timestamp>) -> std::cmp::Ordering {
    if let Some(now) = date {
        let held = held.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        return held.cmp(&instant(value, now));
    }
    match (held.parse::<i64>(), value.parse::<i64>()) {
        (Ok(held), Ok(value)) => held.cmp(&value),
        _ => held.to_lowercase().cmp(&value.to_lowercase()),
    }
}

/// `YYYY-MM-DD HH:MM:SS`, `now`, `N hours ago`. What RT cannot read counts as 1970 without a word, so that it matches too
/// much (RT sheet, *Searching*).
pub(super) fn instant(text: &str, now: Timestamp) -> Timestamp {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return now;
    }
    let ago = || {
        let [count, unit, "ago"] = text.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        let seconds = match unit.trim_end_matches('s') {
            "second" => 1,
            "minute" => 60,
            "hour" => 3600,
            "day" => 86_400,
            "week" => 604_800,
            _ => return None,
        };
        let span = SignedDuration::from_secs(count.parse::<i64>().ok()?.checked_mul(seconds)?);
        now.checked_sub(span).ok()
    };
    let plain = || format!("{}Z", text.replacen(' ', "T", 1)).parse().ok().filter(|_| !text.contains(['T', 'Z']));
    plain().or_else(ago).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_are_read_in_one_form_and_everything_else_is_long_ago() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let at = |text: &str| instant(text, now).to_string();
        assert_eq!(at("2026-11-23 05:24:56"), "2026-11-23T05:24:56Z");
        assert_eq!(at("1 hour ago"), "2026-11-23T09:00:00Z");
        assert_eq!(at("now"), "2026-11-23T10:00:00Z");
        for text in ["2026-11-23T05:24:55Z", "1790000000", "", "soon", "9223372036854775807 weeks ago"] {
            assert_eq!(at(text), "1970-01-01T00:00:00Z", "{text}");
        }
    }

    #[test]
    fn json_conditions_must_all_hold_and_odd_ones_are_none() {
        let both = json!([{"field": "id", "operator": ">", "value": 5}, {"field": "Type", "operator": "NOT IN", "value": ["A", "B"]}]);
        let both = Condition::from_json(&both).unwrap();
        assert_eq!(both.above(), 5);
        let fits = |id: &str, kind: &str| {
            let read = |field: &str| Some(vec![if field == "id" { id.to_owned() } else { kind.to_owned() }]);
            both.holds(&read, Timestamp::UNIX_EPOCH)
        };
        assert!(fits("10", "C"), "numbers compare as numbers");
        assert!(!fits("10", "a") && !fits("5", "C"));
        for odd in [
            json!(null),
            json!([]),
            json!({}),
            json!([1]),
            json!([{"field": 1, "value": 1}]),
            json!([{"field": "id"}]),
            json!([{"field": "id", "operator": "~", "value": 1}]),
        ] {
            assert_eq!(Condition::from_json(&odd), None, "{odd}");
        }
    }
}
