//! PagerDuty, Events API v2: an incident is triggered, and resolved when somebody has acted. Repetitions under one `dedup_key`
//! are one incident.
//!
//! `https://developer.pagerduty.com/docs/events-api-v2-overview`, as of August 2026: 202; 400 is never retried; 429 and 5xx are.

use super::post::Post;
use super::{AlertError, Attempt, Channel, secret, text};
use crate::config::AlertSettings;
use crate::plan::alert::{About, Alert, AlertAct, card};
use futures::future::BoxFuture;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::SettingProblem;
use handoffd_kit::text::cut;
use handoffd_kit::transport::Transport;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;

const API: &str = "https://events.pagerduty.com";
/// The longest summary, in characters.
const SUMMARY: usize = 1_024;

struct PagerDuty {
    post: Post,
    key: Secret,
    url: SecretString,
}

pub(super) fn open(
    settings: &AlertSettings,
    transport: Arc<dyn Transport>,
) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
    let key = secret(settings, "key")?;
    let api = text(settings, "api").unwrap_or(API).trim_end_matches('/');
    let url = SecretString::from(format!("{api}/v2/enqueue"));
    Ok(Arc::new(PagerDuty { post: Post { transport, secrets: vec![key.clone()] }, key, url }))
}

impl Channel for PagerDuty {
    fn send<'a>(&'a self, alert: &'a Alert, attempt: Attempt) -> BoxFuture<'a, Result<String, AlertError>> {
        Box::pin(async move {
            let event = event(alert, self.key.current().expose_secret(), attempt.repeated);
            let answer = self.post.json(&self.url, Vec::new(), &event, attempt.now).await?;
            let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
            Ok(format!("dedup_key {}", self.post.words(body["dedup_key"].as_str().unwrap_or("unknown").as_bytes())))
        })
    }

    fn knows_repetitions(&self) -> bool {
        true
    }

    fn secrets(&self) -> Vec<(&'static str, Secret)> {
        vec![("key", self.key.clone())]
    }
}

fn event(alert: &Alert, routing_key: &str, repeated: bool) -> Value {
    let dedup_key = format!("handoffd:{}", alert.thread);
    if alert.act == AlertAct::Close {
        return json!({ "routing_key": routing_key, "event_action": "resolve", "dedup_key": dedup_key });
    }
    let card = card(alert, repeated);
    let severity = match alert.about {
        About::Unclaimed { .. } | About::Parked { .. } | About::Channel { .. } | About::Lull { .. } => "error",
        About::Handoff { .. } | About::Review { .. } | About::LostOwner { .. } => "warning",
        About::Digest { .. } | About::Test => "info",
    };
    let details: serde_json::Map<String, Value> =
        card.facts.iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "client": "handoffd",
        "payload": {
            "summary": cut(&format!("{} {}", card.title, card.mark), SUMMARY),
            "source": format!("handoffd/{}", alert.desk),
            "severity": severity,
            "timestamp": alert.at.to_string(),
            "component": alert.rule.as_str(),
            "group": alert.to.as_str(),
            "class": alert.about.occasion().map_or("test", |occasion| occasion.name()),
            "custom_details": details,
        },
    });
    let links: Vec<Value> = card.links().map(|(text, link)| json!({ "href": link, "text": text })).collect();
    if !links.is_empty() {
        event["links"] = json!(links);
    }
    event
}

#[cfg(test)]
mod tests {
    use super::super::Failure;
    use super::super::testing::{Answers, assert_json, hostile, settings};
    use super::*;
    use crate::policy::alert::ChannelKind;
    use jiff::Timestamp;

    const NOW: Attempt = Attempt { now: Timestamp::UNIX_EPOCH, repeated: false };

    #[tokio::test]
    async fn an_incident_is_triggered_and_resolved_under_one_key() {
        let answers = Answers::of([
            (202, &[][..], r#"{"status":"success","dedup_key":"handoffd:h1/handoff"}"#),
            (202, &[], r#"{"status":"success","dedup_key":"handoffd:h1/handoff"}"#),
            (400, &[], r#"{"status":"invalid event","errors":["routing_key 0123456789 is wrong"]}"#),
        ]);
        let channel = settings(ChannelKind::PagerDuty, &[("key", "0123456789")], &[]);
        let pagerduty = open(&channel, Arc::new(answers.clone())).expect("open");
        assert_eq!(pagerduty.send(&hostile(), NOW).await, Ok("dedup_key handoffd:h1/handoff".into()));
        let (to, triggered) = answers.one();
        assert_eq!(to, "https://events.pagerduty.com/v2/enqueue");
        assert_json!(triggered);
        pagerduty.send(&hostile().closing(), NOW).await.expect("resolved");
        let (_, resolved) = answers.one();
        assert_eq!(resolved["event_action"], "resolve");
        assert_eq!(resolved["dedup_key"], triggered["dedup_key"]);
        let refused = pagerduty.send(&hostile(), NOW).await.expect_err("refused");
        assert_eq!(refused.failure, Failure::Refused);
        assert!(!refused.words.contains("0123456789"), "{refused:?}");
    }
}
