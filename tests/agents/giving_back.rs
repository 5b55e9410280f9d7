//! `/back` and `/reject` by the receiving team.

use crate::stage::{DIALECTS, Dialect, Stage, on_request, policy};
use handoffd_sandbox::ticket::Status;

/// A case that frontline-1 owned and billing has now.
fn at_billing(stage: &mut Stage) -> handoffd_sandbox::ids::TicketNo {
    let ticket = stage.opens("Support", &["refund"]);
    stage.later(5);
    stage.sandbox.person("frontline-1").takes(ticket);
    stage.look(ticket);
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    assert_eq!((stage.queue(ticket), stage.owner(ticket)), ("Billing".to_owned(), None));
    ticket
}

#[test]
fn what_is_done_goes_back_to_who_had_it_with_a_closing_note_and_is_no_bounce() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = at_billing(&mut stage);
        stage.notes("billing-1", ticket, "/back refunded 600 EUR, order 4711");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.owner(ticket).as_deref(), Some("frontline-1"), "{dialect:?}");
        let notes = stage.ours(ticket);
        assert_eq!(notes.len(), 2, "{dialect:?}: {notes:?}");
        assert!(notes[1].contains("Handed back: billing → frontline"), "{}", notes[1]);
        assert!(notes[1].contains("Done: refunded 600 EUR, order 4711 (Billing Agent 1, /back)"), "{}", notes[1]);
        stage.later(300);
        stage.look(ticket);
        assert_eq!(stage.states(), ["settled", "settled"], "{dialect:?}");
        assert_eq!(stage.figures(ticket), (2, 0, 1), "{dialect:?}: a return and no bounce");
        // The path is not closed: the same reason is accepted again.
        stage.notes("frontline-1", ticket, "/handoff billing above my limit");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn a_reason_stands_in_our_note_without_what_nobody_should_copy() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let words = "password: hunter2 4111 1111 1111 1111 {{ticket.comments}} [handoffd hxx/1 r@v]";
        for (order, says) in [("/back", "Handed back"), ("/reject", "Rejected")] {
            let ticket = at_billing(&mut stage);
            stage.notes("billing-1", ticket, &format!("{order} {words}"));
            let note = stage.ours(ticket).pop().unwrap_or_default();
            assert!(note.contains(says), "{dialect:?}: {note}");
            assert!(note.contains("password: [removed] [card number …1111]"), "{dialect:?}: {note}");
            assert!(note.contains("(handoffd hxx/1 r@v]"), "{dialect:?}: {note}");
            // Request Tracker and Jira expand nothing.
            assert!(matches!(dialect, Dialect::Rt | Dialect::Jira) || !note.contains("{{"), "{dialect:?}: {note}");
        }
    }
}

#[test]
fn a_case_that_is_given_back_lets_the_customers_clock_run_again() {
    for dialect in DIALECTS {
        let (word, stands, runs) = match dialect {
            Dialect::Zendesk => ("hold", Status::OnHold, Status::Open),
            Dialect::Rt => ("stalled", Status::Pending, Status::New),
            Dialect::Freshdesk => ("pending", Status::Pending, Status::Open),
            Dialect::Zammad => ("pending reminder", Status::Pending, Status::New),
            Dialect::Intercom => ("snoozed", Status::Pending, Status::Open),
            Dialect::Jira => ("Waiting for customer", Status::Pending, Status::Open),
        };
        let rule = on_request("billing-on-request", "billing", "true", "never");
        let pause = format!("clock.customer = {{ pause = \"{word}\", at_most = \"1d\" }}\n\n");
        let targets = "[targets.all]\nresolution = \"40h\"\npaused_in = [\"on_hold\", \"pending\"]\n\n";
        let mut stage =
            Stage::with(dialect, &policy(dialect, &format!("{}{pause}{targets}", rule.trim_end().to_owned() + "\n")));
        let ticket = at_billing(&mut stage);
        let status = |stage: &Stage| stage.sandbox.ticket(ticket).expect("the ticket").status;
        assert_eq!(status(&stage), stands, "{dialect:?}: {:?}", stage.ours(ticket));
        stage.notes("billing-1", ticket, "/back refunded");
        for _ in 0..4 {
            stage.later(120);
            stage.look(ticket);
        }
        assert_eq!((stage.queue(ticket).as_str(), status(&stage)), ("Support", runs), "{dialect:?}");
        let ours = stage.ours(ticket);
        assert_eq!(ours.len(), 3, "{dialect:?}: {ours:?}");
        assert!(ours[1].contains("frontline answers for them\nOpen for: "), "{}", ours[1]);
        assert!(ours[2].contains("until the case was given back"), "{}", ours[2]);
        stage.later(86_400);
        stage.look(ticket);
        assert_eq!(stage.ours(ticket).len(), 3, "{dialect:?}: once");
    }
}

#[test]
fn a_rejection_says_why_puts_everything_back_and_closes_the_path() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = at_billing(&mut stage);
        stage.notes("billing-2", ticket, "/reject no order number, frontline may refund below 500");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.owner(ticket).as_deref(), Some("frontline-1"), "{dialect:?}");
        let last = stage.ours(ticket).pop().expect("a note");
        assert!(last.contains("Rejected: billing → frontline"), "{last}");
        assert!(last.contains("no order number, frontline may refund below 500 (Billing Agent 2, /reject)"), "{last}");
        assert_eq!(stage.states(), ["rejected"], "{dialect:?}");
        let detail = stage.handoffs()[0].detail.clone().expect("why");
        assert!(detail.contains("Billing Agent 2") && detail.contains("no order number"), "{detail}");
        stage.look(ticket);
        assert_eq!(stage.figures(ticket).1, 1, "{dialect:?}: a bounce with a stated reason");
        stage.notes("frontline-1", ticket, "/handoff billing above my limit");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("billing said no before"), "{dialect:?}: {last}");
        assert_eq!(stage.queue(ticket), "Support");
    }
}

#[test]
fn neither_is_possible_where_no_handoff_brought_the_case_and_both_want_a_reason() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "/back done");
        stage.notes("frontline-1", ticket, "/reject wrong team");
        let notes = stage.ours(ticket);
        assert_eq!(notes.len(), 2, "{dialect:?}: {notes:?}");
        assert!(notes.iter().all(|note| note.contains("no handoff brought this case here")), "{notes:?}");
        let ticket = at_billing(&mut stage);
        stage.notes("billing-1", ticket, "/back");
        stage.notes("billing-1", ticket, "/reject.");
        let notes = stage.ours(ticket);
        assert!(notes[1].contains("/back REASON") && notes[2].contains("/reject REASON"), "{dialect:?}: {notes:?}");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}");
    }
}

#[test]
fn what_a_person_moved_on_was_not_given_by_us_and_is_not_taken_back() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = at_billing(&mut stage);
        stage.later(5);
        stage.sandbox.person("billing-1").moves(ticket, "Tier 2");
        stage.look(ticket);
        stage.notes("tier2-1", ticket, "/reject not ours");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("no handoff brought this case here"), "{dialect:?}: {last}");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}");
    }
}

#[test]
fn what_was_handed_back_is_not_handed_back_again_but_may_be_asked_for_again() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = at_billing(&mut stage);
        stage.notes("billing-1", ticket, "/back refunded");
        stage.notes("frontline-1", ticket, "/back no");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("billing has handed this case back here"), "{dialect:?}: {last}");
        assert!(last.contains("/handoff billing REASON"), "{last}");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}");
    }
}

#[test]
fn a_case_that_started_with_the_team_has_nobody_to_go_back_to() {
    for dialect in DIALECTS {
        let route = "[[route]]\nname = \"all\"\nmode = \"live\"\ndesk = \"acme\"\nto = \"billing\"\n\n";
        let rules = route.to_owned() + &on_request("r", "billing", "true", "never");
        let mut stage = Stage::with(dialect, &policy(dialect, &rules));
        let ticket = stage.opens("Incoming", &[]);
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}");
        stage.notes("billing-1", ticket, "/reject not ours");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("the case started here"), "{dialect:?}: {last}");
    }
}

#[test]
fn a_chain_goes_back_one_step_at_a_time() {
    for dialect in DIALECTS {
        let step = |name: &str, from: &str, to: &str| {
            on_request(name, to, "true", "never").replace("from = [\"frontline\"]", &format!("from = [\"{from}\"]"))
        };
        let rules = step("one", "frontline", "billing") + &step("two", "billing", "second-line");
        let mut stage = Stage::with(dialect, &policy(dialect, &rules));
        let ticket = stage.opens("Support", &[]);
        stage.notes("frontline-1", ticket, "/handoff billing one");
        stage.notes("billing-1", ticket, "/handoff second-line two");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        stage.notes("tier2-1", ticket, "/back the log shows it");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn only_the_people_of_the_team_that_has_the_case_hand_it_back() {
    for dialect in DIALECTS {
        for words in ["/back refunded", "/reject not theirs"] {
            let mut stage = Stage::new(dialect);
            let ticket = at_billing(&mut stage);
            stage.notes("frontline-2", ticket, words);
            let last = stage.ours(ticket).pop().expect("an answer");
            assert!(last.contains("billing, whose case it is"), "{dialect:?}: {last}");
            assert_eq!((stage.queue(ticket).as_str(), stage.states()[0]), ("Billing", "verifying"), "{dialect:?}");
            // Whom nobody names in the team is taken for one of it once they have taken the ticket on.
            stage.later(5);
            stage.sandbox.person("frontline-2").takes(ticket);
            stage.look(ticket);
            stage.notes("frontline-2", ticket, words);
            assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
        }
    }
}
