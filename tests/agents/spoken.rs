//! A desk that keeps no history and compares no versions (Freshdesk): what was said is all that it attributes, and every write
//! stands on a read of its own. The same promises hold as far as that tells.

use crate::stage::{CUSTOMER, Dialect, Stage, on_request, policy};
use handoffd::daemon::control::Command;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::Kind;
use handoffd_sandbox::ticket::Status;
use handoffd_sandbox::{Fault, FaultPlan, On};
use jiff::SignedDuration;

fn stage() -> Stage {
    Stage::new(Dialect::Freshdesk)
}

/// A case that frontline-1 owned and billing has now.
fn at_billing(stage: &mut Stage) -> TicketNo {
    let ticket = stage.opens("Support", &["refund"]);
    stage.later(5);
    stage.sandbox.person("frontline-1").takes(ticket);
    stage.look(ticket);
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    assert_eq!((stage.queue(ticket), stage.owner(ticket)), ("Billing".to_owned(), None), "{:?}", stage.ours(ticket));
    ticket
}

/// Time passes until what was sent is verified.
fn settles(stage: &mut Stage, ticket: TicketNo) {
    stage.later(300);
    stage.look(ticket);
}

#[test]
fn an_agents_request_in_a_note_is_carried_out_and_names_them() {
    let mut stage = stage();
    let ticket = at_billing(&mut stage);
    let notes = stage.ours(ticket);
    assert_eq!(notes.len(), 1, "{notes:?}");
    for words in
        ["Escalated: frontline → billing", "Asked for by: Frontline Agent 1 (/handoff)\n", "I was charged twice."]
    {
        assert!(notes[0].contains(words), "{words} in {}", notes[0]);
    }
    let asked = stage.handoffs()[0].proposal.asked.clone().expect("recorded");
    assert_eq!(asked.by_email.as_deref(), Some("frontline-1@acme.example"));
    settles(&mut stage, ticket);
    assert_eq!(stage.states(), ["settled"]);
    assert_eq!(stage.teams(ticket), ["frontline", "billing"]);
}

#[test]
fn a_customers_words_and_anybodys_label_order_nothing() {
    let mut stage = stage();
    let ticket = stage.opens("Support", &["refund"]);
    stage.later(5);
    stage.sandbox.person(CUSTOMER).replies(ticket, "/handoff billing");
    stage.look(ticket);
    stage.later(5);
    stage.sandbox.person("frontline-1").replies(ticket, "/handoff billing");
    stage.look(ticket);
    stage.tags("frontline-1", ticket, "handoff:billing");
    assert!(stage.handoffs().is_empty() && stage.ours(ticket).is_empty() && stage.commands(ticket).is_empty());
    assert_eq!(stage.labels(ticket), ["handoff:billing", "refund"], "nobody knows who set it: it stays");
}

#[test]
fn a_hint_that_comes_again_and_a_restart_double_nothing() {
    let mut stage = stage();
    let ticket = at_billing(&mut stage);
    for _ in 0..3 {
        stage.look(ticket);
        stage.restarts();
        stage.look(ticket);
    }
    assert_eq!((stage.ours(ticket).len(), stage.handoffs().len()), (1, 1));
    assert_eq!(stage.commands(ticket), [("handoff".into(), "taken".into())]);
}

#[test]
fn a_lost_answer_is_looked_up_before_anything_is_repeated() {
    for writes in 0..2 {
        for fault in [Fault::LostAfter, Fault::LostBefore, Fault::Late(SignedDuration::from_secs(20))] {
            let mut stage = stage();
            let ticket = stage.opens("Support", &["refund"]);
            stage.sandbox.set_faults(FaultPlan::default().fine(writes, On::Writes).next(1, On::Writes, fault));
            stage.notes("frontline-1", ticket, "/handoff billing above my limit");
            stage.pass(1_800);
            settles(&mut stage, ticket);
            let words = format!("{writes} {fault:?}: {:?}", stage.ours(ticket));
            assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Billing", 1), "{words}");
            assert_eq!(stage.states(), ["settled"], "{words}");
        }
    }
}

#[test]
fn what_was_noted_while_the_desk_did_not_answer_is_heard_afterwards() {
    let mut stage = stage();
    let ticket = stage.opens("Support", &["refund"]);
    // As many as a desk may leave unanswered before it is left alone until a poll: scenarios have no polls.
    stage.sandbox.set_faults(FaultPlan::default().next(2, On::All, Fault::Unavailable));
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    assert_eq!((stage.queue(ticket).as_str(), stage.states().len()), ("Support", 0));
    stage.pass(3_600);
    settles(&mut stage, ticket);
    assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Billing", 1), "{:?}", stage.states());
}

#[test]
fn a_person_who_acts_between_note_and_transfer_is_not_overruled() {
    let mut stage = stage();
    let ticket = stage.opens("Support", &["refund"]);
    // The transfer's first try fails; before the next one somebody takes the ticket to the second line.
    stage.sandbox.set_faults(FaultPlan::default().fine(1, On::Writes).next(
        1,
        On::Writes,
        Fault::RateLimited { retry_after: Some(SignedDuration::from_secs(30)) },
    ));
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Support", 1));
    stage.sandbox.person("frontline-2").moves(ticket, "Tier 2");
    stage.pass(600);
    assert_eq!(stage.queue(ticket), "Tier 2", "the person's move stands");
    let last = stage.ours(ticket).pop().expect("a closing note");
    assert!(last.contains("This handoff was stopped: somebody changed the team meanwhile"), "{last}");
    assert_eq!(stage.states(), ["withdrawn"]);
}

#[test]
fn a_customer_who_writes_between_note_and_transfer_holds_nothing_up() {
    let mut stage = stage();
    let ticket = stage.opens("Support", &["refund"]);
    stage.sandbox.set_faults(FaultPlan::default().fine(1, On::Writes).next(
        1,
        On::Writes,
        Fault::RateLimited { retry_after: Some(SignedDuration::from_secs(30)) },
    ));
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    stage.sandbox.person(CUSTOMER).replies(ticket, "any news?");
    stage.pass(600);
    assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Billing", 1), "{:?}", stage.ours(ticket));
}

#[test]
fn a_second_person_approves_and_another_rejects_in_a_note() {
    let mut stage = stage();
    let ticket = stage.opens("Support", &[]);
    stage.notes("frontline-1", ticket, "/handoff second-line needs a log file");
    assert_eq!((stage.queue(ticket), stage.states()), ("Support".to_owned(), vec!["in_review"]));
    stage.notes("frontline-2", ticket, "/approve");
    assert_eq!(stage.queue(ticket), "Support", "no reviewer: {:?}", stage.ours(ticket));
    stage.notes("tier2-1", ticket, "/approve fine");
    assert_eq!(stage.queue(ticket), "Tier 2", "{:?}", stage.ours(ticket));

    let ticket = stage.opens("Support", &[]);
    stage.notes("frontline-1", ticket, "/handoff second-line needs a log file");
    stage.notes("tier2-1", ticket, "/reject ask for the version first");
    settles(&mut stage, ticket);
    assert_eq!((stage.queue(ticket).as_str(), *stage.states().last().expect("a handoff")), ("Support", "rejected"));
}

#[test]
fn a_review_is_approved_from_outside_while_nothing_changed() {
    let mut stage = stage();
    let ticket = stage.opens("Support", &[]);
    stage.notes("frontline-1", ticket, "/handoff second-line needs a log file");
    let id = stage.handoffs()[0].id.clone();
    stage.orders("tier2-lead", Command::Approve { handoff: id, reason: None, to: None }).expect("approved");
    assert_eq!(stage.queue(ticket), "Tier 2", "{:?}", stage.ours(ticket));

    let ticket = stage.opens("Support", &[]);
    stage.notes("frontline-1", ticket, "/handoff second-line needs a log file");
    let id = stage.handoffs()[1].id.clone();
    stage.later(5);
    stage.sandbox.person("frontline-2").takes(ticket);
    let stale =
        stage.orders("tier2-lead", Command::Approve { handoff: id, reason: None, to: None }).expect_err("stale");
    assert!(format!("{stale:?}").contains("somebody changed the owner meanwhile"), "{stale:?}");
    assert_eq!(stage.queue(ticket), "Support");
}

#[test]
fn what_is_done_goes_back_to_who_had_it_and_a_rejection_closes_the_path() {
    let mut stage = stage();
    let ticket = at_billing(&mut stage);
    stage.notes("billing-1", ticket, "/back refunded 600 EUR");
    assert_eq!(stage.queue(ticket), "Support", "{:?}", stage.ours(ticket));
    assert_eq!(stage.owner(ticket).as_deref(), Some("frontline-1"));
    settles(&mut stage, ticket);
    assert_eq!(stage.states(), ["settled", "settled"]);
    assert_eq!(stage.figures(ticket), (2, 0, 1), "a return and no bounce");

    let ticket = at_billing(&mut stage);
    stage.notes("billing-2", ticket, "/reject frontline may refund below 500");
    assert_eq!((stage.queue(ticket).as_str(), stage.owner(ticket).as_deref()), ("Support", Some("frontline-1")));
    settles(&mut stage, ticket);
    assert_eq!(stage.states().last(), Some(&"rejected"));
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    let last = stage.ours(ticket).pop().expect("an answer");
    assert!(last.contains("billing said no before"), "{last}");
}

#[test]
fn a_case_that_is_moved_back_by_hand_is_a_bounce_by_somebody() {
    let mut stage = stage();
    let ticket = at_billing(&mut stage);
    settles(&mut stage, ticket);
    stage.sandbox.person("billing-1").moves(ticket, "Support");
    stage.look(ticket);
    assert_eq!(stage.states(), ["bounced"]);
    assert_eq!(stage.figures(ticket).1, 1);
}

#[test]
fn words_of_the_receiving_team_are_a_claim_and_the_givers_are_none() {
    let rule = on_request("billing-on-request", "billing", r#"has_tag("refund")"#, "never");
    let owner = "owner = { assign = \"queue\", claim_within = \"2h\", unclaimed = [\"back\"] }\n\n";
    let text = policy(Dialect::Freshdesk, &format!("{}\n{owner}", rule.trim_end()));
    for (who, claims) in [("billing-1", true), ("frontline-1", false)] {
        let mut stage = Stage::with(Dialect::Freshdesk, &text);
        let ticket = at_billing(&mut stage);
        settles(&mut stage, ticket);
        stage.notes(who, ticket, "I am on it.");
        let claimed = stage.handoffs()[0].claimed.clone().map(|(_, who)| who);
        assert_eq!(claimed.as_deref(), claims.then_some("Billing Agent 1"), "{who}");
        stage.pass(3 * 3_600);
        let expected = if claims { "Billing" } else { "Support" };
        assert_eq!(stage.queue(ticket), expected, "{who}: {:?}", stage.ours(ticket));
    }
    let mut stage = Stage::with(Dialect::Freshdesk, &text);
    let ticket = at_billing(&mut stage);
    settles(&mut stage, ticket);
    stage.sandbox.person("billing-2").takes(ticket);
    stage.look(ticket);
    assert_eq!(stage.handoffs()[0].claimed.clone().map(|(_, who)| who).as_deref(), Some("Billing Agent 2"));
}

#[test]
fn the_customers_clock_stands_still_and_runs_again_when_the_case_is_given_back() {
    let rule = on_request("billing-on-request", "billing", "true", "never");
    let pause = "clock.customer = { pause = \"pending\", at_most = \"1d\" }\n\n";
    let mut stage =
        Stage::with(Dialect::Freshdesk, &policy(Dialect::Freshdesk, &format!("{}\n{pause}", rule.trim_end())));
    let ticket = at_billing(&mut stage);
    let status = |stage: &Stage| stage.sandbox.ticket(ticket).expect("the ticket").status;
    assert_eq!(status(&stage), Status::Pending, "{:?}", stage.ours(ticket));
    stage.pass(25 * 3_600);
    assert_eq!(status(&stage), Status::Open, "a day at most: {:?}", stage.ours(ticket));
}

#[test]
fn a_missing_part_is_asked_for_without_a_label_and_supplied_in_a_note() {
    let rule = on_request("billing-on-request", "billing", "true", "never").trim_end().to_owned();
    let package =
        "package = { require = [\"summary\", \"steps\"], missing = \"ask\", ask_for = \"4h\", then = \"review\" }\n\n";
    let mut stage = Stage::with(Dialect::Freshdesk, &policy(Dialect::Freshdesk, &format!("{rule}\n{package}")));
    let ticket = stage.opens("Support", &["vip"]);
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    assert_eq!(
        (stage.queue(ticket), stage.states()),
        ("Support".to_owned(), vec!["asking"]),
        "{:?}",
        stage.ours(ticket)
    );
    let asked = stage.ours(ticket).pop().expect("a note");
    assert!(asked.contains("- steps: "), "{asked}");
    assert_eq!(stage.labels(ticket), ["vip"]);
    stage.notes("frontline-1", ticket, "Steps:\n- [x] looked at the payments: failed");
    stage.pass(600);
    assert_eq!(stage.queue(ticket), "Billing", "{:?} {:?}", stage.states(), stage.ours(ticket));
}

#[test]
fn a_right_that_is_taken_parks_nothing_on_other_desks_and_names_what_is_missing() {
    let mut stage = stage();
    let ticket = stage.opens("Support", &["refund"]);
    stage.sandbox.set_faults(FaultPlan::default().next(1, On::Writes, Fault::Forbidden));
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Support", 0));
    stage.pass(3_600);
    assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Billing", 1), "{:?}", stage.states());
}

#[test]
fn listening_costs_the_conversation_when_something_is_new_and_nothing_else() {
    let mut stage = stage();
    let ticket = stage.opens("Support", &["refund"]);
    stage.look(ticket);
    let reads = |stage: &mut Stage| {
        let about =
            |asked: &&handoffd_sandbox::journal::Asked| asked.kind == Kind::Read && asked.ticket == Some(ticket);
        stage.asked().iter().filter(about).count()
    };
    reads(&mut stage);
    stage.look(ticket);
    assert_eq!(reads(&mut stage), 1, "nothing has changed");
    stage.does("frontline-1", ticket, Update { priority: Some(Some("high".into())), ..Update::default() });
    assert_eq!(reads(&mut stage), 2, "the head and the conversation");
    stage.notes("frontline-1", ticket, "asked a colleague");
    assert_eq!(reads(&mut stage), 2, "the head and the conversation");
    let none = "[desks.acme.commands]\nnotes = false\n";
    let mut deaf = Stage::with(Dialect::Freshdesk, &policy(Dialect::Freshdesk, none));
    let ticket = deaf.opens("Support", &["refund"]);
    deaf.asked();
    deaf.notes("frontline-1", ticket, "/handoff billing please");
    assert!(deaf.ours(ticket).is_empty() && deaf.handoffs().is_empty());
}
