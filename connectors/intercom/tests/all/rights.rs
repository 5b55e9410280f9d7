//! What `check --online` finds, and whether a conversation may be changed.

use crate::stage::{Account, answer, id};
use handoffd_kit::conformance::Stage;
use handoffd_kit::desk::{Desk, Finding, QueueSpec, Severity};
use handoffd_kit::error::DeskErrorKind;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::people::{Person, Reach};
use jiff::Timestamp;

fn bad(account: &Account) -> Vec<Finding> {
    account.complaints(&[QueueSpec::Name("Billing".into())])
}

fn with_bot(act: impl Fn(&mut Person)) -> Account {
    Account::new().with_bot(act)
}

const FORBIDDEN: &str =
    r#"{"type":"error.list","errors":[{"code":"forbidden","message":"You do not have the required scope"}]}"#;

#[test]
fn a_good_token_has_nothing_to_complain_about_and_nothing_changes() {
    let account = with_bot(|_| {});
    let before = account.stage.sandbox.journal().effects.len();
    assert_eq!(bad(&account), []);
    assert_eq!(account.stage.sandbox.journal().effects.len(), before);
}

#[test]
fn each_missing_permission_is_named_with_what_to_do() {
    let changes = with_bot(|bot| bot.rights.changes = Reach::Nothing);
    let found = bad(&changes);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{found:?}");
    assert!(found[0].what.contains("may not change") && found[0].next_step.contains("Permissions"), "{found:?}");
    let lists = bad(&with_bot(|bot| bot.rights.admin = false));
    let has = |severity, words: &str| lists.iter().any(|one| one.severity == severity && one.what.contains(words));
    assert!(
        has(Severity::Error, "may not list teams") && has(Severity::Warning, "may not list teammates"),
        "{lists:?}"
    );
    for (path, severity, words) in [
        ("/conversations/search", Severity::Error, "required scope"),
        ("/conversations/1", Severity::Error, "required scope"),
        ("/tags", Severity::Warning, "tags cannot be listed"),
    ] {
        let account = Account::refusing(path, 403, FORBIDDEN);
        account.ticket();
        let found = bad(&account);
        let named =
            found.iter().any(|one| one.severity == severity && one.what.contains(words) && !one.next_step.is_empty());
        assert!(named, "{path}: {found:?}");
    }
}

#[test]
fn a_wrong_token_is_a_finding_and_an_outage_an_error() {
    let found = bad(&Account::with_token("another-token"));
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].what.contains("unauthorized") && found[0].next_step.contains("region"), "{found:?}");
    let down = Account::refusing("/me", 503, "");
    assert_eq!(down.run(down.desk.check(&[])).unwrap_err().kind, DeskErrorKind::Unavailable);
    let silent = Account::refusing("/me", 200, "{}");
    assert_eq!(bad(&silent).len(), 1, "an answer that does not say who we are");
    let elsewhere = Account::refusing("/me", 200, r#"{"id":"7","name":"h","app":{"id_code":"a","region":"US"}}"#);
    assert!(bad(&elsewhere)[0].next_step.contains("https://api.intercom.io"));
}

#[test]
fn an_empty_workspace_says_that_rights_were_not_tried() {
    let found = bad(&Account::new());
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{found:?}");
    assert!(found[0].what.contains("no conversation yet"));
}

#[test]
fn one_conversations_right_is_tried_without_changing_it() {
    let may =
        |account: &Account, ticket: &str| account.run(account.desk.may_write(&ticket.into(), Timestamp::MAX)).unwrap();
    let account = with_bot(|_| {});
    let before = account.stage.sandbox.journal().effects.len();
    assert_eq!((may(&account, "1"), may(&account, "99999"), may(&account, "x")), (Some(true), None, None));
    assert_eq!(account.stage.sandbox.journal().effects.len(), before);
    assert_eq!(may(&with_bot(|bot| bot.rights.changes = Reach::Nothing), "1"), Some(false));
    account.stage.wire().fault_all(answer(503, String::new()));
    assert!(account.run(account.desk.may_write(&id(TicketNo(1)), Timestamp::MAX)).is_err());
}
