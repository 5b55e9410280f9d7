//! Requests that cannot be carried out as they were said, or not yet: each is answered, and with what would help.

use crate::stage::{DIALECTS, Stage, on_request, policy};
use handoffd::daemon::control::Command;
use handoffd::ledger::records::Switch;
use handoffd_sandbox::ids::TicketNo;
use std::collections::BTreeSet;

/// A rule that acts by itself, after a yes.
fn after_a_yes(name: &str, to: &str, tag: &str) -> String {
    format!(
        "[[escalate]]\nname = \"{name}\"\nmode = \"live\"\ntrigger = \"exception\"\nfrom = [\"frontline\"]\nto = \"{to}\"\n\
         when = 'has_tag(\"{tag}\")'\nreason = \"It is about {tag}\"\nreview = \"always\"\n\n"
    )
}

/// The case is with the second line for good, and nobody is asked any more.
fn settled(stage: &mut Stage, ticket: TicketNo) {
    stage.pass(900);
    stage.look(ticket);
    assert_eq!(stage.queue(ticket), "Tier 2", "{:?}", stage.dialect);
    let states: BTreeSet<&str> = stage.states().into_iter().collect();
    assert_eq!(states, BTreeSet::from(["settled", "withdrawn"]), "{:?}", stage.dialect);
}

fn last(stage: &Stage, ticket: TicketNo) -> String {
    stage.ours(ticket).pop().expect("an answer")
}

#[test]
fn whoever_asks_for_what_waits_for_a_yes_already_is_told_so_and_their_reason_is_kept_with_it() {
    for dialect in DIALECTS {
        let rules = after_a_yes("refund", "billing", "refund") + &on_request("ask", "billing", "true", "never");
        let mut stage = Stage::with(dialect, &policy(dialect, &rules));
        let ticket = stage.opens("Support", &["refund"]);
        assert_eq!(stage.states(), ["in_review"], "{dialect:?}");
        stage.notes("frontline-1", ticket, "/handoff billing they threaten to leave");
        let answer = last(&stage, ticket);
        for words in ["waits for a yes of billing-1 or billing-2", "Recorded with it: they threaten to leave"] {
            assert!(answer.contains(words), "{dialect:?} {words}: {answer}");
        }
        assert_eq!((stage.states(), stage.queue(ticket)), (vec!["in_review"], "Support".to_owned()), "{dialect:?}");
        let review = stage.handoffs()[0].id.clone();
        let record = stage.records(ticket).pop().expect("recorded");
        assert_eq!(record.handoff.as_deref(), Some(review.as_str()), "{dialect:?}");
        assert!(record.words.contains("they threaten to leave"), "{dialect:?}: {}", record.words);
        stage.notes("billing-1", ticket, "/approve refund it");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
        let note = last(&stage, ticket);
        assert!(
            note.contains("Approved by: Billing Agent 1") && note.contains(" UTC: refund it"),
            "{dialect:?}: {note}"
        );
        let approved = stage.handoffs()[0].approved.clone().expect("when");
        assert_eq!(approved.1.as_deref(), Some("refund it"), "{dialect:?}");
    }
}

#[test]
fn where_rules_disagree_whoever_asks_for_another_team_hears_what_would_help_and_it_does() {
    for dialect in DIALECTS {
        let rules = after_a_yes("one", "billing", "both")
            + &after_a_yes("other", "second-line", "both")
            + &on_request("ask", "second-line", "true", "never");
        let mut stage = Stage::with(dialect, &policy(dialect, &rules));
        let ticket = stage.opens("Support", &["both"]);
        stage.notes("frontline-1", ticket, "/handoff second-line it is a bug");
        let answer = last(&stage, ticket);
        for words in ["a person is asked", "one wants billing, other wants second-line", "/approve second-line"] {
            assert!(answer.contains(words), "{dialect:?} {words}: {answer}");
        }
        // Each team's own people decide for theirs.
        stage.notes("billing-1", ticket, "/approve second-line");
        assert!(last(&stage, ticket).contains("these may: tier2-lead"), "{dialect:?}: {}", last(&stage, ticket));
        stage.notes("tier2-1", ticket, "/approve");
        assert!(last(&stage, ticket).contains("these may: billing-1, billing-2"), "{dialect:?}");
        stage.notes("tier2-1", ticket, "/approve second-line: it is a bug");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        let note = last(&stage, ticket);
        assert!(note.contains("rule other") && note.contains(" UTC: it is a bug"), "{dialect:?}: {note}");
        settled(&mut stage, ticket);
    }
}

#[test]
fn the_command_line_chooses_among_the_teams_that_rules_want_and_no_other() {
    for dialect in DIALECTS {
        let rules = after_a_yes("one", "billing", "both") + &after_a_yes("other", "second-line", "both");
        let mut stage = Stage::with(dialect, &policy(dialect, &rules));
        let ticket = stage.opens("Support", &["both"]);
        let review = stage.handoffs()[0].id.clone();
        let to = |team: &str| Command::Approve { handoff: review.clone(), reason: None, to: Some(team.into()) };
        let nobody = stage.orders("tier2-lead", to("frontline")).expect_err("no rule wants it").to_string();
        assert!(nobody.contains("is about billing or second-line, and not about frontline"), "{nobody}");
        let theirs = stage.orders("billing-1", to("second-line")).expect_err("not theirs").to_string();
        assert!(theirs.contains("tier2-lead"), "{theirs}");
        stage.orders("tier2-lead", to("second-line")).expect("chosen");
        settled(&mut stage, ticket);
    }
}

#[test]
fn where_a_reviewer_says_no_to_all_another_request_goes_its_own_way() {
    for dialect in DIALECTS {
        let rules = after_a_yes("one", "billing", "refund") + &on_request("ask", "second-line", "true", "never");
        let mut stage = Stage::with(dialect, &policy(dialect, &rules));
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("billing-1", ticket, "/reject none of ours");
        stage.notes("frontline-1", ticket, "/handoff second-line it is a bug in the shop");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn what_was_asked_for_during_a_pause_is_carried_out_when_it_is_over() {
    for dialect in DIALECTS {
        for switch in [Switch::All, Switch::Desk("acme".into()), Switch::Rule("billing-on-request".into())] {
            let mut stage = Stage::new(dialect);
            let ticket = stage.opens("Support", &["refund"]);
            let pause = |on| Command::Switch { switch: switch.clone(), on };
            stage.orders("lead", pause(true)).expect("paused");
            stage.notes("frontline-1", ticket, "/handoff billing above my limit");
            stage.pass(900);
            assert_eq!(stage.queue(ticket), "Support", "{dialect:?} {switch:?}");
            let told = stage.ours(ticket);
            assert!(told.iter().all(|note| note.contains("is paused") && !note.contains("not done")), "{told:?}");
            assert_eq!(told.len(), usize::from(matches!(switch, Switch::Rule(_))), "{dialect:?} {switch:?}: {told:?}");
            stage.orders("lead", pause(false)).expect("resumed");
            stage.pass(900);
            assert_eq!(stage.queue(ticket), "Billing", "{dialect:?} {switch:?}: {:?}", stage.ours(ticket));
            let note = last(&stage, ticket);
            assert!(note.contains("above my limit"), "{dialect:?}: {note}");
        }
    }
}

#[test]
fn a_request_in_no_team_is_answered_by_what_the_policy_can_do_there() {
    for dialect in DIALECTS {
        let route = "[[route]]\nname = \"all\"\nmode = \"shadow\"\ndesk = \"acme\"\nto = \"frontline\"\n\n";
        let asks = on_request("ask", "billing", "true", "never");
        for (rules, said) in [(asks.clone(), "move it to a team first"), (format!("{route}{asks}"), "by the routes")] {
            let mut stage = Stage::with(dialect, &policy(dialect, &rules));
            let ticket = stage.opens("Incoming", &[]);
            stage.notes("frontline-1", ticket, "/handoff billing please");
            let answer = last(&stage, ticket);
            assert!(answer.contains("with no team yet") && answer.contains(said), "{dialect:?} {said}: {answer}");
        }
    }
}
