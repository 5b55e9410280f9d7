//! Bodies, proofs and refusals that need no wire. The wire is in `tests/requests.rs`.

use super::*;
use handoffd_kit::desk::{StatusSpec, WordingSignature};
use handoffd_kit::model::{InternalText, Priority, Status};

fn write(change: DeskChange, expected: Option<&str>) -> Write {
    Write {
        ticket: "35436".into(),
        change,
        mark: Mark { handoff: "h3f9".into(), number: 1, rule: "refund".into(), version: "a1b2".into() },
        expected: expected.map(Version::from),
        decided_on: None,
        first_tried: None,
        deadline: Timestamp::UNIX_EPOCH,
    }
}

fn body(update: &Update, expected: Option<&str>) -> Value {
    update_body(update, None, &write(DeskChange::Update(update.clone()), expected)).unwrap()["ticket"].take()
}

#[test]
fn a_handoff_is_one_conditional_update() {
    let update = Update {
        note: Some(InternalText("Frontline → Billing <now>\n{{ticket.id}}\n\n[handoffd h3f9/1 refund@a1b2]".into())),
        queue: Some(QueueSpec::Name("Billing".into())),
        owner: Some(OwnerSpec::Nobody),
        priority: Some(Priority::Urgent),
        status: None,
        fields: vec![
            ("1".into(), FieldValue::Text("tier2".into())),
            ("2".into(), FieldValue::Number(12.0)),
            ("3".into(), FieldValue::Number(12.5)),
            ("4".into(), FieldValue::YesNo(true)),
            ("5".into(), FieldValue::Date("2026-05-03".parse().unwrap())),
        ],
        followers: vec!["1002".into()],
    };
    let write = write(DeskChange::Update(update.clone()), Some("2026-05-03T10:05:12Z"));
    insta::assert_json_snapshot!(update_body(&update, Some(Id(98738)), &write).unwrap());
}

#[test]
fn what_is_not_set_is_not_sent() {
    assert_eq!(
        body(&Update::default(), None),
        json!({ "metadata": { "handoffd": "h3f9/1", "handoffd_rule": "refund@a1b2" } })
    );
    let hold = StatusSpec { word: "hold".into(), means: Status::OnHold };
    assert_eq!(body(&Update { status: Some(hold), ..Update::default() }, None)["status"], "hold");
    let by_mail = body(&Update { owner: Some(OwnerSpec::Email("a@x.example".into())), ..Update::default() }, None);
    assert_eq!(by_mail["assignee_email"], "a@x.example");
    assert!(by_mail.get("assignee_id").is_none());
}

#[test]
fn a_reply_is_public_and_a_note_is_not() {
    let signature = WordingSignature { message: "m".into(), wording: "w".into(), signer: "second reviewer".into() };
    let reply = PublicReply { text: PublicText("We are on it & {{secret}}".into()), signature };
    let sent = reply_body(&reply, &write(DeskChange::Reply(reply.clone()), None)).unwrap();
    assert_eq!(
        sent["ticket"]["comment"],
        json!({ "html_body": "<p>We are on it &amp; { {secret} }</p>", "public": true })
    );
    let note = body(&Update { note: Some(InternalText("x".into())), ..Update::default() }, None);
    assert_eq!(note["comment"]["public"], json!(false));
}

#[test]
fn a_note_ends_with_its_mark_also_when_it_is_cut_or_came_without() {
    let mark = write(DeskChange::Update(Update::default()), None).mark;
    for text in ["", "words", &format!("words\n\n{mark}"), &format!("{mark}"), &"<&> story {{x}} ".repeat(20_000)] {
        let html = html_of_note(text, &mark, COMMENT_BYTES);
        assert!(html.len() <= COMMENT_BYTES, "{}", html.len());
        assert!(html.ends_with(&format!("<p>{mark}</p>")), "{html}");
        assert_eq!(html.matches("[handoffd").count(), 1);
        assert!(!html.contains("{{"));
    }
}

#[test]
fn a_version_that_is_unknown_guards_nothing_and_nothing_is_sent() {
    let update = Update::default();
    let error = update_body(&update, None, &write(DeskChange::Update(update.clone()), Some(""))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Never));
}

#[test]
fn ids_that_are_no_numbers_are_refused_with_what_to_write() {
    let owner = Update { owner: Some(OwnerSpec::User("jane".into())), ..Update::default() };
    let field = Update { fields: vec![("refund".into(), FieldValue::Text("x".into()))], ..Update::default() };
    for update in [owner, field] {
        let error = update_body(&update, None, &write(DeskChange::Update(update.clone()), None)).unwrap_err();
        assert_eq!(error.kind, DeskErrorKind::Refused);
        assert!(error.next_step.is_some());
    }
}

#[test]
fn tags_are_single_words() {
    for odd in ["", "two words", "a,b", "tab\there"] {
        assert_eq!(tags_body(&["fine".into(), odd.into()], None).unwrap_err().kind, DeskErrorKind::Refused, "{odd:?}");
    }
    let sent = tags_body(&["fine".into()], Some(&"2026-05-03T10:05:12Z".into())).unwrap();
    assert_eq!(sent, json!({ "tags": ["fine"], "safe_update": true, "updated_stamp": "2026-05-03T10:05:12Z" }));
    assert!(has_tags(&json!(["vip", "x"]), &["VIP".into()], true));
    assert!(!has_tags(&json!(["vip"]), &["vip".into()], false));
}

#[test]
fn a_comment_with_the_wrong_visibility_is_an_incident() {
    let audit = |public: Value| -> Audit {
        serde_json::from_value(json!({ "id": 1, "events": [{ "type": "Comment", "public": public }] })).unwrap()
    };
    let seen = |public: Value, wanted| seen_as(&audit(public), wanted, Id(7), UPDATE);
    assert!(seen(json!(false), Visibility::Internal).is_ok());
    assert!(seen(json!(true), Visibility::Public).is_ok());
    let leaked = seen(json!(true), Visibility::Internal).unwrap_err();
    assert_eq!((leaked.kind, leaked.retry), (DeskErrorKind::Leaked, Retry::Applied));
    assert!(leaked.words.contains("INCIDENT") && leaked.next_step.is_some());
    assert_eq!(seen(json!(false), Visibility::Public).unwrap_err().kind, DeskErrorKind::Refused);
    for odd in [json!(null), json!("no")] {
        assert_eq!(seen(odd, Visibility::Internal).unwrap_err().retry, Retry::Unsure);
    }
    assert_eq!(seen_as(&Audit::default(), Visibility::Internal, Id(7), UPDATE).unwrap_err().retry, Retry::Unsure);
}
