//! Webhooks in: bounded, verified and stored before the answer. What refuses one says nothing about the inside; the
//! reason is counted, by desk.

use super::Web;
use crate::intake::{HookAnswer, HookRequest};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::future::{Either, select};
use handoffd_kit::clock::Clock;
use handoffd_kit::id::DeskId;
use handoffd_kit::webhook::Refusal;
use jiff::SignedDuration;
use serde::Deserialize;
use std::pin::pin;
use std::sync::Arc;

/// How long a sender may take over its body.
const BODY_WITHIN: SignedDuration = SignedDuration::from_secs(10);
/// When a sender that was not served may come again, in seconds.
const COME_BACK: &str = "5";

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Verified: stored, known already, or nothing in it for us.
    Taken(HookAnswer),
    /// Larger than allowed.
    TooLarge,
    /// Its body did not come in time.
    Slow,
    /// Its body broke off.
    Broken,
    /// Too many at once.
    Shed,
    /// It could not be stored.
    NotStored,
}

impl Answer {
    /// The label it is counted under.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Taken(HookAnswer::Stored) => "stored",
            Self::Taken(HookAnswer::Known) => "known",
            Self::Taken(HookAnswer::Nothing) => "nothing",
            Self::Taken(HookAnswer::UnknownDesk) => "unknown_desk",
            Self::Taken(HookAnswer::Refused(refusal)) => match refusal {
                Refusal::Unsigned => "unsigned",
                Refusal::Forged => "forged",
                Refusal::Stale => "stale",
                Refusal::Malformed => "malformed",
                Refusal::NotConfigured => "not_configured",
            },
            Self::TooLarge => "too_large",
            Self::Slow => "slow",
            Self::Broken => "broken",
            Self::Shed => "shed",
            Self::NotStored => "not_stored",
        }
    }

    /// What the sender is told: the status decides whether it sends again, the words say nothing about the inside.
    fn told(self) -> (StatusCode, &'static str) {
        match self {
            Self::Taken(HookAnswer::Stored | HookAnswer::Known | HookAnswer::Nothing) => (StatusCode::OK, "ok\n"),
            Self::Taken(HookAnswer::UnknownDesk | HookAnswer::Refused(Refusal::NotConfigured)) => {
                (StatusCode::NOT_FOUND, "not found\n")
            }
            Self::Taken(HookAnswer::Refused(Refusal::Unsigned | Refusal::Forged | Refusal::Stale)) => {
                (StatusCode::UNAUTHORIZED, "refused\n")
            }
            Self::Taken(HookAnswer::Refused(Refusal::Malformed)) | Self::Broken => {
                (StatusCode::BAD_REQUEST, "not readable\n")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too large\n"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "too slow\n"),
            Self::Shed | Self::NotStored => (StatusCode::SERVICE_UNAVAILABLE, "try again later\n"),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = self.told().into_response();
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static(COME_BACK));
        }
        response
    }
}

/// What stands behind `/hooks/`.
#[derive(Deserialize)]
struct Address {
    desk: String,
    token: Option<String>,
}

/// `POST /hooks/{desk}` and `/hooks/{desk}/{token}`, and nothing else. Some vendors try an address with HEAD before they take it:
/// every one is there, and nothing is said of the desks behind them.
pub fn hooks(web: Web) -> Router {
    Router::new()
        .route("/hooks/{desk}", post(hook).head(there))
        .route("/hooks/{desk}/{token}", post(hook).head(there))
        .layer(DefaultBodyLimit::max(web.webhook_max_bytes))
        .layer(from_fn(super::methods::told))
        .with_state(web)
}

async fn there() -> StatusCode {
    StatusCode::OK
}

async fn hook(State(web): State<Web>, Path(address): Path<Address>, request: Request) -> Answer {
    let desk = DeskId::new(address.desk);
    let answer = take(&web, &desk, address.token.as_deref(), request).await;
    // A stranger's desk names are not labels: the set of labels is closed.
    let known = (answer != Answer::Taken(HookAnswer::UnknownDesk)).then_some(&desk);
    web.metrics.webhook(known, answer.label());
    match answer {
        Answer::Taken(HookAnswer::Stored) => (web.sources().wake)(),
        Answer::Taken(HookAnswer::Known | HookAnswer::Nothing | HookAnswer::UnknownDesk) => {}
        // The pipeline tries the ledger until it is well, whether or not the vendor comes again.
        Answer::NotStored => (web.sources().wake)(),
        refused => tracing::warn!(desk = %desk, reason = refused.label(), "webhook.refused"),
    }
    answer
}

async fn take(web: &Web, desk: &DeskId, path: Option<&str>, request: Request) -> Answer {
    if web.sources().desks.get(desk).is_none() {
        return Answer::Taken(HookAnswer::UnknownDesk);
    }
    if announced(request.headers()).is_some_and(|bytes| bytes > web.webhook_max_bytes) {
        return Answer::TooLarge;
    }
    let Ok(_room) = web.room.try_acquire() else { return Answer::Shed };
    let headers = request.headers().clone();
    let body = match read(&web.sources().clock, request).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let request = HookRequest { desk, path, headers: &headers, body: &body };
    match web.sources().intake.webhook(request).await {
        Ok(answer) => Answer::Taken(answer),
        Err(error) => {
            tracing::error!(desk = %desk, error = %error, "webhook.not_stored");
            Answer::NotStored
        }
    }
}

/// How many bytes the sender says will come.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads the body, bounded in bytes and time.
async fn read(clock: &Arc<dyn Clock>, request: Request) -> Result<Bytes, Answer> {
    let body = pin!(Bytes::from_request(request, &()));
    match select(body, clock.sleep_until(clock.now() + BODY_WITHIN)).await {
        Either::Left((Ok(body), _)) => Ok(body),
        Either::Left((Err(rejection), _)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Answer::TooLarge)
        }
        Either::Left((Err(_), _)) => Err(Answer::Broken),
        Either::Right(_) => Err(Answer::Slow),
    }
}
