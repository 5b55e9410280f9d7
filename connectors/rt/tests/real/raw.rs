//! RT's REST 2.0 by hand, as somebody else than the connector: no code is shared with it.

use bytes::Bytes;
use handoffd_kit::transport::{Bounds, HttpTransport, Transport};
use http::{Request, Response};
use serde_json::Value;

/// Somebody with a token. Each request has a connection of its own: RT closes those that rest, and a post is not repeated.
pub struct Raw {
    rest: String,
    token: String,
    transport: HttpTransport,
}

impl Raw {
    pub fn new(url: &str, token: String) -> Self {
        Self { rest: format!("{url}/REST/2.0"), token, transport: HttpTransport::new(0) }
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Response<Bytes> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.rest));
        let request = request.header("authorization", format!("token {}", self.token));
        let request = request.header("content-type", "application/json");
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        self.transport.send(request.body(body).unwrap(), Bounds::default()).await.unwrap()
    }

    /// Hands a mail to RT's gateway, as its mail server would.
    pub async fn mail(&self, queue: &str, message: &str) {
        let gateway = self.rest.replace("/REST/2.0", "/REST/1.0/NoAuth/mail-gateway");
        let part = |name: &str, value: &str| {
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let parts = [("SessionType", "REST"), ("queue", queue), ("action", "correspond"), ("message", message)];
        let body = parts.iter().map(|(name, value)| part(name, value)).collect::<String>() + "--edge--\r\n";
        let request = Request::post(gateway).header("content-type", "multipart/form-data; boundary=edge");
        let answer = self.transport.send(request.body(Bytes::from(body)).unwrap(), Bounds::default()).await.unwrap();
        let said = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(said.trim_start().starts_with("ok"), "the mail gateway: {} {said}", answer.status());
    }

    pub async fn json(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let response = self.send(method, path, body).await;
        let shown = String::from_utf8_lossy(response.body()).into_owned();
        assert!(response.status().is_success(), "{method} {path}: {} {shown}", response.status());
        serde_json::from_str(&shown).unwrap_or(Value::Null)
    }

    pub async fn get(&self, path: &str) -> Value {
        self.json("GET", path, None).await
    }

    /// What time it is on RT's server.
    pub async fn date(&self) -> String {
        let response = self.send("GET", "/rt", None).await;
        let date = jiff::fmt::rfc2822::parse(response.headers()["date"].to_str().unwrap()).unwrap();
        date.timestamp().to_string()
    }

    /// All items of a list.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        for page in 1.. {
            let mark = if path.contains('?') { '&' } else { '?' };
            let found = self.get(&format!("{path}{mark}per_page=100&page={page}")).await;
            let some = found["items"].as_array().cloned().unwrap_or_default();
            if some.is_empty() {
                break;
            }
            items.extend(some);
        }
        items
    }
}
