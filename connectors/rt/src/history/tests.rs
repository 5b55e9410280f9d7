//! Recorded transactions as history and conversation, and messages in every shape that mail programs give them.

use super::*;
use crate::wire::{Content, List};
use handoffd_kit::model::Priority;
use serde_json::json;

fn list<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str::<List<T>>(text).unwrap().items
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn names(ticket: &str) -> Names {
    Names {
        ticket: ticket.into(),
        me: "handoff-bot".into(),
        requester: Some("requester@customer.example".into()),
        queues: map(&[("6", "tier1"), ("7", "tier2")]),
        fields: map(&[("4", "customer-tier"), ("5", "product-area"), ("6", "labels")]),
        users: map(&[("6", "Nobody"), ("59", "agent-1")]),
        staff: [("agent-1".to_owned(), true), ("agent-2".to_owned(), true), ("root".to_owned(), true)].into(),
        people: Vec::new(),
    }
}

fn transaction(json: serde_json::Value) -> Transaction {
    let mut whole = json!({"id": 1, "Type": "Set", "Created": "2026-11-24T05:00:00Z", "Creator": {"id": "agent-1"}});
    for (key, value) in json.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn part(id: u64, media_type: &str, name: &str, bytes: u64) -> Attachment {
    serde_json::from_value(json!({
        "id": id, "TransactionId": "1", "ContentType": media_type, "Filename": name, "ContentLength": bytes.to_string(),
    }))
    .unwrap()
}

fn message(parts: &[Attachment], texts: &[(u64, &str)]) -> Conversation {
    let texts = texts.iter().map(|(id, text)| (*id, (*text).to_owned())).collect();
    let one = transaction(json!({"Type": "Correspond"}));
    conversation(&[one], parts, &texts, &names("1"), "https://rt.acme.example")
}

#[test]
fn a_recorded_bounce_is_read_as_it_happened() {
    let transactions: Vec<Transaction> = list(include_str!("../../fixtures/history-bounced.json"));
    insta::assert_json_snapshot!(changes(&transactions, &BTreeMap::new(), &names("9")));
}

#[test]
fn a_recorded_message_with_files_is_read_whole() {
    let transactions: Vec<Transaction> = list(include_str!("../../fixtures/history-files.json"));
    let parts: Vec<Attachment> = list(include_str!("../../fixtures/attachments-files.json"));
    let contents: Vec<Content> = list(include_str!("../../fixtures/texts-files.json"));
    let texts = contents.into_iter().map(|content| (content.id, content.text)).collect();
    let read = conversation(&transactions, &parts, &texts, &names("10"), "https://rt.acme.example");
    insta::assert_json_snapshot!(read);
}

#[test]
fn both_sides_of_a_merge_are_told_apart() {
    let transactions: Vec<Transaction> = list(include_str!("../../fixtures/history-merged.json"));
    let last = |ticket: &str| {
        let history = changes(&transactions, &BTreeMap::new(), &names(ticket));
        history
            .iter()
            .flat_map(|change| change.what.clone())
            .filter(|what| matches!(what, What::Merged { .. }))
            .collect::<Vec<_>>()
    };
    assert_eq!(last("32"), [What::Merged { into: Some("38".into()) }]);
    assert_eq!(last("38"), [], "the one that stays became part of nothing");
}

#[test]
fn what_happened_to_a_ticket_before_it_became_part_of_this_one_is_no_move_of_this_one() {
    let texts = BTreeMap::from([(7, "note\n\n[handoffd h1/1 rule@v1]".to_owned())]);
    let of = |json: serde_json::Value| change(&transaction(json), &texts, &names("38"));
    let moved = json!({ "id": 6, "ObjectId": "32", "Field": "Queue", "OldValue": "6", "NewValue": "7" });
    assert_eq!(of(moved).what, [What::Other("Set Queue of ticket 32".into())]);
    let ours = json!({ "id": 7, "ObjectId": "32", "Type": "Comment", "Creator": { "id": "handoff-bot" } });
    assert_eq!(of(ours).mark, None, "a handoff of the other one");
    let opened = of(json!({ "id": 1, "ObjectId": "32", "Type": "Create" }));
    assert!(matches!(opened.what[..], [What::Said { .. }]), "its words are the case's now: {:?}", opened.what);
    let own = of(json!({ "id": 6, "ObjectId": "38", "Field": "Queue", "OldValue": "6", "NewValue": "7" }));
    assert!(matches!(own.what[..], [What::Queue { .. }]));
}

#[test]
fn every_kind_of_transaction_says_what_it_did() {
    let what = |json: serde_json::Value| what(&transaction(json), &names("1")).remove(0);
    let queue = |id: &str, name: Option<&str>| Some(QueueRef { id: id.into(), name: name.map(str::to_owned) });
    assert_eq!(
        what(json!({"Field": "Queue", "OldValue": "6", "NewValue": "99"})),
        What::Queue { from: queue("6", Some("tier1")), to: queue("99", None) }
    );
    for kind in ["Set", "Force", "Take", "Steal", "Give"] {
        let taken = what(json!({"Type": kind, "Field": "Owner", "OldValue": "6", "NewValue": "59"}));
        assert_eq!(taken, What::Owner { from: None, to: Some("agent-1".into()) }, "{kind}");
    }
    let again = what(json!({"Type": "SetWatcher", "Field": "Owner", "OldValue": "6", "NewValue": "59"}));
    assert_eq!(again, What::Other("SetWatcher Owner".into()), "the owner is not reported twice");
    assert_eq!(what(json!({"Field": "Priority", "NewValue": "75"})), What::Priority { to: Some(Priority::High) });
    assert_eq!(what(json!({"Field": "Priority", "NewValue": ""})), What::Priority { to: None });
    assert_eq!(
        what(json!({"Type": "Status", "Field": "Status", "OldValue": "new", "NewValue": "own-word"})),
        What::Status { from: Some(handoffd_kit::model::Status::New), to: None }
    );
    assert_eq!(what(json!({"Type": "CustomField", "Field": "4"})), What::Field { id: "customer-tier".into() });
    assert_eq!(what(json!({"Type": "CustomField", "Field": "77"})), What::Field { id: "77".into() });
    let labels = |added: &[&str], removed: &[&str]| {
        let owned = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
        What::Tags { added: owned(added), removed: owned(removed) }
    };
    let added = what(json!({"Type": "CustomField", "Field": "6", "OldValue": null, "NewValue": "handoff:billing"}));
    assert_eq!(added, labels(&["handoff:billing"], &[]));
    assert_eq!(what(json!({"Type": "CustomField", "Field": "6", "OldValue": "vip"})), labels(&[], &["vip"]));
    assert_eq!(what(json!({"Field": "Due"})), What::Other("Set Due".into()));
    assert_eq!(what(json!({"Type": "Untake"})), What::Other("Untake".into()));
}

#[test]
fn roles_follow_from_who_somebody_is_on_this_ticket() {
    let names = names("1");
    for (login, role) in [
        ("handoff-bot", Role::Us),
        ("RT_System", Role::Automation),
        ("requester@customer.example", Role::Customer),
        ("agent-2", Role::Agent),
        ("stranger@customer.example", Role::Unknown),
    ] {
        assert_eq!(names.role(login), role, "{login}");
    }
}

#[test]
fn a_mark_counts_in_our_own_messages_only() {
    let mark = "[handoffd h1/1 rule@v1]".to_owned();
    let texts = BTreeMap::from([(1, format!("note\n\n{mark}"))]);
    let by = |login: &str| transaction(json!({"Type": "Comment", "Creator": {"id": login}}));
    let ours = changes(&[by("handoff-bot")], &texts, &names("1")).remove(0);
    assert_eq!((ours.mark.unwrap().to_string(), ours.actor), (mark, Actor::Us));
    assert_eq!(changes(&[by("agent-1")], &texts, &names("1")).remove(0).mark, None);
}

#[test]
fn of_two_forms_of_one_text_the_plain_one_is_read() {
    let parts = [
        part(1, "multipart/alternative", "", 0),
        part(2, "text/plain", "", 5),
        part(3, "text/html", "", 20),
        part(4, "image/png", "", 70),
        part(5, "text/plain", "log.txt", 900),
    ];
    let read = message(&parts, &[(2, "plain\r\nwords\n"), (3, "<p>plain words</p>")]);
    assert_eq!(read.messages[0].said.words(), "plain\nwords");
    let names: Vec<_> = read.messages[0].attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["untitled", "log.txt"]);
    let read = message(&parts, &[(2, "  \n"), (3, "<p>only <b>here</b></p>")]);
    assert_eq!(read.messages[0].said.words(), "only here", "a blank plain text says nothing");
}

#[test]
fn several_texts_of_one_message_are_read_in_order() {
    let parts = [part(1, "text/plain", "", 5), part(2, "image/png", "a.png", 9), part(3, "text/plain", "", 5)];
    let read = message(&parts, &[(1, "above"), (3, "below")]);
    assert_eq!(read.messages[0].said.words(), "above\n\nbelow");
}

#[test]
fn a_text_that_is_too_large_is_not_read_and_the_conversation_says_so() {
    let parts = [part(1, "text/plain", "", LARGEST_TEXT + 1), part(2, "text/plain", "", 3)];
    assert_eq!(texts_to_read(&parts), [2]);
    let read = message(&parts, &[(2, "end")]);
    assert!(!read.complete);
    assert_eq!(read.messages[0].said.words(), format!("(a text of {} bytes, not read)\n\nend", LARGEST_TEXT + 1));
}

#[test]
fn a_file_s_name_cannot_leave_its_link() {
    let file = message(&[part(7, "text/plain", "../../x?y#z.txt", 3)], &[]).messages.remove(0).attachments.remove(0);
    assert_eq!(file.link.unwrap(), "https://rt.acme.example/Ticket/Attachment/1/7/..%2F..%2Fx%3Fy%23z.txt");
    assert_eq!(file.name, "../../x?y#z.txt");
}

#[test]
fn a_ticket_opened_without_a_word_has_said_nothing_and_an_empty_note_is_one() {
    let opened = transaction(json!({"Type": "Create"}));
    let read = conversation(&[opened], &[], &BTreeMap::new(), &names("1"), "");
    assert!(read.messages.is_empty() && read.complete);
    assert_eq!(message(&[], &[]).messages.len(), 1);
}

#[test]
fn an_automatic_answer_is_told_by_its_headers_and_a_persons_mail_by_having_none_of_the_signs() {
    let with = |headers: &str| {
        let envelope = Attachment { headers: headers.into(), ..part(1, "multipart/mixed", "", 0) };
        let inner = Attachment { headers: "Auto-Submitted: auto-replied".into(), ..part(2, "text/plain", "", 4) };
        message(&[envelope, inner], &[(2, "away")]).messages[0].by_machine.clone()
    };
    // As a running 5.0.3 keeps them.
    let mail = "From: \"Pia\" <pia@studio.example>\nReceived: from mx.example by desk.example\nX-RT-Interface: Email";
    assert_eq!(with(&format!("{mail}\nAuto-Submitted: auto-replied\nReturn-Path: <>")), Fact::Known(true));
    assert_eq!(with(&format!("{mail}\nRT-DetectedAutoGenerated: true")), Fact::Known(true));
    assert_eq!(with(mail), Fact::Known(false), "what is inside the mail is no header of it");
    assert_eq!(with("X-RT-Interface: Web\nMIME-Version: 1.0"), Fact::Known(false));
    for unknown in ["X-RT-Interface: REST", "X-RT-Interface: API\nMIME-Version: 1.0", "MIME-Version: 1.0", ""] {
        assert_eq!(with(unknown), Fact::Unknown, "{unknown}");
    }
    assert_eq!(message(&[], &[]).messages[0].by_machine, Fact::Unknown);
}
