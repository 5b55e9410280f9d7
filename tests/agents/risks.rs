//! Words that ask a person: a ticket whose words are of a risk waits, and its twin goes.

use crate::stage::{CUSTOMER, DIALECTS, Dialect, Stage, policy};
use handoffd::policy::risk::Place;
use handoffd::policy::verdict::Risk;
use handoffd_sandbox::ids::TicketNo;

const RISKS: &str = "[risks.security]\nuse = [\"security\"]\nadd = { any = [\"zz top secret\"] }\n\n";

/// A rule that moves what is labelled so, without anybody asking for it.
fn labelled(more: &str) -> String {
    format!(
        "{RISKS}[[escalate]]\nname = \"labelled\"\nmode = \"live\"\ntrigger = \"exception\"\nfrom = [\"frontline\"]\nto = \"billing\"\n\
         when = 'has_tag(\"refund\")'\nreason = \"It is labelled\"\n{more}\n"
    )
}

fn every() -> impl Iterator<Item = Dialect> {
    DIALECTS.into_iter().chain([Dialect::Freshdesk])
}

/// A ticket in frontline's queue that says this and is not labelled yet.
fn saying(stage: &mut Stage, text: &str) -> TicketNo {
    stage.opens_saying("Support", &[], ("My account", text))
}

#[test]
fn a_ticket_whose_words_are_of_a_risk_waits_for_a_yes_and_its_twin_goes() {
    for dialect in every() {
        let mut stage = Stage::with(dialect, &policy(dialect, &labelled("")));
        let (asks, goes) = (saying(&mut stage, "Somebody HACKED it."), saying(&mut stage, "Somebody uses it."));
        for ticket in [asks, goes] {
            stage.tags("frontline-1", ticket, "refund");
        }
        assert_eq!(stage.queue(goes), "Billing", "{dialect:?}: {:?}", stage.handoffs());
        assert_eq!(
            (stage.queue(asks).as_str(), stage.ours(asks).len()),
            ("Support", 0),
            "{dialect:?}: nothing is written"
        );
        let waiting = stage.handoffs().into_iter().find(|one| one.proposal.ticket.as_str() == asks.0.to_string());
        let risks = waiting.expect("a handoff").risks;
        let [Risk::Words { risk, found, more: 0 }] = risks.as_slice() else { panic!("{dialect:?}: {risks:?}") };
        let told = (risk.as_str(), found[0].entry.as_str(), found[0].list.as_deref(), found[0].place.clone());
        assert_eq!(told, ("security", "hacked", Some("security"), Place::Message(1)), "{dialect:?}");
        assert!(!format!("{risks:?}").contains("Somebody"), "nothing of the ticket's text");
        // Who is no reviewer may not; the reviewer may, and then it goes.
        stage.notes("frontline-1", asks, "/approve");
        assert_eq!(stage.queue(asks), "Support", "{dialect:?}");
        stage.notes("billing-1", asks, "/approve called them");
        assert_eq!(stage.queue(asks), "Billing", "{dialect:?}: {:?}", stage.ours(asks));
    }
}

#[test]
fn what_agents_and_we_wrote_what_is_quoted_and_what_only_signs_asks_nobody() {
    for dialect in every() {
        let mut stage = Stage::with(dialect, &policy(dialect, &labelled("")));
        let ticket = saying(&mut stage, "It does not work.");
        stage.later(20);
        stage.sandbox.person("frontline-1").replies(ticket, "Was it hacked?");
        stage.later(20);
        stage.sandbox.person("frontline-1").notes(ticket, "Looks hacked to me, zz top secret.");
        stage.later(20);
        let reply = "No.\n\n-- \nEva Example\nHacked Electronics\n\nOn Mon, 4 May 2026 at 10:00, Support <support@acme.example> wrote:\n> Was it hacked?";
        stage.sandbox.person(CUSTOMER).replies(ticket, reply);
        stage.tags("frontline-1", ticket, "refund");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.handoffs());

        let ticket = saying(&mut stage, "It does not work.");
        stage.later(20);
        stage.sandbox.person("frontline-1").replies(ticket, "Was it?");
        stage.later(20);
        stage.sandbox.person(CUSTOMER).replies(ticket, "Yes: zz   top-secret\nwas hacked");
        stage.tags("frontline-1", ticket, "refund");
        let waiting = stage.handoffs().pop().expect("a handoff");
        let [Risk::Words { found, .. }] = waiting.risks.as_slice() else { panic!("{dialect:?}: {:?}", waiting.risks) };
        let told: Vec<_> = found.iter().map(|hit| (hit.entry.as_str(), hit.place.clone())).collect();
        let second = || Place::Message(2);
        assert_eq!(told, [("zz top secret", second()), ("hacked", second())], "{dialect:?}");
    }
}

#[test]
fn a_rule_names_its_risks_and_a_route_asks_only_where_it_names_some() {
    for dialect in DIALECTS {
        let mut stage = Stage::with(dialect, &policy(dialect, &labelled("risks = []\n")));
        let ticket = saying(&mut stage, "Somebody hacked it.");
        stage.tags("frontline-1", ticket, "refund");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}");

        for (more, asks) in [("", false), ("risks = [\"security\"]\n", true)] {
            let route =
                format!("[[route]]\nname = \"all\"\nmode = \"live\"\ndesk = \"acme\"\nto = \"frontline\"\n{more}\n");
            let mut stage = Stage::with(dialect, &policy(dialect, &(route + &labelled(""))));
            let ticket = stage.opens_saying("Incoming", &[], ("My account", "Somebody hacked it."));
            let twin = stage.opens_saying("Incoming", &[], ("My account", "Somebody uses it."));
            assert_eq!(stage.queue(twin), "Support", "{dialect:?}");
            assert_eq!(
                stage.queue(ticket),
                if asks { "Incoming" } else { "Support" },
                "{dialect:?}: {:?}",
                stage.handoffs()
            );
            if asks {
                stage.notes("frontline-2", ticket, "/approve");
                assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
            }
        }
    }
}

#[test]
fn a_reminder_says_why_a_person_is_asked() {
    for dialect in DIALECTS {
        let terms = "reviews = { answer_within = \"4h\", remind_every = \"1h\", unanswered = \"approve\" }\n";
        let mut stage = Stage::with(dialect, &policy(dialect, &labelled(terms)));
        let ticket = saying(&mut stage, "Somebody hacked it.");
        stage.tags("frontline-1", ticket, "refund");
        stage.pass(2 * 3_600);
        let notes = stage.ours(ticket);
        let words = "A person is asked because its words are of the risk security: \"hacked\" (list security, en) in the customer's message 1.";
        assert!(notes.first().is_some_and(|note| note.contains(words)), "{dialect:?}: {notes:?}");
        stage.pass(4 * 3_600);
        assert_eq!(
            (stage.queue(ticket), stage.states()),
            ("Support".to_owned(), vec!["in_review"]),
            "{dialect:?}: no answer is no yes"
        );
    }
}
