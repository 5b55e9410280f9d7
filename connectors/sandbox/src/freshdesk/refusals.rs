//! Every refusal with its status and words (Freshdesk sheet, *Errors*). Words that the sheet gives are Freshdesk's; the others
//! are in the same form.

use super::request::json;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json as value};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// No login, or a wrong one.
    InvalidCredentials,
    /// The agent's role does not reach this far.
    AccessDenied,
    /// No such record, or not visible: the body is empty.
    NotFound,
    /// The ticket takes no such request: it was deleted.
    Method,
    /// The body is of another type.
    ContentType,
    /// The body is no JSON object.
    NotJson,
    /// What is wrong with which field.
    Invalid(Vec<Value>),
    /// Too many calls.
    TooMany {
        /// How long to wait, if it is said.
        retry_after: Option<SignedDuration>,
    },
    /// The helpdesk failed.
    ServerError,
    /// The helpdesk is down.
    Unavailable,
}

impl Refusal {
    /// One thing that is wrong.
    pub(super) fn invalid(field: &str, message: &str, code: &str) -> Self {
        Self::Invalid(vec![value!({ "field": field, "message": message, "code": code })])
    }

    /// The refusal as Freshdesk writes it.
    pub(super) fn response(&self) -> Response<Bytes> {
        let coded = |status, code: &str, message: &str| json(status, &value!({ "code": code, "message": message }));
        match self {
            Self::InvalidCredentials => coded(
                StatusCode::UNAUTHORIZED,
                "invalid_credentials",
                "You have to be logged in to perform this action.",
            ),
            Self::AccessDenied => {
                coded(StatusCode::FORBIDDEN, "access_denied", "You are not authorized to perform this action.")
            }
            Self::NotFound => empty(StatusCode::NOT_FOUND),
            Self::Method => empty(StatusCode::METHOD_NOT_ALLOWED),
            Self::ContentType => coded(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid_content_type",
                "Content-Type header is set to an unsupported value.",
            ),
            Self::NotJson => coded(StatusCode::BAD_REQUEST, "invalid_json", "Request body has invalid json format"),
            Self::Invalid(errors) => {
                json(StatusCode::BAD_REQUEST, &value!({ "description": "Validation failed", "errors": errors }))
            }
            Self::TooMany { retry_after } => {
                let mut response = empty(StatusCode::TOO_MANY_REQUESTS);
                if let Some(wait) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(0)));
                }
                response
            }
            Self::ServerError => page(StatusCode::INTERNAL_SERVER_ERROR, "We're sorry, but something went wrong"),
            Self::Unavailable => page(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn page(status: StatusCode, words: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("<html><body><h1>{words}</h1></body></html>")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
