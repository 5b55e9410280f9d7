//! Logging in by OAuth client credentials. A misspelt scope is accepted, and every call then refused, as at the vendor.

use super::journal::Journal;
use super::refusal::Refusal;
use super::route::{Question, Way};
use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The confidential client.
pub const CLIENT: &str = "handoffd";
/// Its secret.
pub const SECRET: &str = "tenant-client-secret";

/// Tokens that were given out.
#[derive(Default)]
pub struct Login {
    tokens: BTreeMap<String, (Vec<String>, Timestamp)>,
    issued: u32,
}

impl Login {
    /// All tokens stop working at once.
    pub fn revoke_all(&mut self) {
        self.tokens.clear();
    }

    pub fn token(&mut self, request: &Request<Bytes>, journal: &mut Journal, now: Timestamp) -> Result<Value, Refusal> {
        let body = object(request).inspect_err(|refusal| journal.complain(format!("token: {}", refusal.body())))?;
        let known = ["grant_type", "client_id", "client_secret", "scope", "expires_in"];
        if let Some(unknown) = body.keys().find(|key| !known.contains(&key.as_str())) {
            journal.complain(format!("token: unknown key {unknown}"));
            return Err(Refusal::bad(format!("unknown key {unknown}")));
        }
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("grant_type") != "client_credentials" {
            journal.complain("token: another grant type".into());
            return Err(Refusal::bad("unsupported grant_type"));
        }
        let life = body.get("expires_in").map_or(Some(1_800), Value::as_i64).unwrap_or(0);
        if !(300..=172_800).contains(&life) {
            journal.complain("token: expires_in out of range".into());
            return Err(Refusal::bad("expires_in must be between 300 and 172800 seconds"));
        }
        if (text("client_id"), text("client_secret")) != (CLIENT, SECRET) {
            return Err(Refusal::unauthorized());
        }
        self.issued += 1;
        let token = format!("token-number-{}", self.issued);
        let scopes: Vec<String> = text("scope").split_whitespace().map(str::to_owned).collect();
        self.tokens.insert(token.clone(), (scopes, now + SignedDuration::from_secs(life)));
        Ok(json!({ "access_token": token, "token_type": "bearer", "scope": text("scope"), "expires_in": life }))
    }

    /// The scopes of a request; none: it carries no login at all.
    pub fn scope_of(&self, request: &Request<Bytes>, now: Timestamp) -> Result<Option<Vec<String>>, Refusal> {
        let Some(header) = request.headers().get(AUTHORIZATION) else { return Ok(None) };
        let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        let known = token.and_then(|token| self.tokens.get(token)).filter(|(_, until)| now < *until);
        known.map(|(scopes, _)| Some(scopes.clone())).ok_or_else(Refusal::unauthorized)
    }
}

/// Whether scopes allow a question. Audits need the global `read`.
pub fn allowed(scopes: &[String], question: &Question) -> Result<(), Refusal> {
    let has = |any: &[&str]| scopes.iter().any(|scope| any.contains(&scope.as_str()));
    let ok = match question.way {
        Way::TokenInfo => true,
        Way::Audits(_) => has(&["read"]),
        Way::Me | Way::Users | Way::Groups | Way::Assignable | Way::Members(_) => has(&["read", "users:read"]),
        Way::Organizations => has(&["read", "organizations:read"]),
        way if way.writes() => has(&["write", "tickets:write"]),
        _ => has(&["read", "tickets:read"]),
    };
    if ok { Ok(()) } else { Err(Refusal::forbidden()) }
}

/// A request's body as an object.
pub fn object(request: &Request<Bytes>) -> Result<Map<String, Value>, Refusal> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(Refusal::bad("the body must be application/json"));
    }
    match serde_json::from_slice(request.body()) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Refusal::bad("the body is no JSON object")),
    }
}
