//! Bodies of requests, and what counts as proof.

use super::*;

fn until() -> Timestamp {
    "2026-05-03T10:00:00Z".parse().unwrap()
}

#[test]
fn each_wish_has_its_own_body_with_ids_as_text_and_nobody_as_zero() {
    let team = |id| Wanted::Slot(Assigned::Team(id));
    let admin = |id| Wanted::Slot(Assigned::Admin(id));
    let assignment = |kind: &str, to: &str| json!({ "message_type": "assignment", "type": kind, "admin_id": "5", "assignee_id": to });
    for (wanted, body) in [
        (team(Some(Id(7))), assignment("team", "7")),
        (team(None), assignment("team", "0")),
        (admin(Some(Id(8))), assignment("admin", "8")),
        (admin(None), assignment("admin", "0")),
        (
            Wanted::State("snoozed"),
            json!({ "message_type": "snoozed", "admin_id": "5", "snoozed_until": 1_777_802_400 }),
        ),
        (Wanted::State("open"), json!({ "message_type": "open", "admin_id": "5" })),
        (Wanted::State("closed"), json!({ "message_type": "close", "type": "admin", "admin_id": "5" })),
    ] {
        assert_eq!(wanted.body(Id(5), until()), body, "{wanted:?}: an assignment never carries words");
    }
}

#[test]
fn a_wish_is_shown_by_what_stands_there_and_an_empty_attribute_may_be_left_out() {
    let sent = |json: Value| serde_json::from_value::<Conversation>(json).unwrap();
    let here = sent(json!({
        "team_assignee_id": 7, "admin_assignee_id": null, "state": "snoozed", "custom_attributes": { "Tier": "2", "refund_eur": 600 }
    }));
    let field = |name: &str, value| Wanted::Attributes(vec![(name.to_owned(), value)]);
    for (wanted, shown) in [
        (Wanted::Slot(Assigned::Team(Some(Id(7)))), true),
        (Wanted::Slot(Assigned::Team(None)), false),
        (Wanted::Slot(Assigned::Admin(None)), true),
        (Wanted::State("snoozed"), true),
        (Wanted::State("open"), false),
        (field("refund_eur", FieldValue::Number(600.0)), true),
        (field("refund_eur", FieldValue::Number(601.0)), false),
        (field("gone", FieldValue::Text(String::new())), true),
        (field("gone", FieldValue::Text("x".into())), false),
        (Wanted::Note("x".into()), false),
        (Wanted::Nothing, true),
    ] {
        assert_eq!(wanted.is_shown_by(&here), shown, "{wanted:?}");
    }
    assert!(!Wanted::Slot(Assigned::Admin(None)).is_shown_by(&sent(json!({}))), "what is unknown shows nothing");
    assert!(!field("gone", FieldValue::Text(String::new())).is_shown_by(&sent(json!({}))));
}
