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
    account.stage.wire().edit_answers(Arc::new(move |answer| {
        if answer.get("key").is_some() {
            answer["id"] = json!(other.to_string());
        }
    }));
    let error = account.run(account.desk.head(&id(ticket), Timestamp::MAX)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::After(None)));
}

#[test]
fn a_search_that_holds_something_else_is_refused_and_one_with_repeats_is_not() {
    let account = Account::new();
    let ticket = account.ticket();
    let since = account.clock_now();
    // Our own account is read first.
    account.run(account.desk.changed_since(&"issues".into(), None, since)).unwrap();
    for odd in [
        r#"{"records":[]}"#,
        r#"{"issues":[7]}"#,
        r#"{"issues":[{"id":null}]}"#,
        r#"{"issues":[{"key":"HELP-1"}]}"#,
        r#"{"issues":{}}"#,
        "null",
        "[[[[",
        "",
    ] {
        account.stage.wire().fault_next_read(answer(200, odd.into()));
        let error = account.run(account.desk.changed_since(&"issues".into(), None, since)).unwrap_err();
        assert_eq!(error.kind, DeskErrorKind::Protocol, "{odd}");
    }
    let one = |at: &str| json!({ "id": ticket.to_string(), "fields": { "updated": at } });
    let at = "2026-05-04T08:00:00.000+0000";
    let twice = json!({ "issues": [one(at), one("soon"), one(at)], "isLast": true });
    account.stage.wire().fault_next_read(answer(200, twice.to_string()));
    let page = account.run(account.desk.changed_since(&"issues".into(), None, since)).unwrap();
    assert!(page.changed.iter().all(|one| one.ticket == id(ticket)) && !page.changed.is_empty());
}

#[test]
fn a_huge_comment_is_cut_and_deep_nesting_breaks_nothing() {
    let account = Account::new();
    let ticket = account.ticket();
    let head = account.head(ticket);
    let wanted = PartSet::of(&[PartKind::Conversation]);
    let said = |body: serde_json::Value| {
        let comment = json!({ "id": "9", "body": body, "jsdPublic": false, "created": "2026-05-04T08:00:00.000+0000" });
        answer(200, json!({ "comments": [comment], "total": 1, "startAt": 0 }).to_string())
    };
    let paragraph = |text: &str| json!({ "type": "paragraph", "content": [{ "type": "text", "text": text }] });
    let mut deep = paragraph("x");
    for _ in 0..40 {
        deep = json!({ "type": "blockquote", "content": [deep] });
    }
    for body in [
        json!({ "type": "doc", "version": 1, "content": vec![paragraph("word"); 100_000] }),
        json!({ "type": "doc", "version": 1, "content": [paragraph(&"word ".repeat(400_000))] }),
        json!({ "type": "doc", "version": 1, "content": [deep] }),
        json!("word ".repeat(400_000)),
        json!(7),
    ] {
        account.stage.wire().fault_next_read(said(body));
        let parts = account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap();
        let message = parts.conversation.unwrap().messages.pop().unwrap();
        assert!(message.said.words().len() <= 200 << 10, "{}", message.said.words().len());
    }
    account.stage.wire().fault_next_read(answer(200, "[".repeat(200_000)));
    let error = account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Protocol);
}

#[test]
fn lists_of_another_shape_are_errors_and_not_empty_ones() {
    for (path, odd) in [
        ("/changelog", "[]"),
        ("/changelog", "{}"),
        ("/changelog", r#"{"values":{}}"#),
        ("/changelog", r#"{"values":[{"id":"1"}],"isLast":true}"#),
        ("/comment", "{}"),
        ("/comment", r#"{"comments":[]}"#),
        ("/comment", r#"{"comments":[{}],"total":1}"#),
    ] {
        let account = Account::refusing(path, 200, odd);
        let ticket = account.ticket();
        let head = account.head(ticket);
        let read = account.run(account.desk.parts(&head, PartSet::of(&[PartKind::History]), Timestamp::MAX));
        assert_eq!(read.unwrap_err().kind, DeskErrorKind::Protocol, "{path} {odd}");
    }
}

#[test]
fn lists_that_never_end_are_read_so_far_and_no_farther() {
    let comment = json!({ "id": "9", "body": {}, "jsdPublic": true, "created": "2026-05-04T08:00:00.000+0000" });
    let page = json!({ "comments": vec![comment; 100], "total": 1_000_000 }).to_string();
    let account = Account::refusing("/comment", 200, Box::leak(page.into_boxed_str()));
    let ticket = account.ticket();
    let wanted = PartSet::of(&[PartKind::Conversation]);
    let parts = account.run(account.desk.parts(&account.head(ticket), wanted, Timestamp::MAX)).unwrap();
    assert!(!parts.conversation.unwrap().complete, "it is said to be cut");
    let write = account.write(ticket, note("x"));
    let sighting = account.run(account.desk.find(&write)).unwrap();
    assert!(matches!(sighting, handoffd_kit::desk::Sighting::CannotTell(_)), "{sighting:?}");
    let entry = json!({ "id": "9", "created": "2026-05-04T08:00:00.000+0000", "items": [] });
    let page = json!({ "values": vec![entry; 100], "total": 1_000_000, "isLast": false }).to_string();
    let account = Account::refusing("/changelog", 200, Box::leak(page.into_boxed_str()));
    let ticket = account.ticket();
    let read =
        account.run(account.desk.parts(&account.head(ticket), PartSet::of(&[PartKind::History]), Timestamp::MAX));
    assert_eq!(read.unwrap_err().kind, DeskErrorKind::Protocol, "a history with a hole is none");
}

#[test]
fn ids_that_are_neither_numbers_nor_keys_are_never_sent() {
    let account = Account::new();
    account.asked();
    for odd in ["../users", "7/x", "-1", "0", "", "7?fields=x", "٧", "HELP-", "HELP-7/x", "help-7"] {
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
        (201, r#"{"id":"9","body":"4711-canary"#.to_owned()),
        (500, "<h1>4711-canary</h1>".to_owned()),
        (422, format!("{} 4711-canary", seed::JIRA_TOKEN)),
        (302, "4711-canary".to_owned()),
    ];
    for (status, body) in bodies {
        account.stage.wire().fault_next_write(answer(status, body));
        let error = account.run(account.desk.apply(&write)).unwrap_err();
        let shown = shown(&error);
        assert!(!shown.contains("4711-canary") && !shown.contains(seed::JIRA_TOKEN), "{shown}");
    }
    let down = account.run(async {
        account.stage.wire().fault_all(Fault::LostAfter);
        let lost = account.desk.head(&id(ticket), Timestamp::MAX).await;
        account.stage.wire().mend();
        lost.unwrap_err()
    });
    assert!(!shown(&down).contains(seed::JIRA_TOKEN));
}
