//! What handoffs really do, worked out from the ledger beside the daemon's work and kept for some minutes: for the dashboard's
//! page and for the metrics.

use super::Web;
use crate::insight::behind::Snapshot;
use crate::ledger::LedgerError;
use jiff::SignedDuration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How long figures are shown before they are worked out anew.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// How long who asks waits for the first ones.
const PATIENCE: SignedDuration = SignedDuration::from_millis(100);

/// The figures as they were worked out last.
#[derive(Default)]
pub(super) struct WorkedOut {
    state: Mutex<State>,
    done: Notify,
}

#[derive(Default)]
struct State {
    snapshot: Option<Arc<Snapshot>>,
    busy: bool,
    failed: Option<LedgerError>,
}

impl WorkedOut {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Web {
    /// The figures; none: they are being worked out for the first time.
    pub(super) async fn snapshot(&self) -> Result<Option<Arc<Snapshot>>, LedgerError> {
        let clock = self.sources().clock;
        let now = clock.now();
        let mut done = std::pin::pin!(self.worked_out.done.notified());
        done.as_mut().enable();
        let (known, begins) = {
            let mut state = self.worked_out.state();
            let fresh = state.snapshot.as_ref().is_some_and(|known| now.duration_since(known.at) < FRESH);
            let begins = !fresh && !state.busy;
            state.busy |= begins;
            (state.snapshot.clone(), begins)
        };
        if begins {
            // A house that lives in a simulation has no other thread to do it on.
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(work_out(self.clone()))),
                Err(_) => work_out(self.clone()).await,
            }
        }
        if known.is_some() {
            return Ok(known);
        }
        tokio::select! {
            () = done => {}
            () = clock.sleep_until(now + PATIENCE) => {}
        }
        let mut state = self.worked_out.state();
        match (state.snapshot.clone(), state.failed.take()) {
            (None, Some(error)) => Err(error),
            (snapshot, _) => Ok(snapshot),
        }
    }
}

async fn work_out(web: Web) {
    let sources = web.sources();
    let (policy, now) = (sources.policy, sources.clock.now());
    let read = sources.ledger.read(move |ledger| Snapshot::read(ledger, &policy, now)).await;
    let mut state = web.worked_out.state();
    state.busy = false;
    match read {
        Ok(snapshot) => state.snapshot = Some(Arc::new(snapshot)),
        Err(error) => state.failed = Some(error),
    }
    drop(state);
    web.worked_out.done.notify_waiters();
}
