//! A seeded Zendesk account in the same process, and a plain client for it.

use bytes::Bytes;
use handoffd_kit::clock::ManualClock;
use handoffd_sandbox::seed::{self, CLIENT};
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Answer, Sandbox};
use http::{Request, Response};
use serde_json::{Value, json};
use std::sync::Arc;

pub struct Account {
    pub clock: ManualClock,
    pub sandbox: Sandbox,
    pub token: String,
}

impl Account {
    pub fn new() -> Self {
        Self::with_limits(Limits::ENTERPRISE)
    }

    pub fn with_limits(limits: Limits) -> Self {
        let clock = ManualClock::new("2026-05-03T10:00:00Z".parse().unwrap());
        let sandbox = seed::zendesk(Arc::new(clock.clone()), 7, limits);
        let token = token(&sandbox, "read write");
        Self { clock, sandbox, token }
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Response<Bytes> {
        send(&self.sandbox, method, path, Some(&format!("Bearer {}", self.token)), body)
    }

    pub fn get(&self, path: &str) -> Value {
        let response = self.send("GET", path, &Value::Null);
        assert_eq!(response.status(), 200, "{path}: {response:?}");
        read(&response)
    }

    pub fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.send("PUT", path, body);
        (response.status().as_u16(), read(&response))
    }
}

pub fn send(sandbox: &Sandbox, method: &str, path: &str, login: Option<&str>, body: &Value) -> Response<Bytes> {
    match sandbox.handle(request(method, path, login, body)) {
        Answer::Given { response, .. } => response,
        other => panic!("{method} {path}: {other:?}"),
    }
}

pub fn request(method: &str, path: &str, login: Option<&str>, body: &Value) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(format!("https://acme.zendesk.com{path}"));
    if let Some(login) = login {
        request = request.header("authorization", login);
    }
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    request.header("content-type", "application/json").body(body).unwrap()
}

pub fn read(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_else(|_| json!(String::from_utf8_lossy(response.body())))
}

pub fn token(sandbox: &Sandbox, scope: &str) -> String {
    let body = json!({
        "grant_type": "client_credentials", "client_id": CLIENT.0, "client_secret": CLIENT.1,
        "scope": scope, "expires_in": 7200,
    });
    let answer = read(&send(sandbox, "POST", "/oauth/tokens", None, &body));
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}
