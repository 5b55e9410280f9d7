//! Whether the ledger can be written. Reading says nothing about that: a full disk reads well. So the condition is that of
//! the last transaction that wrote something, and what has failed is well again only when something was written, or a lock
//! was to be had.

use super::error::{LedgerError, Result};
use super::open::Ledger;
use handoffd_kit::clock::Clock;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The ledger cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Since the first transaction that failed, where the ledger knows the time.
    pub since: Option<Timestamp>,
    /// Why the latest one failed.
    pub why: LedgerError,
}

/// How a transaction went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Went {
    /// Something was written, and is durable.
    Wrote,
    /// It was begun and ended, and wrote nothing.
    Read,
    /// The file, or the disk under it, did not let it.
    Failed(LedgerError),
}

/// How the last transactions went. All handles on a ledger share one.
pub(super) struct Condition {
    path: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    clock: Option<Arc<dyn Clock>>,
    failing: Option<Failing>,
    failed: BTreeMap<&'static str, u64>,
}

impl Condition {
    /// Of a ledger that has just been opened.
    pub(super) fn of(ledger: &Ledger) -> Self {
        let path = ledger.connection.path().filter(|path| !path.is_empty()).map(PathBuf::from);
        Self { path, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the ledger's file lies; none: it is in memory.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// From now on it is known since when something fails.
    pub(super) fn tell_time_by(&self, clock: Arc<dyn Clock>) {
        self.state().clock = Some(clock);
    }

    /// Why the ledger cannot be written, if it cannot.
    pub(super) fn failing(&self) -> Option<Failing> {
        self.state().failing.clone()
    }

    /// How many transactions have failed since the start, by [`LedgerError::label`].
    pub(super) fn failed(&self) -> BTreeMap<&'static str, u64> {
        self.state().failed.clone()
    }

    /// Takes note of how a transaction went.
    pub(super) fn note(&self, went: Went) {
        let mut state = self.state();
        let failing = state.failing.take();
        let locked = |failing: &Failing| failing.why == LedgerError::Busy;
        state.failing = match went {
            Went::Wrote => None,
            Went::Read => failing.clone().filter(|failing| !locked(failing)),
            Went::Failed(why) => {
                *state.failed.entry(why.label()).or_default() += 1;
                let now = state.clock.as_ref().map(|clock| clock.now());
                Some(Failing { since: failing.as_ref().map_or(now, |failing| failing.since), why })
            }
        };
        // Said once each way: whatever waits for the ledger tries again and again.
        match (&failing, &state.failing) {
            (None, Some(Failing { why, .. })) => tracing::error!(error = %why, "ledger.cannot_be_written"),
            (Some(_), None) => tracing::info!("ledger.is_written_again"),
            _ => {}
        }
    }
}

impl Ledger {
    /// Writes something that means nothing, a few pages of it: whether the ledger can be written. What has failed is tried
    /// with this before any desk is asked for what could then not be recorded.
    ///
    /// # Errors
    /// Why not.
    pub fn try_writing(&mut self) -> Result<()> {
        self.atomically(|ledger| {
            ledger.connection.execute("DELETE FROM trials", [])?;
            ledger.connection.execute("INSERT INTO trials VALUES (1, zeroblob(16384))", [])?;
            Ok(())
        })
    }

    /// How much has been changed since this ledger was opened: more after than before says that something was written.
    pub(super) fn changes(&self) -> u64 {
        self.connection.total_changes()
    }

    /// How a transaction went that is over, from what it gave and how much had been changed before it.
    pub(super) fn went(&self, before: u64, trouble: Option<&LedgerError>) -> Went {
        match trouble.filter(|error| error.is_of_the_file()) {
            Some(error) => Went::Failed(error.clone()),
            None if trouble.is_none() && self.changes() > before => Went::Wrote,
            None => Went::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::clock::ManualClock;
    use jiff::SignedDuration;

    fn condition() -> (Condition, ManualClock) {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let condition = Condition::of(&Ledger::in_memory().expect("ledger"));
        condition.tell_time_by(Arc::new(clock.clone()));
        (condition, clock)
    }

    #[test]
    fn it_fails_since_the_first_failure_and_says_the_latest_reason() {
        let (condition, clock) = condition();
        assert_eq!(condition.failing(), None);
        condition.note(Went::Failed(LedgerError::Busy));
        clock.advance(SignedDuration::from_mins(1));
        condition.note(Went::Failed(LedgerError::Full));
        let failing = Failing { since: Some(Timestamp::UNIX_EPOCH), why: LedgerError::Full };
        assert_eq!(condition.failing(), Some(failing));
        assert_eq!(condition.failed(), BTreeMap::from([("locked", 1), ("full", 1)]));
    }

    #[test]
    fn reading_heals_a_lock_and_no_full_disk() {
        let (condition, _) = condition();
        condition.note(Went::Failed(LedgerError::Full));
        condition.note(Went::Read);
        assert!(condition.failing().is_some(), "a full disk reads well");
        condition.note(Went::Wrote);
        assert_eq!(condition.failing(), None);
        condition.note(Went::Failed(LedgerError::Busy));
        condition.note(Went::Read);
        assert_eq!(condition.failing(), None, "the lock was to be had");
    }

    #[test]
    fn a_trial_writes_and_what_only_reads_does_not() {
        let mut ledger = Ledger::in_memory().expect("ledger");
        let before = ledger.changes();
        ledger.transact(|ledger| ledger.counts(Timestamp::UNIX_EPOCH).map(drop)).expect("read");
        assert_eq!(ledger.went(before, None), Went::Read);
        for _ in 0..2 {
            let before = ledger.changes();
            ledger.transact(Ledger::try_writing).expect("written");
            assert_eq!(ledger.went(before, None), Went::Wrote);
        }
        let refused = LedgerError::NotFound("handoff".into());
        assert_eq!(ledger.went(0, Some(&refused)), Went::Read, "a refusal says nothing about the disk");
        assert_eq!(ledger.went(0, Some(&LedgerError::Full)), Went::Failed(LedgerError::Full));
    }
}
