//! What nobody should send to Request Tracker's dialect: it is refused or ignored, and nothing panics.

use crate::rt_common::{Desk, read};
use bytes::Bytes;
use fastrand::Rng;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::seed::{self, RT_TOKEN};
use http::Request;
use serde_json::{Value, json};

fn desk() -> Desk {
    let desk = Desk::new();
    seed::customer_writes(&desk.sandbox, "ada@premium.example", "s", "t", Update::default());
    desk
}

#[test]
fn what_looks_like_a_date_or_a_number_and_is_none_does_what_rt_does() {
    let desk = desk();
    let set = |body: &Value| desk.put("/ticket/1", body).1;
    set(&json!({ "Priority": 80 }));
    assert_eq!(set(&json!({ "Priority": "abc" })), json!(["Ticket 1: Priority changed from 'Medium' to 'Low'"]));
    let due = json!(["Ticket 1: Due changed from Not set to Tue Nov 24 10:00:00 2026"]);
    assert_eq!(set(&json!({ "Due": "2026-11-24T10:00:00Z" })), due);
    assert_eq!(desk.get("/ticket/1")["Due"], "1970-01-01T00:00:00Z", "it only said so");
    assert_eq!(set(&json!({ "Due": "2026-11-24 10:00:00" })), due);
    assert_eq!(desk.get("/ticket/1")["Due"], "2026-11-24T10:00:00Z");
    assert_eq!(set(&json!({ "SLA": "nope" })), json!(["Ticket 1: SLA changed from '' to 'nope'"]));
    assert_eq!(
        (&desk.get("/ticket/1")["Due"], &desk.get("/ticket/1")["SLA"]),
        (&json!("1970-01-01T00:00:00Z"), &json!("nope"))
    );
    for odd in
        [json!({ "Queue": {} }), json!({ "Owner": [] }), json!({ "CustomFields": [] }), json!({ "Priority": null })]
    {
        assert_eq!(desk.put("/ticket/1", &odd).0, 200, "{odd}");
    }
    let ticket = desk.sandbox.with(|desk| desk.tickets.values().next().unwrap().clone());
    assert_eq!((ticket.queue, ticket.owner), (None, None));
}

#[test]
fn bodies_that_are_no_json_are_refused() {
    let desk = desk();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let login = format!("token {RT_TOKEN}");
    let headers = [("authorization", login.as_str()), ("content-type", "application/json")];
    for body in [&b""[..], b"{", b"\xff\xfe", b"null", deep.as_bytes()] {
        let put = desk.raw("PUT", "/ticket/1", Bytes::copy_from_slice(body), &headers);
        assert_eq!(put.status(), 400, "{}", read(&put));
        let post = desk.raw("POST", "/ticket/1/comment", Bytes::copy_from_slice(body), &headers);
        assert!([400, 500].contains(&post.status().as_u16()), "{}", read(&post));
    }
    assert_eq!(desk.sandbox.with(|desk| desk.tickets.values().next().unwrap().changes.len()), 1);
}

#[test]
fn more_labels_than_a_change_has_room_for_leave_the_first_hundred_in_the_history() {
    let desk = desk();
    let labels: Vec<String> = (0..250).map(|n| n.to_string()).collect();
    desk.put("/ticket/1", &json!({ "CustomFields": { "labels": labels } }));
    assert_eq!(desk.sandbox.with(|desk| desk.tickets.values().next().unwrap().tags.len()), 250);
    let query = r#"[{"field":"Type","value":"CustomField"}]"#;
    assert_eq!(desk.get(&format!("/ticket/1/history?query={query}&per_page=100"))["count"], 100);
    assert_eq!(desk.get(&format!("/ticket/1/history?query={query}&per_page=100&page=2"))["count"], 0);
}

#[test]
fn random_requests_never_panic() {
    let desk = desk();
    let pieces = [
        "/REST/2.0",
        "/ticket",
        "/1",
        "/history",
        "/tickets",
        "/transactions",
        "/attachments",
        "/user/",
        "%2F",
        "/take",
        "/comment",
        "?query=",
        "id > 1",
        " AND (",
        "'CF.{x}'",
        " LIKE 'a'",
        "[{\"field\":\"id\",\"value\":1}]",
        "&fields=Subject,Queue,Owner",
        "&fields[Queue]=id,Name,_hyperlinks",
        "&per_page=",
        "&page=",
        "18446744073709551615",
        "-1",
        "&orderby=id&order=DESC",
        "é",
        "\\",
    ];
    let values = ["", "null", "1", "\"x\"", "{}", "[]", "1e999", "{\"Owner\":1e9}", "[{\"field\":\"id\"}]"];
    let methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"];
    let mut random = Rng::with_seed(11);
    let mut answered = 0;
    for _ in 0..20_000 {
        let path: String = (0..random.usize(1..9)).map(|_| pieces[random.usize(..pieces.len())]).collect();
        let Ok(address) = url::Url::parse(&format!("https://rt.acme.example/REST/2.0{path}")) else { continue };
        let built = Request::builder()
            .method(methods[random.usize(..methods.len())])
            .uri(address.as_str())
            .header("authorization", format!("token {RT_TOKEN}"))
            .header("content-type", "application/json")
            .body(Bytes::from(values[random.usize(..values.len())]));
        let Ok(built) = built else { continue };
        desk.sandbox.handle(built);
        answered += 1;
    }
    assert!(answered > 10_000, "{answered}");
}
