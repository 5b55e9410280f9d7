//! A request taken apart, and the way to answer in JSON.

use super::refusals::Refusal;
use super::route::Endpoint;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::Value;
use url::form_urlencoded;

/// A request with its address read.
pub(super) struct Call<'a> {
    pub(super) endpoint: Option<Endpoint>,
    request: &'a Request<Bytes>,
    query: Vec<(String, String)>,
}

impl<'a> Call<'a> {
    pub(super) fn new(request: &'a Request<Bytes>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { endpoint: Endpoint::of(request.method(), request.uri().path()), request, query }
    }

    /// A parameter of the query.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that may stand in the query several times.
    pub(super) fn params<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The parameters `NAME[KEY]` of the query: key and value.
    pub(super) fn keyed<'b>(&'b self, name: &'b str) -> impl Iterator<Item = (&'b str, &'b str)> {
        self.query.iter().filter_map(move |(key, value)| {
            let key = key.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?;
            Some((key, value.as_str()))
        })
    }

    /// The same address with another page.
    pub(super) fn page_url(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.query.iter().filter(|(key, _)| key != "page" && key != "token"));
        let query = query.append_pair("page", &page.to_string()).finish();
        let path = self.request.uri().path().rsplit('/').next().unwrap_or_default();
        format!("{}/{path}?{query}", self.base())
    }

    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.request.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// The address of the API as the caller knows it.
    pub(super) fn base(&self) -> String {
        let uri = self.request.uri();
        let root = match (uri.scheme_str(), uri.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            _ => format!("http://{}", self.header(&HOST).unwrap_or("localhost")),
        };
        let site = uri.path().split("/REST/2.0").next().unwrap_or_default();
        format!("{root}{site}/REST/2.0")
    }

    /// The media type of the body, without parameters.
    pub(super) fn media_type(&self) -> &str {
        self.header(&CONTENT_TYPE).and_then(|kind| kind.split(';').next()).unwrap_or_default().trim()
    }

    pub(super) fn body(&self) -> &Bytes {
        self.request.body()
    }

    /// The body of a change.
    pub(super) fn object(&self) -> Result<serde_json::Map<String, Value>, Refusal> {
        if self.media_type() != "application/json" {
            return Err(Refusal::UnsupportedMediaType);
        }
        match serde_json::from_slice(self.body()) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Refusal::NoObject),
            Err(error) => Err(Refusal::NotJson(error.column())),
        }
    }

    /// The JSON conditions of a search: in the query, or posted.
    pub(super) fn conditions(&self) -> Result<Value, Refusal> {
        match self.param("query") {
            Some(text) => serde_json::from_str(text).map_err(|error| Refusal::NotJson(error.column())),
            None if self.body().is_empty() => Ok(Value::Null),
            None => serde_json::from_slice(self.body()).map_err(|error| Refusal::NotJson(error.column())),
        }
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    answer(status, "application/json; charset=\"utf-8\"", body.to_string())
}

/// An answer of this type.
pub(super) fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
