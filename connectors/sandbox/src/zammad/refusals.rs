//! Every refusal with its status and words (Zammad sheet, *Errors*). Words that the sheet gives are Zammad's; the others are in
//! the same form.

use super::request::json;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::json as value;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// No login at all.
    AuthenticationRequired,
    /// A token that is unknown or has ended.
    InvalidToken,
    /// The right is missing.
    NotAuthorized,
    /// No such record.
    NoRecord {
        /// What it would be.
        model: &'static str,
        /// Its number.
        id: u64,
    },
    /// No such address.
    NoRoute,
    /// The body is no JSON object.
    NotJson,
    /// What was asked for cannot be done, in these words.
    Unprocessable(String),
    /// Too many calls: not Zammad itself, a proxy before it.
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
    /// A name that stands for nothing.
    pub(super) fn no_lookup(attribute: &str, name: &str) -> Self {
        Self::Unprocessable(format!("No lookup value found for '{attribute}': {name:?}"))
    }

    /// The refusal as Zammad writes it.
    pub(super) fn response(&self) -> Response<Bytes> {
        let said = |status, words: &str| json(status, &value!({ "error": words, "error_human": words }));
        match self {
            Self::AuthenticationRequired => said(StatusCode::FORBIDDEN, "Authentication required"),
            Self::InvalidToken => said(StatusCode::UNAUTHORIZED, "Invalid token!"),
            Self::NotAuthorized => said(StatusCode::FORBIDDEN, "Not authorized"),
            Self::NoRecord { model, id } => {
                said(StatusCode::NOT_FOUND, &format!("Couldn't find {model} with 'id'={id}"))
            }
            Self::NoRoute => said(StatusCode::NOT_FOUND, "No route matches this address"),
            Self::NotJson => said(StatusCode::BAD_REQUEST, "There was a problem in the JSON you submitted"),
            Self::Unprocessable(words) => said(StatusCode::UNPROCESSABLE_ENTITY, words),
            Self::TooMany { retry_after } => {
                let mut response = page(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
                if let Some(wait) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(0)));
                }
                response
            }
            Self::ServerError => page(StatusCode::INTERNAL_SERVER_ERROR, "500: An unknown error occurred"),
            Self::Unavailable => page(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }
}

fn page(status: StatusCode, words: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("<html><body><h1>{words}</h1></body></html>")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
