//! Hostile, huge, wrong and duplicate answers; and secrets, which are never shown.

use crate::stage::{Account, hostile, note};
use handoffd_kit::desk::Desk;
use handoffd_kit::error::DeskErrorKind;
use handoffd_kit::model::{PartKind, PartSet};
use handoffd_sandbox::seed;
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

#[test]
fn another_tickets_answer_is_no_answer() {
    hostile::another_tickets_answer_is_no_answer(&Account::new(), |other| {
        Arc::new(move |answer| {
            if answer.get("key").is_some() {
                answer["id"] = json!(other.to_string());
            }
        })
    });
}

#[test]
fn a_search_that_holds_something_else_is_refused_and_one_with_repeats_is_not() {
    let odd = [
        r#"{"records":[]}"#,
        r#"{"issues":[7]}"#,
        r#"{"issues":[{"id":null}]}"#,
        r#"{"issues":[{"key":"HELP-1"}]}"#,
        r#"{"issues":{}}"#,
    ];
    hostile::a_list_of_something_else_is_refused(&Account::new(), "issues", &odd, |ticket| {
        let one = |at: &str| json!({ "id": ticket.to_string(), "fields": { "updated": at } });
        let at = "2026-05-04T08:00:00.000+0000";
        json!({ "issues": [one(at), one("soon"), one(at)], "isLast": true }).to_string()
    });
}

#[test]
fn a_huge_comment_is_cut_and_deep_nesting_breaks_nothing() {
    let paragraph = |text: &str| json!({ "type": "paragraph", "content": [{ "type": "text", "text": text }] });
    let mut deep = paragraph("x");
    for _ in 0..40 {
        deep = json!({ "type": "blockquote", "content": [deep] });
    }
    let bodies = [
        json!({ "type": "doc", "version": 1, "content": vec![paragraph("word"); 100_000] }),
        json!({ "type": "doc", "version": 1, "content": [paragraph(&"word ".repeat(400_000))] }),
        json!({ "type": "doc", "version": 1, "content": [deep] }),
        json!("word ".repeat(400_000)),
        json!(7),
    ];
    hostile::a_huge_message_is_cut(&Account::new(), |_| {
        let said = |body| {
            let comment =
                json!({ "id": "9", "body": body, "jsdPublic": false, "created": "2026-05-04T08:00:00.000+0000" });
            json!({ "comments": [comment], "total": 1, "startAt": 0 }).to_string()
        };
        bodies.iter().map(said).collect()
    });
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
    hostile::odd_ids_are_never_sent(&Account::new(), &["HELP-", "HELP-7/x", "help-7"]);
}

#[test]
fn neither_the_token_nor_a_tickets_words_stand_in_an_error() {
    hostile::no_error_shows_a_secret_or_a_tickets_words(&Account::new(), seed::JIRA_TOKEN);
}
