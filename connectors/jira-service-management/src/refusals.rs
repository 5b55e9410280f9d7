//! What an answer that is no success means: the two forms of Jira's refusals, translated into the kit's two axes with a next step
//! for a person (Jira Service Management sheet, *Errors*, *Rate limits*, *Base URL and auth*).

use bytes::Bytes;
use handoffd_kit::error::{DeskError, DeskErrorKind as Kind, Retry};
use handoffd_kit::gate::{Class, retry_after};
use handoffd_kit::text::from_json;
use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use serde_json::Value;

/// Reads a refusal. `status`: what it counts as, which a refusal inside a 200 does not say itself.
pub(crate) fn refusal(
    status: StatusCode,
    response: &Response<Bytes>,
    class: Class,
    operation: &'static str,
    now: Timestamp,
) -> DeskError {
    let words = from_json(response.body()).ok().as_ref().and_then(words_in);
    let headers = response.headers();
    let (kind, retry, step) = match quota(status, headers, words.as_deref()) {
        true => (Kind::RateLimited, Retry::After(retry_after(headers, now).or_else(|| reset(headers, now))), None),
        false => meaning(status, headers, words.as_deref(), class),
    };
    let shown = words.unwrap_or_else(|| "(the answer is not one of Jira's own)".into());
    let error = DeskError::new(kind, retry, operation).status(response.status().as_u16()).words(shown);
    match step {
        Some(step) => error.next_step(step),
        None => error,
    }
}

/// Whether an answer that was sent as a success is a refusal.
pub(crate) fn inside(answer: &Value) -> bool {
    let listed = |key: &str| answer.get(key).and_then(Value::as_array).is_some_and(|words| !words.is_empty());
    let by_field = |key: &str| answer.get(key).and_then(Value::as_object).is_some_and(|words| !words.is_empty());
    let said = answer.get("errorMessage").and_then(Value::as_str).is_some_and(|words| !words.is_empty());
    listed("errorMessages") || by_field("errors") || said
}

/// Jira's own words: those about the request, then those about single fields.
fn words_in(body: &Value) -> Option<String> {
    let plain = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let listed = body.get("errorMessages").and_then(Value::as_array).into_iter().flatten();
    let listed = listed.filter_map(|words| words.as_str().map(str::to_owned));
    let fields = body.get("errors").and_then(Value::as_object).into_iter().flatten();
    let fields = fields.filter_map(|(field, words)| Some(format!("{field}: {}", words.as_str()?)));
    let all = listed.chain(fields).chain(plain("errorMessage")).chain(plain("message"));
    let all: Vec<String> = all.map(|words| words.trim().to_owned()).filter(|words| !words.is_empty()).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// A quota that came as a 403: nothing is wrong with our rights.
fn quota(status: StatusCode, headers: &HeaderMap, words: Option<&str>) -> bool {
    let words = words.unwrap_or_default().to_lowercase();
    let says = words.contains("rate limit") || words.contains("quota");
    let names = ["ratelimit-reason", "retry-after"].iter().any(|name| headers.contains_key(*name));
    status == StatusCode::TOO_MANY_REQUESTS || (status == StatusCode::FORBIDDEN && (names || says))
}

fn reset(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = headers.get("x-ratelimit-reset")?.to_str().ok()?;
    crate::wire::instant(text.trim()).filter(|at| *at > now)
}

fn meaning(
    status: StatusCode,
    headers: &HeaderMap,
    words: Option<&str>,
    class: Class,
) -> (Kind, Retry, Option<&'static str>) {
    let never = |kind, step| (kind, Retry::Never, Some(step));
    let says = |part: &str| words.is_some_and(|words| words.to_lowercase().contains(part));
    let locked = headers.contains_key("x-seraph-loginreason");
    // "Issue does not exist or you do not have permission to see it" names both; it is no missing right that we know of.
    let no_right = says("permission") && !says("does not exist");
    match status.as_u16() {
        300..=399 => never(Kind::Protocol, ADDRESS),
        401 => never(Kind::Unauthorized, LOGIN),
        403 if locked => never(Kind::Unauthorized, LOCKED),
        403 => never(Kind::Forbidden, RIGHTS),
        404 if words.is_none() => never(Kind::Protocol, ADDRESS),
        // What may not be done is told in several ways (published description: 400 for an edit, 404 for what is not seen).
        400 | 404 if no_right => never(Kind::Forbidden, RIGHTS),
        404 => never(Kind::NotFound, GONE),
        409 => never(Kind::Conflict, COLLIDED),
        410 => never(Kind::Protocol, "This address of Jira's API was switched off: use a newer handoffd"),
        413 => never(Kind::Refused, "The issue holds as many comments as Jira allows: go on in a new one"),
        408 | 500..=599 => (Kind::Unavailable, class.after_failure(), None),
        400..=499 => never(Kind::Refused, remedy(&says)),
        // Neither a success that we know nor a refusal: it may have been done.
        _ => (Kind::Protocol, class.after_failure(), None),
    }
}

const ADDRESS: &str = "Check the desk's url: it must be the address that people open, or that of the site's id, and answer without sending on to \
     another";
const LOGIN: &str = "Check the desk's mail address and API token: a token ends after a year at most, and with its account; make a new one at \
     id.atlassian.com (Security, API tokens) and put it where the configuration points";
const LOCKED: &str = "Jira wants to see a person: log in once in a browser as handoffd's account, then resume the desk";
const RIGHTS: &str = "Make handoffd's account an agent of the service project, with the permissions to browse, edit, assign and transition issues \
     and to add comments: `handoffd check --online` names what is missing";
const GONE: &str = "The issue was deleted, moved or hidden by an issue security level: Jira does not tell which";
const COLLIDED: &str = "Somebody else changed the issue at the same moment";
const GENERAL: &str = "Change on the issue what Jira names, then retry the parked handoff";

/// What helps against a refusal of the issue's new values.
fn remedy(says: &impl Fn(&str) -> bool) -> &'static str {
    if says("not on the appropriate screen") {
        "Put the field on the edit screen of the project's issue types (Project settings, Screens), then retry the parked handoff"
    } else if says("option value") || says("option id") || says("option is not valid") {
        "The field has no such option: correct the name in the configuration, or add the option to the field"
    } else if says("cannot be assigned") {
        "Let that person be assignable in the project (Project settings, People), or correct the configuration"
    } else if says("workflow") || says("transition") {
        "The project's workflow does not lead there from the issue's present status, or wants a field first"
    } else if says("for the field 'project'") {
        "Correct the keys in the login's `projects`, or make handoffd's account an agent of these projects"
    } else if says("archived") {
        "The issue is archived: restore it first, or leave it"
    } else {
        GENERAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str, class: Class) -> DeskError {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let response = response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        refusal(response.status(), &response, class, "try", Timestamp::UNIX_EPOCH)
    }

    fn read(status: u16, body: &str, class: Class) -> DeskError {
        answer(status, &[], body, class)
    }

    #[test]
    fn both_forms_of_jiras_words_are_shown_and_a_strangers_are_not() {
        for (body, shown) in [
            (r#"{"errorMessages":["A","B"],"errors":{"priority":"C"}}"#, "A; B; priority: C"),
            (r#"{"errorMessage":"A","i18nErrorMessage":{"i18nKey":"k","parameters":[]}}"#, "A"),
            (r#"{"message":"A","status-code":401}"#, "A"),
            (r#"{"errorMessages":[],"errors":{}}"#, "(the answer is not one of Jira's own)"),
            ("<html>Bad gateway</html>", "(the answer is not one of Jira's own)"),
            ("[17]", "(the answer is not one of Jira's own)"),
            ("", "(the answer is not one of Jira's own)"),
        ] {
            assert_eq!(read(400, body, Class::Write).words, shown, "{body}");
        }
    }

    #[test]
    fn a_success_may_hold_a_refusal() {
        let is = |text: &str| inside(&serde_json::from_str(text).unwrap());
        assert!(is(r#"{"errorMessages":["No"]}"#) && is(r#"{"errors":{"a":"b"}}"#) && is(r#"{"errorMessage":"No"}"#));
        for fine in [r#"{"errorMessages":[],"errors":{}}"#, r#"{"id":"1"}"#, "[]", "null", r#"{"errorMessage":null}"#] {
            assert!(!is(fine), "{fine}");
        }
    }

    #[test]
    fn a_quota_is_no_missing_right_and_names_when_it_ends() {
        let at = |second| Retry::After(Some(Timestamp::from_second(second).unwrap()));
        let words = r#"{"errorMessages":["Forbidden"]}"#;
        let quota = answer(403, &[("retry-after", "30")], words, Class::Write);
        assert_eq!((quota.kind, quota.retry), (Kind::RateLimited, at(30)));
        let reset = [("ratelimit-reason", "jira-quota-global-based"), ("x-ratelimit-reset", "1970-01-01T00:02:00Z")];
        assert_eq!(answer(403, &reset, words, Class::Read).retry, at(120));
        let said = read(403, r#"{"message":"Rate limit exceeded"}"#, Class::Write);
        assert_eq!((said.kind, said.retry), (Kind::RateLimited, Retry::After(None)));
        assert_eq!(read(403, words, Class::Write).kind, Kind::Forbidden);
        let locked = answer(403, &[("x-seraph-loginreason", "AUTHENTICATION_DENIED")], words, Class::Read);
        assert_eq!(locked.kind, Kind::Unauthorized);
        assert!(locked.next_step.unwrap().contains("browser"));
    }

    #[test]
    fn a_refused_value_comes_with_a_remedy() {
        for (words, step) in [
            (
                "Field 'x' cannot be set. It is not on the appropriate screen, or unknown.",
                "Put the field on the edit screen",
            ),
            ("Option value 'X' is not valid", "The field has no such option"),
            ("User 'x' cannot be assigned issues.", "Let that person be assignable"),
            ("It seems that you have tried to perform a workflow operation", "The project's workflow"),
            ("This issue is archived.", "The issue is archived"),
            ("The value 'HELP' does not exist for the field 'project'.", "Correct the keys"),
            ("Something else", "Change on the issue"),
        ] {
            let error = read(400, &format!(r#"{{"errorMessages":["{words}"]}}"#), Class::Write);
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
        let unseen = r#"{"errorMessages":["Issue does not exist or you do not have permission to see it."]}"#;
        let no_right = r#"{"errorMessages":["You do not have permission to edit issues in this project."]}"#;
        for (status, body, kind) in [
            (301, "", Kind::Protocol),
            (401, "", Kind::Unauthorized),
            (403, no_right, Kind::Forbidden),
            (400, no_right, Kind::Forbidden),
            (404, unseen, Kind::NotFound),
            (404, "<html>no such site</html>", Kind::Protocol),
            (409, "", Kind::Conflict),
            (410, "", Kind::Protocol),
            (413, "", Kind::Refused),
            (422, "", Kind::Refused),
            (429, "", Kind::RateLimited),
            (503, "", Kind::Unavailable),
        ] {
            assert_eq!(read(status, body, Class::Write).kind, kind, "{status} {body}");
        }
        assert_eq!(read(202, "", Class::Write).retry, Retry::Unsure, "an unknown success may have been one");
    }

    #[test]
    fn a_huge_or_hostile_body_gives_short_words() {
        let nested = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let long = format!(r#"{{"errorMessages":["{}"]}}"#, "ü".repeat(60_000));
        for body in [nested, long, "<b>".repeat(100_000), "\u{0}\u{1}".repeat(5_000)] {
            assert!(read(422, &body, Class::Write).words.chars().count() <= 500);
        }
    }
}
