//! Why a page or an order is not given, each with its status and words for a person.

use super::orders::Refusal;
use crate::config::Role;
use crate::ledger::LedgerError;
use axum::http::StatusCode;

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is no such thing.
    NotFound(String),
    /// What was sent makes no sense.
    Wrong(String),
    /// No token was shown.
    NoToken,
    /// Nobody has this token.
    WrongToken,
    /// Too many wrong tokens: in so many seconds again.
    TooMany(i64),
    /// The form is not one that this session was given.
    Stale,
    /// It takes this role.
    MayNot(Role),
    /// It was refused.
    Refused(Refusal),
    /// The ledger does not answer.
    Ledger(String),
    /// A desk does not answer.
    Desk(String),
    /// A template is broken.
    Page,
}

impl Trouble {
    /// Its status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) | Self::Refused(Refusal::NotFound(_)) => StatusCode::NOT_FOUND,
            Self::Wrong(_) | Self::Refused(Refusal::Wrong(_)) => StatusCode::BAD_REQUEST,
            Self::NoToken | Self::WrongToken => StatusCode::UNAUTHORIZED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Stale | Self::MayNot(_) => StatusCode::FORBIDDEN,
            Self::Refused(Refusal::Refused(_)) => StatusCode::CONFLICT,
            Self::Desk(_) | Self::Refused(Refusal::Desk(_)) => StatusCode::BAD_GATEWAY,
            Self::Ledger(_) | Self::Refused(Refusal::Ledger(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Page => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Its word, for scripts.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotFound(_) | Self::Refused(Refusal::NotFound(_)) => "not_found",
            Self::Wrong(_) | Self::Refused(Refusal::Wrong(_)) => "wrong",
            Self::NoToken | Self::WrongToken => "unauthorized",
            Self::TooMany(_) => "too_many",
            Self::Stale | Self::MayNot(_) => "forbidden",
            Self::Refused(Refusal::Refused(_)) => "refused",
            Self::Desk(_) | Self::Refused(Refusal::Desk(_)) => "desk",
            Self::Ledger(_) | Self::Refused(Refusal::Ledger(_)) => "ledger",
            Self::Page => "page",
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::NotFound(words) | Self::Wrong(words) | Self::Desk(words) => words.clone(),
            Self::NoToken => "send your token: Authorization: Bearer TOKEN".into(),
            Self::WrongToken => "nobody has this token".into(),
            Self::TooMany(seconds) => format!("too many wrong tokens: try again in {seconds} s"),
            Self::Stale => "this form is out of date: load the page again, then repeat what you did".into(),
            Self::MayNot(role) => format!("this takes the role {}", role.name()),
            Self::Refused(refusal) => refusal.words().to_owned(),
            Self::Ledger(why) => format!("the ledger does not answer: {why}"),
            Self::Page => "this page cannot be made; please report it".into(),
        }
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::NotFound(what) => Self::NotFound(format!("there is no {what}")),
            error => Self::Ledger(error.to_string()),
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
