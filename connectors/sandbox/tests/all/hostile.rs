//! What nobody should send: the dialect refuses it, nothing changes, nothing panics, no secret shows.

use crate::common::{Account, read, request, send};
use bytes::Bytes;
use fastrand::Rng;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::seed::{self, CLIENT};
use handoffd_sandbox::zendesk::Limits;
use http::Request;
use serde_json::{Value, json};

fn account() -> Account {
    let account = Account::with_limits(Limits::WIDE);
    seed::customer_writes(&account.sandbox, "ada@premium.example", "s", "t", Update::default());
    account
}

#[test]
fn a_body_over_64_kb_is_cut_without_a_word_and_placeholders_are_expanded() {
    let account = account();
    let comment = json!({ "body": format!("{}é", "x".repeat((64 << 10) - 1)), "public": false });
    assert_eq!(account.put("/api/v2/tickets/1", &json!({ "ticket": { "comment": comment } })).0, 200);
    let comment = json!({ "body": "{{ticket.id}} {{ticket.title}} {{evil}} {{", "public": false });
    assert_eq!(account.put("/api/v2/tickets/1", &json!({ "ticket": { "comment": comment } })).0, 200);
    let ticket = account.sandbox.with(|desk| desk.tickets.values().next().unwrap().clone());
    assert_eq!(ticket.messages[1].body.text().len(), (64 << 10) - 1, "cut between characters");
    assert_eq!(ticket.messages[2].body.text(), "1 s  {{");
}

#[test]
fn wrong_pages_lists_and_cursors_are_refused() {
    let account = account();
    let many = (0..101).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for path in [
        "/api/v2/tickets?page[size]=0",
        "/api/v2/tickets?page[size]=-1",
        "/api/v2/tickets?page[after]=%00",
        "/api/v2/tickets?page=x",
        "/api/v2/tickets?page=18446744073709551615&per_page=100",
        "/api/v2/tickets?sort=colour",
        "/api/v2/tickets/show_many",
        "/api/v2/tickets/show_many?ids=a,b",
        &format!("/api/v2/users/show_many?ids={many}"),
        "/api/v2/incremental/tickets/cursor",
        "/api/v2/incremental/tickets/cursor?start_time=yesterday",
        "/api/v2/incremental/tickets/cursor?cursor=MTIz",
        "/api/v2/users/search",
    ] {
        assert_eq!(account.send("GET", path, &Value::Null).status(), 400, "{path}");
    }
    assert_eq!(account.send("GET", "/api/v2/tickets/18446744073709551616", &Value::Null).status(), 404);
}

#[test]
fn wrong_tokens_requests_and_logins_are_refused() {
    let account = account();
    let ask = |change: Value| {
        let mut body = json!({
            "grant_type": "client_credentials", "client_id": CLIENT.0, "client_secret": CLIENT.1, "scope": "read",
        });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        send(&account.sandbox, "POST", "/oauth/tokens", None, &body).status().as_u16()
    };
    assert_eq!(ask(json!({})), 200);
    assert_eq!(ask(json!({ "client_secret": "wrong" })), 401);
    assert_eq!(ask(json!({ "client_id": "nobody" })), 401);
    assert_eq!(ask(json!({ "grant_type": "password" })), 400);
    assert_eq!(ask(json!({ "expires_in": 299 })), 400);
    assert_eq!(ask(json!({ "expires_in": 172_801 })), 400);
    assert_eq!(ask(json!({ "scope": 5 })), 400);
    for login in ["", "Bearer", "Bearer ", "Basic", "Basic %%%", "Basic ////", "Token x"] {
        let response = send(&account.sandbox, "GET", "/api/v2/tickets", Some(login), &Value::Null);
        assert_eq!(response.status(), 401, "{login:?}");
    }
}

#[test]
fn bodies_that_are_no_json_are_refused() {
    let account = account();
    let login = format!("Bearer {}", account.token);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [&b""[..], b"{", b"\xff\xfe", b"null", deep.as_bytes()] {
        let mut broken = request("PUT", "/api/v2/tickets/1", Some(&login), &Value::Null);
        *broken.body_mut() = Bytes::copy_from_slice(body);
        let handoffd_sandbox::Answer::Given { response, .. } = account.sandbox.handle(broken) else { panic!() };
        assert_eq!(response.status(), 400, "{}", read(&response));
    }
    let mut untyped = request("PUT", "/api/v2/tickets/1", Some(&login), &json!({ "ticket": {} }));
    untyped.headers_mut().remove("content-type");
    let handoffd_sandbox::Answer::Given { response, .. } = account.sandbox.handle(untyped) else { panic!() };
    assert_eq!(response.status(), 400);
}

#[test]
fn random_requests_never_panic_and_tokens_never_reach_the_journal() {
    let account = account();
    let pieces = [
        "/api/v2",
        "/tickets",
        "/1",
        "/comments",
        "/tags",
        "/users",
        "/show_many",
        "/incremental/tickets/cursor",
        ".json",
        "?ids=",
        "?page[size]=",
        "&page[after]=",
        "?start_time=",
        "1",
        "-1",
        "99999999999999999999",
        "%F0%9F%93%8E",
        "&include=users,slas",
        "//",
        "?token=sandbox-secret-token",
    ];
    let values = ["null", "1", "\"x\"", "{}", "[]", "true", "1e999", "{\"tags\":[1]}", "{\"ticket\":{\"comment\":{}}}"];
    let methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"];
    let mut random = Rng::with_seed(11);
    for _ in 0..20_000 {
        let path: String = (0..random.usize(1..7)).map(|_| pieces[random.usize(..pieces.len())]).collect();
        let built = Request::builder()
            .method(methods[random.usize(..methods.len())])
            .uri(format!("https://acme.zendesk.com/{}", path.trim_start_matches('/')))
            .header("authorization", format!("Bearer {}", account.token))
            .header("content-type", "application/json")
            .body(Bytes::from(values[random.usize(..values.len())]));
        let Ok(built) = built else { continue };
        account.sandbox.handle(built);
    }
    let journal = account.sandbox.journal();
    assert!(journal.requests.len() > 5_000);
    assert!(!journal.json().unwrap().contains("sandbox-secret-token"));
    let shown = account.sandbox.with(|desk| {
        desk.add_hook("https://x.example", "hook-secret", &[], None);
        format!("{:?} {:?}", desk.access, desk.hooks)
    });
    for secret in [CLIENT.1, account.token.as_str(), "hook-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
