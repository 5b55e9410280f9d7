//! Hostile, huge, wrong and duplicate answers; and secrets, which are never shown.

use crate::stage::{Account, hostile, note};
use handoffd_kit::conformance::{Fault, Stage};
use handoffd_kit::desk::{Desk, DeskChange};
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::model::{PartKind, PartSet};
use handoffd_sandbox::seed;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

#[test]
fn another_conversations_answer_is_no_answer() {
    let account = Account::new();
    hostile::another_tickets_answer_is_no_answer(&account, |other| {
        Arc::new(move |answer| {
            if answer.get("contacts").is_some() {
                answer["id"] = json!(other.to_string());
            }
        })
    });
    let write = account.write(account.ticket(), note("x"));
    account.stage.wire().fault_next_write(Fault::AnswerAfter { status: 200, body: r#"{"id":"2","contacts":{}}"# });
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::Unsure));
}

#[test]
fn a_search_that_holds_something_else_is_refused_and_one_with_repeats_is_not() {
    let account = Account::new();
    let odd = [
        "{}",
        r#"{"conversations":{}}"#,
        r#"{"conversations":[7]}"#,
        r#"{"conversations":[{"id":null}]}"#,
        r#"{"conversations":[{"state":"open"}]}"#,
    ];
    let at = account.clock_now().as_second();
    hostile::a_list_of_something_else_is_refused(&account, "conversations", &odd, |ticket| {
        let one = |at: Value| json!({ "id": ticket.to_string(), "updated_at": at });
        json!({ "conversations": [one(json!(at)), one(json!("soon")), one(json!(at * 1_000))] }).to_string()
    });
    let strange = account.run(account.desk.changed_since(&"deleted".into(), None, account.clock_now())).unwrap_err();
    assert_eq!(strange.kind, DeskErrorKind::Refused);
}

#[test]
fn a_conversation_of_ten_thousand_hostile_parts_ends_in_an_answer() {
    let account = Account::new();
    let ticket = account.ticket();
    let head = account.head(ticket);
    let body = format!("<p>{}</p>", "<b>&lt;x".repeat(50));
    let part = |n: i64| json!({ "id": n.to_string(), "part_type": "note", "body": body, "created_at": n, "author": { "type": "\u{0}", "id": [] } });
    let parts: Vec<Value> = (1..10_000).map(part).collect();
    account.stage.wire().edit_answers(Arc::new(move |answer| {
        if answer.get("conversation_parts").is_some() {
            answer["conversation_parts"] = json!({ "conversation_parts": parts, "total_count": 10 });
        }
    }));
    let all = PartSet::of(&[PartKind::Conversation, PartKind::History]);
    let parts = account.run(account.desk.parts(&head, all, Timestamp::MAX)).unwrap();
    assert_eq!(parts.history.unwrap().len(), 10_000);
    let odd = |value: Value| {
        account.stage.wire().mend();
        account.stage.wire().edit_answers(Arc::new(move |answer| {
            if answer.get("conversation_parts").is_some() {
                answer["conversation_parts"] = value.clone();
            }
        }));
        account.run(account.desk.parts(&head, all, Timestamp::MAX))
    };
    for value in [json!(null), json!([]), json!({}), json!({ "conversation_parts": [7], "total_count": "x" })] {
        assert_eq!(odd(value.clone()).unwrap_err().kind, DeskErrorKind::Protocol, "{value}");
    }
}

#[test]
fn ids_that_would_lead_elsewhere_never_stand_in_a_path() {
    let account = Account::new();
    let ticket = account.ticket();
    hostile::odd_ids_are_never_sent(&account, &[]);
    account.stage.wire().edit_answers(Arc::new(|answer| {
        if answer.get("contacts").is_some() {
            answer["contacts"] = json!({ "contacts": [{ "type": "contact", "id": "../admins" }] });
        }
    }));
    let head = account.head(ticket);
    account.asked();
    let parts =
        account.run(account.desk.parts(&head, PartSet::of(&[PartKind::Customer, PartKind::Contacts]), Timestamp::MAX));
    let parts = parts.unwrap();
    assert!(parts.customer.is_none() && parts.contacts.is_none() && account.asked().is_empty());
}

#[test]
fn no_error_shows_the_token_or_a_conversations_text() {
    hostile::no_error_shows_a_secret_or_a_tickets_words(&Account::new(), seed::INTERCOM_TOKEN);
}

#[test]
fn what_sets_nothing_is_done_already() {
    let account = Account::new();
    let nothing = DeskChange::Update(handoffd_kit::desk::Update::default());
    let receipt = account.run(account.desk.apply(&account.write(account.ticket(), nothing))).unwrap();
    assert!(!receipt.id.is_empty());
}
