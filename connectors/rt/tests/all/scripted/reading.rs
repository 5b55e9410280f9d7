//! Reading.

use super::desk::{Answer, Script, Told, counted, desk, desk_with, list, queues, step, ticket, transaction};
use futures::executor::block_on;
use handoffd_kit::desk::{Cursor, Desk};
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};
use handoffd_kit::model::{PartKind, PartSet};
use handoffd_kit::secret::Secret;
use jiff::Timestamp;
use serde_json::json;

fn head_fails(answer: Answer) -> DeskError {
    let script = Script::new(vec![step("GET /ticket/1", answer)]);
    block_on(desk(&script).head(&"1".into(), Timestamp::MAX)).unwrap_err()
}

#[test]
fn a_request_looks_as_rt_wants_it() {
    let script = Script::new(vec![step("GET /ticket/1", Answer::Tagged(124, ticket(1)))]);
    let head = block_on(desk(&script).head(&"1".into(), Timestamp::MAX)).unwrap();
    assert_eq!(head.version.as_str(), "124");
    let asked = script.asked().remove(1);
    assert_eq!(asked.headers["authorization"], "token 1-71-s3cret");
    assert!(asked.headers["authorization"].is_sensitive());
    assert!(!asked.headers["user-agent"].to_str().unwrap().contains("Mozilla"));
    for absent in ["cookie", "if-modified-since", "if-match"] {
        assert!(!asked.headers.contains_key(absent), "{absent}");
    }
    assert!(asked.query.contains(&("fields[Queue]".into(), "Name".into())));
}

#[test]
fn refused_logins_and_strangers_pages_have_their_kinds() {
    use DeskErrorKind::{Protocol, Unauthorized, Unavailable};
    let again = Retry::After(None);
    for (answer, kind, retry) in [
        (Answer::Json(401, json!({"message": "Unauthorized"})), Unauthorized, Retry::Never),
        (Answer::Page(302, "302 Found"), Protocol, again),
        (Answer::Page(200, "<html>Please log in</html>"), Protocol, again),
        (Answer::Page(502, "<html>Bad gateway</html>"), Unavailable, again),
        (Answer::Json(500, json!({"message": "Internal Server Error"})), Unavailable, again),
        (Answer::Json(200, ticket(1)), Protocol, again),
        (Answer::Lost, Unavailable, again),
    ] {
        let error = head_fails(answer);
        assert_eq!((error.kind, error.retry), (kind, retry), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"));
    }
}

#[test]
fn a_token_that_was_replaced_is_read_again_and_the_refused_call_made_again() {
    let refused = || Answer::Json(401, json!({"message": "Unauthorized"}));
    for (read, asks) in [("1-71-n3w", 4), ("1-72-somebody-else", 3), ("no form", 3)] {
        let mut steps = vec![step("GET /ticket/1", refused())];
        if asks == 4 {
            steps.push(step("GET /ticket/1", Answer::Tagged(124, ticket(1))));
        }
        let script = Script::new(steps);
        let desk = desk_with(&script, Secret::from_source("1-71-s3cret".into(), Box::new(Told(read))));
        let head = block_on(desk.head(&"1".into(), Timestamp::MAX));
        assert_eq!(head.is_ok(), asks == 4, "{read}: {head:?}");
        let logins: Vec<String> =
            script.asked().iter().map(|asked| asked.headers["authorization"].to_str().unwrap().to_owned()).collect();
        let new = logins.last().is_some_and(|login| login == "token 1-71-n3w");
        assert_eq!((new, logins.len() + 1), (asks == 4, asks), "{logins:?}");
        assert_eq!(desk.secrets().login[0].1.trouble().is_some(), asks == 3, "{read}");
        assert!(!format!("{head:?}").contains("s3cret"), "{head:?}");
        script.ended();
    }
}

#[test]
fn an_id_that_is_no_number_is_asked_of_nobody() {
    let script = Script::new(vec![]);
    for id in ["", "abc", "1/../2", "1?token=x", "-1"] {
        let error = block_on(desk(&script).head(&id.into(), Timestamp::MAX)).unwrap_err();
        assert_eq!(error.kind, DeskErrorKind::NotFound, "{id}");
    }
    assert!(script.asked().is_empty());
}

#[test]
fn a_403_is_out_of_sight_while_other_queues_are_seen_and_a_missing_right_when_none_is() {
    let forbidden = || step("GET /ticket/1", Answer::Json(403, json!({"message": "Forbidden"})));
    let script = Script::new(vec![forbidden(), queues()]);
    let error = block_on(desk(&script).head(&"1".into(), Timestamp::MAX)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Hidden);
    let script = Script::new(vec![forbidden(), step("GET /queues/all", counted(vec![]))]);
    let error = block_on(desk(&script).head(&"1".into(), Timestamp::MAX)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Forbidden);
}

#[test]
fn a_history_is_read_on_over_short_pages_until_its_newest_was_seen() {
    let page = |ids: &[u64]| {
        list(
            ids.iter()
                .map(|id| transaction(*id, "handoff-bot", if *id == 5 { "Create" } else { "Set" }, "Due", "", ""))
                .collect(),
        )
    };
    let script = Script::new(vec![
        step("GET /ticket/1", Answer::Tagged(90, ticket(1))),
        step("GET /ticket/1/history", page(&[5, 9, 12])),
        step("GET /ticket/1/history", page(&[40])),
        step("GET /ticket/1/history", page(&[90])),
        step("GET /attachments", list(vec![])),
    ]);
    let desk = desk(&script);
    let head = block_on(desk.head(&"1".into(), Timestamp::MAX)).unwrap();
    let history =
        block_on(desk.parts(&head, PartSet::of(&[PartKind::History]), Timestamp::MAX)).unwrap().history.unwrap();
    let ids: Vec<_> = history.iter().map(|change| change.id.as_str()).collect();
    assert_eq!(ids, ["5", "9", "12", "40", "90"]);
    script.ended();
    let above: Vec<_> = script
        .asked()
        .iter()
        .filter(|asked| asked.line.ends_with("history"))
        .map(|asked| {
            let query = &asked.query.iter().find(|(key, _)| key == "query").unwrap().1;
            assert!(query.starts_with('['), "TicketSQL would give everybody's history: {query}");
            serde_json::from_str::<serde_json::Value>(query).unwrap()[0]["value"].clone()
        })
        .collect();
    assert_eq!(above, [json!(0), json!(12), json!(40)]);
}

#[test]
fn an_empty_history_is_never_taken_for_a_ticket_without_one() {
    let seen = || step("GET /ticket/1", Answer::Tagged(90, ticket(1)));
    let script = Script::new(vec![seen(), step("GET /ticket/1/history", list(vec![])), seen()]);
    let desk = desk(&script);
    let head = block_on(desk.head(&"1".into(), Timestamp::MAX)).unwrap();
    let error = block_on(desk.parts(&head, PartSet::of(&[PartKind::Conversation]), Timestamp::MAX)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Protocol);
}

#[test]
fn a_stream_goes_on_from_its_cursor_and_asks_for_nothing_but_numbers() {
    let row = |id: u64, ticket: &str, by: &str| json!({"id": id.to_string(), "Type": "Set", "ObjectId": ticket, "Created": "2026-11-24T03:00:00Z", "Creator": {"id": by}});
    let script = Script::new(vec![
        queues(),
        step("GET /transactions", list(vec![row(12, "8", "handoff-bot"), row(11, "7", "agent-1")])),
        step("GET /transactions", list(vec![])),
    ]);
    let desk = desk(&script);
    let stream = desk.capabilities().streams[0].name.clone();
    let page = block_on(desk.changed_since(&stream, Some(&Cursor(r#"{"floor":10}"#.into())), Timestamp::MIN)).unwrap();
    let changed: Vec<_> = page.changed.iter().map(|one| (one.ticket.as_str(), one.by_us)).collect();
    assert_eq!((changed, page.more), (vec![("7", false), ("8", true)], true));
    let last = block_on(desk.changed_since(&stream, Some(&page.next), Timestamp::MIN)).unwrap();
    assert_eq!((last.changed.len(), last.more, last.next.0.as_str()), (0, false, r#"{"floor":12}"#));
    let queries: Vec<_> = script
        .asked()
        .iter()
        .filter(|asked| asked.line.ends_with("transactions"))
        .map(|asked| asked.query[0].1.clone())
        .collect();
    assert!(queries[0].ends_with("id > 10") && queries[1].ends_with("id > 12"), "{queries:?}");
    assert!(!queries.iter().any(|query| query.contains("Created")), "dates depend on the account's zone: {queries:?}");
    let unknown = block_on(desk.changed_since(&"tickets".into(), None, Timestamp::MIN)).unwrap_err();
    assert_eq!(unknown.kind, DeskErrorKind::Refused);
}

#[test]
fn a_cursor_of_another_kind_begins_anew_instead_of_skipping() {
    let row = |id: u64, created: &str| json!({"id": id, "Type": "Set", "ObjectId": "7", "Created": created, "Creator": {"id": "agent-1"}});
    let script = Script::new(vec![
        queues(),
        step("GET /transactions", list(vec![row(30, "2026-11-24T04:59:00Z"), row(20, "2026-11-24T04:00:00Z")])),
        step("GET /transactions", list(vec![row(30, "2026-11-24T04:59:00Z")])),
    ]);
    let desk = desk(&script);
    let stream = desk.capabilities().streams[0].name.clone();
    let since = "2026-11-24T04:30:00Z".parse().unwrap();
    let page = block_on(desk.changed_since(&stream, Some(&Cursor("17x".into())), since)).unwrap();
    assert_eq!(page.changed.len(), 1);
    let last = script.asked().pop().unwrap();
    assert!(last.query[0].1.ends_with("id > 20"), "{:?}", last.query);
}
