//! The control API under `/_sandbox/`, on the same listener as the dialect, for rehearsals and scripts: the journal, the
//! tickets, acting for people, faults.

use crate::sandbox::Sandbox;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};

/// Answers a request to the control API; `None`: it is for the dialect.
pub(crate) fn answer(sandbox: &Sandbox, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let path = request.uri().path().strip_prefix("/_sandbox/")?;
    let (status, body) = match (request.method(), path) {
        (&Method::GET, "journal") => (StatusCode::OK, json!(sandbox.journal())),
        _ => (StatusCode::NOT_FOUND, json!({ "error": "GET journal" })),
    };
    Some(json_answer(status, &body))
}

fn json_answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
