//! A seeded Request Tracker in the same process, and a plain client for it.

use bytes::Bytes;
use handoffd_kit::clock::ManualClock;
use handoffd_sandbox::seed::{self, BOT, RT_TOKEN};
use handoffd_sandbox::{Answer, Sandbox};
use http::{Request, Response};
use serde_json::{Value, json};
use std::sync::Arc;

pub struct Desk {
    pub sandbox: Sandbox,
}

impl Desk {
    pub fn new() -> Self {
        let clock = ManualClock::new("2026-05-03T10:00:00Z".parse().unwrap());
        let sandbox = seed::rt(Arc::new(clock), 7);
        Self { sandbox }
    }

    /// Gives handoffd's user every right.
    pub fn admin(&self) {
        self.rights(|rights| rights.admin = true);
    }

    pub fn rights(&self, set: impl FnOnce(&mut handoffd_sandbox::people::Rights)) {
        self.sandbox.with(|desk| {
            let no = desk.find_person(BOT).unwrap().no;
            set(&mut desk.people.get_mut(&no).unwrap().rights);
        });
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Response<Bytes> {
        self.send_with(method, path, body, &[])
    }

    pub fn send_with(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Response<Bytes> {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let login = format!("token {RT_TOKEN}");
        let headers = [&[("authorization", login.as_str()), ("content-type", "application/json")], headers].concat();
        self.raw(method, path, body, &headers)
    }

    pub fn raw(&self, method: &str, path: &str, body: Bytes, headers: &[(&str, &str)]) -> Response<Bytes> {
        let address = url::Url::parse(&format!("https://rt.acme.example/REST/2.0{path}")).unwrap();
        let mut request = Request::builder().method(method).uri(address.as_str());
        for (name, value) in headers {
            request.headers_mut().unwrap().insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        match self.sandbox.handle(request.body(body).unwrap()) {
            Answer::Given { response, .. } => response,
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    pub fn get(&self, path: &str) -> Value {
        self.tagged(path).1
    }

    pub fn tagged(&self, path: &str) -> (String, Value) {
        let response = self.send("GET", path, &Value::Null);
        assert_eq!(response.status(), 200, "{path}: {response:?}");
        let tag = response.headers().get("etag").map_or("", |tag| tag.to_str().unwrap());
        (tag.trim_matches('"').to_owned(), read(&response))
    }

    pub fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.send("PUT", path, body);
        (response.status().as_u16(), read(&response))
    }
}

pub fn read(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_else(|_| json!(String::from_utf8_lossy(response.body())))
}
