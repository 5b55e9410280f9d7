//! Mattermost: an incoming webhook, whose text is Markdown.
//!
//! `https://developers.mattermost.com/integrate/webhooks/incoming/`, as of 2026: 200 and `ok`; at most 16,383 characters.

use super::post::Post;
use super::{AlertError, Attempt, Channel, secret};
use crate::config::AlertSettings;
use crate::plan::alert::{Alert, Card, card};
use crate::policy::alert::ChannelKind;
use futures::future::BoxFuture;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::SettingProblem;
use handoffd_kit::transport::Transport;
use serde_json::json;
use std::sync::Arc;

const KIND: ChannelKind = ChannelKind::Mattermost;

struct Mattermost {
    post: Post,
    url: Secret,
    room: Option<String>,
}

pub(super) fn open(
    settings: &AlertSettings,
    transport: Arc<dyn Transport>,
) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
    let url = secret(settings, "url")?;
    let post = Post { transport, secrets: vec![url.clone()] };
    Ok(Arc::new(Mattermost { post, url, room: settings.to.first().cloned() }))
}

impl Channel for Mattermost {
    fn send<'a>(&'a self, alert: &'a Alert, attempt: Attempt) -> BoxFuture<'a, Result<String, AlertError>> {
        Box::pin(async move {
            let mut body = json!({ "text": text(&card(alert, attempt.repeated)) });
            if let Some(room) = &self.room {
                body["channel"] = json!(room);
            }
            let answer = self.post.json(&self.url.current(), Vec::new(), &body, attempt.now).await?;
            Ok(self.post.words(answer.body()))
        })
    }

    fn secrets(&self) -> Vec<(&'static str, Secret)> {
        vec![("url", self.url.clone())]
    }
}

fn text(card: &Card) -> String {
    let mut lines = vec![format!("**{}**", escaped(&card.title))];
    lines.extend(card.facts.iter().map(|(name, value)| format!("{name}: {}", escaped(value))));
    let calls: Vec<String> = card.calls.iter().filter(|name| KIND.calls(name)).map(|name| format!("@{name}")).collect();
    if !calls.is_empty() {
        lines.push(format!("For {}", calls.join(" ")));
    }
    lines.extend(card.links().map(|(text, link)| format!("[{text}](<{link}>)")));
    lines.push(marked(&card.mark));
    lines.join("\n")
}

/// The key as code, in which nothing is Markdown and nobody is called: it can be copied as it is.
fn marked(mark: &str) -> String {
    if mark.contains('`') { escaped(mark) } else { format!("`{mark}`") }
}

/// Text in which nothing is Markdown, and which calls nobody: behind a sign that would mention, name a room or begin an
/// address stands a joint of no width.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_punctuation()
            && !matches!(letter, '/' | ',' | ';' | '@' | ':' | '\'' | '"' | '?' | '%' | '&')
        {
            safe.push('\\');
        }
        safe.push(letter);
        if matches!(letter, '@' | '~' | ':' | '#') {
            safe.push('\u{2060}');
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Answers, hostile, settings};
    use super::*;
    use jiff::Timestamp;

    #[tokio::test]
    async fn a_text_holds_what_a_ticket_says_without_markdown_and_calls_nobody() {
        let url = "https://chat.example/hooks/abc";
        let answers = Answers::of([(200, &[][..], "ok")]);
        let channel = settings(ChannelKind::Mattermost, &[("url", url)], &["town-square"]);
        let mattermost = open(&channel, Arc::new(answers.clone())).expect("open");
        let attempt = Attempt { now: Timestamp::UNIX_EPOCH, repeated: false };
        assert_eq!(mattermost.send(&hostile(), attempt).await, Ok("ok".into()));
        let (to, body) = answers.one();
        assert_eq!((to.as_str(), &body["channel"]), (url, &json!("town-square")));
        let text = body["text"].as_str().expect("text");
        insta::assert_snapshot!(text);
        let names = ["billing-lead", "all", "x](http://evil", "a b"].map(str::to_owned).to_vec();
        let answers = Answers::of([(200, &[][..], "ok")]);
        let mattermost = open(&channel, Arc::new(answers.clone())).expect("open");
        let review = Alert { reviewers: names, ..hostile() };
        assert_eq!(mattermost.send(&review, attempt).await, Ok("ok".into()));
        let called = answers.one().1["text"].as_str().expect("text").to_owned();
        assert!(called.lines().any(|line| line == "For @billing-lead"), "{called}");
        for call in ["@all", "@here", "<!channel>", "](http://evil"] {
            assert!(!text.contains(call), "{call}: {text}");
        }
    }
}
