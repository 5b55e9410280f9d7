//! Comments and changelogs as the sheet shows them, and with strangers and holes in them.

use super::*;
use handoffd_kit::model::{Priority, Status};
use serde_json::json;

fn issue() -> Issue {
    serde_json::from_str(include_str!("../../fixtures/issue.json")).unwrap()
}

fn comments() -> Vec<Comment> {
    let page: wire::Comments = serde_json::from_str(include_str!("../../fixtures/comments.json")).unwrap();
    page.comments.some().unwrap()
}

fn entries() -> Vec<Entry> {
    let page: wire::Page<Entry> = serde_json::from_str(include_str!("../../fixtures/changelog.json")).unwrap();
    page.values.some().unwrap()
}

fn cast() -> Cast {
    let statuses = [("10100", Status::Open), ("10101", Status::Pending)];
    let statuses = statuses.into_iter().map(|(id, status)| (id.to_owned(), status)).collect();
    Cast::new(&issue(), Some("557058:5".into()), Arc::new(setup::fixture()), Arc::new(statuses))
}

#[test]
fn the_description_is_the_first_message_and_the_customers_whoever_typed_it() {
    let read = conversation(&issue(), &comments(), &cast()).unwrap();
    let seen: Vec<_> = read
        .iter()
        .map(|one| (one.id.as_str(), one.author.role, one.said.visibility(), one.said.words().lines().next().unwrap()))
        .collect();
    let expected = [
        ("description", Role::Customer, Visibility::Public, "The export of May fails."),
        ("7001", Role::Agent, Visibility::Internal, "Looks like E-4127"),
        ("7002", Role::Customer, Visibility::Public, "Any news?"),
        ("7003", Role::Us, Visibility::Internal, "Context"),
    ];
    assert_eq!(seen, expected);
    let file = &read[0].attachments[0];
    assert_eq!((file.name.as_str(), file.bytes), ("log.txt", Some(1201)));
    let people = staff(&comments(), &entries(), &cast());
    assert_eq!(people.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["557058:2", "557058:5"]);
}

#[test]
fn comments_and_a_changelog_as_documented() {
    insta::assert_json_snapshot!("conversation", conversation(&issue(), &comments(), &cast()).unwrap());
    insta::assert_json_snapshot!("changes", changes(&issue(), &entries(), &comments(), &cast()).unwrap());
}

#[test]
fn a_participant_with_a_licence_is_a_customer_in_public_and_an_agent_among_agents() {
    let said = |public: Value| {
        let comment = json!({ "id": "9", "author": { "accountId": "557058:7", "accountType": "atlassian" }, "body": {},
            "created": "2026-09-01T08:20:00.000+0000", "jsdPublic": public });
        let comment: Comment = serde_json::from_value(comment).unwrap();
        (cast().writer(&comment).role, visibility(&comment))
    };
    assert_eq!(said(json!(true)), (Role::Customer, Some(Visibility::Public)));
    assert_eq!(said(json!(false)), (Role::Agent, Some(Visibility::Internal)));
    assert_eq!(said(json!(null)), (Role::Customer, None), "what is not stated to be internal has no weight of one");
}

#[test]
fn the_history_says_who_changed_what_and_our_entry_carries_our_mark() {
    let read = changes(&issue(), &entries(), &comments(), &cast()).unwrap();
    let ids: Vec<&str> = read.iter().map(|change| change.id.as_str()).collect();
    assert_eq!(ids, ["created", "c7001", "3001", "c7002", "c7003", "3002", "3003"]);
    let of = |id: &str| read.iter().find(|change| change.id.as_str() == id).unwrap();
    assert_eq!(of("created").what[0], What::Created);
    let taken = of("3001");
    assert_eq!((taken.actor, taken.by.role), (Actor::Person, Role::Agent));
    let tags = What::Tags { added: vec!["vip".into()], removed: vec![] };
    assert_eq!(taken.what, [What::Owner { from: None, to: Some("557058:2".into()) }, tags]);
    let ours = of("3002");
    assert_eq!((ours.actor, ours.mark.as_ref().unwrap().key()), (Actor::Us, "h3f9/2".to_owned()));
    let team = |name: &str| Some(QueueRef { id: name.into(), name: Some(name.into()) });
    assert_eq!(ours.what[0], What::Queue { from: team("Support"), to: team("Tier 2") });
    let rule = of("3003");
    assert_eq!((rule.actor, rule.by.role, rule.mark.clone()), (Actor::Automation, Role::Automation, None));
    let expected = [
        What::Status { from: Some(Status::Open), to: Some(Status::Pending) },
        What::Priority { to: Some(Priority::High) },
        What::Field { id: "customfield_10062".into() },
        What::Other("resolution".into()),
    ];
    assert_eq!(rule.what, expected);
    assert_eq!(of("c7003").mark.as_ref().unwrap().key(), "h3f9/1");
}

#[test]
fn a_mark_counts_in_our_own_words_alone_and_a_hole_is_no_history() {
    let (all, us) = (comments(), Some("557058:5"));
    assert_eq!(marked(&all, us, "h3f9/1").unwrap().id, Sent::Value(Id(7003)));
    for (us, key) in [(us, "h3f9/9"), (Some("557058:2"), "h3f9/1"), (None, "h3f9/1")] {
        assert!(marked(&all, us, key).is_none(), "{us:?} {key}");
    }
    let mut forged = entries();
    forged[1].author = forged[0].author.clone();
    assert_eq!(noted(&forged[1], us), None);
    for entry in [json!({}), json!({ "id": "1", "items": [] }), json!({ "created": "2026-09-01T08:20:00.000+0000" })] {
        let entry: Entry = serde_json::from_value(entry).unwrap();
        assert!(changes(&issue(), &[entry], &[], &cast()).is_none());
    }
    assert!(conversation(&Issue::default(), &[], &cast()).is_none(), "an issue without a time");
    assert!(conversation(&issue(), &[Comment::default()], &cast()).is_none());
}

#[test]
fn a_team_by_its_id_and_one_that_nobody_had() {
    let item: Item =
        serde_json::from_value(json!({ "from": "u-1", "fromString": "Tier 1", "to": null, "toString": null })).unwrap();
    let tier = QueueRef { id: "u-1".into(), name: Some("Tier 1".into()) };
    assert_eq!(queue(&item.from, &item.from_string, TeamKind::Team), Some(tier));
    assert_eq!(queue(&item.to, &item.to_string, TeamKind::Team), None);
    assert_eq!(queue(&item.to, &item.to_string, TeamKind::Select), None);
}
