//! Requests: one way to send any of them. Login, the gate, and the reading of answers; nothing here knows what a ticket is.

use crate::limits::{self, ACCOUNT};
use crate::refusals::refusal;
use crate::wire::Id;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handoffd_kit::capability::DeclaredLimit;
use handoffd_kit::desk::Write;
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::{Call, Class, Gate};
use handoffd_kit::id::TicketId;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::Seams;
use handoffd_kit::text::from_json;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LINK, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

/// The most records that a page holds (Freshdesk sheet, *Incremental read*).
pub(crate) const PAGE: usize = 100;

/// Lists longer than this are read as far as they go and count as incomplete: a hundred records each.
const MOST_PAGES: usize = 50;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    operation: &'static str,
    endpoint: &'static str,
    deadline: Timestamp,
    /// Not worth sending later than this.
    latest: Timestamp,
    class: Class,
    method: Method,
    /// Below `/api/v2/`; made of literals and [`Id`]s only.
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    /// The write that it begins, by its mark's key.
    begins: Option<String>,
}

impl Ask {
    /// A read.
    pub(crate) fn get(operation: &'static str, path: impl Into<String>, deadline: Timestamp) -> Self {
        let (method, path) = (Method::GET, path.into());
        let (class, query) = (Class::Read, Vec::new());
        let latest = Timestamp::MAX;
        Self { operation, endpoint: ACCOUNT, deadline, latest, class, method, path, query, body: None, begins: None }
    }

    /// A write to a ticket.
    pub(crate) fn write(operation: &'static str, method: Method, path: String, body: Value) -> Self {
        let read = Self::get(operation, path, Timestamp::MAX);
        Self { endpoint: limits::UPDATE, class: Class::Write, method, body: Some(body), ..read }
    }

    pub(crate) fn endpoint(self, endpoint: &'static str) -> Self {
        Self { endpoint, ..self }
    }

    pub(crate) fn deadline(self, deadline: Timestamp) -> Self {
        Self { deadline, ..self }
    }

    /// For a write: how long what it rests on counts as read right before it.
    pub(crate) fn latest(self, latest: Timestamp) -> Self {
        Self { latest, ..self }
    }

    /// It is the call of this write, which can be held back until it leaves.
    pub(crate) fn begins(self, write: &Write) -> Self {
        Self { begins: Some(write.mark.key()), ..self }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// An error of this request that no status describes: a write behind it may have been done.
    pub(crate) fn malformed(&self, words: &'static str) -> DeskError {
        DeskError::new(DeskErrorKind::Protocol, self.class.after_failure(), self.operation).words(words)
    }
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
    gate: Gate,
    key: Secret,
}

impl Api {
    pub(crate) fn new(site: Url, key: Secret, seams: Seams, limits: &[DeclaredLimit], budget: f64) -> Self {
        Self { site, gate: Gate::new(seams, limits, budget, limits::read_headers), key }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.gate.seams().clock.now()
    }

    /// The deadline of calls that nobody gave one.
    pub(crate) fn soon(&self) -> Timestamp {
        self.now().saturating_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX)
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
        let used = self.key.current();
        let mut response = self.once(ask, &used).await?;
        // A refused request was not carried out: with another key it may be sent again.
        if response.status() == StatusCode::UNAUTHORIZED && self.key.renew(&used, self.now()).await {
            response = self.once(ask, &self.key.current()).await?;
        }
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refusal(response.status(), response.body(), ask.class, ask.operation)),
        }
    }

    async fn once(&self, ask: &Ask, key: &SecretString) -> Result<Response<Bytes>> {
        let mut url = self.site.clone();
        url.set_path(&format!("/api/v2/{}", ask.path));
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query.iter().map(|(name, value)| (*name, value.as_str())));
        }
        let unsendable = || DeskError::new(DeskErrorKind::Refused, Retry::Never, ask.operation).words("unsendable");
        let login = login(key).ok_or_else(unsendable)?;
        let request = Request::builder().method(&ask.method).uri(url.as_str()).header(AUTHORIZATION, login);
        let request = request.header(ACCEPT, "application/json").header(USER_AGENT, "handoffd");
        let (request, body) = match &ask.body {
            Some(body) => (request.header(CONTENT_TYPE, "application/json"), Bytes::from(body.to_string())),
            None => (request, Bytes::new()),
        };
        let request = request.body(body).map_err(|_| unsendable())?;
        let Ask { operation, endpoint, deadline, latest, class, .. } = *ask;
        let begins = ask.begins.clone();
        self.gate.call_by(Call { operation, endpoint, ticket: None, deadline, class, begins, request }, latest).await
    }
}

/// `KEY:X`: the password may be any text (Freshdesk sheet, *Base URL and auth*).
fn login(key: &SecretString) -> Option<HeaderValue> {
    let pair = STANDARD.encode(format!("{}:X", key.expose_secret()));
    let mut login = HeaderValue::try_from(format!("Basic {pair}")).ok()?;
    login.set_sensitive(true);
    Some(login)
}

/// `Link: <https://…>; rel="next"`. The address itself is not followed: pages are asked for by number, at our own address.
fn has_next(headers: &HeaderMap) -> bool {
    let links = headers.get_all(LINK).iter().filter_map(|link| link.to_str().ok());
    links.flat_map(|link| link.split(',')).any(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))
}

/// A ticket's id as it may stand in a path. Ids come from people and webhooks: only digits pass.
pub(crate) fn ticket_id(ticket: &TicketId, operation: &'static str) -> Result<Id> {
    Id::read(ticket.as_str()).filter(|id| id.is_record()).ok_or_else(|| {
        DeskError::new(DeskErrorKind::NotFound, Retry::Never, operation)
            .words("Freshdesk's ticket ids are whole numbers")
            .next_step("Write the ticket's number as it stands in its address")
    })
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
