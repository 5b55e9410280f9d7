//! The sandbox's dialect as a plain client meets it: it refuses what Intercom refuses, in the sheet's words.

use crate::stage::Account;
use bytes::Bytes;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::people::Reach;
use handoffd_sandbox::{Answer, seed};
use http::{Request, Response};
use serde_json::{Value, json};

fn send(account: &Account, method: &str, path: &str, headers: &[(&str, &str)], body: Bytes) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(format!("https://api.eu.intercom.io/{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header("content-type", "application/json").body(body).unwrap();
    match account.stage.sandbox.handle(request) {
        Answer::Given { response, .. } => response,
        other => panic!("{method} {path}: {other:?}"),
    }
}

fn asked(account: &Account, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let login = format!("Bearer {}", seed::INTERCOM_TOKEN);
    let response = send(account, method, path, &[("authorization", &login), ("intercom-version", "2.16")], body);
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
}

fn us(account: &Account) -> String {
    account.stage.sandbox.person(seed::BOT).no().unwrap().to_string()
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["code"].as_str().unwrap_or_default()
}

#[test]
fn logins_rights_versions_and_paths_are_refused_as_in_the_sheet() {
    let account = Account::new();
    let ticket = account.ticket();
    for headers in [&[][..], &[("authorization", "Basic abc")], &[("authorization", "Bearer wrong")]] {
        let response = send(&account, "GET", "me", headers, Bytes::new());
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((response.status().as_u16(), &body["type"]), (401, &json!("error.list")));
        assert_eq!(body["errors"][0], json!({ "code": "unauthorized", "message": "Access Token Invalid" }));
    }
    let (status, body) = asked(&account, "GET", "conversations/999999", &Value::Null);
    assert_eq!((status, code(&body)), (404, "not_found"));
    for path in ["nonsense", "conversations/x", "contacts/7", "companies/9999"] {
        assert_eq!(asked(&account, "GET", path, &Value::Null).0, 404, "{path}");
    }
    let login = format!("Bearer {}", seed::INTERCOM_TOKEN);
    let in_version = |version: &str| {
        let headers = [("authorization", login.as_str()), ("intercom-version", version)];
        let response = send(&account, "GET", &format!("conversations/{ticket}"), &headers, Bytes::new());
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), body["priority"].clone())
    };
    assert_eq!((in_version("2.16"), in_version("2.15")), ((200, json!("none")), (200, json!("not_priority"))));
    assert_eq!(in_version("9.9").0, 400);
    account.stage.sandbox.with(|desk| {
        desk.people.values_mut().filter(|person| person.login == seed::BOT).for_each(|bot| {
            (bot.rights.changes, bot.rights.admin) = (Reach::Nothing, false);
        });
    });
    let write = json!({ "message_type": "assignment", "type": "admin", "admin_id": us(&account), "assignee_id": "1" });
    let (status, body) = asked(&account, "POST", &format!("conversations/{ticket}/parts"), &write);
    assert_eq!((status, code(&body)), (403, "forbidden"), "before any assignee");
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("required scope (write_conversations)"));
    assert_eq!(asked(&account, "GET", "teams", &Value::Null).0, 403);
    assert_eq!(asked(&account, "GET", &format!("conversations/{ticket}"), &Value::Null).0, 200);
}

#[test]
fn wrong_values_are_refused_and_nothing_is_written() {
    let account = Account::new();
    let ticket = account.ticket();
    let before = account.stage.sandbox.ticket(ticket).unwrap().changes.len();
    let us = us(&account);
    let assign =
        |kind: &str, to: &str| json!({ "message_type": "assignment", "type": kind, "admin_id": us, "assignee_id": to });
    let say = |kind: &str, body: &str| json!({ "message_type": kind, "type": "admin", "admin_id": us, "body": body });
    for (path, body, status, code) in [
        ("parts", assign("admin", "999999"), 403, "assignee_not_found"),
        ("parts", assign("team", "999999"), 403, "assignee_not_found"),
        ("parts", assign("user", "1"), 400, "parameter_invalid"),
        ("parts", json!({ "message_type": "assignment", "type": "team", "admin_id": us }), 400, "parameter_not_found"),
        ("parts", json!({ "message_type": "snoozed", "admin_id": us }), 400, "parameter_invalid"),
        ("parts", json!({ "message_type": "snoozed", "admin_id": us, "snoozed_until": 5 }), 400, "parameter_invalid"),
        ("parts", json!({ "message_type": "priority", "admin_id": us }), 400, "parameter_invalid"),
        ("reply", say("note", " "), 400, "parameter_not_found"),
        ("reply", say("whisper", "x"), 400, "parameter_invalid"),
        (
            "reply",
            json!({ "message_type": "note", "type": "user", "admin_id": us, "body": "x" }),
            400,
            "parameter_invalid",
        ),
        (
            "reply",
            json!({ "message_type": "note", "type": "admin", "admin_id": "1", "body": "x" }),
            400,
            "admin_not_found",
        ),
        ("reply", json!({ "mesage_type": "note" }), 400, "parameter_invalid"),
        ("tags", json!({ "id": "1", "admin_id": us }), 404, "tag_not_found"),
    ] {
        let (is, answer) = asked(&account, "POST", &format!("conversations/{ticket}/{path}"), &body);
        assert_eq!((is, self::code(&answer)), (status, code), "{body}: {answer}");
    }
    for body in [
        json!({ "priority": "high" }),
        json!({ "custom_attributes": { "nope": 1 } }),
        json!({ "custom_attributes": { "refund_eur": "12" } }),
        json!({ "custom_attributes": [] }),
    ] {
        assert_eq!(asked(&account, "PUT", &format!("conversations/{ticket}"), &body).0, 400, "{body}");
    }
    assert_eq!(account.stage.sandbox.ticket(ticket).unwrap().changes.len(), before);
}

#[test]
fn an_assignment_wakes_a_sleeping_conversation_and_leaves_the_other_slot_alone() {
    let account = Account::new();
    let ticket = account.ticket();
    account.stage.sandbox.person("floater").takes(ticket);
    let us = us(&account);
    let path = format!("conversations/{ticket}/parts");
    let until = account.clock_now().as_second() + 3_600;
    let (_, asleep) =
        asked(&account, "POST", &path, &json!({ "message_type": "snoozed", "admin_id": us, "snoozed_until": until }));
    assert_eq!(
        (&asleep["state"], &asleep["open"], &asleep["snoozed_until"]),
        (&json!("snoozed"), &json!(true), &json!(until))
    );
    let billing = account.stage.sandbox.with(|desk| desk.find_queue("Billing").unwrap().no);
    let move_it =
        json!({ "message_type": "assignment", "type": "team", "admin_id": us, "assignee_id": billing.to_string() });
    let (status, moved) = asked(&account, "POST", &path, &move_it);
    assert_eq!((status, &moved["state"], &moved["snoozed_until"]), (200, &json!("open"), &Value::Null));
    assert_eq!((&moved["team_assignee_id"], moved["admin_assignee_id"].is_u64()), (&json!(billing), true));
    let last = moved["conversation_parts"]["conversation_parts"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["part_type"], &last["assigned_to"]["type"]), (&json!("assign_and_reopen"), &json!("team")));
    assert_eq!(last["app_package_code"], json!("handoffd-app"), "made through the API");
}

#[test]
fn a_search_has_borders_within_pages_that_count_and_no_order_to_ask_for() {
    let account = Account::new();
    for _ in 0..3 {
        account.ticket();
        account.pass(10);
    }
    let search = |body: Value| asked(&account, "POST", "conversations/search", &body);
    let start = 1_777_881_600_i64;
    let since = |at: i64| json!({ "field": "updated_at", "operator": ">", "value": at.to_string() });
    let ids = |answer: &Value| -> Vec<String> {
        answer["conversations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let (status, all) = search(json!({ "query": since(start) }));
    assert_eq!((status, ids(&all), &all["total_count"]), (200, vec!["3".into(), "2".into(), "1".into()], &json!(3)));
    assert!(all["conversations"][0].get("conversation_parts").is_none());
    let window = json!({ "operator": "AND", "value": [since(start + 10), { "field": "updated_at", "operator": "<", "value": start + 10 }] });
    assert_eq!(ids(&search(json!({ "query": window })).1), ["2"], "the border is within");
    let (_, first) = search(json!({ "query": since(start), "pagination": { "per_page": 2 } }));
    let after = first["pages"]["next"]["starting_after"].clone();
    let (_, second) =
        search(json!({ "query": since(start), "pagination": { "per_page": 2, "starting_after": after } }));
    assert_eq!((ids(&second), second["pages"].get("next")), (vec!["1".to_owned()], None));
    for odd in [
        json!({}),
        json!({ "query": since(start), "sort": { "field": "updated_at" } }),
        json!({ "query": since(start), "pagination": { "per_page": 151 } }),
        json!({ "query": since(start), "pagination": { "starting_after": "x" } }),
        json!({ "query": { "field": "updated_at", "operator": ">", "value": "soon" } }),
        json!({ "query": { "field": "mood", "operator": "=", "value": "good" } }),
    ] {
        assert_eq!(search(odd.clone()).0, 400, "{odd}");
    }
}

#[test]
fn labels_have_ids_are_made_once_and_say_who_put_them_on() {
    let account = Account::new();
    let ticket = account.ticket();
    let us = us(&account);
    let (_, made) = asked(&account, "POST", "tags", &json!({ "name": "vip" }));
    let (_, again) = asked(&account, "POST", "tags", &json!({ "name": "vip" }));
    assert_eq!(made["id"], again["id"]);
    let path = format!("conversations/{ticket}/tags");
    let (status, put) = asked(&account, "POST", &path, &json!({ "id": made["id"], "admin_id": us }));
    assert_eq!((status, &put["applied_by"]["id"]), (200, &json!(us)));
    let path = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(asked(&account, "DELETE", &path, &json!({ "admin_id": us })).0, 200);
    let (status, gone) = asked(&account, "DELETE", &path, &json!({ "admin_id": us }));
    assert_eq!((status, code(&gone)), (404, "tag_not_found"));
    assert_eq!(asked(&account, "POST", "tags", &json!({ "name": " " })).0, 400);
    assert!(account.stage.sandbox.ticket(TicketNo(ticket.0)).unwrap().tags.is_empty());
}
