//! What `check --online` finds, and whether a ticket may be changed.

use crate::stage::{Account, id};
use handoffd_kit::conformance::Stage;
use handoffd_kit::desk::{Desk, Finding, QueueSpec, Severity};
use handoffd_kit::error::DeskErrorKind;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::people::{Person, Reach, Role};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

fn bad(account: &Account) -> Vec<Finding> {
    account.complaints(&[QueueSpec::Name("Billing".into())])
}

fn with_bot(act: impl Fn(&mut Person)) -> Account {
    Account::new().with_bot(act)
}

#[test]
fn a_good_account_has_nothing_to_complain_about_and_nothing_changes() {
    let account = with_bot(|_| {});
    let before = account.stage.sandbox.journal().effects.len();
    assert_eq!(bad(&account), []);
    assert_eq!(account.stage.sandbox.journal().effects.len(), before);
}

#[test]
fn each_missing_right_is_named_with_what_to_do() {
    for (account, severity, words) in [
        (with_bot(|bot| bot.rights.changes = Reach::Nothing), Severity::Error, "Edit issues, Assign issues"),
        (with_bot(|bot| bot.rights.sees = Reach::Nothing), Severity::Warning, "our account sees none"),
        (with_bot(|bot| bot.zone = "Atlantis/Capital".into()), Severity::Error, "time zone"),
    ] {
        let found = bad(&account);
        assert_eq!(found.len(), 1, "{words}: {found:?}");
        assert_eq!(found[0].severity, severity);
        assert!(found[0].what.contains(words) && !found[0].next_step.is_empty(), "{found:?}");
    }
    let no_agent = bad(&with_bot(|bot| bot.role = Role::Customer));
    let public = no_agent.iter().filter(|one| one.what.contains("would come out public"));
    assert_eq!(
        public.filter(|one| one.severity == Severity::Error).count(),
        2,
        "as an account and in the project: {no_agent:?}"
    );
    let words = r#"{"errorMessages":["No such permission"],"errors":{}}"#;
    for (path, status, severity, words_found) in [
        ("/mypermissions", 404, Severity::Error, "sees no project HELP"),
        ("/mypermissions", 400, Severity::Warning, "Jira does not tell"),
        ("/changelog", 404, Severity::Warning, "The history cannot be read"),
        ("/comment", 403, Severity::Error, "No such permission"),
        ("/search/jql", 400, Severity::Error, "No such permission"),
        ("/status", 403, Severity::Error, "No such permission"),
        ("/field", 403, Severity::Error, "No such permission"),
        ("/group/member", 404, Severity::Warning, "Who works in Billing cannot be read"),
        ("/suggestions", 400, Severity::Error, "No such permission"),
    ] {
        let unseen = r#"{"errorMessages":["No project could be found with key 'HELP'."],"errors":{}}"#;
        let account = Account::refusing(path, status, if status == 404 { unseen } else { words });
        account.ticket();
        let found = bad(&account);
        let named = found.iter().any(|one| one.severity == severity && one.what.contains(words_found));
        assert!(named, "{path}: {found:?}");
    }
}

#[test]
fn a_field_that_is_missing_of_another_kind_or_on_no_screen_is_named() {
    let edited = |edit: fn(&mut Value)| {
        let account = with_bot(|_| {});
        account.stage.wire().edit_answers(Arc::new(edit));
        bad(&account)
    };
    let renamed = edited(|answer| {
        for field in answer.as_array_mut().into_iter().flatten() {
            if field["name"] == "Support team" {
                field["name"] = "Squad".into();
            }
        }
    });
    assert!(renamed.iter().any(|one| one.what.contains("sees no field \"Support team\"")), "{renamed:?}");
    let off_screen = edited(|answer| {
        if let Some(fields) = answer.get_mut("fields").and_then(Value::as_object_mut) {
            fields.remove("customfield_10050");
            fields.remove("priority");
        }
    });
    assert!(off_screen.iter().any(|one| one.what.contains("no ticket can be moved to a team")), "{off_screen:?}");
    let stays = edited(|answer| {
        if let Some(own) = answer.pointer_mut("/permissions/DELETE_OWN_COMMENTS/havePermission") {
            *own = false.into();
        }
    });
    assert!(stays.len() == 1 && stays[0].what.contains("would stay there"), "{stays:?}");
    let translated = edited(|answer| {
        for status in answer.as_array_mut().into_iter().flatten() {
            if status.get("statusCategory").is_some() {
                status["name"] = "Wartet".into();
            }
        }
    });
    assert!(translated.iter().any(|one| one.what.contains("no status \"Waiting for customer\"")), "{translated:?}");
}

#[test]
fn a_wrong_token_is_a_finding_and_an_outage_an_error() {
    let found = bad(&Account::with_token("another-token"));
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].what.contains("unauthorized") && found[0].next_step.contains("API token"), "{found:?}");
    let down = Account::refusing("/myself", 503, "");
    assert_eq!(down.run(down.desk.check(&[])).unwrap_err().kind, DeskErrorKind::Unavailable);
    let silent = Account::refusing("/myself", 200, "{}");
    assert_eq!(bad(&silent).len(), 1, "an answer that does not say who we are");
}

#[test]
fn an_empty_desk_says_that_rights_were_not_tried() {
    let found = bad(&Account::new());
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{found:?}");
    assert!(found[0].what.contains("no ticket yet"));
}

#[test]
fn one_tickets_right_is_asked_for_without_changing_it() {
    let may =
        |account: &Account, ticket: &str| account.run(account.desk.may_write(&ticket.into(), Timestamp::MAX)).unwrap();
    let account = with_bot(|_| {});
    let before = account.stage.sandbox.journal().effects.len();
    assert_eq!((may(&account, "1"), may(&account, "99999"), may(&account, "x")), (Some(true), None, None));
    assert_eq!(account.stage.sandbox.journal().effects.len(), before);
    assert_eq!(may(&with_bot(|bot| bot.rights.changes = Reach::Nothing), "1"), Some(false));
    account.stage.wire().fault_all(crate::stage::answer(503, String::new()));
    assert!(account.run(account.desk.may_write(&id(TicketNo(1)), Timestamp::MAX)).is_err());
}
