//! Every refusal with its status and words: those of a status, and the sentences inside a 200 (RT sheet, *Changing*).
//! Words that the sheet gives are checked against it in `tests/rt_refusals.rs`.

use super::request::{answer, json};
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::json as value;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No login, or a wrong one.
    Unauthorized,
    /// The same, to what looks like a browser.
    ToLogin,
    /// The record exists and may not be seen.
    Forbidden,
    /// No such record or path.
    NotFound,
    /// A change of a ticket that does not exist.
    NothingToChange,
    /// The entity tag is old, or one is not taken here.
    PreconditionFailed,
    /// The body is no JSON; at this place.
    NotJson(usize),
    /// The body is no object.
    NoObject,
    /// The body has a type that is not taken.
    UnsupportedMediaType,
    /// A message does not say what it is.
    NoContentType,
    /// The right to comment or answer is missing.
    PermissionDenied,
    /// A message about a ticket that does not exist.
    NotRecorded,
    /// A query that is not TicketSQL.
    WrongQuery(String),
    /// RT does not have the method.
    NotImplemented,
    /// RT failed.
    ServerError,
    /// The proxy in front of RT has none to ask.
    Unavailable,
    /// The proxy in front of RT limits.
    TooMany {
        /// How long to wait, if it is said.
        retry_after: Option<SignedDuration>,
    },
}

impl Refusal {
    /// The refusal as RT writes it.
    pub(super) fn response(&self) -> Response<Bytes> {
        match self {
            Self::ToLogin => return to_login(),
            Self::TooMany { retry_after } => return too_many(*retry_after),
            Self::Unavailable => {
                let body = "<html><body>Service Unavailable</body></html>".to_owned();
                return answer(StatusCode::SERVICE_UNAVAILABLE, "text/html", body);
            }
            _ => {}
        }
        let (status, words) = self.words();
        json(status, &value!({ "message": words }))
    }

    fn words(&self) -> (StatusCode, String) {
        let (status, words) = match self {
            Self::Unauthorized | Self::ToLogin => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Self::NothingToChange => (StatusCode::NOT_FOUND, "Resource does not exist; use POST to create"),
            Self::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "Precondition Failed"),
            Self::NotJson(at) => {
                let words = format!("JSON parse error: malformed text, at character offset {at}\n");
                return (StatusCode::BAD_REQUEST, words);
            }
            Self::NoObject => (StatusCode::BAD_REQUEST, "JSON object must be a HASH"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type"),
            Self::NoContentType => (StatusCode::BAD_REQUEST, "ContentType is a required field for application/json"),
            Self::PermissionDenied => (StatusCode::BAD_REQUEST, "Permission Denied"),
            Self::NotRecorded => (StatusCode::BAD_REQUEST, "Message could not be recorded"),
            Self::WrongQuery(words) => return (StatusCode::BAD_REQUEST, words.clone()),
            Self::NotImplemented => (StatusCode::NOT_IMPLEMENTED, "Not Implemented"),
            Self::ServerError | Self::Unavailable | Self::TooMany { .. } => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        };
        (status, words.to_owned())
    }
}

/// A browser is sent to the login page (RT sheet, *Authentication*).
fn to_login() -> Response<Bytes> {
    let mut response = answer(StatusCode::FOUND, "text/plain", "Login required".to_owned());
    response.headers_mut().insert(http::header::LOCATION, HeaderValue::from_static("/"));
    response
}

/// RT has no limits of its own (RT sheet, *Server behaviour to plan for*): a proxy's answer.
fn too_many(retry_after: Option<SignedDuration>) -> Response<Bytes> {
    let mut response = answer(StatusCode::TOO_MANY_REQUESTS, "text/html", "Too Many Requests".to_owned());
    if let Some(wait) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(0)));
    }
    response
}

/// The sentences that refuse inside a 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sentence<'a> {
    NoQueue(&'a str),
    NoUser,
    MayNotOwn,
    OwnsAlready,
    NotUnowned,
    BadStatus(&'a str),
    BadValue,
    Denied,
}

impl Sentence<'_> {
    pub(super) fn words(&self) -> String {
        match self {
            Self::NoQueue(name) => format!("Queue {name} does not exist"),
            Self::NoUser => "That user does not exist".into(),
            Self::MayNotOwn => "That user may not own tickets in that queue".into(),
            Self::OwnsAlready => "That user already owns that ticket".into(),
            Self::NotUnowned => "You can only take tickets that are unowned".into(),
            Self::BadStatus(word) => format!("Status '{word}' isn't a valid status for this ticket."),
            Self::BadValue => "Invalid value for custom field".into(),
            Self::Denied => "Permission Denied".into(),
        }
    }
}
