//! What people order at the command line on a simulated day: an undo, a yes or no, giving up or trying again what is parked.

use handoffd::daemon::control::{Command, Order, Target, execute};
use handoffd::daemon::house::House;
use handoffd::ledger::states::HandoffState;
use handoffd::ledger::{HandoffFilter, Ledger};

/// An order.
#[derive(Clone, Copy, Debug)]
pub enum ByHand {
    /// Takes a handoff back.
    Undoes,
    /// Says yes to a review.
    Approves,
    /// Says no to a review, or to an asking.
    Rejects,
    /// Tries everything again that is parked.
    Retries,
    /// Gives everything up that is parked.
    Drops,
    /// Lets rules act that were held back.
    Releases,
}

/// Gives the order; which handoff it is about is drawn before, by `pick`.
pub async fn give(house: House, what: ByHand, pick: usize) {
    let found = house.ledger.call(move |ledger| find(ledger, what, pick)).await;
    let Ok(Some(command)) = found else { return };
    let order = Order { command, by: "billing-1@acme.example".into() };
    // It may be refused, or the desk may not answer: a person would say it again.
    drop(execute(&house, order, "simulation").await);
}

fn find(ledger: &mut Ledger, what: ByHand, pick: usize) -> handoffd::ledger::Result<Option<Command>> {
    let all = HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() };
    let one_in = |states: &[HandoffState]| -> handoffd::ledger::Result<Option<String>> {
        let ids = ledger.handoffs(&all)?.into_iter().filter(|one| states.contains(&one.state)).map(|one| one.id);
        let ids: Vec<String> = ids.collect();
        Ok(ids.get(pick % ids.len().max(1)).cloned())
    };
    let everything = || Target::All { desk: None, rule: None };
    let reason = || "by hand".to_owned();
    use HandoffState as S;
    Ok(match what {
        ByHand::Undoes => {
            one_in(&[S::Verifying, S::Settled])?.map(|handoff| Command::Undo { handoff, reason: reason() })
        }
        ByHand::Approves => match one_in(&[S::InReview])? {
            // Where rules want different teams, an order says which.
            Some(handoff) => {
                let to = Some(ledger.handoff(&handoff)?.proposal.to);
                Some(Command::Approve { handoff, reason: None, to })
            }
            None => None,
        },
        ByHand::Rejects => {
            one_in(&[S::InReview, S::Asking])?.map(|handoff| Command::Reject { handoff, reason: reason() })
        }
        ByHand::Retries => Some(Command::Retry { target: everything() }),
        ByHand::Drops => Some(Command::Drop { target: everything(), reason: reason() }),
        ByHand::Releases => Some(Command::Release { rule: "refund-over-limit".into(), limit: 1_000 }),
    })
}
