//! Webhooks. One that an admin makes has a secret: the raw body is signed with HMAC-SHA256 under it. Its time stands in the signed
//! body; retries and slow deliveries may be more than an hour late, so a day is allowed. Jira's apps sign in another way, and an
//! automation rule not at all: for those there is an address of its own (Jira Service Management sheet, *Webhooks*). An old
//! delivery could be played again within the day: a hook is a hint to look, and never a source of facts.

use crate::config::Hook;
use crate::wire::{Id, Issue, Sent, User};
use handoffd_kit::id::{TicketId, UserId};
use handoffd_kit::text::from_json;
use handoffd_kit::webhook::{Delivery, Hint, LONGEST_ID, Refusal, Unverified, Verified, WINDOW_OF_BODIES, from_hex};
use serde::Deserialize;

/// The name of the method, an equals sign, and the signature in hexadecimal digits.
const SIGNATURE: &str = "x-hub-signature";
/// The same over all retries of a delivery.
const DELIVERY: &str = "x-atlassian-webhook-identifier";

/// An event of Jira's, or what the README tells an admin to send from an automation rule.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    timestamp: Sent<i64>,
    #[serde(rename = "webhookEvent")]
    event: Sent<String>,
    issue: Sent<Issue>,
    issue_id: Sent<Id>,
    user: Sent<User>,
}

/// Verifies and reads a webhook.
pub(crate) fn read(request: &Unverified<'_>, hook: Option<&Hook>) -> Result<Delivery, Refusal> {
    match hook.ok_or(Refusal::NotConfigured)? {
        Hook::Signed(secret) => {
            let signature = request.header(SIGNATURE)?.strip_prefix("sha256=").ok_or(Refusal::Forged)?;
            let signature = from_hex(signature)?;
            let verified = secret.verified(|secret| request.hmac_sha256(secret, b"", &signature))?;
            let body = body(&verified)?;
            let verified = match body.timestamp.get() {
                Some(millis) => verified.within(&millis.to_string(), WINDOW_OF_BODIES)?,
                None => verified,
            };
            delivery(request, &self::body(&verified)?)
        }
        Hook::Addressed(token) => {
            let verified = token.verified(|token| request.path_token(token))?;
            delivery(request, &body(&verified)?)
        }
    }
}

fn body(verified: &Verified<'_>) -> Result<Body, Refusal> {
    from_json(verified.body()).map_err(|_| Refusal::Malformed)
}

fn delivery(request: &Unverified<'_>, body: &Body) -> Result<Delivery, Refusal> {
    let of_issue = body.issue.get().and_then(|issue| issue.id.get());
    let id = request.header(DELIVERY).ok().filter(|id| id.len() <= LONGEST_ID).map(str::to_owned);
    // Whatever an automation does because of us, it does as a user of its own, in an event of its own.
    let actor = body.user.get().and_then(|user| user.account_id.get()).filter(|id| !id.is_empty());
    let actor = actor.map(|id| UserId::new(id.as_str()));
    // A webhook may be set up for more than we asked for, a link or a version: taken, and about no ticket.
    let names_one = |event: &String| event.starts_with("jira:issue") || event.starts_with("comment");
    let other = body.event.get().is_some_and(|event| !names_one(event));
    let hints = match body.issue_id.get().or(of_issue) {
        Some(ticket) if ticket.is_record() => vec![Hint { ticket: TicketId::new(ticket.to_string()), actor }],
        None if other => vec![],
        _ => return Err(Refusal::Malformed),
    };
    Ok(Delivery { id, hints })
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::secret::Secret;
    use http::HeaderMap;
    use proptest::prelude::*;

    /// printf '%s' BODY | openssl dgst -sha256 -hmac 0123456789abcdef
    const SECRET: &str = "0123456789abcdef";
    const SHORT: &[u8] = br#"{"issue_id":"10412"}"#;
    const SHORT_SIGNED: &str = "sha256=5e0add0e007fbd0e78aaf26f4aecc9e80015558f3533f53883ff66e841d35e1a";

    fn received(
        hook: &Hook,
        headers: &[(&'static str, &str)],
        path: Option<&str>,
        body: &[u8],
    ) -> Result<Delivery, Refusal> {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let now = "2026-09-01T09:30:00Z".parse().unwrap();
        read(&Unverified::new(&headers, path, body, now), Some(hook))
    }

    fn signed(signature: &str, body: &[u8]) -> Result<Delivery, Refusal> {
        received(&Hook::Signed(Secret::from(SECRET)), &[(SIGNATURE, signature)], None, body)
    }

    #[test]
    fn an_event_and_a_body_of_our_own_point_to_their_ticket() {
        let hook = Hook::Signed(Secret::from(SECRET));
        let fixture = include_bytes!("../fixtures/webhook.json");
        let headers = [
            (SIGNATURE, "sha256=599f49801a77ae5e226cdd398e6e5e8d23c8adb519436c6944ece3d9332effa4"),
            (DELIVERY, "7c1d"),
        ];
        let whole = received(&hook, &headers, None, fixture).unwrap();
        let hint = Hint { ticket: "10412".into(), actor: Some("557058:2".into()) };
        assert_eq!(whole, Delivery { id: Some("7c1d".into()), hints: vec![hint] });
        let short = signed(&SHORT_SIGNED.to_uppercase().replace("SHA256=", "sha256="), SHORT).unwrap();
        assert_eq!(short, Delivery { id: None, hints: vec![Hint { ticket: "10412".into(), actor: None }] });
    }

    #[test]
    fn a_stranger_learns_nothing() {
        let hook = Hook::Signed(Secret::from(SECRET));
        assert_eq!(received(&hook, &[], None, SHORT), Err(Refusal::Unsigned));
        for odd in ["sha256=", "sha256=00", "sha1=00", "sha256=zz", &SHORT_SIGNED[7..]] {
            assert_eq!(signed(odd, SHORT), Err(Refusal::Forged), "{odd}");
        }
        assert_eq!(signed(SHORT_SIGNED, br#"{"issue_id":"10413"}"#), Err(Refusal::Forged));
        assert_eq!(signed(SHORT_SIGNED, b"not json"), Err(Refusal::Forged), "the signature comes first");
        let headers = HeaderMap::new();
        let request = Unverified::new(&headers, None, SHORT, jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(read(&request, None), Err(Refusal::NotConfigured));
    }

    #[test]
    fn an_event_about_something_else_is_taken_and_is_about_no_ticket() {
        let hook = Hook::Addressed(Secret::from(SECRET));
        let posted = |body: &str| received(&hook, &[], Some(SECRET), body.as_bytes());
        let other = posted(r#"{"webhookEvent":"issuelink_created","issueLink":{"id":1}}"#);
        assert_eq!(other, Ok(Delivery { id: None, hints: vec![] }));
        for lacking in ["jira:issue_updated", "comment_created"] {
            let body = format!(r#"{{"webhookEvent":"{lacking}"}}"#);
            assert_eq!(posted(&body), Err(Refusal::Malformed), "{lacking} is about one");
        }
    }

    #[test]
    fn what_is_signed_and_old_is_stale_and_what_names_no_ticket_is_malformed() {
        let old = br#"{"timestamp":1788000000000,"issue_id":"10412"}"#;
        assert_eq!(
            signed("sha256=7fefac0b7e7f7d56b5037671b6eee85801e9b922a8c1d8a9cd576628acf02806", old),
            Err(Refusal::Stale)
        );
        for (body, signature) in [
            (r##"{}"##, "f91e3e9f05cc2df64ac1c26f8adccdffda8d1e4a7a8c50a1a08eeadac6ddfec5"),
            (r##"{"issue":{"id":"HELP-1"}}"##, "af94b4ea20a3f0b681e8df71665969d73ef8710e22fb81d6c3c7bcf05b3f627c"),
            (r##"{"issue_id":0}"##, "0bfc75bedace39d0eeef14da6a8fef0ad3181cea8c000c0db7d94853c32946ff"),
            (r##"null"##, "feb8b896326f8e99f11952dd220eebb9ffe0d2101e6aa3495b1968220d51734f"),
        ] {
            assert_eq!(signed(&format!("sha256={signature}"), body.as_bytes()), Err(Refusal::Malformed), "{body}");
        }
    }

    #[test]
    fn an_address_that_nobody_else_knows_is_enough_where_nothing_is_signed() {
        let hook = Hook::Addressed(Secret::from(SECRET));
        let hint = Hint { ticket: "10412".into(), actor: None };
        assert_eq!(received(&hook, &[], Some(SECRET), SHORT).unwrap().hints, [hint]);
        assert_eq!(received(&hook, &[], Some("0123456789abcdeX"), SHORT), Err(Refusal::Forged));
        assert_eq!(received(&hook, &[(SIGNATURE, SHORT_SIGNED)], None, SHORT), Err(Refusal::Unsigned));
    }

    proptest! {
        #[test]
        fn no_request_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..300), signature in "[ -~]{0,60}") {
            prop_assert!(signed(&signature, &body).is_err());
        }
    }
}
