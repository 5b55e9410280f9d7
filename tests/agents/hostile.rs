//! Everything that looks like a command and is none: nothing is obeyed, nothing is answered.

use crate::stage::{CUSTOMER, DIALECTS, Dialect, Stage};
use handoffd_sandbox::change::{NewMessage, TagChange, Update};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed;
use handoffd_sandbox::ticket::{Body, Visibility};

fn is_left_alone(stage: &Stage, ticket: TicketNo, what: &str) {
    assert_eq!(stage.queue(ticket), "Support", "{:?}: {what}", stage.dialect);
    assert!(stage.ours(ticket).is_empty(), "{:?}: {what}: {:?}", stage.dialect, stage.ours(ticket));
    assert!(stage.commands(ticket).is_empty(), "{:?}: {what}", stage.dialect);
    assert!(stage.handoffs().is_empty(), "{:?}: {what}", stage.dialect);
}

#[test]
fn a_customer_s_mail_that_begins_with_a_command_is_a_mail() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        stage.later(10);
        let queue = stage.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
        let tags = Some(TagChange::Set(["refund".to_owned(), "handoff:billing".to_owned()].into()));
        let set = Update { queue: Some(queue), tags, ..Update::default() };
        let ticket = seed::customer_writes(&stage.sandbox, CUSTOMER, "/handoff billing", "/handoff billing now!", set);
        stage.look(ticket);
        is_left_alone(&stage, ticket, "the first mail");
        stage.later(5);
        stage.sandbox.person(CUSTOMER).replies(ticket, "/handoff billing\n/approve");
        stage.look(ticket);
        is_left_alone(&stage, ticket, "a later mail");
        // A customer who is only copied writes privately on some desks.
        stage.notes(CUSTOMER, ticket, "/handoff billing");
        is_left_alone(&stage, ticket, "a private word of a customer");
    }
}

#[test]
fn an_agent_s_public_reply_orders_nothing() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.later(5);
        stage.sandbox.person("frontline-1").replies(ticket, "/handoff billing please");
        stage.look(ticket);
        is_left_alone(&stage, ticket, "a public reply");
    }
}

#[test]
fn what_an_agent_quotes_forwards_or_explains_orders_nothing() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        for html in [
            "<blockquote>/handoff billing</blockquote>",
            "<blockquote type=\"cite\"><p>/handoff billing please</p></blockquote><p>What does this mean?</p>",
            "<p>The customer wrote:</p><p>/handoff billing</p>",
            "<div>-----Original Message-----</div><div>/handoff billing</div>",
            "<ul><li>/handoff billing</li></ul>",
            "<style>p{}</style><script>/handoff billing</script><p>hello</p>",
        ] {
            stage.notes_html("frontline-1", ticket, html);
            is_left_alone(&stage, ticket, html);
        }
        for text in ["> /handoff billing", "Try /handoff billing", "\u{202e}/handoff billing", "/handoffs billing"] {
            stage.notes("frontline-1", ticket, text);
            is_left_alone(&stage, ticket, text);
        }
    }
}

#[test]
fn our_own_account_and_rules_of_the_desk_order_nothing() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.later(5);
        stage.sandbox.person(seed::BOT).notes(ticket, "/handoff billing");
        stage.look(ticket);
        assert!(stage.commands(ticket).is_empty(), "{dialect:?}: our own account");
        stage.later(5);
        stage.sandbox.automation("Escalate it").notes(ticket, "/handoff billing");
        stage.look(ticket);
        assert!(stage.commands(ticket).is_empty() && stage.handoffs().is_empty(), "{dialect:?}: a rule");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}");
    }
}

#[test]
fn a_note_that_somebody_posts_in_an_agent_s_name_is_not_theirs() {
    let mut stage = Stage::new(Dialect::Zendesk);
    let ticket = stage.opens("Support", &["refund"]);
    let agent = stage.sandbox.person("frontline-1").no();
    let forged =
        NewMessage { author: agent, ..NewMessage::new(Visibility::Internal, Body::Plain("/handoff billing".into())) };
    for login in [CUSTOMER, "frontline-2"] {
        stage.does(login, ticket, Update { say: vec![forged.clone()], ..Update::default() });
        is_left_alone(&stage, ticket, login);
    }
}

#[test]
fn a_forged_mark_neither_silences_a_command_nor_makes_a_note_ours() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "/handoff billing please\n\n[handoffd c000000000000/1 command@handoff]");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn the_same_note_seen_often_counts_once_and_a_huge_one_costs_nothing() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &[]);
        stage.notes("frontline-1", ticket, "/back done");
        for _ in 0..3 {
            stage.look(ticket);
            stage.later(5);
            stage.sandbox.person("frontline-2").notes(ticket, "by the way");
            stage.look(ticket);
        }
        assert_eq!((stage.commands(ticket).len(), stage.ours(ticket).len()), (1, 1), "{dialect:?}");
        let before = stage.commands(ticket).len();
        stage.notes("frontline-1", ticket, &"x /handoff billing ".repeat(60_000));
        assert_eq!(stage.commands(ticket).len(), before, "{dialect:?}: a megabyte of talk");
    }
}

#[test]
fn a_note_that_is_edited_into_a_command_afterwards_stays_what_it_was() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "asked the customer");
        let edit = |stage: &Stage, text: &str| {
            stage.sandbox.with(|desk| {
                let ticket = desk.tickets.get_mut(&ticket).expect("the ticket");
                ticket.messages.last_mut().expect("a note").body = Body::Plain(text.to_owned());
            });
        };
        edit(&stage, "/handoff billing please");
        stage.later(5);
        stage.sandbox.person("frontline-2").tags(ticket, "seen");
        stage.look(ticket);
        is_left_alone(&stage, ticket, "an edited note");
        // And a command that is edited afterwards is not given twice.
        stage.notes("frontline-1", ticket, "/back done");
        edit(&stage, "/back really done");
        stage.later(5);
        stage.sandbox.person("frontline-2").tags(ticket, "seen-again");
        stage.look(ticket);
        assert_eq!(stage.commands(ticket).len(), 1, "{dialect:?}");
    }
}

#[test]
fn a_hostile_reason_opens_no_line_and_no_placeholder_in_our_notes() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        let reason = "{{ticket.requester.email}} <b>x</b> [handoffd h/1 r@v] \u{202a}password: hunter2";
        stage.notes("frontline-1", ticket, &format!("/handoff billing {reason}"));
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
        let note = stage.ours(ticket).remove(0);
        assert!(!note.contains("customer@standard.example") && !note.contains('\u{202a}'), "{dialect:?}: {note}");
        assert!(note.lines().filter(|line| line.starts_with("Asked for by")).count() == 1, "{note}");
    }
}
