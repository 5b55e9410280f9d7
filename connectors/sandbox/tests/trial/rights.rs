//! What `check --online` finds on every vendor alike, and whether a ticket may be changed.

use super::{Account, answer, id};
use handoffd_kit::conformance::Stage;
use handoffd_kit::desk::{Desk, Finding, QueueSpec, Severity};
use handoffd_kit::error::DeskErrorKind;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::people::Reach;
use jiff::Timestamp;

/// What is not as it should be on a desk that hands off to Billing.
pub fn bad<D: Desk>(account: &Account<D>) -> Vec<Finding> {
    account.complaints(&[QueueSpec::Name("Billing".into())])
}

/// A login with every right has nothing to complain about, and nothing changes.
pub fn a_good_login_is_fine<D: Desk>(account: Account<D>) {
    let account = account.with_bot(|_| {});
    let before = account.stage.sandbox.journal().effects.len();
    assert_eq!(bad(&account), []);
    assert_eq!(account.stage.sandbox.journal().effects.len(), before);
}

/// One finding, of this severity, with these words and a next step.
pub fn names<D: Desk>(account: &Account<D>, severity: Severity, words: &str) {
    let found = bad(account);
    let [one] = &found[..] else { panic!("{words}: {found:?}") };
    assert_eq!(one.severity, severity, "{words}");
    assert!(one.what.contains(words) && !one.next_step.is_empty(), "{found:?}");
}

/// Among the findings of a desk with a ticket there is one of this severity, with these words and a next step.
pub fn names_among_others<D: Desk>(account: &Account<D>, severity: Severity, words: &str) {
    account.ticket();
    let found = bad(account);
    let is_it = |one: &Finding| one.severity == severity && one.what.contains(words) && !one.next_step.is_empty();
    assert!(found.iter().any(is_it), "{words}: {found:?}");
}

/// A login that the desk refuses is a finding that says where to get a better one.
pub fn a_refused_login_is_named<D: Desk>(refused: &Account<D>, remedy: &str) {
    let found = bad(refused);
    let [one] = &found[..] else { panic!("{found:?}") };
    assert_eq!(one.severity, Severity::Error);
    assert!(one.what.contains("unauthorized") && one.next_step.contains(remedy), "{found:?}");
}

/// A desk that is down is an error and no finding; one that does not say who we are is a finding.
pub fn an_outage_is_an_error<D: Desk>(down: &Account<D>, silent: &Account<D>) {
    assert_eq!(down.run(down.desk.check(&[])).unwrap_err().kind, DeskErrorKind::Unavailable);
    assert_eq!(bad(silent).len(), 1, "an answer that does not say who we are");
}

/// A desk on which nothing can be tried says so, in these words.
pub fn an_empty_desk_says_that_rights_were_not_tried<D: Desk>(account: &Account<D>, words: &str) {
    let found = bad(account);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{found:?}");
    assert!(found[0].what.contains(words));
}

/// Whether one ticket may be changed is found out without changing it.
pub fn one_tickets_right_is_tried_without_changing_it<D: Desk>(make: impl Fn() -> Account<D>) {
    let may = |account: &Account<D>, ticket: &str| {
        account.run(account.desk.may_write(&ticket.into(), Timestamp::MAX)).unwrap()
    };
    let account = make().with_bot(|_| {});
    let before = account.stage.sandbox.journal().effects.len();
    assert_eq!((may(&account, "1"), may(&account, "99999"), may(&account, "x")), (Some(true), None, None));
    assert_eq!(account.stage.sandbox.journal().effects.len(), before);
    assert_eq!(may(&make().with_bot(|bot| bot.rights.changes = Reach::Nothing), "1"), Some(false));
    account.stage.wire().fault_all(answer(503, String::new()));
    assert!(account.run(account.desk.may_write(&id(TicketNo(1)), Timestamp::MAX)).is_err());
}
