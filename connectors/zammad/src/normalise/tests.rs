//! Payloads of the sheet, and what becomes of those that are odd.

use super::*;
use crate::states::fresh;
use crate::wire::Group;
use handoffd_kit::model::{Priority, Status};
use serde_json::json;
use std::sync::Arc;

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn groups() -> Groups {
    let groups: Vec<Group> = serde_json::from_str(include_str!("../../fixtures/groups.json")).unwrap();
    Some(Arc::new(crate::states::by_id(groups, |group| &group.id)))
}

fn tagged(tags: &[&str]) -> Fact<Vec<String>> {
    Fact::Known(tags.iter().map(|tag| (*tag).to_owned()).collect())
}

fn head_with(raw: &Value, tags: Fact<Vec<String>>) -> TicketHead {
    let site = "https://support.acme.example/".parse().unwrap();
    let (groups, words) = (groups(), fresh());
    let user: User = serde_json::from_value(json!({ "id": 4, "firstname": "Ann", "roles": ["Agent"] })).unwrap();
    let users = BTreeMap::from([(Id(4), user)]);
    let names = Names { groups: &groups, words: &words, users: &users, us: Some(Id(5)), site: &site };
    head(raw, tags, &names).unwrap()
}

fn head_of(raw: &Value) -> TicketHead {
    head_with(raw, Fact::Unknown)
}

#[test]
fn a_ticket_as_documented() {
    let raw = read(include_str!("../../fixtures/ticket.json"));
    let mut head = head_with(&raw, tagged(&["vip"]));
    assert_eq!(read(&head.raw), raw);
    head.raw.clear();
    insta::assert_json_snapshot!(head);
}

#[test]
fn a_ticket_with_hardly_anything_is_mostly_unknown() {
    let mut head = head_of(&json!({ "id": 7 }));
    head.raw.clear();
    let mut bare = TicketHead::unknown("7".into(), "".into());
    bare.link = Some("https://support.acme.example/#ticket/zoom/7".into());
    assert_eq!(head, bare);
}

#[test]
fn what_has_no_id_is_no_ticket() {
    let site = "https://support.acme.example/".parse().unwrap();
    let (words, users) = (Words::default(), BTreeMap::new());
    let names = Names { groups: &None, words: &words, users: &users, us: None, site: &site };
    for raw in [json!({}), json!({ "id": null }), json!({ "id": -1 }), json!([]), json!("7"), json!({ "id": {} })] {
        assert!(head(&raw, Fact::Unknown, &names).is_none(), "{raw}");
    }
}

#[test]
fn the_systems_own_user_is_nobody_and_a_missing_owner_is_unknown() {
    let owner = |json: Value| head_of(&json).owner;
    assert_eq!(owner(json!({ "id": 7, "owner_id": 1 })), Fact::Known(None));
    assert_eq!(owner(json!({ "id": 7, "owner_id": null })), Fact::Known(None));
    assert!(owner(json!({ "id": 7 })).is_unknown() && owner(json!({ "id": 7, "owner_id": {} })).is_unknown());
    let ann = owner(json!({ "id": 7, "owner_id": 4 }));
    assert!(matches!(&ann, Fact::Known(Some(ann)) if ann.name.as_deref() == Some("Ann") && ann.role == Role::Agent));
    let us = owner(json!({ "id": 7, "owner_id": 5 }));
    assert!(matches!(&us, Fact::Known(Some(us)) if us.role == Role::Us));
}

#[test]
fn numbers_are_translated_and_those_that_are_not_listed_are_unknown() {
    let status = |state: i64| head_of(&json!({ "id": 7, "state_id": state })).status;
    assert_eq!([1, 2, 3, 4].map(status), [Status::New, Status::Open, Status::Pending, Status::Solved].map(Fact::Known));
    assert!(status(99).is_unknown());
    let priority = |number: Value| head_of(&json!({ "id": 7, "priority_id": number })).priority;
    assert_eq!(priority(json!(2)), Fact::Known(Some(Priority::Normal)));
    assert!(priority(json!(9)).is_unknown() && priority(json!("high")).is_unknown());
}

#[test]
fn merged_and_removed_tickets_have_ended_and_closed_ones_have_not() {
    let ended = |state: i64| head_of(&json!({ "id": 7, "state_id": state })).ending;
    assert_eq!(ended(5), Some(Ending::Merged { into: None }));
    assert_eq!((ended(6), ended(4), ended(99)), (Some(Ending::Deleted), None, None));
}

#[test]
fn labels_are_part_of_the_version_in_any_order_and_a_stamp_that_is_no_time_is_none() {
    let stamp = "2026-05-03T10:05:12.426Z";
    let version = |stamp: &str, tags| head_with(&json!({ "id": 7, "updated_at": stamp }), tags).version;
    assert_eq!(version(stamp, Fact::Unknown).as_str(), stamp);
    assert_eq!(version(stamp, tagged(&[])).as_str(), stamp);
    assert_eq!(version(stamp, tagged(&["a", "b"])), version(stamp, tagged(&["b", "a"])));
    assert_ne!(version(stamp, tagged(&["a"])), version(stamp, tagged(&["b"])));
    assert_eq!(version("soon", tagged(&["a"])).as_str(), "");
}

#[test]
fn a_customer_as_documented() {
    let raw = read(include_str!("../../fixtures/user.json"));
    let user: User = serde_json::from_value(raw.clone()).unwrap();
    let user = User { fields: wire::persons(&raw), ..user };
    insta::assert_json_snapshot!(customer(Id(10), Some(user), Some(Id(5)), Fact::Known(None)));
    let stranger = customer(Id(10), None, None, Fact::Unknown);
    assert_eq!((stranger.person.role, stranger.language.is_unknown()), (Role::Customer, true));
}

#[test]
fn clocks_run_stand_still_and_end() {
    let now: Timestamp = "2026-05-03T11:00:00Z".parse().unwrap();
    let (soon, past) = ("2026-05-03T12:00:00.000Z", "2026-05-03T10:30:00.000Z");
    let read = |json: Value| {
        let ticket = serde_json::from_value(json).unwrap();
        clocks(&ticket, &fresh(), now).into_iter().map(|clock| (clock.name, clock.state)).collect::<Vec<_>>()
    };
    let one = |name: &str, state| vec![(name.to_owned(), state)];
    assert_eq!(
        read(json!({ "state_id": 2, "first_response_escalation_at": soon })),
        one("first_reply", ClockState::Running)
    );
    assert_eq!(read(json!({ "state_id": 2, "close_escalation_at": past })), one("resolution", ClockState::Breached));
    assert_eq!(read(json!({ "state_id": 3, "update_escalation_at": soon })), one("next_reply", ClockState::Paused));
    let answered = json!({ "state_id": 2, "first_response_escalation_at": past, "first_response_at": past });
    assert_eq!(read(answered), one("first_reply", ClockState::Met));
    assert_eq!(
        read(json!({ "state_id": 3, "first_response_escalation_at": null })),
        [],
        "whether there is one, nobody can tell"
    );
    assert_eq!(read(json!({})), []);
}

#[test]
fn a_customers_tickets_are_their_own_once_and_newest_first() {
    let ticket = |id: i64, customer: i64, day: u8| json!({ "id": id, "title": "t", "customer_id": customer, "state_id": 2, "created_at": format!("2026-05-{day:02}T00:00:00.000Z") });
    let raws = [ticket(1, 10, 1), ticket(3, 10, 3), ticket(2, 11, 2), ticket(3, 10, 3), json!("x")];
    let found = contacts(&raws, Id(10), false, &fresh(), Timestamp::UNIX_EPOCH);
    let ids: Vec<&str> = found.tickets.iter().map(|ticket| ticket.id.as_str()).collect();
    assert_eq!((ids, found.complete), (vec!["3", "1"], true));
}
