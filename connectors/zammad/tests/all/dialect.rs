//! The sandbox's dialect as a plain client meets it: it refuses what Zammad refuses, in the sheet's words.

use crate::stage::Account;
use bytes::Bytes;
use handoffd_sandbox::people::Reach;
use handoffd_sandbox::{Answer, seed};
use http::{Request, Response};
use serde_json::{Value, json};

fn send(account: &Account, method: &str, path: &str, login: Option<&str>, body: Bytes) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(format!("https://support.acme.example/api/v1/{path}"));
    if let Some(login) = login {
        request = request.header("authorization", login);
    }
    let request = request.header("content-type", "application/json").body(body).unwrap();
    match account.stage.sandbox.handle(request) {
        Answer::Given { response, .. } => response,
        other => panic!("{method} {path}: {other:?}"),
    }
}

fn asked(account: &Account, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let response = send(account, method, path, Some(&format!("Token token={}", seed::ZAMMAD_TOKEN)), body);
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
}

#[test]
fn logins_rights_and_paths_are_refused_as_in_the_sheet() {
    let account = Account::new();
    let ticket = account.ticket();
    for (login, status, words) in [
        (None, 403, "Authentication required"),
        (Some("Basic abc"), 403, "Authentication required"),
        (Some("Token token=wrong"), 401, "Invalid token!"),
    ] {
        let response = send(&account, "GET", "users/me", login, Bytes::new());
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((response.status().as_u16(), &body["error"]), (status, &json!(words)));
    }
    let (status, body) = asked(&account, "GET", "tickets/999999", &Value::Null);
    assert_eq!((status, body["error"].as_str()), (404, Some("Couldn't find Ticket with 'id'=999999")));
    for path in ["nonsense", "tickets/x", "users/9999"] {
        assert_eq!(asked(&account, "GET", path, &Value::Null).0, 404, "{path}");
    }
    account.stage.sandbox.with(|desk| {
        desk.people.values_mut().filter(|person| person.login == seed::BOT).for_each(|bot| {
            (bot.rights.changes, bot.rights.admin) = (Reach::Nothing, false);
        });
    });
    let unchanged = asked(&account, "PUT", &format!("tickets/{ticket}"), &json!({ "state": "nope" }));
    assert_eq!(
        unchanged,
        (403, json!({ "error": "Not authorized", "error_human": "Not authorized" })),
        "before any name"
    );
    assert_eq!(asked(&account, "GET", "groups", &Value::Null).0, 403);
    assert_eq!(asked(&account, "GET", &format!("tickets/{ticket}"), &Value::Null).0, 200);
}

#[test]
fn wrong_values_are_refused_one_at_a_time_and_nothing_is_written() {
    let account = Account::new();
    let ticket = account.ticket();
    let path = format!("tickets/{ticket}");
    let before = account.stage.sandbox.ticket(ticket).unwrap().changes.len();
    for (body, words) in [
        (json!({ "group": "Nope" }), "No lookup value found for 'group': \"Nope\""),
        (json!({ "group_id": "x" }), "group_id"),
        (json!({ "owner": "nobody@acme.example" }), "No lookup value found for 'owner'"),
        (json!({ "owner_id": 999_999 }), "owner_id"),
        (json!({ "state": "nope" }), "No lookup value found for 'state': \"nope\""),
        (json!({ "state": "removed" }), "No lookup value found for 'state'"),
        (json!({ "state": "pending reminder" }), "pending_time"),
        (json!({ "priority_id": 9 }), "No lookup value found for 'priority_id'"),
        (json!({ "refund_eur": "12" }), "refund_eur"),
        (json!({ "grup": "Billing" }), "unknown attribute 'grup'"),
        (json!({ "group": "Billing", "article": { "type": "note" } }), "article body"),
        (json!({ "article": "x" }), "article"),
    ] {
        let (status, answer) = asked(&account, "PUT", &path, &body);
        assert_eq!(status, 422, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(words), "{body}: {answer}");
    }
    assert_eq!(account.stage.sandbox.ticket(ticket).unwrap().changes.len(), before, "one transaction: all or nothing");
    let not_json =
        send(&account, "PUT", &path, Some(&format!("Token token={}", seed::ZAMMAD_TOKEN)), Bytes::from_static(b"{["));
    assert_eq!(not_json.status(), 400);
}

#[test]
fn articles_are_public_unless_they_say_otherwise_and_a_mail_always_is() {
    let account = Account::new();
    let ticket = account.ticket();
    let add = |mut article: Value| {
        article["ticket_id"] = json!(ticket);
        asked(&account, "POST", "ticket_articles", &article)
    };
    let (status, note) = add(json!({ "body": "x", "type": "note", "internal": true }));
    assert_eq!(
        (status, &note["internal"], &note["content_type"], &note["sender"]),
        (201, &json!(true), &json!("text/plain"), &json!("Agent"))
    );
    assert_eq!(add(json!({ "body": "x" })).1["internal"], json!(false));
    let mail = add(json!({ "body": "x", "type": "email", "to": "c@acme.example", "internal": true }));
    assert_eq!((mail.0, &mail.1["internal"]), (201, &json!(false)), "sent all the same");
    for odd in [
        json!({ "body": " " }),
        json!({ "body": "x", "type": "email" }),
        json!({ "body": "x", "type": "fax" }),
        json!({ "body": "x", "internal": "yes" }),
        json!({ "body": "x", "private": true }),
        json!({ "body": "x", "content_type": "text/rtf" }),
    ] {
        assert_eq!(add(odd.clone()).0, 422, "{odd}");
    }
    assert_eq!(asked(&account, "POST", "ticket_articles", &json!({ "ticket_id": 999_999, "body": "x" })).0, 404);
}

#[test]
fn a_search_asks_the_database_in_two_shapes_and_knows_its_limits() {
    let account = Account::new();
    for _ in 0..3 {
        account.ticket();
    }
    let search = |body: Value| asked(&account, "POST", "tickets/search", &body);
    let after = json!({ "ticket.updated_at": { "operator": "after (absolute)", "value": "2026-05-04T00:00:00.000Z" } });
    let ids = |(status, answer): (u16, Value)| {
        assert_eq!(status, 200, "{answer}");
        answer.as_array().unwrap().iter().map(|ticket| ticket["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let all = json!({ "condition": after, "sort_by": "updated_at", "order_by": "asc", "expand": true });
    assert_eq!(ids(search(all.clone())), [1, 2, 3]);
    let mut second = all.clone();
    (second["per_page"], second["page"]) = (json!(2), json!(2));
    assert_eq!(ids(search(second)), [3]);
    let (_, older) = search(json!({ "condition": after, "order_by": "asc" }));
    assert_eq!((&older["tickets"], &older["assets"]["Ticket"]["2"]["id"]), (&json!([1, 2, 3]), &json!(2)));
    let late = json!({ "ticket.updated_at": { "operator": "after (absolute)", "value": "2026-05-04T08:00:00.000Z" } });
    assert_eq!(ids(search(json!({ "condition": late, "expand": true }))), [0; 0], "after is strict here");
    for odd in [
        json!({ "condition": { "ticket.updated_at": { "operator": "since", "value": "x" } } }),
        json!({ "condition": { "ticket.updated_at": { "operator": "after (absolute)", "value": "soon" } } }),
        json!({ "condition": [] }),
        json!({ "sort_by": "magic" }),
        json!({ "order_by": "up" }),
        json!({ "page": 0 }),
        json!({ "per_page": -1 }),
        json!({ "querry": "x" }),
    ] {
        assert_eq!(search(odd.clone()).0, 422, "{odd}");
    }
}

#[test]
fn labels_come_and_go_one_by_one_and_do_not_move_the_last_change() {
    let account = Account::new();
    let ticket = account.ticket();
    let shown = || asked(&account, "GET", &format!("tickets/{ticket}"), &Value::Null).1["updated_at"].clone();
    let before = shown();
    account.pass(5);
    let tag = |method: &str, path: &str, item: &str| {
        asked(&account, method, path, &json!({ "item": item, "object": "Ticket", "o_id": ticket })).0
    };
    assert_eq!(
        (tag("POST", "tags/add", "vip"), tag("POST", "tags/add", "vip"), tag("POST", "tags/add", "old")),
        (200, 200, 200)
    );
    assert_eq!((tag("DELETE", "tags/remove", "old"), tag("DELETE", "tags/remove", "never")), (200, 200));
    let listed = asked(&account, "GET", &format!("tags?object=Ticket&o_id={ticket}"), &Value::Null);
    assert_eq!((listed, shown()), ((200, json!({ "tags": ["vip"] })), before));
    assert_eq!(tag("POST", "tags/add", " "), 422);
    assert_eq!(asked(&account, "GET", "tags?object=User&o_id=1", &Value::Null).0, 422);
}
