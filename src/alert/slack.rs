//! Slack: an incoming webhook, or a bot's `chat.postMessage` where a token is given.
//!
//! `https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks` and `…/reference/methods/chat.postMessage`, as
//! of 2026: a webhook answers `ok` as text; the method answers 200 also for errors, with `ok: false` and a word.

use super::post::Post;
use super::{AlertError, Attempt, Channel, Failure, optional, secret, text};
use crate::config::AlertSettings;
use crate::plan::alert::{Alert, Card, card};
use crate::policy::alert::ChannelKind;
use futures::future::BoxFuture;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::SettingProblem;
use handoffd_kit::text::cut;
use handoffd_kit::transport::Transport;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;

/// Where the Web API is.
const API: &str = "https://slack.com/api";
/// The longest header of a message, in characters, and what we let a field have.
const TITLE: usize = 150;
const KIND: ChannelKind = ChannelKind::Slack;

struct Slack {
    post: Post,
    way: Way,
}

enum Way {
    Webhook(Secret),
    Bot { token: Secret, room: String, api: SecretString },
}

pub(super) fn open(
    settings: &AlertSettings,
    transport: Arc<dyn Transport>,
) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
    let way = match optional(settings, "token") {
        Some(token) => {
            let api = text(settings, "api").unwrap_or(API).trim_end_matches('/').to_owned();
            let api = SecretString::from(format!("{api}/chat.postMessage"));
            Way::Bot { token, room: settings.to.first().cloned().unwrap_or_default(), api }
        }
        None => Way::Webhook(secret(settings, "url")?),
    };
    let secrets = match &way {
        Way::Webhook(url) => vec![url.clone()],
        Way::Bot { token, .. } => vec![token.clone()],
    };
    Ok(Arc::new(Slack { post: Post { transport, secrets }, way }))
}

impl Channel for Slack {
    fn send<'a>(&'a self, alert: &'a Alert, attempt: Attempt) -> BoxFuture<'a, Result<String, AlertError>> {
        Box::pin(self.posted(message(&card(alert, attempt.repeated)), attempt))
    }

    fn secrets(&self) -> Vec<(&'static str, Secret)> {
        match &self.way {
            Way::Webhook(url) => vec![("url", url.clone())],
            Way::Bot { token, .. } => vec![("token", token.clone())],
        }
    }
}

impl Slack {
    async fn posted(&self, mut message: Value, attempt: Attempt) -> Result<String, AlertError> {
        let (token, room, api) = match &self.way {
            Way::Webhook(url) => {
                let answer = self.post.json(&url.current(), Vec::new(), &message, attempt.now).await?;
                return Ok(self.post.words(answer.body()));
            }
            Way::Bot { token, room, api } => (token.current(), room, api),
        };
        message["channel"] = json!(room);
        message["unfurl_links"] = json!(false);
        let bearer = format!("Bearer {}", token.expose_secret());
        let answer = self.post.json(api, vec![(AUTHORIZATION, bearer)], &message, attempt.now).await?;
        let body: Value = serde_json::from_slice(answer.body())
            .map_err(|_| AlertError::new(Failure::Lost, format!("no JSON: {}", self.post.words(answer.body()))))?;
        if body["ok"] == json!(true) {
            return Ok(format!("ts {}", body["ts"].as_str().unwrap_or("unknown")));
        }
        let word = self.post.words(body["error"].as_str().unwrap_or("no reason").as_bytes());
        Err(match word.as_str() {
            // Said with a 200 too: nothing was posted.
            "ratelimited" | "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
                AlertError::new(Failure::Again(None), word)
            }
            "not_in_channel" => AlertError::new(Failure::Refused, word).next("invite the bot to the room"),
            "channel_not_found" | "is_archived" => {
                AlertError::new(Failure::Refused, word).next("give the id of a room that is there as `to`")
            }
            _ => AlertError::new(Failure::Refused, word).next("see what Slack has against the bot or the message"),
        })
    }
}

/// A message in blocks. All values are plain text, in which nothing is markup; the text beside the blocks, which
/// notifications show, is escaped.
fn message(card: &Card) -> Value {
    let plain = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": false });
    let mut blocks = vec![json!({ "type": "header", "text": plain(&cut(&card.title, TITLE)) })];
    for (name, value) in &card.facts {
        blocks.push(json!({ "type": "section", "text": plain(&format!("{name}: {value}")) }));
    }
    let calls: Vec<String> = card.calls.iter().filter(|id| KIND.calls(id)).map(|id| format!("<@{id}>")).collect();
    if !calls.is_empty() {
        let text = format!("For {}", calls.join(" "));
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } }));
    }
    for (text, link) in card.links() {
        let link = format!("<{}|{text}>", escaped(link));
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": link, "verbatim": true } }));
    }
    blocks.push(json!({ "type": "context", "elements": [plain(&card.mark)] }));
    json!({ "text": escaped(&format!("{} {}", card.title, card.mark)), "blocks": blocks })
}

/// The three characters by which Slack tells markup, links and mentions from text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Answers, assert_json, hostile, settings};
    use super::*;
    use jiff::Timestamp;

    const NOW: Attempt = Attempt { now: Timestamp::UNIX_EPOCH, repeated: false };

    fn slack(answers: &Answers, keys: &[(&str, &str)]) -> Arc<dyn Channel> {
        open(&settings(ChannelKind::Slack, keys, &["C012AB"]), Arc::new(answers.clone())).expect("open")
    }

    #[tokio::test]
    async fn a_message_holds_what_a_ticket_says_as_plain_text_and_mentions_nobody() {
        let answers = Answers::of([(200, &[][..], "ok")]);
        let url = [("url", "https://hooks.slack.com/services/T/B/x")];
        assert_eq!(slack(&answers, &url).send(&hostile(), NOW).await, Ok("ok".into()));
        let (to, body) = answers.one();
        assert_eq!(to, url[0].1);
        assert_json!(body);
        assert!(!body["text"].as_str().expect("text").contains('<'));
        let texts = body["blocks"].as_array().expect("blocks").iter().filter(|block| block["text"]["type"] == "mrkdwn");
        assert_eq!(texts.count(), 1, "but for the link nothing is markup");
    }

    #[tokio::test]
    async fn a_review_calls_its_reviewers_and_nothing_else_is_called() {
        let answers = Answers::of([(200, &[][..], "ok")]);
        let ids = ["U012AB3CD", "<!channel>", "S012AB3CD", "U1|x"].map(str::to_owned).to_vec();
        let review = Alert { reviewers: ids, ..hostile() };
        let slack = slack(&answers, &[("url", "https://hooks.slack.com/services/T/B/x")]);
        assert_eq!(slack.send(&review, NOW).await, Ok("ok".into()));
        let (_, body) = answers.one();
        let marked = |block: &&Value| block["text"]["type"] == "mrkdwn";
        let texts: Vec<&Value> = body["blocks"].as_array().expect("blocks").iter().filter(marked).collect();
        assert_eq!(texts[0]["text"]["text"], "For <@U012AB3CD>");
        assert_eq!(texts.len(), 2, "beside it only the link");
    }

    #[tokio::test]
    async fn a_bot_s_error_is_an_error_although_it_comes_with_200() {
        let bot = [("token", "xoxb-1")];
        let answers = Answers::of([
            (200, &[][..], r#"{"ok":true,"ts":"1788254411.000100"}"#),
            (200, &[], r#"{"ok":false,"error":"channel_not_found"}"#),
            (200, &[], r#"{"ok":false,"error":"ratelimited"}"#),
            (200, &[], "<html>"),
        ]);
        let slack = slack(&answers, &bot);
        assert_eq!(slack.send(&hostile(), NOW).await, Ok("ts 1788254411.000100".into()));
        let request = answers.asked().remove(0);
        assert_eq!(request.uri(), "https://slack.com/api/chat.postMessage");
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer xoxb-1");
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        assert_eq!((&body["channel"], &body["unfurl_links"]), (&json!("C012AB"), &json!(false)));
        for failure in [Failure::Refused, Failure::Again(None), Failure::Lost] {
            assert_eq!(slack.send(&hostile(), NOW).await.expect_err("no").failure, failure);
        }
    }
}
