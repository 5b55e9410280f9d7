//! One request to RT's REST 2.0 and what its answer means: login header, statuses, the two forms of refusal. What a 403
//! or a sentence inside a 200 says about a ticket is for the callers to tell; here it is only read.

use bytes::Bytes;
use handoffd_kit::desk::Write;
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::{Call, Class, Gate};
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::Seams;
use handoffd_kit::text;
use handoffd_kit::transport::Bounds;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use url::form_urlencoded;

/// RT answers one connection per worker: more than two would take a small desk away from its people.
const CONCURRENCY: usize = 2;

/// With all workers busy, requests have waited for a minute and then gone well (RT sheet, *Server behaviour to plan for*).
const TIMEOUT: Duration = Duration::from_secs(120);

/// Any user agent with `Mozilla` in it would turn a 401 into a redirect (RT sheet, *Authentication*).
const AGENT: HeaderValue = HeaderValue::from_static(concat!("handoffd/", env!("CARGO_PKG_VERSION")));

/// The API of one RT account.
pub(crate) struct Api {
    gate: Gate,
    rest: String,
    token: Secret,
}

/// A request to make.
pub(crate) struct Ask<'a> {
    /// What it is for: "read head".
    pub operation: &'static str,
    /// The path below `/REST/2.0`.
    pub path: String,
    /// Its query, not yet encoded.
    pub query: Vec<(&'a str, String)>,
    /// Calls that wait go in this order.
    pub deadline: Timestamp,
    /// The write that it begins, by its mark's key.
    pub begins: Option<String>,
}

impl Ask<'_> {
    pub(crate) fn new(operation: &'static str, path: impl Into<String>, deadline: Timestamp) -> Self {
        Self { operation, path: path.into(), query: Vec::new(), deadline, begins: None }
    }

    /// It is the call of this write, which can be held back until it leaves.
    pub(crate) fn begins(self, write: &Write) -> Self {
        Self { begins: Some(write.mark.key()), ..self }
    }
}

/// What a write was answered.
#[derive(Debug)]
pub(crate) struct Written {
    /// RT's sentences for people: what it did, and what it did not.
    pub sentences: Vec<String>,
    /// The number of the transaction that was made, where RT names it.
    pub transaction: Option<u64>,
}

impl Api {
    pub(crate) fn new(base: &str, token: Secret, budget: f64, seams: Seams) -> Self {
        let bounds = Bounds { timeout: TIMEOUT, ..Bounds::default() };
        let gate = Gate::new(seams, &[], budget, |_, _| Vec::new()).concurrency(CONCURRENCY).bounds(bounds);
        Self { gate, rest: format!("{base}/REST/2.0"), token }
    }

    pub(crate) fn token(&self) -> &Secret {
        &self.token
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.gate.seams().clock.now()
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Reads JSON.
    pub(crate) async fn read<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T> {
        let operation = ask.operation;
        let response = self.exchange(ask, Method::GET, None, None, Class::Read).await?;
        from_json(response.body(), operation, Class::Read)
    }

    /// Reads a record together with its entity tag, without the quotes.
    pub(crate) async fn read_tagged(&self, ask: Ask<'_>) -> Result<(Value, String)> {
        let operation = ask.operation;
        let response = self.exchange(ask, Method::GET, None, None, Class::Read).await?;
        let json = from_json(response.body(), operation, Class::Read)?;
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned());
        match tag.filter(|tag| !tag.is_empty()) {
            Some(tag) => Ok((json, tag)),
            None => Err(protocol(operation, Class::Read, "the answer has no entity tag")),
        }
    }

    /// Changes a record, if it is still at `version`. A 200 proves nothing: read the sentences, then the record.
    pub(crate) async fn put(&self, ask: Ask<'_>, body: &Value, version: &str) -> Result<Written> {
        let operation = ask.operation;
        let response = self.exchange(ask, Method::PUT, Some(body), Some(version), Class::Write).await?;
        let sentences = from_json(response.body(), operation, Class::Write)?;
        Ok(Written { sentences, transaction: None })
    }

    /// Posts a message. No version goes with it: RT answers 412 to any (RT sheet, *Notes and replies*).
    pub(crate) async fn post(&self, ask: Ask<'_>, body: &Value) -> Result<Written> {
        let operation = ask.operation;
        let response = self.exchange(ask, Method::POST, Some(body), None, Class::Write).await?;
        if response.status() != StatusCode::CREATED {
            return Err(protocol(operation, Class::Write, "the answer does not say that something was made"));
        }
        let location = response.headers().get(LOCATION).and_then(|at| at.to_str().ok());
        let transaction = location.and_then(|at| at.rsplit_once("/transaction/")?.1.parse().ok());
        if transaction.is_none() {
            return Err(protocol(operation, Class::Write, "the answer names no transaction"));
        }
        // What was made is proven by its address; the sentences are for people.
        let sentences = text::from_json(response.body()).unwrap_or_default();
        Ok(Written { sentences, transaction })
    }

    async fn exchange(
        &self,
        ask: Ask<'_>,
        method: Method,
        body: Option<&Value>,
        version: Option<&str>,
        class: Class,
    ) -> Result<Response<Bytes>> {
        let operation = ask.operation;
        let mut used = self.token.current();
        let mut tries = 0;
        let response = loop {
            let request = self.request(&ask.path, &ask.query, method.clone(), body, version, &used);
            let request = request.map_err(|_| {
                let words = "this cannot be written as an address";
                DeskError::new(DeskErrorKind::Refused, Retry::Never, operation).words(words)
            })?;
            let (deadline, begins) = (ask.deadline, ask.begins.clone());
            let call = Call { operation, endpoint: "account", ticket: None, deadline, class, begins, request };
            let response = self.gate.call(call).await?;
            tries += 1;
            // Refused before anything was done: with another token it may be sent again.
            let refused = response.status() == StatusCode::UNAUTHORIZED && tries == 1;
            if !refused || !self.token.renew(&used, self.now()).await {
                break response;
            }
            used = self.token.current();
        };
        if response.status().is_success() { Ok(response) } else { Err(refused(&response, operation, class)) }
    }

    fn request(
        &self,
        path: &str,
        query: &[(&str, String)],
        method: Method,
        body: Option<&Value>,
        version: Option<&str>,
        token: &SecretString,
    ) -> http::Result<Request<Bytes>> {
        let mut address = format!("{}{path}", self.rest);
        if !query.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            address = format!("{address}?{query}");
        }
        let mut request = Request::builder().method(method).uri(address);
        request = request.header(AUTHORIZATION, login(token)?).header(USER_AGENT, AGENT);
        request = request.header(ACCEPT, "application/json").header(ACCEPT_LANGUAGE, "en");
        if let Some(version) = version {
            request = request.header(IF_MATCH, format!("\"{version}\""));
        }
        match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Bytes::from(body.to_string())),
            None => request.body(Bytes::new()),
        }
    }
}

fn login(token: &SecretString) -> http::Result<HeaderValue> {
    let mut login = HeaderValue::try_from(format!("token {}", token.expose_secret()))?;
    login.set_sensitive(true);
    Ok(login)
}

/// One part of a path, with everything escaped that could end it.
pub(crate) fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

pub(crate) fn protocol(operation: &'static str, class: Class, words: &str) -> DeskError {
    DeskError::new(DeskErrorKind::Protocol, class.after_failure(), operation).words(words)
}

fn from_json<T: DeserializeOwned>(body: &[u8], operation: &'static str, class: Class) -> Result<T> {
    // The parser's own words could quote the text of a ticket.
    text::from_json(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        protocol(operation, class, &format!("the answer is not what RT documents ({place} of {} bytes)", body.len()))
    })
}

/// RT's own words in a refusal: always `{"message": …}`; anything else was not written by RT.
fn message(body: &[u8]) -> Option<String> {
    let json: Value = text::from_json(body).ok()?;
    Some(json.get("message")?.as_str()?.trim().to_owned())
}

/// A refusal by status (RT sheet, *Authentication*, *Reading a ticket*, *Changing*, *Notes and replies*).
fn refused(response: &Response<Bytes>, operation: &'static str, class: Class) -> DeskError {
    use DeskErrorKind::{Conflict, Forbidden, NotFound, Protocol, Refused, Unauthorized, Unavailable};
    let status = response.status();
    let words = message(response.body());
    let denied = words.as_deref().is_some_and(|words| words.starts_with("Permission Denied"));
    let (kind, retry, step) = match status.as_u16() {
        300..400 => (
            Protocol,
            Retry::After(None),
            Some("set `url` to the address that people end up at; redirects are not followed with a login"),
        ),
        401 => (
            Unauthorized,
            Retry::Never,
            Some("make a new token for handoffd's user in RT and put it where `login.token` points"),
        ),
        403 => (Forbidden, Retry::Never, Some("run `handoffd check --online`: it names the missing rights")),
        400 if denied => (Forbidden, Retry::Never, Some("run `handoffd check --online`: it names the missing rights")),
        404 => (NotFound, Retry::Never, None),
        412 => (Conflict, Retry::Never, None),
        408 | 500.. => (Unavailable, class.after_failure(), None),
        _ => (Refused, Retry::Never, None),
    };
    let words = words.unwrap_or_else(|| "(the answer is not one of RT's own)".into());
    let error = DeskError::new(kind, retry, operation).status(status.as_u16()).words(words);
    match step {
        Some(step) => error.next_step(step),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str, class: Class) -> DeskError {
        let response = Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        refused(&response, "test", class)
    }

    #[test]
    fn each_refusal_of_the_sheet_has_its_kind_and_whether_to_try_again() {
        use DeskErrorKind::*;
        let again = Retry::After(None);
        for (status, body, class, kind, retry) in [
            (401, r#"{"message":"Unauthorized"}"#, Class::Read, Unauthorized, Retry::Never),
            (302, "", Class::Write, Protocol, again),
            (403, r#"{"message":"Forbidden"}"#, Class::Read, Forbidden, Retry::Never),
            (404, r#"{"message":"Not Found"}"#, Class::Read, NotFound, Retry::Never),
            (400, r#"{"message":"Permission Denied"}"#, Class::Write, Forbidden, Retry::Never),
            (400, r#"{"message":"JSON parse error: x"}"#, Class::Write, Refused, Retry::Never),
            (412, r#"{"message":"Precondition Failed"}"#, Class::Write, Conflict, Retry::Never),
            (415, "", Class::Write, Refused, Retry::Never),
            (500, r#"{"message":"Internal Server Error"}"#, Class::Read, Unavailable, again),
            (500, r#"{"message":"Internal Server Error"}"#, Class::Write, Unavailable, Retry::Unsure),
            (501, "", Class::Write, Unavailable, Retry::Unsure),
            (502, "<html>Bad gateway</html>", Class::Read, Unavailable, again),
            (504, "", Class::Write, Unavailable, Retry::Unsure),
        ] {
            let error = answer(status, body, class);
            assert_eq!((error.kind, error.retry), (kind, retry), "{status} {body}");
            assert!(!error.words.contains('<'), "a stranger's page is not quoted: {}", error.words);
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_quoted() {
        let read: Result<Vec<String>> = from_json(br#"{"secret text": 1}"#, "test", Class::Write);
        let error = read.unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::Unsure));
        assert!(!error.words.contains("secret"), "{error}");
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        assert_eq!(segment("marta@northwind.test"), "marta@northwind.test");
        assert_eq!(segment("../queue/7?x#y z"), "..%2Fqueue%2F7%3Fx%23y%20z");
        assert_eq!(segment("Jörg"), "J%C3%B6rg");
    }
}
