//! The end of a run: what is in work is finished, as far as the time for it allows.
//!
//! A call may wait for a vendor's limits longer than a stop may take. It has not left, so nothing about it is unsure: shortly
//! before the time is over the gates are closed, what waits in them fails as not sent, and the ledger gives it to the next
//! process as due. Only a call that has left and is not answered by then is unsure.

use super::pipeline::Until;
use super::running::Running;
use crate::ledger::LedgerError;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

/// What recording the calls that did not leave may take, at the most.
const RECORDING: SignedDuration = SignedDuration::from_secs(2);

impl Running {
    /// Runs; after a stop, what is in work has as long to finish as the house that runs then gives it.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn run_and_drain(&self, until: Until, stop: &CancellationToken) -> Result<(), LedgerError> {
        tokio::select! {
            ended = self.run(until, stop) => ended,
            () = self.cut_off(stop) => Ok(()),
        }
    }

    async fn cut_off(&self, stop: &CancellationToken) {
        stop.cancelled().await;
        let house = self.house();
        let (clock, within) = (&house.seams.clock, house.shutdown_within);
        let end = clock.now() + within;
        clock.sleep_until(end - RECORDING.min(within / 2)).await;
        tracing::warn!("daemon.drain_gates_closed");
        self.house().desks.iter().for_each(|(_, station)| station.desk.close());
        clock.sleep_until(end).await;
        tracing::warn!("daemon.drain_cut_off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::testing::{Stage, sending};
    use crate::ledger::records::NewLook;
    use crate::ledger::states::EffectState;
    use handoffd_kit::clock::Clock;
    use std::task::Poll;

    async fn state(stage: &Stage) -> Option<EffectState> {
        stage.handoffs().await.first().map(|handoff| handoff.effects[0].state.clone())
    }

    /// Runs until the handoff's write waits on the desk, stops, and lets the time for it pass. Gives what became of it.
    async fn stopped_while_it_waits(stage: &Stage) -> EffectState {
        let looks = vec![NewLook { ticket: "42".into(), due: stage.clock.now(), head: None }];
        stage.house.ledger.call(move |ledger| ledger.note_looks(&"acme".into(), &looks)).await.expect("noted");
        let stop = CancellationToken::new();
        let running = Running::new(stage.house.clone());
        let mut run = Box::pin(running.run_and_drain(Until::Stopped, &stop));
        for _ in 0..100 {
            assert!(futures::poll!(&mut run).is_pending());
            if matches!(state(stage).await, Some(EffectState::InFlight { .. })) {
                break;
            }
        }
        stop.cancel();
        assert!(futures::poll!(&mut run).is_pending(), "it has time to finish");
        assert!(matches!(state(stage).await, Some(EffectState::InFlight { .. })));
        let mut ended = Poll::Pending;
        for _ in 0..20 {
            stage.clock.advance(SignedDuration::from_secs(1));
            for _ in 0..10 {
                if ended.is_pending() {
                    ended = futures::poll!(&mut run);
                }
            }
        }
        assert_eq!(ended, Poll::Ready(Ok(())), "and not more");
        state(stage).await.expect("planned")
    }

    #[tokio::test]
    async fn what_still_waits_for_the_vendors_limits_at_the_end_was_not_sent_and_is_due() {
        let stage = Stage::new(sending());
        stage.desk.ticket().waits_in_gate = true;
        let state = stopped_while_it_waits(&stage).await;
        assert!(matches!(state, EffectState::Due { .. }), "{state:?}");
        assert_eq!(stage.house.recover().await, Ok(0), "nothing is unsure");
    }

    #[tokio::test]
    async fn what_has_left_and_is_not_answered_at_the_end_is_unsure() {
        let stage = Stage::new(sending());
        stage.desk.ticket().never_answers = true;
        let state = stopped_while_it_waits(&stage).await;
        assert!(matches!(state, EffectState::InFlight { .. }), "{state:?}");
        assert_eq!(stage.house.recover().await, Ok(1));
    }
}
