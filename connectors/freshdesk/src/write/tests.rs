//! Bodies, comparisons and refusals that need no wire. The wire is in `tests/all`.

use super::*;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::Version;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{Person, QueueRef, Role};

fn head() -> TicketHead {
    let owner = Person { id: "9001".into(), name: None, email: None, role: Role::Agent };
    TicketHead {
        queue: Fact::Known(Some(QueueRef { id: "12".into(), name: None })),
        owner: Fact::Known(Some(owner)),
        status: Fact::Known(Status::Open),
        priority: Fact::Known(Some(Priority::High)),
        fields: [("cf_tier".to_owned(), json!("2")), ("cf_eur".to_owned(), json!(12.5))].into(),
        ..TicketHead::unknown("1042".into(), "2026-05-03T10:05:12Z".into())
    }
}

fn write(change: DeskChange) -> Write {
    let mark = Mark { handoff: "h3f9".into(), number: 2, rule: "refund".into(), version: "a1b2".into() };
    let mut write = Write {
        ticket: "1042".into(),
        change,
        mark,
        expected: None,
        decided_on: None,
        first_tried: None,
        deadline: Timestamp::UNIX_EPOCH,
    };
    write.decide_on(&head());
    write
}

#[test]
fn everything_but_the_words_of_a_handoff_goes_in_one_update_with_known_keys_only() {
    let wanted = Wanted {
        group: Some(Id(13)),
        agent: Some(None),
        priority: Some(Priority::Urgent),
        status: Some(statuses::PENDING),
        fields: vec![
            ("cf_tier".into(), FieldValue::Text("3".into())),
            ("cf_note".into(), FieldValue::Text(String::new())),
            ("cf_eur".into(), FieldValue::Number(600.0)),
            ("cf_share".into(), FieldValue::Number(12.5)),
            ("cf_paid".into(), FieldValue::YesNo(true)),
            ("cf_day".into(), FieldValue::Date("2026-05-03".parse().unwrap())),
        ],
    };
    insta::assert_json_snapshot!(wanted.body());
    assert_eq!(Wanted::default().body(), json!({}), "what is not set is not sent");
}

#[test]
fn what_the_ticket_shows_already_is_not_written_again() {
    let shows = |wanted: Wanted| wanted.shows(&head());
    assert!(shows(Wanted { group: Some(Id(12)), agent: Some(Some(Id(9001))), ..Wanted::default() }));
    assert!(shows(Wanted { priority: Some(Priority::High), status: Some(statuses::OPEN), ..Wanted::default() }));
    assert!(!shows(Wanted { group: Some(Id(13)), ..Wanted::default() }));
    assert!(!shows(Wanted { agent: Some(None), ..Wanted::default() }));
    let field = |name: &str, value| Wanted { fields: vec![(name.to_owned(), value)], ..Wanted::default() };
    assert!(shows(field("cf_eur", FieldValue::Number(12.5))) && !shows(field("cf_eur", FieldValue::Number(1.0))));
    assert!(!shows(field("cf_nope", FieldValue::Text("x".into()))));
    let blind = TicketHead::unknown("1042".into(), "v".into());
    assert!(!Wanted { agent: Some(None), ..Wanted::default() }.shows(&blind), "unknown is not nobody");
}

#[test]
fn a_change_since_the_decision_is_a_conflict_also_within_its_second() {
    let write = write(DeskChange::Update(Update { queue: Some(QueueSpec::Id("13".into())), ..Update::default() }));
    assert!(write.as_decided(&head(), UPDATE).is_ok());
    let later = TicketHead { version: "2026-05-03T10:05:13Z".into(), ..head() };
    assert_eq!(write.as_decided(&later, UPDATE).unwrap_err().kind, DeskErrorKind::Conflict);
    for (other, named) in [
        (TicketHead { owner: Fact::Known(None), ..head() }, "owner"),
        (TicketHead { queue: Fact::Known(None), ..head() }, "team"),
        (TicketHead { status: Fact::Known(Status::Pending), ..head() }, "status"),
        (TicketHead { priority: Fact::Known(Some(Priority::Low)), ..head() }, "priority"),
    ] {
        let error = write.as_decided(&other, UPDATE).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Never), "{named}");
        assert!(error.words.contains(named), "{}", error.words);
    }
    let unknown = TicketHead { owner: Fact::Unknown, ..head() };
    assert!(write.as_decided(&unknown, UPDATE).is_ok(), "nobody is accused of what is not known");
    let blind = Write { expected: Some(Version::from("")), decided_on: None, ..write.clone() };
    assert_eq!(blind.as_decided(&head(), UPDATE).unwrap_err().kind, DeskErrorKind::Conflict);
    let anyway = Write { expected: None, decided_on: None, ..write };
    assert!(anyway.as_decided(&later, UPDATE).is_ok());
}

#[test]
fn closed_deleted_and_spam_take_nothing() {
    for ended in [
        TicketHead { status: Fact::Known(Status::Closed), ..head() },
        TicketHead { ending: Some(Ending::Deleted), ..head() },
        TicketHead { ending: Some(Ending::Spam), ..head() },
    ] {
        let error = takes_writes(&ended).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Gone, Retry::Never));
    }
    assert!(takes_writes(&head()).is_ok() && takes_writes(&TicketHead::unknown("1".into(), "v".into())).is_ok());
}

#[test]
fn an_entry_of_another_ticket_proves_nothing() {
    let ask = write_ask(NOTE, Method::POST, "tickets/1042/notes".into(), json!({}));
    let entry = |json: Value| serde_json::from_value::<Entry>(json).unwrap();
    assert!(said(&ask, &entry(json!({ "id": 7, "ticket_id": 1042 })), Id(1042)).is_ok());
    assert!(said(&ask, &entry(json!({ "id": 7 })), Id(1042)).is_ok());
    for odd in [json!({ "id": 7, "ticket_id": 1 }), json!({}), json!({ "id": 0 })] {
        let error = said(&ask, &entry(odd), Id(1042)).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::Unsure));
    }
}
