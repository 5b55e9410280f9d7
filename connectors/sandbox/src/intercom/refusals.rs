//! Every refusal with its status, code and words (Intercom sheet, *Errors*). Words that the sheet gives are Intercom's; the
//! others are in the same form.

use super::request::json;
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::json as value;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// No token, or one that is none.
    Unauthorized,
    /// The app has not the permission.
    Forbidden {
        /// Its name.
        scope: &'static str,
    },
    /// Nobody and no team has this id: 403, not 404.
    NoAssignee,
    /// There is no such thing.
    NotFound,
    /// The conversation has no such tag, or the workspace has none.
    NoTag,
    /// What was asked for cannot be done.
    Invalid {
        /// The code.
        code: &'static str,
        /// In words.
        message: String,
    },
    /// Too many calls. No `Retry-After` is documented; only a proxy sends one.
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
    /// A value that is not what it should be.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { code: "parameter_invalid", message: message.into() }
    }

    /// The refusal as Intercom writes it.
    pub(super) fn response(&self) -> Response<Bytes> {
        match self {
            Self::Unauthorized => said(StatusCode::UNAUTHORIZED, "unauthorized", "Access Token Invalid"),
            Self::Forbidden { scope } => {
                let words = format!("You do not have the required scope ({scope}) to access this resource");
                said(StatusCode::FORBIDDEN, "forbidden", &words)
            }
            Self::NoAssignee => said(StatusCode::FORBIDDEN, "assignee_not_found", "Assignee not found"),
            Self::NotFound => said(StatusCode::NOT_FOUND, "not_found", "Resource Not Found"),
            Self::NoTag => said(StatusCode::NOT_FOUND, "tag_not_found", "Tag not found"),
            Self::Invalid { code, message } => said(StatusCode::BAD_REQUEST, code, message),
            Self::TooMany { retry_after } => {
                let words = "Exceeded rate limit";
                let mut response = said(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", words);
                if let Some(wait) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(0)));
                }
                response
            }
            Self::ServerError => said(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "Server Error"),
            Self::Unavailable => said(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", "Sorry, try again"),
        }
    }
}

fn said(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    let error = value!({ "code": code, "message": message });
    // The same for every refusal: what is made by chance would make two runs unlike.
    let request = "00000000-0000-4000-8000-000000000000";
    json(status, &value!({ "type": "error.list", "request_id": request, "errors": [error] }))
}
