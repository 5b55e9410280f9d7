//! `/approve` and `/reject` of a handoff that waits for a person.

use crate::stage::{DIALECTS, Stage, on_request, policy};
use handoffd::daemon::control::{Command, CommandError};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::ticket::Status;

/// A case for which frontline-1 asked the second line, which waits for a yes of tier2-lead (tier2-1 on the desk).
fn asked(stage: &mut Stage) -> TicketNo {
    let ticket = stage.opens("Support", &["refund"]);
    stage.notes("frontline-1", ticket, "/handoff second-line needs a developer");
    assert_eq!(stage.states(), ["in_review"], "{:?}", stage.ours(ticket));
    assert_eq!(stage.queue(ticket), "Support");
    ticket
}

#[test]
fn the_agent_is_told_who_decides_and_the_reviewer_s_yes_sends_it() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        let notes = stage.ours(ticket);
        assert_eq!(notes.len(), 1, "{dialect:?}: {notes:?}");
        assert!(notes[0].contains("it waits for a yes of tier2-lead: /approve, or /reject REASON"), "{}", notes[0]);
        stage.notes("tier2-1", ticket, "/approve yes, ours");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        let notes = stage.ours(ticket);
        assert_eq!(notes.len(), 2, "{dialect:?}: {notes:?}");
        assert!(notes[1].contains("Approved by: Tier 2 Agent 1"), "{}", notes[1]);
        assert!(notes[1].contains("Asked for by: Frontline Agent 1"), "{}", notes[1]);
        let approved = stage.handoffs()[0].approved_by.clone().expect("recorded");
        assert!(approved.contains("Tier 2 Agent 1 (acme "), "with the login: {approved}");
    }
}

#[test]
fn who_is_no_reviewer_is_told_who_is_and_whoever_asked_may_not_say_yes() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        stage.notes("billing-1", ticket, "/approve");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("Billing Agent 1 may not decide this; these may: tier2-lead"), "{dialect:?}: {last}");
        stage.notes("billing-1", ticket, "/reject no");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("may not decide this"), "{dialect:?}: {last}");
        assert_eq!(stage.states(), ["in_review"], "{dialect:?}");

        let anybody = policy(dialect, &on_request("up", "billing", "true", "always"));
        let anybody = anybody.replace("reviewers = [\"billing-1\", \"billing-2\"]\n", "");
        let mut stage = Stage::with(dialect, &anybody);
        let ticket = stage.opens("Support", &[]);
        stage.notes("frontline-1", ticket, "/handoff billing please");
        stage.notes("frontline-1", ticket, "/approve");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("they asked for it themselves"), "{dialect:?}: {last}");
        let id = stage.handoffs()[0].id.clone();
        let by_mail =
            stage.orders("frontline-1@acme.example", Command::Approve { handoff: id, reason: None, to: None });
        assert!(matches!(&by_mail, Err(CommandError::Refused(why)) if why.contains("themselves")), "{by_mail:?}");
        let id = stage.handoffs()[0].id.clone();
        let by_name = stage.orders("frontline agent 1", Command::Approve { handoff: id, reason: None, to: None });
        assert!(matches!(&by_name, Err(CommandError::Refused(why)) if why.contains("themselves")), "{by_name:?}");
        stage.notes("billing-1", ticket, "/approve");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: a colleague may");
    }
}

#[test]
fn a_reviewer_s_no_with_a_reason_ends_it_and_nothing_is_changed() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        stage.notes("tier2-1", ticket, "/reject");
        assert!(stage.ours(ticket).pop().expect("an answer").contains("/reject REASON"), "{dialect:?}");
        assert_eq!(stage.states(), ["in_review"], "{dialect:?}");
        stage.notes("tier2-1", ticket, "/reject the manual says how");
        assert_eq!((stage.states(), stage.queue(ticket)), (vec!["rejected"], "Support".to_owned()), "{dialect:?}");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("rejected, nothing was changed: the manual says how"), "{dialect:?}: {last}");
        stage.look(ticket);
        assert_eq!(stage.states(), ["rejected"], "{dialect:?}: it stays so");
    }
}

#[test]
fn a_yes_after_a_person_decided_otherwise_ends_as_stale_with_one_note() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        stage.later(60);
        stage.sandbox.person("frontline-2").takes(ticket);
        stage.notes("tier2-1", ticket, "/approve");
        let last = stage.ours(ticket).pop().expect("a note");
        assert!(last.contains("no longer fitted") && last.contains("owner"), "{dialect:?}: {last}");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}");
        assert_eq!(stage.states()[0], "withdrawn", "{dialect:?}");
        assert_eq!(stage.handoffs().len(), 1, "{dialect:?}: nobody has asked again");
    }
}

#[test]
fn a_yes_that_is_older_than_the_question_or_meant_something_else_does_not_count() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("tier2-1", ticket, "/approve");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("nothing waits here"), "{dialect:?}: {last}");
        stage.notes("frontline-1", ticket, "/handoff second-line needs a developer");
        stage.look(ticket);
        assert_eq!(stage.states(), ["in_review"], "{dialect:?}: the old yes is no answer to the new question");
    }
}

#[test]
fn two_agents_contradict_each_other_in_one_look_and_the_first_one_counts() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        stage.later(5);
        stage.sandbox.person("tier2-1").notes(ticket, "/approve");
        stage.later(3);
        stage.sandbox.person("tier2-1").notes(ticket, "/reject wait, no");
        stage.look(ticket);
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(
            stage.commands(ticket)[1..],
            [("approve".into(), "done".into()), ("reject".into(), "refused".into())]
        );
        let last = stage.ours(ticket).into_iter().find(|note| note.contains("Command /reject")).expect("an answer");
        assert!(last.contains("/approve by Tier 2 Agent 1 came first"), "{dialect:?}: {last}");

        let ticket = stage.opens("Support", &["refund"]);
        stage.later(5);
        stage.sandbox.person("frontline-1").notes(ticket, "/handoff billing one");
        stage.later(3);
        stage.sandbox.person("frontline-2").notes(ticket, "/handoff second-line two");
        stage.look(ticket);
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.commands(ticket)[1], ("handoff".into(), "refused".into()), "{dialect:?}");
    }
}

#[test]
fn the_command_line_and_the_note_are_one_way_and_the_second_answer_is_told_so() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        let id = stage.handoffs()[0].id.clone();
        stage.orders("tier2-lead", Command::Approve { handoff: id, reason: None, to: None }).expect("approved");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}");
        stage.notes("tier2-1", ticket, "/approve");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("nothing waits here"), "{dialect:?}: {last}");
    }
}

#[test]
fn a_review_whose_ticket_is_solved_ends_and_the_agent_who_asked_is_told() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        stage.later(60);
        stage.sandbox.person("frontline-1").puts(ticket, Status::Solved);
        stage.look(ticket);
        assert_eq!(stage.states(), ["withdrawn"], "{dialect:?}");
        let last = stage.ours(ticket).pop().expect("a note");
        assert!(
            last.contains("Not handed off to second-line, which Frontline Agent 1 asked for"),
            "{dialect:?}: {last}"
        );
    }
}

#[test]
fn who_calls_themselves_by_a_reviewers_name_is_none() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        stage.sandbox.with(|desk| {
            let no = desk.find_person("billing-1").map(|person| person.no).expect("seeded");
            desk.people.get_mut(&no).expect("there").name = "tier2-lead".into();
        });
        stage.notes("billing-1", ticket, "/approve");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("may not decide this; these may: tier2-lead"), "{dialect:?}: {last}");
        assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Support", vec!["in_review"]), "{dialect:?}");
    }
}

#[test]
fn the_only_reviewer_who_asks_is_told_that_nobody_else_can_say_yes() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("tier2-1", ticket, "/handoff second-line needs a developer");
        let last = stage.ours(ticket).pop().expect("an answer");
        let named = last.contains("nobody else may give it") && last.contains("another reviewer of second-line");
        assert!(named, "{dialect:?}: {last}");
    }
}
