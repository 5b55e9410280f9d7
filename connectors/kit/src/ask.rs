//! One request to a vendor's JSON API: what it is for, where it goes, what it says, and how it passes the gate. Addresses,
//! logins and the reading of answers are the connector's.

use crate::desk::Write;
use crate::error::{DeskError, DeskErrorKind, Result, Retry};
use crate::gate::{Call, Class, Gate};
use crate::id::TicketId;
use crate::secret::Secret;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

/// The endpoint of calls that have no limit of their own.
pub const ACCOUNT: &str = "account";

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    operation: &'static str,
    endpoint: &'static str,
    ticket: Option<TicketId>,
    deadline: Timestamp,
    latest: Timestamp,
    class: Class,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<Value>,
    begins: Option<String>,
}

impl Ask {
    /// A read. `path` stands below the API's address; make it of literals and [`Id`](crate::wire::Id)s only.
    pub fn get(operation: &'static str, path: impl Into<String>, deadline: Timestamp) -> Self {
        Self {
            operation,
            endpoint: ACCOUNT,
            ticket: None,
            deadline,
            latest: Timestamp::MAX,
            class: Class::Read,
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            begins: None,
        }
    }

    /// A read whose question is posted: it changes nothing.
    pub fn post(operation: &'static str, path: impl Into<String>, body: Value, deadline: Timestamp) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(operation, path, deadline) }
    }

    /// A write. `null`: without a body.
    pub fn write(operation: &'static str, method: Method, path: impl Into<String>, body: Value) -> Self {
        let body = Some(body).filter(|body| !body.is_null());
        Self { class: Class::Write, method, body, ..Self::get(operation, path, Timestamp::MAX) }
    }

    /// Which declared limit it counts against, besides the account's.
    #[must_use]
    pub fn endpoint(self, endpoint: &'static str) -> Self {
        Self { endpoint, ..self }
    }

    /// The ticket it is about, where the vendor limits by ticket.
    #[must_use]
    pub fn of_ticket(self, ticket: TicketId) -> Self {
        Self { ticket: Some(ticket), ..self }
    }

    /// Calls that wait go in this order.
    #[must_use]
    pub fn deadline(self, deadline: Timestamp) -> Self {
        Self { deadline, ..self }
    }

    /// For a write: how long what it rests on counts as read right before it. Later it is not sent.
    #[must_use]
    pub fn latest(self, latest: Timestamp) -> Self {
        Self { latest, ..self }
    }

    /// It is the first call of this write, which can be held back until it leaves.
    #[must_use]
    pub fn begins(self, write: &Write) -> Self {
        Self { begins: Some(write.mark.key()), ..self }
    }

    /// One more parameter of the address.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// One more header: what a vendor wants on each request beside the login, such as the version of its API.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What it is for, as errors name it.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// What it does.
    pub fn class(&self) -> Class {
        self.class
    }

    /// When it should be answered.
    pub fn due(&self) -> Timestamp {
        self.deadline
    }

    /// An error of this request that no status describes.
    pub fn malformed(&self, words: &'static str) -> DeskError {
        malformed(self.class, self.operation, words)
    }

    /// Sends it through the gate to the API at `base` (whose path ends with a slash), with this login header.
    ///
    /// # Errors
    /// As [`Gate::call_by`]; a request that no address can be made of is refused.
    pub async fn send(&self, gate: &Gate, base: &Url, login: Option<HeaderValue>) -> Result<Response<Bytes>> {
        let request = self.request(base, login)?;
        let Self { operation, endpoint, deadline, latest, class, .. } = *self;
        let (ticket, begins) = (self.ticket.clone(), self.begins.clone());
        gate.call_by(Call { operation, endpoint, ticket, deadline, class, begins, request }, latest).await
    }

    /// Sends it with a secret that may be replaced while the daemon runs. A refused request was not carried out: where the secret
    /// has another value by then, it is sent once more with that one. `login` makes the header of a value; none: it cannot be one.
    ///
    /// # Errors
    /// As [`Ask::send`].
    pub async fn send_with(
        &self,
        gate: &Gate,
        base: &Url,
        secret: &Secret,
        login: impl Fn(&SecretString) -> Option<HeaderValue>,
    ) -> Result<Response<Bytes>> {
        let header = |value: &SecretString| login(value).ok_or_else(|| self.unsendable());
        let used = secret.current();
        let response = self.send(gate, base, Some(header(&used)?)).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !secret.renew(&used, gate.now()).await {
            return Ok(response);
        }
        self.send(gate, base, Some(header(&secret.current())?)).await
    }

    fn request(&self, base: &Url, login: Option<HeaderValue>) -> Result<Request<Bytes>> {
        let mut url = base.clone();
        url.set_path(&format!("{}{}", base.path(), self.path));
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query.iter().map(|(name, value)| (*name, value.as_str())));
        }
        let request = Request::builder().method(&self.method).uri(url.as_str());
        let request = request.header(ACCEPT, "application/json").header(USER_AGENT, "handoffd");
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = match login {
            Some(login) => request.header(AUTHORIZATION, login),
            None => request,
        };
        let (request, body) = match &self.body {
            Some(body) => (request.header(CONTENT_TYPE, "application/json"), Bytes::from(body.to_string())),
            None => (request, Bytes::new()),
        };
        request.body(body).map_err(|_| self.unsendable())
    }

    /// The error of a request that cannot be put on the wire.
    pub fn unsendable(&self) -> DeskError {
        DeskError::new(DeskErrorKind::Refused, Retry::Never, self.operation).words("unsendable")
    }
}

/// A login header of this text, which no log shows; none: it cannot stand in a header.
pub fn login_header(text: String) -> Option<HeaderValue> {
    let mut login = HeaderValue::try_from(text).ok()?;
    login.set_sensitive(true);
    Some(login)
}

/// An answer that is not what the vendor documents: a write behind it may have been done.
pub fn malformed(class: Class, operation: &'static str, words: &'static str) -> DeskError {
    DeskError::new(DeskErrorKind::Protocol, class.after_failure(), operation).words(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn base() -> Url {
        "https://acme.example/api/v1/".parse().unwrap()
    }

    #[test]
    fn a_request_stands_below_the_apis_address_and_carries_what_it_was_given() {
        let ask = Ask::write("tag", Method::DELETE, "tags/remove", json!({ "item": "a" })).query("o id", "1&2");
        let ask = ask.header("api-version", "7");
        let request = ask.request(&base(), Some(HeaderValue::from_static("Token token=k"))).unwrap();
        assert_eq!(request.uri(), "https://acme.example/api/v1/tags/remove?o+id=1%262");
        assert_eq!(
            (request.method(), &request.headers()[AUTHORIZATION]),
            (&Method::DELETE, &"Token token=k".parse().unwrap())
        );
        assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(request.headers()["api-version"], "7");
        assert_eq!(&request.body()[..], br#"{"item":"a"}"#);
        let bare = Ask::get("read", "tags", Timestamp::MAX).request(&base(), None).unwrap();
        let gone = Ask::write("delete", Method::DELETE, "tags/7", Value::Null).request(&base(), None).unwrap();
        assert!(gone.body().is_empty() && !gone.headers().contains_key(CONTENT_TYPE));
        assert!(bare.body().is_empty() && !bare.headers().contains_key(AUTHORIZATION));
        assert!(!bare.headers().contains_key(CONTENT_TYPE));
    }

    #[test]
    fn what_is_posted_to_ask_may_be_repeated_and_a_write_may_have_been_done() {
        let asked = Ask::post("search", "tickets/search", json!({}), Timestamp::MAX).malformed("odd");
        assert_eq!((asked.kind, asked.retry), (DeskErrorKind::Protocol, Retry::After(None)));
        assert_eq!(Ask::write("w", Method::PUT, "x", json!({})).malformed("odd").retry, Retry::Unsure);
    }

    #[test]
    fn a_login_header_is_shown_by_nothing_and_what_cannot_be_one_is_none() {
        let login = login_header("Bearer k3y".to_owned()).unwrap();
        assert!(login.is_sensitive() && !format!("{login:?}").contains("k3y"));
        assert_eq!(login_header("Bearer k\n3y".to_owned()), None);
    }
}
