//! Commands and ratings by label, the one-click form.

use crate::stage::{DIALECTS, Dialect, Stage};
use handoffd::policy::command::Rating;
use handoffd_sandbox::change::{NewMessage, TagChange, Update};
use handoffd_sandbox::ticket::{Body, Status, Visibility};

fn label(tag: &str) -> Option<TagChange> {
    Some(TagChange::Add([tag.to_owned()].into()))
}

#[test]
fn a_label_orders_a_handoff_and_is_taken_off_by_us_and_nothing_else_is() {
    for dialect in DIALECTS {
        for tag in ["handoff:billing", "handoff-to-billing"] {
            let mut stage = Stage::new(dialect);
            let ticket = stage.opens("Support", &["refund", "vip"]);
            stage.tags("frontline-1", ticket, tag);
            assert_eq!(stage.queue(ticket), "Billing", "{dialect:?} {tag}: {:?}", stage.ours(ticket));
            assert_eq!(stage.labels(ticket), ["refund", "vip"], "{dialect:?} {tag}");
            assert!(stage.ours(ticket)[0].contains("Asked for by: Frontline Agent 1"), "{dialect:?}");
            stage.tags("billing-1", ticket, "handoff-back");
            assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
            assert_eq!(stage.labels(ticket), ["refund", "vip"], "{dialect:?}");
        }
    }
}

#[test]
fn the_note_that_comes_with_a_label_is_its_reason() {
    let mut stage = Stage::new(Dialect::Zendesk);
    let ticket = stage.opens("Support", &["refund"]);
    let note = NewMessage::new(Visibility::Internal, Body::Plain("They threaten to leave.\nSee order 7.".into()));
    stage.does("frontline-1", ticket, Update { tags: label("handoff:billing"), say: vec![note], ..Update::default() });
    assert_eq!(stage.handoffs()[0].proposal.asked.clone().expect("asked").reason, "They threaten to leave.");
}

#[test]
fn a_label_that_cannot_be_obeyed_is_taken_off_with_an_answer() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.tags("frontline-1", ticket, "handoff:nobody");
        assert_eq!(stage.labels(ticket), ["refund"], "{dialect:?}");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("Command /handoff nobody (by label, by Frontline Agent 1)"), "{dialect:?}: {last}");
    }
}

#[test]
fn the_receiver_rates_the_package_in_one_click_and_the_last_word_counts() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.tags("frontline-1", ticket, "handoff-good");
        assert!(stage.ours(ticket).pop().expect("an answer").contains("no package to rate"), "{dialect:?}");
        stage.notes("frontline-1", ticket, "/handoff billing please");
        let before = stage.ours(ticket).len();
        stage.tags("billing-1", ticket, "handoff-good");
        assert_eq!(stage.labels(ticket), ["refund"], "{dialect:?}: the label that goes away is the answer");
        let rated = stage.handoffs()[0].rated.clone().expect("rated");
        assert_eq!(rated.rating, Rating::Good, "{dialect:?}");
        assert!(rated.by.contains("Billing Agent 1"), "{dialect:?}: {}", rated.by);
        stage.notes("billing-2", ticket, "/rate poor: no order number");
        let rated = stage.handoffs()[0].rated.clone().expect("rated");
        assert_eq!((rated.rating, rated.reason.as_deref()), (Rating::Poor, Some("no order number")), "{dialect:?}");
        let ours = stage.ours(ticket);
        assert_eq!(ours.len(), before + 1, "{dialect:?}: of the two only what was written is answered in writing");
        assert!(ours[before].contains("the package is rated poor"), "{dialect:?}: {}", ours[before]);
        stage.notes("frontline-1", ticket, "/rate good");
        let answer = stage.ours(ticket).pop().expect("an answer");
        let only = "does not work in billing, which got the case: only its people rate the package";
        assert!(answer.contains(only), "{dialect:?}: {answer}");
        assert_eq!(stage.handoffs()[0].rated.clone().expect("rated").rating, Rating::Poor, "{dialect:?}: who gave it");
    }
}

#[test]
fn what_is_saved_together_with_solved_is_heard() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "/handoff billing please");
        let before = stage.ours(ticket).len();
        let solved = |tags| Update { tags, status: Some(Status::Solved), ..Update::default() };
        stage.does("billing-1", ticket, solved(label("handoff-good")));
        assert_eq!(stage.handoffs()[0].rated.clone().expect("rated").rating, Rating::Good, "{dialect:?}");
        assert_eq!(stage.labels(ticket), ["refund"], "{dialect:?}");
        let words = NewMessage::new(Visibility::Internal, Body::Plain("/rate poor no order number".into()));
        stage.does("billing-2", ticket, Update { say: vec![words], ..Update::default() });
        assert_eq!(stage.handoffs()[0].rated.clone().expect("rated").rating, Rating::Poor, "{dialect:?}");
        assert_eq!(stage.ours(ticket).len(), before + 1, "{dialect:?}: only what was written is answered in writing");
        stage.does("billing-1", ticket, solved(label("handoff-back")));
        assert_eq!(stage.labels(ticket), ["refund"], "{dialect:?}");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("the ticket is solved"), "{dialect:?}: {last}");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}");
    }
}

#[test]
fn a_label_that_a_rule_of_the_desk_or_we_ourselves_set_orders_nothing() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        for login in [handoffd_sandbox::seed::BOT, crate::stage::CUSTOMER] {
            stage.tags(login, ticket, "handoff:billing");
            assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {login}");
        }
        stage.later(5);
        stage.sandbox.person("frontline-1").untags(ticket, "handoff:billing");
        stage.later(5);
        stage.sandbox.automation("Tagger").tags(ticket, "handoff:billing");
        stage.look(ticket);
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}");
        assert!(stage.ours(ticket).is_empty() && stage.commands(ticket).is_empty(), "{dialect:?}");
        // An agent who takes it off and sets it again means it.
        stage.later(5);
        stage.sandbox.person("frontline-1").untags(ticket, "handoff:billing");
        if dialect == Dialect::Zammad {
            // A label does not move the last change there: off and on again between two looks is nothing at all.
            stage.look(ticket);
        }
        stage.tags("frontline-1", ticket, "handoff:billing");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn the_same_label_set_twice_orders_twice() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &[]);
        for times in 1..=2 {
            stage.tags("frontline-1", ticket, "handoff:billing");
            assert_eq!(stage.commands(ticket).len(), times, "{dialect:?}");
            assert!(stage.labels(ticket).is_empty(), "{dialect:?}");
        }
        assert_eq!(stage.ours(ticket).len(), 2, "{dialect:?}: each is answered");
    }
}
