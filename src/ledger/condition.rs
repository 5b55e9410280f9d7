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

/// What a trial writes beyond what the log holds: more than nearly any operation.
const TRIAL_BYTES: i64 = 256 << 10;
/// A log that is longer than this could not be written back for a long time; a trial is no longer.
const LONGEST_LOG: i64 = 16 << 20;

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
    /// Writes something that means nothing: whether the ledger can be written. What has failed is tried with this before any
    /// desk is asked for what could then not be recorded.
    ///
    /// A few pages would prove nothing. On a disk that is still full there is room for them in the log beside the ledger, which
    /// is written again from its beginning, and in what was deleted; the next larger operation fails. So it is more than that
    /// log holds, and what the last trial wrote goes only afterwards.
    ///
    /// # Errors
    /// Why not.
    pub fn try_writing(&mut self) -> Result<()> {
        let bytes = self.log_bytes().clamp(0, LONGEST_LOG) + TRIAL_BYTES;
        self.atomically(|ledger| {
            ledger.connection.execute("INSERT INTO trials (filler) VALUES (zeroblob(?))", [bytes])?;
            ledger.connection.execute("DELETE FROM trials WHERE id <> ?", [ledger.connection.last_insert_rowid()])?;
            Ok(())
        })
    }

    /// How long the log beside the ledger is; none where there is none.
    fn log_bytes(&self) -> i64 {
        let path = self.connection.path().filter(|path| !path.is_empty());
        let log = path.and_then(|path| std::fs::metadata(format!("{path}-wal")).ok());
        log.map_or(0, |log| i64::try_from(log.len()).unwrap_or(i64::MAX))
    }

    /// Throws away what was written to find out whether it can be.
    pub(super) fn forget_trials(&mut self) -> Result<()> {
        self.connection.execute("DELETE FROM trials", [])?;
        Ok(())
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

    /// The variable by which the next test's own process knows where to work.
    const LIMITED: &str = "HANDOFFD_TEST_LIMITED_LEDGER";

    /// In a process whose files may not grow beyond two megabytes.
    fn on_limited_files(path: &Path) {
        let mut ledger = Ledger::open(path, crate::ledger::Durability::Process).expect("ledger");
        let mut random = fastrand::Rng::with_seed(7);
        let mut write = |ledger: &mut Ledger, number: usize| {
            // Nothing that could be packed.
            let body: String = (0..100_000).map(|_| random.alphanumeric()).collect();
            let hook = crate::ledger::samples::webhook(
                "acme",
                Some(&format!("d{number}")),
                &body,
                &["1"],
                Timestamp::UNIX_EPOCH,
            );
            ledger.transact(|ledger| ledger.note_webhook(&hook)).map(drop)
        };
        let full = (0..100).find_map(|number| write(&mut ledger, number).err()).expect("the files are limited");
        assert!(full.heals(), "{full:?}");
        let few = ledger.transact(|ledger| {
            Ok(ledger.connection.execute("INSERT INTO trials (filler) VALUES (zeroblob(4096))", []).map(drop)?)
        });
        assert_eq!(few, Ok(()), "a few pages have room where real work has none");
        assert!(write(&mut ledger, 100).is_err());
        let trial = ledger.transact(Ledger::try_writing).expect_err("no room for what is to come");
        assert!(trial.heals(), "{trial:?}");
        assert!(ledger.transact(|ledger| ledger.counts(Timestamp::UNIX_EPOCH).map(drop)).is_ok(), "it reads well");
    }

    #[test]
    fn a_trial_fails_where_the_next_operation_would() {
        if let Some(path) = std::env::var_os(LIMITED) {
            return on_limited_files(Path::new(&path));
        }
        let folder = tempfile::tempdir().expect("folder");
        let own = std::env::current_exe().expect("this program");
        // In blocks of 512 bytes. Whoever writes beyond gets a signal, which is not wanted.
        let ended = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\""])
            .arg(own)
            .args(["--exact", "ledger::condition::tests::a_trial_fails_where_the_next_operation_would"])
            .env(LIMITED, folder.path().join("handoffd.db"))
            .output()
            .expect("a process of its own");
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(
            ended.status.success() && said.contains("1 passed"),
            "{said}{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }

    #[test]
    fn a_trial_leaves_no_more_than_its_last_one_and_a_purge_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("handoffd.db");
        let mut ledger = Ledger::open(&path, crate::ledger::Durability::Process).expect("ledger");
        for _ in 0..3 {
            ledger.transact(Ledger::try_writing).expect("written");
        }
        let left = |ledger: &Ledger| -> i64 {
            ledger.connection.query_row("SELECT count(*) FROM trials", [], |row| row.get(0)).expect("counted")
        };
        assert_eq!(left(&ledger), 1);
        ledger.tightened(true).expect("full");
        assert_eq!(ledger.transact(Ledger::try_writing), Err(LedgerError::Full), "not even where it wrote before");
        ledger.tightened(false).expect("room");
        ledger.purge(Timestamp::UNIX_EPOCH, SignedDuration::from_hours(1)).expect("purged");
        assert_eq!(left(&ledger), 0);
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
