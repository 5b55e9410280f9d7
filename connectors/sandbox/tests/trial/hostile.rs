//! Hostile, huge and wrong answers that every connector meets alike; and secrets, which are never shown.

use super::{Account, answer, id, note, shown};
use handoffd_kit::conformance::{Edit, Fault, Stage};
use handoffd_kit::desk::Desk;
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::model::{PartKind, PartSet};
use handoffd_sandbox::ids::TicketNo;
use jiff::Timestamp;

/// The most of one message that is kept, in bytes.
const KEPT: usize = 200 << 10;

/// An answer about another ticket is no answer. `another`: puts the other's id into what is read.
pub fn another_tickets_answer_is_no_answer<D: Desk>(account: &Account<D>, another: impl Fn(TicketNo) -> Edit) {
    let (ticket, other) = (account.ticket(), account.ticket());
    account.head(ticket);
    account.stage.wire().edit_answers(another(other));
    let error = account.run(account.desk.head(&id(ticket), Timestamp::MAX)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::After(None)));
    account.stage.wire().mend();
}

/// A list that holds something else is refused; one in which a ticket stands twice, with a stamp that is none, is not.
pub fn a_list_of_something_else_is_refused<D: Desk>(
    account: &Account<D>,
    stream: &str,
    odd: &[&str],
    twice: impl Fn(TicketNo) -> String,
) {
    let ticket = account.ticket();
    let since = account.clock_now();
    // Who we are, and what the stream needs to know, is read first.
    account.run(account.desk.changed_since(&stream.into(), None, since)).unwrap();
    let poll = |body: String| {
        account.stage.wire().fault_next_read(answer(200, body));
        account.run(account.desk.changed_since(&stream.into(), None, since))
    };
    for odd in odd.iter().chain(&["null", "[[[[", ""]) {
        assert_eq!(poll((*odd).to_owned()).unwrap_err().kind, DeskErrorKind::Protocol, "{odd}");
    }
    let page = poll(twice(ticket)).unwrap();
    assert!(page.changed.iter().all(|one| one.ticket == id(ticket)) && !page.changed.is_empty(), "{page:?}");
}

/// Huge messages are cut, and nesting without an end is an error. `conversations`: answers with one such message each.
pub fn a_huge_message_is_cut<D: Desk>(account: &Account<D>, conversations: impl Fn(TicketNo) -> Vec<String>) {
    let ticket = account.ticket();
    let head = account.head(ticket);
    let wanted = PartSet::of(&[PartKind::Conversation]);
    for body in conversations(ticket) {
        account.stage.wire().fault_next_read(answer(200, body));
        let parts = account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap();
        let message = parts.conversation.unwrap().messages.pop().unwrap();
        assert!(message.said.words().len() <= KEPT, "{}", message.said.words().len());
    }
    account.stage.wire().fault_next_read(answer(200, "[".repeat(200_000)));
    let error = account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Protocol);
}

/// Ids that would lead elsewhere are never sent. `more`: what is none on this vendor besides.
pub fn odd_ids_are_never_sent<D: Desk>(account: &Account<D>, more: &[&str]) {
    account.asked();
    for odd in ["../users", "7/x", "-1", "0", "", "x", "7?full=true", "٧"].iter().chain(more) {
        let error = account.run(account.desk.head(&(*odd).into(), Timestamp::MAX)).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::NotFound, Retry::Never), "{odd}");
    }
    assert!(account.asked().is_empty());
}

/// Neither what we log in with nor a ticket's words stand in an error, however the desk answers a write or whether it does.
pub fn no_error_shows_a_secret_or_a_tickets_words<D: Desk>(account: &Account<D>, secret: &str) {
    const CANARY: &str = "4711-canary";
    let ticket = account.ticket();
    let write = account.write(ticket, note(&format!("The customer's secret is {CANARY}")));
    let is_clean = |error| {
        let shown = shown(&error);
        assert!(!shown.contains(CANARY) && !shown.contains(secret), "{shown}");
    };
    for fault in [
        answer(200, format!(r#"{{"id":9,"body":"{CANARY}"#)),
        answer(201, format!(r#"{{"id":"9","body":"{CANARY}"#)),
        answer(302, CANARY.to_owned()),
        answer(400, format!("{secret} {CANARY}")),
        answer(403, format!("<html>{CANARY}</html>")),
        answer(422, format!("{secret} {CANARY}")),
        answer(500, format!("<h1>{CANARY}</h1> {secret}")),
        Fault::LostAfter,
    ] {
        account.stage.wire().fault_next_write(fault);
        is_clean(account.run(account.desk.apply(&write)).unwrap_err());
    }
    account.stage.wire().fault_all(Fault::LostAfter);
    let lost = account.run(account.desk.head(&id(ticket), Timestamp::MAX));
    account.stage.wire().mend();
    is_clean(lost.unwrap_err());
}
