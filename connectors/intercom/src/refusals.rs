//! What an answer that is no success means: Intercom's `{"type":"error.list","errors":[{"code","message"}]}`, translated into
//! the kit's two axes with a next step for a person (Intercom sheet, *Errors*, *Base URL and auth*).

use handoffd_kit::error::{DeskError, DeskErrorKind as Kind, Retry};
use handoffd_kit::gate::Class;
use handoffd_kit::text::from_json;
use http::StatusCode;
use serde_json::Value;

/// Nobody and no team has the id that was assigned to. It comes with 403, and means no right.
pub(crate) const NO_ASSIGNEE: &str = "assignee_not_found";

/// The first error of an answer: its code and its words; none: it was not Intercom.
struct Said {
    code: String,
    words: String,
}

fn said(body: &[u8]) -> Option<Said> {
    let json: Value = from_json(body).ok()?;
    let first = json.get("errors")?.as_array()?.first()?;
    let text = |key: &str| first.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let code = text("code")?;
    let words = text("message").map_or_else(|| code.to_owned(), |message| format!("{message} ({code})"));
    Some(Said { code: code.to_lowercase(), words })
}

/// The error that an answer means. `class` decides what a server's failure leaves behind: a write may have been done.
pub(crate) fn refusal(status: StatusCode, body: &[u8], class: Class, operation: &'static str) -> DeskError {
    let said = said(body);
    let (kind, retry, step) = meaning(status, said.as_ref().map(|said| said.code.as_str()), class);
    let shown = said.map_or_else(|| "(the answer is not one of Intercom's own)".to_owned(), |said| said.words);
    let error = DeskError::new(kind, retry, operation).status(status.as_u16()).words(shown);
    match step {
        Some(step) => error.next_step(step),
        None => error,
    }
}

fn meaning(status: StatusCode, code: Option<&str>, class: Class) -> (Kind, Retry, Option<&'static str>) {
    let never = |kind, step| (kind, Retry::Never, Some(step));
    match (status.as_u16(), code) {
        (300..=399, _) => never(Kind::Protocol, ADDRESS),
        // A token that is known, and may not do this: which status comes with it is not verified.
        (401, Some("token_unauthorized")) => never(Kind::Forbidden, RIGHTS),
        (401, _) => never(Kind::Unauthorized, LOGIN),
        (402, _) | (403, Some("api_plan_restricted")) => never(Kind::Forbidden, PLAN),
        (403, Some(NO_ASSIGNEE)) => never(Kind::Refused, ASSIGNEE),
        (403, _) => never(Kind::Forbidden, RIGHTS),
        (404, None) => never(Kind::Protocol, ADDRESS),
        (404, Some("admin_not_found")) => never(Kind::Refused, ASSIGNEE),
        (404, Some("tag_not_found")) => never(Kind::Refused, TAG),
        (404, _) => never(Kind::NotFound, GONE),
        (410, _) => never(Kind::Gone, GONE),
        (429, _) => (Kind::RateLimited, Retry::After(None), None),
        (408 | 500..=599, _) => (Kind::Unavailable, class.after_failure(), None),
        (400, Some("intercom_version_invalid")) => never(Kind::Protocol, VERSION),
        (400..=499, _) => never(Kind::Refused, GENERAL),
        // Neither a success that we know nor a refusal: it may have been done.
        _ => (Kind::Protocol, class.after_failure(), None),
    }
}

const ADDRESS: &str = "Check the desk's url: it must be the API of the workspace's region (api.intercom.io, api.eu.intercom.io or \
     api.au.intercom.io)";
const LOGIN: &str = "Check the desk's access token (Developer Hub, your app, Authentication), that the teammate who made it is \
     still there, and that the desk's url is of the workspace's own region";
const RIGHTS: &str = "Tick the permission that is missing (Developer Hub, your app, Authentication, Permissions), then make a new \
     access token if Intercom says so: `handoffd check --online` names what is missing";
const PLAN: &str = "The workspace's plan does not allow this: look at its subscription in Intercom";
const ASSIGNEE: &str = "Nobody and no team has this id any more: correct the person or the team's `queue` in the configuration, \
     then retry";
const TAG: &str = "The tag was deleted meanwhile: retry, and it is looked up again";
const GONE: &str =
    "The conversation was deleted, or a ticket's number was written instead of the conversation's id in its address";
const VERSION: &str = "This handoffd speaks an API version that Intercom no longer does: look for a newer one";
const GENERAL: &str = "Change what Intercom names (a custom attribute must exist with that name and type, and not be archived), then \
     retry the parked handoff";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, class: Class) -> DeskError {
        refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes(), class, "try")
    }

    fn errors(code: &str) -> String {
        format!(r#"{{"type":"error.list","request_id":"r","errors":[{{"code":"{code}","message":"For people"}}]}}"#)
    }

    #[test]
    fn intercoms_words_are_shown_with_their_code_and_a_strangers_are_not() {
        for (body, shown) in [
            (errors("not_found"), "For people (not_found)"),
            (r#"{"errors":[{"code":"x","message":null}]}"#.into(), "x"),
            (r#"{"errors":[]}"#.into(), "(the answer is not one of Intercom's own)"),
            (r#"{"errors":[{"message":"no code"}]}"#.into(), "(the answer is not one of Intercom's own)"),
            ("<html>Bad gateway</html>".into(), "(the answer is not one of Intercom's own)"),
            (String::new(), "(the answer is not one of Intercom's own)"),
        ] {
            assert_eq!(read(400, &body, Class::Write).words, shown, "{body}");
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
        for (status, code, kind) in [
            (301, "", Kind::Protocol),
            (400, "parameter_invalid", Kind::Refused),
            (400, "INVALID_PARAMETER", Kind::Refused),
            (400, "intercom_version_invalid", Kind::Protocol),
            (401, "unauthorized", Kind::Unauthorized),
            (401, "token_unauthorized", Kind::Forbidden),
            (402, "", Kind::Forbidden),
            (403, "forbidden", Kind::Forbidden),
            (403, "token_unauthorized", Kind::Forbidden),
            (403, "api_plan_restricted", Kind::Forbidden),
            (403, "assignee_not_found", Kind::Refused),
            (404, "not_found", Kind::NotFound),
            (404, "conversation_not_found", Kind::NotFound),
            (404, "tag_not_found", Kind::Refused),
            (404, "", Kind::Protocol),
            (422, "merge_failed", Kind::Refused),
            (429, "rate_limit_exceeded", Kind::RateLimited),
            (500, "server_error", Kind::Unavailable),
            (504, "", Kind::Unavailable),
        ] {
            let body = if code.is_empty() { String::new() } else { errors(code) };
            assert_eq!(read(status, &body, Class::Write).kind, kind, "{status} {code}");
        }
        assert_eq!(read(202, "", Class::Write).retry, Retry::Unsure, "an unknown success may have been one");
    }

    #[test]
    fn a_plan_an_assignee_and_a_right_behind_the_same_403_have_next_steps_of_their_own() {
        let step = |code| read(403, &errors(code), Class::Write).next_step.unwrap();
        assert!(step("api_plan_restricted").contains("subscription"));
        assert!(step("assignee_not_found").contains("queue") && step("forbidden").contains("permission"));
    }

    #[test]
    fn a_huge_or_hostile_body_gives_short_words() {
        let nested = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let long = errors(&"ü".repeat(60_000));
        for body in [nested, long, "<b>".repeat(100_000), "\u{0}\u{1}".repeat(5_000)] {
            assert!(read(422, &body, Class::Write).words.chars().count() <= 500);
        }
        assert_eq!(refusal(StatusCode::BAD_GATEWAY, &[0xff, 0xfe], Class::Read, "try").kind, Kind::Unavailable);
    }
}
