//! The sandbox's dialect as a plain client meets it: it refuses what Jira refuses, in the sheet's forms.

use crate::stage::Account;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handoffd_sandbox::people::Reach;
use handoffd_sandbox::{Answer, seed};
use http::{Request, Response};
use serde_json::{Value, json};

fn send(account: &Account, method: &str, path: &str, login: Option<&str>, body: Bytes) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(format!("https://acme.atlassian.net/rest/{path}"));
    if let Some(login) = login {
        request = request.header("authorization", login);
    }
    let request = request.header("content-type", "application/json").body(body).unwrap();
    match account.stage.sandbox.handle(request) {
        Answer::Given { response, .. } => response,
        other => panic!("{method} {path}: {other:?}"),
    }
}

fn basic(email: &str, token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{email}:{token}")))
}

fn asked(account: &Account, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let response = send(account, method, path, Some(&basic(seed::JIRA_EMAIL, seed::JIRA_TOKEN)), body);
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
}

#[test]
fn logins_rights_and_paths_are_refused_in_the_sheets_forms() {
    let account = Account::new();
    let ticket = account.ticket();
    for login in [
        None,
        Some("Basic abc".to_owned()),
        Some(basic("x@y.example", seed::JIRA_TOKEN)),
        Some(basic(seed::JIRA_EMAIL, "x")),
    ] {
        let response = send(&account, "GET", "api/3/myself", login.as_deref(), Bytes::new());
        assert_eq!(response.status(), 401, "{login:?}");
    }
    let bearer = format!("Bearer {}", seed::JIRA_TOKEN);
    assert_eq!(send(&account, "GET", "api/3/myself", Some(&bearer), Bytes::new()).status(), 200);
    for path in ["api/3/issue/999999", "api/3/issue/HELP-999999", "servicedeskapi/request/999999/sla", "api/3/nonsense"]
    {
        assert_eq!(asked(&account, "GET", path, &Value::Null).0, 404, "{path}");
    }
    account.stage.sandbox.with(|desk| {
        let bot = desk.people.values_mut().find(|person| person.login == seed::BOT).unwrap();
        bot.rights.changes = Reach::Nothing;
    });
    let edit = asked(&account, "PUT", &format!("api/3/issue/{ticket}"), &json!({ "fields": { "summary": "x" } }));
    assert!(edit.0 == 400 && edit.1["errorMessages"][0].as_str().unwrap().contains("permission"), "{edit:?}");
    let said = asked(&account, "POST", &format!("servicedeskapi/request/{ticket}/comment"), &json!({ "body": "x" }));
    assert!(said.0 == 403 && said.1["errorMessage"].is_string() && said.1["i18nErrorMessage"].is_object(), "{said:?}");
}

#[test]
fn wrong_values_are_refused_one_at_a_time_and_nothing_is_written() {
    let account = Account::new();
    let ticket = account.ticket();
    let before = account.stage.sandbox.ticket(ticket).unwrap().changes.len();
    let (steps, refund) = (format!("customfield_{}", seed::STEPS), format!("customfield_{}", seed::REFUND_EUR));
    for (body, words) in [
        (json!({ "fields": { "customfield_10050": { "value": "Nope" } } }), "Option value 'Nope' is not valid"),
        (json!({ "fields": { "status": { "name": "Closed" } } }), "not on the appropriate screen"),
        (json!({ "fields": { "customfield_1": "x" } }), "not on the appropriate screen"),
        (json!({ "fields": { "assignee": { "accountId": "557058:9" } } }), "cannot be assigned"),
        (json!({ "fields": { "priority": { "name": "P1" } } }), "priority selected is invalid"),
        (json!({ "fields": { "labels": ["a b"] } }), "contains spaces"),
        (json!({ "update": { "labels": [{ "edit": "x" }] } }), "does not support operation"),
        (json!({ "fields": { "labels": [] }, "update": { "labels": [] } }), "cannot appear in both"),
        (json!({ "fields": { steps: "plain text" } }), "Atlassian Document"),
        (json!({ "fields": { refund: "much" } }), "not of type number"),
        (json!({ "feilds": {} }), "Unrecognized field"),
    ] {
        let (status, answer) = asked(&account, "PUT", &format!("api/3/issue/{ticket}"), &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer.to_string().contains(words), "{body}: {answer}");
    }
    let odd = json!({ "transition": { "id": "999" } });
    assert_eq!(asked(&account, "POST", &format!("api/3/issue/{ticket}/transitions"), &odd).0, 400);
    assert_eq!(account.stage.sandbox.ticket(ticket).unwrap().changes.len(), before);
}

#[test]
fn a_comment_is_public_by_default_on_the_platform_and_in_the_service_desk() {
    let account = Account::new();
    let ticket = account.ticket();
    let document = json!({ "type": "doc", "version": 1, "content": [{ "type": "paragraph", "content": [{ "type": "text", "text": "x" }] }] });
    let internal = json!([{ "key": "sd.public.comment", "value": { "internal": true } }]);
    let on_platform =
        |body: Value| asked(&account, "POST", &format!("api/3/issue/{ticket}/comment"), &body).1["jsdPublic"].clone();
    assert_eq!(on_platform(json!({ "body": document })), true);
    assert_eq!(on_platform(json!({ "body": document, "properties": internal })), false);
    assert_eq!(asked(&account, "POST", &format!("api/3/issue/{ticket}/comment"), &json!({ "body": "x" })).0, 400);
    let on_desk = |body: Value| {
        asked(&account, "POST", &format!("servicedeskapi/request/{ticket}/comment"), &body).1["public"].clone()
    };
    assert_eq!(on_desk(json!({ "body": "x" })), true);
    assert_eq!(on_desk(json!({ "body": "x", "public": false })), false);
    let longest = json!({ "body": "x".repeat(32_768), "public": false });
    assert_eq!(asked(&account, "POST", &format!("servicedeskapi/request/{ticket}/comment"), &longest).0, 400);
}

#[test]
fn a_search_is_bounded_names_ids_alone_and_reads_minutes_in_the_askers_zone() {
    let account = Account::new();
    account.pass(90);
    let ticket = account.ticket();
    let search = |body: Value| asked(&account, "POST", "api/3/search/jql", &body);
    assert_eq!(search(json!({ "jql": "ORDER BY updated ASC" })).0, 400, "unbounded");
    let bare = search(json!({ "jql": "project in (\"HELP\")" })).1;
    assert_eq!((&bare["issues"][0]["id"], &bare["issues"][0]["fields"]), (&json!(ticket.to_string()), &json!({})));
    assert_eq!(bare["isLast"], true);
    // It is 08:01:30 UTC and half past the minute in Berlin, too: 10:01:30.
    for (at, found) in [("2026/05/04 10:01", 1), ("2026/05/04 10:02", 0), ("2026/05/04 08:01", 1)] {
        let jql = format!("project in (\"HELP\") AND updated >= \"{at}\" ORDER BY updated ASC");
        let (status, answer) = search(json!({ "jql": jql, "fields": ["updated"] }));
        assert_eq!((status, answer["issues"].as_array().unwrap().len()), (200, found), "{at}");
    }
    for jql in [
        "status = Open",
        "project in (HELP)",
        "project in (\"HELP\") AND updated >= \"2026-05-04T08:00:00Z\"",
        "project in (\"HELP\") ORDER BY rank ASC",
    ] {
        assert_eq!(search(json!({ "jql": jql })).0, 400, "{jql}");
    }
    assert_eq!(search(json!({ "jql": "project in (\"HELP\")", "nextPageToken": "x" })).0, 400);
}
