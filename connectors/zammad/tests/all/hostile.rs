//! Hostile, huge, wrong and duplicate answers; and secrets, which are never shown.

use crate::stage::{Account, answer, id, note, shown};
use handoffd_kit::conformance::{Fault, Stage};
use handoffd_kit::desk::Desk;
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::model::{PartKind, PartSet};
use handoffd_sandbox::seed;
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

#[test]
fn another_tickets_answer_is_no_answer() {
    let account = Account::new();
    let (ticket, other) = (account.ticket(), account.ticket());
    account.head(ticket);
    let write = account.write(ticket, note("x"));
    account.stage.wire().edit_answers(Arc::new(move |answer| {
        if answer.get("title").is_some() {
            answer["id"] = json!(other);
        }
        if answer.get("internal").is_some() {
            answer["ticket_id"] = json!(other);
        }
    }));
    let error = account.run(account.desk.head(&id(ticket), Timestamp::MAX)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::After(None)));
    account.stage.wire().mend();
    account.stage.wire().edit_answers(Arc::new(move |answer| {
        if answer.get("internal").is_some() {
            answer["ticket_id"] = json!(other);
        }
    }));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::Unsure), "an article of another ticket");
}

#[test]
fn a_search_that_holds_something_else_is_refused_and_one_with_repeats_is_not() {
    let account = Account::new();
    let ticket = account.ticket();
    let since = account.clock_now();
    for odd in [
        r#"{"records":[]}"#,
        "[7]",
        r#"[{"id":null}]"#,
        r#"[{"title":"no id"}]"#,
        r#"{"tickets":["x"]}"#,
        "null",
        "[[[[",
        "",
    ] {
        account.stage.wire().fault_next_read(answer(200, odd.into()));
        let error = account.run(account.desk.changed_since(&"tickets".into(), None, since)).unwrap_err();
        assert_eq!(error.kind, DeskErrorKind::Protocol, "{odd}");
    }
    let one = |at: &str| json!({ "id": ticket, "updated_at": at });
    let twice = json!([one("2026-05-04T08:00:00.000Z"), one("soon"), one("2026-05-04T08:00:00.000Z")]);
    account.stage.wire().fault_next_read(answer(200, twice.to_string()));
    let page = account.run(account.desk.changed_since(&"tickets".into(), None, since)).unwrap();
    assert!(page.changed.iter().all(|one| one.ticket == id(ticket)) && !page.changed.is_empty());
    let older = json!({ "tickets": [ticket, 77], "tickets_count": 2, "assets": { "Ticket": { ticket.to_string(): one("2026-05-04T08:00:01.000Z") } } });
    account.stage.wire().fault_next_read(answer(200, older.to_string()));
    let page = account.run(account.desk.changed_since(&"tickets".into(), None, since)).unwrap();
    let seen: Vec<&str> = page.changed.iter().map(|one| one.ticket.as_str()).collect();
    assert_eq!(seen, [ticket.to_string().as_str(), "77"], "one without its record is looked at, too");
}

#[test]
fn a_huge_article_is_cut_and_deep_nesting_breaks_nothing() {
    let account = Account::new();
    let ticket = account.ticket();
    let head = account.head(ticket);
    let wanted = PartSet::of(&[PartKind::Conversation]);
    let entry = |kind: &str, body: String| {
        let entry = json!([{ "id": 9, "ticket_id": ticket, "body": body, "content_type": kind, "internal": true, "sender": "Agent",
            "created_by_id": 1, "created_at": "2026-05-04T08:00:00.000Z" }]);
        answer(200, entry.to_string())
    };
    for (kind, body) in [
        ("text/html", "<p>word</p>".repeat(200_000)),
        ("text/html", format!("{}x", "<div>".repeat(100_000))),
        ("text/html", "\u{202e}&#0;".repeat(1_000)),
        ("text/plain", "word ".repeat(400_000)),
    ] {
        account.stage.wire().fault_next_read(entry(kind, body));
        let parts = account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap();
        let message = parts.conversation.unwrap().messages.pop().unwrap();
        assert!(message.said.words().len() <= 200 << 10, "{}", message.said.words().len());
    }
    account.stage.wire().fault_next_read(answer(200, "[".repeat(200_000)));
    let error = account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Protocol);
}

#[test]
fn a_history_of_another_shape_is_an_error_and_not_an_empty_one() {
    for odd in ["[]", "{}", r#"{"history":{}}"#, r#"{"history":[{"id":1,"type":"updated"}]}"#, r#"{"history":"x"}"#] {
        let account = Account::refusing("/ticket_history/1", 200, odd);
        let ticket = account.ticket();
        let head = account.head(ticket);
        let read = account.run(account.desk.parts(&head, PartSet::of(&[PartKind::History]), Timestamp::MAX));
        assert_eq!(read.unwrap_err().kind, DeskErrorKind::Protocol, "{odd}");
    }
}

#[test]
fn lists_that_ignore_pages_or_never_end_are_read_once() {
    let groups: Vec<_> =
        (1..=100).map(|no| json!({ "id": no, "name": format!("Group {no}"), "user_ids": [] })).collect();
    let all = Box::leak(json!(groups).to_string().into_boxed_str());
    let account = Account::refusing("/groups", 200, all);
    let directory = account.run(account.desk.directory()).unwrap();
    assert_eq!(directory.queues.len(), 100);
}

#[test]
fn ids_that_are_no_numbers_are_never_sent() {
    let account = Account::new();
    account.asked();
    for odd in ["../users", "7/x", "-1", "0", "", "7?full=true", "٧"] {
        let error = account.run(account.desk.head(&odd.into(), Timestamp::MAX)).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::NotFound, Retry::Never), "{odd}");
    }
    assert!(account.asked().is_empty());
}

#[test]
fn neither_the_token_nor_a_tickets_words_stand_in_an_error() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, note("The customer's secret is 4711-canary"));
    let bodies = [
        (201, r#"{"id":9,"body":"4711-canary"#.to_owned()),
        (500, "<h1>4711-canary</h1>".to_owned()),
        (422, format!("{} 4711-canary", seed::ZAMMAD_TOKEN)),
        (302, "4711-canary".to_owned()),
    ];
    for (status, body) in bodies {
        account.stage.wire().fault_next_write(answer(status, body));
        let error = account.run(account.desk.apply(&write)).unwrap_err();
        let shown = shown(&error);
        assert!(!shown.contains("4711-canary") && !shown.contains(seed::ZAMMAD_TOKEN), "{shown}");
    }
    let down = account.run(async {
        account.stage.wire().fault_all(Fault::LostAfter);
        let lost = account.desk.head(&id(ticket), Timestamp::MAX).await;
        account.stage.wire().mend();
        lost.unwrap_err()
    });
    assert!(!shown(&down).contains(seed::ZAMMAD_TOKEN));
}
