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
        .replace("@CONNECTOR@", "zendesk")
        .replace("@LOGIN@", "{ token = { env = \"TOKEN\" } }")
        .replace("@WEBHOOK@", "{ secret = { file = \"x\" } }");
    assert_eq!(complaints(&whole), Vec::<String>::new(), "the policy with every key");
}

/// Every word that the schema completes, as `check` takes it: a wrong one is answered with the words that would do.
#[test]
fn the_closed_words_are_those_of_check() {
    let policy = read(&root().join("config.example.toml"));
    let schema = schema();
    let words = |pointer: &str| -> Vec<String> {
        let known = schema.pointer(pointer).and_then(|value| value["enum"].as_array());
        let known = known.unwrap_or_else(|| panic!("{pointer} has no closed words"));
        known.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let rule = "/properties/escalate/items/properties";
    for (key, pointer) in [
        ("trigger", format!("{rule}/trigger")),
        ("once", format!("{rule}/once")),
        ("missing", format!("{rule}/package/properties/missing")),
        ("then", format!("{rule}/package/properties/then")),
        ("customer_facing", format!("{rule}/owner/properties/customer_facing")),
        ("internal_from", format!("{rule}/clock/properties/internal_from")),
        ("accountable", format!("{rule}/clock/properties/accountable")),
        ("unanswered", format!("{rule}/reviews/properties/unanswered")),
        ("log", "/properties/daemon/properties/log".to_owned()),
        ("channel", "/properties/alerts/additionalProperties/properties/channel".to_owned()),
        ("outside", "/properties/alerts/additionalProperties/properties/outside".to_owned()),
        ("connector", "/properties/desks/additionalProperties/properties/connector".to_owned()),
    ] {
        let wrong = format!("{key} = \"no-such-word\"");
        let pattern = regex::Regex::new(&format!(r#"\b{key}\s*=\s*"[^"]*""#)).expect("a pattern");
        let at = pattern.find_iter(&policy).next().unwrap_or_else(|| panic!("{key} is not in the example"));
        let text = format!("{}{wrong}{}", &policy[..at.start()], &policy[at.end()..]);
        let problems = handoffd::config::read(&text, "handoffd.toml", &root()).err();
        let problems = problems.unwrap_or_else(|| panic!("nothing is wrong with {wrong}"));
        let told = problems.iter().find(|one| one.message.contains("no-such-word"));
        let told = told.map(|one| one.help.clone()).unwrap_or_else(|| panic!("{wrong}: {problems}"));
        for word in words(&pointer) {
            assert!(told.contains(&word), "{key} = {word}: {told}");
        }
    }
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
        ("[[escalate]]\ntrigger = \"wating\"", "/escalate/0/trigger"),
        ("[[escalate]]\nonce = \"ever\"", "/escalate/0/once"),
        ("[[escalate]]\nopen_for = \"1 hour\"", "/escalate/0/open_for"),
        ("[[escalate]]\nshare = \"150%\"", "/escalate/0/share"),
        ("[[escalate]]\nbefore_breach = { clock = \"resolv\", by = \"1h\" }", "/escalate/0/before_breach/clock"),
        ("[[escalate]]\npackage = { require = [\"sumary\"] }", "/escalate/0/package/require/0"),
        ("[[escalate]]\nclock = { customer = \"stop\" }", "/escalate/0/clock/customer"),
        ("[[escalate]]\nname = \"a\"\nto = \"b\"", "/escalate/0"),
        ("[desks.a]\nconnector = \"zendesc\"", "/desks/a/connector"),
        ("[alerts.a]\nchannel = \"slak\"", "/alerts/a/channel"),
        ("[alerts.a]\nchannel = \"slack\"\ntells = [\"handof\"]", "/alerts/a/tells/0"),
        ("[hours.a]\nzone = \"UTC\"\nmon = [\"9-12\"]", "/hours/a/mon/0"),
        ("[hours.a]\nzone = \"UTC\"\nmonday = [\"09:00-12:00\"]", "/hours/a"),
        ("[hours.a]\nmon = [\"09:00-12:00\"]", "/hours/a"),
        ("[teams.a]\ndesk = \"d\"\nqueue = \"Q\"", "/teams/a"),
        ("[desks.a]\nbudget = \"80\"", "/desks/a/budget"),
    ] {
        let found = complaints(text);
        assert!(found.iter().any(|words| words.starts_with(&format!("{place}: "))), "{text}: {found:?}");
    }
}
