//! Microsoft Teams: a workflow with the trigger "When a Teams webhook request is received", which posts an Adaptive Card.
//!
//! The trigger accepts (202) before anything is posted: an error of the card shows only in the flow's run history
//! (Microsoft's documentation of Workflows, as of 2026).

use super::post::Post;
use super::{AlertError, Attempt, Channel, secret};
use crate::config::AlertSettings;
use crate::plan::alert::{Alert, Card, card};
use futures::future::BoxFuture;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::SettingProblem;
use handoffd_kit::transport::Transport;
use serde_json::{Value, json};
use std::sync::Arc;

struct Teams {
    post: Post,
    url: Secret,
}

pub(super) fn open(
    settings: &AlertSettings,
    transport: Arc<dyn Transport>,
) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
    let url = secret(settings, "url")?;
    Ok(Arc::new(Teams { post: Post { transport, secrets: vec![url.clone()] }, url }))
}

impl Channel for Teams {
    fn send<'a>(&'a self, alert: &'a Alert, attempt: Attempt) -> BoxFuture<'a, Result<String, AlertError>> {
        Box::pin(async move {
            let message = message(&card(alert, attempt.repeated));
            let answer = self.post.json(&self.url.current(), Vec::new(), &message, attempt.now).await?;
            Ok(format!("HTTP {}", answer.status().as_u16()))
        })
    }

    fn secrets(&self) -> Vec<(&'static str, Secret)> {
        vec![("url", self.url.clone())]
    }
}

/// A card of runs of text: a `TextRun` knows no markdown, in which a `TextBlock` would read links and mentions.
fn message(card: &Card) -> Value {
    let run = |text: &str, weight: &str| json!({ "type": "TextRun", "text": calm(text), "weight": weight });
    let line = |inlines: Vec<Value>| json!({ "type": "RichTextBlock", "inlines": inlines });
    let mut body = vec![line(vec![run(&card.title, "Bolder")])];
    for (name, value) in &card.facts {
        body.push(line(vec![run(&format!("{name}: "), "Bolder"), run(value, "Default")]));
    }
    if !card.calls.is_empty() {
        // A mention takes an id of the directory, which a workflow resolves: here it is a name.
        body.push(line(vec![run("For: ", "Bolder"), run(&card.calls.join(", "), "Default")]));
    }
    body.push(line(vec![json!({ "type": "TextRun", "text": calm(&card.mark), "size": "Small", "isSubtle": true })]));
    let action = |(title, link): (&str, &str)| json!({ "type": "Action.OpenUrl", "title": title, "url": link });
    let actions: Vec<Value> = card.links().map(action).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": actions,
            },
        }],
    })
}

/// Date functions and mentions of a card stand in braces and angle brackets: nothing of a ticket opens one.
fn calm(text: &str) -> String {
    text.replace("{{", "{ {").replace("<at>", "‹at›").replace("</at>", "‹/at›")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Answers, assert_json, hostile, settings};
    use super::*;
    use crate::policy::alert::ChannelKind;
    use jiff::Timestamp;

    #[tokio::test]
    async fn a_card_holds_what_a_ticket_says_as_runs_of_text_and_the_address_is_kept() {
        let url = "https://x.environment.api.powerplatform.com:443/a%2Fb/invoke?api-version=1&sp=%2Ftriggers&sig=a%2Fb";
        let answers = Answers::of([(202, &[][..], "")]);
        let teams = open(&settings(ChannelKind::Teams, &[("url", url)], &[]), Arc::new(answers.clone())).expect("open");
        let attempt = Attempt { now: Timestamp::UNIX_EPOCH, repeated: true };
        assert_eq!(teams.send(&hostile(), attempt).await, Ok("HTTP 202".into()));
        let (to, body) = answers.one();
        assert_eq!(to, url);
        assert_json!(body);
        assert!(!body.to_string().contains("\"TextBlock\"") && !body.to_string().contains("{{DATE"));
    }
}
