//! Parts as the vendor documents them, and what is odd about them.

use super::*;
use crate::normalise::tests::{Cast, raw};
use serde_json::{Value, json};

fn sent(raw: Value) -> Conversation {
    serde_json::from_value(raw).unwrap()
}

fn with(part: Value) -> Conversation {
    let mut raw = raw();
    raw["conversation_parts"]["conversation_parts"].as_array_mut().unwrap().push(part);
    sent(raw)
}

fn last(part: Value) -> Change {
    changes(&with(part), &Cast::new().names()).unwrap().pop().unwrap()
}

#[test]
fn a_documented_conversation_reads_word_for_word_and_change_for_change() {
    let cast = Cast::new();
    let sent = sent(raw());
    insta::assert_debug_snapshot!(conversation(&sent, &cast.names()));
    insta::assert_debug_snapshot!(changes(&sent, &cast.names()));
}

#[test]
fn what_an_ai_agent_a_bot_or_a_team_says_is_no_teammates() {
    let cast = Cast::new();
    let role = |author: Value| {
        let sender: Sender = serde_json::from_value(author).unwrap();
        self::author(Some(&sender), &cast.names()).role
    };
    for (author, expected) in [
        (json!({ "type": "admin", "id": "991268" }), Role::Agent),
        (json!({ "type": "admin", "id": 991268 }), Role::Agent),
        (json!({ "type": "admin", "id": "991268", "from_ai_agent": true }), Role::Automation),
        (json!({ "type": "admin", "id": "991267" }), Role::Us),
        (json!({ "type": "bot", "id": "991267" }), Role::Automation),
        (json!({ "type": "team", "id": "5017690" }), Role::Automation),
        (json!({ "type": "user", "id": "6762f1" }), Role::Customer),
        (json!({ "type": "lead", "id": "6762f1" }), Role::Customer),
        (json!({ "type": "visitor", "id": "6762f1" }), Role::Unknown),
        (json!({}), Role::Unknown),
    ] {
        assert_eq!(role(author.clone()), expected, "{author}");
    }
    assert_eq!(author(None, &cast.names()).role, Role::Unknown);
}

#[test]
fn only_a_note_is_internal_whatever_types_will_come() {
    for (kind, expected) in [
        ("note", Visibility::Internal),
        ("note_and_reopen", Visibility::Internal),
        ("comment", Visibility::Public),
        ("quick_reply", Visibility::Public),
        ("assignment", Visibility::Public),
        ("notebook", Visibility::Public),
        ("something_new", Visibility::Public),
    ] {
        let part: Part = serde_json::from_value(json!({ "part_type": kind })).unwrap();
        assert_eq!(visibility(&part), expected, "{kind}");
    }
}

#[test]
fn a_part_that_ends_a_sleep_is_known_by_its_end_and_what_is_new_is_something_else() {
    let what = |kind: &str| {
        let part = json!({ "id": "900", "part_type": kind, "created_at": 1_777_809_000, "author": { "type": "admin", "id": "991268" } });
        last(part).what
    };
    let to =
        |what: Vec<What>| what.into_iter().find_map(|one| if let What::Status { to, .. } = one { to } else { None });
    for (kind, status) in [
        ("open", Status::Open),
        ("assign_and_reopen", Status::Open),
        ("assign_and_unsnooze", Status::Open),
        ("timer_unsnooze", Status::Open),
        ("close", Status::Solved),
        ("snoozed", Status::Pending),
    ] {
        assert_eq!(to(what(kind)), Some(status), "{kind}");
    }
    assert_eq!(what("participant_added"), [What::Other("participant_added".into())]);
    let long = what(&"x".repeat(5_000));
    assert!(matches!(&long[0], What::Other(word) if word.len() == 100));
}

#[test]
fn an_assignment_knows_whom_it_took_the_conversation_from_by_the_parts_before() {
    let part = |to: Value| json!({ "id": "900", "part_type": "assignment", "created_at": 1_777_809_000, "assigned_to": to, "author": { "type": "admin", "id": "991268" } });
    let team = last(part(json!({ "type": "team", "id": "5017690" }))).what;
    let name = |queue: &Option<QueueRef>| queue.as_ref().and_then(|queue| queue.name.clone());
    assert!(
        matches!(&team[..], [What::Queue { from, to }] if name(from).as_deref() == Some("Billing") && name(to).as_deref() == Some("Support"))
    );
    let admin = last(part(json!({ "type": "admin", "id": "991268" }))).what;
    assert_eq!(admin, [What::Owner { from: None, to: Some("991268".into()) }]);
    for nobody in [
        json!({ "type": "admin", "id": null }),
        json!({ "type": "nobody", "id": null }),
        json!({ "type": "admin", "id": "0" }),
    ] {
        assert_eq!(last(part(nobody.clone())).what, [What::Owner { from: None, to: None }], "{nobody}");
    }
    for odd in [json!(null), json!({}), json!({ "type": "contact", "id": "6762f1" })] {
        assert_eq!(last(part(odd.clone())).what, [What::Other("assignment".into())], "{odd}");
    }
}

#[test]
fn a_mark_counts_in_an_internal_part_of_our_own_alone() {
    let part = |kind: &str, author: &str| {
        let body = "<p>x</p><p>[handoffd h1/1 r@v]</p>";
        json!({ "id": "900", "part_type": kind, "body": body, "created_at": 1_777_809_000, "author": { "type": "admin", "id": author } })
    };
    assert!(last(part("note", "991267")).mark.is_some());
    assert!(last(part("comment", "991267")).mark.is_none() && last(part("note", "991268")).mark.is_none());
    let us = Id(991_267);
    let all = with(part("note", "991268"));
    assert!(marked(all.parts(), us, "h1/1").is_none() && marked(all.parts(), us, "h3f9/1").is_some());
}

#[test]
fn a_reply_is_known_by_its_words_in_both_forms_that_it_may_come_back_in() {
    let part = |body: &str| {
        let part = json!({ "id": "900", "part_type": "comment", "body": body, "created_at": 1_777_809_000, "author": { "type": "admin", "id": "991267" } });
        with(part)
    };
    let words = "A colleague takes over & answers by <4 pm>.";
    let html = "<p>A colleague takes over &amp; answers by &lt;4 pm&gt;.</p>";
    let as_text = "&lt;p&gt;A colleague takes over &amp;amp; answers by &amp;lt;4 pm&amp;gt;.&lt;/p&gt;";
    let found = |body: &str| replied(part(body).parts(), Id(991_267), words, Timestamp::MIN).cloned();
    let (right, shown) = (found(html).unwrap(), found(as_text).unwrap());
    assert!(!is_shown_as_markup(&right, words) && is_shown_as_markup(&shown, words));
    assert!(found("<p>Something else</p>").is_none());
    let late = "2026-05-04T00:00:00Z".parse().unwrap();
    assert!(replied(part(html).parts(), Id(991_267), words, late).is_none());
}

#[test]
fn a_part_that_cannot_be_placed_makes_no_history() {
    let cast = Cast::new();
    for part in [
        json!({ "part_type": "note", "body": "x", "id": "9" }),
        json!({ "part_type": "note", "body": "x", "created_at": 5 }),
        json!(7),
    ] {
        let sent = with(part.clone());
        assert!(changes(&sent, &cast.names()).is_none() || sent.parts().is_empty(), "{part}");
    }
}

#[test]
fn a_label_without_who_and_when_is_no_change() {
    let cast = Cast::new();
    let mut raw = raw();
    raw["tags"]["tags"] = json!([{ "id": "1", "name": "old", "applied_at": null, "applied_by": null }, { "id": "2", "name": "bots", "applied_at": 1_777_809_000, "applied_by": { "type": "bot", "id": "9" } }]);
    let changes = changes(&sent(raw), &cast.names()).unwrap();
    let tagged: Vec<_> = changes.iter().filter(|change| matches!(change.what[..], [What::Tags { .. }])).collect();
    assert_eq!(tagged.len(), 1);
    assert_eq!((tagged[0].actor, tagged[0].id.as_str()), (Actor::Automation, "t2-1777809000"));
}
