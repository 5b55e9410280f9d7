//! Who is covered by an edit and who is not, entry by entry.

use super::*;

const US: Option<&str> = Some("557058:5");
const TEAM: &str = "customfield_10050";

fn entry(id: u64, by: (&str, &str), items: Value, key: Option<&str>) -> Entry {
    let noted = key.map(|key| json!({ "description": format!("[handoffd {key} r@v]") }));
    let entry = json!({
        "id": id.to_string(), "author": { "accountId": by.0, "accountType": by.1, "displayName": by.0 },
        "created": "2026-09-01T09:20:11.456+0000", "items": items, "historyMetadata": noted,
    });
    serde_json::from_value(entry).unwrap()
}

const BOT: (&str, &str) = ("557058:5", "atlassian");
const LEE: (&str, &str) = ("557058:2", "atlassian");
const RULE: (&str, &str) = ("557058:auto", "app");

fn set(field: &str, from: Value, to: Value) -> Value {
    json!({ "fieldId": field, "from": from, "to": to })
}

fn read() -> Vec<Read> {
    vec![(TEAM.to_owned(), "team", Some(Some("1".to_owned()))), ("assignee".to_owned(), "owner", Some(None))]
}

fn found(entries: &[Entry]) -> Option<Covered> {
    Covered::find(entries, US, "h/2", &read())
}

#[test]
fn what_replaced_what_was_read_covers_nobody() {
    assert_eq!(found(&[]), None, "the history is empty");
    assert_eq!(found(&[entry(1, BOT, json!([set(TEAM, json!("1"), json!("2"))]), Some("h/2"))]), None);
    assert_eq!(
        found(&[entry(1, BOT, json!([set(TEAM, json!("9"), json!("2"))]), Some("h/1"))]),
        None,
        "another write of ours"
    );
    assert_eq!(
        found(&[entry(1, LEE, json!([set(TEAM, json!("9"), json!("2"))]), Some("h/2"))]),
        None,
        "somebody else's entry"
    );
    let unread = vec![(TEAM.to_owned(), "team", None)];
    let entries = [entry(1, BOT, json!([set(TEAM, json!("9"), json!("2"))]), Some("h/2"))];
    assert_eq!(Covered::find(&entries, US, "h/2", &unread), None, "what was not read, nobody has changed");
}

#[test]
fn a_person_who_came_between_is_named_and_all_of_ours_goes_back() {
    let took = entry(1, LEE, json!([set("assignee", json!(null), json!("557058:2"))]), None);
    let ours = json!([set(TEAM, json!("1"), json!("2")), set("assignee", json!("557058:2"), json!(null))]);
    let mut entries = vec![took, entry(2, BOT, ours, Some("h/2"))];
    let covered = found(&entries).unwrap();
    assert_eq!(
        (covered.what().as_str(), covered.who.as_deref(), covered.since.clone()),
        ("owner", Some("557058:2"), None)
    );
    let back = json!({ TEAM: { "id": "1" }, "assignee": { "accountId": "557058:2" } });
    assert_eq!(Value::Object(covered.fields()), back);
    let bare = Covered { bare_team: true, ..covered };
    assert_eq!(bare.fields()[TEAM], json!("1"));
    entries.push(entry(3, RULE, json!([set(TEAM, json!("2"), json!("3"))]), None));
    assert_eq!(found(&entries).unwrap().since, None, "an automation is nobody");
    entries.push(entry(4, LEE, json!([set("labels", json!(null), json!(null))]), None));
    assert_eq!(found(&entries).unwrap().since, None, "something else is no act on ours");
    entries.push(entry(5, LEE, json!([set(TEAM, json!("3"), json!("4"))]), None));
    assert_eq!(found(&entries).unwrap().since.as_deref(), Some("557058:2"));
}

#[test]
fn an_issue_is_compared_by_ids() {
    let wanted = Wanted { owner: Some(None), priority: Some("High".into()), ..Wanted::default() };
    let of = |fields: Value| as_read(&wanted, &serde_json::from_value(json!({ "id": "1", "fields": fields })).unwrap());
    let owner = |was| ("assignee".to_owned(), "owner", was);
    let priority = |was| ("priority".to_owned(), "priority", was);
    let known = json!({ "assignee": { "accountId": "a" }, "priority": { "id": "2", "name": "High" } });
    assert_eq!(of(known), [owner(Some(Some("a".into()))), priority(Some(Some("2".into())))]);
    assert_eq!(of(json!({ "assignee": null, "priority": null })), [owner(Some(None)), priority(Some(None))]);
    assert_eq!(of(json!({})), [owner(None), priority(None)]);
}
