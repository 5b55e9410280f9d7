//! Articles and history of the sheet, and what becomes of those that are odd.

use super::*;
use crate::states::fresh;
use serde_json::json;

fn articles() -> Vec<Article> {
    serde_json::from_str(include_str!("../../fixtures/articles.json")).unwrap()
}

fn rows() -> Vec<Row> {
    let history: crate::wire::History = serde_json::from_str(include_str!("../../fixtures/history.json")).unwrap();
    history.history.some().unwrap()
}

fn cast() -> Cast {
    let user = |json: Value| serde_json::from_value::<User>(json).unwrap();
    let ann = user(
        json!({ "id": 4, "firstname": "Ann", "lastname": "Agent", "email": "ann@acme.example", "roles": ["Agent"] }),
    );
    Cast {
        us: Some(Id(5)),
        users: BTreeMap::from([(Id(4), ann)]),
        groups: None,
        words: Arc::new(fresh()),
        site: "https://support.acme.example/".parse().unwrap(),
    }
}

#[test]
fn a_conversation_as_documented() {
    insta::assert_json_snapshot!(conversation(&articles(), &cast()).unwrap());
}

#[test]
fn a_history_as_documented() {
    insta::assert_json_snapshot!(changes(&rows(), &articles(), &cast()).unwrap());
}

#[test]
fn only_those_who_act_are_asked_for() {
    assert_eq!(actors(&articles(), &rows()), BTreeSet::from([Id(4), Id(5), Id(10)]));
    let staff: Vec<Option<String>> = cast().staff().into_iter().map(|person| person.email).collect();
    assert_eq!(staff, [Some("ann@acme.example".to_owned())]);
}

#[test]
fn a_mark_counts_in_an_internal_article_of_our_own_account_only() {
    let (articles, key) = (articles(), "h3f9/1");
    assert!(marked(&articles, Some(Id(5)), key).is_some());
    assert!(marked(&articles, Some(Id(4)), key).is_none() && marked(&articles, None, key).is_none());
    let public: Vec<Article> =
        articles.iter().cloned().map(|one| Article { internal: Sent::Value(false), ..one }).collect();
    let marks = |articles: &[Article]| {
        changes(&[], articles, &cast()).unwrap().iter().filter(|change| change.mark.is_some()).count()
    };
    assert_eq!((marks(&articles), marks(&public)), (1, 0));
    assert_eq!(visibility(&public[1]), Some(Visibility::Public), "found, and an incident");
}

#[test]
fn a_reply_is_known_by_its_words_from_when_it_was_sent() {
    let at: Timestamp = "2026-05-03T10:05:12Z".parse().unwrap();
    let ours = Article { created_by_id: Sent::Value(Id(5)), ..articles().remove(2) };
    let found = |text: &str, since| replied(std::slice::from_ref(&ours), Some(Id(5)), text, since).is_some();
    assert!(found("She called: still fails.", at) && !found("He called", at));
    assert!(!found("She called: still fails.", at + SignedDuration::from_hours(1)));
    let internal = Article { internal: Sent::Value(true), ..ours.clone() };
    assert!(replied(&[internal], Some(Id(5)), "She called: still fails.", at).is_none());
}

#[test]
fn what_cannot_be_placed_makes_no_history() {
    let row = |json: Value| serde_json::from_value::<Row>(json).unwrap();
    assert!(changes(&[row(json!({ "id": 1, "type": "updated" }))], &[], &cast()).is_none());
    assert!(
        changes(&[row(json!({ "type": "updated", "created_at": "2026-05-03T10:00:00Z" }))], &[], &cast()).is_none()
    );
    assert!(changes(&[row(json!({ "type": "notification" }))], &[], &cast()).unwrap().is_empty(), "no change at all");
    assert!(conversation(&[Article::default()], &cast()).is_none());
    assert!(changes(&[], &[Article::default()], &cast()).is_none());
}

#[test]
fn acts_are_parted_by_actor_moment_and_by_a_second_move() {
    let row = |id: i64, attribute: &str, by: i64, at: &str| {
        let row = json!({
            "id": id, "type": "updated", "object": "Ticket", "attribute": attribute, "id_from": 1, "id_to": 2,
            "created_by_id": by, "created_at": format!("2026-05-03T10:00:{at}Z"),
        });
        serde_json::from_value::<Row>(row).unwrap()
    };
    let acts = |rows: &[Row]| {
        changes(rows, &[], &cast()).unwrap().into_iter().map(|one| one.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(acts(&[row(2, "owner", 4, "00.010"), row(1, "group", 4, "00.000")]), ["1"]);
    assert_eq!(acts(&[row(1, "group", 4, "00.000"), row(2, "owner", 6, "00.010")]), ["1", "2"]);
    assert_eq!(acts(&[row(1, "group", 4, "00.000"), row(2, "group", 4, "00.010")]), ["1", "2"]);
    assert_eq!(acts(&[row(1, "group", 4, "00.000"), row(2, "owner", 4, "01.000")]), ["1", "2"]);
}

#[test]
fn odd_rows_say_something_in_the_vendors_words_and_never_more() {
    let told = |json: Value| what(&serde_json::from_value(json).unwrap(), &cast());
    assert_eq!(
        told(json!({ "type": "removed", "attribute": "tag", "value_from": "vip" })),
        What::Tags { added: vec![], removed: vec!["vip".into()] }
    );
    assert_eq!(told(json!({ "type": "merged_into", "id_to": 7 })), What::Merged { into: Some("7".into()) });
    assert_eq!(told(json!({ "type": "merged_into" })), What::Merged { into: None });
    assert_eq!(told(json!({ "type": "updated", "attribute": "title" })), What::Other("title".into()));
    assert_eq!(told(json!({ "type": "updated", "attribute": "refund_eur" })), What::Field { id: "refund_eur".into() });
    assert_eq!(
        told(json!({ "type": "updated", "attribute": "state", "id_to": 99 })),
        What::Status { from: None, to: None }
    );
    assert_eq!(told(json!({})), What::Other("change".into()));
    assert_eq!(told(json!({ "type": "x".repeat(500) })), What::Other("x".repeat(100)));
}
