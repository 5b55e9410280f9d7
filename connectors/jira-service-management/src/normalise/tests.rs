//! Issues, people and clocks as the sheet shows them, and with pieces missing.

use super::*;
use handoffd_kit::fact::Fact::{Known, Unknown};
use handoffd_kit::model::{Priority, Status};
use serde_json::json;

fn read(edit: impl Fn(&mut Value)) -> Option<TicketHead> {
    let mut raw: Value = serde_json::from_str(include_str!("../../fixtures/issue.json")).unwrap();
    edit(&mut raw);
    let setup = setup::fixture();
    let site: Url = "https://acme.atlassian.net/".parse().unwrap();
    let projects = ["HELP".to_owned()];
    head(&raw, &Names { setup: &setup, us: Some("557058:5"), projects: &projects, site: Some(&site) })
}

fn with(field: &str, value: Value) -> TicketHead {
    read(|raw| raw["fields"][field] = value.clone()).unwrap()
}

#[test]
fn an_issue_reads_as_its_people_see_it() {
    let head = read(|_| {}).unwrap();
    assert_eq!((head.id.as_str(), head.version.as_str()), ("10412", "2026-09-01T09:20:11.456+0000"));
    assert_eq!(head.subject, Known("Export fails with error 500".into()));
    assert_eq!(head.text, Known("The export of May fails.\nError 500.".into()));
    assert_eq!((head.status.clone(), head.priority.clone()), (Known(Status::Open), Known(Some(Priority::High))));
    assert_eq!((head.channel.clone(), head.machine_mail.clone()), (Known("web".into()), Known(false)));
    assert_eq!(head.reply_reaches_customer, Known(true));
    assert_eq!(
        (head.requester.clone(), head.organization.clone()),
        (Known(Some("qm:1:abc".into())), Known(Some("7".into())))
    );
    let queue = QueueRef { id: "Tier 2".into(), name: Some("Tier 2".into()) };
    assert_eq!(head.queue, Known(Some(queue)));
    let owner = head.owner.known().unwrap().clone().unwrap();
    assert_eq!((owner.id.as_str(), owner.name.as_deref(), owner.role), ("557058:2", Some("Lee"), Role::Agent));
    assert_eq!(head.created_at, Known("2026-09-01T08:15:00.123Z".parse().unwrap()));
    assert_eq!(head.link.as_deref(), Some("https://acme.atlassian.net/browse/HELP-812"));
    let fields = json!({ "customfield_10061": "restarted", "customfield_10062": 750.0, "customfield_10063": "Gold" });
    assert_eq!(serde_json::to_value(&head.fields).unwrap(), fields);
    assert_eq!((head.ending, head.kind), (None, Known(Some("Service Request".into()))));
}

#[test]
fn an_issue_and_its_clocks_as_documented() {
    let mut head = read(|_| {}).unwrap();
    // The answer itself is kept, to compare with; what is read of it is what counts here.
    head.raw = "".into();
    insta::assert_json_snapshot!("head", head);
    let sent: wire::Clocks = serde_json::from_str(include_str!("../../fixtures/sla.json")).unwrap();
    insta::assert_json_snapshot!("clocks", clocks(sent.values.get().unwrap()));
}

#[test]
fn what_is_missing_is_unknown_and_null_is_none() {
    let bare = read(|raw| raw["fields"] = json!({})).unwrap();
    let facts =
        [bare.subject.is_unknown(), bare.text.is_unknown(), bare.status.is_unknown(), bare.priority.is_unknown()];
    assert_eq!(facts, [true; 4]);
    assert!(
        bare.queue.is_unknown() && bare.owner.is_unknown() && bare.tags.is_unknown() && bare.requester.is_unknown()
    );
    assert!(bare.organization.is_unknown() && bare.reply_reaches_customer.is_unknown() && bare.updated_at.is_unknown());
    assert_eq!((bare.version.as_str(), bare.fields.len(), bare.ending), ("", 0, None));
    for field in ["assignee", "priority", "customfield_10050", "reporter"] {
        let head = with(field, Value::Null);
        let none = [
            head.owner == Known(None),
            head.priority == Known(None),
            head.queue == Known(None),
            head.requester == Known(None),
        ];
        assert_eq!(none.iter().filter(|none| **none).count(), 1, "{field}");
    }
    assert_eq!(with("customfield_10010", Value::Null).reply_reaches_customer, Known(false), "no request, no customer");
    assert_eq!(with("customfield_10002", json!([])).organization, Known(None));
    assert_eq!(
        with("customfield_10002", json!([{ "id": "7" }, { "id": "8" }])).organization,
        Unknown,
        "which of them?"
    );
    assert!(read(|raw| raw["properties"] = json!({})).unwrap().channel.is_unknown());
    assert!(read(|raw| raw["id"] = json!("HELP-1")).is_none() && read(|raw| *raw = json!([17])).is_none());
}

#[test]
fn a_stamp_that_is_no_time_is_no_version() {
    for odd in [json!("soon"), json!(7), json!({})] {
        let head = with("updated", odd.clone());
        assert_eq!((head.version.as_str(), head.updated_at), ("", Unknown), "{odd}");
    }
}

#[test]
fn archived_moved_and_duplicate_issues_have_ended() {
    assert_eq!(with("archiveddate", json!("2026-09-01T08:15:00.123+0000")).ending, Some(Ending::Archived));
    assert_eq!(with("archiveddate", Value::Null).ending, None);
    assert_eq!(with("project", json!({ "key": "OPS" })).ending, Some(Ending::Deleted), "in a project that is not ours");
    let duplicate = |kind: &str, resolution: &str| {
        read(|raw| {
            raw["fields"]["resolution"] = json!({ "name": resolution });
            raw["fields"]["issuelinks"] = json!([
                { "type": { "name": "Blocks", "outward": "blocks" }, "outwardIssue": { "id": "1" } },
                { "type": { "name": kind, "outward": "duplicates" }, "outwardIssue": { "id": "10400", "key": "HELP-800" } },
            ]);
        })
        .unwrap()
        .ending
    };
    assert_eq!(duplicate("Duplicate", "Duplicate"), Some(Ending::Merged { into: Some("10400".into()) }));
    assert_eq!((duplicate("Duplicate", "Done"), duplicate("Relates", "Duplicate")), (None, None));
}

#[test]
fn whoever_reported_it_asks_and_hides_what_they_like() {
    let user = |json: Value| serde_json::from_value::<User>(json).unwrap();
    let licensed = json!({ "accountId": "557058:7", "accountType": "atlassian", "displayName": "Robin", "locale": "pt_BR", "timeZone": "Europe/Berlin" });
    let robin = customer(&user(licensed.clone()), Some("557058:5"), Known(None)).unwrap();
    assert_eq!(
        (robin.person.role, robin.language, robin.zone),
        (Role::Customer, Known(Some("pt-BR".into())), Known(Some("Europe/Berlin".into())))
    );
    let dana = customer(&user(json!({ "accountId": "qm:1:abc" })), None, Unknown).unwrap();
    assert_eq!((dana.person.email, dana.language, dana.zone), (None, Unknown, Unknown));
    assert_eq!(customer(&user(licensed), Some("557058:7"), Unknown).unwrap().person.role, Role::Us);
    assert!(customer(&User::default(), None, Unknown).is_none());
}

#[test]
fn only_the_customers_own_tickets_count_newest_first() {
    let issue = |id: &str, reporter: &str, created: &str| {
        json!({ "id": id, "fields": { "summary": id, "created": created, "reporter": { "accountId": reporter },
            "status": { "statusCategory": { "key": "done" } } } })
    };
    let raws = [
        issue("1", "a", "2026-09-01T08:00:00.000+0000"),
        issue("3", "a", "2026-09-03T08:00:00.000+0000"),
        issue("3", "a", "2026-09-03T08:00:00.000+0000"),
        issue("2", "b", "2026-09-02T08:00:00.000+0000"),
        json!({ "id": "4" }),
        json!(7),
    ];
    let read = contacts(&raws, "a", true, Timestamp::UNIX_EPOCH);
    let ids: Vec<&str> = read.tickets.iter().map(|ticket| ticket.id.as_str()).collect();
    assert_eq!((ids, read.complete, &read.tickets[0].status), (vec!["3", "1"], false, &Known(Status::Solved)));
}

#[test]
fn clocks_run_pause_are_met_and_missed_and_one_that_says_nothing_is_none() {
    let sent: wire::Clocks = serde_json::from_str(include_str!("../../fixtures/sla.json")).unwrap();
    let clock = |name: &str, state, breaches_at| VendorClock { name: name.into(), state, breaches_at };
    let due = Timestamp::from_millisecond(1_788_509_700_123).unwrap();
    let expected = [
        clock("first_reply", ClockState::Met, None),
        clock("resolution", ClockState::Running, Some(due)),
        clock("Time waiting", ClockState::Paused, None),
    ];
    assert_eq!(clocks(sent.values.get().unwrap()), expected);
    let one = |cycle: Value| {
        let clock = json!({ "name": "Time to next response", "ongoingCycle": cycle });
        clocks(&[serde_json::from_value(clock).unwrap()])
            .pop()
            .map(|clock| (clock.name, clock.state, clock.breaches_at))
    };
    let stale = json!({ "breached": false, "paused": true, "breachTime": { "epochMillis": 1_788_509_700_123_i64 } });
    assert_eq!(one(stale), Some(("next_reply".into(), ClockState::Paused, None)), "an instant that stayed behind");
    let missed = json!({ "breached": true, "paused": true });
    assert_eq!(one(missed), Some(("next_reply".into(), ClockState::Breached, None)));
    assert_eq!(
        one(json!({ "breached": false, "paused": false })),
        Some(("next_reply".into(), ClockState::Running, None))
    );
}
