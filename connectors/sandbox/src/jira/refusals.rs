//! Every refusal with its status and words, in the two forms that Jira has (Jira Service Management sheet, *Errors*, *Rate
//! limits*). The sheet gives forms and hardly any words: these are in the same manner.

use super::request::json;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json as value};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// The login is wrong or has ended.
    Unauthorized,
    /// In these words.
    Words {
        /// The status.
        status: StatusCode,
        /// About the request as a whole.
        messages: Vec<String>,
        /// About single fields.
        fields: Vec<(String, String)>,
    },
    /// No such address.
    NoRoute,
    /// The body is not declared to be JSON.
    UnsupportedMediaType,
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
    fn said(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Words { status, messages: vec![message.into()], fields: vec![] }
    }

    /// The request makes no sense.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::said(StatusCode::BAD_REQUEST, message)
    }

    /// A field takes no such value.
    pub(super) fn field(name: &str, words: impl Into<String>) -> Self {
        Self::Words { status: StatusCode::BAD_REQUEST, messages: vec![], fields: vec![(name.to_owned(), words.into())] }
    }

    /// A field that the screen does not have.
    pub(super) fn no_field(name: &str) -> Self {
        let words = format!("Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.");
        Self::field(name, words)
    }

    /// The right is missing.
    pub(super) fn forbidden(message: &str) -> Self {
        Self::said(StatusCode::FORBIDDEN, message)
    }

    /// It is not there, or may not be seen.
    pub(super) fn no_issue() -> Self {
        Self::said(StatusCode::NOT_FOUND, "Issue does not exist or you do not have permission to see it.")
    }

    /// Some other thing that is not there.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::said(StatusCode::NOT_FOUND, message)
    }

    /// The refusal as the platform, or the service desk, writes it.
    pub(super) fn response(&self, service_desk: bool) -> Response<Bytes> {
        match self {
            Self::Unauthorized => {
                let words = "Client must be authenticated to access this resource.";
                json(StatusCode::UNAUTHORIZED, &value!({ "message": words, "status-code": 401 }))
            }
            Self::Words { status, messages, fields } if service_desk => {
                let words = messages.first().or_else(|| fields.first().map(|(_, words)| words));
                let key = value!({ "i18nKey": "sd.error", "parameters": [] });
                json(*status, &value!({ "errorMessage": words, "i18nErrorMessage": key }))
            }
            Self::Words { status, messages, fields } => {
                let fields: serde_json::Map<String, Value> =
                    fields.iter().map(|(name, words)| (name.clone(), value!(words))).collect();
                json(*status, &value!({ "errorMessages": messages, "errors": fields }))
            }
            Self::NoRoute => page(StatusCode::NOT_FOUND, "Oops, you've found a dead link."),
            Self::UnsupportedMediaType => page(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type"),
            Self::TooMany { retry_after } => too_many(*retry_after),
            Self::ServerError => page(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::Unavailable => page(StatusCode::SERVICE_UNAVAILABLE, "Jira is unavailable"),
        }
    }
}

/// The body of a 429 is not specified; its headers are.
fn too_many(retry_after: Option<SignedDuration>) -> Response<Bytes> {
    let mut response = page(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded.");
    let reason = HeaderValue::from_static("jira-burst-based");
    response.headers_mut().insert(HeaderName::from_static("ratelimit-reason"), reason);
    if let Some(wait) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(0)));
    }
    response
}

fn page(status: StatusCode, words: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("<html><body><h1>{words}</h1></body></html>")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
