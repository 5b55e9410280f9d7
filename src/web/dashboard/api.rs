//! `/api/v1`: what the pages show, and what persons decide there, as JSON for whoever sends a token. Each answer has the id of
//! its request, the caller's own where it sent one (`x-request-id`).

use super::Dashboard;
use super::cases::Search;
use super::guard::Caller;
use super::orders::{Target, Wish};
use super::trouble::Trouble;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(super) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/api/v1/openapi.json", get(description))
        .route("/api/v1/now", get(now))
        .route("/api/v1/reviews", get(reviews))
        .route("/api/v1/reviews/{id}", get(review))
        .route("/api/v1/reviews/{id}/approve", post(approve))
        .route("/api/v1/reviews/{id}/reject", post(reject))
        .route("/api/v1/reviews/{id}/edit", post(edit))
        .route("/api/v1/cases", get(cases))
        .route("/api/v1/cases/{desk}/{ticket}", get(case))
        .route("/api/v1/parked", get(parked))
        .route("/api/v1/parked/retry", post(retry))
        .route("/api/v1/parked/drop", post(give_up))
        .route("/api/v1/policy", get(policy))
}

/// No such thing, told as everything else is.
pub(super) fn nothing_here(caller: &Caller) -> Response {
    refused(&Trouble::NotFound("there is no such path: GET /api/v1/openapi.json lists them".into()), &caller.id)
}

/// All of it, as OpenAPI.
pub const OPENAPI: &str = include_str!("openapi.json");

async fn description(_: Caller) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// An answer, or why there is none.
fn answer<T: Serialize>(caller: &Caller, data: Result<T, Trouble>) -> Response {
    match data {
        Ok(data) => Json(data).into_response(),
        Err(trouble) => refused(&trouble, &caller.id),
    }
}

/// Why there is no answer.
pub(super) fn refused(trouble: &Trouble, request_id: &str) -> Response {
    #[derive(Serialize)]
    struct Refused<'d> {
        error: &'static str,
        words: String,
        request_id: &'d str,
    }
    let body = Json(Refused { error: trouble.word(), words: trouble.words(), request_id });
    let mut response = (trouble.status(), body).into_response();
    if let Trouble::TooMany(seconds) = trouble {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

async fn now(State(dashboard): State<Dashboard>, caller: Caller) -> Response {
    answer(&caller, super::now::data(&dashboard).await)
}

async fn reviews(State(dashboard): State<Dashboard>, caller: Caller) -> Response {
    answer(&caller, super::reviews::data(&dashboard).await)
}

async fn review(State(dashboard): State<Dashboard>, caller: Caller, Path(id): Path<String>) -> Response {
    answer(&caller, super::reviews::one(&dashboard, &id).await)
}

async fn cases(
    State(dashboard): State<Dashboard>,
    caller: Caller,
    search: Result<Query<Search>, QueryRejection>,
) -> Response {
    let data = match search {
        Ok(Query(search)) => super::cases::data(&dashboard, search).await,
        Err(_) => Err(Trouble::Wrong("this search cannot be read".into())),
    };
    answer(&caller, data)
}

async fn case(
    State(dashboard): State<Dashboard>,
    caller: Caller,
    Path((desk, ticket)): Path<(String, String)>,
) -> Response {
    answer(&caller, super::cases::one(&dashboard, desk, ticket).await)
}

async fn parked(State(dashboard): State<Dashboard>, caller: Caller) -> Response {
    answer(&caller, super::parked::data(&dashboard).await)
}

async fn policy(State(dashboard): State<Dashboard>, caller: Caller) -> Response {
    answer(&caller, super::policy::data(&dashboard).await)
}

/// What was done.
#[derive(Serialize)]
struct Done {
    said: String,
}

async fn order(dashboard: &Dashboard, caller: &Caller, wish: Result<Wish, Trouble>) -> Response {
    let done = match wish {
        Ok(wish) => dashboard.carry_out(wish, &caller.person).await,
        Err(trouble) => Err(trouble),
    };
    answer(caller, done.map(|said| Done { said }))
}

/// Why something is decided.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Why {
    reason: Option<String>,
}

/// Why a yes is said, and to which of several teams.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Yes {
    reason: Option<String>,
    to: Option<String>,
}

type Sent<T> = Result<Json<T>, JsonRejection>;

fn sent<T>(sent: Sent<T>) -> Result<T, Trouble> {
    sent.map(|Json(body)| body).map_err(|rejection| Trouble::Wrong(rejection.body_text()))
}

fn reason(why: Why) -> Result<String, Trouble> {
    why.reason.ok_or_else(|| Trouble::Wrong("say why: {\"reason\": \"…\"}".into()))
}

async fn approve(
    State(dashboard): State<Dashboard>,
    caller: Caller,
    Path(handoff): Path<String>,
    yes: Sent<Yes>,
) -> Response {
    let wish = sent(yes).map(|Yes { reason, to }| Wish::Approve { handoff, reason, to });
    order(&dashboard, &caller, wish).await
}

async fn reject(
    State(dashboard): State<Dashboard>,
    caller: Caller,
    Path(handoff): Path<String>,
    why: Sent<Why>,
) -> Response {
    let wish = sent(why).and_then(reason).map(|reason| Wish::Reject { handoff, reason });
    order(&dashboard, &caller, wish).await
}

/// Other words for parts of a package.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wording {
    /// The version that was shown.
    of: u32,
    /// By the names of the parts.
    parts: BTreeMap<String, String>,
}

async fn edit(
    State(dashboard): State<Dashboard>,
    caller: Caller,
    Path(handoff): Path<String>,
    wording: Sent<Wording>,
) -> Response {
    let wish = sent(wording).and_then(|Wording { of, parts }| super::edits::wish(handoff, of, parts));
    order(&dashboard, &caller, wish).await
}

/// What is parked: an effect, a case, or a desk that is not configured.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct About {
    handoff: Option<String>,
    number: Option<u32>,
    desk: Option<String>,
    ticket: Option<String>,
    reason: Option<String>,
}

impl About {
    fn target(self) -> Result<(Target, Why), Trouble> {
        let target = match (self.handoff, self.number, self.desk, self.ticket) {
            (Some(handoff), Some(number), None, None) => Target::Effect { handoff, number },
            (None, None, Some(desk), Some(ticket)) => Target::Case { desk, ticket },
            (None, None, Some(desk), None) => Target::Desk { desk },
            _ => {
                let words = "name handoff and number, desk and ticket, or a desk that is not configured";
                return Err(Trouble::Wrong(words.into()));
            }
        };
        Ok((target, Why { reason: self.reason }))
    }
}

async fn retry(State(dashboard): State<Dashboard>, caller: Caller, about: Sent<About>) -> Response {
    let wish = sent(about).and_then(About::target).map(|(target, _)| Wish::Retry(target));
    order(&dashboard, &caller, wish).await
}

async fn give_up(State(dashboard): State<Dashboard>, caller: Caller, about: Sent<About>) -> Response {
    let wish = sent(about).and_then(About::target);
    let wish = wish.and_then(|(target, why)| Ok(Wish::Drop { target, reason: reason(why)? }));
    order(&dashboard, &caller, wish).await
}
