//! Who asks, and what their token allows (Zendesk sheet, *Base URL and auth*).

use super::refusals::Refusal;
use super::request::{Call, json};
use super::route::Endpoint;
use crate::access::{Client, Grant};
use crate::ids::PersonNo;
use crate::store::Helpdesk;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fastrand::Rng;
use http::{Response, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json as value};

/// Who asks; nobody: only `users/me` answers that.
pub(super) struct Caller {
    pub(super) person: Option<PersonNo>,
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_id: String,
    client_secret: String,
    scope: String,
    expires_in: Option<i64>,
}

/// `POST /oauth/tokens`: any scope is accepted, misspelt ones too; calls fail later.
pub(super) fn token(desk: &mut Helpdesk, random: &mut Rng, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    let asked: TokenRequest = call.body()?;
    if asked.grant_type != "client_credentials" {
        return Err(Refusal::BadParameter("grant_type"));
    }
    let expires_in = asked.expires_in.unwrap_or(1800);
    if !(300..=172_800).contains(&expires_in) {
        return Err(Refusal::BadParameter("expires_in"));
    }
    let &Client { person, .. } =
        desk.access.client(&asked.client_id, &asked.client_secret).ok_or(Refusal::BadClient)?;
    let expires_at = Some(desk.now + SignedDuration::from_secs(expires_in));
    let grant = Grant { person, scope: Some(asked.scope.clone()), expires_at };
    let token = desk.access.issue(grant, random.u64(..));
    let body = value!({
        "access_token": token, "token_type": "bearer", "scope": asked.scope, "expires_in": expires_in,
    });
    Ok(json(StatusCode::OK, &body))
}

/// `GET /oauth/tokens/current.json`.
pub(super) fn current(desk: &Helpdesk, call: &Call<'_>) -> Result<Value, Refusal> {
    let token = call.authorization().and_then(|header| header.strip_prefix("Bearer "));
    let grant = token.and_then(|token| desk.access.grant(token, desk.now)).ok_or(Refusal::Unauthenticated)?;
    let scopes: Vec<&str> = grant.scope.as_deref().unwrap_or("read write").split_whitespace().collect();
    let expires_at = grant.expires_at.map(super::show::time);
    Ok(value!({ "token": { "id": grant.person, "user_id": grant.person, "scopes": scopes, "expires_at": expires_at } }))
}

/// Who asks, if they may ask for this.
pub(super) fn caller(desk: &Helpdesk, call: &Call<'_>, endpoint: Endpoint) -> Result<Caller, Refusal> {
    let Some(header) = call.authorization() else { return anonymous(endpoint) };
    let person = if let Some(token) = header.strip_prefix("Bearer ") {
        let grant = desk.access.grant(token, desk.now).ok_or(Refusal::Unauthenticated)?;
        // An API token is no bearer token.
        let scope = grant.scope.as_deref().ok_or(Refusal::Unauthenticated)?;
        if !allows(scope, endpoint) {
            return Err(Refusal::Forbidden);
        }
        grant.person
    } else {
        match basic(desk, header)? {
            Some(person) => person,
            None => return anonymous(endpoint),
        }
    };
    let person = desk.person(person).filter(|person| !person.suspended).ok_or(Refusal::Unauthenticated)?;
    if !person.role.is_staff() || (endpoint == Endpoint::Export && !person.rights.admin) {
        return Err(Refusal::Forbidden);
    }
    Ok(Caller { person: Some(person.no) })
}

fn allows(scope: &str, endpoint: Endpoint) -> bool {
    let needed = endpoint.scopes();
    needed.is_empty() || scope.split_whitespace().any(|word| needed.contains(&word))
}

/// `email/token:TOKEN`. A wrong token is refused; a wrong password is nobody, as no login is.
fn basic(desk: &Helpdesk, header: &str) -> Result<Option<PersonNo>, Refusal> {
    let decoded = header.strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok());
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(Refusal::Unauthenticated)?;
    let Some((email, token)) = decoded.split_once("/token:") else { return Ok(None) };
    let grant = desk.access.grant(token, desk.now).filter(|grant| grant.scope.is_none());
    grant.ok_or(Refusal::Unauthenticated)?;
    let person = desk.people.values().find(|person| person.email.eq_ignore_ascii_case(email));
    person.map(|person| Some(person.no)).ok_or(Refusal::Unauthenticated)
}

fn anonymous(endpoint: Endpoint) -> Result<Caller, Refusal> {
    match endpoint {
        Endpoint::Me => Ok(Caller { person: None }),
        _ => Err(Refusal::Unauthenticated),
    }
}
