//! Hostile, huge, wrong and duplicate answers; and secrets, which are never shown.

use crate::stage::{Account, hostile};
use handoffd_sandbox::seed;
use serde_json::json;
use std::sync::Arc;

#[test]
fn another_tickets_answer_is_no_answer() {
    hostile::another_tickets_answer_is_no_answer(&Account::new(), |other| {
        Arc::new(move |answer| {
            if answer.get("subject").is_some() {
                answer["id"] = json!(other);
            }
        })
    });
}

#[test]
fn a_list_that_holds_something_else_is_refused_and_one_with_repeats_is_not() {
    let odd = [r#"{"tickets":[]}"#, "[7]", r#"[{"id":null}]"#, r#"[{"subject":"no id"}]"#];
    hostile::a_list_of_something_else_is_refused(&Account::new(), "tickets", &odd, |ticket| {
        let one = |at: &str| json!({ "id": ticket, "updated_at": at });
        json!([one("2026-05-04T08:00:00Z"), one("soon")]).to_string()
    });
}

#[test]
fn a_huge_message_is_cut_and_deep_nesting_breaks_nothing() {
    hostile::a_huge_message_is_cut(&Account::new(), |ticket| {
        let entry = |body: String| {
            json!([{ "id": 9, "ticket_id": ticket, "body": body, "private": true, "user_id": 1,
                "created_at": "2026-05-04T08:00:00Z" }])
        };
        let bodies =
            ["<p>word</p>".repeat(200_000), format!("{}x", "<div>".repeat(100_000)), "\u{202e}&#0;".repeat(1_000)];
        bodies.into_iter().map(|body| entry(body).to_string()).collect()
    });
}

#[test]
fn ids_that_are_no_numbers_are_never_sent() {
    hostile::odd_ids_are_never_sent(&Account::new(), &[]);
}

#[test]
fn neither_the_key_nor_a_tickets_words_stand_in_an_error() {
    hostile::no_error_shows_a_secret_or_a_tickets_words(&Account::new(), seed::API_KEY);
}
