//! Requests: one way to send any of them. Login, the gate, and the reading of answers; nothing here knows what a ticket is.

use crate::config::LoginKind;
use crate::limits::{self, ACCOUNT};
use crate::login::{Login, Pass};
use crate::refusals::refusal;
use crate::wire::{self, Id, Sent};
use bytes::Bytes;
use handoffd_kit::capability::DeclaredLimit;
use handoffd_kit::desk::Write;
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::{Call, Class, Gate};
use handoffd_kit::id::TicketId;
use handoffd_kit::settings::Seams;
use handoffd_kit::text::from_json;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

/// Lists longer than this are read as far as they go and count as incomplete: a hundred records each.
const MOST_PAGES: usize = 100;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    operation: &'static str,
    endpoint: &'static str,
    ticket: Option<TicketId>,
    deadline: Timestamp,
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
        Self {
            operation,
            endpoint: ACCOUNT,
            ticket: None,
            deadline,
            class: Class::Read,
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            body: None,
            begins: None,
        }
    }

    /// A write to a ticket.
    pub(crate) fn write(operation: &'static str, method: Method, path: String, ticket: Id, body: Value) -> Self {
        let read = Self::get(operation, path, Timestamp::MAX);
        let ticket = Some(TicketId::new(ticket.to_string()));
        Self { endpoint: limits::UPDATE, ticket, class: Class::Write, method, body: Some(body), ..read }
    }

    pub(crate) fn endpoint(self, endpoint: &'static str) -> Self {
        Self { endpoint, ..self }
    }

    pub(crate) fn deadline(self, deadline: Timestamp) -> Self {
        Self { deadline, ..self }
    }

    /// It is the first call of this write, which can be held back until it leaves.
    pub(crate) fn begins(self, write: &Write) -> Self {
        Self { begins: Some(write.mark.key()), ..self }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// An error of this request that no status describes.
    pub(crate) fn malformed(&self, words: &'static str) -> DeskError {
        malformed(self.class, self.operation, words)
    }
}

/// An answer that is not what Zendesk documents: a write behind it may have been done.
pub(crate) fn malformed(class: Class, operation: &'static str, words: &'static str) -> DeskError {
    DeskError::new(DeskErrorKind::Protocol, class.after_failure(), operation).words(words)
}

/// All items of a list, as far as they were read.
pub(crate) struct List<T, U = Value> {
    pub(crate) items: Vec<T>,
    /// What came along with them.
    pub(crate) along: Vec<U>,
    /// Whether these are all.
    pub(crate) complete: bool,
}

/// One desk account's API.
pub(crate) struct Api {
    site: Url,
    gate: Gate,
    login: Login,
}

impl Api {
    pub(crate) fn new(site: Url, login: LoginKind, seams: Seams, limits: &[DeclaredLimit], budget: f64) -> Self {
        let gate = Gate::new(seams, limits, budget, limits::read_headers);
        Self { site, gate, login: Login::new(login) }
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

    pub(crate) fn login(&self) -> &Login {
        &self.login
    }

    /// Sends, and reads the JSON of a success; an answer without a body is `null`.
    pub(crate) async fn json(&self, ask: &Ask) -> Result<Value> {
        let response = self.send(ask).await?;
        if !response.status().is_success() {
            return Err(self.refused(&response, ask));
        }
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        from_json(response.body()).map_err(|_| ask.malformed("the answer is no JSON"))
    }

    /// Sends, and reads what stands in the answer under `key`.
    pub(crate) async fn one<T: DeserializeOwned>(&self, ask: &Ask, key: &str) -> Result<T> {
        let mut answer = self.json(ask).await?;
        take(&mut answer, key).ok_or_else(|| ask.malformed("the answer lacks what was asked for"))
    }

    /// Reads a list to its end, page by page.
    pub(crate) async fn list<T: DeserializeOwned>(&self, ask: &Ask, key: &str) -> Result<List<T>> {
        self.list_with::<T, Value>(ask, key, "").await
    }

    /// Reads a list to its end, page by page, with what came along under `beside`. Items that are no objects make the
    /// answer malformed.
    pub(crate) async fn list_with<T: DeserializeOwned, U: DeserializeOwned>(
        &self,
        ask: &Ask,
        key: &str,
        beside: &str,
    ) -> Result<List<T, U>> {
        let mut list = List { items: Vec::new(), along: Vec::new(), complete: false };
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = ask.clone().query("page[size]", 100);
            let page = match &after {
                Some(after) => page.query("page[after]", after),
                None => page,
            };
            let mut answer = self.json(&page).await?;
            let items: Vec<T> = take(&mut answer, key).ok_or_else(|| ask.malformed("the answer lacks its list"))?;
            list.items.extend(items);
            list.along.extend(take::<Vec<U>>(&mut answer, beside).into_iter().flatten());
            // Archived tickets come back without pages.
            let next = next_page(&answer);
            if next.is_none() || next == after {
                list.complete = next.is_none();
                return Ok(list);
            }
            after = next;
        }
        Ok(list)
    }

    async fn send(&self, ask: &Ask) -> Result<Response<Bytes>> {
        let used = self.login.secret().1.current();
        let pass = self.pass(ask).await?;
        let response = self.once(ask, &pass).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        // The token may have been revoked, have run out or been replaced: a refused request was not carried out, so it may
        // be sent again.
        if self.login.scope().is_none() && !self.login.secret().1.renew(&used, self.now()).await {
            return Ok(response);
        }
        self.login.refused(&pass);
        let pass = self.pass(ask).await?;
        self.once(ask, &pass).await
    }

    async fn once(&self, ask: &Ask, pass: &Pass) -> Result<Response<Bytes>> {
        let mut url = self.site.clone();
        url.set_path(&format!("/api/v2/{}", ask.path));
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query.iter().map(|(name, value)| (*name, value.as_str())));
        }
        let request = Request::builder().method(&ask.method).uri(url.as_str()).header(AUTHORIZATION, pass.0.clone());
        self.call(ask, request, ask.body.as_ref()).await
    }

    /// The pass to use now: an OAuth token is asked for when there is none or it grows old, by one caller at a time.
    async fn pass(&self, ask: &Ask) -> Result<Pass> {
        if let Some(pass) = self.login.pass(self.now()) {
            return Ok(pass);
        }
        let _renewing = self.login.renewing.lock().await;
        if let Some(pass) = self.login.pass(self.now()) {
            return Ok(pass);
        }
        let ask = Ask { method: Method::POST, ..Ask::get("log in", "oauth/tokens", ask.deadline) };
        let used = self.login.secret().1.current();
        match self.log_in(&ask).await {
            Err(error) if error.kind == DeskErrorKind::Unauthorized => {
                let other = self.login.secret().1.renew(&used, self.now()).await;
                if other { self.log_in(&ask).await } else { Err(error) }
            }
            answer => answer,
        }
    }

    async fn log_in(&self, ask: &Ask) -> Result<Pass> {
        let unusable = || DeskError::new(DeskErrorKind::Unauthorized, Retry::Never, "log in");
        let body = self.login.token_request().ok_or_else(unusable)?;
        let mut url = self.site.clone();
        url.set_path("/oauth/tokens");
        let response = self.call(ask, Request::builder().method(Method::POST).uri(url.as_str()), Some(&body)).await?;
        if !response.status().is_success() {
            let error = self.refused(&response, ask);
            // Whatever the words, a login that is refused is what is wrong.
            let kind = if response.status().is_client_error() { DeskErrorKind::Unauthorized } else { error.kind };
            return Err(DeskError { kind, ..error });
        }
        let answer = from_json(response.body()).unwrap_or_default();
        self.login.renewed(answer, self.now()).ok_or_else(|| ask.malformed("the answer holds no token"))
    }

    async fn call(&self, ask: &Ask, request: http::request::Builder, body: Option<&Value>) -> Result<Response<Bytes>> {
        let request = request.header(ACCEPT, "application/json").header(USER_AGENT, "handoffd");
        let (request, body) = match body {
            Some(body) => (request.header(CONTENT_TYPE, "application/json"), Bytes::from(body.to_string())),
            None => (request, Bytes::new()),
        };
        let unsendable = |_| DeskError::new(DeskErrorKind::Refused, Retry::Never, ask.operation).words("unsendable");
        let request = request.body(body).map_err(unsendable)?;
        let Ask { operation, endpoint, deadline, class, .. } = *ask;
        let (ticket, begins) = (ask.ticket.clone(), ask.begins.clone());
        let call = Call { operation, endpoint, ticket, deadline, class, begins, request };
        self.gate.call(call).await
    }

    fn refused(&self, response: &Response<Bytes>, ask: &Ask) -> DeskError {
        let mut error = refusal(response.status(), response.body(), ask.class, ask.operation);
        error.words = self.login.scrub(&error.words);
        error
    }
}

/// Takes out what stands under `key`, if it can be read.
pub(crate) fn take<T: DeserializeOwned>(answer: &mut Value, key: &str) -> Option<T> {
    serde_json::from_value(answer.get_mut(key)?.take()).ok()
}

/// Where a list goes on; none: it ended.
pub(crate) fn next_page(answer: &Value) -> Option<String> {
    let meta: wire::Meta = serde_json::from_value(answer.get("meta")?.clone()).ok()?;
    meta.after_cursor.some().filter(|_| meta.has_more == Sent::Value(true))
}

/// A ticket's id as it may stand in a path. Ids come from people and webhooks: only digits pass.
pub(crate) fn ticket_id(ticket: &TicketId, operation: &'static str) -> Result<Id> {
    Id::read(ticket.as_str()).filter(|id| id.is_record()).ok_or_else(|| {
        DeskError::new(DeskErrorKind::NotFound, Retry::Never, operation)
            .words("Zendesk's ticket ids are whole numbers")
            .next_step("Write the ticket's number as it stands in its address")
    })
}
