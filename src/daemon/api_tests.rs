//! `/api/v1` against its description: every route of the code is described, every description is of a route, and what is answered is
//! what is described, to the last key.

use super::dashboard_tests::{Hall, OPERATOR, READER, REVIEWER, hall};
use super::testing::{asking, sending};
use crate::policy::rules::{Mode, Policy};
use crate::web::dashboard::OPENAPI;
use axum::http::StatusCode;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn description() -> Value {
    serde_json::from_str(OPENAPI).expect("JSON")
}

/// What answers of this schema look like. References lead into the description.
fn validator(described: &Value, schema: &Value) -> Validator {
    let mut whole = schema.clone();
    whole["components"] = described["components"].clone();
    jsonschema::validator_for(&whole).expect("a sound schema")
}

/// Asks, and holds the answer against what the description says of its status.
async fn ask(hall: &Hall, method: &str, template: &str, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
    let described = description();
    let operation = &described["paths"][template][method.to_lowercase()];
    assert!(operation.is_object(), "{method} {template} is not described");
    if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema")
        && token != READER
    {
        let wrong: Vec<String> =
            validator(&described, schema).iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{method} {path} is sent {body}: {wrong:?}");
    }
    let (answer, told) = hall.api(method, path, token, body).await;
    let status = answer.status.as_u16().to_string();
    let mut response = &operation["responses"][&status];
    if let Some(named) = response["$ref"].as_str() {
        response = described.pointer(&named[1..]).expect("a response that is there");
    }
    let schema = response.pointer("/content/application~1json/schema");
    let schema = schema.unwrap_or_else(|| panic!("{method} {template} may answer {status}: {}", answer.text));
    let wrong: Vec<String> = validator(&described, schema)
        .iter_errors(&told)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{method} {path} answers {told}: {wrong:?}");
    (answer.status, told)
}

#[test]
fn every_route_is_described_and_every_description_is_of_a_route() {
    let source = include_str!("../web/dashboard/api.rs");
    let routes: BTreeSet<(String, String)> = source
        .split(".route(\"")
        .skip(1)
        .filter_map(|rest| {
            let (path, rest) = rest.split_once("\", ")?;
            Some((path.to_owned(), rest.split('(').next()?.to_owned()))
        })
        .collect();
    assert!(routes.len() > 10, "the routes have another form: {routes:?}");
    let described = description();
    let paths = described["paths"].as_object().expect("paths");
    let methods = |(path, methods): (&String, &Value)| -> Vec<(String, String)> {
        methods.as_object().expect("methods").keys().map(|method| (path.clone(), method.clone())).collect()
    };
    assert_eq!(routes, paths.iter().flat_map(methods).collect());
    let mut operations = BTreeSet::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            assert!(operations.insert(operation["operationId"].to_string()), "{method} {path} has another's id");
            let named = operation["parameters"].as_array().expect("parameters").iter();
            let named: Vec<&str> =
                named.filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
            let wanted: Vec<&str> = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            assert_eq!(named, wanted, "{method} {path}");
        }
    }
}

#[test]
fn the_description_is_sound_and_every_reference_leads_somewhere() {
    let described = description();
    assert!(described["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let mut open = vec![&described];
    let mut references = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                if let Some(to) = object.get("$ref").and_then(Value::as_str) {
                    references += 1;
                    assert!(described.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                }
                open.extend(object.values());
            }
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    assert!(references > 50, "{references}");
    for schema in described["components"]["schemas"].as_object().expect("schemas").values() {
        validator(&described, schema);
    }
}

#[tokio::test]
async fn what_is_read_is_what_is_described() {
    let hall = hall(asking());
    let review = hall.review().await;
    let (_, told) = ask(&hall, "GET", "/api/v1/openapi.json", "/api/v1/openapi.json", READER, Value::Null).await;
    assert_eq!(told, description());
    let one = format!("/api/v1/reviews/{}", review.id);
    for (template, path) in [
        ("/api/v1/now", "/api/v1/now"),
        ("/api/v1/reviews", "/api/v1/reviews"),
        ("/api/v1/reviews/{id}", &one),
        ("/api/v1/cases", "/api/v1/cases?team=frontline&state=open"),
        ("/api/v1/cases", "/api/v1/cases?waits=looks"),
        ("/api/v1/cases/{desk}/{ticket}", "/api/v1/cases/acme/42"),
        ("/api/v1/parked", "/api/v1/parked"),
        ("/api/v1/policy", "/api/v1/policy"),
    ] {
        let (status, _) = ask(&hall, "GET", template, path, READER, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}");
    }
    for (template, path, status) in [
        ("/api/v1/reviews/{id}", "/api/v1/reviews/none", StatusCode::NOT_FOUND),
        ("/api/v1/cases/{desk}/{ticket}", "/api/v1/cases/acme/none", StatusCode::NOT_FOUND),
        ("/api/v1/cases", "/api/v1/cases?after=nonsense", StatusCode::BAD_REQUEST),
        ("/api/v1/cases", "/api/v1/cases?number=none", StatusCode::NOT_FOUND),
        ("/api/v1/cases", "/api/v1/cases?waits=none", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(ask(&hall, "GET", template, path, READER, Value::Null).await.0, status, "{path}");
    }
    assert_eq!(
        ask(&hall, "GET", "/api/v1/now", "/api/v1/now", "nobody", Value::Null).await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn what_is_decided_is_what_is_described() {
    let hall = hall(asking());
    let review = hall.review().await;
    let (approve, reject) = ("/api/v1/reviews/{id}/approve", "/api/v1/reviews/{id}/reject");
    let path = |act: &str| format!("/api/v1/reviews/{}/{act}", review.id);
    for (template, act, token, body, status) in [
        (approve, "approve", READER, json!({}), StatusCode::FORBIDDEN),
        (approve, "approve", READER, json!({ "reasons": 7 }), StatusCode::BAD_REQUEST),
        (approve, "approve", REVIEWER, json!({ "reason": "fine" }), StatusCode::OK),
        (approve, "approve", REVIEWER, json!({}), StatusCode::CONFLICT),
        (reject, "reject", REVIEWER, json!({ "reason": "too late" }), StatusCode::CONFLICT),
    ] {
        assert_eq!(ask(&hall, "POST", template, &path(act), token, body).await.0, status, "{act}");
    }
    for (template, path, body) in [
        (reject, "/api/v1/reviews/none/reject", json!({ "reason": "x" })),
        (approve, "/api/v1/reviews/none/approve", json!({})),
    ] {
        let (status, told) = ask(&hall, "POST", template, path, REVIEWER, body).await;
        assert_eq!((status, told["error"].as_str()), (StatusCode::NOT_FOUND, Some("not_found")), "{path}");
    }
    // Another method is told which one is taken, as everything else is.
    let (answer, told) = hall.api("GET", "/api/v1/parked/retry", READER, Value::Null).await;
    assert_eq!((answer.status, told["error"].as_str()), (StatusCode::METHOD_NOT_ALLOWED, Some("wrong_method")));
    assert_eq!(told["request_id"], "my-request-1");
    assert!(validator(&description(), &description()["components"]["schemas"]["Error"]).is_valid(&told), "{told}");
    // What is no path at all is answered as everything else is.
    for (token, status) in [(READER, StatusCode::NOT_FOUND), ("nobody", StatusCode::UNAUTHORIZED)] {
        let (answer, told) = hall.api("GET", "/api/v1/nothing/here", token, Value::Null).await;
        assert_eq!((answer.status, told["request_id"].as_str()), (status, Some("my-request-1")), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_parked_is_what_is_described() {
    let hall = hall(sending());
    hall.stage.park().await;
    let (_, told) = ask(&hall, "GET", "/api/v1/parked", "/api/v1/parked", READER, Value::Null).await;
    let effect = &told["effects"][0];
    let about = json!({ "handoff": effect["handoff"], "number": effect["number"], "reason": "done by hand" });
    for (template, body, status) in [
        ("/api/v1/parked/retry", json!({ "handoff": "h1" }), StatusCode::BAD_REQUEST),
        ("/api/v1/parked/retry", json!({ "handoff": "none", "number": 1 }), StatusCode::NOT_FOUND),
        ("/api/v1/parked/retry", json!({ "handoff": about["handoff"], "number": 99 }), StatusCode::NOT_FOUND),
        ("/api/v1/parked/drop", json!({ "desk": "acme", "ticket": "none", "reason": "x" }), StatusCode::NOT_FOUND),
        ("/api/v1/parked/drop", about.clone(), StatusCode::OK),
        ("/api/v1/parked/drop", about, StatusCode::CONFLICT),
    ] {
        assert_eq!(ask(&hall, "POST", template, template, OPERATOR, body).await.0, status, "{template}");
    }
    // In shadow too: that it may not be tried again is no answer to what is not there.
    let shadow = super::dashboard_tests::hall(Policy { mode: Mode::Shadow, ..sending() });
    let (retry, nothing) = ("/api/v1/parked/retry", json!({ "handoff": "none", "number": 1 }));
    assert_eq!(ask(&shadow, "POST", retry, retry, OPERATOR, nothing).await.0, StatusCode::NOT_FOUND);
    let case = "/api/v1/cases/{desk}/{ticket}";
    assert_eq!(ask(&hall, "GET", case, "/api/v1/cases/acme/42", READER, Value::Null).await.0, StatusCode::OK);
}
