//! The vendors' channels over HTTP: where each posts, that a redirect is not followed, and what an answer means.

use super::receiver::{Answer, Receiver};
use super::{an_alert, open, send, settings};
use handoffd::alert::{Channel, Failure};
use handoffd::policy::alert::ChannelKind;
use std::sync::Arc;

/// Every channel that posts, at this receiver.
fn all(receiver: &Receiver) -> Vec<(&'static str, Arc<dyn Channel>)> {
    let url = receiver.url.as_str();
    let base = url.rsplit_once("/in/").expect("a path").0;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let opened = |kind, keys: &[(&str, &str)], to: &[&str]| open(settings(kind, keys, to, true)).expect("open");
    vec![
        ("/in/s3cr3t", opened(ChannelKind::Slack, &[("url", url)], &[])),
        ("/chat.postMessage", opened(ChannelKind::Slack, &[("token", "xoxb-1"), ("api", base)], &["C1"])),
        ("/in/s3cr3t", opened(ChannelKind::Teams, &[("url", url)], &[])),
        ("/in/s3cr3t", opened(ChannelKind::Mattermost, &[("url", url)], &[])),
        ("/v2/enqueue", opened(ChannelKind::PagerDuty, &[("key", "k"), ("api", base)], &[])),
        ("/in/s3cr3t", opened(ChannelKind::Webhook, &[("url", url), ("secret", secret)], &[])),
    ]
}

#[tokio::test]
async fn every_channel_posts_once_to_its_own_path_with_the_key_in_its_text() {
    let ok = || Answer::Status(200, "", r#"{"ok":true,"ts":"1.2","dedup_key":"d"}"#);
    let receiver = Receiver::answering((0..6).map(|_| ok())).await;
    let channels = all(&receiver);
    for (number, (_, channel)) in channels.iter().enumerate() {
        send(channel, &an_alert(number as u64)).await.expect("taken");
    }
    let got = receiver.got();
    let paths: Vec<&str> = got.iter().map(|got| got.path.as_str()).collect();
    let expected: Vec<&str> = channels.iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, expected, "in their order, each once");
    for (number, got) in got.iter().enumerate() {
        let key = an_alert(number as u64).key;
        let body = String::from_utf8(got.body.to_vec()).expect("text").replace("\\\\", "").replace("@\u{2060}", "@");
        assert!(body.contains(&key), "{key}: {body}");
    }
}

#[tokio::test]
async fn a_redirect_a_lost_answer_and_a_refusal_are_told_apart_by_every_channel() {
    let elsewhere = Receiver::answering([]).await;
    for number in 0..6 {
        let receiver = Receiver::answering([
            Answer::Status(302, "location: http://127.0.0.1:1/\r\n", ""),
            Answer::Cut,
            Answer::Status(429, "retry-after: 30\r\n", ""),
            Answer::Status(400, "", "invalid_payload http"),
        ])
        .await;
        let (path, channel) = all(&receiver).swap_remove(number);
        let mut failures = Vec::new();
        for nonce in 0..4 {
            failures.push(send(&channel, &an_alert(nonce)).await.expect_err("not taken").failure);
        }
        let later = super::now() + jiff::SignedDuration::from_secs(30);
        assert_eq!(
            failures,
            [Failure::Refused, Failure::Lost, Failure::Again(Some(later)), Failure::Refused],
            "{path}"
        );
        assert_eq!(receiver.got().len(), 4, "no request is repeated by the channel itself");
    }
    assert!(elsewhere.got().is_empty());
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent_and_the_address_is_not_repeated() {
    let url = Receiver::nobody().await;
    let slack = open(settings(ChannelKind::Slack, &[("url", &url)], &[], true)).expect("open");
    let error = send(&slack, &an_alert(1)).await.expect_err("nobody");
    assert_eq!(error.failure, Failure::NotSent);
    assert!(!error.words.contains("s3cr3t"), "{error:?}");
}

#[tokio::test]
async fn a_server_of_our_own_network_is_reached_only_where_that_is_allowed() {
    let receiver = Receiver::answering([]).await;
    let secret = ("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    for (kind, keys) in [
        (ChannelKind::Mattermost, vec![("url", receiver.url.as_str())]),
        (ChannelKind::Webhook, vec![("url", receiver.url.as_str()), secret]),
    ] {
        let shut = open(settings(kind, &keys, &[], false)).expect("open");
        let error = send(&shut, &an_alert(1)).await.expect_err("not allowed");
        assert_eq!(error.failure, Failure::NotSent);
        assert!(error.words.contains("private network"), "{error:?}");
    }
    assert!(receiver.got().is_empty(), "nobody was asked");
}
