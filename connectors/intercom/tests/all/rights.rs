//! What `check --online` finds, and whether a conversation may be changed.

use crate::stage::Account;
use crate::stage::rights::{self, bad, names_among_others};
use handoffd_kit::desk::Severity;
use handoffd_sandbox::people::{Person, Reach};

fn with_bot(act: impl Fn(&mut Person)) -> Account {
    Account::new().with_bot(act)
}

const FORBIDDEN: &str =
    r#"{"type":"error.list","errors":[{"code":"forbidden","message":"You do not have the required scope"}]}"#;

#[test]
fn a_good_token_has_nothing_to_complain_about_and_nothing_changes() {
    rights::a_good_login_is_fine(Account::new());
}

#[test]
fn each_missing_permission_is_named_with_what_to_do() {
    let changes = with_bot(|bot| bot.rights.changes = Reach::Nothing);
    for words in ["may not change", "may not write notes and comments", "may not put tags on"] {
        names_among_others(&changes, Severity::Error, words);
    }
    names_among_others(&changes, Severity::Warning, "may not write tags");
    let errors: Vec<_> = bad(&changes).into_iter().filter(|one| one.severity == Severity::Error).collect();
    assert!(errors.iter().all(|one| one.next_step.contains("Permissions")), "{errors:?}");
    let lists = with_bot(|bot| bot.rights.admin = false);
    names_among_others(&lists, Severity::Error, "may not list teams");
    names_among_others(&lists, Severity::Warning, "may not list teammates");
    for (path, severity, words) in [
        ("/conversations/search", Severity::Error, "required scope"),
        ("/conversations/1", Severity::Error, "required scope"),
        ("GET /tags", Severity::Warning, "tags cannot be listed"),
        ("/contacts/*", Severity::Warning, "People cannot be read"),
        ("/companies/*", Severity::Warning, "Companies cannot be read"),
        ("/parts", Severity::Error, "may not change conversations"),
        ("/reply", Severity::Error, "may not write notes and comments"),
        ("POST /1/tags", Severity::Error, "may not put tags on conversations"),
    ] {
        let account = Account::refusing(path, 403, FORBIDDEN);
        names_among_others(&account, severity, words);
        assert_eq!(bad(&account).len(), 1, "{path}: and nothing else");
    }
    // The path of a conversation's tags ends alike.
    names_among_others(&Account::refusing("POST /tags", 403, FORBIDDEN), Severity::Warning, "may not write tags");
}

#[test]
fn a_trial_that_intercom_takes_is_told() {
    for (path, words) in [("/parts", "took an assignment"), ("/reply", "took what"), ("POST /1/tags", "took what")] {
        names_among_others(&Account::refusing(path, 200, "{}"), Severity::Warning, words);
    }
    names_among_others(&Account::refusing("POST /tags", 200, "{}"), Severity::Warning, "without a name");
}

#[test]
fn a_customer_who_is_gone_is_no_missing_permission() {
    let gone = r#"{"type":"error.list","errors":[{"code":"not_found","message":"User Not Found"}]}"#;
    let account = Account::refusing("/contacts/*", 404, gone);
    account.ticket();
    assert_eq!(bad(&account), []);
}

#[test]
fn a_wrong_token_is_a_finding_and_an_outage_an_error() {
    rights::a_refused_login_is_named(&Account::with_token("another-token"), "region");
    rights::an_outage_is_an_error(&Account::refusing("/me", 503, ""), &Account::refusing("/me", 200, "{}"));
    let elsewhere = Account::refusing("/me", 200, r#"{"id":"7","name":"h","app":{"id_code":"a","region":"US"}}"#);
    assert!(bad(&elsewhere)[0].next_step.contains("https://api.intercom.io"));
}

#[test]
fn an_empty_workspace_says_that_rights_were_not_tried() {
    rights::an_empty_desk_says_that_rights_were_not_tried(&Account::new(), "no conversation yet");
}

#[test]
fn one_conversations_right_is_tried_without_changing_it() {
    rights::one_tickets_right_is_tried_without_changing_it(Account::new);
}
