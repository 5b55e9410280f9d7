//! Logging in with a token, and out again.

use super::Dashboard;
use super::entry::NotIn;
use super::forms::Form;
use super::guard::{Here, through_tls};
use super::session::Sessions;
use super::trouble::Trouble;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

/// Where somebody wanted to go.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    next: String,
}

/// What the page shows.
#[derive(Serialize)]
struct Shown<'d> {
    next: &'d str,
    /// Why the last token was not taken.
    wrong: Option<String>,
    /// Whether anybody may enter at all.
    open: bool,
}

pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let next = wanted.map(|Query(wanted)| wanted.next).unwrap_or_default();
    shown(&dashboard, &next, None, StatusCode::OK)
}

fn shown(dashboard: &Dashboard, next: &str, wrong: Option<&Trouble>, status: StatusCode) -> Response {
    let data = Shown { next: inside(next), wrong: wrong.map(Trouble::words), open: dashboard.entry.is_open() };
    match dashboard.layout.render("login", &data) {
        Ok(text) => (status, Html(text)).into_response(),
        Err(trouble) => (trouble.status(), trouble.words()).into_response(),
    }
}

/// A path of ours, and nothing that leads elsewhere.
fn inside(next: &str) -> &str {
    let elsewhere = next.starts_with("//") || next.contains(['\\', '\r', '\n', '\t']);
    if next.starts_with('/') && !elsewhere && next.len() < 2_000 { next } else { "/" }
}

pub(super) async fn enter(State(dashboard): State<Dashboard>, headers: HeaderMap, form: Form) -> Response {
    let now = dashboard.web.sources().clock.now();
    let next = form.field("next");
    let person = match dashboard.entry.person(form.field("token").trim(), now) {
        Ok(person) => person,
        Err(not_in) => {
            tracing::warn!("dashboard.token_refused");
            return refused(&dashboard, next, not_in);
        }
    };
    let chance = crate::clock::unguessable().and_then(|id| Ok([id, crate::clock::unguessable()?]));
    let Ok(chance) = chance else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    tracing::info!(by = %person.name, "dashboard.logged_in");
    let id = dashboard.sessions.begin(person, chance, now);
    let cookie = dashboard.sessions.cookie(&id, through_tls(&dashboard, &headers));
    with_cookie(Redirect::to(inside(next)).into_response(), cookie)
}

fn refused(dashboard: &Dashboard, next: &str, not_in: NotIn) -> Response {
    let trouble = match not_in {
        NotIn::Wrong => Trouble::WrongToken,
        NotIn::Later(seconds) => Trouble::TooMany(seconds),
    };
    let mut response = shown(dashboard, next, Some(&trouble), trouble.status());
    if let NotIn::Later(seconds) = not_in {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn leave(State(dashboard): State<Dashboard>, here: Here, headers: HeaderMap, form: Form) -> Response {
    if !here.session.is_from_here(form.field("csrf")) {
        return dashboard.trouble(&here, &Trouble::Stale);
    }
    dashboard.sessions.end(&headers);
    with_cookie(Redirect::to("/login").into_response(), Sessions::no_cookie(through_tls(&dashboard, &headers)))
}

/// Whether the browser holds a session. A link on another site opens the login page without the cookie, which is for this
/// site alone; the page itself asks here, and goes on.
pub(super) async fn session(State(dashboard): State<Dashboard>, headers: HeaderMap) -> Response {
    let now = dashboard.web.sources().clock.now();
    Json(serde_json::json!({ "logged_in": dashboard.sessions.of(&headers, now).is_some() })).into_response()
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn logging_in_leads_to_no_other_site() {
        for good in ["/", "/reviews/h1", "/cases?q=a%2Fb"] {
            assert_eq!(inside(good), good);
        }
        for wrong in ["", "//elsewhere.example", "https://elsewhere.example", "/\\elsewhere", "javascript:x", "/\t/x"] {
            assert_eq!(inside(wrong), "/", "{wrong}");
        }
    }
}
