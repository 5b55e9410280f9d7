//! Refusals in the vendor's three envelopes, and its plain text.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

/// An answer that is no success.
#[derive(Clone, Debug)]
pub struct Refusal {
    status: StatusCode,
    body: String,
    kind: &'static str,
    retry_after: Option<i64>,
}

impl Refusal {
    fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, &body.to_string(), "application/json; charset=utf-8")
    }

    /// Any status with any body.
    pub fn raw(status: u16, body: &str, kind: &'static str) -> Self {
        let status = StatusCode::from_u16(status).expect("a status");
        Self { status, body: body.to_owned(), kind, retry_after: None }
    }

    pub fn body(&self) -> &str {
        &self.body
    }

    /// A request that the vendor does not document.
    pub fn bad(what: impl Into<String>) -> Self {
        Self::json(400, &json!({ "error": "BadRequest", "description": what.into() }))
    }

    pub fn unauthorized() -> Self {
        Self::json(401, &json!({ "error": "Couldn't authenticate you" }))
    }

    pub fn forbidden() -> Self {
        let message =
            "You do not have access to this page. Please contact the account owner of this help desk for further help.";
        Self::json(403, &json!({ "error": { "title": "Forbidden", "message": message } }))
    }

    pub fn not_found() -> Self {
        Self::json(404, &json!({ "error": "RecordNotFound", "description": "Not found" }))
    }

    pub fn no_such_path() -> Self {
        Self::json(404, &json!({ "error": "InvalidEndpoint", "description": "Not found" }))
    }

    pub fn conflict() -> Self {
        let description = "Safe Update prevented the update due to outdated ticket data.";
        Self::json(409, &json!({ "error": "UpdateConflict", "description": description }))
    }

    pub fn invalid(field: &str, description: &str) -> Self {
        Self::json(
            422,
            &json!({ "error": "RecordInvalid", "description": "Record validation errors",
                     "details": { field: [{ "description": description }] } }),
        )
    }

    pub fn closed() -> Self {
        Self::invalid("status", "Status: closed prevents ticket update")
    }

    pub fn too_many(words: &str, retry_after: i64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::raw(429, words, "text/html; charset=utf-8") }
    }

    pub fn broken() -> Self {
        Self::raw(500, "<html><body><h1>Something went wrong</h1></body></html>", "text/html; charset=utf-8")
    }

    pub fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.body.clone()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
