//! What an answer that is no success means: Zammad's `{"error", "error_human"}`, translated into the kit's two axes with a next
//! step for a person (Zammad sheet, *Errors*, *Base URL and auth*).

use handoffd_kit::error::{DeskError, DeskErrorKind as Kind, Retry};
use handoffd_kit::gate::Class;
use handoffd_kit::text::from_json;
use http::StatusCode;
use serde_json::Value;

/// What Zammad said in an error's body; none: it was not Zammad.
fn words(body: &[u8]) -> Option<String> {
    let json: Value = from_json(body).ok()?;
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    Some(text("error").or_else(|| text("error_human"))?.to_owned())
}

/// The error that an answer means. `class` decides what a server's failure leaves behind: a write may have been done.
pub(crate) fn refusal(status: StatusCode, body: &[u8], class: Class, operation: &'static str) -> DeskError {
    let words = words(body);
    let (kind, retry, step) = meaning(status, words.as_deref(), class);
    let shown = words.unwrap_or_else(|| "(the answer is not one of Zammad's own)".into());
    let error = DeskError::new(kind, retry, operation).status(status.as_u16()).words(shown);
    match step {
        Some(step) => error.next_step(step),
        None => error,
    }
}

fn meaning(status: StatusCode, words: Option<&str>, class: Class) -> (Kind, Retry, Option<&'static str>) {
    let never = |kind, step| (kind, Retry::Never, Some(step));
    let says = |part: &str| words.is_some_and(|words| words.to_lowercase().contains(part));
    match status.as_u16() {
        300..=399 => never(Kind::Protocol, ADDRESS),
        401 => never(Kind::Unauthorized, LOGIN),
        // Without a login, or with one of a kind that is switched off, Zammad answers 403, too.
        403 if says("authentication required") || says("token access disabled") => never(Kind::Unauthorized, LOGIN),
        403 => never(Kind::Forbidden, RIGHTS),
        404 if words.is_none() => never(Kind::Protocol, ADDRESS),
        404 => never(Kind::NotFound, GONE),
        410 => never(Kind::Gone, GONE),
        429 => (Kind::RateLimited, Retry::After(None), None),
        408 | 500..=599 => (Kind::Unavailable, class.after_failure(), None),
        400..=499 => never(Kind::Refused, remedy(&says)),
        // Neither a success that we know nor a refusal: it may have been done.
        _ => (Kind::Protocol, class.after_failure(), None),
    }
}

const ADDRESS: &str = "Check the desk's url: it must be the address that people open, and answer to /api/v1 without sending on to another";
const LOGIN: &str = "Check the desk's access token: it is of one agent, may have ended, and ends with the agent's account; \
     and that Token Access is on (System, API)";
const RIGHTS: &str = "Give handoffd's agent full access to the ticket's group, and to the group it moves to; and its token \
     the permission ticket.agent: `handoffd check --online` names what is missing";
const GONE: &str = "The ticket was deleted, or its number was written instead of the id in its address";
const GENERAL: &str = "Change on the ticket what Zammad names, then retry the parked handoff";

/// What helps against a refusal of the ticket's new values.
fn remedy(says: &impl Fn(&str) -> bool) -> &'static str {
    if says("no lookup value found") {
        "The name is not known to Zammad: correct it in the configuration, in the words of Zammad's own settings (sub-groups \
         are written Parent::Child); then retry"
    } else if says("follow-up") {
        "The group takes no follow-ups on closed tickets: open the ticket first, or allow them in the group's settings"
    } else if says("valid recipient") {
        "The customer has no mail address: answer by hand"
    } else if says("missing required value") {
        "A core workflow or the screen requires this field: fill it on the ticket, then retry the parked handoff"
    } else if says("email") {
        "Give the group an outgoing mail address (Manage, Groups), then retry"
    } else {
        GENERAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, class: Class) -> DeskError {
        refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes(), class, "try")
    }

    #[test]
    fn zammads_words_are_shown_and_a_strangers_are_not() {
        for (body, shown) in [
            (r#"{"error":"Not authorized","error_human":"For people"}"#, "Not authorized"),
            (r#"{"error":"","error_human":"For people"}"#, "For people"),
            (r#"{"error":{}}"#, "(the answer is not one of Zammad's own)"),
            ("<html>Bad gateway</html>", "(the answer is not one of Zammad's own)"),
            ("", "(the answer is not one of Zammad's own)"),
        ] {
            assert_eq!(read(422, body, Class::Write).words, shown, "{body}");
        }
    }

    #[test]
    fn a_refused_value_comes_with_a_remedy() {
        for (words, step) in [
            ("No lookup value found for 'group': \\\"X\\\"", "The name is not known"),
            ("Cannot follow-up on a closed ticket. Please create a new ticket.", "The group takes no follow-ups"),
            ("Sending an email without a valid recipient is not possible.", "The customer has no mail address"),
            ("Missing required value for field 'x'!", "A core workflow"),
            ("This group has no email address configured for outgoing communication.", "Give the group an outgoing"),
            ("Something else", "Change on the ticket"),
        ] {
            let error = read(422, &format!(r#"{{"error":"{words}"}}"#), Class::Write);
            assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::Never));
            assert!(error.next_step.clone().unwrap().starts_with(step), "{words}: {:?}", error.next_step);
        }
    }

    #[test]
    fn every_status_has_a_meaning_and_only_a_failed_server_leaves_a_write_unsure() {
        for status in 300..=599 {
            let (reading, writing) = (read(status, "", Class::Read), read(status, "", Class::Write));
            let failed = status == 408 || status >= 500;
            assert_eq!(writing.retry == Retry::Unsure, failed, "{status}");
            assert_ne!(reading.retry, Retry::Unsure, "reading leaves nothing behind: {status}");
        }
        for (status, body, kind) in [
            (301, "", Kind::Protocol),
            (401, r#"{"error":"Invalid token!"}"#, Kind::Unauthorized),
            (403, r#"{"error":"Authentication required"}"#, Kind::Unauthorized),
            (403, r#"{"error":"Not authorized"}"#, Kind::Forbidden),
            (403, "", Kind::Forbidden),
            (404, r#"{"error":"Couldn't find Ticket with 'id'=7"}"#, Kind::NotFound),
            (404, "<html>no such site</html>", Kind::Protocol),
            (422, "", Kind::Refused),
            (429, "", Kind::RateLimited),
            (500, r#"{"error":"Error ID 1: Please contact your administrator."}"#, Kind::Unavailable),
            (503, "", Kind::Unavailable),
        ] {
            assert_eq!(read(status, body, Class::Write).kind, kind, "{status} {body}");
        }
        assert_eq!(read(202, "", Class::Write).retry, Retry::Unsure, "an unknown success may have been one");
    }

    #[test]
    fn a_huge_or_hostile_body_gives_short_words() {
        let nested = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let long = format!(r#"{{"error":"{}"}}"#, "ü".repeat(60_000));
        for body in [nested, long, "<b>".repeat(100_000), "\u{0}\u{1}".repeat(5_000)] {
            assert!(read(422, &body, Class::Write).words.chars().count() <= 500);
        }
        assert_eq!(refusal(StatusCode::BAD_GATEWAY, &[0xff, 0xfe], Class::Read, "try").kind, Kind::Unavailable);
    }
}
