//! A transport that answers as it is told, and remembers what it was asked; and alerts to send.

use crate::config::AlertSettings;
use crate::ledger::samples::{at, proposal};
use crate::plan::alert::{About, Alert, alerts};
use crate::policy::alert::{AlertPlan, ChannelKind, Occasion};
use crate::policy::proposal::{HandoffKind, Proposal};
use bytes::Bytes;
use handoffd_kit::settings::Setting;
use handoffd_kit::transport::{Bounds, Exchange, Transport, TransportError};
use http::{Request, Response};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

type Given = (VecDeque<Result<Response<Bytes>, TransportError>>, Vec<Request<Bytes>>);

/// Answers one after the other.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<Given>>);

impl Answers {
    pub(crate) fn of<'a>(answers: impl IntoIterator<Item = (u16, &'a [(&'static str, &'a str)], &'a str)>) -> Self {
        let all = Self::default();
        for (status, headers, body) in answers {
            let mut answer = Response::builder().status(status);
            for (name, value) in headers {
                answer = answer.header(*name, *value);
            }
            all.then(Ok(answer.body(Bytes::from(body.to_owned())).expect("an answer")));
        }
        all
    }

    pub(crate) fn then(&self, answer: Result<Response<Bytes>, TransportError>) {
        self.0.lock().expect("unbroken").0.push_back(answer);
    }

    pub(crate) fn asked(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.0.lock().expect("unbroken").1)
    }

    /// The only request since the last question: where it went, and its body.
    pub(crate) fn one(&self) -> (String, serde_json::Value) {
        let asked = self.asked();
        let [request] = asked.as_slice() else { panic!("one request: {asked:?}") };
        (request.uri().to_string(), serde_json::from_slice(request.body()).expect("JSON"))
    }
}

impl Transport for Answers {
    fn send(&self, request: Request<Bytes>, _: Bounds) -> Exchange<'_> {
        let mut given = self.0.lock().expect("unbroken");
        given.1.push(request);
        let answer = given.0.pop_front().unwrap_or_else(|| Err(TransportError::NotSent("no answer is left".into())));
        Box::pin(async move { answer })
    }
}

/// A channel's settings.
pub(crate) fn settings(kind: ChannelKind, keys: &[(&str, &str)], to: &[&str]) -> AlertSettings {
    let settings = keys.iter().map(|(key, value)| ((*key).to_owned(), Setting::Secret((*value).into()))).collect();
    AlertSettings { kind, settings, to: to.iter().map(|to| (*to).to_owned()).collect(), allow_private: true }
}

/// An alert about a handoff whose every value is as hostile as it can be.
pub(crate) fn hostile() -> Alert {
    let told = Occasion::ALL.map(|occasion| (occasion, vec!["room".into()])).into();
    let reason = Some("<!channel> @all *bold* [x](http://evil.example) `c` & \"q\"\n{{DATE(2026-01-01,SHORT)}}".into());
    let link = Some("https://desk.example/t/7?a=1&b=<x>|y".into());
    let alert = AlertPlan { told, link, reason, ..AlertPlan::default() };
    let proposal = Proposal { alert, ..proposal("7<b>@here", "refund", "e1", "f") };
    alerts(&proposal, "h1", &About::Handoff { kind: HandoffKind::Escalate }, 0, at(0)).remove(0).alert
}

/// A snapshot of JSON whose keys stand in one order, whatever features serde_json was built with.
macro_rules! assert_json {
    ($value:expr) => {
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!($value) })
    };
}
pub(crate) use assert_json;
