//! A clock that somebody sets a day forward and back while a handoff is under way: late at worst, never lost, never twice.

use crate::stage::{Dialect, Stage};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::{Fault, FaultPlan, On};
use jiff::SignedDuration;

/// A handoff whose first write meets this fault, by a daemon whose clock is wrong by so many hours.
fn begun(dialect: Dialect, fault: Fault, wrong_by: i64) -> (Stage, TicketNo) {
    let mut stage = Stage::new(dialect);
    let ticket = stage.opens("Support", &["refund"]);
    stage.clock_jumps(wrong_by);
    stage.sandbox.set_faults(FaultPlan::default().next(1, On::Writes, fault));
    stage.notes("frontline-1", ticket, "/handoff billing the customer wants a refund");
    (stage, ticket)
}

#[test]
fn a_clock_that_jumps_a_day_loses_and_doubles_nothing() {
    for dialect in [Dialect::Zendesk, Dialect::Rt, Dialect::Freshdesk] {
        // Not sent yet; sent, and the answer lost.
        for fault in [Fault::RateLimited { retry_after: Some(SignedDuration::from_secs(120)) }, Fault::LostAfter] {
            let (mut calm, ticket) = begun(dialect, fault, 0);
            calm.pass(3_600);
            let said = calm.ours(ticket).len();
            assert_eq!(calm.queue(ticket), "Billing", "{dialect:?} {fault:?}");
            for (wrong_by, jumps) in [(0, [24, -24]), (0, [-24, 24]), (24, [-24, 0]), (-24, [24, 0])] {
                let (mut stage, ticket) = begun(dialect, fault, wrong_by);
                stage.look(ticket);
                for hours in jumps {
                    stage.clock_jumps(hours);
                    stage.run();
                    stage.look(ticket);
                }
                // What was put off while the clock was ahead is due a day later.
                for _ in 0..27 {
                    stage.later(3_600);
                    stage.run();
                }
                let place = format!("{dialect:?} {fault:?} {wrong_by} {jumps:?}");
                assert_eq!((stage.queue(ticket).as_str(), stage.ours(ticket).len()), ("Billing", said), "{place}");
                // Compared again at the next look.
                stage.look(ticket);
                assert_eq!((stage.states(), stage.parked().len()), (vec!["settled"], 0), "{place}");
            }
        }
    }
}
