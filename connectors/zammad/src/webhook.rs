//! Webhooks: what a trigger posts. The body is signed with HMAC-SHA1 under the webhook's signature token, without a time; each
//! delivery has an id that stays over its retries (Zammad sheet, *Webhooks*). An old delivery could be played again: a hook
//! is a hint to look, and never a source of facts.

use crate::wire::{Id, Sent};
use handoffd_kit::id::TicketId;
use handoffd_kit::secret::Secret;
use handoffd_kit::text::from_json;
use handoffd_kit::webhook::{Delivery, Hint, LONGEST_ID, Refusal, Unverified, from_hex};
use serde::Deserialize;

/// `sha1=` and the signature in hexadecimal digits.
const SIGNATURE: &str = "x-hub-signature";
const DELIVERY: &str = "x-zammad-delivery";

/// The default payload, or what the README tells an admin to write.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    ticket: Sent<Ticket>,
    ticket_id: Sent<Id>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ticket {
    id: Sent<Id>,
}

/// Verifies and reads a webhook.
pub(crate) fn read(request: &Unverified<'_>, secret: Option<&Secret>) -> Result<Delivery, Refusal> {
    let secret = secret.ok_or(Refusal::NotConfigured)?;
    let signature = request.header(SIGNATURE)?.strip_prefix("sha1=").ok_or(Refusal::Forged)?;
    let signature = from_hex(signature)?;
    let verified = secret.verified(|secret| request.hmac_sha1(secret, &signature))?;
    let body: Body = from_json(verified.body()).map_err(|_| Refusal::Malformed)?;
    let of_ticket = body.ticket.get().and_then(|ticket| ticket.id.get());
    let ticket = body.ticket_id.get().or(of_ticket).filter(|id| id.is_record()).ok_or(Refusal::Malformed)?;
    let id = request.header(DELIVERY).ok().filter(|id| id.len() <= LONGEST_ID).map(str::to_owned);
    // Who updated the ticket last is not always who caused the hook: a mail that comes in changes nothing of that.
    Ok(Delivery { id, hints: vec![Hint { ticket: TicketId::new(ticket.to_string()), actor: None }] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use proptest::prelude::*;

    /// printf '%s' BODY | openssl dgst -sha1 -hmac 0123456789abcdef
    const SECRET: &str = "0123456789abcdef";

    fn received(signature: Option<&str>, delivery: Option<&str>, body: &[u8]) -> Result<Delivery, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(SIGNATURE, signature), (DELIVERY, delivery)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        let now = "2026-05-03T10:05:14Z".parse().unwrap();
        read(&Unverified::new(&headers, None, body, now), Some(&SECRET.into()))
    }

    const SHORT: &[u8] = br#"{"ticket_id":"19"}"#;
    const SHORT_SIGNED: &str = "sha1=088bb9e86fe1ce84586eaaf105e27e88751f23e9";

    #[test]
    fn the_default_payload_and_one_of_our_own_point_to_their_ticket() {
        let hint = vec![Hint { ticket: "19".into(), actor: None }];
        let fixture = include_bytes!("../fixtures/webhook.json");
        let whole = received(Some("sha1=b9168a0f26ea2161e4c8f0e278f9a4e86a121fb3"), Some("6c0b"), fixture).unwrap();
        assert_eq!(whole, Delivery { id: Some("6c0b".into()), hints: hint.clone() });
        let short = received(Some(SHORT_SIGNED), None, SHORT).unwrap();
        assert_eq!(short, Delivery { id: None, hints: hint });
        let upper = SHORT_SIGNED.to_uppercase().replace("SHA1=", "sha1=");
        assert!(received(Some(&upper), Some(&"x".repeat(300)), SHORT).unwrap().id.is_none());
    }

    #[test]
    fn a_stranger_learns_nothing() {
        assert_eq!(received(None, None, SHORT), Err(Refusal::Unsigned));
        for odd in ["sha1=", "sha1=00", "sha256=00", "sha1=zz", &SHORT_SIGNED[5..]] {
            assert_eq!(received(Some(odd), None, SHORT), Err(Refusal::Forged), "{odd}");
        }
        assert_eq!(received(Some(SHORT_SIGNED), None, br#"{"ticket_id":"20"}"#), Err(Refusal::Forged));
        assert_eq!(received(Some(SHORT_SIGNED), None, b"not json"), Err(Refusal::Forged), "the signature comes first");
        let headers = HeaderMap::new();
        let now = "2026-05-03T10:05:14Z".parse().unwrap();
        assert_eq!(read(&Unverified::new(&headers, None, SHORT, now), None), Err(Refusal::NotConfigured));
    }

    #[test]
    fn what_is_signed_and_names_no_ticket_is_malformed() {
        for (body, signature) in [
            (r##""##, "804df868948c143aee0946c72d272ea557eaafcc"),
            (r##"[]"##, "37710044f29784c98c2fc05253bac2c76a013009"),
            (r##"{}"##, "1ed9af9e5e8ff2f804bcff95a337649c0095d057"),
            (r##"null"##, "a37bab93af481f58ce70271d76e8c1dfc7da79bf"),
            (r##"{"ticket_id":"#{ticket.id}"}"##, "7b860e5b8cb1993ca6f1599c0c035ef8a39e1ab8"),
            (r##"{"ticket_id":-5}"##, "3c189dd3416a53ebc5eadbc131a30e67917b4b7c"),
            (r##"{"ticket":{"id":0}}"##, "a668bee25acd5a431fcdfbc1c9ac52d82e1a332f"),
            (r##"{"ticket":[]}"##, "d7bd28b2b2794f465707648c444e53a46a3dfb0e"),
        ] {
            assert_eq!(
                received(Some(&format!("sha1={signature}")), None, body.as_bytes()),
                Err(Refusal::Malformed),
                "{body}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_request_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..300), signature in "[ -~]{0,60}") {
            prop_assert!(received(Some(&signature), None, &body).is_err());
        }
    }
}
