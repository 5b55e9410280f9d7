//! Requests: one way to send any of them. Login, version, the gate, and the reading of answers; nothing here knows what a
//! conversation is.

use crate::limits;
use crate::refusals::refusal;
use crate::wire::Id;
use bytes::Bytes;
pub(crate) use handoffd_kit::ask::Ask;
use handoffd_kit::ask::login_header;
use handoffd_kit::capability::DeclaredLimit;
use handoffd_kit::error::Result;
use handoffd_kit::gate::Gate;
use handoffd_kit::id::TicketId;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::Seams;
use handoffd_kit::text::from_json;
use http::{HeaderValue, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

/// The version of the API that is spoken, on every request: without it an app's own default decides, and shapes change
/// (Intercom sheet, *Base URL and auth*).
const VERSION: (&str, &str) = ("intercom-version", "2.16");

/// One workspace's API.
pub(crate) struct Api {
    base: Url,
    gate: Gate,
    token: Secret,
}

impl Api {
    pub(crate) fn new(base: Url, token: Secret, seams: Seams, limits: &[DeclaredLimit], budget: f64) -> Self {
        Self { base, gate: Gate::new(seams, limits, budget, limits::read_headers), token }
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn token(&self) -> &Secret {
        &self.token
    }

    /// Sends, and reads the JSON of a success.
    pub(crate) async fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T> {
        let ask = ask.clone().header(VERSION.0, VERSION.1);
        let response = self.send(&ask).await?;
        // The parser's own words could quote the text of a conversation.
        from_json(response.body()).map_err(|_| ask.malformed("the answer is not the JSON that Intercom documents"))
    }

    async fn send(&self, ask: &Ask) -> Result<Response<Bytes>> {
        let response = ask.send_with(&self.gate, &self.base, &self.token, login).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refusal(response.status(), response.body(), ask.class(), ask.operation())),
        }
    }
}

fn login(token: &SecretString) -> Option<HeaderValue> {
    login_header(format!("Bearer {}", token.expose_secret()))
}

/// A conversation's id as it may stand in a path.
pub(crate) fn conversation_id(ticket: &TicketId, operation: &'static str) -> Result<Id> {
    Id::of_ticket(ticket, operation, "Intercom")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_a_bearers_and_never_shown() {
        let login = login(&"k3y".into()).unwrap();
        assert_eq!(login.to_str().unwrap(), "Bearer k3y");
        assert!(login.is_sensitive() && !format!("{login:?}").contains("k3y"));
    }
}
