//! The tenant is strict: what the vendor refuses it refuses, and of what the vendor would only ignore it complains.

use super::faults::{Does, Fault};
use super::{AGENTS, BILLING, CLIENT, Edits, REFUND_EUR, Reply, SECRET, SUPPORT, Tenant};
use crate::cast;
use bytes::Bytes;
use fastrand::Rng;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

struct Bench {
    tenant: Tenant,
    ticket: i64,
    token: String,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let now: Timestamp = "2026-05-04T07:00:00Z".parse().expect("an instant");
        let mut tenant = Tenant::new();
        let opened = now - jiff::SignedDuration::from_hours(72);
        let ticket = cast::open(&mut tenant, &mut Rng::with_seed(1), SUPPORT, opened);
        let mut bench = Self { tenant, ticket, token: String::new(), now };
        bench.token = bench.log_in("read tickets:write");
        bench
    }

    fn log_in(&mut self, scope: &str) -> String {
        let body =
            json!({ "grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": scope });
        let (status, answer) = self.send("POST", "/oauth/tokens", Some(body), None);
        assert_eq!(status, 200);
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    fn send(&mut self, method: &str, path: &str, body: Option<Value>, token: Option<&str>) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(format!("http://tenant.example{path}"));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.map_or(Bytes::new(), |body| Bytes::from(body.to_string()))).expect("a request");
        let Reply::Answer(response) = self.tenant.answer(&request, self.now) else { return (0, Value::Null) };
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    fn get(&mut self, path: &str) -> (u16, Value) {
        let token = self.token.clone();
        self.send("GET", path, None, Some(&token))
    }

    fn put(&mut self, ticket: Value) -> u16 {
        let (token, path) = (self.token.clone(), format!("/api/v2/tickets/{}", self.ticket));
        self.send("PUT", &path, Some(json!({ "ticket": ticket })), Some(&token)).0
    }

    fn stamp(&self) -> String {
        super::ticket::stamp(self.tenant.tickets[&self.ticket].updated_at)
    }

    /// A good update, with some of its keys replaced or taken out.
    fn update(&mut self, other: Value) -> u16 {
        let mut ticket = json!({
            "group_id": BILLING, "comment": { "html_body": "<p>Note</p>", "public": false },
            "metadata": { "handoffd": "h/1" }, "safe_update": true, "updated_stamp": self.stamp(),
        });
        for (key, value) in other.as_object().expect("an object") {
            match value {
                Value::String(word) if word == "-" => drop(ticket.as_object_mut().expect("an object").remove(key)),
                value => ticket[key] = value.clone(),
            }
        }
        self.put(ticket)
    }
}

#[test]
fn a_good_update_is_done_and_shown_with_its_audit() {
    let mut bench = Bench::new();
    assert_eq!(bench.update(json!({})), 200);
    let path = format!("/api/v2/tickets/{}/audits?page[size]=100", bench.ticket);
    let (_, audits) = bench.get(&path.replace('[', "%5B").replace(']', "%5D"));
    let last = audits["audits"].as_array().and_then(|audits| audits.last()).expect("an audit");
    assert_eq!(last["metadata"]["custom"]["handoffd"], "h/1");
    assert_eq!(bench.tenant.tickets[&bench.ticket].group, Some(BILLING));
    assert!(bench.tenant.journal.complaints.is_empty(), "{:?}", bench.tenant.journal.complaints);
    assert_eq!(bench.tenant.events.len(), 1, "and posted");
}

#[test]
fn updates_that_the_vendor_does_not_document_are_refused_and_complained_of() {
    for other in [
        json!({ "safe_update": "-" }),
        json!({ "updated_stamp": "-" }),
        json!({ "safe_update": false }),
        json!({ "updated_stamp": 7 }),
        json!({ "group": BILLING }),
        json!({ "group_id": "360002" }),
        json!({ "assignee_id": "8001" }),
        json!({ "priority": "very high" }),
        json!({ "status": "closed" }),
        json!({ "metadata": "h/1" }),
        json!({ "comment": { "html_body": "<p>Note</p>" } }),
        json!({ "comment": { "html_body": "", "public": false } }),
        json!({ "comment": { "html_body": "{{ticket.id}}", "public": false } }),
        json!({ "comment": { "html_body": "x", "public": false, "colour": "red" } }),
        json!({ "custom_fields": [{ "id": 1, "value": "x" }] }),
        json!({ "custom_fields": [{ "id": REFUND_EUR, "value": 7 }] }),
    ] {
        let mut bench = Bench::new();
        assert_eq!(bench.update(other.clone()), 400, "{other}");
        assert_eq!(bench.tenant.journal.complaints.len(), 1, "{other}");
        assert!(bench.tenant.journal.writes.is_empty());
    }
}

#[test]
fn good_requests_are_refused_where_the_vendor_refuses_them() {
    for (other, status) in [
        (json!({ "updated_stamp": "1970-01-01T00:00:00Z" }), 409),
        (json!({ "group_id": 7 }), 422),
        (json!({ "assignee_id": AGENTS[0] }), 422),
    ] {
        let mut bench = Bench::new();
        assert_eq!(bench.update(other.clone()), status, "{other}");
        assert!(bench.tenant.journal.complaints.is_empty() && bench.tenant.journal.writes.is_empty());
    }
    let mut bench = Bench::new();
    bench.tenant.tickets.get_mut(&bench.ticket).expect("there").status = "closed";
    assert_eq!(bench.update(json!({})), 422);
    bench.ticket = 7;
    let (token, body) =
        (bench.token.clone(), json!({ "ticket": { "safe_update": true, "updated_stamp": "2026-05-04T07:00:00Z" } }));
    assert_eq!(bench.send("PUT", "/api/v2/tickets/7", Some(body), Some(&token)).0, 404);
}

#[test]
fn logins_scopes_and_unknown_parameters_are_refused() {
    let mut bench = Bench::new();
    let path = format!("/api/v2/tickets/{}", bench.ticket);
    assert_eq!(bench.send("GET", &path, None, None).0, 401);
    assert_eq!(bench.send("GET", &path, None, Some("forged")).0, 401);
    let (status, nobody) = bench.send("GET", "/api/v2/users/me", None, None);
    assert_eq!((status, &nobody["user"]["id"]), (200, &Value::Null), "the vendor's trap");
    let narrow = bench.log_in("tickets:read");
    assert_eq!(bench.send("GET", &path, None, Some(&narrow)).0, 200);
    assert_eq!(bench.send("GET", &format!("{path}/audits"), None, Some(&narrow)).0, 403);
    let misspelt = bench.log_in("ticket:read");
    assert_eq!(bench.send("GET", &path, None, Some(&misspelt)).0, 403);
    assert_eq!(bench.get(&format!("{path}?colour=red")).0, 400);
    assert_eq!(bench.get("/api/v2/tickets/new").0, 404);
    assert_eq!(bench.tenant.journal.complaints.len(), 2);
    bench.now += jiff::SignedDuration::from_hours(1);
    assert_eq!(bench.get(&path).0, 401, "the token has run out");
}

#[test]
fn the_export_leaves_the_last_minute_out_and_goes_on_at_its_cursor() {
    let mut bench = Bench::new();
    let start = bench.now.as_second();
    let edits = Edits { add_tags: vec!["x".into()], ..Edits::default() };
    bench.tenant.edit(bench.ticket, AGENTS[0], &edits, bench.now);
    let export = |bench: &mut Bench, query: &str| bench.get(&format!("/api/v2/incremental/tickets/cursor?{query}"));
    assert_eq!(export(&mut bench, &format!("start_time={start}")).0, 400, "too recent");
    let (_, page) = export(&mut bench, &format!("start_time={}", start - 600));
    assert_eq!((page["tickets"].as_array().map(Vec::len), &page["end_of_stream"]), (Some(0), &json!(true)));
    bench.now += jiff::SignedDuration::from_secs(60);
    bench.token = bench.log_in("read");
    let cursor = page["after_cursor"].as_str().expect("a cursor").to_owned();
    let cursor: String = url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
    let (_, page) = export(&mut bench, &format!("cursor={cursor}"));
    assert_eq!(page["tickets"][0]["id"], bench.ticket);
    for _ in 0..10 {
        export(&mut bench, &format!("start_time={}", start - 600));
    }
    assert_eq!(export(&mut bench, &format!("start_time={}", start - 600)).0, 429);
}

#[test]
fn a_fault_hits_what_it_is_meant_for_and_as_often() {
    let mut bench = Bench::new();
    bench.tenant.faults.push(Fault::once(Does::CutAfter, |question| question.way.writes()));
    assert_eq!(bench.update(json!({})), 0, "no answer");
    assert!(!bench.tenant.journal.writes[0].answered, "done all the same");
    assert_eq!(bench.update(json!({ "group_id": SUPPORT })), 200);
    assert!(bench.tenant.journal.writes[1].answered);
}
