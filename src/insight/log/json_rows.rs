//! JSON Lines: one object a line, its keys are the columns. A column with points in its name is also looked for inside.

use super::LONGEST_ROW;
use super::open::{Cell, Peeked, RowProblem, Rows};
use super::problem::LogProblem;
use crate::config::events::printable;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, Read};

/// The largest whole number that a JSON reader may have rounded.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Rows of a JSON Lines file.
pub(super) struct JsonRows<R = Peeked> {
    input: R,
    bytes: Vec<u8>,
    line: u64,
    wanted: Vec<String>,
    /// Those of them that may be lists.
    lists: Vec<usize>,
    values: Vec<String>,
    /// Wanted columns that some object had, and the keys of the first object.
    met: BTreeSet<String>,
}

impl<R: BufRead> JsonRows<R> {
    pub fn new(input: R, wanted: Vec<String>, lists: Vec<usize>) -> Self {
        let values = vec![String::new(); wanted.len()];
        Self { input, bytes: Vec::new(), line: 0, wanted, lists, values, met: BTreeSet::new() }
    }

    /// Reads the next line that is not blank; false: there is none.
    fn read_line(&mut self) -> Result<bool, RowProblem> {
        loop {
            self.bytes.clear();
            self.line += 1;
            let most = LONGEST_ROW as u64 + 1;
            let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.bytes).map_err(RowProblem::Io)?;
            if read > LONGEST_ROW {
                let help = "one object a line: jq -c . log.json > log.jsonl";
                return Err(RowProblem::Ends(self.problem(1, "this line is longer than 1 MiB", help)));
            }
            if read == 0 {
                return Ok(false);
            }
            if !self.bytes.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn problem(&self, column: u64, message: &str, help: &str) -> LogProblem {
        LogProblem { line: self.line, column, named: None, message: message.into(), help: help.into() }
    }

    fn read_object(&mut self) -> Result<(), RowProblem> {
        let Object(object) = serde_json::from_slice(&self.bytes).map_err(|error| {
            let column = u64::try_from(error.column()).unwrap_or(1).max(1);
            if error.to_string().starts_with(TWICE) {
                let help = "leave one of them out: which of the two is meant cannot be told";
                return RowProblem::Row(self.problem(column, TWICE, help));
            }
            let what = if error.is_data() { "this is no JSON object" } else { "broken JSON" };
            let help = "one object a line, its keys are the names of the columns: {\"case\": \"1\", \"at\": \"…\"}";
            RowProblem::Row(self.problem(column, what, help))
        })?;
        if self.met.is_empty() {
            self.met.extend(object.keys().cloned());
        }
        for at in 0..self.wanted.len() {
            if !self.met.contains(&self.wanted[at]) && find(&object, &self.wanted[at]).is_some() {
                self.met.insert(self.wanted[at].clone());
            }
            let may_be_list = self.lists.contains(&at);
            let text = match find(&object, &self.wanted[at]) {
                Some(Value::Object(inside)) => return Err(self.inside(at, inside)),
                Some(Value::Array(_)) if !may_be_list => {
                    let help = "give one value an event: jq can take the one that is meant out of the list";
                    return Err(self.of_column(at, "this is a list, not a value", help));
                }
                None | Some(Value::Null) => Some(String::new()),
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => {
                    let exact = !number.is_f64() || number.as_f64().is_some_and(|number| number.abs() < EXACT);
                    exact.then(|| number.to_string())
                }
                Some(other) => Some(other.to_string()),
            };
            let Some(text) = text else {
                let help = "write it as text, in quotes: a number this large loses its last digits";
                return Err(self.of_column(at, "this number is too large to be exact", help));
            };
            self.values[at] = text;
        }
        Ok(())
    }
}

impl<R> JsonRows<R> {
    fn of_column(&self, at: usize, message: &str, help: &str) -> RowProblem {
        let named = self.wanted.get(at).map(|name| printable(name));
        RowProblem::Row(LogProblem { line: self.line, column: 1, named, message: message.into(), help: help.into() })
    }

    /// An object where a value is wanted.
    fn inside(&self, at: usize, object: &Map<String, Value>) -> RowProblem {
        let name = self.wanted.get(at).map(String::as_str).unwrap_or_default();
        let key = object.keys().next().map_or("name", String::as_str);
        let help = format!("name one of its keys in the map, like \"{}\"", printable(&format!("{name}.{key}")));
        self.of_column(at, "this is an object, not a value", &help)
    }
}

/// What an object with one key twice is called.
const TWICE: &str = "a key stands twice in this object";

/// An object in which no key stands twice: of two values only one would be read, and nobody told.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Object, A::Error> {
                let mut object = Map::new();
                while let Some((key, value)) = entries.next_entry::<String, Value>()? {
                    if object.insert(key, value).is_some() {
                        return Err(de::Error::custom(TWICE));
                    }
                }
                Ok(Object(object))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

impl<R: BufRead> Rows for JsonRows<R> {
    fn advance(&mut self) -> Option<Result<(), RowProblem>> {
        match self.read_line() {
            Ok(true) => Some(self.read_object()),
            Ok(false) => None,
            Err(problem) => Some(Err(problem)),
        }
    }

    fn row_line(&self) -> u64 {
        self.line
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.bytes.trim_ascii().hash(&mut hasher);
        hasher.finish()
    }

    fn columns_met(&self) -> Option<Vec<String>> {
        Some(self.met.iter().cloned().collect())
    }

    fn cell(&self, wanted: usize) -> Cell<'_> {
        Cell { bytes: self.values.get(wanted).map_or(&[], |text| text.as_bytes()), line: self.line, column: 1 }
    }
}

fn find<'o>(object: &'o Map<String, Value>, name: &str) -> Option<&'o Value> {
    object.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        find(object.get(first)?.as_object()?, rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Result<[String; 2], String>> {
        let mut rows = JsonRows::new(text.as_bytes(), vec!["case".into(), "who.name".into()], vec![1]);
        let mut all = Vec::new();
        while let Some(row) = rows.advance() {
            let cell = |at| String::from_utf8_lossy(rows.cell(at).bytes).into_owned();
            let ends = matches!(row, Err(RowProblem::Ends(_)));
            all.push(match row {
                Ok(()) => Ok([cell(0), cell(1)]),
                Err(RowProblem::Row(problem) | RowProblem::Ends(problem)) => {
                    Err(format!("{}:{} {}", problem.line, problem.column, problem.message))
                }
                Err(RowProblem::Io(error)) => panic!("{error}"),
            });
            if ends {
                break;
            }
        }
        all
    }

    #[test]
    fn values_of_any_kind_become_text() {
        let text = "{\"case\": 12, \"who\": {\"name\": \"x\"}}\n\n {\"case\": true, \"who.name\": [1]}\r\n{\"who\": 1}";
        let row = |case: &str, who: &str| Ok([case.to_owned(), who.to_owned()]);
        assert_eq!(cells(text), [row("12", "x"), row("true", "[1]"), row("", "")]);
    }

    #[test]
    fn broken_lines_have_their_place_and_the_next_is_read() {
        let text = "{\"case\": }\n[1]\n{\"case\": 123456789012345678901}\n{\"case\": \"1\"}";
        let all = cells(text);
        assert_eq!(all[0], Err("1:10 broken JSON".into()));
        assert!(all[1].as_ref().is_err_and(|words| words.starts_with("2:") && words.ends_with("no JSON object")));
        let nested =
            cells("{\"case\": {\"id\": 1}}\n{\"case\": [1]}\n{\"case\": 1, \"x\": 2, \"case\": 3}\n{\"case\": 7}");
        assert_eq!(nested[0], Err("1:1 this is an object, not a value".into()));
        assert_eq!(nested[1], Err("2:1 this is a list, not a value".into()));
        assert!(nested[2].as_ref().is_err_and(|words| words.ends_with(TWICE)), "{nested:?}");
        assert_eq!(nested[3], Ok(["7".into(), String::new()]));
        assert_eq!(all[2], Err("3:1 this number is too large to be exact".into()));
        assert_eq!(all[3], Ok(["1".into(), String::new()]));
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let text = format!("{{\"case\": \"{}\"}}", "x".repeat(LONGEST_ROW));
        assert_eq!(cells(&text), [Err("1:1 this line is longer than 1 MiB".into())]);
    }
}
