//! What `check --online` finds.

use crate::stage::Account;
use crate::stage::rights::{self, bad, names, names_among_others};
use handoffd_kit::desk::Severity;
use handoffd_sandbox::people::{Person, Reach};

fn with_bot(act: impl Fn(&mut Person)) -> Account {
    Account::new().with_bot(act)
}

#[test]
fn a_good_login_has_nothing_to_complain_about_and_nothing_changes() {
    rights::a_good_login_is_fine(Account::new());
}

#[test]
fn each_missing_right_is_named_with_what_to_do() {
    names(&with_bot(|bot| bot.rights.admin = false), Severity::Warning, "custom statuses stay unknown");
    let changes = with_bot(|bot| bot.rights.changes = Reach::Nothing);
    for words in ["may not change tickets", "may not add notes"] {
        names_among_others(&changes, Severity::Error, words);
    }
    let scoped = bad(&with_bot(|bot| bot.rights.sees = Reach::Nothing));
    assert!(scoped.iter().any(|finding| finding.what.contains("sees only some tickets")), "{scoped:?}");
    for (path, severity, words) in [
        ("/agents", Severity::Warning, "who is one stays unknown"),
        ("/groups", Severity::Error, "access_denied"),
        ("/conversations", Severity::Error, "access_denied"),
        ("/contacts/*", Severity::Warning, "Customers cannot be read"),
        ("/companies/*", Severity::Warning, "Companies cannot be read"),
        ("PUT /tickets/*", Severity::Error, "may not change tickets"),
        ("/notes", Severity::Error, "may not add notes"),
    ] {
        let account = Account::refusing(path, 403, r#"{"code":"access_denied","message":"No."}"#);
        names_among_others(&account, severity, words);
        assert_eq!(bad(&account).len(), 1, "{path}: and nothing else");
    }
}

#[test]
fn nothing_that_a_customer_could_read_is_sent_to_try_a_right() {
    let account = Account::new();
    account.ticket();
    account.asked();
    assert_eq!(bad(&account), []);
    assert!(!account.asked().iter().any(|one| one.ends_with("/reply")));
}

#[test]
fn a_trial_that_freshdesk_takes_is_told() {
    for path in ["PUT /tickets/*", "/notes"] {
        names_among_others(&Account::refusing(path, 200, "{}"), Severity::Warning, "took what it should refuse");
    }
}

#[test]
fn a_customer_who_is_no_contact_is_no_missing_right() {
    let account = Account::refusing("/contacts/*", 404, "");
    account.ticket();
    assert_eq!(bad(&account), []);
}

#[test]
fn a_wrong_key_is_a_finding_and_an_outage_an_error() {
    rights::a_refused_login_is_named(&Account::with_key("another-key"), "API key");
    let (down, silent) = (Account::refusing("/agents/me", 503, ""), Account::refusing("/agents/me", 200, "{}"));
    rights::an_outage_is_an_error(&down, &silent);
}

#[test]
fn an_empty_desk_says_that_rights_were_not_tried() {
    rights::an_empty_desk_says_that_rights_were_not_tried(&Account::new(), "no ticket yet");
}
