//! The optional scrip hook: one post for each transaction, to `/hooks/{desk}/{token}`. The token proves that the sender
//! was told the address and nothing else, so a hook is a hint to look and never a source of facts.

use crate::wire::whole;
use handoffd_kit::id::{TicketId, UserId};
use handoffd_kit::secret::Secret;
use handoffd_kit::text::from_json;
use handoffd_kit::webhook::{Delivery, Hint, Refusal, Unverified};
use serde_json::Value;

/// Reads a hook whose address has the right token. Its transaction's number tells repeats.
pub(crate) fn read(token: Option<&Secret>, request: &Unverified<'_>) -> Result<Delivery, Refusal> {
    let verified = token.ok_or(Refusal::NotConfigured)?.verified(|token| request.path_token(token))?;
    let json: Value = from_json(verified.body()).map_err(|_| Refusal::Malformed)?;
    let ticket = json.get("ticket").and_then(whole).ok_or(Refusal::Malformed)?;
    let actor = json.get("creator").and_then(Value::as_str).filter(|login| !login.is_empty()).map(UserId::from);
    let id = json.get("transaction").and_then(whole).map(|transaction| transaction.to_string());
    Ok(Delivery { id, hints: vec![Hint { ticket: TicketId::from(ticket), actor }] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use proptest::prelude::*;

    const TOKEN: &str = "0123456789abcdef";

    fn received(path: Option<&str>, body: &[u8]) -> Result<Delivery, Refusal> {
        let headers = HeaderMap::new();
        let now = "2026-11-23T07:10:19Z".parse().unwrap();
        read(Some(&TOKEN.into()), &Unverified::new(&headers, path, body, now))
    }

    #[test]
    fn the_hook_of_the_sheet_is_a_hint_with_its_actor() {
        let body =
            br#"{"ticket":5,"transaction":1109,"type":"Set","field":"Queue","old":"6","new":"3","queue":"billing",
            "creator":"handoff-bot","created":"2026-11-23T07:10:19Z"}"#;
        let delivery = received(Some(TOKEN), body).unwrap();
        assert_eq!(delivery.id.as_deref(), Some("1109"));
        assert_eq!(delivery.hints, [Hint { ticket: "5".into(), actor: Some("handoff-bot".into()) }]);
    }

    #[test]
    fn a_scrip_that_sends_the_ticket_alone_is_enough() {
        let delivery = received(Some(TOKEN), br#"{"ticket":"5"}"#).unwrap();
        assert_eq!((delivery.id, delivery.hints.len()), (None, 1));
        assert_eq!(delivery.hints[0].actor, None);
    }

    #[test]
    fn a_stranger_learns_nothing() {
        let body = br#"{"ticket":5}"#;
        assert_eq!(received(None, body), Err(Refusal::Unsigned));
        assert_eq!(received(Some("0123456789abcdeX"), body), Err(Refusal::Forged));
        assert_eq!(received(Some("wrong"), b"not json"), Err(Refusal::Forged), "the token comes first");
        let headers = HeaderMap::new();
        let now = "2026-11-23T07:10:19Z".parse().unwrap();
        let request = Unverified::new(&headers, Some(TOKEN), body, now);
        assert_eq!(read(None, &request), Err(Refusal::NotConfigured));
    }

    #[test]
    fn what_is_no_hook_is_malformed() {
        for body in
            ["", "[]", "{}", r#"{"ticket":"../5"}"#, r#"{"ticket":-5}"#, r#"{"ticket":{"id":5}}"#, r#"{"ticket":1.5}"#]
        {
            assert_eq!(received(Some(TOKEN), body.as_bytes()), Err(Refusal::Malformed), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = received(Some(TOKEN), &body);
        }
    }
}
