//! Recorded tickets as heads, and what is left of them when keys are missing or odd.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn read(asked: &str, json: &Value) -> Option<TicketHead> {
    let reading =
        Reading { asked: &asked.into(), tag: "124".into(), base: "https://rt.acme.example", me: Some("handoff-bot") };
    head(reading, json)
}

fn recorded(asked: &str, text: &str) -> TicketHead {
    let json: Value = serde_json::from_str(text).unwrap();
    TicketHead { raw: String::new(), ..read(asked, &json).unwrap() }
}

#[test]
fn a_recorded_ticket_is_read_whole() {
    insta::assert_json_snapshot!(recorded("1", include_str!("../../fixtures/ticket.json")));
}

#[test]
fn nobody_is_no_owner_and_1970_is_no_date() {
    let head = recorded("2", include_str!("../../fixtures/ticket-unowned.json"));
    assert_eq!(head.owner, Fact::Known(None));
    let json = json!({"id": 2, "Created": "1970-01-01T00:00:00Z", "LastUpdated": "soon"});
    let head = read("2", &json).unwrap();
    assert!(head.created_at.is_unknown() && head.updated_at.is_unknown());
}

#[test]
fn a_merged_ticket_keeps_the_id_that_was_asked_for() {
    let head = recorded("32", include_str!("../../fixtures/ticket-merged.json"));
    assert_eq!(head.id.as_str(), "32");
    assert_eq!(head.ending, Some(Ending::Merged { into: Some("38".into()) }));
    assert!(head.link.unwrap().ends_with("id=38"));
}

#[test]
fn a_deleted_ticket_has_ended_and_a_site_s_own_status_is_unknown() {
    let deleted = read("7", &json!({"id": 7, "Status": "deleted"})).unwrap();
    assert_eq!((deleted.ending, deleted.status), (Some(Ending::Deleted), Fact::Unknown));
    let own = read("7", &json!({"id": "7", "Status": "waiting-for-parts"})).unwrap();
    assert_eq!((own.ending, own.status), (None, Fact::Unknown));
}

#[test]
fn every_key_that_is_missing_or_odd_makes_its_fact_unknown_and_no_other() {
    let whole: Value = serde_json::from_str(include_str!("../../fixtures/ticket.json")).unwrap();
    let known = |head: &TicketHead| {
        [
            ("Subject", !head.subject.is_unknown()),
            ("Status", !head.status.is_unknown()),
            ("Priority", !head.priority.is_unknown()),
            ("Queue", !head.queue.is_unknown()),
            ("Owner", !head.owner.is_unknown()),
            ("Requestor", !head.requester.is_unknown()),
            ("CustomFields", !head.tags.is_unknown()),
            ("Created", !head.created_at.is_unknown()),
            ("LastUpdated", !head.updated_at.is_unknown()),
            ("Type", !head.kind.is_unknown()),
        ]
    };
    assert!(known(&read("1", &whole).unwrap()).iter().all(|(_, known)| *known));
    for (key, _) in known(&read("1", &whole).unwrap()) {
        for odd in [None, Some(json!({"odd": 1})), Some(json!(null)), Some(json!(true))] {
            let mut ticket = whole.clone();
            match &odd {
                Some(odd) => ticket[key] = odd.clone(),
                None => drop(ticket.as_object_mut().unwrap().remove(key)),
            }
            let unknown: Vec<_> = known(&read("1", &ticket).unwrap()).into_iter().filter(|(_, known)| !known).collect();
            assert_eq!(unknown, [(key, false)], "{key} as {odd:?}");
        }
    }
}

#[test]
fn what_is_no_ticket_is_not_read() {
    for json in [json!(null), json!([1]), json!({}), json!({"id": "x"}), json!({"id": null}), json!("ticket")] {
        assert!(read("1", &json).is_none(), "{json}");
    }
}

#[test]
fn labels_are_tags_where_there_is_such_a_field() {
    let fields =
        json!([{"name": "labels", "values": ["refund", "vip"]}, {"name": "steps", "values": [null]}, {"odd": 1}]);
    let head = read("1", &json!({"id": 1, "CustomFields": fields})).unwrap();
    assert_eq!(head.tags, Fact::Known(vec!["refund".into(), "vip".into()]));
    assert_eq!(head.fields["steps"], json!([]), "an emptied field");
    assert_eq!(read("1", &json!({"id": 1, "CustomFields": []})).unwrap().tags, Fact::Known(vec![]));
}

#[test]
fn a_priority_reads_back_as_it_was_written() {
    for level in [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent] {
        assert_eq!(priority(i64::from(priority_number(level))), level);
    }
    let bands = [
        (-5, Priority::Low),
        (49, Priority::Low),
        (74, Priority::Normal),
        (99, Priority::High),
        (900, Priority::Urgent),
    ];
    for (level, word) in bands {
        assert_eq!(priority(level), word, "{level}");
    }
    assert!(read("1", &json!({"id": 1, "Priority": "urgent"})).unwrap().priority.is_unknown());
}

#[test]
fn a_customer_s_unset_language_is_known_only_to_those_who_are_shown_it() {
    let admin: User = serde_json::from_str(include_str!("../../fixtures/user-for-admins.json")).unwrap();
    let seen = customer("requester@customer.example", Some(&admin));
    assert_eq!((seen.language, seen.zone), (Fact::Known(None), Fact::Known(None)));
    let plain: User = serde_json::from_str(include_str!("../../fixtures/user.json")).unwrap();
    let seen = customer("agent-1", Some(&plain));
    assert!(seen.language.is_unknown() && seen.organization.is_unknown());
    assert_eq!(seen.person.name.as_deref(), Some("First Agent"));
    let set: User =
        serde_json::from_value(json!({"Lang": "de_AT", "Timezone": "Europe/Vienna", "Organization": "Acme"})).unwrap();
    let seen = customer("x", Some(&set));
    assert_eq!(
        (seen.language, seen.zone),
        (Fact::Known(Some("de-AT".into())), Fact::Known(Some("Europe/Vienna".into())))
    );
    let invisible = customer("who@customer.example", None);
    assert_eq!(invisible.person.email.as_deref(), Some("who@customer.example"));
}

#[test]
fn a_field_is_compared_by_its_value_however_rt_breaks_its_lines() {
    let text = |text: &str| FieldValue::Text(text.into());
    assert!(field_is(Some(&json!(["one\r\ntwo \r\n"])), &text("one\ntwo")));
    assert!(field_is(Some(&json!(["one", "two"])), &text("one\ntwo")), "a field of many values");
    assert!(field_is(Some(&json!(["12.50"])), &FieldValue::Number(12.5)));
    assert!(field_is(Some(&json!(["2026-11-24 00:00:00"])), &FieldValue::Date("2026-11-24".parse().unwrap())));
    assert!(field_is(Some(&json!([])), &text("")) && field_is(None, &text(" ")));
    assert!(!field_is(Some(&json!(["old"])), &text("")));
    assert!(!field_is(None, &text("x")) && !field_is(Some(&json!(["x"])), &FieldValue::Number(1.0)));
    assert_eq!(field_to_write(&text(" ")), json!([]), "an empty text would be a value");
    assert_eq!(field_to_write(&FieldValue::YesNo(true)), json!("yes"));
}

proptest! {
    #[test]
    fn no_value_in_any_key_breaks_it(key in "[A-Z][A-Za-z]{0,12}", text in any::<String>(), number in any::<i64>()) {
        for odd in [json!(text), json!(number), json!([text]), json!({ "id": text }), json!([{ "name": text, "values": text }])] {
            for key in [key.as_str(), "Owner", "Queue", "Requestor", "CustomFields", "Created", "Priority"] {
                let _ = read("1", &json!({ "id": 1, key: odd }));
            }
        }
    }
}
