//! Webhooks: both forms that Zendesk has, event subscriptions and those that triggers call (Zendesk sheet, *Webhooks*).

use crate::wire::{Id, Sent};
use handoffd_kit::id::{TicketId, UserId};
use handoffd_kit::secret::Secret;
use handoffd_kit::text::from_json;
use handoffd_kit::webhook::{Delivery, Hint, LONGEST_ID, Refusal, Unverified, WINDOW, from_base64};
use serde::Deserialize;

const SIGNATURE: &str = "x-zendesk-webhook-signature";
const STAMP: &str = "x-zendesk-webhook-signature-timestamp";
const INVOCATION: &str = "x-zendesk-webhook-invocation-id";

/// What the type of every event begins with.
const EVENT: &str = "zen:event-type:";

/// Either form of body: an event's fixed payload, or what the README tells an admin to write into the trigger.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    id: Sent<String>,
    #[serde(rename = "type")]
    kind: Sent<String>,
    detail: Sent<Detail>,
    event: Sent<Event>,
    ticket_id: Sent<Id>,
    actor_id: Sent<Id>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    id: Sent<Id>,
    actor_id: Sent<Id>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    target_ticket_id: Sent<Id>,
}

/// Verifies and reads a webhook.
pub(crate) fn read(request: &Unverified<'_>, secret: Option<&Secret>) -> Result<Delivery, Refusal> {
    let secret = secret.ok_or(Refusal::NotConfigured)?;
    let signature = from_base64(request.header(SIGNATURE)?)?;
    let stamp = request.header(STAMP)?;
    let signed = secret.verified(|secret| request.hmac_sha256(secret, stamp.as_bytes(), &signature))?;
    let verified = signed.within(stamp, WINDOW)?;
    let body: Body = from_json(verified.body()).map_err(|_| Refusal::Malformed)?;
    let invocation = || request.header(INVOCATION).ok().map(str::to_owned);
    let id = event(&body).or_else(invocation).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    Ok(Delivery { id, hints: hints(body)? })
}

/// An event's own id is the same in every try and in every subscription that tells it. What a trigger sends under `id` is
/// whatever its admin put there, perhaps the ticket's: that is no id of a delivery.
fn event(body: &Body) -> Option<String> {
    let kind = body.kind.get().filter(|kind| kind.starts_with(EVENT))?;
    let id = body.id.get().filter(|id| !id.is_empty() && body.ticket_id.get().is_none())?;
    Some(format!("{kind} {id}"))
}

fn hints(body: Body) -> Result<Vec<Hint>, Refusal> {
    if let Some(ticket) = body.ticket_id.some() {
        return Ok(vec![hint(ticket, body.actor_id.some())?]);
    }
    // Events of users and organisations are none of ours: well-formed, and nothing to look at.
    let kind = body.kind.some().ok_or(Refusal::Malformed)?;
    if !kind.starts_with("zen:event-type:ticket.") {
        return Ok(Vec::new());
    }
    let detail = body.detail.some().ok_or(Refusal::Malformed)?;
    let actor = detail.actor_id.some();
    let target = body.event.some().and_then(|event| event.target_ticket_id.some());
    let tickets = detail.id.some().into_iter().chain(target);
    let hints: Vec<Hint> = tickets.map(|ticket| hint(ticket, actor)).collect::<Result<_, _>>()?;
    if hints.is_empty() { Err(Refusal::Malformed) } else { Ok(hints) }
}

fn hint(ticket: Id, actor: Option<Id>) -> Result<Hint, Refusal> {
    if !ticket.is_record() {
        return Err(Refusal::Malformed);
    }
    let actor = actor.filter(|actor| actor.is_record()).map(|actor| UserId::new(actor.to_string()));
    Ok(Hint { ticket: TicketId::new(ticket.to_string()), actor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{Hmac, KeyInit, Mac};
    use http::HeaderMap;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use sha2::Sha256;

    const STAMPED: &str = "2026-05-03T10:05:12Z";

    fn secret() -> Secret {
        "own-test-secret".to_owned().into()
    }

    fn signed(body: &[u8], invocation: Option<&str>) -> HeaderMap {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"own-test-secret").unwrap();
        mac.update(STAMPED.as_bytes());
        mac.update(body);
        let mut headers = HeaderMap::new();
        headers.insert(SIGNATURE, STANDARD.encode(mac.finalize().into_bytes()).parse().unwrap());
        headers.insert(STAMP, STAMPED.parse().unwrap());
        if let Some(id) = invocation {
            headers.insert(INVOCATION, id.parse().unwrap());
        }
        headers
    }

    fn receive(headers: &HeaderMap, body: &[u8]) -> Result<Delivery, Refusal> {
        let received: Timestamp = "2026-05-03T10:05:14Z".parse().unwrap();
        read(&Unverified::new(headers, None, body, received), Some(&secret()))
    }

    fn own(body: &[u8]) -> Result<Delivery, Refusal> {
        receive(&signed(body, None), body)
    }

    fn hint_of(ticket: &str, actor: Option<&str>) -> Hint {
        Hint { ticket: ticket.into(), actor: actor.map(UserId::from) }
    }

    #[test]
    fn an_event_as_documented() {
        let body = include_bytes!("../fixtures/webhook_event.json");
        let hints = vec![hint_of("35436", Some("8447388090494"))];
        let id = Some("zen:event-type:ticket.group_assignment_changed cbe4028c-7239-495d-b020-f22348516046".to_owned());
        let known = Ok(Delivery { id, hints });
        assert_eq!(own(body), known);
        assert_eq!(receive(&signed(body, Some("01INV")), body), known, "in every try and subscription");
    }

    #[test]
    fn a_triggers_own_body() {
        let text = br#"{"ticket_id": "35436", "actor_id": "8447388090494"}"#;
        assert_eq!(own(text).unwrap().hints, [hint_of("35436", Some("8447388090494"))]);
        assert_eq!(receive(&signed(text, Some("01INV")), text).unwrap().id.as_deref(), Some("01INV"));
        let odd = br#"{"ticket_id": 35436, "id": "35436", "type": "zen:event-type:ticket.odd"}"#;
        assert_eq!(own(odd).unwrap().id, None, "the ticket's id is none of a delivery");
        assert_eq!(own(br#"{"ticket_id": 35436}"#).unwrap().hints, [hint_of("35436", None)]);
        assert_eq!(own(br#"{"ticket_id": 35436, "actor_id": ""}"#).unwrap().hints, [hint_of("35436", None)]);
    }

    #[test]
    fn a_merge_points_to_both_tickets() {
        let body = br#"{"type":"zen:event-type:ticket.merged","detail":{"id":"7"},"event":{"target_ticket_id":"9"}}"#;
        assert_eq!(own(body).unwrap().hints, [hint_of("7", None), hint_of("9", None)]);
    }

    #[test]
    fn events_of_others_point_to_nothing() {
        let body = br#"{"type":"zen:event-type:user.name_changed","detail":{"id":"7"},"id":"e1"}"#;
        assert_eq!(own(body), Ok(Delivery { id: Some("zen:event-type:user.name_changed e1".into()), hints: vec![] }));
    }

    #[test]
    fn what_is_signed_but_makes_no_sense_is_malformed() {
        for body in [
            &b""[..],
            b"null",
            b"[]",
            b"{}",
            b"\xff\xfe",
            br#"{"ticket_id":"{{ticket.id}}"}"#,
            br#"{"ticket_id":"-1"}"#,
            br#"{"ticket_id":"7/../users"}"#,
            br#"{"type":"zen:event-type:ticket.created"}"#,
            br#"{"type":"zen:event-type:ticket.created","detail":{"id":{}}}"#,
            br#"{"type":7,"detail":{"id":"7"}}"#,
        ] {
            assert_eq!(own(body), Err(Refusal::Malformed), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn nothing_unsigned_forged_or_stale_is_read() {
        let body = br#"{"ticket_id": 35436}"#;
        let good = signed(body, None);
        assert_eq!(receive(&HeaderMap::new(), body), Err(Refusal::Unsigned));
        assert_eq!(receive(&good, br#"{"ticket_id": 35437}"#), Err(Refusal::Forged));
        let mut other_stamp = good.clone();
        other_stamp.insert(STAMP, "2026-05-03T10:05:13Z".parse().unwrap());
        assert_eq!(receive(&other_stamp, body), Err(Refusal::Forged), "the time stamp is signed too");
        let mut broken = good.clone();
        broken.insert(SIGNATURE, "§".parse().unwrap());
        assert!(receive(&broken, body).is_err());
        let late: Timestamp = "2026-05-03T10:10:13Z".parse().unwrap();
        assert_eq!(read(&Unverified::new(&good, None, body, late), Some(&secret())), Err(Refusal::Stale));
        assert_eq!(read(&Unverified::new(&good, None, body, late), None), Err(Refusal::NotConfigured));
    }

    #[test]
    fn an_absurd_delivery_id_is_none() {
        let body = br#"{"ticket_id": 35436}"#;
        assert_eq!(receive(&signed(body, Some(&"x".repeat(201))), body).unwrap().id, None);
    }

    proptest! {
        #[test]
        fn no_signed_body_breaks_anything(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(delivery) = own(&body) {
                prop_assert!(delivery.hints.iter().all(|hint| Id::read(hint.ticket.as_str()).is_some()));
            }
        }

        #[test]
        fn no_signed_json_breaks_anything(
            id in any::<Option<i64>>(), text in "[{}\\[\\]\",:a-z0-9./-]{0,40}", deep in 0usize..300
        ) {
            let kind = "zen:event-type:ticket.created";
            let nested = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
            for body in [
                serde_json::json!({ "ticket_id": id, "id": text }).to_string(),
                serde_json::json!({ "type": kind, "detail": { "id": text, "actor_id": id } }).to_string(),
                format!(r#"{{"type":"{kind}","detail":{nested}}}"#),
            ] {
                if let Ok(delivery) = own(body.as_bytes()) {
                    prop_assert!(delivery.hints.iter().all(|hint| hint.ticket.as_str().bytes().all(|b| b.is_ascii_digit())));
                }
            }
        }

        #[test]
        fn nobody_signs_by_chance(body in proptest::collection::vec(any::<u8>(), 0..100), signature in "[A-Za-z0-9+/]{43}=") {
            let mut headers = signed(b"something else", None);
            headers.insert(SIGNATURE, signature.parse().unwrap());
            prop_assert_eq!(receive(&headers, &body), Err(Refusal::Forged));
        }
    }
}
