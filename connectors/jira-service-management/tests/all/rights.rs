//! What `check --online` finds, and whether a ticket may be changed.

use crate::stage::Account;
use crate::stage::rights::{self, bad, names, names_among_others};
use handoffd_kit::conformance::Stage;
use handoffd_kit::desk::Severity;
use handoffd_sandbox::people::{Person, Reach, Role};
use serde_json::Value;
use std::sync::Arc;

fn with_bot(act: impl Fn(&mut Person)) -> Account {
    Account::new().with_bot(act)
}

#[test]
fn a_good_account_has_nothing_to_complain_about_and_nothing_changes() {
    rights::a_good_login_is_fine(Account::new());
}

#[test]
fn each_missing_right_is_named_with_what_to_do() {
    names(&with_bot(|bot| bot.rights.changes = Reach::Nothing), Severity::Error, "Edit issues, Assign issues");
    names(&with_bot(|bot| bot.rights.sees = Reach::Nothing), Severity::Warning, "our account sees none");
    names(&with_bot(|bot| bot.zone = "Atlantis/Capital".into()), Severity::Error, "time zone");
    let no_agent = bad(&with_bot(|bot| bot.role = Role::Customer));
    let public = no_agent.iter().filter(|one| one.what.contains("would come out public"));
    assert_eq!(
        public.filter(|one| one.severity == Severity::Error).count(),
        2,
        "as an account and in the project: {no_agent:?}"
    );
    let words = r#"{"errorMessages":["No such permission"],"errors":{}}"#;
    let unseen = r#"{"errorMessages":["No project could be found with key 'HELP'."],"errors":{}}"#;
    for (path, status, severity, named) in [
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
        let body = if status == 404 { unseen } else { words };
        names_among_others(&Account::refusing(path, status, body), severity, named);
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
    rights::a_refused_login_is_named(&Account::with_token("another-token"), "API token");
    let (down, silent) = (Account::refusing("/myself", 503, ""), Account::refusing("/myself", 200, "{}"));
    rights::an_outage_is_an_error(&down, &silent);
}

#[test]
fn an_empty_desk_says_that_rights_were_not_tried() {
    rights::an_empty_desk_says_that_rights_were_not_tried(&Account::new(), "no ticket yet");
}

#[test]
fn one_tickets_right_is_asked_for_without_changing_it() {
    rights::one_tickets_right_is_tried_without_changing_it(Account::new);
}
