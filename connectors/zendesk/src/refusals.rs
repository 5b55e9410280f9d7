//! What an answer that is no success means: Zendesk's three error envelopes, plain text and HTML, translated into the
//! kit's two axes with a next step for a person (Zendesk sheet, *Errors*).

use handoffd_kit::error::{DeskError, DeskErrorKind as Kind, Retry};
use handoffd_kit::gate::Class;
use handoffd_kit::text::{from_json, html_to_text};
use http::StatusCode;
use serde_json::Value;

/// Longer texts are error pages, not words.
const WORDS_BYTES: usize = 2_000;

/// What Zendesk said in an error's body.
#[derive(Debug, Default, PartialEq, Eq)]
struct Words {
    /// The code: `RecordNotFound`, `UpdateConflict`, …
    code: String,
    /// What follows it.
    text: String,
    /// What is wrong with which field.
    details: Vec<(String, String)>,
    /// Whether it was JSON at all.
    json: bool,
}

impl Words {
    fn read(body: &[u8]) -> Self {
        match from_json::<Value>(body) {
            Ok(json) => Self::of_json(&json),
            Err(_) => {
                let text = String::from_utf8_lossy(&body[..body.len().min(WORDS_BYTES)]);
                let text = html_to_text(&text, WORDS_BYTES).split_whitespace().collect::<Vec<_>>().join(" ");
                Self { text, ..Self::default() }
            }
        }
    }

    fn of_json(json: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let listed = json["errors"].as_array().and_then(|errors| errors.first());
        let (code, said) = match (&json["error"], listed) {
            (Value::String(code), _) => (code.clone(), [text(&json["description"]), text(&json["error_description"])]),
            (Value::Object(error), _) => {
                let part = |key| error.get(key).map(text).unwrap_or_default();
                (part("title"), [part("message"), String::new()])
            }
            (_, Some(error)) => (text(&error["code"]), [text(&error["title"]), text(&error["detail"])]),
            _ => (String::new(), [text(&json["message"]), String::new()]),
        };
        Self {
            code,
            text: joined(said.iter().map(String::as_str), ": "),
            details: details(&json["details"]),
            json: true,
        }
    }

    fn shown(&self) -> String {
        let details = joined(self.details.iter().map(|(_, description)| description.as_str()), "; ");
        joined([self.code.as_str(), &self.text, &details].into_iter(), ": ")
    }

    fn is(&self, code: &str) -> bool {
        self.code.eq_ignore_ascii_case(code)
    }

    /// A closed ticket takes no update.
    fn closed(&self) -> bool {
        self.details.iter().any(|(field, description)| {
            let description = description.to_lowercase();
            description.contains("closed prevents") || (field == "status" && description.contains("closed"))
        })
    }
}

fn joined<'a>(parts: impl Iterator<Item = &'a str>, by: &str) -> String {
    let mut parts: Vec<&str> = parts.map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.dedup();
    parts.join(by)
}

fn details(details: &Value) -> Vec<(String, String)> {
    let fields = details.as_object().into_iter().flatten();
    let described = fields.flat_map(|(field, errors)| {
        let errors = errors.as_array().into_iter().flatten();
        errors.filter_map(|error| error["description"].as_str()).map(|words| (field.clone(), words.to_owned()))
    });
    described.take(20).collect()
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
    let failed = class.after_failure();
    match status.as_u16() {
        300..=399 => (Kind::Protocol, Retry::Never, Some(ADDRESS)),
        401 => (Kind::Unauthorized, Retry::Never, Some(LOGIN)),
        403 => (Kind::Forbidden, Retry::Never, Some(RIGHTS)),
        404 if words.is("InvalidEndpoint") => (Kind::Refused, Retry::Never, Some(PLAN)),
        404 if !words.json && !words.text.is_empty() => (Kind::Protocol, Retry::Never, Some(ADDRESS)),
        404 => (Kind::NotFound, Retry::Never, Some(VISIBLE)),
        410 => (Kind::Gone, Retry::Never, None),
        409 => (Kind::Conflict, Retry::Never, None),
        422 if words.closed() => (Kind::Gone, Retry::Never, Some(CLOSED)),
        422 => (Kind::Refused, Retry::Never, Some(remedy(words))),
        429 => (Kind::RateLimited, Retry::After(None), None),
        408 | 500..=599 => (Kind::Unavailable, failed, None),
        400..=499 => (Kind::Refused, Retry::Never, Some(GENERAL)),
        // Neither a success that we know nor a refusal: it may have been done.
        _ => (Kind::Protocol, failed, None),
    }
}

const ADDRESS: &str = "Check the desk's url: it must be the account's own address, such as https://acme.zendesk.com";
const LOGIN: &str = "Check the desk's login: for an OAuth client its identifier and secret, and that it is confidential; for \
     an API token the mail address, and that the token is active";
const RIGHTS: &str = "Give the login's user the agent role with access to all tickets (an admin for incremental exports), \
     and the OAuth client the scopes \"read tickets:write\" (a misspelt scope is accepted and then refuses every call)";
const PLAN: &str =
    "Zendesk says that this address does not exist: check the desk's url, and whether the account's plan has it";
const VISIBLE: &str = "The ticket is gone, or the login's user may not see it: give that user access to all tickets";
const CLOSED: &str = "A closed ticket takes no update; open a follow-up ticket in Zendesk if the case goes on";
const GENERAL: &str = "Change on the ticket what Zendesk names, then retry the parked handoff";

/// What helps against a refusal of the ticket's new values.
fn remedy(words: &Words) -> &'static str {
    let said = words.shown().to_lowercase();
    let has = |text: &str| said.contains(text);
    if has("not a member of the group") || has("member of the group") {
        "Make the assignee a member of the group in Admin Center, or let the policy hand over to the group's queue; then retry"
    } else if has("suspended") {
        "Unsuspend the requester in Zendesk, or handle the ticket by hand; then retry"
    } else if has("required") {
        "Fill the fields that Zendesk requires on the ticket, then retry the parked handoff"
    } else if words.details.iter().any(|(field, _)| field.contains("group")) {
        "Check that the group exists and is not deleted, and that the login's user may assign to it; then retry"
    } else {
        GENERAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> DeskError {
        refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes(), Class::Read, "try")
    }

    fn write(status: u16, body: &str) -> DeskError {
        refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes(), Class::Write, "try")
    }

    #[test]
    fn all_three_envelopes_are_read() {
        for (body, words) in [
            (
                r#"{"error":{"title":"Forbidden","message":"You do not have access."}}"#,
                "Forbidden: You do not have access.",
            ),
            (r#"{"error":"Forbidden","description":"No such right"}"#, "Forbidden: No such right"),
            (
                r#"{"errors":[{"code":"InvalidPaginationDepth","title":"Too deep","detail":"Too deep"}]}"#,
                "InvalidPaginationDepth: Too deep",
            ),
            (r#"{"error":"invalid_client","error_description":"Failed."}"#, "invalid_client: Failed."),
            ("<html><title>x</title><body><h1>Down</h1>for\nrepair</body></html>", "Down for repair"),
            ("plain words", "plain words"),
            ("", ""),
            ("[1]", ""),
        ] {
            assert_eq!(Words::read(body.as_bytes()).shown(), words, "{body}");
        }
    }

    #[test]
    fn a_refused_value_comes_with_the_vendors_words_and_a_remedy() {
        let body = r#"{"error":"RecordInvalid","description":"Record validation errors","details":{
            "assignee":[{"description":"Assignee: is not a member of the group"}]}}"#;
        let error = write(422, body);
        assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::Never));
        assert_eq!(error.words, "RecordInvalid: Record validation errors: Assignee: is not a member of the group");
        assert!(error.next_step.unwrap().starts_with("Make the assignee a member of the group"));
        for (words, step) in [
            ("Requester: Jane is suspended.", "Unsuspend"),
            ("Root cause: is required when solving a ticket", "Fill the fields"),
            ("Something else", "Change on the ticket"),
        ] {
            let body = format!(r#"{{"error":"RecordInvalid","details":{{"base":[{{"description":"{words}"}}]}}}}"#);
            assert!(write(422, &body).next_step.unwrap().starts_with(step), "{words}");
        }
    }

    #[test]
    fn a_closed_ticket_is_gone() {
        let body = r#"{"error":"RecordInvalid","description":"Record validation errors","details":{
            "status":[{"description":"Status: closed prevents ticket update"}]}}"#;
        assert_eq!(write(422, body).kind, Kind::Gone);
        let other = r#"{"error":"RecordInvalid","details":{"base":[{"description":"Case closed by: is required"}]}}"#;
        assert_eq!(write(422, other).kind, Kind::Refused);
    }

    #[test]
    fn not_found_is_told_from_a_wrong_address() {
        assert_eq!(read(404, r#"{"error":"RecordNotFound","description":"Not found"}"#).kind, Kind::NotFound);
        assert_eq!(read(404, r#"{"error":"InvalidEndpoint","description":"Not found"}"#).kind, Kind::Refused);
        assert_eq!(read(404, "<html><body>Oops, this help center no longer exists</body></html>").kind, Kind::Protocol);
        assert_eq!(read(404, "").kind, Kind::NotFound);
    }

    #[test]
    fn every_status_has_a_meaning_and_only_a_failed_server_leaves_a_write_unsure() {
        for status in 300..=599 {
            let (read, write) = (read(status, ""), write(status, ""));
            assert_eq!(read.kind, write.kind, "{status}");
            assert_eq!(read.status, Some(status));
            let failed = status == 408 || status >= 500;
            assert_eq!(write.retry == Retry::Unsure, failed, "{status}");
            assert_eq!(failed, read.kind == Kind::Unavailable, "{status}");
            assert_ne!(read.retry, Retry::Unsure, "reading leaves nothing behind: {status}");
        }
        for (status, kind) in [
            (301, Kind::Protocol),
            (400, Kind::Refused),
            (401, Kind::Unauthorized),
            (403, Kind::Forbidden),
            (409, Kind::Conflict),
            (413, Kind::Refused),
            (422, Kind::Refused),
            (429, Kind::RateLimited),
            (503, Kind::Unavailable),
        ] {
            assert_eq!(read(status, "").kind, kind, "{status}");
        }
        assert_eq!(write(226, "").retry, Retry::Unsure, "an unknown success may have been one");
    }

    #[test]
    fn a_huge_or_hostile_body_gives_short_words() {
        let nested = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let many = format!(
            r#"{{"error":"RecordInvalid","details":{{"base":[{}]}}}}"#,
            vec![r#"{"description":"x y z"}"#; 5_000].join(",")
        );
        for body in [nested, many, "<b>".repeat(100_000), "\u{0}\u{1}".repeat(5_000), "ü".repeat(60_000)] {
            assert!(read(422, &body).words.chars().count() <= 500);
        }
        assert_eq!(refusal(StatusCode::BAD_GATEWAY, &[0xff, 0xfe, b'x'], Class::Read, "try").kind, Kind::Unavailable);
    }
}
