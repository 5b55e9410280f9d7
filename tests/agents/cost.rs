//! What listening costs in calls, counted at the helpdesk.

use crate::stage::{DIALECTS, Dialect, Stage, policy, two_rules};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::{Asked, Kind};

/// Reads of this ticket, or of things by its transactions, since the last time.
fn reads(stage: &mut Stage, ticket: TicketNo) -> usize {
    let about = |asked: &Asked| asked.ticket == Some(ticket) || asked.path.contains("/attachments");
    stage.asked().iter().filter(|asked| asked.kind == Kind::Read && about(asked)).count()
}

/// What a head costs. Zammad keeps labels apart from the ticket.
fn head(dialect: Dialect) -> usize {
    if dialect == Dialect::Zammad { 2 } else { 1 }
}

#[test]
fn a_ticket_that_nobody_could_order_anything_on_costs_one_call() {
    for dialect in DIALECTS {
        let automatic = two_rules()
            .replace("trigger = \"manual\"", "trigger = \"complexity\"")
            .replace("command.by", "case.team")
            .replace("command.reason", "case.team");
        let none = automatic
            .replace("when = 'true'", "when = 'has_tag(\"never-set\")'")
            .replace("has_tag(\"refund\")", "has_tag(\"never-set\")");
        let mut stage = Stage::with(dialect, &policy(dialect, &none));
        let ticket = stage.opens("Support", &["refund"]);
        stage.asked();
        stage.notes("frontline-1", ticket, "asked the customer");
        assert_eq!(reads(&mut stage, ticket), head(dialect), "{dialect:?}: the head");
        assert!(stage.commands(ticket).is_empty());
    }
}

#[test]
fn where_agents_may_ask_news_costs_the_history_and_a_note_its_words() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.asked();
        stage.look(ticket);
        assert_eq!(reads(&mut stage, ticket), head(dialect), "{dialect:?}: nothing has changed");
        stage.later(5);
        stage.sandbox.person(crate::stage::CUSTOMER).replies(ticket, "any news?");
        stage.look(ticket);
        // Zammad's and Jira's histories do not have what was said: articles and comments are read with them.
        let history = if matches!(dialect, Dialect::Zammad | Dialect::Jira) { 2 } else { 1 };
        assert_eq!(reads(&mut stage, ticket), head(dialect) + history, "{dialect:?}: the head and the history");
        stage.notes("frontline-1", ticket, "asked a colleague");
        let words = match dialect {
            Dialect::Zendesk => 2,   // Head and audits: those have the words.
            Dialect::Rt => 5, // Head, history; then the history once more with the parts and texts of its messages.
            Dialect::Freshdesk => 2, // Head and conversation.
            Dialect::Zammad => 4, // Head with its labels, articles and history: those have the words.
            Dialect::Intercom => 2, // The conversation, and once more with its parts: those have the words.
            Dialect::Jira => 3, // Head, comments and history: those have the words.
        };
        assert_eq!(reads(&mut stage, ticket), words, "{dialect:?}");
    }
}

#[test]
fn a_case_in_a_queue_that_is_nobody_s_here_costs_one_call() {
    for dialect in DIALECTS {
        let policy = policy(dialect, &two_rules()).replace("intake = [\"Incoming\"]\n", "");
        let mut stage = Stage::with(dialect, &policy);
        let ticket = stage.opens("Incoming", &[]);
        stage.asked();
        stage.notes("frontline-1", ticket, "/handoff billing please");
        assert_eq!(reads(&mut stage, ticket), head(dialect), "{dialect:?}");
        assert!(stage.ours(ticket).is_empty(), "{dialect:?}");
    }
}
