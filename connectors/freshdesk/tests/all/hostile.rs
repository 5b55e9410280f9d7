//! Hostile, huge, wrong and duplicate answers; and secrets, which are never shown.

use crate::stage::{Account, answer, id, note, shown};
use handoffd_kit::conformance::{Fault, Stage};
use handoffd_kit::desk::Desk;
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::model::{PartKind, PartSet};
use handoffd_sandbox::seed;
use jiff::Timestamp;
use std::sync::Arc;

#[test]
fn another_tickets_answer_is_no_answer() {
    let account = Account::new();
    let (ticket, other) = (account.ticket(), account.ticket());
    account.head(ticket);
    account.stage.wire().edit_answers(Arc::new(move |answer| {
        if answer.get("subject").is_some() {
            answer["id"] = serde_json::json!(other);
        }
    }));
    let error = account.run(account.desk.head(&id(ticket), Timestamp::MAX)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::After(None)));
}

#[test]
fn a_list_that_holds_something_else_is_refused_and_one_with_repeats_is_not() {
    let account = Account::new();
    let ticket = account.ticket();
    let since = account.clock_now();
    for odd in [r#"{"tickets":[]}"#, "[7]", r#"[{"id":null}]"#, r#"[{"subject":"no id"}]"#, "null", "[[[[", ""] {
        account.stage.wire().fault_next_read(answer(200, odd.into()));
        let error = account.run(account.desk.changed_since(&"tickets".into(), None, since)).unwrap_err();
        assert_eq!(error.kind, DeskErrorKind::Protocol, "{odd}");
    }
    let twice =
        format!(r#"[{{"id":{ticket},"updated_at":"2026-05-04T08:00:00Z"}},{{"id":{ticket},"updated_at":"soon"}}]"#);
    account.stage.wire().fault_next_read(answer(200, twice));
    let page = account.run(account.desk.changed_since(&"tickets".into(), None, since)).unwrap();
    assert!(page.changed.iter().all(|one| one.ticket == id(ticket)) && !page.changed.is_empty());
}

#[test]
fn a_huge_message_is_cut_and_deep_nesting_breaks_nothing() {
    let account = Account::new();
    let ticket = account.ticket();
    let head = account.head(ticket);
    let wanted = PartSet::of(&[PartKind::Conversation]);
    let entry = |body: String| {
        let entry = serde_json::json!([{ "id": 9, "ticket_id": ticket, "body": body, "private": true, "user_id": 1,
            "created_at": "2026-05-04T08:00:00Z" }]);
        answer(200, entry.to_string())
    };
    for body in ["<p>word</p>".repeat(200_000), format!("{}x", "<div>".repeat(100_000)), "\u{202e}&#0;".repeat(1_000)] {
        account.stage.wire().fault_next_read(entry(body));
        let parts = account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap();
        let message = parts.conversation.unwrap().messages.pop().unwrap();
        assert!(message.said.words().len() <= 200 << 10, "{}", message.said.words().len());
    }
    account.stage.wire().fault_next_read(answer(200, "[".repeat(200_000)));
    let error = account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Protocol);
}

#[test]
fn ids_that_are_no_numbers_are_never_sent() {
    let account = Account::new();
    account.asked();
    for odd in ["../agents", "7/notes", "-1", "0", "", "7?include=stats", "٧"] {
        let error = account.run(account.desk.head(&odd.into(), Timestamp::MAX)).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::NotFound, Retry::Never), "{odd}");
    }
    assert!(account.asked().is_empty());
}

#[test]
fn neither_the_key_nor_a_tickets_words_stand_in_an_error() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, note("The customer's secret is 4711-canary"));
    let bodies = [
        (200, r#"{"id":9,"body":"4711-canary"#.to_owned()),
        (500, "<h1>4711-canary</h1>".to_owned()),
        (400, format!("{} 4711-canary", seed::API_KEY)),
        (302, "4711-canary".to_owned()),
    ];
    for (status, body) in bodies {
        account.stage.wire().fault_next_write(answer(status, body));
        let error = account.run(account.desk.apply(&write)).unwrap_err();
        let shown = shown(&error);
        assert!(!shown.contains("4711-canary") && !shown.contains(seed::API_KEY), "{shown}");
        let again = account.write(ticket, note("again"));
        assert_eq!(again.ticket, id(ticket));
    }
    let down = account.run(async {
        account.stage.wire().fault_all(Fault::LostAfter);
        let lost = account.desk.head(&id(ticket), Timestamp::MAX).await;
        account.stage.wire().mend();
        lost.unwrap_err()
    });
    assert!(!shown(&down).contains(seed::API_KEY));
}
