//! What `check --online` finds on a scripted account.

use crate::common::{Account, raw};
use handoffd_kit::desk::{Desk, Finding, Severity};
use handoffd_kit::error::DeskErrorKind;
use serde_json::{Value, json};

const EXPORT: &str = "/api/v2/incremental/tickets/cursor";

/// An account where everything is as it should be.
fn account() -> Account {
    let account = Account::new();
    account.on("GET", EXPORT, 200, json!({ "tickets": [], "after_cursor": "c", "end_of_stream": true }));
    account.on("GET", "/api/v2/tickets", 200, json!({ "tickets": [{ "id": 35436 }], "meta": { "has_more": false } }));
    let conflict = json!({ "error": "UpdateConflict", "description": "Safe Update prevented the update" });
    account.on("PUT", "/api/v2/tickets/35436", 409, conflict);
    account
}

fn bad(account: &Account) -> Vec<Finding> {
    let findings = account.run(account.desk.check(&[])).unwrap();
    findings.into_iter().filter(|finding| finding.severity != Severity::Fine).collect()
}

#[test]
fn a_good_login_has_nothing_to_complain_about_and_the_try_to_write_cannot_write() {
    let account = account();
    assert_eq!(bad(&account), []);
    let puts: Vec<Value> =
        account.sent().into_iter().filter(|sent| sent.method == "PUT").map(|sent| sent.body).collect();
    let nothing = json!({ "ticket": { "safe_update": true, "updated_stamp": "1970-01-01T00:00:00Z" } });
    assert_eq!(puts, [nothing], "it changes nothing, and under a stamp that no ticket has");
}

#[test]
fn each_missing_right_is_named_with_what_to_do() {
    let forbidden = json!({ "error": "Forbidden" });
    for (method, path, severity) in [
        ("GET", EXPORT, Severity::Warning),
        ("GET", "/api/v2/tickets/35436/audits", Severity::Warning),
        ("GET", "/api/v2/tickets/35436/slas/policy_metrics.json", Severity::Warning),
        ("GET", "/api/v2/groups", Severity::Error),
        ("GET", "/api/v2/tickets", Severity::Error),
        ("PUT", "/api/v2/tickets/35436", Severity::Error),
    ] {
        let account = account();
        account.on(method, path, 403, forbidden.clone());
        let found = bad(&account);
        assert_eq!(found.len(), 1, "{method} {path}: {found:?}");
        assert_eq!(found[0].severity, severity, "{method} {path}");
        assert!(!found[0].next_step.is_empty());
    }
}

#[test]
fn only_the_refusal_as_outdated_proves_that_tickets_can_be_changed() {
    let closed = json!({ "error": "RecordInvalid", "description": "Record validation errors",
        "details": { "status": [{ "description": "Status: closed prevents ticket update" }] } });
    for (status, body) in [
        (400, json!({ "error": "BadRequest" })),
        (404, json!({ "error": "InvalidEndpoint", "description": "Not found" })),
        (404, json!({ "error": "RecordNotFound", "description": "Not found" })),
        (422, closed),
        (422, json!({ "error": "RecordInvalid", "description": "Record validation errors" })),
    ] {
        let account = account();
        account.on("PUT", "/api/v2/tickets/35436", status, body.clone());
        let findings = account.run(account.desk.check(&[])).unwrap();
        assert!(!findings.iter().any(|finding| finding.what.contains("can be changed")), "{status} {body}");
        let unknown: Vec<_> = findings.iter().filter(|finding| finding.what.contains("is not known")).collect();
        assert_eq!(unknown.len(), 1, "{status} {body}: {findings:?}");
        assert_eq!(unknown[0].severity, Severity::Warning);
    }
    let careless = account();
    careless.on("PUT", "/api/v2/tickets/35436", 200, crate::common::updated(false));
    let found = bad(&careless);
    assert!(found.len() == 1 && found[0].what.contains("not to compare versions"), "{found:?}");
}

#[test]
fn the_right_to_change_is_tried_on_a_ticket_that_takes_changes() {
    let account = account();
    let tickets = json!([{ "id": 7, "status": "closed" }, { "id": 35436, "status": "solved" }]);
    account.on("GET", "/api/v2/tickets", 200, json!({ "tickets": tickets, "meta": { "has_more": false } }));
    assert_eq!(bad(&account), []);
}

#[test]
fn a_misspelt_scope_is_found() {
    let account = account();
    let scopes = json!({ "token": { "scopes": ["reed", "tickets:write"] } });
    account.on("GET", "/api/v2/oauth/tokens/current.json", 200, scopes);
    let found = bad(&account);
    assert!(found.iter().any(|finding| finding.what.contains("reed")), "{found:?}");
}

#[test]
fn an_api_token_works_and_is_warned_of_its_end() {
    let account = Account::legacy();
    account.on("GET", EXPORT, 200, json!({ "tickets": [], "after_cursor": "c", "end_of_stream": true }));
    account.on("GET", "/api/v2/tickets", 200, json!({ "tickets": [] }));
    let found = bad(&account);
    assert!(found.iter().any(|finding| finding.what.contains("API token")), "{found:?}");
    assert!(found.iter().all(|finding| finding.severity == Severity::Warning), "{found:?}");
}

#[test]
fn a_desk_that_is_down_is_said_to_be_down_and_not_to_refuse_the_login() {
    let account = account();
    account.when(|_| Some(raw(503, &[], "<html>Down</html>")));
    let error = account.run(account.desk.check(&[])).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Unavailable);
}

#[test]
fn the_directory_names_groups_people_and_fields() {
    let account = account();
    account.on(
        "GET",
        "/api/v2/group_memberships/assignable",
        200,
        json!({
        "group_memberships": [{ "user_id": 235323, "group_id": 98700 }, { "user_id": 5246746, "group_id": 98700 }] }),
    );
    account.on("GET", "/api/v2/ticket_fields", 200, json!({ "ticket_fields": [{ "id": 360001 }, { "id": 360002 }] }));
    account.on("GET", "/api/v2/user_fields", 200, json!({ "user_fields": [{ "id": 1, "key": "plan" }] }));
    account.on("GET", "/api/v2/organization_fields", 404, json!({ "error": "InvalidEndpoint" }));
    let directory = account.run(account.desk.directory()).unwrap();
    let names: Vec<_> = directory.queues.iter().filter_map(|queue| queue.name.as_deref()).collect();
    assert_eq!(names, ["Support", "Billing"]);
    assert_eq!(directory.fields, ["360001", "360002", "plan"]);
    assert!(directory.people.iter().any(|person| person.email.as_deref() == Some("agent@acme.example")));
}
