//! Requests: one way to send any of them. Login, the gate, and the reading of answers; nothing here knows what an issue is.

use crate::config::is_key;
use crate::limits::{self, WRITE};
use crate::refusals::{inside, refusal};
use crate::wire::Id;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
pub(crate) use handoffd_kit::ask::Ask;
use handoffd_kit::ask::login_header;
use handoffd_kit::capability::DeclaredLimit;
use handoffd_kit::error::{DeskError, DeskErrorKind, Result};
use handoffd_kit::gate::Gate;
use handoffd_kit::id::TicketId;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::Seams;
use handoffd_kit::text::from_json;
use http::{HeaderValue, Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

/// The most records that are asked for at once.
pub(crate) const PAGE: usize = 100;

/// Lists longer than this are read as far as they go.
pub(crate) const MOST_PAGES: usize = 50;

/// One site's API.
pub(crate) struct Api {
    base: Url,
    gate: Gate,
    email: String,
    token: Secret,
}

/// A path of the platform API.
pub(crate) fn platform(path: &str) -> String {
    format!("rest/api/3/{path}")
}

/// A path of the service desk API.
pub(crate) fn service_desk(path: &str) -> String {
    format!("rest/servicedeskapi/{path}")
}

/// A write to an issue.
pub(crate) fn write(operation: &'static str, method: Method, path: String, body: Value, issue: Id) -> Ask {
    Ask::write(operation, method, path, body).endpoint(WRITE).of_ticket(TicketId::new(issue.to_string()))
}

impl Api {
    pub(crate) fn new(
        base: Url,
        email: String,
        token: Secret,
        seams: Seams,
        limits: &[DeclaredLimit],
        budget: f64,
    ) -> Self {
        Self { base, gate: Gate::new(seams, limits, budget, limits::read_headers), email, token }
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn token(&self) -> &Secret {
        &self.token
    }

    /// Sends, and reads the JSON of a success.
    pub(crate) async fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T> {
        let read = self.json_or_nothing(ask).await?;
        read.ok_or_else(|| ask.malformed("the answer is empty"))
    }

    /// The same where an answer may have no body: 204.
    pub(crate) async fn json_or_nothing<T: DeserializeOwned>(&self, ask: &Ask) -> Result<Option<T>> {
        let response = self.send(ask).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        // The parser's own words could quote the text of a ticket.
        let odd = |_| ask.malformed("the answer is not the JSON that Jira documents");
        let raw: Value = from_json(response.body()).map_err(odd)?;
        if inside(&raw) {
            return Err(self.refused(ask, StatusCode::BAD_REQUEST, &response));
        }
        serde_json::from_value(raw).map(Some).map_err(odd)
    }

    async fn send(&self, ask: &Ask) -> Result<Response<Bytes>> {
        let response = ask.send_with(&self.gate, &self.base, &self.token, |token| login(&self.email, token)).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(self.refused(ask, response.status(), &response)),
        }
    }

    fn refused(&self, ask: &Ask, status: StatusCode, response: &Response<Bytes>) -> DeskError {
        refusal(status, response, ask.class(), ask.operation(), self.gate.now())
    }
}

/// Mail address and API token (Jira Service Management sheet, *Base URL and auth*).
fn login(email: &str, token: &SecretString) -> Option<HeaderValue> {
    let pair = STANDARD.encode(format!("{email}:{}", token.expose_secret()));
    login_header(format!("Basic {pair}"))
}

/// An issue's id as it may stand in a path: the number that stays when an issue moves to another project, not its key.
pub(crate) fn issue_id(ticket: &TicketId, operation: &'static str) -> Result<Id> {
    Id::of_ticket(ticket, operation, "Jira").map_err(|error| {
        error.next_step(
            "Write the issue's id: `handoffd explain` shows it for a key; a key is another one once the issue moved",
        )
    })
}

/// An issue as a person names it: by its id or its present key.
pub(crate) fn issue_named(ticket: &TicketId, operation: &'static str) -> Result<String> {
    let text = ticket.as_str();
    let key = text.rsplit_once('-').is_some_and(|(project, number)| {
        is_key(project) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if key { Ok(text.to_owned()) } else { issue_id(ticket, operation).map(|id| id.to_string()) }
}

/// Whether an error says that there is no such thing, or that it may not be seen.
pub(crate) fn is_absent(error: &DeskError) -> bool {
    matches!(error.kind, DeskErrorKind::NotFound | DeskErrorKind::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_token_are_sent_together_and_never_shown() {
        let login = login("a@b.example", &"k3y".into()).unwrap();
        assert_eq!(
            STANDARD.decode(login.to_str().unwrap().strip_prefix("Basic ").unwrap()).unwrap(),
            b"a@b.example:k3y"
        );
        assert!(login.is_sensitive() && !format!("{login:?}").contains("Basic"));
    }

    #[test]
    fn people_may_name_an_issue_by_its_key_and_nothing_else_can_leave_its_place_in_a_path() {
        let named = |text: &str| issue_named(&text.into(), "x").ok();
        assert_eq!((named("HELP-812").as_deref(), named("10412").as_deref()), (Some("HELP-812"), Some("10412")));
        for odd in ["help-812", "HELP-", "HELP-8/1", "../x", "", "HELP-8?x", "-1", "0", "HELP-8-x", "٧"] {
            assert_eq!(named(odd), None, "{odd}");
        }
    }
}
