//! The web face of a house: its routers asked directly, and over loopback sockets where connections matter.

use crate::daemon::testing::{Stage, TOKEN, asking, sending};
use crate::web::{HOOKS_AT_ONCE, bind, hooks, pages, serve};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use handoffd_kit::clock::Clock;
use handoffd_kit::id::TicketId;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

const MAX: usize = 1_000_000;

async fn ask(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let response = TowerToHyperService::new(router.clone()).call(request).await.expect("infallible");
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

async fn get(router: &Router, path: &str) -> (StatusCode, String) {
    ask(router, Request::get(path).body(Body::empty()).expect("request")).await
}

async fn post(router: &Router, path: &str, body: impl Into<Body>) -> StatusCode {
    let (status, told) = ask(router, Request::post(path).body(body.into()).expect("request")).await;
    let plain =
        ["ok\n", "not found\n", "refused\n", "not readable\n", "too large\n", "too slow\n", "try again later\n"];
    assert!(plain.contains(&told.as_str()) || told.is_empty(), "an answer tells nothing of the inside: {told}");
    status
}

fn hook(id: &str) -> String {
    json!({ "id": id, "ticket": "42" }).to_string()
}

fn right() -> String {
    format!("/hooks/acme/{TOKEN}")
}

struct Hall {
    stage: Stage,
    hooks: Router,
    pages: Router,
}

fn hall(policy: crate::policy::rules::Policy) -> Hall {
    let stage = Stage::new(policy);
    let web = stage.house.web(MAX);
    Hall { stage, hooks: hooks(web.clone()), pages: pages(web) }
}

impl Hall {
    /// How many webhooks were counted under this answer.
    async fn counted(&self, desk: &str, answer: &str) -> u32 {
        let (_, text) = get(&self.pages, "/metrics").await;
        let name = format!("handoffd_webhooks_total{{desk=\"{desk}\",answer=\"{answer}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().expect("a count"))
    }

    async fn health(&self) -> Value {
        let (status, text) = get(&self.pages, "/healthz").await;
        assert_eq!(status, StatusCode::OK, "always");
        serde_json::from_str(&text).expect("JSON")
    }

    async fn looks(&self) -> Vec<TicketId> {
        let looks = |ledger: &mut crate::ledger::Ledger| {
            ledger.due_looks(jiff::Timestamp::MAX, 100, &crate::ledger::records::Busy::default())
        };
        self.stage.house.ledger.call(looks).await.expect("looks").into_iter().map(|look| look.ticket).collect()
    }
}

#[tokio::test]
async fn a_webhook_is_stored_before_its_answer_and_a_known_one_does_nothing() {
    let hall = hall(sending());
    assert_eq!(post(&hall.hooks, &right(), hook("d1")).await, StatusCode::OK);
    assert_eq!(hall.looks().await, [TicketId::from("42")]);
    assert_eq!(post(&hall.hooks, &right(), hook("d1")).await, StatusCode::OK);
    assert_eq!((hall.counted("acme", "stored").await, hall.counted("acme", "known").await), (1, 1));
    hall.stage.house.wake.called().await;
}

#[tokio::test]
async fn a_hook_that_says_the_same_at_every_change_is_looked_at_every_time() {
    let hall = hall(sending());
    for body in [r#"{"ticket":"42"}"#.to_owned(), r#"{"ticket":"42"}"#.to_owned()] {
        assert_eq!(post(&hall.hooks, &right(), body).await, StatusCode::OK);
        hall.stage.clock.advance(SignedDuration::from_secs(2));
        assert_eq!(hall.looks().await.len(), 1);
        hall.stage.run().await;
    }
    assert_eq!(hall.counted("acme", "stored").await, 2);
}

#[tokio::test]
async fn a_webhook_leads_to_the_handoff() {
    let hall = hall(sending());
    post(&hall.hooks, &right(), hook("d1")).await;
    hall.stage.clock.advance(SignedDuration::from_secs(2));
    hall.stage.run().await;
    assert_eq!(hall.stage.desk.ticket().written.len(), 1);
}

#[tokio::test]
async fn what_is_not_for_us_is_taken_and_does_nothing() {
    let hall = hall(sending());
    assert_eq!(post(&hall.hooks, &right(), "{}").await, StatusCode::OK);
    assert_eq!(hall.counted("acme", "nothing").await, 1);
    assert!(hall.looks().await.is_empty());
}

#[tokio::test]
async fn every_refusal_has_its_status_and_is_counted_under_its_reason() {
    let hall = hall(sending());
    for (path, body, status, reason) in [
        ("/hooks/acme", hook("d1"), StatusCode::UNAUTHORIZED, "unsigned"),
        ("/hooks/acme/wrong", hook("d1"), StatusCode::UNAUTHORIZED, "forged"),
        (right().as_str(), "{ broken".to_owned(), StatusCode::BAD_REQUEST, "malformed"),
        (right().as_str(), String::new(), StatusCode::BAD_REQUEST, "malformed"),
        (right().as_str(), "x".repeat(MAX + 1), StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
    ] {
        let before = hall.counted("acme", reason).await;
        assert_eq!(post(&hall.hooks, path, body).await, status, "{reason}");
        assert_eq!(hall.counted("acme", reason).await, before + 1, "{reason}");
    }
    assert!(hall.looks().await.is_empty());
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read_and_an_announced_larger_one_is_not() {
    let hall = hall(sending());
    let filler = MAX - hook("").len() - r#","f":"""#.len();
    let body = format!(r#"{},"f":"{}"}}"#, hook("").trim_end_matches('}'), "x".repeat(filler));
    assert_eq!(body.len(), MAX);
    assert_eq!(post(&hall.hooks, &right(), body).await, StatusCode::OK);
    let announced = Request::post(right()).header(header::CONTENT_LENGTH, MAX + 1);
    let endless = Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let (status, _) = ask(&hall.hooks, announced.body(endless).expect("request")).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "without waiting for it");
}

#[tokio::test]
async fn unknown_desks_are_not_found_and_never_become_labels() {
    let hall = hall(sending());
    for path in ["/hooks/other", "/hooks/other/token", "/hooks/%00", "/hooks/acme%2F..", "/hooks/\u{e4}"] {
        let path = path.replace('\u{e4}', "%C3%A4");
        assert_eq!(post(&hall.hooks, &path, hook("d1")).await, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(hall.counted("unknown", "unknown_desk").await, 5);
    let (_, text) = get(&hall.pages, "/metrics").await;
    assert!(!text.contains("other"));
}

#[tokio::test]
async fn only_posts_to_hooks_are_taken_and_nothing_else_is_served_there() {
    let hall = hall(sending());
    assert_eq!(get(&hall.hooks, &right()).await.0, StatusCode::METHOD_NOT_ALLOWED);
    // Intercom may try an address with HEAD before it takes it; a desk that is not there answers alike.
    for path in [right().as_str(), "/hooks/acme", "/hooks/other"] {
        let (status, body) = ask(&hall.hooks, Request::head(path).body(Body::empty()).expect("request")).await;
        assert_eq!((status, body.is_empty()), (StatusCode::OK, true), "{path}");
    }
    for path in ["/", "/hooks", "/hooks/acme/a/b", "/healthz", "/metrics", "/readyz", "/command"] {
        assert_eq!(get(&hall.hooks, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(post(&hall.pages, &right(), hook("d1")).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_method_is_told_which_one_is_taken() {
    let hall = hall(sending());
    for (router, method, path, takes) in [
        (&hall.hooks, "GET", right().as_str(), "POST,HEAD"),
        (&hall.hooks, "DELETE", "/hooks/acme", "POST,HEAD"),
        (&hall.pages, "POST", "/healthz", "GET,HEAD"),
        (&hall.pages, "PUT", "/readyz", "GET,HEAD"),
        (&hall.pages, "POST", "/metrics", "GET,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("request");
        let response = TowerToHyperService::new(router.clone()).call(request).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(response.headers()[header::ALLOW], takes, "{method} {path}");
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        let told: Value = serde_json::from_slice(&body).expect("JSON");
        let words = format!("this path takes no {method}: send it by one of the methods that the header allow names");
        assert_eq!(told, json!({ "error": "wrong_method", "words": words }));
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let hall = hall(sending());
    let clock = hall.stage.clock.clone();
    let never = Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let path = right();
    let asked = post(&hall.hooks, &path, never);
    let later = async {
        while clock.next_wait().is_none() {
            tokio::task::yield_now().await;
        }
        clock.advance(SignedDuration::from_secs(11));
    };
    let (status, ()) = tokio::join!(asked, later);
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    assert_eq!(hall.counted("acme", "slow").await, 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let hall = hall(sending());
    let broken = futures::stream::iter([Ok(bytes::Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))]);
    assert_eq!(post(&hall.hooks, &right(), Body::from_stream(broken)).await, StatusCode::BAD_REQUEST);
    assert_eq!(hall.counted("acme", "broken").await, 1);
}

#[tokio::test]
async fn too_many_at_once_are_told_to_come_again() {
    let stage = Stage::new(sending());
    let web = stage.house.web(MAX);
    let taken = web.room.clone().acquire_many_owned(HOOKS_AT_ONCE as u32).await.expect("room");
    let hall = Hall { stage, hooks: hooks(web.clone()), pages: pages(web) };
    let request = Request::post(right()).body(Body::from(hook("d1"))).expect("request");
    let response = TowerToHyperService::new(hall.hooks.clone()).call(request).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(hall.counted("acme", "shed").await, 1);
    drop(taken);
    assert_eq!(post(&hall.hooks, &right(), hook("d1")).await, StatusCode::OK, "the same delivery, sent again");
}

#[tokio::test]
async fn a_webhook_that_cannot_be_stored_is_not_taken() {
    let stage = Stage::without_ledger(sending()).await;
    let web = stage.house.web(MAX);
    let hall = Hall { stage, hooks: hooks(web.clone()), pages: pages(web) };
    assert_eq!(post(&hall.hooks, &right(), hook("d1")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&hall.pages, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(hall.health().await["status"], "failing");
    let (status, text) = get(&hall.pages, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("handoffd_ledger_up 0"));
    assert!(text.contains("answer=\"not_stored\"} 1"));
}

#[tokio::test]
async fn health_names_what_waits_for_a_person_with_its_next_step() {
    let hall = hall(sending());
    assert_eq!(hall.health().await, json!({ "status": "ok", "reasons": [] }));
    assert_eq!(get(&hall.pages, "/readyz").await.0, StatusCode::OK);
    hall.stage.park().await;
    let health = hall.health().await;
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["reasons"][0]["desk"], "acme");
    assert_eq!(health["reasons"][0]["rule"], "refund");
    assert_eq!(health["reasons"][0]["next_step"], "handoffd parked list");
}

#[tokio::test]
async fn a_silent_desk_degrades_and_a_review_is_only_said() {
    let hall = hall(asking());
    hall.stage.look().await;
    let health = hall.health().await;
    assert_eq!((&health["status"], &health["reasons"][0]["level"]), (&json!("ok"), &json!("ok")));
    hall.stage.desk.ticket().silent = true;
    hall.stage.look().await;
    assert_eq!(hall.health().await["status"], "degraded");
}

#[tokio::test]
async fn a_login_that_is_refused_to_the_poll_is_failing_until_it_is_repaired() {
    let stage = Stage::polled(sending());
    let hall = Hall { hooks: hooks(stage.house.web(MAX)), pages: pages(stage.house.web(MAX)), stage };
    hall.stage.desk.ticket().stranger = true;
    hall.stage.run().await;
    let health = hall.health().await;
    assert_eq!((&health["status"], &health["reasons"][0]["desk"]), (&json!("failing"), &json!("acme")), "{health}");
    hall.stage.desk.ticket().stranger = false;
    hall.stage.run().await;
    assert_eq!(hall.health().await["status"], "ok", "housekeeping has tried again");
}

#[tokio::test]
async fn a_desk_that_is_never_read_is_late_from_the_start_on() {
    let stage = Stage::polled(sending());
    let hall = Hall { hooks: hooks(stage.house.web(MAX)), pages: pages(stage.house.web(MAX)), stage };
    hall.stage.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(hall.health().await["status"], "ok");
    hall.stage.clock.advance(SignedDuration::from_secs(600));
    assert_eq!(hall.health().await["status"], "degraded");
    hall.stage.run().await;
    assert_eq!(hall.health().await["status"], "ok");
}

#[tokio::test]
async fn metrics_are_well_formed_and_carry_the_standing_figures() {
    let hall = hall(sending());
    hall.stage.look().await;
    let (_, text) = get(&hall.pages, "/metrics").await;
    assert!(text.ends_with("# EOF\n"));
    for line in [
        "handoffd_ledger_up 1.0",
        "handoffd_effects{state=\"done\"} 1.0",
        "handoffd_handoffs{state=\"verifying\",rule=\"refund\"} 1.0",
        "handoffd_reviews_open 0.0",
    ] {
        assert!(text.lines().any(|there| there == line), "{line}\n{text}");
    }
    let mut names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "each name once");
}

/// The operations page has every metric that there is, and no other.
#[tokio::test]
async fn every_metric_is_documented_and_every_documented_one_is_given() {
    let hall = hall(sending());
    hall.stage.look().await;
    hall.stage.house.reloads.loaded(hall.stage.clock.now());
    assert_eq!(post(&hall.hooks, &right(), hook("1")).await, StatusCode::OK);
    let (_, text) = get(&hall.pages, "/metrics").await;
    let named = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        Some(if kind == "counter" { format!("{name}_total") } else { name.to_owned() })
    };
    let given: BTreeSet<String> = text.lines().filter_map(named).collect();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATIONS.md")).expect("the page");
    let (_, table) = page.split_once("\n## Metrics\n").expect("a section on metrics");
    let rows = table.split("\n## ").next().expect("its text").lines().filter_map(|line| line.strip_prefix("| "));
    let first = rows.filter_map(|row| row.split(" | ").next());
    let documented: BTreeSet<String> = first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| name.starts_with("handoffd_"))
        .map(str::to_owned)
        .collect();
    let unknown: Vec<&String> = given.difference(&documented).collect();
    assert!(unknown.is_empty(), "these are given and stand in no document: {unknown:?}");
    // A family without a row is not given: that there is one is told by the code that registers it.
    let code = [include_str!("../web/metrics.rs"), include_str!("../web/transfers.rs")].concat();
    let registered = |name: &str| {
        let name = name.trim_start_matches("handoffd_");
        [name, name.trim_end_matches("_total")].iter().any(|name| code.contains(&format!("\"{name}\"")))
    };
    let gone: Vec<&String> = documented.iter().filter(|name| !registered(name)).collect();
    assert!(gone.is_empty() && documented.len() > 30, "these are documented and given by nothing: {gone:?}");
}

#[tokio::test]
async fn conditions_that_cannot_be_told_are_counted_by_rule() {
    let hall = hall(sending());
    hall.stage.desk.ticket().head.tags = handoffd_kit::fact::Fact::Unknown;
    hall.stage.look().await;
    assert!(hall.stage.desk.ticket().written.is_empty());
    let (_, text) = get(&hall.pages, "/metrics").await;
    assert!(text.contains("handoffd_unknown_conditions_total{rule=\"refund\"} 1\n"), "{text}");
}

#[tokio::test]
async fn the_calls_of_each_desk_are_counted() {
    let hall = hall(sending());
    let (_, text) = get(&hall.pages, "/metrics").await;
    for line in [
        "handoffd_desk_calls_total{desk=\"acme\",endpoint=\"tickets\",class=\"read\"} 3",
        "handoffd_desk_refusals_total{desk=\"acme\"} 1",
        "handoffd_desk_calls_waiting{desk=\"acme\"} 2.0",
    ] {
        assert!(text.lines().any(|there| there == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn what_is_served_on_listen_is_for_this_machine_alone() {
    let error = bind("0.0.0.0:0".parse().expect("address"), false).await.expect_err("refused");
    assert!(error.to_string().contains("hooks"), "{error}");
    assert!(bind("0.0.0.0:0".parse().expect("address"), true).await.is_ok());
    let taken = bind("127.0.0.1:0".parse().expect("address"), false).await.expect("free");
    let address = taken.local_addr().expect("address");
    assert!(bind(address, false).await.expect_err("in use").to_string().contains(&address.to_string()));
}

#[tokio::test]
async fn a_server_answers_over_a_socket_and_stops_when_told_with_idle_connections_open() {
    let hall = hall(sending());
    let listener = bind("127.0.0.1:0".parse().expect("address"), false).await.expect("bound");
    let address = listener.local_addr().expect("address");
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, hall.hooks.clone().merge(hall.pages.clone()), stop.clone()));
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.expect("answered");
    assert_eq!(answer, b"HTTP/1.1 200");
    let _idle = TcpStream::connect(address).await.expect("connected");
    stop.cancel();
    server.await.expect("no panic").expect("served");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn garbage_and_endless_heads_are_answered_and_closed() {
    let hall = hall(sending());
    let listener = bind("127.0.0.1:0".parse().expect("address"), false).await.expect("bound");
    let address = listener.local_addr().expect("address");
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, hall.pages.clone(), stop.clone()));
    let endless = format!("GET / HTTP/1.1\r\n{}", "x-filler: yes\r\n".repeat(10_000));
    for head in ["\u{16}\u{3}\u{1} not http\r\n\r\n", "GET\r\n\r\n", &endless] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        // The server may close before it has read everything.
        drop(stream.write_all(head.as_bytes()).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    stop.cancel();
    server.await.expect("no panic").expect("served");
}
