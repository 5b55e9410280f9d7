//! Bodies, comparisons and refusals that need no wire. The wire is in `tests/all`.

use super::*;

fn wanted() -> Wanted {
    Wanted {
        group: Some(Id(13)),
        owner: Some(SYSTEM),
        priority: Some(Id(3)),
        state: Some(Id(3)),
        pends: true,
        fields: vec![
            ("tier".into(), FieldValue::Text("3".into())),
            ("empty".into(), FieldValue::Text(String::new())),
            ("eur".into(), FieldValue::Number(600.0)),
            ("paid".into(), FieldValue::YesNo(true)),
            ("day".into(), FieldValue::Date("2026-05-03".parse().unwrap())),
        ],
    }
}

#[test]
fn an_update_names_numbers_and_what_is_not_set_is_not_sent() {
    let at = "2026-05-17T10:00:00Z".parse().unwrap();
    let mut body = Value::Object(wanted().body(at));
    body["article"] = article("<p>Context</p>");
    insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!(body) });
    assert!(Wanted::default().body(at).is_empty() && Wanted::default().is_nothing());
}

#[test]
fn what_the_ticket_shows_already_is_not_written_again() {
    let shows = |wanted: Wanted, raw: &Value| wanted.is_shown_by(&raw.to_string());
    let raw = json!({
        "id": 19, "group_id": 13, "owner_id": null, "priority_id": 3, "state_id": 3,
        "tier": "3", "empty": null, "eur": "600", "paid": true, "day": "2026-05-03T00:00:00.000Z",
    });
    assert!(shows(wanted(), &raw), "nobody is also no number at all");
    for (key, other) in [("group_id", json!(14)), ("owner_id", json!(4)), ("eur", json!(1)), ("state_id", Value::Null)]
    {
        let mut raw = raw.clone();
        raw[key] = other;
        assert!(!shows(wanted(), &raw), "{key}");
    }
    assert!(!shows(wanted(), &json!({ "id": 19 })) && !wanted().is_shown_by("not json"), "unknown is not shown");
}

#[test]
fn an_owner_who_was_taken_off_at_once_is_told_and_nothing_is_repeated() {
    let after = |owner: Value| serde_json::from_value::<Ticket>(json!({ "id": 19, "owner_id": owner })).unwrap();
    let kept = |owner: Option<Id>, after: &Ticket| Wanted { owner, ..Wanted::default() }.is_kept(after, Id(19));
    assert!(kept(Some(Id(4)), &after(json!(4))).is_ok() && kept(Some(SYSTEM), &after(json!(1))).is_ok());
    assert!(kept(None, &after(json!(1))).is_ok() && kept(Some(Id(4)), &after(json!({}))).is_ok());
    let error = kept(Some(Id(4)), &after(json!(1))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Applied));
}

#[test]
fn merged_and_removed_tickets_take_nothing_and_closed_ones_do() {
    let head = |ending| TicketHead { ending, ..TicketHead::unknown("19".into(), "v".into()) };
    for ending in [Ending::Merged { into: Some("20".into()) }, Ending::Merged { into: None }, Ending::Deleted] {
        let error = takes_writes(&head(Some(ending))).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Gone, Retry::Never));
    }
    assert!(takes_writes(&head(None)).is_ok());
}

#[test]
fn an_article_of_another_ticket_proves_nothing() {
    let ask = Ask::write(NOTE, Method::POST, "ticket_articles", json!({}));
    let read = |json: Value| said(&ask, &serde_json::from_value(json).unwrap(), Id(19));
    assert_eq!(read(json!({ "id": 31, "ticket_id": 19 })).unwrap().id, "a31");
    assert!(read(json!({ "id": 31 })).is_ok());
    for odd in [json!({ "id": 31, "ticket_id": 1 }), json!({}), json!({ "id": 0 })] {
        let error = read(odd).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::Unsure));
    }
}
