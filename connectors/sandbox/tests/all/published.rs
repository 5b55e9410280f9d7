//! A vendor's own machine-readable description (OpenAPI 3) as a checker of requests and answers. It is read where it lies, never
//! copied; without it, tests say so and are left out.

#![expect(clippy::expect_used, reason = "a test that is left out says so")]
#![allow(dead_code, reason = "shared with the connector's tests; each needs a part of it")]

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};
use std::io::Write as _;

const DESCRIPTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vendors/openapi/");

/// A file beside the repository. `None`: it is missing, and the test is left out (or fails, where everything must run).
pub fn beside(path: &str, what: &str) -> Option<String> {
    let found = std::fs::read_to_string(path).ok();
    if found.is_none() {
        assert!(std::env::var("HANDOFFD_TEST_REAL").as_deref() != Ok("1"), "{what} is missing");
        let _ = writeln!(
            std::io::stderr(),
            "left out: {what} is missing; put the sheets into ../shared beside the repository"
        );
    }
    found
}

pub struct Description(Value);

impl Description {
    /// The description in this file, YAML or JSON by its name.
    pub fn of(file: &str) -> Option<Self> {
        let text = beside(&format!("{DESCRIPTIONS}{file}"), &format!("the vendor's description (openapi/{file})"))?;
        let mut described: Value = match file.ends_with(".json") {
            true => serde_json::from_str(&text).expect("the description is JSON"),
            false => serde_saphyr::from_str(&text).expect("the description is YAML"),
        };
        translate(&mut described);
        Some(Self(described))
    }

    /// What is wrong with an answer to a call of this path.
    pub fn answer(&self, method: &str, path: &str, status: u16, body: &Value) -> Vec<String> {
        let at = format!("/responses/{status}/content/application~1json/schema");
        self.check(method, path, &at, body)
    }

    /// What is wrong with a request's body.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> Vec<String> {
        self.check(method, path, "/requestBody/content/application~1json/schema", body)
    }

    /// The query parameters that a call of this path knows; none: there is no such path, or no such method on it.
    pub fn parameters(&self, method: &str, path: &str) -> Option<Vec<String>> {
        let own = self.operation(method, path)?.get("parameters");
        let shared = self.item(path)?.get("parameters");
        let all = [own, shared].into_iter().flatten().filter_map(Value::as_array).flatten();
        let resolved = all.filter_map(|parameter| match parameter["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')),
            None => Some(parameter),
        });
        let query = resolved.filter(|parameter| parameter["in"] == "query");
        Some(query.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect())
    }

    /// The keys that an object of this schema knows.
    pub fn properties(&self, schema: &str) -> Vec<String> {
        let properties = self.0["components"]["schemas"][schema]["properties"].as_object();
        properties.into_iter().flat_map(Map::keys).cloned().collect()
    }

    fn check(&self, method: &str, path: &str, at: &str, body: &Value) -> Vec<String> {
        let schema = self.operation(method, path).and_then(|operation| operation.pointer(at));
        let Some(schema) = schema else { return vec![format!("{method} {path}{at} is not described")] };
        let whole = json!({ "allOf": [schema], "components": self.0["components"] });
        let validator: Validator = jsonschema::options().with_draft(Draft::Draft4).build(&whole).expect("a schema");
        validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        self.item(path)?.get(method.to_lowercase())
    }

    fn item(&self, path: &str) -> Option<&Value> {
        let path = path.split('?').next()?;
        let path = path.strip_suffix(".json").unwrap_or(path);
        let paths = self.0["paths"].as_object()?;
        let fits = |template: &str| {
            let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
            template.len() == path.len()
                && template.iter().zip(&path).all(|(one, other)| one == other || (one.starts_with('{') && is_id(other)))
        };
        // A template without placeholders fits exactly and comes first.
        let exact = paths.get(path);
        exact.or_else(|| paths.iter().find(|(template, _)| fits(template)).map(|(_, item)| item))
    }
}

/// A number, or the 24 hexadecimal digits that some ids have.
fn is_id(text: &str) -> bool {
    text.parse::<u64>().is_ok() || (text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// OpenAPI 3.0 into JSON Schema (draft 4, its nearest relative): `nullable` becomes a type. The description leaves
/// `nullable` out where live answers carry null (an absent assignee, a missing priority: Zendesk sheet, *Objects*), so
/// that every property that is one plain value may be null.
fn translate(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(translate),
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                properties.values_mut().filter_map(Value::as_object_mut).for_each(allow_null);
            }
            if map.get("nullable") == Some(&json!(true)) {
                allow_null(map);
            }
            map.values_mut().for_each(translate);
        }
        _ => {}
    }
}

/// `nullable` beside a reference or a combination says nothing to JSON Schema: the whole becomes a choice.
fn allow_null(schema: &mut Map<String, Value>) {
    if schema.get("nullable") == Some(&json!(true)) && (schema.contains_key("$ref") || schema.contains_key("allOf")) {
        schema.remove("nullable");
        schema.remove("type");
        let whole = std::mem::take(schema);
        schema.insert("anyOf".into(), json!([whole, { "type": "null" }]));
        return;
    }
    if let Some(Value::String(kind)) = schema.get("type") {
        let kind = kind.clone();
        schema.insert("type".into(), json!([kind, "null"]));
    }
    if let Some(Value::Array(options)) = schema.get_mut("oneOf") {
        options.push(json!({ "type": "null" }));
    }
    if let Some(Value::Array(options)) = schema.get_mut("enum") {
        options.push(Value::Null);
    }
}
