//! The configuration as a JSON Schema, for editors: made from the same tables of keys that `check` reads by, so that what is
//! completed is what is accepted. What a value is, is read off its example; keys that do nothing yet are left out.

use super::daemon::MODES;
use super::keys::{self, Key, Shape};
use super::web::ROLES;
use serde_json::{Map, Value, json};

/// The schema of the whole file.
pub fn schema() -> Value {
    let root = table(
        keys::ROOT,
        vec![
            ("daemon", daemon()),
            ("web", web()),
            (
                "policy",
                table(
                    keys::POLICY,
                    vec![("limits", table(keys::LIMITS, Vec::new())), ("digest", table(keys::DIGEST, Vec::new()))],
                ),
            ),
            ("desks", named(desk())),
            (
                "teams",
                named(table(
                    keys::TEAM,
                    vec![("queue", queue()), ("tier", whole()), ("public_name", any_of(vec![text(), named(text())]))],
                )),
            ),
            ("people", named(table(keys::PERSON, vec![("desk", named(text()))]))),
            ("hours", named(hours())),
            ("targets", named(table(keys::TARGET, vec![("when", one_or_list(text()))]))),
            ("messages", named(message())),
            ("risks", named(table(keys::RISK, vec![("add", named(list(text()))), ("drop", named(list(text())))]))),
            ("package", table(keys::PACKAGES, vec![("labels", table(keys::LABELS, Vec::new()))])),
            ("defaults", table(keys::DEFAULTS, vec![("escalate", table(keys::DEFAULTS_ESCALATE, answers()))])),
            ("route", list(rule(keys::ROUTE, Vec::new()))),
            ("escalate", list(rule(keys::ESCALATE, answers()))),
            ("test", list(test())),
        ],
    );
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "handoffd.toml",
        "description": "The configuration of handoffd: how helpdesks are reached, and the policy of routing and escalation.",
    });
    if let (Value::Object(all), Value::Object(root)) = (&mut schema, root) {
        all.extend(root);
    }
    schema
}

fn daemon() -> Value {
    table(keys::DAEMON, vec![("mode", words(MODES.iter().map(|(word, _)| *word)))])
}

fn web() -> Value {
    let role = words(ROLES.iter().map(|(word, _)| *word));
    let login = table(keys::WEB_LOGIN, vec![("token", secret()), ("role", role)]);
    table(keys::WEB, vec![("logins", named(login))])
}

fn desk() -> Value {
    let value = any_of(vec![text(), secret()]);
    let field = any_of(vec![text(), table(keys::FIELD, Vec::new())]);
    table(
        keys::DESK,
        vec![
            ("login", named(value.clone())),
            ("webhook", named(value)),
            ("intake", list(queue())),
            ("start", any_of(vec![text(), date()])),
            ("fields", named(field)),
            ("commands", commands()),
        ],
    )
}

/// Words, each of them one or several.
fn commands() -> Value {
    let one = |key: &Key| (key.name, any_of(vec![of_example(key), one_or_list(text())]));
    table(keys::COMMANDS, keys::COMMANDS.keys.iter().map(one).collect())
}

fn secret() -> Value {
    table(keys::SECRET, Vec::new())
}

/// A queue by its name, or a table.
fn queue() -> Value {
    any_of(vec![text(), table(keys::QUEUE, Vec::new())])
}

/// Zone and holidays, and beside them the days.
fn hours() -> Value {
    let holidays = any_of(vec![text(), list(any_of(vec![date(), text()]))]);
    let mut hours = table(keys::HOURS, vec![("holidays", holidays)]);
    hours["additionalProperties"] = list(text());
    hours
}

/// Its signers, and beside them the wordings by language.
fn message() -> Value {
    let mut message = table(keys::MESSAGE, Vec::new());
    message["additionalProperties"] = text();
    message
}

/// The five answers of an escalation.
fn answers() -> Vec<(&'static str, Value)> {
    let previous = any_of(vec![text(), table(keys::PREVIOUS, Vec::new())]);
    let pause = any_of(vec![text(), table(keys::PAUSE, Vec::new())]);
    vec![
        ("package", table(keys::PACKAGE, Vec::new())),
        ("owner", table(keys::OWNER, vec![("previous", previous)])),
        ("clock", table(keys::CLOCK, vec![("customer", pause)])),
        ("customer", table(keys::CUSTOMER, Vec::new())),
        ("review", text()),
    ]
}

fn rule(shape: Shape, answers: Vec<(&'static str, Value)>) -> Value {
    let mut known = answers;
    known.extend([
        ("mode", words(MODES.iter().map(|(word, _)| *word))),
        ("when", one_or_list(text())),
        ("before_breach", table(keys::BREACH, Vec::new())),
    ]);
    if shape.key("from").is_some() {
        known.push(("from", any_of(vec![list(text()), table(keys::FROM, Vec::new())])));
    }
    let mut rule = table(shape, known);
    rule["required"] = json!(["name", "to"]);
    rule
}

fn test() -> Value {
    let message = table(keys::TEST_MESSAGE, Vec::new());
    let open = || json!({ "type": "object" });
    let ticket = table(keys::TEST_TICKET, vec![("messages", list(message)), ("fields", open())]);
    let case = table(keys::TEST_CASE, vec![("request", table(keys::TEST_REQUEST, Vec::new()))]);
    table(
        keys::TEST,
        vec![
            ("at", any_of(vec![date(), text()])),
            ("ticket", ticket),
            ("customer", table(keys::TEST_CUSTOMER, vec![("fields", open())])),
            ("organization", table(keys::TEST_ORGANIZATION, vec![("fields", open())])),
            ("case", case),
            ("clocks", named(table(keys::TEST_CLOCK, vec![("until", any_of(vec![date(), text()]))]))),
            ("expect", table(keys::TEST_EXPECT, vec![("stays", any_of(vec![text(), json!({ "type": "boolean" })]))])),
        ],
    )
}

/// A table with exactly these keys; `known` says more of some than their examples do.
fn table(shape: Shape, known: Vec<(&'static str, Value)>) -> Value {
    let mut properties = Map::new();
    for key in shape.keys.iter().filter(|key| key.later.is_none()) {
        let said = known.iter().find(|(name, _)| *name == key.name).map(|(_, value)| value.clone());
        let mut value = said.unwrap_or_else(|| of_example(key));
        if value.get("description").is_none() {
            value["description"] =
                json!(format!("{} of {}. For example: {} = {}", key.name, shape.title, key.name, key.example));
        }
        properties.insert(key.name.to_owned(), value);
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// What a value is, by its example.
fn of_example(key: &Key) -> Value {
    match key.example.trim().as_bytes().first() {
        Some(b'"' | b'\'') => text(),
        Some(b'[') => json!({ "type": "array" }),
        Some(b'{') => json!({ "type": "object" }),
        Some(b't' | b'f') if ["true", "false"].contains(&key.example) => json!({ "type": "boolean" }),
        Some(b'0'..=b'9') if key.example.contains('-') => date(),
        Some(b'0'..=b'9') => json!({ "type": "number" }),
        _ => json!({}),
    }
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// A date of TOML, which editors hand on as text.
fn date() -> Value {
    json!({ "type": "string" })
}

fn words<'w>(words: impl Iterator<Item = &'w str>) -> Value {
    json!({ "enum": words.collect::<Vec<_>>() })
}

fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn one_or_list(of: Value) -> Value {
    json!({ "anyOf": [of.clone(), list(of)] })
}

fn any_of(all: Vec<Value>) -> Value {
    json!({ "anyOf": all })
}

/// A table of tables by names of the file's own.
fn named(of: Value) -> Value {
    json!({ "type": "object", "additionalProperties": of })
}
