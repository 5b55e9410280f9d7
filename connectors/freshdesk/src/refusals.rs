//! What an answer that is no success means: Freshdesk's two envelopes and its empty bodies, translated into the kit's two axes
//! with a next step for a person (Freshdesk sheet, *Errors*).

use handoffd_kit::error::{DeskError, DeskErrorKind as Kind, Retry};
use handoffd_kit::gate::Class;
use handoffd_kit::text::from_json;
use http::StatusCode;
use serde_json::Value;

/// More of a list of errors is not shown.
const MOST_ERRORS: usize = 10;

/// One entry of `errors`: which field, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    field: String,
    code: String,
    message: String,
}

/// What Freshdesk said in an error's body.
#[derive(Debug, Default, PartialEq, Eq)]
struct Words {
    /// `access_denied`, `invalid_credentials`, …; or what the list below is headed with.
    title: String,
    message: String,
    errors: Vec<Wrong>,
    /// Whether it was JSON at all, or nothing.
    own: bool,
}

impl Words {
    fn read(body: &[u8]) -> Self {
        let own = body.iter().all(u8::is_ascii_whitespace);
        let Ok(json) = from_json::<Value>(body) else { return Self { own, ..Self::default() } };
        let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
        let errors = json["errors"].as_array().into_iter().flatten().take(MOST_ERRORS);
        let errors = errors.map(|one| {
            let (field, code, message) = (text(&one["field"]), text(&one["code"]), text(&one["message"]));
            Wrong { field, code, message }
        });
        let title = [text(&json["code"]), text(&json["description"])].into_iter().find(|title| !title.is_empty());
        let (title, message) = (title.unwrap_or_default(), text(&json["message"]));
        Self { title, message, errors: errors.collect(), own: json.is_object() }
    }

    fn shown(&self) -> String {
        if !self.own {
            return "(the answer is not one of Freshdesk's own)".into();
        }
        let one = |wrong: &Wrong| joined(&[&wrong.field, &wrong.message, &wrong.code], " ");
        let errors = self.errors.iter().map(one).collect::<Vec<_>>().join("; ");
        joined(&[&self.title, &self.message, &errors], ": ")
    }

    fn names(&self, field: &str) -> bool {
        self.errors.iter().any(|wrong| wrong.field == field)
    }
}

fn joined(parts: &[&str], by: &str) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(by)
}

/// The error that an answer means. `class` decides what a server's failure leaves behind: a write may have been done.
pub(crate) fn refusal(status: StatusCode, body: &[u8], class: Class, operation: &'static str) -> DeskError {
    let words = Words::read(body);
    let (kind, retry, step) = meaning(status, &words, class);
    let error = DeskError::new(kind, retry, operation).status(status.as_u16()).words(words.shown());
    match step {
        Some(step) => error.next_step(step),
        None => error,
    }
}

fn meaning(status: StatusCode, words: &Words, class: Class) -> (Kind, Retry, Option<&'static str>) {
    let never = |kind, step| (kind, Retry::Never, step);
    match status.as_u16() {
        300..=399 => never(Kind::Protocol, Some(ADDRESS)),
        401 => never(Kind::Unauthorized, Some(LOGIN)),
        403 => never(Kind::Forbidden, Some(RIGHTS)),
        404 if !words.own => never(Kind::Protocol, Some(ADDRESS)),
        404 => never(Kind::NotFound, Some(VISIBLE)),
        // A ticket that was deleted or marked as spam takes no `PUT` (from memory; a 404 is read as gone as well).
        405 if class == Class::Write => never(Kind::Gone, Some(ENDED)),
        410 => never(Kind::Gone, Some(ENDED)),
        429 => (Kind::RateLimited, Retry::After(None), None),
        408 | 500..=599 => (Kind::Unavailable, class.after_failure(), None),
        400..=499 => never(Kind::Refused, Some(remedy(words))),
        // Neither a success that we know nor a refusal: it may have been done.
        _ => (Kind::Protocol, class.after_failure(), None),
    }
}

const ADDRESS: &str = "Check the desk's url: it must be the account's own address, such as https://acme.freshdesk.com, and no address of a portal";
const LOGIN: &str = "Check the desk's API key: it is the key of one agent, changes when that agent resets it, and ends with \
     the agent's seat";
const RIGHTS: &str = "Give handoffd's agent the global ticket scope and a role that may view, edit and assign tickets, reply \
     and add notes; on the Free plan Freshdesk has no API";
const VISIBLE: &str = "The ticket was deleted for good or archived, or lies outside the ticket scope of handoffd's agent: give it the global one";
const ENDED: &str = "The ticket was deleted or marked as spam: restore it in Freshdesk if the case goes on";
const GENERAL: &str = "Change on the ticket what Freshdesk names, then retry the parked handoff";

/// What helps against a refusal of the ticket's new values.
fn remedy(words: &Words) -> &'static str {
    let missing = words.errors.iter().any(|wrong| wrong.code == "missing_field");
    if words.names("responder_id") {
        "Add the agent to the group (Admin, Groups), or let the policy hand over to the group's queue; then retry"
    } else if words.names("group_id") {
        "Check that the group exists, and that handoffd's agent may assign to it; then retry"
    } else if missing {
        "Fill the fields that Freshdesk requires on the ticket, then retry the parked handoff"
    } else if words.errors.iter().any(|wrong| wrong.code == "invalid_field") {
        "Freshdesk knows no such field: run `handoffd check --online`, which lists its fields, and correct the configuration"
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
    fn both_envelopes_and_an_empty_body_are_read() {
        for (body, words) in [
            (
                r#"{"code":"access_denied","message":"You are not authorized to perform this action."}"#,
                "access_denied: You are not authorized to perform this action.",
            ),
            (
                r#"{"description":"Validation failed","errors":[{"field":"group_id","message":"There is no group matching the given group_id","code":"invalid_value"}]}"#,
                "Validation failed: group_id There is no group matching the given group_id invalid_value",
            ),
            ("", ""),
            ("<html>Down for repair</html>", "(the answer is not one of Freshdesk's own)"),
            ("[1]", "(the answer is not one of Freshdesk's own)"),
        ] {
            assert_eq!(Words::read(body.as_bytes()).shown(), words, "{body}");
        }
    }

    #[test]
    fn a_refused_value_comes_with_the_vendors_words_and_a_remedy() {
        for (field, code, step) in [
            ("responder_id", "invalid_value", "Add the agent to the group"),
            ("group_id", "invalid_value", "Check that the group exists"),
            ("cf_reason", "missing_field", "Fill the fields"),
            ("cf_nope", "invalid_field", "Freshdesk knows no such field"),
            ("priority", "datatype_mismatch", "Change on the ticket"),
        ] {
            let body = format!(r#"{{"errors":[{{"field":"{field}","message":"m","code":"{code}"}}]}}"#);
            let error = read(400, &body, Class::Write);
            assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::Never));
            assert!(error.next_step.unwrap().starts_with(step), "{field}");
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
            (400, "", Kind::Refused),
            (401, "", Kind::Unauthorized),
            (403, "", Kind::Forbidden),
            (404, "", Kind::NotFound),
            (404, "<html>no such portal</html>", Kind::Protocol),
            (405, "", Kind::Gone),
            (409, "", Kind::Refused),
            (415, "", Kind::Refused),
            (429, "", Kind::RateLimited),
            (503, "", Kind::Unavailable),
        ] {
            assert_eq!(read(status, body, Class::Write).kind, kind, "{status} {body}");
        }
        assert_eq!(read(405, "", Class::Read).kind, Kind::Refused, "only a write is refused because a ticket is gone");
        assert_eq!(read(202, "", Class::Write).retry, Retry::Unsure, "an unknown success may have been one");
    }

    #[test]
    fn a_huge_or_hostile_body_gives_short_words() {
        let nested = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let many = format!(r#"{{"errors":[{}]}}"#, vec![r#"{"field":"x","message":"y z"}"#; 5_000].join(","));
        for body in [nested, many, "<b>".repeat(100_000), "\u{0}\u{1}".repeat(5_000), "ü".repeat(60_000)] {
            assert!(read(400, &body, Class::Write).words.chars().count() <= 500);
        }
        assert_eq!(refusal(StatusCode::BAD_GATEWAY, &[0xff, 0xfe], Class::Read, "try").kind, Kind::Unavailable);
    }
}
