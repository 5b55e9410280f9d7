//! What `check --online` finds, and whether a ticket may be changed.

use crate::stage::Account;
use crate::stage::rights::{self, bad, names, names_among_others};
use handoffd_kit::desk::Severity;
use handoffd_sandbox::people::{Person, Reach};
use handoffd_sandbox::seed;

fn with_bot(act: impl Fn(&mut Person)) -> Account {
    Account::new().with_bot(act)
}

#[test]
fn a_good_token_has_nothing_to_complain_about_and_nothing_changes() {
    rights::a_good_login_is_fine(Account::new());
}

#[test]
fn each_missing_right_is_named_with_what_to_do() {
    let out_of_billing = with_bot(|_| {});
    out_of_billing.stage.sandbox.with(|desk| {
        let bot = desk.find_person(seed::BOT).unwrap().no;
        let billing = desk.queues.values_mut().find(|queue| queue.name == "Billing").unwrap();
        billing.members.remove(&bot);
    });
    // One whose access shows at all: Zammad leaves out what comes through a role.
    assert_eq!(bad(&out_of_billing), []);
    names(&with_bot(|bot| bot.rights.admin = false), Severity::Error, "may not list groups");
    names(&with_bot(|bot| bot.rights.changes = Reach::Nothing), Severity::Error, "may not change tickets");
    names(&with_bot(|bot| bot.rights.sees = Reach::Nothing), Severity::Warning, "our account sees none");
    for (path, status, severity, words) in [
        ("/ticket_history/1", 403, Severity::Warning, "The history cannot be read"),
        ("/ticket_history/1", 404, Severity::Warning, "The history cannot be read"),
        ("/tags", 403, Severity::Warning, "Tags cannot be read"),
        ("/by_ticket/1", 403, Severity::Error, "Not authorized"),
        ("/tickets/search", 422, Severity::Error, "Not authorized"),
        ("/ticket_states", 403, Severity::Error, "Not authorized"),
    ] {
        names_among_others(&Account::refusing(path, status, r#"{"error":"Not authorized"}"#), severity, words);
    }
}

#[test]
fn a_wrong_token_is_a_finding_and_an_outage_an_error() {
    rights::a_refused_login_is_named(&Account::with_token("another-token"), "access token");
    let off = Account::refusing("/users/me", 403, r#"{"error":"Authentication required"}"#);
    rights::a_refused_login_is_named(&off, "Token Access");
    let (down, silent) = (Account::refusing("/users/me", 503, ""), Account::refusing("/users/me", 200, "{}"));
    rights::an_outage_is_an_error(&down, &silent);
}

#[test]
fn an_empty_desk_says_that_rights_were_not_tried() {
    rights::an_empty_desk_says_that_rights_were_not_tried(&Account::new(), "no ticket yet");
}

#[test]
fn one_tickets_right_is_tried_without_changing_it() {
    rights::one_tickets_right_is_tried_without_changing_it(Account::new);
}
