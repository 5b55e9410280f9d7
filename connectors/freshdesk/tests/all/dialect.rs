//! The sandbox's dialect as a plain client meets it: it refuses what Freshdesk refuses, in the sheet's words.

use crate::stage::Account;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handoffd_sandbox::{Answer, seed};
use http::{Request, Response};
use serde_json::{Value, json};

fn send(account: &Account, method: &str, path: &str, key: Option<&str>, body: &Value) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(format!("https://acme.freshdesk.com/api/v2/{path}"));
    if let Some(key) = key {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(format!("{key}:X"))));
    }
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = request.header("content-type", "application/json").body(body).unwrap();
    match account.stage.sandbox.handle(request) {
        Answer::Given { response, .. } => response,
        other => panic!("{method} {path}: {other:?}"),
    }
}

fn asked(account: &Account, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let response = send(account, method, path, Some(seed::API_KEY), body);
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
}

#[test]
fn logins_and_paths_are_refused_as_in_the_sheet() {
    let account = Account::new();
    for key in [None, Some("wrong")] {
        let response = send(&account, "GET", "agents/me", key, &Value::Null);
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((response.status().as_u16(), &body["code"]), (401, &json!("invalid_credentials")));
    }
    for path in ["tickets/999999", "nonsense", "contacts/1"] {
        let response = send(&account, "GET", path, Some(seed::API_KEY), &Value::Null);
        assert_eq!((response.status().as_u16(), response.body().len()), (404, 0), "{path}");
    }
}

#[test]
fn every_wrong_value_of_an_update_is_named_with_its_code() {
    let account = Account::new();
    let ticket = account.ticket();
    let path = format!("tickets/{ticket}");
    for (body, field, code) in [
        (json!({ "group_id": 999_999 }), "group_id", "invalid_value"),
        (json!({ "group_id": "12" }), "group_id", "datatype_mismatch"),
        (json!({ "responder_id": 1 }), "responder_id", "invalid_value"),
        (json!({ "priority": 9 }), "priority", "invalid_value"),
        (json!({ "priority": "high" }), "priority", "datatype_mismatch"),
        (json!({ "status": 99 }), "status", "invalid_value"),
        (json!({ "tags": "a" }), "tags", "datatype_mismatch"),
        (json!({ "custom_fields": { "cf_refund_eur": "12" } }), "cf_refund_eur", "datatype_mismatch"),
        (json!({ "custom_fields": { "cf_nope": "x" } }), "cf_nope", "invalid_field"),
        (json!({ "grup_id": 12 }), "grup_id", "invalid_field"),
    ] {
        let (status, answer) = asked(&account, "PUT", &path, &body);
        assert_eq!((status, &answer["description"]), (400, &json!("Validation failed")), "{body}");
        assert_eq!(
            (&answer["errors"][0]["field"], &answer["errors"][0]["code"]),
            (&json!(field), &json!(code)),
            "{body}"
        );
    }
    let (status, answer) = asked(&account, "PUT", &path, &json!({ "group_id": 999_999, "priority": 9 }));
    assert_eq!((status, answer["errors"].as_array().unwrap().len()), (400, 2), "all at once");
    let (status, _) = asked(&account, "POST", &format!("{path}/notes"), &json!({ "body": " " }));
    assert_eq!(status, 400);
    let (status, answer) = asked(&account, "POST", &format!("{path}/notes"), &json!({ "body": "x" }));
    assert_eq!((status, &answer["private"]), (201, &json!(true)), "private unless it says otherwise");
    let (status, answer) = asked(&account, "POST", &format!("{path}/reply"), &json!({ "body": "x", "private": true }));
    assert_eq!((status, &answer["errors"][0]["code"]), (400, &json!("invalid_field")));
}

#[test]
fn lists_end_at_page_three_hundred_and_forget_old_tickets_without_an_instant() {
    let account = Account::new();
    let ticket = account.ticket();
    let (status, answer) = asked(&account, "GET", "tickets?page=301", &Value::Null);
    assert!(
        answer["errors"][0]["message"].as_str().unwrap().starts_with("You cannot access tickets beyond the 300th page")
    );
    assert_eq!(status, 400);
    let (status, _) = asked(&account, "GET", "tickets?per_page=101", &Value::Null);
    assert_eq!(status, 400);
    account.pass(31 * 24 * 3_600);
    assert_eq!(asked(&account, "GET", "tickets", &Value::Null).1, json!([]));
    let (_, listed) = asked(&account, "GET", "tickets?updated_since=2026-01-01T00:00:00Z", &Value::Null);
    assert_eq!(listed[0]["id"], json!(ticket));
    assert!(listed[0].get("description").is_none() && listed[0].get("attachments").is_none());
    let (status, _) = asked(&account, "GET", "admin/ticket_fields?per_page=100", &Value::Null);
    assert_eq!(status, 400, "this list takes no page size");
}

#[test]
fn limits_are_counted_and_told() {
    let account = Account::new();
    account.ticket();
    let cost = |path: &str| {
        let response = send(&account, "GET", path, Some(seed::API_KEY), &Value::Null);
        let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().parse::<u32>().unwrap();
        (header("x-ratelimit-total"), header("x-ratelimit-used-currentrequest"))
    };
    assert_eq!(cost("groups"), (700, 1));
    assert_eq!(cost("tickets?include=description,stats"), (700, 5));
    let mut refused = None;
    for _ in 0..200 {
        let response = send(&account, "GET", "tickets", Some(seed::API_KEY), &Value::Null);
        if response.status() == 429 {
            refused = response.headers().get("retry-after").cloned();
        }
    }
    assert_eq!(refused.unwrap(), "60");
    account.pass(60);
    assert_eq!(asked(&account, "GET", "tickets", &Value::Null).0, 200);
}
