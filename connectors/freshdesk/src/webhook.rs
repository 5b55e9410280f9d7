//! Webhooks: what an automation rule posts. Freshdesk signs nothing and gives no id and no time (Freshdesk sheet, *Webhooks*),
//! so the rule sends a secret in a header. It proves that the sender was told the secret and nothing else: a hook is a hint to
//! look, and never a source of facts.

use crate::wire::{Id, Sent};
use handoffd_kit::id::TicketId;
use handoffd_kit::secret::Secret;
use handoffd_kit::text::from_json;
use handoffd_kit::webhook::{Delivery, Hint, Refusal, Unverified};
use serde::Deserialize;

/// The header that the rule sends the secret in.
const HEADER: &str = "x-handoffd-secret";

/// What the README tells an admin to write into the rule ("advanced"), or what Freshdesk wraps chosen fields in ("simple").
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    ticket_id: Sent<Id>,
    freshdesk_webhook: Sent<Fields>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    ticket_id: Sent<Id>,
}

/// Verifies and reads a webhook.
pub(crate) fn read(request: &Unverified<'_>, secret: Option<&Secret>) -> Result<Delivery, Refusal> {
    let secret = secret.ok_or(Refusal::NotConfigured)?;
    let verified = secret.verified(|secret| request.header_token(secret, HEADER))?;
    let body: Body = from_json(verified.body()).map_err(|_| Refusal::Malformed)?;
    let simple = || body.freshdesk_webhook.get().and_then(|fields| fields.ticket_id.get());
    let ticket = body.ticket_id.get().or_else(simple).filter(|id| id.is_record()).ok_or(Refusal::Malformed)?;
    Ok(Delivery { id: None, hints: vec![Hint { ticket: TicketId::new(ticket.to_string()), actor: None }] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use proptest::prelude::*;

    const SECRET: &str = "0123456789abcdef";

    fn received(secret: Option<&str>, body: &[u8]) -> Result<Delivery, Refusal> {
        let mut headers = HeaderMap::new();
        if let Some(secret) = secret {
            headers.insert(HEADER, secret.parse().unwrap());
        }
        let now = "2026-05-03T10:05:14Z".parse().unwrap();
        read(&Unverified::new(&headers, None, body, now), Some(&SECRET.into()))
    }

    #[test]
    fn both_layouts_of_the_sheet_point_to_their_ticket() {
        let advanced = br#"{"ticket_id":"1042","status":"Open","group":"Tier 2","event":"{ticket.group_id changed}"}"#;
        let simple = br#"{"freshdesk_webhook":{"ticket_id":1042,"ticket_subject":"Export fails"}}"#;
        for body in [&advanced[..], simple] {
            let delivery = received(Some(SECRET), body).unwrap();
            assert_eq!(delivery, Delivery { id: None, hints: vec![Hint { ticket: "1042".into(), actor: None }] });
        }
    }

    #[test]
    fn a_stranger_learns_nothing() {
        let body = br#"{"ticket_id":5}"#;
        assert_eq!(received(None, body), Err(Refusal::Unsigned));
        assert_eq!(received(Some("0123456789abcdeX"), body), Err(Refusal::Forged));
        assert_eq!(received(Some("wrong"), b"not json"), Err(Refusal::Forged), "the secret comes first");
        let headers = HeaderMap::new();
        let now = "2026-05-03T10:05:14Z".parse().unwrap();
        assert_eq!(read(&Unverified::new(&headers, None, body, now), None), Err(Refusal::NotConfigured));
    }

    #[test]
    fn what_names_no_ticket_is_malformed() {
        for body in [
            "",
            "[]",
            "{}",
            "null",
            r#"{"ticket_id":"{{ticket.id}}"}"#,
            r#"{"ticket_id":"../5"}"#,
            r#"{"ticket_id":-5}"#,
            r#"{"ticket_id":0}"#,
            r#"{"freshdesk_webhook":{"ticket_id":{}}}"#,
        ] {
            assert_eq!(received(Some(SECRET), body.as_bytes()), Err(Refusal::Malformed), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(delivery) = received(Some(SECRET), &body) {
                prop_assert!(delivery.hints.iter().all(|hint| hint.ticket.as_str().bytes().all(|b| b.is_ascii_digit())));
            }
        }
    }
}
