//! Owners who are suspended or leave their group while they own a case.

use crate::stage::{DIALECTS, Dialect, Stage, on_request, policy};
use handoffd_sandbox::ids::TicketNo;

const HOUR: i64 = 3_600;

/// A case that billing took on, and that this agent of theirs owns.
fn owned(dialect: Dialect, owner: &str) -> (Stage, TicketNo) {
    let rule = on_request("billing-on-request", "billing", r#"has_tag("refund")"#, "never");
    let text = format!("{}\nowner = {{ assign = \"queue\", claim_within = \"2h\" }}\n\n", rule.trim_end());
    let mut stage = Stage::with(dialect, &policy(dialect, &text));
    let ticket = stage.opens("Support", &["refund"]);
    stage.notes("frontline-1", ticket, "/handoff billing above my limit");
    stage.later(60);
    stage.sandbox.person(owner).takes(ticket);
    stage.look(ticket);
    assert_eq!((stage.owner(ticket).as_deref(), stage.lost()), (Some(owner), vec![]));
    (stage, ticket)
}

#[test]
fn an_owner_who_is_suspended_is_missed_once_until_somebody_else_has_it() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = owned(dialect, "billing-1");
        stage.pass(HOUR);
        assert_eq!((stage.lost(), stage.ours(ticket).len()), (vec![], 1), "{dialect:?}: nobody is missed");
        suspend(&stage, "billing-1", true);
        stage.pass(HOUR);
        let why = "Billing Agent 1 is not active on the desk any more";
        assert_eq!(stage.lost(), [why], "{dialect:?}");
        let notes = stage.ours(ticket);
        assert_eq!(notes.len(), 2, "{dialect:?}: {notes:?}");
        assert!(notes[1].starts_with(&format!("This case has lost its owner: {why}.")), "{notes:?}");
        assert_eq!(
            stage.owner(ticket).as_deref(),
            Some("billing-1"),
            "{dialect:?}: it stays theirs until somebody acts"
        );
        stage.pass(12 * HOUR);
        assert_eq!(stage.ours(ticket).len(), 2, "{dialect:?}: once");
        stage.sandbox.person("billing-2").takes(ticket);
        stage.look(ticket);
        assert_eq!(stage.lost(), Vec::<String>::new(), "{dialect:?}");
        // The next owner is lost too: that is another word.
        leave(&stage, "Billing", "billing-2");
        stage.pass(HOUR);
        assert_eq!(stage.lost(), ["Billing Agent 2 is no member of the team any more"], "{dialect:?}");
        assert_eq!(stage.ours(ticket).len(), 3, "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn who_leaves_the_group_is_missed_in_its_open_cases_and_in_no_others() {
    for dialect in DIALECTS {
        let (mut stage, solved) = owned(dialect, "billing-2");
        stage.sandbox.person("billing-2").solves(solved);
        stage.look(solved);
        let elsewhere = stage.opens("Tier 2", &[]);
        stage.sandbox.with(|desk| {
            let (person, queue) =
                (desk.find_person("billing-2").map(|it| it.no), desk.find_queue("Tier 2").map(|it| it.no));
            let queue = desk.queues.get_mut(&queue.expect("a queue")).expect("a queue");
            queue.members.insert(person.expect("a person"));
        });
        stage.sandbox.person("billing-2").takes(elsewhere);
        stage.look(elsewhere);
        leave(&stage, "Billing", "billing-2");
        stage.pass(HOUR);
        assert_eq!(stage.lost(), Vec::<String>::new(), "{dialect:?}");
        assert_eq!((stage.ours(solved).len(), stage.ours(elsewhere).len()), (1, 0), "{dialect:?}");
        // Who comes back is missed no more.
        let (mut stage, ticket) = owned(dialect, "billing-1");
        leave(&stage, "Billing", "billing-1");
        stage.pass(HOUR);
        assert_eq!(stage.lost().len(), 1, "{dialect:?}");
        stage.sandbox.with(|desk| {
            let person = desk.find_person("billing-1").map(|it| it.no).expect("a person");
            let queue = desk.find_queue("Billing").map(|it| it.no).expect("a queue");
            desk.queues.get_mut(&queue).expect("a queue").members.insert(person);
        });
        stage.pass(HOUR);
        assert_eq!(stage.lost(), Vec::<String>::new(), "{dialect:?}: they are back");
        assert_eq!(stage.owner(ticket).as_deref(), Some("billing-1"), "{dialect:?}");
    }
}

fn suspend(stage: &Stage, login: &str, suspended: bool) {
    stage.sandbox.with(|desk| {
        let no = desk.find_person(login).map(|person| person.no).expect("a person");
        desk.people.get_mut(&no).expect("a person").suspended = suspended;
    });
}

fn leave(stage: &Stage, queue: &str, login: &str) {
    stage.sandbox.with(|desk| {
        let person = desk.find_person(login).map(|person| person.no).expect("a person");
        let queue = desk.find_queue(queue).map(|queue| queue.no).expect("a queue");
        desk.queues.get_mut(&queue).expect("a queue").members.remove(&person);
    });
}
