//! A case that billing should take on within two hours: it is claimed, or the lead is asked, the next team, and the team
//! that gave it.

use crate::stage::{DIALECTS, Dialect, Stage, on_request, policy};
use handoffd::daemon::control::Command;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::ticket::Status;

const HOUR: i64 = 3_600;

/// The rule whose handoffs are waited for, and billing's lead and hours.
fn waited_for(dialect: Dialect, chain: &str) -> String {
    let rule = on_request("billing-on-request", "billing", r#"has_tag("refund")"#, "never");
    let owner = format!("owner = {{ assign = \"queue\", claim_within = \"2h\", unclaimed = [{chain}] }}\n\n");
    let hours = "[hours.office]\nzone = \"Europe/Berlin\"\nmon-fri = [\"09:00-17:00\"]\n\n";
    let text = policy(dialect, &format!("{}\n{owner}{hours}", rule.trim_end()));
    text.replace("queue = \"Billing\"\n", "queue = \"Billing\"\nlead = \"billing-1\"\nhours = \"office\"\n")
}

/// A ticket that frontline-1 has just handed to billing, on a Monday at ten in Berlin.
fn at_billing(dialect: Dialect, chain: &str) -> (Stage, TicketNo) {
    let mut stage = Stage::with(dialect, &waited_for(dialect, chain));
    let ticket = stage.opens("Support", &["refund"]);
    stage.sandbox.person("frontline-1").takes(ticket);
    stage.look(ticket);
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    assert_eq!((stage.queue(ticket), stage.owner(ticket)), ("Billing".to_owned(), None));
    assert_eq!(stage.unclaimed(), 0);
    (stage, ticket)
}

#[test]
fn who_takes_it_on_in_time_hears_nothing_more() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = at_billing(dialect, "\"lead\", \"team:second-line\", \"back\"");
        let note = stage.ours(ticket).remove(0);
        let by = "To be taken on: by Mon 4 May 12:00 Europe/Berlin: 2 h of office hours";
        assert!(note.contains(by), "{dialect:?}: {note}");
        assert!(note.contains("; else the lead is asked, then it goes on to second-line, then it goes back"), "{note}");
        stage.pass(HOUR);
        stage.sandbox.person("billing-2").takes(ticket);
        stage.look(ticket);
        stage.pass(8 * HOUR);
        assert_eq!((stage.ours(ticket).len(), stage.states().len()), (1, 1), "{dialect:?}");
        assert_eq!(stage.handoffs()[0].claimed.as_ref().map(|(_, who)| who.as_str()), Some("Billing Agent 2"));
        assert_eq!(stage.unclaimed(), 0, "{dialect:?}");
    }
}

#[test]
fn what_nobody_takes_on_goes_to_the_lead_then_on_then_back_each_after_its_own_time() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = at_billing(dialect, "\"lead\", \"team:second-line\", \"back\"");
        stage.pass(2 * HOUR - 600);
        assert_eq!(stage.ours(ticket).len(), 1, "{dialect:?}: not before");
        stage.pass(1_200);
        let asked = stage.ours(ticket).pop().expect("a note");
        assert!(
            asked.starts_with("Not taken on: nobody of billing has become its owner, written, or changed its status by Mon 4 May 12:00"),
            "{asked}"
        );
        assert!(asked.contains("billing-1 (Billing Agent 1) is asked to take it"), "{asked}");
        assert!(
            asked.contains("If nobody does by Mon 4 May 14:0")
                && asked.contains("Europe/Berlin, it goes on to second-line."),
            "{asked}"
        );
        assert_eq!((stage.queue(ticket).as_str(), stage.owner(ticket)), ("Billing", None), "{dialect:?}: only asked");
        // A crash between two steps forgets nothing, and does nothing twice.
        stage.restarts();
        stage.pass(HOUR);
        assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Billing", 2), "{dialect:?}");
        stage.pass(HOUR + 1_200);
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        let on = stage.ours(ticket).remove(2);
        assert!(on.starts_with("Escalated: billing → second-line"), "{dialect:?}: {on}");
        assert!(on.contains("nobody of billing has taken it on by Mon 4 May 14:0"), "{on}");
        assert!(on.contains("first: Frontline Agent 1 asks: above my limit"), "{on}");
        stage.restarts();
        // The second line has no hours of its own: always open.
        stage.pass(2 * HOUR + 1_200);
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
        let back = stage.ours(ticket).remove(3);
        assert!(back.starts_with("Returned unclaimed: second-line → frontline"), "{dialect:?}: {back}");
        stage.pass(24 * HOUR);
        assert_eq!(stage.ours(ticket).len(), 4, "{dialect:?}: the chain is over, and its path is closed");
        assert_eq!(stage.states(), ["settled", "settled", "settled"], "{dialect:?}");
        assert_eq!(stage.unclaimed(), 0, "{dialect:?}: nobody is waited for");
        let stays = stage.teams(ticket);
        assert_eq!(stays, ["frontline", "billing", "second-line", "frontline"], "{dialect:?}");
    }
}

#[test]
fn a_claim_in_the_middle_of_a_chain_ends_it() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = at_billing(dialect, "\"lead\", \"team:second-line\", \"back\"");
        stage.pass(2 * HOUR + 600);
        assert_eq!((stage.ours(ticket).len(), stage.unclaimed()), (2, 0), "{dialect:?}: its lead has time now");
        stage.notes("billing-1", ticket, "I am on it.");
        stage.pass(24 * HOUR);
        assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Billing", 2), "{dialect:?}");
        assert_eq!(stage.unclaimed(), 0, "{dialect:?}");
    }
}

#[test]
fn a_person_who_moves_the_case_or_gives_it_an_owner_is_not_overruled() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = at_billing(dialect, "\"team:second-line\", \"back\"");
        stage.pass(HOUR);
        stage.sandbox.person("frontline-2").moves(ticket, "Tier 2");
        stage.look(ticket);
        stage.pass(24 * HOUR);
        assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Tier 2", 1), "{dialect:?}");
        assert_eq!(stage.unclaimed(), 0, "{dialect:?}: billing is not waited for any more");
    }
}

#[test]
fn an_owner_from_outside_is_no_claim_and_is_not_taken_off_it_either() {
    // Zendesk lets no one own a case who is not in its group.
    let (mut stage, ticket) = at_billing(Dialect::Rt, "\"team:second-line\", \"back\"");
    stage.pass(HOUR);
    stage.sandbox.person("frontline-2").gives(ticket, "tier2-1");
    stage.look(ticket);
    assert_eq!(stage.owner(ticket).as_deref(), Some("tier2-1"));
    stage.pass(24 * HOUR);
    assert_eq!((stage.queue(ticket).as_str(), stage.owner(ticket).as_deref()), ("Billing", Some("tier2-1")));
    assert_eq!((stage.ours(ticket).len(), stage.unclaimed()), (1, 1), "it is said that billing has not acted");
}

/// Billing has not taken it on, and the second line has it now.
fn at_second_line(dialect: Dialect) -> (Stage, TicketNo) {
    let (mut stage, ticket) = at_billing(dialect, "\"team:second-line\", \"back\"");
    stage.pass(2 * HOUR + 600);
    assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}");
    (stage, ticket)
}

#[test]
fn what_the_last_team_of_a_chain_hands_back_goes_to_whoever_gave_it_first() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = at_second_line(dialect);
        stage.notes("tier2-1", ticket, "/back paid out");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.owner(ticket).as_deref(), Some("frontline-1"), "{dialect:?}: who had it there");
        let note = stage.ours(ticket).pop().expect("a note");
        assert!(note.starts_with("Handed back: second-line → frontline\nDone: paid out"), "{dialect:?}: {note}");
        stage.pass(24 * HOUR);
        assert_eq!((stage.queue(ticket).as_str(), stage.unclaimed()), ("Support", 0), "{dialect:?}");
    }
}

#[test]
fn what_the_last_team_of_a_chain_rejects_does_not_go_to_a_team_that_never_took_it() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = at_second_line(dialect);
        stage.notes("tier2-1", ticket, "/reject billing must decide this");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.owner(ticket).as_deref(), Some("frontline-1"), "{dialect:?}");
        let note = stage.ours(ticket).pop().expect("a note");
        assert!(note.starts_with("Rejected: second-line → frontline"), "{dialect:?}: {note}");
        let (states, notes) = (stage.states(), stage.ours(ticket).len());
        stage.pass(24 * HOUR);
        assert_eq!((stage.states(), stage.ours(ticket).len()), (states, notes), "{dialect:?}: and stays there");
    }
}

#[test]
fn a_customers_clock_that_the_first_handoff_stopped_runs_again_when_the_last_team_says_no() {
    for (dialect, word) in [(Dialect::Zendesk, "hold"), (Dialect::Rt, "stalled")] {
        let pause = format!("clock.customer = {{ pause = \"{word}\", at_most = \"2d\" }}\nowner = {{");
        let targets = "\n[targets.all]\nresolution = \"40h\"\npaused_in = [\"on_hold\", \"pending\"]\n";
        let text = waited_for(dialect, "\"team:second-line\", \"back\"").replacen("owner = {", &pause, 1) + targets;
        let mut stage = Stage::with(dialect, &text);
        let ticket = stage.opens("Support", &["refund"]);
        stage.sandbox.person("frontline-1").takes(ticket);
        stage.look(ticket);
        let status = |stage: &Stage| stage.sandbox.ticket(ticket).expect("the ticket").status;
        stage.notes("frontline-1", ticket, "/handoff billing above my limit");
        let paused = status(&stage);
        stage.pass(2 * HOUR + 600);
        assert_eq!((stage.queue(ticket).as_str(), status(&stage)), ("Tier 2", paused), "{dialect:?}");
        stage.notes("tier2-1", ticket, "/reject billing must decide this");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!((paused == Status::Open, status(&stage)), (false, Status::Open), "{dialect:?}");
    }
}

#[test]
fn an_undo_and_a_solved_case_end_the_wait() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = at_billing(dialect, "\"lead\", \"back\"");
        let id = stage.handoffs()[0].id.clone();
        stage.pass(HOUR);
        stage.orders("support-ops", Command::Undo { handoff: id, reason: "a mistake".into() }).expect("undone");
        let notes = stage.ours(ticket).len();
        stage.pass(24 * HOUR);
        assert_eq!((stage.ours(ticket).len(), stage.unclaimed()), (notes, 0), "{dialect:?}");

        let (mut stage, ticket) = at_billing(dialect, "\"lead\", \"back\"");
        stage.sandbox.person("frontline-1").solves(ticket);
        stage.look(ticket);
        stage.pass(24 * HOUR);
        assert_eq!((stage.ours(ticket).len(), stage.unclaimed()), (1, 0), "{dialect:?}");
    }
}

#[test]
fn a_weekend_does_not_count() {
    for dialect in DIALECTS {
        let mut stage = Stage::with(dialect, &waited_for(dialect, "\"lead\""));
        // Friday, half past four in Berlin: half an hour before billing goes home.
        stage.later(4 * 24 * HOUR + 6 * HOUR + 1_800);
        let ticket = stage.opens("Support", &["refund"]);
        stage.sandbox.person("frontline-1").takes(ticket);
        stage.look(ticket);
        stage.notes("frontline-1", ticket, "/handoff billing above my limit");
        let note = stage.ours(ticket).remove(0);
        assert!(note.contains("To be taken on: by Mon 11 May 10:3"), "{dialect:?}: {note}");
        stage.pass(64 * HOUR + 1_800);
        assert_eq!((stage.ours(ticket).len(), stage.unclaimed()), (1, 0), "{dialect:?}: Monday, nine o'clock");
        stage.pass(HOUR + 1_200);
        assert_eq!(stage.ours(ticket).len(), 1, "{dialect:?}: Monday, twenty past ten");
        stage.pass(1_200);
        assert_eq!(stage.ours(ticket).len(), 2, "{dialect:?}: Monday, twenty to eleven");
    }
}

#[test]
fn only_the_receiving_team_claims_where_no_rule_asks_who_works_there() {
    for dialect in DIALECTS.into_iter().chain([Dialect::Freshdesk]) {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.sandbox.person("frontline-1").takes(ticket);
        stage.look(ticket);
        stage.notes("frontline-1", ticket, "/handoff billing above my limit");
        stage.pass(600);
        let claimed = |stage: &Stage| stage.handoffs()[0].claimed.as_ref().map(|(_, who)| who.clone());
        for giving in ["frontline-1", "frontline-2"] {
            stage.notes(giving, ticket, "The customer called again.");
            assert_eq!(claimed(&stage), None, "{dialect:?}: {giving} gave it away");
        }
        stage.notes("billing-2", ticket, "I look at it.");
        assert_eq!(claimed(&stage).as_deref(), Some("Billing Agent 2"), "{dialect:?}");
    }
}

#[test]
fn a_customer_with_two_cases_is_told_once_in_a_quiet_period() {
    for dialect in DIALECTS.into_iter().chain([Dialect::Freshdesk]) {
        let message = "[messages.escalated]\nsigners = [\"ops@acme.example\"]\nen = \"We look at it.\"\n\n";
        let rule = on_request("billing-on-request", "billing", "true", "never");
        let tells = "customer = { message = \"escalated\", quiet_for = \"24h\", after_reply = \"0s\" }";
        let mut stage = Stage::with(dialect, &policy(dialect, &format!("{}\n{tells}\n\n{message}", rule.trim_end())));
        let wording = stage.wording("escalated");
        stage.orders("ops@acme.example", Command::Sign { message: "escalated".into(), wording }).expect("signed");
        let hands_over = |stage: &mut Stage| {
            let ticket = stage.opens("Support", &[]);
            stage.sandbox.person("frontline-1").takes(ticket);
            stage.look(ticket);
            stage.notes("frontline-1", ticket, "/handoff billing above my limit");
            stage.pass(600);
            ticket
        };
        let (first, second) = (hands_over(&mut stage), hands_over(&mut stage));
        assert_eq!((stage.told(first), stage.told(second)), (1, 0), "{dialect:?}");
        let why = |stage: &Stage, at: usize| format!("{:?}", stage.handoffs()[at].proposal.customer);
        assert!(why(&stage, 1).contains(&format!("already, on their ticket {}", first.0)), "{}", why(&stage, 1));
        stage.pass(24 * HOUR);
        let third = hands_over(&mut stage);
        assert_eq!(stage.told(third), 1, "{dialect:?}: {}", why(&stage, 2));
    }
}
