//! A request taken apart, and the two ways to answer: JSON and plain text.

use super::refusals::Refusal;
use super::route::Endpoint;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

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

    /// A parameter of the query.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The query without some parameters, for links to other pages.
    pub(super) fn query_without(&self, names: &[&str]) -> Vec<(String, String)> {
        self.query.iter().filter(|(key, _)| !names.contains(&key.as_str())).cloned().collect()
    }

    /// Whether something is to be sent along.
    pub(super) fn includes(&self, what: &str) -> bool {
        self.param("include").is_some_and(|list| list.split(',').any(|one| one.trim() == what))
    }

    /// A list of numbers, at most 100.
    pub(super) fn ids(&self) -> Result<Vec<u64>, Refusal> {
        let list = self.param("ids").unwrap_or_default();
        let ids: Vec<u64> = list.split(',').filter_map(|id| id.trim().parse().ok()).collect();
        if ids.is_empty() || ids.len() > 100 {
            return Err(Refusal::BadParameter("ids"));
        }
        Ok(ids)
    }

    /// The login header.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok())
    }

    /// The address of the account as the caller knows it.
    pub(super) fn base(&self) -> String {
        let uri = self.request.uri();
        let host = self.request.headers().get(HOST).and_then(|host| host.to_str().ok());
        match (uri.scheme_str(), uri.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            _ => format!("http://{}", host.unwrap_or("localhost")),
        }
    }

    pub(super) fn path(&self) -> &str {
        self.request.uri().path()
    }

    /// The body, whose shape the endpoint knows.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let typed = self.request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !typed.is_some_and(|kind| kind.starts_with("application/json")) {
            return Err(Refusal::NotJson);
        }
        let value: Value = serde_json::from_slice(self.request.body()).map_err(|_| Refusal::NotJson)?;
        serde_json::from_value(value).map_err(|error| Refusal::BadAttribute(error.to_string()))
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    answer(status, "application/json; charset=utf-8", body.to_string())
}

/// An answer whose body is not JSON.
pub(super) fn text(status: StatusCode, body: &str) -> Response<Bytes> {
    answer(status, "text/html; charset=utf-8", body.to_owned())
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
