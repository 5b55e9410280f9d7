//! Requests: one way to send any of them. Login, the gate, and the reading of answers; nothing here knows what a ticket is.

use crate::limits::CONCURRENCY;
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
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use url::Url;

/// The most records that a page of any list holds (Zammad sheet, *Incremental read*).
pub(crate) const PAGE: usize = 100;

/// Lists longer than this are read as far as they go: a hundred records each.
const MOST_PAGES: usize = 50;

/// One Zammad's API.
pub(crate) struct Api {
    site: Url,
    /// Where the API's paths begin.
    base: Url,
    gate: Gate,
    token: Secret,
}

impl Api {
    pub(crate) fn new(site: Url, token: Secret, seams: Seams, limits: &[DeclaredLimit], budget: f64) -> Self {
        let mut base = site.clone();
        base.set_path("/api/v1/");
        let gate = Gate::new(seams, limits, budget, |_, _| Vec::new()).concurrency(CONCURRENCY);
        Self { site, base, gate, token }
    }

    pub(crate) fn site(&self) -> &Url {
        &self.site
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn token(&self) -> &Secret {
        &self.token
    }

    /// Sends, and reads the JSON of a success.
    pub(crate) async fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T> {
        let response = self.send(ask).await?;
        // The parser's own words could quote the text of a ticket.
        from_json(response.body()).map_err(|_| ask.malformed("the answer is not the JSON that Zammad documents"))
    }

    /// Reads a list to its end, page by page. Some lists may take no pages and answer with all of it each time: a page
    /// with nothing new ends it.
    pub(crate) async fn list<T: DeserializeOwned>(&self, ask: &Ask) -> Result<Vec<T>> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for page in 1..=MOST_PAGES {
            let raws: Vec<Value> = self.json(&ask.clone().query("page", page).query("per_page", PAGE)).await?;
            let full = raws.len() >= PAGE;
            let before = all.len();
            for raw in raws {
                let id = raw.get("id").and_then(|id| Id::deserialize(id).ok());
                if id.is_some_and(|id| seen.insert(id)) {
                    all.push(serde_json::from_value(raw).map_err(|_| ask.malformed("a record is no object"))?);
                }
            }
            if !full || all.len() == before {
                break;
            }
        }
        Ok(all)
    }

    async fn send(&self, ask: &Ask) -> Result<Response<Bytes>> {
        let response = ask.send_with(&self.gate, &self.base, &self.token, login).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refusal(response.status(), response.body(), ask.class(), ask.operation())),
        }
    }
}

/// `Token token=…` (Zammad sheet, *Base URL and auth*).
fn login(token: &SecretString) -> Option<HeaderValue> {
    login_header(format!("Token token={}", token.expose_secret()))
}

/// A ticket's id as it may stand in a path: not the number that people read, which is longer.
pub(crate) fn ticket_id(ticket: &TicketId, operation: &'static str) -> Result<Id> {
    Id::of_ticket(ticket, operation, "Zammad")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_sent_in_zammads_form_and_never_shown() {
        let login = login(&"k3y".into()).unwrap();
        assert_eq!(login.to_str().unwrap(), "Token token=k3y");
        assert!(login.is_sensitive() && !format!("{login:?}").contains("k3y"));
    }
}
