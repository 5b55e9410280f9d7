//! Every refusal with its status and words: the three envelopes of the Zendesk sheet, *Errors*. Words that the sheet
//! gives are checked against it in `tests/refusals.rs`; the others are in the same form.

use super::request::{json, text};
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json as value};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// No login, or a wrong one.
    Unauthenticated,
    /// The token's scopes or the person's role do not reach this far.
    Forbidden,
    /// The path does not exist.
    InvalidEndpoint,
    /// No such record, or not visible.
    NotFound,
    /// The stamp is older than the ticket.
    Conflict,
    /// The ticket is not as it must be: details by field.
    Invalid(Value),
    /// The body is no JSON.
    NotJson,
    /// The body has a key or a type that the endpoint does not know.
    BadAttribute(String),
    /// A parameter of the query is missing or wrong.
    BadParameter(&'static str),
    /// A page size or cursor that does not exist.
    BadPage,
    /// Offset paging beyond 10,000 records.
    TooDeep,
    /// The export is asked for what happened less than a minute ago.
    TooRecent,
    /// The client or its secret is wrong.
    BadClient,
    /// Too many calls.
    TooMany {
        /// How long to wait, if it is said.
        retry_after: Option<SignedDuration>,
        /// Whether it is the limit of updates to one ticket.
        updates: bool,
    },
    /// The helpdesk failed.
    ServerError,
    /// The helpdesk is down.
    Unavailable,
}

impl Refusal {
    /// One thing that is wrong with a ticket.
    pub(super) fn invalid(field: &str, description: impl Into<String>) -> Self {
        Self::Invalid(value!({ field: [{ "description": description.into() }] }))
    }

    /// The refusal as Zendesk writes it.
    pub(super) fn response(&self) -> Response<Bytes> {
        if let Self::TooMany { retry_after, updates } = self {
            return too_many(*retry_after, *updates);
        }
        if matches!(self, Self::ServerError | Self::Unavailable) {
            let (status, words) = match self {
                Self::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
                _ => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            };
            return text(status, &format!("<html><head><title>{words}</title></head><body>{words}</body></html>"));
        }
        let (status, body) = self.words();
        json(status, &body)
    }

    fn words(&self) -> (StatusCode, Value) {
        match self {
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, value!({ "error": "Couldn't authenticate you" })),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                titled(
                    "Forbidden",
                    "You do not have access to this page. Please contact the account owner of this help desk for further help.",
                ),
            ),
            Self::InvalidEndpoint => (StatusCode::NOT_FOUND, coded("InvalidEndpoint", "Not found")),
            Self::NotFound => (StatusCode::NOT_FOUND, coded("RecordNotFound", "Not found")),
            Self::Conflict => (
                StatusCode::CONFLICT,
                coded(
                    "UpdateConflict",
                    "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data and try again.",
                ),
            ),
            Self::Invalid(details) => {
                let mut body = coded("RecordInvalid", "Record validation errors");
                body["details"] = details.clone();
                (StatusCode::UNPROCESSABLE_ENTITY, body)
            }
            Self::NotJson => (StatusCode::BAD_REQUEST, titled("Invalid JSON", "The request body is no JSON object.")),
            Self::BadAttribute(what) => (StatusCode::BAD_REQUEST, titled("Invalid attribute", what)),
            Self::BadParameter(name) => (
                StatusCode::BAD_REQUEST,
                titled("Invalid parameter", &format!("Parameter {name} is missing or invalid.")),
            ),
            Self::BadPage => {
                (StatusCode::BAD_REQUEST, listed("InvalidPaginationParameter", "Invalid pagination parameter"))
            }
            Self::TooDeep => (
                StatusCode::BAD_REQUEST,
                listed("InvalidPaginationDepth", "Offset paging reaches the first 10000 records only"),
            ),
            Self::TooRecent => (
                StatusCode::BAD_REQUEST,
                coded("InvalidValue", "Too recent start_time. Use a start_time older than 60 seconds"),
            ),
            Self::BadClient => (
                StatusCode::UNAUTHORIZED,
                value!({ "error": "invalid_client", "error_description": "Client authentication failed." }),
            ),
            Self::TooMany { .. } | Self::ServerError | Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, Value::Null)
            }
        }
    }
}

fn titled(title: &str, message: &str) -> Value {
    value!({ "error": { "title": title, "message": message } })
}

fn coded(code: &str, description: &str) -> Value {
    value!({ "error": code, "description": description })
}

fn listed(code: &str, title: &str) -> Value {
    value!({ "errors": [{ "code": code, "title": title, "detail": title }] })
}

/// The body of a 429 is plain text with an HTML type (Zendesk sheet, *Rate limits*).
fn too_many(retry_after: Option<SignedDuration>, updates: bool) -> Response<Bytes> {
    let words = match updates {
        true => "Rate limit for ticket updates exceeded, please wait before updating this ticket again",
        false => "Number of allowed API requests per minute exceeded",
    };
    let mut response = text(StatusCode::TOO_MANY_REQUESTS, words);
    if let Some(wait) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(0)));
    }
    response
}
