//! A request taken apart, and JSON answers.

use super::refusals::Refusal;
use super::route::Endpoint;
use crate::ids::TicketNo;
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

    /// A parameter of the query.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether names are asked for beside numbers.
    pub(super) fn expanded(&self) -> bool {
        self.param("expand") == Some("true")
    }

    /// The ticket that its path, or the body of an article or tag, names.
    pub(super) fn ticket(&self) -> Option<TicketNo> {
        let in_body = |key: &str| self.body().ok()?.get(key)?.as_u64().map(TicketNo);
        match self.endpoint? {
            Endpoint::Ticket(no) | Endpoint::Articles(no) | Endpoint::History(no) | Endpoint::UpdateTicket(no) => {
                Some(no)
            }
            Endpoint::AddArticle => in_body("ticket_id"),
            Endpoint::AddTag | Endpoint::RemoveTag => in_body("o_id"),
            Endpoint::Tags => self.param("o_id")?.parse().ok(),
            Endpoint::Links => self.param("link_object_value")?.parse().ok(),
            _ => None,
        }
    }

    /// The login header.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok())
    }

    /// The body, an object. What is not declared to be JSON is not read, and then no parameter is there.
    pub(super) fn body(&self) -> Result<Map<String, Value>, Refusal> {
        let typed = self.request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !typed.is_some_and(|kind| kind.starts_with("application/json")) {
            return Ok(Map::new());
        }
        match serde_json::from_slice(self.request.body()) {
            Ok(Value::Object(body)) => Ok(body),
            _ => Err(Refusal::NotJson),
        }
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// A JSON answer that all is well.
pub(super) fn ok(body: &Value) -> Result<Response<Bytes>, Refusal> {
    Ok(json(StatusCode::OK, body))
}
