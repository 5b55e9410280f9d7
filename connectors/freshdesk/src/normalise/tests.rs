//! Payloads of the sheet, and what becomes of those that are odd.

use super::*;
use crate::wire::{Agent, Group, Ticket};
use handoffd_kit::model::{Priority, Status};
use serde_json::json;
use std::sync::Arc;

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn groups() -> Groups {
    let groups: Vec<Group> = serde_json::from_str(include_str!("../../fixtures/groups.json")).unwrap();
    groups.into_iter().map(|group| (*group.id.get().unwrap(), group)).collect()
}

fn agents() -> Agents {
    let agents: Vec<Agent> = serde_json::from_str(include_str!("../../fixtures/agents.json")).unwrap();
    Some(Arc::new(agents.into_iter().map(|agent| (*agent.id.get().unwrap(), agent)).collect()))
}

fn head_of(raw: &Value) -> TicketHead {
    let site = "https://acme.freshdesk.com/".parse().unwrap();
    let (groups, agents, timers) = (groups(), agents(), Timers::default());
    let names = Names { groups: &groups, agents: &agents, timers: &timers, us: Some(Id(9900)), site: &site };
    head(raw, &names).unwrap()
}

#[test]
fn a_ticket_as_documented() {
    let raw = read(include_str!("../../fixtures/ticket.json"));
    let mut head = head_of(&raw);
    assert_eq!(read(&head.raw), raw);
    head.raw.clear();
    insta::assert_json_snapshot!(head);
}

#[test]
fn a_ticket_with_hardly_anything_is_mostly_unknown() {
    let mut head = head_of(&json!({ "id": 7 }));
    head.raw.clear();
    let mut bare = TicketHead::unknown("7".into(), "".into());
    bare.link = Some("https://acme.freshdesk.com/a/tickets/7".into());
    assert_eq!(head, bare);
    assert!(head_of(&json!({ "id": 7, "updated_at": "soon" })).version.as_str().is_empty());
}

#[test]
fn what_has_no_id_is_no_ticket() {
    let site = "https://acme.freshdesk.com/".parse().unwrap();
    let (groups, timers) = (Groups::new(), Timers::default());
    let names = Names { groups: &groups, agents: &None, timers: &timers, us: None, site: &site };
    for raw in [json!({}), json!({ "id": null }), json!({ "id": -1 }), json!([]), json!("7"), json!({ "id": {} })] {
        assert!(head(&raw, &names).is_none(), "{raw}");
    }
}

#[test]
fn numbers_are_translated_and_those_that_nobody_documented_are_unknown() {
    let status = |number: i64| head_of(&json!({ "id": 7, "status": number })).status;
    assert_eq!(
        [2, 3, 4, 5].map(status),
        [Status::Open, Status::Pending, Status::Solved, Status::Closed].map(Fact::Known)
    );
    assert!(status(6).is_unknown() && status(1).is_unknown());
    let priority = |number: Value| head_of(&json!({ "id": 7, "priority": number })).priority;
    assert_eq!(priority(json!(2)), Fact::Known(Some(Priority::Normal)));
    assert_eq!(priority(json!(null)), Fact::Known(None));
    assert!(priority(json!(9)).is_unknown() && priority(json!("high")).is_unknown());
}

#[test]
fn deleted_tickets_and_spam_have_ended_and_closed_ones_have_not() {
    let ended = |key: &str| head_of(&json!({ "id": 7, "status": 2, key: true })).ending;
    assert_eq!(
        (ended("deleted"), ended("spam"), ended("is_escalated")),
        (Some(Ending::Deleted), Some(Ending::Spam), None)
    );
    assert_eq!(head_of(&json!({ "id": 7, "status": 5 })).ending, None);
}

#[test]
fn an_agent_who_is_not_listed_is_an_owner_without_a_name_and_ours_is_us() {
    let owner = |id: i64| head_of(&json!({ "id": 7, "responder_id": id })).owner.known().cloned().flatten().unwrap();
    assert_eq!(owner(9001).name.as_deref(), Some("Ada Agent"));
    assert_eq!((owner(4).name, owner(4).role, owner(9900).role), (None, Role::Agent, Role::Us));
}

#[test]
fn a_customer_as_documented() {
    let contact = serde_json::from_str(include_str!("../../fixtures/contact.json")).unwrap();
    let company = serde_json::from_str(include_str!("../../fixtures/company.json")).unwrap();
    let organization = organization(Id(77), company);
    insta::assert_json_snapshot!(customer(Id(6001), Some(contact), Fact::Known(Some(organization)), &None));
    let nobody = customer(Id(5), None, Fact::Unknown, &None);
    assert_eq!((nobody.person.role, nobody.language), (Role::Customer, Fact::Unknown));
    assert_eq!(customer(Id(9001), None, Fact::Unknown, &agents()).person.role, Role::Agent);
    let zone = |name: &str| {
        let contact = serde_json::from_value(json!({ "time_zone": name })).unwrap();
        customer(Id(5), Some(contact), Fact::Unknown, &None).zone
    };
    assert_eq!(zone("Europe/Berlin"), Fact::Known(Some("Europe/Berlin".into())));
    assert!(zone("Eastern Time (US & Canada)").is_unknown());
}

#[test]
fn only_the_customers_own_tickets_are_listed_newest_first_and_each_once() {
    let now: Timestamp = "2026-05-03T11:00:00Z".parse().unwrap();
    let tickets: Vec<Ticket> = serde_json::from_value(json!([
        { "id": 8, "requester_id": 6001, "status": 6, "created_at": "yesterday" },
        { "id": 7, "requester_id": 6001, "status": 5, "created_at": "2026-05-01T10:00:00Z" },
        { "id": 9, "requester_id": 6001, "status": 2, "created_at": "2026-05-02T10:00:00Z", "subject": "Again" },
        { "id": 9, "requester_id": 6001, "status": 2, "created_at": "2026-05-02T10:00:00Z" },
        { "id": 3, "requester_id": 6002, "status": 2 },
        { "requester_id": 6001 }
    ]))
    .unwrap();
    let read = contacts(&tickets, Id(6001), false, &Timers::default(), now);
    assert_eq!(read.tickets.iter().map(|ticket| ticket.id.as_str()).collect::<Vec<_>>(), ["9", "7", "8"]);
    assert!(read.complete && read.tickets[2].status.is_unknown() && read.tickets[2].created_at.is_unknown());
    assert!(!contacts(&tickets, Id(6001), true, &Timers::default(), now).complete);
}

#[test]
fn clocks_as_documented() {
    let ticket = serde_json::from_str(include_str!("../../fixtures/ticket.json")).unwrap();
    insta::assert_json_snapshot!(clocks(&ticket, &Timers::default(), "2026-05-03T11:00:00Z".parse().unwrap()));
}

#[test]
fn a_clock_is_met_late_or_stands_still_and_is_never_guessed() {
    let now: Timestamp = "2026-05-03T11:00:00Z".parse().unwrap();
    let of = |change: Value| -> Vec<(String, ClockState)> {
        let mut ticket = read(include_str!("../../fixtures/ticket.json"));
        change.as_object().unwrap().iter().for_each(|(key, value)| ticket[key] = value.clone());
        let clocks = clocks(&serde_json::from_value(ticket).unwrap(), &Timers::default(), now);
        clocks.into_iter().map(|clock| (clock.name, clock.state)).collect()
    };
    let both = |first, resolution| vec![("first_reply".to_owned(), first), ("resolution".to_owned(), resolution)];
    use ClockState::{Breached, Met, Paused, Running};
    assert_eq!(of(json!({})), both(Running, Running));
    assert_eq!(of(json!({ "status": 3 })), both(Paused, Paused), "its instants are stale");
    assert_eq!(of(json!({ "status": 4 })), both(Paused, Met));
    assert_eq!(of(json!({ "stats": { "first_responded_at": "2026-05-03T10:10:00Z" } })), both(Met, Running));
    assert_eq!(of(json!({ "fr_due_by": "2026-05-03T10:59:00Z", "is_escalated": true })), both(Breached, Breached));
    assert_eq!(of(json!({ "stats": null })), both(Running, Running)[1..], "nobody says whether it was answered");
    assert_eq!(of(json!({ "status": 6 })), [], "a custom status of which nothing is known");
    let next = of(json!({ "nr_due_by": "2026-05-03T11:30:00Z" }));
    assert_eq!(next[1], ("next_reply".to_owned(), Running));
}
