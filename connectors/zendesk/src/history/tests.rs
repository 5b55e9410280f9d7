//! Histories as Zendesk documents them, and strange ones.

use super::*;
use serde_json::json;

fn cast() -> Cast {
    let users: Value = serde_json::from_str(include_str!("../../fixtures/users.json")).unwrap();
    let users: Vec<User> = serde_json::from_value(users["users"].clone()).unwrap();
    Cast {
        us: Some(Id(5246746)),
        requester: Some(Id(20978392)),
        users: users.into_iter().filter_map(|user| Some((user.id.get().copied()?, user))).collect(),
        groups: BTreeMap::from([(Id(98700), "Support".into()), (Id(98738), "Billing".into())]),
    }
}

fn audits(json: Value) -> Vec<Audit> {
    serde_json::from_value(json).unwrap()
}

fn documented() -> Vec<Audit> {
    let mut all: Value = serde_json::from_str(include_str!("../../fixtures/audits.json")).unwrap();
    audits(all["audits"].take())
}

#[test]
fn a_history_as_documented() {
    let (messages, changes) = read(&documented(), &cast()).unwrap();
    insta::assert_json_snapshot!("messages", messages);
    insta::assert_json_snapshot!("changes", changes);
}

#[test]
fn comments_as_documented() {
    let mut all: Value = serde_json::from_str(include_str!("../../fixtures/comments.json")).unwrap();
    let comments: Vec<Event> = serde_json::from_value(all["comments"].take()).unwrap();
    insta::assert_json_snapshot!("comments", conversation(&comments, &cast()).unwrap());
}

#[test]
fn actors_and_groups_are_those_that_are_named() {
    assert_eq!(actors(&documented()), BTreeSet::from([Id(-1), Id(235323), Id(5246746), Id(20978392)]));
    assert_eq!(groups(&documented()), [98700, 98738, 98700, 98700, 98738].map(Id));
}

#[test]
fn a_trigger_in_our_own_audit_is_not_us() {
    let (_, changes) = read(&documented(), &cast()).unwrap();
    let ours: Vec<_> = changes.iter().filter(|change| change.actor == Actor::Us).collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(ours[0].mark.as_ref().unwrap().to_string(), "[handoffd h3f9/1 refund@a1b2]");
    let after = changes.iter().skip_while(|change| change.actor != Actor::Us).nth(1).unwrap();
    assert_eq!((after.actor, &after.mark), (Actor::Automation, &None));
    assert!(matches!(&after.what[..], [What::Queue { to: Some(to), .. }] if to.name.as_deref() == Some("Support")));
}

#[test]
fn a_mark_counts_only_from_our_own_account() {
    let by = |author: i64, custom: Value, note: &str| {
        let audits = audits(json!([{
            "id": 1, "author_id": author, "created_at": "2026-05-03T10:00:00Z", "metadata": { "custom": custom },
            "events": [{ "id": 2, "type": "Comment", "public": false, "author_id": author, "body": note }],
        }]));
        (key(&audits[0], Some(Id(5246746))), read(&audits, &cast()).unwrap().1[0].mark.clone())
    };
    let custom = json!({ "handoffd": "h/1", "handoffd_rule": "r@v" });
    let (us, agent) = (5246746, 235323);
    assert_eq!(by(us, custom.clone(), "words").0.as_deref(), Some("h/1"));
    assert_eq!(by(us, custom.clone(), "words").1.unwrap().to_string(), "[handoffd h/1 r@v]");
    assert_eq!(by(us, json!({}), "words\n[handoffd h/2 r@v]").0.as_deref(), Some("h/2"));
    assert_eq!(by(us, json!({ "handoffd": "h/1" }), "words"), (Some("h/1".into()), None));
    assert_eq!(by(agent, custom.clone(), "words\n[handoffd h/2 r@v]"), (None, None));
    assert_eq!(by(-1, custom, "words\n[handoffd h/2 r@v]"), (None, None));
}

#[test]
fn what_does_not_say_that_it_is_internal_has_no_internal_weight() {
    for public in [json!(null), json!("no"), json!(true)] {
        let audits = audits(json!([{
            "id": 1, "author_id": 235323, "created_at": "2026-05-03T10:00:00Z",
            "events": [{ "id": 2, "type": "Comment", "public": public, "body": "/handoff billing" }],
        }]));
        let (messages, _) = read(&audits, &cast()).unwrap();
        assert_eq!(messages[0].said.visibility(), Visibility::Public, "{public}");
    }
}

#[test]
fn a_note_that_zendesk_does_not_trust_is_nobody_s_act() {
    for (trusted, actor) in [(json!(true), Actor::Person), (json!(null), Actor::Person), (json!(false), Actor::Unknown)]
    {
        let audits = audits(json!([{
            "id": 1, "author_id": 235323, "created_at": "2026-05-03T10:00:00Z",
            "events": [{ "id": 2, "type": "Comment", "public": false, "trusted": trusted, "body": "/approve" }],
        }]));
        assert_eq!(read(&audits, &cast()).unwrap().1[0].actor, actor, "{trusted}");
    }
}

#[test]
fn labels_that_came_and_went_are_told_apart_in_both_forms() {
    for (before, after) in
        [(json!("vip seen"), json!("seen handoff-back")), (json!(["vip", "seen"]), json!(["seen", "handoff-back"]))]
    {
        let audits = audits(json!([{
            "id": 1, "author_id": 235323, "created_at": "2026-05-03T10:00:00Z",
            "events": [{ "id": 2, "type": "Change", "field_name": "tags", "value": after, "previous_value": before }],
        }]));
        let tags = What::Tags { added: vec!["handoff-back".into()], removed: vec!["vip".into()] };
        assert_eq!(read(&audits, &cast()).unwrap().1[0].what, [tags]);
    }
}

#[test]
fn a_history_with_a_hole_is_no_history() {
    for broken in [json!([{ "id": 1 }]), json!([{ "created_at": "2026-05-03T10:00:00Z" }])] {
        assert!(read(&audits(broken.clone()), &cast()).is_none(), "{broken}");
    }
    assert_eq!(read(&[], &cast()).unwrap(), (vec![], vec![]));
}

#[test]
fn it_is_oldest_first_whatever_the_order_of_the_answer() {
    let mut reversed = documented();
    reversed.reverse();
    assert_eq!(read(&reversed, &cast()), read(&documented(), &cast()));
}

#[test]
fn strangers_and_other_integrations_count_as_people_of_unknown_role() {
    let audits = audits(json!([{
        "id": 1, "author_id": 4711, "created_at": "2026-05-03T10:00:00Z", "via": { "channel": "api" },
        "events": [{ "id": 2, "type": "Change", "field_name": "group_id", "value": 98738, "previous_value": "" }],
    }]));
    let (_, changes) = read(&audits, &cast()).unwrap();
    assert_eq!((changes[0].by.role, changes[0].actor), (Role::Unknown, Actor::Person));
    assert!(matches!(&changes[0].what[..], [What::Queue { from: None, to: Some(_) }]));
}

#[test]
fn an_automatic_mail_is_flagged_and_other_mail_is_not() {
    let by_machine = |channel: &str, metadata: Value| {
        let audit = json!({
            "id": 1, "author_id": 20978392, "created_at": "2026-05-03T10:00:00Z", "via": { "channel": channel },
            "metadata": metadata, "events": [{ "id": 2, "type": "Comment", "public": true, "body": "I am away" }],
        });
        let (messages, _) = read(&audits(json!([audit])), &cast()).unwrap();
        let comment = json!([{
            "id": 2, "type": "Comment", "public": true, "body": "I am away", "created_at": "2026-05-03T10:00:00Z",
            "via": { "channel": channel }, "metadata": metadata,
        }]);
        let comments: Vec<Event> = serde_json::from_value(comment).unwrap();
        let alone = conversation(&comments, &cast()).unwrap();
        assert_eq!(messages[0].by_machine, alone[0].by_machine, "audits and comments say the same");
        messages[0].by_machine.clone()
    };
    assert_eq!(by_machine("email", json!({ "flags": [2, 4], "flags_options": { "4": {} } })), Fact::Known(true));
    assert_eq!(by_machine("email", json!({ "flags": [0, 11] })), Fact::Known(false));
    assert_eq!(by_machine("email", json!({ "system": {} })), Fact::Known(false), "left out where there are none");
    assert_eq!(by_machine("email", json!({ "flags": "4" })), Fact::Unknown);
    assert_eq!(by_machine("email", json!(null)), Fact::Unknown);
    assert_eq!(by_machine("web", json!({ "flags": [4] })), Fact::Unknown, "it was no mail");
}
