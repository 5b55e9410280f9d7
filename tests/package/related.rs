//! A ticket that goes on with another one says so to the receiving team.

use crate::stage::{Dialect, Stage};
use handoffd_sandbox::change::Update;
use std::collections::BTreeMap;

/// Opens a ticket that the helpdesk ties to ticket 3 and gives what the package says of it.
fn told(dialect: Dialect, property: &str) -> String {
    let mut stage = Stage::new(dialect);
    let text = "I was charged twice again. I use the web shop. Can you pay one back?";
    let no = stage.ticket("eva@standard.example", "Refund for order 4711, again", text);
    let extra = BTreeMap::from([(property.to_owned(), Some("3".to_owned()))]);
    stage.sandbox.person("frontline-1").updates(no, Update { extra, ..Update::default() }).expect("tied");
    stage.sandbox.person("frontline-1").notes(no, "Versucht:\n- [x] looked at the payments: failed");
    stage.a_while();
    assert_eq!(stage.queue(no), "Billing");
    stage.written(no).into_iter().find(|(public, _)| !public).expect("a note").1
}

#[test]
fn a_follow_up_on_zendesk_names_the_closed_ticket() {
    let note = told(Dialect::Zendesk, "follow_up_of");
    assert!(note.contains("follow-up of ticket 3"), "{note}");
}

#[test]
fn a_link_on_request_tracker_is_named() {
    let note = told(Dialect::RequestTracker, "refers-to");
    assert!(note.contains("refers to ticket 3"), "{note}");
}
