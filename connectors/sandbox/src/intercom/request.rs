//! A request taken apart, and JSON answers.

use super::refusals::Refusal;
use super::route::Endpoint;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, Value};

/// The version that this dialect speaks.
pub(super) const VERSION: &str = "2.16";
/// What an app speaks that names no version: an older one, in which priorities have two words.
const OLDER: &str = "2.15";

/// A request with its address read.
pub(super) struct Call<'a> {
    pub(super) endpoint: Option<Endpoint>,
    request: &'a Request<Bytes>,
}

impl<'a> Call<'a> {
    pub(super) fn new(request: &'a Request<Bytes>) -> Self {
        Self { endpoint: Endpoint::of(request.method(), request.uri().path()), request }
    }

    /// The login header.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.header(AUTHORIZATION.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// Which version it asks in.
    pub(super) fn version(&self) -> Result<&'static str, Refusal> {
        match self.header("intercom-version") {
            Some(VERSION) => Ok(VERSION),
            None | Some(OLDER) => Ok(OLDER),
            Some(_) => Err(Refusal::Invalid {
                code: "intercom_version_invalid",
                message: "The requested version could not be found".into(),
            }),
        }
    }

    /// Whether it asks in a version with five words for priorities.
    pub(super) fn speaks_levels(&self) -> bool {
        self.version() == Ok(VERSION)
    }

    /// Whether it asks for bodies without HTML.
    pub(super) fn wants_plain(&self) -> bool {
        self.request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "display_as=plaintext"))
    }

    /// The body, an object that has these keys and no others.
    pub(super) fn body(&self, known: &[&str]) -> Result<Map<String, Value>, Refusal> {
        let typed = self.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json"));
        let body = if typed { serde_json::from_slice(self.request.body()).ok() } else { None };
        let Some(Value::Object(body)) = body else {
            return Err(Refusal::Invalid { code: "bad_request", message: "The body is no JSON object".into() });
        };
        match body.keys().find(|key| !known.contains(&key.as_str())) {
            // Intercom leaves out what it does not know; here a misspelt key is found.
            Some(key) => {
                Err(Refusal::Invalid { code: "parameter_invalid", message: format!("{key} is not a valid parameter") })
            }
            None => Ok(body),
        }
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// A JSON answer that all is well.
pub(super) fn ok(body: &Value) -> Result<Response<Bytes>, Refusal> {
    Ok(json(StatusCode::OK, body))
}
