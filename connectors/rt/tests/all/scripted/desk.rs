//! A desk whose answers are written down beforehand: each request must be the one that is expected next.

use bytes::Bytes;
use futures::future::BoxFuture;
use handoffd_kit::clock::ManualClock;
use handoffd_kit::random::Random;
use handoffd_kit::secret::{Secret, SecretSource};
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use handoffd_kit::transport::{Bounds, Exchange, Transport, TransportError};
use handoffd_rt::RtDesk;
use http::{Request, Response};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

pub const NOW: &str = "2026-11-24T05:00:00Z";

/// One request and what it is answered.
pub struct Step {
    /// Method and path: "GET /ticket/1".
    pub asks: &'static str,
    pub answer: Answer,
}

pub enum Answer {
    Json(u16, Value),
    Tagged(u64, Value),
    Made(u64),
    Page(u16, &'static str),
    Lost,
}

/// What was asked, for tests that look at it.
#[derive(Clone)]
pub struct Asked {
    pub line: String,
    pub query: Vec<(String, String)>,
    pub headers: http::HeaderMap,
    pub body: Value,
}

#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<(VecDeque<Step>, Vec<Asked>)>>);

impl Script {
    pub fn new(steps: Vec<Step>) -> Self {
        // Every desk asks once who it is.
        let me = json!({"id": 71, "Name": "handoff-bot", "Privileged": 1, "Memberships": []});
        let mut all = VecDeque::from([step("GET /user/71", Answer::Json(200, me))]);
        all.extend(steps);
        Self(Arc::new(Mutex::new((all, Vec::new()))))
    }

    /// One more step at the end.
    pub fn push(&self, step: Step) {
        self.0.lock().unwrap().0.push_back(step);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.0.lock().unwrap().1.clone()
    }

    /// Everything that was expected must have been asked.
    pub fn ended(&self) {
        let left: Vec<_> = self.0.lock().unwrap().0.iter().map(|step| step.asks).collect();
        assert!(left.is_empty(), "never asked: {left:?}");
    }
}

pub fn step(asks: &'static str, answer: Answer) -> Step {
    Step { asks, answer }
}

impl Transport for Script {
    fn send(&self, request: Request<Bytes>, _: Bounds) -> Exchange<'_> {
        let path = request.uri().path().strip_prefix("/rt/REST/2.0").unwrap_or("(elsewhere)");
        let asked = Asked {
            line: format!("{} {path}", request.method()),
            query: url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect(),
            headers: request.headers().clone(),
            body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
        };
        let mut state = self.0.lock().unwrap();
        let step = state.0.pop_front();
        let step = step.unwrap_or_else(|| panic!("not expected: {}", asked.line));
        assert_eq!(step.asks, asked.line);
        state.1.push(asked);
        Box::pin(std::future::ready(answer(step.answer)))
    }
}

fn answer(answer: Answer) -> Result<Response<Bytes>, TransportError> {
    let json =
        |status: u16, body: Value| Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap();
    Ok(match answer {
        Answer::Json(status, body) => json(status, body),
        Answer::Tagged(version, body) => {
            let mut response = json(200, body);
            response.headers_mut().insert("etag", format!("\"{version}\"").parse().unwrap());
            response
        }
        Answer::Made(transaction) => {
            let mut response = json(201, json!(["Comments added"]));
            let location = format!("/REST/2.0/transaction/{transaction}");
            response.headers_mut().insert("location", location.parse().unwrap());
            response
        }
        Answer::Page(status, body) => {
            Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
        }
        Answer::Lost => return Err(TransportError::Lost("on purpose".into())),
    })
}

struct Middle;

impl Random for Middle {
    fn bits(&self) -> u64 {
        1 << 63
    }
}

pub fn desk(script: &Script) -> RtDesk {
    desk_with(script, "1-71-s3cret".into())
}

/// What is read where a secret is read again.
pub struct Told(pub &'static str);

impl SecretSource for Told {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, String>> {
        Box::pin(std::future::ready(Ok(self.0.into())))
    }
}

pub fn desk_with(script: &Script, token: Secret) -> RtDesk {
    let settings = DeskSettings {
        id: "rt".into(),
        url: "https://acme.example/rt/".parse().unwrap(),
        login: [("token".to_owned(), Setting::Secret(token))].into(),
        webhook: [].into(),
        budget: 1.0,
    };
    let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
    handoffd_rt::connect(settings, Seams { clock, random: Arc::new(Middle), transport: Arc::new(script.clone()) })
        .unwrap()
}

/// A ticket in tier1 that nobody owns.
pub fn ticket(id: u64) -> Value {
    json!({
        "id": id, "Type": "ticket", "Subject": "s", "Status": "open", "Priority": "40",
        "Queue": {"id": "6", "Name": "tier1", "type": "queue"}, "Owner": {"id": "Nobody", "Name": "Nobody", "type": "user"},
        "Requestor": [{"id": "c@customer.example", "type": "user"}],
        "CustomFields": [{"id": "4", "name": "customer-tier", "values": ["standard"]}],
        "Created": "2026-11-24T04:00:00Z", "LastUpdated": "2026-11-24T04:30:00Z",
    })
}

/// The same ticket with one key changed.
pub fn with(key: &str, value: Value) -> Value {
    let mut ticket = ticket(1);
    ticket[key] = value;
    ticket
}

pub fn list(items: Vec<Value>) -> Answer {
    let count = items.len();
    Answer::Json(200, json!({"items": items, "count": count, "per_page": 100, "page": 1, "pages": null, "total": null}))
}

/// A list whose total RT tells; of an empty one the pages are a float.
pub fn counted(items: Vec<Value>) -> Answer {
    let total = items.len();
    Answer::Json(200, json!({"items": items, "count": total, "per_page": 100, "page": 1, "pages": 0.0, "total": total}))
}

pub fn transaction(id: u64, by: &str, kind: &str, field: &str, old: &str, new: &str) -> Value {
    let number = match by {
        "handoff-bot" => 71,
        "RT_System" => 1,
        _ => 59,
    };
    json!({
        "id": id.to_string(), "type": "transaction", "Type": kind, "Field": field, "OldValue": old, "NewValue": new,
        "ObjectId": "1", "Created": "2026-11-24T05:00:00Z",
        "Creator": {"id": number, "Name": by, "RealName": "", "type": "user"},
    })
}

pub fn queues() -> Step {
    let queue = |id: u64, name: &str| json!({"id": id.to_string(), "Name": name, "type": "queue"});
    step("GET /queues/all", counted(vec![queue(6, "tier1"), queue(7, "tier2")]))
}
