//! What every request passes: it was meant for this address, it comes from no other site, it has an id, and its answer tells the
//! browser to load nothing from elsewhere. Then who asks: a session for pages, a token for `/api/v1`.

use super::Dashboard;
use super::entry::{NotIn, Person};
use super::session::Session;
use super::trouble::Trouble;
use crate::web::methods::RequestId;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;

/// Nothing is loaded from elsewhere, nothing runs that is not in this folder, and no other site shows these pages.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Said with every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not "no-referrer": browsers then send no origin with a form, and ours is asked for it.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer id of a request is not ours to repeat.
const ID_CHARS: usize = 64;

/// What every request passes.
pub(super) async fn every_request(State(dashboard): State<Dashboard>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let mut response = match meant_for_us(&dashboard, &request) {
        Ok(()) => {
            request.extensions_mut().insert(RequestId(id.clone()));
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

fn request_id(headers: &HeaderMap) -> String {
    let plain = |id: &&str| {
        !id.is_empty()
            && id.len() <= ID_CHARS
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(plain);
    let own = || crate::clock::unguessable().map_or_else(|_| "none".to_owned(), |bytes| hex::encode(&bytes[..8]));
    given.map_or_else(own, str::to_owned)
}

/// A name that leads to this machine from somebody else's page is none of ours, and what is sent from there is refused.
fn meant_for_us(dashboard: &Dashboard, request: &Request) -> Result<(), (StatusCode, &'static str)> {
    let headers = request.headers();
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let Some(host) = host.filter(|host| is_ours(dashboard, host)) else {
        return Err((StatusCode::MISDIRECTED_REQUEST, "this is not the address of this dashboard\n"));
    };
    if request.method() == Method::GET || request.method() == Method::HEAD {
        return Ok(());
    }
    let from_elsewhere = (StatusCode::FORBIDDEN, "this was sent from another site\n");
    if let Some(origin) = text(header::ORIGIN)
        && origin.split_once("://").is_none_or(|(_, from)| from != host)
    {
        return Err(from_elsewhere);
    }
    match text(HeaderName::from_static("sec-fetch-site")) {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(from_elsewhere),
    }
}

fn is_ours(dashboard: &Dashboard, host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| name.eq_ignore_ascii_case(own));
    local || dashboard.entry.host.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(host))
}

/// Whether people came through the proxy, and so through TLS.
pub(super) fn through_tls(dashboard: &Dashboard, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    dashboard.entry.host.as_deref().zip(host).is_some_and(|(own, host)| own.eq_ignore_ascii_case(host))
}

/// Somebody who is logged in, and the page they asked for.
#[derive(Clone)]
pub(super) struct Here {
    /// Their session.
    pub session: Arc<Session>,
    /// Path and query.
    pub path: String,
}

impl FromRequestParts<Dashboard> for Here {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Response> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let now = dashboard.web.sources().clock.now();
        match dashboard.sessions.of(&parts.headers, now) {
            Some(session) => Ok(Self { session, path }),
            None if parts.method == Method::GET => Err(to_login(&path)),
            None => Err((StatusCode::UNAUTHORIZED, "log in first\n").into_response()),
        }
    }
}

fn to_login(path: &str) -> Response {
    let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let to = if path == "/" || next.len() > 2_000 { "/login".to_owned() } else { format!("/login?next={next}") };
    Redirect::to(&to).into_response()
}

/// Somebody who asks `/api/v1` with their token.
pub(super) struct Caller {
    /// Who.
    pub person: Person,
    /// The id of the request.
    pub id: String,
}

impl FromRequestParts<Dashboard> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Response> {
        let id = parts.extensions.get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
        let token = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let Some(token) = token else { return Err(super::api::refused(&Trouble::NoToken, &id)) };
        match dashboard.entry.person(token, dashboard.web.sources().clock.now()) {
            Ok(person) => Ok(Self { person, id }),
            Err(NotIn::Wrong) => Err(super::api::refused(&Trouble::WrongToken, &id)),
            Err(NotIn::Later(seconds)) => Err(super::api::refused(&Trouble::TooMany(seconds), &id)),
        }
    }
}

/// No such page, and no such path of the API.
pub(super) async fn nothing_here(State(dashboard): State<Dashboard>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if parts.uri.path().starts_with("/api/") {
        return match Caller::from_request_parts(&mut parts, &dashboard).await {
            Ok(caller) => super::api::nothing_here(&caller),
            Err(refused) => refused,
        };
    }
    match Here::from_request_parts(&mut parts, &dashboard).await {
        Ok(here) => dashboard.trouble(&here, &Trouble::NotFound("there is no such page".into())),
        // Who is not logged in learns of no page.
        Err(_) => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}
