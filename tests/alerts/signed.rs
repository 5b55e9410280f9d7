//! Signed webhooks, verified by the rules of the specification and by nothing of ours; and its published vector.

use super::receiver::{Answer, Receiver};
use super::{an_alert, now, open, send, settings};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handoffd::alert::webhook::signature;
use handoffd::policy::alert::ChannelKind;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeSet;
use std::io::Write;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Whether one of the signatures is right under this secret, as a receiver tells.
fn verifies(got: &super::receiver::Got, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a prefix")).expect("base 64");
    let mut signed = format!("{}.{}.", got.header("webhook-id"), got.header("webhook-timestamp")).into_bytes();
    signed.extend_from_slice(&got.body);
    got.header("webhook-signature").split(' ').any(|one| {
        let bytes = one.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok()).expect("a signature");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(&signed);
        mac.verify_slice(&bytes).is_ok()
    })
}

#[tokio::test]
async fn a_receiver_with_either_secret_verifies_and_knows_a_repetition() {
    let receiver = Receiver::answering([Answer::Status(503, "", ""), Answer::Cut]).await;
    let keys = [("url", receiver.url.as_str()), ("secret", SECRET), ("old_secret", OLD)];
    let webhook = open(settings(ChannelKind::Webhook, &keys, &[], true)).expect("open");
    assert!(webhook.knows_repetitions());
    for _ in 0..2 {
        send(&webhook, &an_alert(1)).await.expect_err("not taken");
    }
    send(&webhook, &an_alert(1)).await.expect("taken");
    send(&webhook, &an_alert(2)).await.expect("taken");
    let got = receiver.got();
    assert_eq!(got.len(), 4);
    for got in &got {
        assert!(verifies(got, SECRET) && verifies(got, OLD), "{got:?}");
        assert!(!verifies(got, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
        assert_eq!(got.header("webhook-timestamp"), now().as_second().to_string());
        let id = got.header("webhook-id");
        assert!(!id.contains('.') && id.starts_with("msg_"), "{id}");
        assert_eq!(got.json()["type"], "alert.test");
    }
    let ids: BTreeSet<&str> = got.iter().map(|got| got.header("webhook-id")).collect();
    assert_eq!(ids.len(), 2, "three tries of one alert have one id");
}

#[test]
fn the_published_vector_is_what_we_sign() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vendors/webhook-signature-vectors.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        assert!(std::env::var("HANDOFFD_TEST_REAL").is_err(), "the vendors' signature vectors are missing");
        let _ = writeln!(
            std::io::stderr(),
            "left out: put the vendors' webhook-signature-vectors.json beside the repository, in shared/vendors"
        );
        return;
    };
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let vectors = file["vectors"].as_array().expect("vectors");
    let named =
        |vector: &&serde_json::Value| vector["name"].as_str().is_some_and(|name| name.starts_with("standard-webhooks"));
    let vector = vectors.iter().find(named).expect("the vector of Standard Webhooks");
    let field = |key: &str| vector[key].as_str().expect("text");
    let header = |name: &str| vector["headers"][name].as_str().expect("text");
    let at = header("webhook-timestamp").parse().expect("seconds");
    let signed = signature([&field("secret").into()], header("webhook-id"), at, field("body").as_bytes());
    assert_eq!(signed.as_deref(), Some(header("webhook-signature")));
}
