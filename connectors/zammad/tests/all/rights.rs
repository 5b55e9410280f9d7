//! What `check --online` finds, and whether a ticket may be changed.

use crate::stage::{Account, id};
use handoffd_kit::conformance::Stage;
use handoffd_kit::desk::{Desk, Finding, QueueSpec, Severity};
use handoffd_kit::error::DeskErrorKind;
use handoffd_sandbox::people::{Person, Reach};
use handoffd_sandbox::seed;
use jiff::Timestamp;

fn bad(account: &Account) -> Vec<Finding> {
    account.complaints(&[QueueSpec::Name("Billing".into())])
}

fn with_bot(act: impl Fn(&mut Person)) -> Account {
    Account::new().with_bot(act)
}

#[test]
fn a_good_token_has_nothing_to_complain_about_and_nothing_changes() {
    let account = with_bot(|_| {});
    let before = account.stage.sandbox.journal().effects.len();
    assert_eq!(bad(&account), []);
    assert_eq!(account.stage.sandbox.journal().effects.len(), before);
}

#[test]
fn each_missing_right_is_named_with_what_to_do() {
    let out_of_billing = || {
        let account = with_bot(|_| {});
        account.stage.sandbox.with(|desk| {
            let bot = desk.find_person(seed::BOT).unwrap().no;
            let billing = desk.queues.values_mut().find(|queue| queue.name == "Billing").unwrap();
            billing.members.remove(&bot);
        });
        account
    };
    // One whose access shows at all: Zammad leaves out what comes through a role.
    assert_eq!(bad(&out_of_billing()), []);
    for (account, severity, words) in [
        (with_bot(|bot| bot.rights.admin = false), Severity::Error, "may not list groups"),
        (with_bot(|bot| bot.rights.changes = Reach::Nothing), Severity::Error, "may not change tickets"),
        (with_bot(|bot| bot.rights.sees = Reach::Nothing), Severity::Warning, "our account sees none"),
    ] {
        let found = bad(&account);
        assert_eq!(found.len(), 1, "{words}: {found:?}");
        assert_eq!(found[0].severity, severity);
        assert!(found[0].what.contains(words) && !found[0].next_step.is_empty(), "{found:?}");
    }
    for (path, status, severity, words) in [
        ("/ticket_history/1", 403, Severity::Warning, "The history cannot be read"),
        ("/ticket_history/1", 404, Severity::Warning, "The history cannot be read"),
        ("/tags", 403, Severity::Warning, "Tags cannot be read"),
        ("/by_ticket/1", 403, Severity::Error, "Not authorized"),
        ("/tickets/search", 422, Severity::Error, "Not authorized"),
        ("/ticket_states", 403, Severity::Error, "Not authorized"),
    ] {
        let account = Account::refusing(path, status, r#"{"error":"Not authorized"}"#);
        account.ticket();
        let found = bad(&account);
        assert!(found.iter().any(|one| one.severity == severity && one.what.contains(words)), "{path}: {found:?}");
    }
}

#[test]
fn a_wrong_token_is_a_finding_and_an_outage_an_error() {
    let found = bad(&Account::with_token("another-token"));
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].what.contains("unauthorized") && found[0].next_step.contains("access token"), "{found:?}");
    let off = bad(&Account::refusing("/users/me", 403, r#"{"error":"Authentication required"}"#));
    assert!(off[0].what.contains("unauthorized") && off[0].next_step.contains("Token Access"), "{off:?}");
    let down = Account::refusing("/users/me", 503, "");
    assert_eq!(down.run(down.desk.check(&[])).unwrap_err().kind, DeskErrorKind::Unavailable);
    let silent = Account::refusing("/users/me", 200, "{}");
    assert_eq!(bad(&silent).len(), 1, "an answer that does not say who we are");
}

#[test]
fn an_empty_desk_says_that_rights_were_not_tried() {
    let found = bad(&Account::new());
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{found:?}");
    assert!(found[0].what.contains("no ticket yet"));
}

#[test]
fn one_tickets_right_is_tried_without_changing_it() {
    let may =
        |account: &Account, ticket: &str| account.run(account.desk.may_write(&ticket.into(), Timestamp::MAX)).unwrap();
    let account = with_bot(|_| {});
    let before = account.stage.sandbox.journal().effects.len();
    assert_eq!((may(&account, "1"), may(&account, "99999"), may(&account, "x")), (Some(true), None, None));
    assert_eq!(account.stage.sandbox.journal().effects.len(), before);
    assert_eq!(may(&with_bot(|bot| bot.rights.changes = Reach::Nothing), "1"), Some(false));
    account.stage.wire().fault_all(crate::stage::answer(503, String::new()));
    assert!(account.run(account.desk.may_write(&id(handoffd_sandbox::ids::TicketNo(1)), Timestamp::MAX)).is_err());
}
