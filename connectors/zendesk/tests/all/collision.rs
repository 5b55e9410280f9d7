//! Somebody's change in the same second as our update: on a scripted account.

use crate::common::{Account, US, answer, updated, write};
use handoffd_kit::desk::{DecidedOn, Desk, DeskChange, OwnerSpec, QueueSpec, Update, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::InternalText;
use serde_json::{Value, json};

/// A transfer that was decided on a ticket of group 98700 that nobody owned.
fn transfer() -> Write {
    let note = Some(InternalText(format!("Frontline → Billing\n\n{}", crate::common::mark())));
    let owner = Some(OwnerSpec::Nobody);
    let change =
        DeskChange::Update(Update { note, queue: Some(QueueSpec::Id("98738".into())), owner, ..Update::default() });
    let queue = Fact::Known(Some("98700".into()));
    Write { decided_on: Some(DecidedOn { queue, owner: Fact::Known(None), ..DecidedOn::default() }), ..write(change) }
}

/// A change of the assignee in an audit.
fn assigned(id: u64, by: i64, previous: Option<&str>, value: Option<&str>) -> Value {
    json!({ "id": id, "author_id": by, "created_at": "2026-05-03T12:00:01Z", "via": { "channel": "web" }, "events": [
        { "id": id + 1, "type": "Change", "field_name": "assignee_id", "previous_value": previous, "value": value }] })
}

const OURS: u64 = 35_437_000;

/// An account where user 1002 took the ticket in the second of our transfer. Putting that back is answered so.
fn taken_meanwhile(account: &Account, later: &[Value], put_back: (u16, Value)) {
    let mut answered = updated(false);
    answered["ticket"]["assignee_id"] = Value::Null;
    let events = answered["audit"]["events"].as_array_mut().unwrap();
    events.push(
        json!({ "id": 3, "type": "Change", "field_name": "assignee_id", "previous_value": "1002", "value": null }),
    );
    answered["audit"]["created_at"] = json!("2026-05-03T12:00:01Z");
    let mut audits = vec![assigned(OURS - 9, 1002, None, Some("1002")), answered["audit"].clone()];
    audits.extend_from_slice(later);
    account.on("GET", "/api/v2/tickets/35436/audits", 200, json!({ "audits": audits, "meta": { "has_more": false } }));
    account.when(move |sent| {
        let ours = sent.body["ticket"].get("comment").is_some();
        let (status, body) = if ours { (200, &answered) } else { (put_back.0, &put_back.1) };
        (sent.method == "PUT").then(|| answer(status, body))
    });
}

/// The answer to putting back, over what was under it.
fn restored(under: Option<&str>) -> Value {
    let mut answered = updated(false);
    answered["ticket"]["group_id"] = json!(98700);
    answered["ticket"]["assignee_id"] = json!(1002);
    answered["audit"] = assigned(OURS + 9, US, under, Some("1002"));
    answered
}

/// What came of the transfer, and the bodies of what was sent to put theirs back.
fn collides(account: &Account) -> (DeskError, Vec<Value>) {
    let error = account.run(account.desk.apply(&transfer())).unwrap_err();
    let stands = error.words.ends_with("theirs was put back") || error.words.ends_with("that stays");
    let retry = if stands { Retry::Overruled } else { Retry::Applied };
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, retry), "{error}");
    assert!(error.words.contains("Zendesk user 1002 changed the assignee"), "{error}");
    let puts =
        account.sent().into_iter().filter(|sent| sent.method == "PUT").map(|mut sent| sent.body["ticket"].take());
    (error, puts.skip(1).collect())
}

#[test]
fn who_took_the_ticket_in_the_second_of_our_transfer_keeps_it() {
    let account = Account::new();
    taken_meanwhile(&account, &[], (200, restored(None)));
    let (error, back) = collides(&account);
    assert!(error.words.ends_with("theirs was put back"), "{error}");
    let stamp = "2026-05-03T12:00:01Z";
    let whole = json!({ "group_id": 98700, "assignee_id": 1002, "safe_update": true, "updated_stamp": stamp });
    assert_eq!(back, [whole], "as it was before ours, guarded by the version after ours, without our key");
}

#[test]
fn what_somebody_did_after_our_transfer_stays() {
    let account = Account::new();
    taken_meanwhile(&account, &[assigned(OURS + 5, 1003, None, Some("1003"))], (500, Value::Null));
    let (error, back) = collides(&account);
    assert!(error.words.contains("Zendesk user 1003 since: that stays"), "{error}");
    assert_eq!(back, [] as [Value; 0]);
}

#[test]
fn theirs_is_called_put_back_only_where_the_answer_proves_it() {
    let refusal = json!({ "error": "RecordInvalid", "details": { "assignee": [{ "description": "Assignee: no" }] } });
    for (put_back, words) in [
        ((422, refusal), "theirs could not be put back"),
        ((409, json!({ "error": "UpdateConflict" })), "theirs could not be put back"),
        ((500, Value::Null), "whether theirs was put back is not known"),
        ((200, restored(Some("1003"))), "does not prove it"),
        ((200, updated(false)), "does not prove it"),
    ] {
        let account = Account::new();
        taken_meanwhile(&account, &[], put_back);
        let (error, back) = collides(&account);
        assert!(error.words.contains(words), "{error}");
        assert!(error.next_step.unwrap().contains("set the assignee as that person had it"));
        assert_eq!(back.len(), 1);
    }
}

#[test]
fn where_the_history_cannot_be_read_nothing_is_put_back() {
    let account = Account::new();
    taken_meanwhile(&account, &[], (200, restored(None)));
    account.on("GET", "/api/v2/tickets/35436/audits", 403, json!({ "error": "Forbidden" }));
    let error = account.run(account.desk.apply(&transfer())).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Applied));
    assert!(error.words.contains("not put back"), "{error}");
    assert_eq!(account.sent().iter().filter(|sent| sent.method == "PUT").count(), 1);
}

#[test]
fn a_transfer_of_what_it_was_decided_on_reads_no_history() {
    let account = Account::new();
    account.on("PUT", "/api/v2/tickets/35436", 200, updated(false));
    account.run(account.desk.apply(&transfer())).unwrap();
    assert!(account.lines().iter().all(|line| !line.contains("audits")));
}
