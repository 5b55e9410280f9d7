//! The configuration as a JSON Schema, for editors: made from the same tables of keys that `check` reads by, so that what is
//! completed is what is accepted. What a value is, is read off its example; keys that do nothing yet are left out.

use super::keys::{self, Key, Shape};
use super::schema_words::{self, any_of, blocks, list, words};
use serde_json::{Map, Value, json};

/// The schema of the whole file.
pub fn schema() -> Value {
    let root = table(
        keys::ROOT,
        vec![
            ("daemon", table(keys::DAEMON, Vec::new())),
            ("web", web()),
            (
                "policy",
                table(
                    keys::POLICY,
                    vec![
                        ("limits", table(keys::LIMITS, Vec::new())),
                        ("digest", table(keys::DIGEST, Vec::new())),
                        ("reviews", table(keys::REVIEWS, Vec::new())),
                    ],
                ),
            ),
            ("desks", named(desk())),
            (
                "teams",
                named(with(
                    &["tier", "desk", "queue"],
                    table(
                        keys::TEAM,
                        vec![
                            ("queue", queue()),
                            ("tier", whole()),
                            ("public_name", any_of(vec![text(), named(text())])),
                        ],
                    ),
                )),
            ),
            ("alerts", named(with(&["channel"], table(keys::ALERT, alert())))),
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

fn web() -> Value {
    let login = table(keys::WEB_LOGIN, vec![("token", secret())]);
    table(keys::WEB, vec![("logins", named(login))])
}

fn desk() -> Value {
    let value = any_of(vec![text(), secret()]);
    let field = any_of(vec![text(), with(&["id"], table(keys::FIELD, Vec::new()))]);
    let desk = table(
        keys::DESK,
        vec![
            ("login", named(value.clone())),
            ("webhook", named(value)),
            ("intake", list(queue())),
            ("start", any_of(vec![words(["now"].into_iter()), day()])),
            ("fields", named(field)),
            ("commands", commands()),
        ],
    );
    with(&["connector", "url"], desk)
}

/// What a channel keeps secret may also be written as text where it is none.
fn alert() -> Vec<(&'static str, Value)> {
    let value = || any_of(vec![text(), secret()]);
    let keys = ["url", "token", "key", "secret", "old_secret", "password"].map(|key| (key, value()));
    keys.into_iter().chain([("to", one_or_list(text()))]).collect()
}

/// The same, with keys that must be there.
fn with(required: &[&str], mut table: Value) -> Value {
    table["required"] = json!(required);
    table
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
    hours["patternProperties"] = json!({ (schema_words::DAY): blocks() });
    with(&["zone"], hours)
}

/// Its signers, and beside them the wordings by language.
fn message() -> Value {
    let mut message = table(keys::MESSAGE, Vec::new());
    message["additionalProperties"] = text();
    message
}

/// The five answers of an escalation.
fn answers() -> Vec<(&'static str, Value)> {
    let pause = with(&["pause", "at_most"], table(keys::PAUSE, Vec::new()));
    let pause = any_of(vec![words(["continue"].into_iter()), pause]);
    let previous = any_of(vec![words(["nothing"].into_iter()), with(&["task"], table(keys::PREVIOUS, Vec::new()))]);
    vec![
        ("package", with(&["require"], table(keys::PACKAGE, Vec::new()))),
        ("owner", with(&["assign"], table(keys::OWNER, vec![("previous", previous)]))),
        ("clock", with(&["customer"], table(keys::CLOCK, vec![("customer", pause)]))),
        ("customer", table(keys::CUSTOMER, Vec::new())),
        ("review", text()),
    ]
}

fn rule(shape: Shape, answers: Vec<(&'static str, Value)>) -> Value {
    let mut known = answers;
    known.extend([
        ("when", one_or_list(text())),
        ("before_breach", with(&["clock", "by"], table(keys::BREACH, Vec::new()))),
        ("reviews", table(keys::REVIEWS, Vec::new())),
    ]);
    if shape.key("from").is_some() {
        known.push(("from", any_of(vec![list(text()), table(keys::FROM, Vec::new())])));
        return with(&["name", "trigger", "from", "to", "reason"], table(shape, known));
    }
    with(&["name", "desk", "to"], table(shape, known))
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
        let mut value = said.or_else(|| schema_words::of(shape, key)).unwrap_or_else(|| of_example(key));
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

/// A day, or an instant.
fn day() -> Value {
    schema_words::pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}")
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

fn one_or_list(of: Value) -> Value {
    json!({ "anyOf": [of.clone(), list(of)] })
}

/// A table of tables by names of the file's own.
fn named(of: Value) -> Value {
    json!({ "type": "object", "additionalProperties": of })
}
