//! Any number of tickets for benches and large tests: the same number and seed give the same tickets.

use super::{QUESTION, REFUND_EUR, STEPS, customer_writes};
use crate::change::{TagChange, Update};
use crate::ids::TicketNo;
use crate::sandbox::Sandbox;
use crate::ticket::Status;
use std::collections::{BTreeMap, BTreeSet};

/// Opens `count` tickets in Support, every tenth with a refund above 500 EUR, every tenth in Incoming without a team.
pub fn load(sandbox: &Sandbox, count: usize) -> Vec<TicketNo> {
    let (support, incoming, owner) = sandbox.with(|desk| {
        let queue = |name| desk.find_queue(name).map(|queue| queue.no);
        (queue("Support"), queue("Incoming"), desk.find_person("frontline-1").map(|person| person.no))
    });
    let open = |at: usize| {
        let routed = at % 10 == 3;
        let refund = at % 10 == 7;
        let mut set = Update { queue: Some(if routed { incoming } else { support }), ..Update::default() };
        if !routed {
            (set.owner, set.status) = (Some(owner), Some(Status::Open));
        }
        if refund {
            set.tags = Some(TagChange::Set(BTreeSet::from(["refund".to_owned()])));
            set.fields = BTreeMap::from([
                (REFUND_EUR, vec![(501 + at % 400).to_string()]),
                (STEPS, vec!["Checked the payment: captured twice".to_owned()]),
                (QUESTION, vec!["May it be sent back?".to_owned()]),
            ]);
        }
        let (plan, subject) = match (at % 4, routed, refund) {
            (0, ..) => ("premium", "Question about our plan"),
            (_, true, _) => ("standard", "Copy of our invoice"),
            (_, _, true) => ("standard", "Charged twice"),
            _ => ("standard", "Export is slow"),
        };
        let from = format!("customer-{}@{plan}.example", at % 97);
        customer_writes(sandbox, &from, &format!("{subject} ({at})"), "Hello,\n\nplease have a look.\n\nThank you", set)
    };
    (0..count).map(open).collect()
}

#[cfg(test)]
mod tests {
    use crate::seed;
    use crate::zendesk::Limits;
    use handoffd_kit::clock::ManualClock;
    use std::sync::Arc;

    #[test]
    fn a_load_is_as_large_as_asked_and_the_same_every_time() {
        let load = || {
            let clock = ManualClock::new("2026-05-04T08:00:00Z".parse().unwrap());
            let sandbox = seed::zendesk(Arc::new(clock), 1, Limits::WIDE);
            assert_eq!(seed::load(&sandbox, 200).len(), 200);
            let refunds = sandbox.with(|desk| desk.tickets.values().filter(|one| one.tags.contains("refund")).count());
            assert_eq!(refunds, 20);
            sandbox.journal().json().unwrap()
        };
        assert!(load() == load());
    }
}
