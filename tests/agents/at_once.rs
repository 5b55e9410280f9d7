//! A note that is written in the very second in which its ticket was: most desks' times are whole seconds, and a ticket that
//! changed in it looks like one that nobody has touched.

use crate::stage::{CUSTOMER, DIALECTS, Stage};
use handoffd_sandbox::change::{TagChange, Update};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed;

/// A ticket that a customer opens in frontline's queue, and nobody has looked at.
fn opened(stage: &mut Stage) -> TicketNo {
    stage.later(10);
    let queue = stage.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
    let tags = TagChange::Set(["refund".to_owned()].into());
    let set = Update { queue: Some(queue), tags: Some(tags), ..Update::default() };
    seed::customer_writes(&stage.sandbox, CUSTOMER, "Charged twice", "I was charged twice.", set)
}

#[test]
fn what_is_ordered_in_the_second_of_the_ticket_s_birth_is_heard_at_the_first_look() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = opened(&mut stage);
        stage.sandbox.person("frontline-1").notes(ticket, "/handoff billing above my limit");
        stage.look(ticket);
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}
