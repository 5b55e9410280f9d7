//! A conversation of the sheet, who wrote in it, and which entries are ours.

use super::*;
use crate::wire::{Agent, Ticket};
use serde_json::{Value, json};
use std::sync::Arc;

fn cast() -> Cast {
    let agents: Vec<Agent> = serde_json::from_str(include_str!("../../fixtures/agents.json")).unwrap();
    let agents = Arc::new(agents.into_iter().map(|agent| (*agent.id.get().unwrap(), agent)).collect());
    let link = Some("https://acme.freshdesk.com/a/tickets/1042".into());
    Cast { us: Some(Id(9900)), requester: Some(Id(6001)), agents: Some(agents), link }
}

fn ticket() -> Ticket {
    serde_json::from_str(include_str!("../../fixtures/ticket.json")).unwrap()
}

fn entries() -> Vec<Entry> {
    serde_json::from_str(include_str!("../../fixtures/conversations.json")).unwrap()
}

fn odd(entry: Value) -> Vec<Entry> {
    serde_json::from_value(json!([entry])).unwrap()
}

#[test]
fn a_conversation_as_documented() {
    insta::assert_json_snapshot!(conversation(&ticket(), &entries(), &cast()).unwrap());
    let staff: Vec<String> = staff(&entries(), &cast()).into_iter().map(|one| one.email.unwrap()).collect();
    assert_eq!(staff, ["ada@acme.example"]);
}

#[test]
fn what_does_not_say_that_it_is_private_counts_as_public() {
    for private in [json!(false), json!(null), json!("true"), json!(1)] {
        let entry = odd(json!({ "id": 1, "private": private, "user_id": 9001, "created_at": "2026-05-03T10:03:00Z" }));
        let read = conversation(&Ticket::default(), &entry, &cast());
        assert!(read.is_none(), "a ticket without an id is none");
        let read = conversation(&ticket(), &entry, &cast()).unwrap();
        assert_eq!(read[1].said.visibility(), Visibility::Public);
    }
}

#[test]
fn nobody_is_an_agent_who_is_not_listed_as_one() {
    let stranger = |incoming: bool, cast: &Cast| {
        let entry = json!({ "id": 1, "private": true, "incoming": incoming, "user_id": 5, "created_at": "2026-05-03T10:03:00Z" });
        conversation(&ticket(), &odd(entry), cast).unwrap().remove(1).author.role
    };
    assert_eq!((stranger(false, &cast()), stranger(true, &cast())), (Role::Unknown, Role::Customer));
    let blind = Cast { agents: None, ..cast() };
    assert_eq!((stranger(false, &blind), stranger(true, &blind)), (Role::Unknown, Role::Unknown));
    let read = conversation(&ticket(), &entries(), &blind).unwrap();
    let roles: Vec<Role> = read.iter().map(|message| message.author.role).collect();
    assert_eq!(roles, [Role::Customer, Role::Unknown, Role::Customer, Role::Us]);
}

#[test]
fn an_entry_that_cannot_be_placed_makes_the_conversation_unreadable() {
    for entry in
        [json!({ "id": 1 }), json!({ "created_at": "2026-05-03T10:03:00Z" }), json!({ "id": 1, "created_at": "soon" })]
    {
        assert!(conversation(&ticket(), &odd(entry.clone()), &cast()).is_none(), "{entry}");
    }
}

#[test]
fn a_mark_counts_in_a_note_of_ours_alone() {
    let us = Some(Id(9900));
    assert_eq!(marked(&entries(), us, "h3f9/1").unwrap().id, Sent::Value(Id(7)));
    assert!(marked(&entries(), us, "h3f9/2").is_none());
    assert!(marked(&entries(), Some(Id(9001)), "h3f9/1").is_none() && marked(&entries(), None, "h3f9/1").is_none());
}

#[test]
fn a_reply_is_known_by_its_words_also_with_a_signature_behind_them() {
    let us = Some(Id(9900));
    let since = "2026-05-03T10:00:00Z".parse().unwrap();
    let body = "<div>A colleague takes over &amp; answers.</div><div>--<br>Acme Support</div>";
    let sent = |private: bool, at: &str| {
        odd(json!({ "id": 9, "body": body, "private": private, "user_id": 9900, "created_at": at }))
    };
    let there = sent(false, "2026-05-03T10:09:00Z");
    assert!(replied(&there, us, "A colleague takes over & answers.", since).is_some());
    assert!(replied(&there, us, "Another word", since).is_none());
    assert!(replied(&there, Some(Id(9001)), "A colleague takes over & answers.", since).is_none());
    assert!(replied(&sent(false, "2026-05-03T09:00:00Z"), us, "A colleague takes over & answers.", since).is_none());
    assert!(replied(&sent(true, "2026-05-03T10:09:00Z"), us, "A colleague takes over & answers.", since).is_none());
}
