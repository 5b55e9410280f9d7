//! A request taken apart, pages of lists, and JSON answers.

use super::refusals::Refusal;
use super::route::Endpoint;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, LINK};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, Value};

/// The largest page, the usual one, and how many of them a list of tickets has (Freshdesk sheet, *Incremental read*).
const PAGE_MAX: usize = 100;
const PAGE_USUAL: usize = 30;
const PAGES_MAX: usize = 300;

/// A request with its address read.
pub(super) struct Call<'a> {
    pub(super) endpoint: Option<Endpoint>,
    request: &'a Request<Bytes>,
    query: Vec<(String, String)>,
}

impl<'a> Call<'a> {
    pub(super) fn new(request: &'a Request<Bytes>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { endpoint: Endpoint::of(request.method(), request.uri().path()), request, query }
    }

    /// A parameter of the query.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Refuses parameters that the endpoint does not know.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.query.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            Some((key, _)) => Err(Refusal::invalid(key, "Unexpected/invalid field in request", "invalid_field")),
            None => Ok(()),
        }
    }

    /// What is to be sent along.
    pub(super) fn included(&self) -> impl Iterator<Item = &str> {
        self.param("include").unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty())
    }

    /// The login header.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok())
    }

    /// The body, an object whose keys the endpoint knows.
    pub(super) fn body(&self) -> Result<Map<String, Value>, Refusal> {
        let typed = self.request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !typed.is_some_and(|kind| kind.starts_with("application/json")) {
            return Err(Refusal::ContentType);
        }
        match serde_json::from_slice(self.request.body()) {
            Ok(Value::Object(body)) => Ok(body),
            _ => Err(Refusal::NotJson),
        }
    }

    /// One page of items, with the link to the next one in a header; none on the last page.
    pub(super) fn page<T>(
        &self,
        items: Vec<T>,
        deepest: Option<&'static str>,
        show: impl FnMut(T) -> Value,
    ) -> Result<Response<Bytes>, Refusal> {
        let number = |name: &'static str, usual: usize| match self.param(name).map(str::parse::<usize>) {
            None => Ok(usual),
            Some(Ok(number)) if number > 0 => Ok(number),
            Some(_) => Err(Refusal::invalid(name, "It should be a Positive Integer", "invalid_value")),
        };
        let (page, size) = (number("page", 1)?, number("per_page", PAGE_USUAL)?);
        if size > PAGE_MAX {
            return Err(Refusal::invalid(
                "per_page",
                "It should be a Positive Integer less than or equal to 100",
                "invalid_value",
            ));
        }
        if let Some(words) = deepest.filter(|_| page > PAGES_MAX) {
            return Err(Refusal::invalid("page", words, "invalid_value"));
        }
        let more = items.len() > page.saturating_mul(size);
        let shown: Vec<Value> = items.into_iter().skip((page - 1).saturating_mul(size)).take(size).map(show).collect();
        let mut response = json(StatusCode::OK, &Value::Array(shown));
        if more && let Ok(link) = HeaderValue::try_from(format!("<{}>; rel=\"next\"", self.page_address(page + 1))) {
            response.headers_mut().insert(LINK, link);
        }
        Ok(response)
    }

    fn page_address(&self, page: usize) -> String {
        let uri = self.request.uri();
        let host = self.request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let host = uri.authority().map_or(host, |authority| authority.as_str());
        let rest = self.query.iter().filter(|(key, _)| key != "page");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(rest).append_pair("page", &page.to_string());
        format!("{}://{host}{}?{}", uri.scheme_str().unwrap_or("http"), uri.path(), query.finish())
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
