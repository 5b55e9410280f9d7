//! Webhooks: what the app's subscription posts. The raw body is signed with HMAC-SHA1 under the app's client secret; each
//! notification has an id that stays over its retries, and the time at which it was made, both inside the signed body (Intercom
//! sheet, *Webhooks*). Deliveries may be hours late, so a day is allowed; within it one could be played again: a hook is a hint to
//! look, and never a source of facts. From version 2.15 on its item may lack the customer's words.

use crate::wire::{Id, Sent};
use handoffd_kit::id::TicketId;
use handoffd_kit::secret::Secret;
use handoffd_kit::text::from_json;
use handoffd_kit::webhook::{Delivery, Hint, LONGEST_ID, Refusal, Unverified, WINDOW_OF_BODIES, from_hex};
use serde::Deserialize;

/// `sha1=` and the signature in hexadecimal digits.
const SIGNATURE: &str = "x-hub-signature";

/// The envelope.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    id: Sent<String>,
    created_at: Sent<i64>,
    topic: Sent<String>,
    data: Sent<Data>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    item: Sent<Item>,
}

/// What it is about. Of what was deleted hardly more than this is sent. A label's notification may be about the part that bears it,
/// with the conversation inside (not verified).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(rename = "type")]
    kind: Sent<String>,
    id: Sent<Id>,
    conversation_id: Sent<Id>,
    conversation: Sent<Inside>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inside {
    id: Sent<Id>,
}

impl Item {
    /// The conversation that it points to.
    fn conversation(&self) -> Option<Id> {
        let inside = self.conversation.get().and_then(|inside| inside.id.get());
        let named = self.conversation_id.get().or(inside);
        // The id of another kind of item is of something else.
        let itself = self.kind.get().is_none_or(|kind| kind == "conversation").then(|| self.id.get()).flatten();
        named.or(itself).copied().filter(|id| id.is_record())
    }
}

/// Verifies and reads a webhook.
pub(crate) fn read(request: &Unverified<'_>, secret: Option<&Secret>) -> Result<Delivery, Refusal> {
    let secret = secret.ok_or(Refusal::NotConfigured)?;
    let signature = request.header(SIGNATURE)?.strip_prefix("sha1=").ok_or(Refusal::Forged)?;
    let signature = from_hex(signature)?;
    let verified = secret.verified(|secret| request.hmac_sha1(secret, &signature))?;
    let envelope: Envelope = from_json(verified.body()).map_err(|_| Refusal::Malformed)?;
    if let Some(seconds) = envelope.created_at.get() {
        verified.within(&seconds.to_string(), WINDOW_OF_BODIES)?;
    }
    let id = envelope.id.some().filter(|id| id.len() <= LONGEST_ID);
    // Setting a subscription up sends a ping, and an app may be subscribed to more than we asked for: taken, and about nothing.
    let other = envelope.topic.get().is_some_and(|topic| !topic.starts_with("conversation"));
    let item = envelope.data.some().and_then(|data| data.item.some());
    let hints = match item.and_then(|item| item.conversation()) {
        _ if other => vec![],
        // Who caused it is not said for every topic.
        Some(id) => vec![Hint { ticket: TicketId::new(id.to_string()), actor: None }],
        None => return Err(Refusal::Malformed),
    };
    Ok(Delivery { id, hints })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use http::HeaderMap;
    use proptest::prelude::*;
    use sha1::Sha1;

    const SECRET: &str = "0123456789abcdef";

    fn signature(body: &[u8]) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(body);
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha1={hex}")
    }

    fn received(signature: Option<&str>, body: &[u8]) -> Result<Delivery, Refusal> {
        let mut headers = HeaderMap::new();
        if let Some(signature) = signature {
            headers.insert(SIGNATURE, signature.parse().unwrap());
        }
        let now = "2026-05-03T10:05:14Z".parse().unwrap();
        read(&Unverified::new(&headers, None, body, now), Some(&SECRET.into()))
    }

    fn signed(body: &str) -> Result<Delivery, Refusal> {
        received(Some(&signature(body.as_bytes())), body.as_bytes())
    }

    fn about(ticket: &str) -> Vec<Hint> {
        vec![Hint { ticket: ticket.into(), actor: None }]
    }

    #[test]
    fn the_raw_body_under_the_client_secret_is_believed_and_points_to_its_conversation() {
        let fixture = include_bytes!("../fixtures/webhook.json");
        // printf of the file's bytes piped to `openssl dgst -sha1 -hmac 0123456789abcdef`: computed outside this code.
        let by_openssl = format!("sha1={}", include_str!("../fixtures/webhook.sha1").trim());
        let whole = received(Some(&by_openssl), fixture).unwrap();
        assert_eq!(whole, Delivery { id: Some("notif_9a8b".into()), hints: about("147") });
        let upper = by_openssl.to_uppercase().replace("SHA1=", "sha1=");
        assert_eq!(received(Some(&upper), fixture).unwrap().hints, about("147"));
    }

    #[test]
    fn what_is_older_than_a_day_is_stale_and_what_has_no_time_is_a_hint_all_the_same() {
        let made = |at: &str| signed(&format!(r#"{{"id":"n",{at}"data":{{"item":{{"id":"7"}}}}}}"#));
        // It is received at 1777802714.
        for fresh in ["", r#""created_at":1777802712,"#, r#""created_at":1777720000,"#, r#""created_at":null,"#] {
            assert_eq!(made(fresh).unwrap().hints, about("7"), "{fresh}");
        }
        for old in [r#""created_at":1777700000,"#, r#""created_at":1777900000,"#, r#""created_at":0,"#] {
            assert_eq!(made(old), Err(Refusal::Stale), "{old}");
        }
    }

    #[test]
    fn the_conversation_is_found_in_each_shape_of_an_item() {
        let item =
            |topic: &str, item: &str| signed(&format!(r#"{{"id":"n","topic":"{topic}","data":{{"item":{item}}}}}"#));
        for shape in [
            r#"{"id":"7"}"#,
            r#"{"type":"conversation","id":7}"#,
            r#"{"type":"conversation_part","id":"9","conversation":{"id":"7"}}"#,
            r#"{"type":"conversation_part","id":"9","conversation_id":"7"}"#,
        ] {
            assert_eq!(item("conversation_part.tag.created", shape).unwrap().hints, about("7"), "{shape}");
        }
        assert_eq!(item("conversation.deleted", r#"{"id":"7"}"#).unwrap().hints, about("7"));
        for (topic, shape) in [("ping", r#"{"type":"ping"}"#), ("contact.created", r#"{"type":"contact","id":"7"}"#)] {
            assert_eq!(item(topic, shape).unwrap().hints, [], "{topic}");
        }
        for odd in ["null", "{}", "[]", r#"{"id":-5}"#, r#"{"type":"conversation_part","id":"9"}"#] {
            assert_eq!(item("conversation.user.replied", odd), Err(Refusal::Malformed), "{odd}");
        }
        assert_eq!(signed("{}"), Err(Refusal::Malformed));
        let long = signed(&format!(r#"{{"id":"{}","topic":"ping"}}"#, "x".repeat(300)));
        assert_eq!(long, Ok(Delivery { id: None, hints: vec![] }));
    }

    #[test]
    fn a_stranger_learns_nothing() {
        let body = br#"{"data":{"item":{"id":"7"}}}"#;
        assert_eq!(received(None, body), Err(Refusal::Unsigned));
        let right = signature(body);
        for odd in ["sha1=", "sha1=00", "sha256=00", "sha1=zz", &right[5..]] {
            assert_eq!(received(Some(odd), body), Err(Refusal::Forged), "{odd}");
        }
        assert_eq!(received(Some(&right), br#"{"data":{"item":{"id":"8"}}}"#), Err(Refusal::Forged));
        assert_eq!(received(Some(&right), b"not json"), Err(Refusal::Forged), "the signature comes first");
        let (headers, now) = (HeaderMap::new(), "2026-05-03T10:05:14Z".parse().unwrap());
        assert_eq!(read(&Unverified::new(&headers, None, body, now), None), Err(Refusal::NotConfigured));
    }

    proptest! {
        #[test]
        fn no_request_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..300), signature in "[ -~]{0,60}") {
            prop_assert!(received(Some(&signature), &body).is_err());
        }
    }
}
