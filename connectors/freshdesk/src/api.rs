//! Requests: one way to send any of them. Login, the gate, and the reading of answers; nothing here knows what a ticket is.

use crate::limits::{self, UPDATE};
use crate::refusals::refusal;
use crate::wire::Id;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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
use http::header::LINK;
use http::{HeaderMap, HeaderValue, Method, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

/// The most records that a page holds (Freshdesk sheet, *Incremental read*).
pub(crate) const PAGE: usize = 100;

/// Lists longer than this are read as far as they go and count as incomplete: a hundred records each.
const MOST_PAGES: usize = 50;

/// A write to a ticket.
pub(crate) fn write(operation: &'static str, method: Method, path: String, body: Value) -> Ask {
    Ask::write(operation, method, path, body).endpoint(UPDATE)
}

/// All items of a list, as far as they were read.
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    /// Whether these are all.
    pub(crate) complete: bool,
}

/// One desk account's API.
pub(crate) struct Api {
    site: Url,
    /// Where the API's paths begin.
    base: Url,
    gate: Gate,
    key: Secret,
}

impl Api {
    pub(crate) fn new(site: Url, key: Secret, seams: Seams, limits: &[DeclaredLimit], budget: f64) -> Self {
        let mut base = site.clone();
        base.set_path("/api/v2/");
        Self { site, base, gate: Gate::new(seams, limits, budget, limits::read_headers), key }
    }

    pub(crate) fn site(&self) -> &Url {
        &self.site
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn key(&self) -> &Secret {
        &self.key
    }

    /// Sends, and reads the JSON of a success.
    pub(crate) async fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T> {
        let response = self.send(ask).await?;
        // The parser's own words could quote the text of a ticket.
        from_json(response.body()).map_err(|_| ask.malformed("the answer is not the JSON that Freshdesk documents"))
    }

    /// One page of a list, and whether there is another. A list without a `Link` header ends here if it is not full:
    /// Freshdesk leaves the header out on the last page (Freshdesk sheet, *Incremental read*).
    pub(crate) async fn page<T: DeserializeOwned>(&self, ask: &Ask, page: usize) -> Result<(Vec<T>, bool)> {
        let ask = ask.clone().query("per_page", PAGE).query("page", page);
        let response = self.send(&ask).await?;
        let items = from_json(response.body()).map_err(|_| ask.malformed("the answer is no list"))?;
        Ok((items, has_next(response.headers())))
    }

    /// Reads a list to its end, page by page.
    pub(crate) async fn list<T: DeserializeOwned>(&self, ask: &Ask) -> Result<List<T>> {
        let mut list = List { items: Vec::new(), complete: false };
        for page in 1..=MOST_PAGES {
            let (items, more) = self.page(ask, page).await?;
            list.items.extend(items);
            if !more {
                list.complete = true;
                break;
            }
        }
        Ok(list)
    }

    async fn send(&self, ask: &Ask) -> Result<Response<Bytes>> {
        let response = ask.send_with(&self.gate, &self.base, &self.key, login).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refusal(response.status(), response.body(), ask.class(), ask.operation())),
        }
    }
}

/// `KEY:X`: the password may be any text (Freshdesk sheet, *Base URL and auth*).
fn login(key: &SecretString) -> Option<HeaderValue> {
    let pair = STANDARD.encode(format!("{}:X", key.expose_secret()));
    login_header(format!("Basic {pair}"))
}

/// `Link: <https://…>; rel="next"`. The address itself is not followed: pages are asked for by number, at our own address.
fn has_next(headers: &HeaderMap) -> bool {
    let links = headers.get_all(LINK).iter().filter_map(|link| link.to_str().ok());
    links.flat_map(|link| link.split(',')).any(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))
}

/// A ticket's id as it may stand in a path.
pub(crate) fn ticket_id(ticket: &TicketId, operation: &'static str) -> Result<Id> {
    Id::of_ticket(ticket, operation, "Freshdesk")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_link_to_the_next_page_means_that_there_is_one() {
        let read = |link: &str| has_next(&HeaderMap::from_iter([(LINK, link.parse().unwrap())]));
        assert!(read("<https://acme.freshdesk.com/api/v2/tickets?page=2>; rel=\"next\""));
        assert!(read("<https://x/1>; rel=\"prev\", <https://x/3>; rel=\"next\""));
        assert!(!read("<https://x/1>; rel=\"prev\"") && !read("") && !has_next(&HeaderMap::new()));
    }

    #[test]
    fn the_key_is_the_user_and_is_never_shown() {
        let login = login(&"k3y".into()).unwrap();
        assert_eq!(STANDARD.decode(login.to_str().unwrap().strip_prefix("Basic ").unwrap()).unwrap(), b"k3y:X");
        assert!(login.is_sensitive() && !format!("{login:?}").contains("Basic"));
    }
}
