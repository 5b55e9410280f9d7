//! Anybody's HTTP endpoint, signed as Standard Webhooks: the id stays over all tries, the time stamp is that of the try, and
//! while a secret is replaced both sign.
//!
//! `https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md` (state b2fa7b87).

use super::post::Post;
use super::{AlertError, Attempt, Channel, Failure, optional, secret};
use crate::config::AlertSettings;
use crate::plan::alert::{About, Alert, card, next_step};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::BoxFuture;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::SettingProblem;
use handoffd_kit::transport::Transport;
use hmac::{Hmac, KeyInit, Mac};
use http::header::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How a secret begins; what follows is the key in base 64.
const PREFIX: &str = "whsec_";
/// How long a key may be, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

struct Webhook {
    post: Post,
    url: Secret,
    secret: Secret,
    old_secret: Option<Secret>,
}

pub(super) fn open(
    settings: &AlertSettings,
    transport: Arc<dyn Transport>,
) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
    let (url, secret) = (secret(settings, "url")?, secret(settings, "secret")?);
    let old_secret = optional(settings, "old_secret");
    let keys = std::iter::once(("secret", &secret)).chain(old_secret.iter().map(|old| ("old_secret", old)));
    let wrong: Vec<SettingProblem> = keys.filter_map(|(key, secret)| misfit(key, secret)).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let secrets = [Some(url.clone()), Some(secret.clone()), old_secret.clone()].into_iter().flatten().collect();
    Ok(Arc::new(Webhook { post: Post { transport, secrets }, url, secret, old_secret }))
}

/// A secret that no receiver would take.
fn misfit(key: &str, secret: &Secret) -> Option<SettingProblem> {
    let fits = |text: &str| key_of(text).is_some().then(|| text.to_owned());
    if secret.shaped(fits).is_some() {
        return None;
    }
    let problem = "is no secret of Standard Webhooks".to_owned();
    let help = format!("write {PREFIX} and 24 to 64 random bytes in base 64: openssl rand -base64 32");
    Some(SettingProblem { key: key.to_owned(), problem, help })
}

fn key_of(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    KEY_BYTES.contains(&key.len()).then_some(key)
}

/// The signature of a body, one for each secret, the newest first. None: a secret is none.
pub fn signature<'s>(
    secrets: impl IntoIterator<Item = &'s SecretString>,
    id: &str,
    at: i64,
    body: &[u8],
) -> Option<String> {
    let one = |secret: &SecretString| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key_of(secret.expose_secret())?).ok()?;
        mac.update(format!("{id}.{at}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    let all: Option<Vec<String>> = secrets.into_iter().map(one).collect();
    all.map(|all| all.join(" "))
}

impl Channel for Webhook {
    fn send<'a>(&'a self, alert: &'a Alert, attempt: Attempt) -> BoxFuture<'a, Result<String, AlertError>> {
        Box::pin(self.posted(alert, attempt))
    }

    fn knows_repetitions(&self) -> bool {
        true
    }

    fn secrets(&self) -> Vec<(&'static str, Secret)> {
        let old = self.old_secret.iter().map(|old| ("old_secret", old.clone()));
        [("url", self.url.clone()), ("secret", self.secret.clone())].into_iter().chain(old).collect()
    }
}

impl Webhook {
    async fn posted(&self, alert: &Alert, attempt: Attempt) -> Result<String, AlertError> {
        let (id, body) = (message_id(alert), Bytes::from(body(alert).to_string()));
        let secrets: Vec<SecretString> =
            std::iter::once(&self.secret).chain(&self.old_secret).map(Secret::current).collect();
        let at = attempt.now.as_second();
        let signature = signature(&secrets, &id, at, &body).ok_or_else(|| {
            AlertError::new(Failure::Refused, "the secret is none of Standard Webhooks").next("correct the secret")
        })?;
        let header = HeaderName::from_static;
        let headers = vec![
            (header("webhook-id"), id.clone()),
            (header("webhook-timestamp"), at.to_string()),
            (header("webhook-signature"), signature),
        ];
        self.post.bytes(&self.url.current(), headers, body, attempt.now).await?;
        Ok(id)
    }
}

/// The id of an alert: the same over all its tries, without a full stop.
fn message_id(alert: &Alert) -> String {
    format!("msg_{}", hex::encode(&Sha256::digest(&alert.key)[..16]))
}

fn body(alert: &Alert) -> serde_json::Value {
    let kind = match alert.about.occasion() {
        None => match alert.about {
            About::Digest { .. } => "alert.digest".to_owned(),
            About::Channel { .. } => "alert.channel".to_owned(),
            About::Lull { .. } => "alert.lull".to_owned(),
            _ => "alert.test".to_owned(),
        },
        Some(occasion) => format!("alert.{}", occasion.name().replace('-', "_")),
    };
    let because = match &alert.about {
        About::Review { because, .. } => because.as_slice(),
        _ => &[],
    };
    let card = card(alert, false);
    if let About::Digest { lines, .. } = &alert.about {
        let data = json!({ "key": alert.key, "title": card.title, "lines": lines });
        return json!({ "type": kind, "timestamp": alert.at.to_string(), "data": data });
    }
    json!({
        "type": kind,
        "timestamp": alert.at.to_string(),
        "data": {
            "key": alert.key,
            "handoff": alert.handoff,
            "desk": alert.desk,
            "ticket": alert.ticket,
            "link": card.link,
            "rule": alert.rule,
            "from": alert.from,
            "to": alert.to,
            "title": card.title,
            "reason": alert.reason,
            "until": alert.until.as_ref().map(|until| &until.shown),
            "until_at": alert.until.as_ref().map(|until| until.at.to_string()),
            "because": because,
            "review": card.review,
            "next": next_step(alert),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Answers, assert_json, hostile, settings};
    use super::*;
    use crate::policy::alert::ChannelKind;
    use jiff::Timestamp;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OLD: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn webhook(answers: &Answers, keys: &[(&str, &str)]) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
        let keys: Vec<(&str, &str)> = [("url", "https://hooks.example/x")].iter().chain(keys).copied().collect();
        open(&settings(ChannelKind::Webhook, &keys, &[]), Arc::new(answers.clone()))
    }

    fn at(second: i64) -> Attempt {
        Attempt { now: Timestamp::from_second(second).expect("an instant"), repeated: false }
    }

    #[tokio::test]
    async fn the_id_stays_over_all_tries_and_the_time_stamp_is_the_try_s() {
        let answers = Answers::of([(500, &[][..], ""), (204, &[], "")]);
        let webhook = webhook(&answers, &[("secret", SECRET), ("old_secret", OLD)]).expect("open");
        assert_eq!(webhook.send(&hostile(), at(100)).await.expect_err("busy").failure, Failure::Again(None));
        webhook.send(&hostile(), at(160)).await.expect("taken");
        let asked = answers.asked();
        let header = |request: usize, name: &str| asked[request].headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"));
        assert!(!header(0, "webhook-id").contains('.'));
        assert_eq!((header(0, "webhook-timestamp"), header(1, "webhook-timestamp")), ("100".into(), "160".into()));
        assert_eq!(header(1, "webhook-signature").split(' ').count(), 2, "the new and the old secret sign");
        for (secret, signed) in [SECRET, OLD].iter().zip(header(1, "webhook-signature").split(' ')) {
            let expected = signature([&(*secret).into()], &header(1, "webhook-id"), 160, asked[1].body());
            assert_eq!(expected.as_deref(), Some(signed));
        }
        let body: serde_json::Value = serde_json::from_slice(asked[0].body()).expect("JSON");
        assert_json!(body);
    }

    #[tokio::test]
    async fn gone_stops_and_a_secret_that_is_none_is_refused_at_once() {
        let answers = Answers::of([(410, &[][..], "bye")]);
        let open = webhook(&answers, &[("secret", SECRET)]).expect("open");
        assert_eq!(open.send(&hostile(), at(1)).await.expect_err("gone").failure, Failure::Gone);
        for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!", ""] {
            let wrong = webhook(&answers, &[("secret", secret)]).err().expect("refused");
            assert_eq!(wrong[0].key, "secret", "{secret}");
        }
    }
}
