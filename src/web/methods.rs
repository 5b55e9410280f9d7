//! What is asked by another method than a path takes: told like every other refusal, with what it does take.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The id of a request: the caller's, or one of ours.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub String);

/// Why there is no answer, as all of `/api/v1` tells it.
#[derive(Serialize)]
struct WrongMethod {
    error: &'static str,
    words: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

/// Gives an answer of 405 a body. The router adds the header `allow` to it.
pub(super) async fn told(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    let response = next.run(request).await;
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let words = format!("this path takes no {method}: send it by one of the methods that the header allow names");
    (StatusCode::METHOD_NOT_ALLOWED, Json(WrongMethod { error: "wrong_method", words, request_id })).into_response()
}
