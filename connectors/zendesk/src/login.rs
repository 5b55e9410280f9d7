//! The login: an OAuth token that is renewed in time, or an API token that stays. Pure but for what it remembers; the
//! calls are made in `api`.

use crate::config::LoginKind;
use crate::wire;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handoffd_kit::ask::login_header;
use handoffd_kit::secret::Secret;
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// How long a token is asked for, in seconds.
const ASKED_LIFE: i64 = 7_200;
/// How long one counts whose answer does not say: the shortest default (Zendesk sheet, *Base URL and auth*).
const SHORTEST_LIFE: i64 = 1_800;
/// No token lives longer.
const LONGEST_LIFE: i64 = 172_800;

/// A desk's login.
pub(crate) struct Login {
    kind: LoginKind,
    token: Mutex<Option<Token>>,
    /// One renewal at a time.
    pub(crate) renewing: futures::lock::Mutex<()>,
}

/// What is sent as `Authorization`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pass(pub(crate) HeaderValue);

struct Token {
    access: String,
    pass: Pass,
    renew_at: Timestamp,
}

impl Login {
    pub(crate) fn new(kind: LoginKind) -> Self {
        Self { kind, token: Mutex::default(), renewing: futures::lock::Mutex::new(()) }
    }

    /// The pass to use now; none: a token must be asked for first.
    pub(crate) fn pass(&self, now: Timestamp) -> Option<Pass> {
        match &self.kind {
            LoginKind::ApiToken { .. } => self.basic(),
            LoginKind::Client { .. } => {
                let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
                token.as_ref().filter(|token| now < token.renew_at).map(|token| token.pass.clone())
            }
        }
    }

    /// The request for a new token; none: this login has nothing to renew.
    pub(crate) fn token_request(&self) -> Option<Value> {
        match &self.kind {
            LoginKind::ApiToken { .. } => None,
            LoginKind::Client { id, secret, scope } => Some(json!({
                "grant_type": "client_credentials",
                "client_id": id,
                "client_secret": secret.current().expose_secret(),
                "scope": scope,
                "expires_in": ASKED_LIFE,
            })),
        }
    }

    /// Takes over a new token, to be renewed at 80 % of its life. None: there is no token in the answer.
    pub(crate) fn renewed(&self, answer: wire::Token, now: Timestamp) -> Option<Pass> {
        let access = answer.access_token.some()?;
        let pass = sensitive(&format!("Bearer {access}"))?;
        let life = answer.expires_in.some().filter(|life| *life > 0).unwrap_or(SHORTEST_LIFE).min(LONGEST_LIFE);
        let renew_at = now.saturating_add(SignedDuration::from_secs(life * 4 / 5)).unwrap_or(Timestamp::MAX);
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Token { access, pass: pass.clone(), renew_at });
        Some(pass)
    }

    /// The secret that this login stands on.
    pub(crate) fn secret(&self) -> (&'static str, &Secret) {
        match &self.kind {
            LoginKind::Client { secret, .. } => ("login.client_secret", secret),
            LoginKind::ApiToken { token, .. } => ("login.token", token),
        }
    }

    /// Drops a pass that was refused, unless it was renewed meanwhile.
    pub(crate) fn refused(&self, pass: &Pass) {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.take_if(|token| token.pass == *pass);
    }

    /// The scopes that were asked for; none: this login has none.
    pub(crate) fn scope(&self) -> Option<&str> {
        match &self.kind {
            LoginKind::Client { scope, .. } => Some(scope),
            LoginKind::ApiToken { .. } => None,
        }
    }

    /// The text without any secret of this login, should a vendor repeat one in its words.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let access =
            self.token.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|token| token.access.clone());
        let known = self.secret().1.known();
        let texts = known.iter().map(|secret| secret.expose_secret());
        let encoded = texts.clone().filter_map(|text| self.basic_text(text));
        // The longer first: the one inside the other is then gone already.
        let secrets = encoded.chain(texts.map(str::to_owned)).chain(access);
        secrets
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(&secret, "[secret]"))
    }

    fn basic(&self) -> Option<Pass> {
        let token = self.secret().1.current();
        sensitive(&format!("Basic {}", self.basic_text(token.expose_secret())?))
    }

    fn basic_text(&self, token: &str) -> Option<String> {
        match &self.kind {
            LoginKind::ApiToken { email, .. } => Some(STANDARD.encode(format!("{email}/token:{token}"))),
            LoginKind::Client { .. } => None,
        }
    }
}

fn sensitive(text: &str) -> Option<Pass> {
    login_header(text.to_owned()).map(Pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Login {
        let secret = "s3cret".to_owned().into();
        Login::new(LoginKind::Client { id: "handoffd".into(), secret, scope: "read".into() })
    }

    fn answer(json: Value) -> wire::Token {
        serde_json::from_value(json).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_is_used_for_four_fifths_of_its_life() {
        let login = client();
        assert!(login.pass(at(0)).is_none());
        login.renewed(answer(json!({ "access_token": "abc", "expires_in": 1_000 })), at(0)).unwrap();
        assert_eq!(login.pass(at(799)).unwrap().0, "Bearer abc");
        assert!(login.pass(at(800)).is_none());
    }

    #[test]
    fn a_life_that_is_missing_or_absurd_is_not_believed() {
        for (life, still, over) in [(json!(null), 1_439, 1_440), (json!(-5), 1_439, 1_440), (json!(9e15), 1_439, 1_440)]
        {
            let login = client();
            login.renewed(answer(json!({ "access_token": "abc", "expires_in": life })), at(0)).unwrap();
            assert!(login.pass(at(still)).is_some() && login.pass(at(over)).is_none(), "{life}");
        }
        let login = client();
        login.renewed(answer(json!({ "access_token": "abc", "expires_in": i64::MAX })), at(0)).unwrap();
        assert!(login.pass(at(138_240)).is_none(), "no longer than two days");
        assert!(login.renewed(answer(json!({ "access_token": "a\nb" })), at(0)).is_none());
        assert!(login.renewed(answer(json!({})), at(0)).is_none());
    }

    #[test]
    fn a_refused_pass_is_dropped_only_while_it_is_the_present_one() {
        let login = client();
        let old = login.renewed(answer(json!({ "access_token": "old" })), at(0)).unwrap();
        login.renewed(answer(json!({ "access_token": "new" })), at(1)).unwrap();
        login.refused(&old);
        let new = login.pass(at(2)).unwrap();
        login.refused(&new);
        assert!(login.pass(at(2)).is_none());
    }

    #[test]
    fn no_secret_survives_scrubbing() {
        let login = client();
        login.renewed(answer(json!({ "access_token": "abc123" })), at(0)).unwrap();
        assert_eq!(login.scrub("bad abc123 for s3cret"), "bad [secret] for [secret]");
        let basic = Login::new(LoginKind::ApiToken { email: "a@x.example".into(), token: "tok".to_owned().into() });
        let header = basic.pass(at(0)).unwrap().0;
        assert!(header.is_sensitive());
        assert_eq!(basic.scrub(header.to_str().unwrap()), "Basic [secret]");
    }
}
