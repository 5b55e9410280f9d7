//! One request of a channel over HTTP, and what its answer means where the vendor says nothing else: 2xx took it; 429 and 5xx
//! are tried again, not before the instant that the answer names; any other answer will not change by itself.

use super::hidden::hidden;
use super::{AlertError, Failure};
use bytes::Bytes;
use handoffd_kit::gate::retry_after;
use handoffd_kit::secret::Secret;
use handoffd_kit::text::cut;
use handoffd_kit::transport::{Bounds, Transport, TransportError};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Request, Response, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// How long a channel may take, and the largest answer that is read.
const BOUNDS: Bounds = Bounds { timeout: Duration::from_secs(15), body_bytes: 64 << 10 };
/// The most of an answer that is repeated, in bytes.
const WORDS: usize = 200;

/// What carries a channel's requests, and the secrets that its answers may repeat.
pub(super) struct Post {
    pub transport: Arc<dyn Transport>,
    pub secrets: Vec<Secret>,
}

impl Post {
    /// Posts JSON. Gives the answer if it is a success.
    pub async fn json(
        &self,
        to: &SecretString,
        headers: Vec<(HeaderName, String)>,
        body: &serde_json::Value,
        now: Timestamp,
    ) -> Result<Response<Bytes>, AlertError> {
        self.bytes(to, headers, Bytes::from(body.to_string()), now).await
    }

    /// The same with the body's very bytes, which may be signed.
    pub async fn bytes(
        &self,
        to: &SecretString,
        headers: Vec<(HeaderName, String)>,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Response<Bytes>, AlertError> {
        let misfit = |what: &str| AlertError::new(Failure::Refused, format!("{what} cannot stand in a request"));
        let mut request = Request::post(to.expose_secret())
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header(ACCEPT, "application/json, text/plain")
            .body(body)
            .map_err(|_| misfit("the address").next("correct the channel's address"))?;
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(&value).map_err(|_| misfit("a header"))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        let answer = self.transport.send(request, BOUNDS).await.map_err(|error| self.unanswered(&error))?;
        self.judged(answer, now)
    }

    fn judged(&self, answer: Response<Bytes>, now: Timestamp) -> Result<Response<Bytes>, AlertError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let words = format!("HTTP {}: {}", status.as_u16(), self.words(answer.body()));
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS => AlertError::new(Failure::Again(retry_after(answer.headers(), now)), words),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => AlertError::new(Failure::Again(None), words),
            status if status.is_server_error() => {
                AlertError::new(Failure::Again(retry_after(answer.headers(), now)), words)
            }
            status if status.is_redirection() => {
                AlertError::new(Failure::Refused, format!("{words}; redirects are not followed"))
                    .next("give the address that it redirects to")
            }
            StatusCode::GONE => AlertError::new(Failure::Gone, words)
                .next("the receiver wants no more: take the channel out, or repair it, then `handoffd parked retry`"),
            StatusCode::NOT_FOUND => AlertError::new(Failure::Refused, words)
                .next("the address is none, or not any more: give the channel its present one"),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                AlertError::new(Failure::Refused, words).next("give the channel a secret that is accepted")
            }
            _ => AlertError::new(Failure::Refused, words).next("see what the channel has against it"),
        })
    }

    /// What an answer says, in a line, without our secrets.
    pub fn words(&self, body: &[u8]) -> String {
        // Before it is cut: half a secret would be left of one that stands there.
        let text = self.without_secrets(&String::from_utf8_lossy(body));
        let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() { "no words".to_owned() } else { cut(&line, WORDS) }
    }

    fn without_secrets(&self, text: &str) -> String {
        let known: Vec<SecretString> = self.secrets.iter().flat_map(Secret::known).collect();
        hidden(text, known.iter().map(|secret| secret.expose_secret()))
    }

    fn unanswered(&self, error: &TransportError) -> AlertError {
        let failure = match error {
            TransportError::NotSent(_) => Failure::NotSent,
            TransportError::Lost(_) | TransportError::TooLarge(_) => Failure::Lost,
        };
        AlertError::new(failure, self.without_secrets(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Answers;
    use super::*;

    const URL: &str = "https://hooks.example/services/T0/B0/s3cr3t";

    fn post(answers: &Answers) -> Post {
        Post { transport: Arc::new(answers.clone()), secrets: vec![Secret::from(URL)] }
    }

    async fn answered(status: u16, headers: &[(&'static str, &str)], body: &str) -> Result<u16, AlertError> {
        let answers = Answers::of([(status, headers, body)]);
        let body = serde_json::json!({});
        let answer = post(&answers).json(&URL.into(), Vec::new(), &body, Timestamp::UNIX_EPOCH).await;
        answer.map(|answer| answer.status().as_u16())
    }

    #[tokio::test]
    async fn an_answer_says_whether_it_is_tried_again_and_when() {
        assert_eq!(answered(200, &[], "ok").await, Ok(200));
        let later = Timestamp::from_second(30).ok();
        let failure = |answer: Result<u16, AlertError>| answer.expect_err("not taken").failure;
        assert_eq!(failure(answered(429, &[("retry-after", "30")], "").await), Failure::Again(later));
        assert_eq!(failure(answered(503, &[], "").await), Failure::Again(None));
        for status in [301, 400, 401, 403, 404, 422] {
            let error = answered(status, &[], "no such hook").await.expect_err("refused");
            assert_eq!(error.failure, Failure::Refused, "{status}");
            assert!(error.words.contains("no such hook") && error.next_step.is_some(), "{error:?}");
        }
    }

    #[tokio::test]
    async fn words_are_one_bounded_line_without_the_address() {
        let body = format!("{URL}\n\u{1b}[31m /services/T0/B0/s3cr3t {}", "x".repeat(5_000));
        let error = answered(400, &[], &body).await.expect_err("refused");
        assert!(!error.words.contains("s3cr3t") && !error.words.contains(char::is_control), "{error:?}");
        assert!(error.words.len() < 300);
        // One that stands where the words are cut is hidden first.
        for spaces in 150..220 {
            let body = format!("{}{URL} and more", "x".repeat(spaces));
            let words = post(&Answers::default()).words(body.as_bytes());
            assert!(!words.contains("services") && !words.contains("s3c"), "{words}");
        }
    }
}
