//! A request taken apart, and JSON answers.

use super::refusals::Refusal;
use super::route::Endpoint;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, Value};

/// A request with its address read.
pub(super) struct Call<'a> {
    pub(super) endpoint: Option<Endpoint>,
    request: &'a Request<Bytes>,
    query: Vec<(String, String)>,
}

impl<'a> Call<'a> {
    pub(super) fn new(request: &'a Request<Bytes>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { endpoint: Endpoint::of(request.method(), request.uri().path()), request, query }
    }

    /// Whether it is for the service desk API, whose refusals have a form of their own.
    pub(super) fn of_service_desk(&self) -> bool {
        self.request.uri().path().starts_with("/rest/servicedeskapi/")
    }

    /// A parameter of the query.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A whole number of the query.
    pub(super) fn number(&self, name: &str, usual: usize) -> Result<usize, Refusal> {
        match self.param(name) {
            None => Ok(usual),
            Some(text) => text.parse().map_err(|_| Refusal::bad(format!("'{text}' is no value for '{name}'."))),
        }
    }

    /// The login header.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok())
    }

    /// The body, an object of known keys. Jira leaves out what it does not know; here a misspelt key is found.
    pub(super) fn body(&self, known: &[&str]) -> Result<Map<String, Value>, Refusal> {
        let typed = self.request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !typed.is_some_and(|kind| kind.starts_with("application/json")) {
            return Err(Refusal::UnsupportedMediaType);
        }
        let body = match serde_json::from_slice(self.request.body()) {
            Ok(Value::Object(body)) => body,
            _ => {
                return Err(Refusal::bad(
                    "Invalid request payload. Refer to the REST API documentation and try again.",
                ));
            }
        };
        match body.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Refusal::bad(format!("Unrecognized field \"{key}\"."))),
            None => Ok(body),
        }
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}

/// A JSON answer that all is well.
pub(super) fn ok(body: &Value) -> Result<Response<Bytes>, Refusal> {
    Ok(json(StatusCode::OK, body))
}

/// An answer that all is well and that says nothing else.
pub(super) fn done() -> Result<Response<Bytes>, Refusal> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
