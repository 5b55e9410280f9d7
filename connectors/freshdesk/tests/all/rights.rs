//! What `check --online` finds.

use crate::stage::Account;
use handoffd_kit::desk::{Desk, Finding, QueueSpec, Severity};
use handoffd_kit::error::DeskErrorKind;
use handoffd_sandbox::people::{Person, Reach};

fn bad(account: &Account) -> Vec<Finding> {
    account.complaints(&[])
}

fn with_bot(act: impl Fn(&mut Person)) -> Account {
    Account::new().with_bot(act)
}

#[test]
fn a_good_login_has_nothing_to_complain_about_and_nothing_changes() {
    let account = with_bot(|_| {});
    let before = account.stage.sandbox.journal().effects.len();
    assert_eq!(bad(&account), []);
    assert_eq!(account.stage.sandbox.journal().effects.len(), before);
    let named = account.run(account.desk.check(&[QueueSpec::Name("Billing".into())])).unwrap();
    assert!(named.iter().all(|finding| finding.severity == Severity::Fine), "{named:?}");
}

#[test]
fn each_missing_right_is_named_with_what_to_do() {
    for (account, severity, words) in [
        (with_bot(|bot| bot.rights.admin = false), Severity::Warning, "custom statuses stay unknown"),
        (with_bot(|bot| bot.rights.changes = Reach::Nothing), Severity::Error, "may not change tickets"),
    ] {
        let found = bad(&account);
        assert_eq!(found.len(), 1, "{words}: {found:?}");
        assert_eq!(found[0].severity, severity);
        assert!(found[0].what.contains(words) && !found[0].next_step.is_empty(), "{found:?}");
    }
    let scoped = bad(&with_bot(|bot| bot.rights.sees = Reach::Nothing));
    assert!(scoped.iter().any(|finding| finding.what.contains("sees only some tickets")), "{scoped:?}");
    for (path, severity, words) in [
        ("/agents", Severity::Warning, "who is one stays unknown"),
        ("/groups", Severity::Error, "access_denied"),
        ("/conversations", Severity::Error, "access_denied"),
    ] {
        let account = Account::refusing(path, 403, r#"{"code":"access_denied","message":"No."}"#);
        account.ticket();
        let found = bad(&account);
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        assert!(found[0].severity == severity && found[0].what.contains(words), "{path}: {found:?}");
    }
}

#[test]
fn a_wrong_key_is_a_finding_and_an_outage_an_error() {
    let found = bad(&Account::with_key("another-key"));
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].what.contains("unauthorized") && found[0].next_step.contains("API key"), "{found:?}");
    let down = Account::refusing("/agents/me", 503, "");
    assert_eq!(down.run(down.desk.check(&[])).unwrap_err().kind, DeskErrorKind::Unavailable);
    let silent = Account::refusing("/agents/me", 200, "{}");
    assert_eq!(bad(&silent).len(), 1, "an answer that does not say who we are");
}

#[test]
fn an_empty_desk_says_that_rights_were_not_tried() {
    let found = bad(&Account::new());
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{found:?}");
    assert!(found[0].what.contains("no ticket yet"));
}
