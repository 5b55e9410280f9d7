//! Requests: one way to send any of them. Login, the gate, and the reading of answers; nothing here knows what a ticket is.

use crate::config::LoginKind;
use crate::limits::{self, UPDATE};
use crate::login::{Login, Pass};
use crate::refusals::refusal;
use crate::wire::{self, Id, Sent};
use bytes::Bytes;
pub(crate) use handoffd_kit::ask::{Ask, malformed};
use handoffd_kit::capability::DeclaredLimit;
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::Gate;
use handoffd_kit::id::TicketId;
use handoffd_kit::settings::Seams;
use handoffd_kit::text::from_json;
use http::{Method, Response, StatusCode};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

/// Lists longer than this are read as far as they go and count as incomplete: a hundred records each.
const MOST_PAGES: usize = 100;

/// A write to a ticket.
pub(crate) fn write(operation: &'static str, method: Method, path: String, ticket: Id, body: Value) -> Ask {
    Ask::write(operation, method, path, body).endpoint(UPDATE).of_ticket(TicketId::new(ticket.to_string()))
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
    /// Where the API's paths begin.
    base: Url,
    gate: Gate,
    login: Login,
}

impl Api {
    pub(crate) fn new(site: Url, login: LoginKind, seams: Seams, limits: &[DeclaredLimit], budget: f64) -> Self {
        let gate = Gate::new(seams, limits, budget, limits::read_headers);
        let mut base = site.clone();
        base.set_path("/api/v2/");
        Self { site, base, gate, login: Login::new(login) }
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
        if self.login.scope().is_none() && !self.login.secret().1.renew(&used, self.gate.now()).await {
            return Ok(response);
        }
        self.login.refused(&pass);
        let pass = self.pass(ask).await?;
        self.once(ask, &pass).await
    }

    async fn once(&self, ask: &Ask, pass: &Pass) -> Result<Response<Bytes>> {
        ask.send(&self.gate, &self.base, Some(pass.0.clone())).await
    }

    /// The pass to use now: an OAuth token is asked for when there is none or it grows old, by one caller at a time.
    async fn pass(&self, ask: &Ask) -> Result<Pass> {
        if let Some(pass) = self.login.pass(self.gate.now()) {
            return Ok(pass);
        }
        let _renewing = self.login.renewing.lock().await;
        if let Some(pass) = self.login.pass(self.gate.now()) {
            return Ok(pass);
        }
        let used = self.login.secret().1.current();
        match self.log_in(ask.due()).await {
            Err(error) if error.kind == DeskErrorKind::Unauthorized => {
                let other = self.login.secret().1.renew(&used, self.gate.now()).await;
                if other { self.log_in(ask.due()).await } else { Err(error) }
            }
            answer => answer,
        }
    }

    async fn log_in(&self, deadline: Timestamp) -> Result<Pass> {
        let unusable = || DeskError::new(DeskErrorKind::Unauthorized, Retry::Never, "log in");
        let body = self.login.token_request().ok_or_else(unusable)?;
        let ask = Ask::post("log in", "oauth/tokens", body, deadline);
        let response = ask.send(&self.gate, &self.site, None).await?;
        if !response.status().is_success() {
            let error = self.refused(&response, &ask);
            // Whatever the words, a login that is refused is what is wrong.
            let kind = if response.status().is_client_error() { DeskErrorKind::Unauthorized } else { error.kind };
            return Err(DeskError { kind, ..error });
        }
        let answer = from_json(response.body()).unwrap_or_default();
        self.login.renewed(answer, self.gate.now()).ok_or_else(|| ask.malformed("the answer holds no token"))
    }

    fn refused(&self, response: &Response<Bytes>, ask: &Ask) -> DeskError {
        let mut error = refusal(response.status(), response.body(), ask.class(), ask.operation());
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

/// A ticket's id as it may stand in a path.
pub(crate) fn ticket_id(ticket: &TicketId, operation: &'static str) -> Result<Id> {
    Id::of_ticket(ticket, operation, "Zendesk")
}
