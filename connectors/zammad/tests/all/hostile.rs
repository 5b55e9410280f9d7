//! Hostile, huge, wrong and duplicate answers; and secrets, which are never shown.

use crate::stage::{Account, answer, hostile, note};
use handoffd_kit::conformance::Stage;
use handoffd_kit::desk::Desk;
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::model::{PartKind, PartSet};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed;
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

#[test]
fn another_tickets_answer_is_no_answer() {
    let account = Account::new();
    hostile::another_tickets_answer_is_no_answer(&account, |other| {
        Arc::new(move |answer| {
            if answer.get("title").is_some() {
                answer["id"] = json!(other);
            }
        })
    });
    let (ticket, other) = (account.ticket(), account.ticket());
    let write = account.write(ticket, note("x"));
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
    let odd = [r#"{"records":[]}"#, "[7]", r#"[{"id":null}]"#, r#"[{"title":"no id"}]"#, r#"{"tickets":["x"]}"#];
    let one = |ticket: TicketNo, at: &str| json!({ "id": ticket, "updated_at": at });
    hostile::a_list_of_something_else_is_refused(&account, "tickets", &odd, |ticket| {
        let at = "2026-05-04T08:00:00.000Z";
        json!([one(ticket, at), one(ticket, "soon"), one(ticket, at)]).to_string()
    });
    let ticket = account.ticket();
    let record = one(ticket, "2026-05-04T08:00:01.000Z");
    let assets = json!({ "Ticket": { ticket.to_string(): record } });
    let older = json!({ "tickets": [ticket, 77], "tickets_count": 2, "assets": assets });
    account.stage.wire().fault_next_read(answer(200, older.to_string()));
    let since = account.clock_now();
    let page = account.run(account.desk.changed_since(&"tickets".into(), None, since)).unwrap();
    let seen: Vec<&str> = page.changed.iter().map(|one| one.ticket.as_str()).collect();
    assert_eq!(seen, [ticket.to_string().as_str(), "77"], "one without its record is looked at, too");
}

#[test]
fn a_huge_article_is_cut_and_deep_nesting_breaks_nothing() {
    hostile::a_huge_message_is_cut(&Account::new(), |ticket| {
        let bodies = [
            ("text/html", "<p>word</p>".repeat(200_000)),
            ("text/html", format!("{}x", "<div>".repeat(100_000))),
            ("text/html", "\u{202e}&#0;".repeat(1_000)),
            ("text/plain", "word ".repeat(400_000)),
        ];
        let entry = |(kind, body)| {
            json!([{ "id": 9, "ticket_id": ticket, "body": body, "content_type": kind, "internal": true,
                "sender": "Agent", "created_by_id": 1, "created_at": "2026-05-04T08:00:00.000Z" }])
        };
        bodies.into_iter().map(|body| entry(body).to_string()).collect()
    });
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
    hostile::odd_ids_are_never_sent(&Account::new(), &[]);
}

#[test]
fn neither_the_token_nor_a_tickets_words_stand_in_an_error() {
    hostile::no_error_shows_a_secret_or_a_tickets_words(&Account::new(), seed::ZAMMAD_TOKEN);
}
