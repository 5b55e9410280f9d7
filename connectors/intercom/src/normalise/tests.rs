//! Conversations as the vendor documents them, and what is odd about them.

use super::*;
use crate::wire::{AdminList, TeamList};
use serde_json::json;
use std::sync::Arc;

pub(crate) fn raw() -> Value {
    serde_json::from_str(include_str!("../../fixtures/conversation.json")).unwrap()
}

/// Whom the fixtures are about: 991267 is our own account.
pub(crate) struct Cast(Teams, Admins, Me);

impl Cast {
    pub(crate) fn new() -> Self {
        let teams: TeamList = serde_json::from_str(include_str!("../../fixtures/teams.json")).unwrap();
        let teams = teams.teams.some().unwrap().into_iter().map(|team| (*team.id.get().unwrap(), team)).collect();
        let admins: AdminList = serde_json::from_str(include_str!("../../fixtures/admins.json")).unwrap();
        let admins = admins.admins.some().unwrap().into_iter().map(|admin| (*admin.id.get().unwrap(), admin)).collect();
        let me = serde_json::from_str(include_str!("../../fixtures/me.json")).unwrap();
        let me = Me::read(me, "api.intercom.io").unwrap();
        Self(Some(Arc::new(teams)), Some(Arc::new(admins)), me)
    }

    pub(crate) fn names(&self) -> Names<'_> {
        Names { teams: &self.0, admins: &self.1, me: &self.2 }
    }
}

fn read(raw: &Value) -> TicketHead {
    head(raw, &Cast::new().names()).unwrap()
}

fn edited(key: &str, value: Value) -> TicketHead {
    let mut raw = raw();
    raw[key] = value;
    read(&raw)
}

#[test]
fn a_documented_conversation_reads_as_it_is() {
    let mut head = read(&raw());
    head.raw = String::new();
    insta::assert_debug_snapshot!(head);
}

#[test]
fn nobody_is_zero_null_or_an_empty_text_and_a_missing_slot_is_unknown() {
    for nobody in [json!(0), json!(null), json!("0")] {
        let head = edited("admin_assignee_id", nobody.clone());
        assert_eq!(head.owner, Fact::Known(None), "{nobody}");
        assert_eq!(edited("team_assignee_id", nobody).queue, Fact::Known(None));
    }
    assert!(edited("admin_assignee_id", json!({})).owner.is_unknown());
    let named = edited("team_assignee_id", json!("5017690")).queue;
    assert_eq!(named.known().cloned().flatten().and_then(|queue| queue.name).as_deref(), Some("Support"));
}

#[test]
fn five_priorities_are_known_and_the_two_of_older_versions_too() {
    for (word, priority) in [
        ("none", Fact::Known(None)),
        ("low", Fact::Known(Some(Priority::Low))),
        ("medium", Fact::Known(Some(Priority::Normal))),
        ("high", Fact::Known(Some(Priority::High))),
        ("urgent", Fact::Known(Some(Priority::Urgent))),
        ("priority", Fact::Known(Some(Priority::High))),
        ("not_priority", Fact::Known(None)),
        ("very", Fact::Unknown),
    ] {
        assert_eq!(edited("priority", json!(word)).priority, priority, "{word}");
    }
}

#[test]
fn a_title_goes_before_a_subject_and_nothing_invents_one() {
    assert_eq!(edited("title", json!(null)).subject, Fact::Known("Export fails: E-4127".into()));
    let mut raw = raw();
    raw["title"] = json!(" ");
    raw["source"]["subject"] = json!("");
    assert_eq!(read(&raw).subject, Fact::Known(String::new()), "a chat has neither");
    raw["source"] = json!(null);
    assert!(read(&raw).subject.is_unknown() && read(&raw).text.is_unknown());
}

#[test]
fn the_first_words_are_the_customers_or_none() {
    let mut raw = raw();
    assert_eq!(read(&raw).text, Fact::Known("It stops at 40 %.\n\nWhy?".into()));
    raw["source"]["author"]["type"] = json!("admin");
    assert!(read(&raw).text.is_unknown(), "a teammate began");
    raw["source"]["type"] = json!("conversation");
    let chat = read(&raw);
    assert_eq!((chat.reply_reaches_customer, chat.machine_mail), (Fact::Known(true), Fact::Known(false)));
}

#[test]
fn the_version_moves_with_what_stands_there_and_not_when_somebody_reads() {
    let before = read(&raw()).version;
    for (key, value) in [("updated_at", json!(1_777_809_999)), ("read", json!(true)), ("waiting_since", json!(null))] {
        assert_eq!(edited(key, value).version, before, "{key}");
    }
    for (key, value) in [
        ("state", json!("closed")),
        ("team_assignee_id", json!(5_017_690)),
        ("admin_assignee_id", json!(null)),
        ("priority", json!("low")),
        ("custom_attributes", json!({ "Tier": "3" })),
        ("tags", json!({ "tags": [] })),
        ("title", json!("Other")),
        ("conversation_parts", json!({ "conversation_parts": [{ "id": "9" }], "total_count": 10 })),
    ] {
        assert_ne!(edited(key, value).version, before, "{key}");
    }
    for parts in [json!(null), json!({}), json!([])] {
        assert_eq!(edited("conversation_parts", parts.clone()).version.as_str(), "", "{parts}: nothing to compare");
    }
}

#[test]
fn a_merged_conversation_has_ended_and_the_one_that_lives_on_has_not() {
    let with_part = |kind: &str, state: &str, linked: Value| {
        let mut raw = raw();
        raw["state"] = json!(state);
        raw["linked_objects"] = json!({ "data": linked });
        let part = json!({ "id": "200", "part_type": kind, "created_at": 1_777_802_900 });
        raw["conversation_parts"]["conversation_parts"].as_array_mut().unwrap().push(part);
        read(&raw)
    };
    let one = json!([{ "type": "conversation", "id": "456" }]);
    let away = with_part("merged_secondary_conversation", "closed", one.clone());
    assert_eq!((away.ending, away.related), (Some(Ending::Merged { into: Some("456".into()) }), vec![]));
    let two = json!([{ "type": "conversation", "id": "456" }, { "type": "conversation", "id": "457" }]);
    assert_eq!(with_part("merged_into", "closed", two).ending, Some(Ending::Merged { into: None }));
    let stays = with_part("merged_primary_conversation", "closed", one.clone());
    assert_eq!((stays.ending, stays.related.len()), (None, 1));
    assert_eq!(with_part("merged_secondary_conversation", "open", one).ending, None, "opened again, it lives");
}

#[test]
fn a_customer_and_their_conversations_read_as_documented() {
    let contact: Contact = serde_json::from_str(include_str!("../../fixtures/contact.json")).unwrap();
    let customer = customer(Key("6762f1".into()), Some(contact), Fact::Unknown);
    insta::assert_debug_snapshot!(customer);
    assert_eq!(customer.language, Fact::Known(Some("pt-BR".into())));
    assert_eq!((customer.person.role, customer.person.email.as_deref()), (Role::Customer, Some("c@acme.example")));
    assert_eq!(customer.fields["plan"], json!("gold"));
    let found: wire::Found = serde_json::from_str(include_str!("../../fixtures/search.json")).unwrap();
    let now = "2026-05-03T11:00:00Z".parse().unwrap();
    let list = found.conversations.get().unwrap();
    let past = contacts(list, &Key("6762f1".into()), found.next().is_some(), now);
    let ids: Vec<&str> = past.tickets.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((ids, past.complete), (vec!["151", "147"], false), "newest first, without a stranger's");
    assert_eq!(past.tickets[0].status, Fact::Known(Status::Solved));
}
