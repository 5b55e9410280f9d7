//! `/handoff TEAM reason`: the rules decide, the ticket shows who asked.

use crate::stage::{DIALECTS, Dialect, Stage, on_request, policy, two_rules};
use handoffd::daemon::control::Command;
use handoffd_sandbox::ticket::Status;

#[test]
fn an_agent_s_request_is_carried_out_with_everything_that_a_rule_promises_and_names_them() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        assert!(stage.handoffs().is_empty(), "{dialect:?}: nothing happens unasked");
        stage.notes("frontline-1", ticket, "/handoff billing the customer insists on a manager");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}");
        let notes = stage.ours(ticket);
        assert_eq!(notes.len(), 1, "{dialect:?}: the handoff's own note is the answer: {notes:?}");
        for words in [
            "Escalated: frontline → billing",
            "Why: Frontline Agent 1 asks: the customer insists on a manager (rule billing-on-request)",
            "Asked for by: Frontline Agent 1 (/handoff)\n",
            "command.reason: see \"Why\"",
            "I was charged twice.",
        ] {
            assert!(notes[0].contains(words), "{dialect:?}: {words} in {}", notes[0]);
        }
        assert_eq!(stage.commands(ticket), [("handoff".into(), "taken".into())]);
        let asked = stage.handoffs()[0].proposal.asked.clone().expect("recorded");
        assert_eq!(
            (asked.by.as_str(), asked.by_email.as_deref()),
            ("Frontline Agent 1", Some("frontline-1@acme.example"))
        );
    }
}

#[test]
fn the_twin_ticket_without_a_request_or_without_the_condition_stays_and_is_told_why() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &[]);
        stage.notes("frontline-1", ticket, "asked the customer for the invoice");
        assert!(stage.ours(ticket).is_empty() && stage.commands(ticket).is_empty(), "{dialect:?}");
        stage.notes("frontline-1", ticket, "/handoff billing please");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}");
        let notes = stage.ours(ticket);
        assert_eq!(notes.len(), 1, "{dialect:?}: {notes:?}");
        assert!(notes[0].contains("not done") && notes[0].contains(r#"has_tag("refund")"#), "{}", notes[0]);
        assert!(notes[0].contains("/handoff second-line REASON"), "what would be accepted: {}", notes[0]);
        // The condition comes to hold later: what was answered with no is not carried out behind the agent's back.
        stage.tags("frontline-2", ticket, "refund");
        assert_eq!((stage.queue(ticket), stage.handoffs().len()), ("Support".to_owned(), 0), "{dialect:?}");
    }
}

#[test]
fn a_team_that_cannot_be_asked_for_is_answered_with_those_that_can() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        for (words, answer) in [
            ("/handoff legal it is serious", "no team is called \"legal\" here"),
            ("/handoff", "say to whom"),
            ("/handoff frontline again", "the case is with frontline already"),
            ("/handoff Support again", "the case is with frontline already"),
        ] {
            stage.notes("frontline-1", ticket, words);
            let last = stage.ours(ticket).pop().expect("an answer");
            assert!(last.contains(answer), "{dialect:?}: {last}");
            assert!(last.contains("Accepted: /handoff billing REASON, /handoff second-line REASON"), "{last}");
            assert!(last.contains("Frontline Agent 1"), "who is answered: {last}");
        }
        assert!(stage.handoffs().is_empty());
        // From a team that no such rule takes cases from, nothing can be asked for.
        let ticket = stage.opens("Billing", &["refund"]);
        stage.notes("billing-1", ticket, "/handoff second-line please");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("nobody may ask for a handoff from billing to second-line"), "{last}");
        assert!(last.contains("No team can be asked for from billing"), "{last}");
    }
}

#[test]
fn a_team_goes_by_its_queue_and_an_html_note_counts_like_a_plain_one() {
    for dialect in DIALECTS {
        let mut stage = Stage::with(dialect, &policy(dialect, &on_request("up", "second-line", "true", "never")));
        let ticket = stage.opens("Support", &[]);
        stage.notes_html(
            "frontline-1",
            ticket,
            "<div>/Handoff <b>Tier 2</b>: needs a log&nbsp;file</div><p>Thanks</p>",
        );
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.handoffs()[0].proposal.asked.clone().expect("asked").reason, "needs a log file");
    }
}

#[test]
fn a_bounced_request_stays_closed_for_the_same_reason_and_opens_for_a_new_one() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "/handoff billing they insist");
        stage.later(5);
        stage.sandbox.person("billing-1").moves(ticket, "Support");
        stage.look(ticket);
        assert_eq!(stage.states(), ["bounced"], "{dialect:?}");
        stage.notes("frontline-1", ticket, "/handoff billing they insist");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("billing gave it straight back before"), "{dialect:?}: {last}");
        assert_eq!(stage.queue(ticket), "Support");
        stage.notes("frontline-1", ticket, "/handoff billing order 4711 proves it");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn over_the_limit_the_agent_is_told_once_that_it_waits_and_it_goes_when_there_is_room() {
    for dialect in DIALECTS {
        let rules =
            two_rules() + "[policy]\nlimits = { per_rule_per_hour = 1, per_desk_per_hour = 100, hops_per_day = 4 }\n";
        let mut stage = Stage::with(dialect, &policy(dialect, &rules));
        let first = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", first, "/handoff billing the first");
        let second = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", second, "/handoff billing the second");
        assert_eq!(
            (stage.queue(first), stage.queue(second)),
            ("Billing".to_owned(), "Support".to_owned()),
            "{dialect:?}"
        );
        stage.look(second);
        let notes = stage.ours(second);
        assert_eq!(notes.len(), 1, "{dialect:?}: told once: {notes:?}");
        assert!(notes[0].contains("it waits"), "{}", notes[0]);
        stage.later(3_700);
        stage.run();
        assert_eq!(stage.queue(second), "Billing", "{dialect:?}: {:?}", stage.ours(second));
    }
}

#[test]
fn in_shadow_nothing_is_written_and_a_rule_in_shadow_says_so() {
    for dialect in DIALECTS {
        let shadow = policy(dialect, &two_rules()).replace("mode = \"live\"\n\n[desks", "mode = \"shadow\"\n\n[desks");
        let mut stage = Stage::with(dialect, &shadow);
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "/handoff billing please");
        stage.notes("frontline-1", ticket, "/back done");
        assert!(stage.ours(ticket).is_empty(), "{dialect:?}");
        assert_eq!(stage.commands(ticket).len(), 2, "{dialect:?}: recorded all the same");

        let one = two_rules().replacen("mode = \"live\"", "mode = \"shadow\"", 1);
        let mut stage = Stage::with(dialect, &policy(dialect, &one));
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "/handoff billing please");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("is in shadow"), "{dialect:?}: {last}");
    }
}

#[test]
fn an_unsigned_sensitive_rule_answers_an_agent_and_moves_nothing() {
    for dialect in DIALECTS {
        let reviewer = "[policy]\nowner = \"ops@acme.example\"\nsecond_reviewer = \"security@acme.example\"\n";
        let rules = two_rules().replacen("review = \"never\"", "review = \"never\"\nsensitive = true", 1) + reviewer;
        let mut stage = Stage::with(dialect, &policy(dialect, &rules));
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "/handoff billing please");
        let last = stage.ours(ticket).pop().expect("an answer");
        assert!(last.contains("until its second reviewer has signed it"), "{dialect:?}: {last}");
        assert_eq!((stage.queue(ticket), stage.handoffs().len()), ("Support".to_owned(), 0), "{dialect:?}");

        let version = stage.version("billing-on-request");
        let sign = Command::SignRule { rule: "billing-on-request".into(), version };
        assert!(stage.orders("frontline-1", sign.clone()).is_err(), "{dialect:?}: not the second reviewer");
        stage.orders("security@acme.example", sign).expect("signed");
        stage.notes("frontline-1", ticket, "/handoff billing once more, please");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn on_tickets_that_are_left_alone_no_answer_is_written_either() {
    for dialect in DIALECTS {
        let never = two_rules() + "[policy]\nnever = 'has_tag(\"legal-hold\")'\n";
        let mut stage = Stage::with(dialect, &policy(dialect, &never));
        let held = stage.opens("Support", &["refund", "legal-hold"]);
        stage.notes("frontline-1", held, "/handoff billing please");
        assert!(stage.ours(held).is_empty(), "{dialect:?}");
        assert_eq!(stage.commands(held), [("handoff".into(), "ignored".into())], "{dialect:?}");
        let solved = stage.opens("Support", &["refund"]);
        stage.later(5);
        stage.sandbox.person("frontline-1").puts(solved, Status::Solved);
        stage.notes("frontline-1", solved, "/handoff billing please");
        let answers = stage.ours(solved);
        assert!(answers.len() == 1 && answers[0].contains("the ticket is solved"), "{dialect:?}: {answers:?}");
        assert!(stage.handoffs().is_empty(), "{dialect:?}");
    }
}

#[test]
fn where_commands_are_switched_off_nobody_is_listened_to() {
    for dialect in DIALECTS {
        let off = "[desks.acme.commands]\nnotes = false\n";
        let mut stage = Stage::with(dialect, &policy(dialect, &(two_rules() + off)));
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "/handoff billing please");
        assert!(stage.ours(ticket).is_empty() && stage.commands(ticket).is_empty(), "{dialect:?}");
        stage.tags("frontline-1", ticket, "handoff:billing");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: labels are still heard");
    }
}

#[test]
fn a_request_is_overtaken_by_a_person_who_moves_the_case_before_it_is_decided() {
    let mut stage = Stage::new(Dialect::Zendesk);
    let ticket = stage.opens("Support", &["refund"]);
    stage.later(5);
    stage.sandbox.person("frontline-1").notes(ticket, "/handoff billing please");
    stage.later(5);
    stage.sandbox.person("frontline-2").moves(ticket, "Tier 2");
    stage.look(ticket);
    assert_eq!(stage.queue(ticket), "Tier 2", "the person's move stands");
    assert!(stage.handoffs().is_empty() && stage.ours(ticket).is_empty(), "a note from before the move orders nothing");
}

#[test]
fn what_nobody_has_asks_its_whole_team_for_what_is_missing_and_each_of_them_may_say_no() {
    let asks = "[[escalate]]\nname = \"refund\"\nmode = \"live\"\ntrigger = \"exception\"\nfrom = [\"frontline\"]\nto = \"billing\"\n\
                when = 'has_tag(\"refund\")'\nreason = \"A refund\"\n\
                package = { require = [\"steps\"], missing = \"ask\", ask_for = \"4h\", then = \"review\" }\n";
    for dialect in DIALECTS {
        let mut stage = Stage::with(dialect, &policy(dialect, asks));
        let ticket = stage.opens("Support", &["refund"]);
        assert_eq!((stage.states(), stage.owner(ticket)), (vec!["asking"], None), "{dialect:?}");
        assert!(stage.ours(ticket)[0].starts_with("For frontline: "), "{dialect:?}: {:?}", stage.ours(ticket));
        stage.notes("tier2-1", ticket, "/reject not ours");
        assert_eq!(stage.states(), ["asking"], "{dialect:?}: nobody asked the second line");
        stage.notes("frontline-2", ticket, "/reject we refund this ourselves");
        assert_eq!(stage.states(), ["withdrawn"], "{dialect:?}: {:?}", stage.ours(ticket));
    }
}
