//! What a form sends, and what becomes of it: checked for its session's secret, carried out, and said on the next page.

use super::Dashboard;
use super::guard::Here;
use super::orders::{Refusal, Wish};
use super::trouble::Trouble;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::collections::BTreeMap;

/// The most fields of a form.
const FIELDS: usize = 20;
/// The longest reason; the handlers of orders have the same bound.
const REASON_CHARS: usize = 2_000;

/// The fields of a form.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send a form\n").into_response());
        }
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        let fields = url::form_urlencoded::parse(&body).take(FIELDS);
        Ok(Self(fields.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()))
    }
}

impl Form {
    /// A field; empty where there is none.
    pub fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A field as it was sent; none: there is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A field that says something.
    pub fn given(&self, name: &str) -> Result<String, Trouble> {
        let none = || Trouble::Wrong(format!("say {name}: it is empty"));
        self.optional(name)?.ok_or_else(none)
    }

    /// A field that may say something.
    pub fn optional(&self, name: &str) -> Result<Option<String>, Trouble> {
        let text = self.field(name).trim();
        if text.chars().count() > REASON_CHARS {
            return Err(Trouble::Wrong(format!("{name} is longer than {REASON_CHARS} characters")));
        }
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl Dashboard {
    /// Carries out what a form decides, and says on the page `back` what came of it.
    pub async fn ordered(&self, here: &Here, form: &Form, wish: Result<Wish, Trouble>, back: &str) -> Response {
        if !here.session.is_from_here(form.field("csrf")) {
            return self.trouble(here, &Trouble::Stale);
        }
        let wish = match wish {
            Ok(wish) => wish,
            Err(trouble) => {
                here.session.say(false, trouble.words());
                return Redirect::to(back).into_response();
            }
        };
        match self.carry_out(wish, &here.session.person).await {
            Ok(words) => here.session.say(true, words),
            Err(trouble @ Trouble::Refused(Refusal::Ledger(_))) => return self.trouble(here, &trouble),
            Err(Trouble::Refused(refusal)) => here.session.say(false, refusal.words().to_owned()),
            Err(trouble) => return self.trouble(here, &trouble),
        }
        Redirect::to(back).into_response()
    }

    /// Carries it out for somebody who may decide it.
    pub async fn carry_out(&self, wish: Wish, person: &super::entry::Person) -> Result<String, Trouble> {
        let takes = wish.takes();
        if person.role < takes {
            return Err(Trouble::MayNot(takes));
        }
        // What is not there is told as such: only what is there can be in a state that forbids it.
        if let Some(handoff) = wish.review().map(str::to_owned) {
            self.reading.ask(move |ledger| ledger.handoff(&handoff).map(drop)).await?;
        }
        Ok(self.orders.give(wish, person.name.clone()).await?)
    }
}
