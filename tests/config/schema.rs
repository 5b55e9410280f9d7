//! The schema that editors check by accepts what `check` accepts, and refuses a key that `check` does not know.

use handoffd::config::schema::schema;
use serde_json::{Map, Value as Json};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A document as an editor hands it to a schema: dates are texts.
fn as_json(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::from(text.as_str()),
        Value::Integer(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Boolean(answer) => Json::from(*answer),
        Value::Datetime(date) => Json::from(date.to_string()),
        Value::Array(list) => list.iter().map(as_json).collect(),
        Value::Table(table) => {
            table.iter().map(|(key, value)| (key.clone(), as_json(value))).collect::<Map<_, _>>().into()
        }
    }
}

#[expect(clippy::expect_used, reason = "a test's helper")]
fn complaints(text: &str) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema()).expect("a sound schema");
    let document = as_json(&Value::Table(text.parse::<Table>().expect("TOML")));
    validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_check_accepts_the_schema_accepts() {
    let mut files: Vec<PathBuf> = [
        "config.example.toml",
        "docs/templates/handoffd.toml",
        "tests/whole_policy/words.toml",
        "src/cli/demo/policy.toml",
    ]
    .iter()
    .map(|file| root().join(file))
    .collect();
    let templates = std::fs::read_dir(root().join("docs/templates/policy")).expect("templates");
    files.extend(templates.map(|entry| entry.expect("a file").path()));
    assert!(files.len() > 6, "the templates have moved");
    for file in files {
        assert_eq!(complaints(&read(&file)), Vec::<String>::new(), "{}", file.display());
    }
    let whole = read(&root().join("tests/whole_policy/policy.toml"));
    let whole = whole
        .replace("@LOGIN@", "{ token = { env = \"TOKEN\" } }")
        .replace("@WEBHOOK@", "{ secret = { file = \"x\" } }");
    assert_eq!(complaints(&whole), Vec::<String>::new(), "the policy with every key");
}

#[test]
fn an_unknown_key_and_a_value_of_the_wrong_kind_are_seen_while_they_are_written() {
    for (text, place) in [
        ("[daemon]\nledgr = \"x\"", "/daemon"),
        ("[daemon]\nlog = 7", "/daemon/log"),
        ("[daemon]\nmode = \"lve\"", "/daemon/mode"),
        ("[web.logins.lead]\nrole = \"admin\"", "/web/logins/lead/role"),
        ("[teams.a]\ntier = \"one\"", "/teams/a/tier"),
        ("[[escalate]]\nname = \"a\"\nto = \"b\"\nwhenn = 'true'", "/escalate/0"),
        ("[[escalate]]\nto = \"b\"", "/escalate/0"),
        ("[desks.a.fields]\nx = 7", "/desks/a/fields/x"),
        ("nonsense = 1", ""),
    ] {
        let found = complaints(text);
        assert!(found.iter().any(|words| words.starts_with(&format!("{place}: "))), "{text}: {found:?}");
    }
}
