//! The thread around the ledger. It takes what is queued, runs each operation under a savepoint of its own inside one
//! transaction, commits once, and then answers everybody: many webhooks cost one sync of the disk.
//!
//! An operation that fails rolls back alone. A commit that fails fails everybody in its group; nothing of it happened.
//!
//! A [patient](Handle::patient) handle does not give up where the disk is full or another program holds the file: it waits,
//! and runs the same operation again, so that for its caller it only took longer.

use super::condition::{Condition, Failing};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use crate::backoff;
use handoffd_kit::settings::Seams;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Operations that may wait; beyond, callers wait for a place, and intake answers 503.
const QUEUE: usize = 1024;
/// The most operations of one commit.
const GROUP: usize = 100;

/// The longest wait between two tries of a patient handle.
const LONGEST: SignedDuration = SignedDuration::from_secs(15);

/// A cheap handle on the ledger. Clones share it.
#[derive(Clone)]
pub struct Handle {
    way: Way,
    condition: Arc<Condition>,
    /// Time and chance to wait by; none: what fails is told at once.
    patience: Option<Seams>,
}

#[derive(Clone)]
enum Way {
    Thread(Thread),
    Inline(Arc<Inline>),
}

#[derive(Clone)]
struct Thread {
    queue: mpsc::Sender<Queued>,
    /// It is over, and its end of the queue with it.
    ended: CancellationToken,
}

struct Inline {
    ledger: Mutex<Ledger>,
    boundary: Option<Arc<dyn Boundary>>,
}

/// What a simulation puts around each transaction: it may decide that the process dies here, by never resolving.
pub trait Boundary: Send + Sync {
    /// Called before and after each transaction.
    fn pass(&self) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// What is queued for the thread.
enum Queued {
    Work(Operation),
    Close(oneshot::Sender<()>),
}

/// Runs one operation, or learns why there is no transaction to run it in, and gives back what answers its caller.
type Operation = Box<dyn FnOnce(Result<&mut Ledger>) -> (Option<LedgerError>, Answer) + Send>;
/// Answers a caller once the group's fate is known.
type Answer = Box<dyn FnOnce(Result<()>)>;

impl Handle {
    /// Gives the ledger a thread of its own, which ends when the last handle is dropped.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn spawn(ledger: Ledger) -> Result<Self> {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let condition = Arc::new(Condition::of(&ledger));
        let (noted, ended) = (condition.clone(), CancellationToken::new());
        let ends = ended.clone().drop_guard();
        std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || {
                // Dropped last, also where an operation panics.
                let _ends = ends;
                serve(ledger, receiver, &noted);
            })
            .map_err(|error| LedgerError::Sql(format!("its thread cannot be started: {error}")))?;
        Ok(Self { way: Way::Thread(Thread { queue, ended }), condition, patience: None })
    }

    /// Runs each operation at once, in the caller: deterministic, for the simulation, tests and single commands.
    pub fn inline(ledger: Ledger, boundary: Option<Arc<dyn Boundary>>) -> Self {
        let condition = Arc::new(Condition::of(&ledger));
        let inline = Inline { ledger: Mutex::new(ledger), boundary };
        Self { way: Way::Inline(Arc::new(inline)), condition, patience: None }
    }

    /// The same ledger for work that must not be given up: what fails for a reason that may be over by itself is tried
    /// again, after waits that grow to a quarter of a minute, until it is done. Dropping the call ends it.
    pub fn patient(&self, seams: &Seams) -> Self {
        Self { patience: Some(seams.clone()), ..self.clone() }
    }

    /// All handles on this ledger know from now on since when it fails.
    pub fn tell_time_by(&self, seams: &Seams) {
        self.condition.tell_time_by(seams.clock.clone());
    }

    /// Why the ledger cannot be written, if it cannot. Costs nothing: the ledger is not asked.
    pub fn failing(&self) -> Option<Failing> {
        self.condition.failing()
    }

    /// How many transactions have failed since the start, by [`LedgerError::label`].
    pub fn failed(&self) -> BTreeMap<&'static str, u64> {
        self.condition.failed()
    }

    /// Where the ledger's file lies; none: it is in memory.
    pub fn path(&self) -> Option<&Path> {
        self.condition.path()
    }

    /// Runs one operation as one transaction; it may be run several times where the handle is patient, each time on a
    /// ledger on which nothing of it has happened.
    ///
    /// # Errors
    /// The operation's, the commit's, or [`LedgerError::Stopped`].
    pub async fn call<T, F>(&self, mut operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Ledger) -> Result<T> + Send + 'static,
    {
        let mut tries = 0;
        loop {
            let (again, done) = self.once(operation).await?;
            match (&self.patience, done) {
                (Some(seams), Err(error)) if error.heals() => {
                    operation = again;
                    tries += 1;
                    let wait = backoff::growing(tries, LONGEST, seams.random.fraction());
                    seams.clock.sleep_until(seams.clock.now() + wait).await;
                }
                (_, done) => return done,
            }
        }
    }

    /// Asks what takes long, over a connection of its own that can only read: nobody who writes waits for it, and all of the
    /// answer is of one moment. A ledger in memory, and one that is called inline, has no other connection and is asked itself.
    ///
    /// # Errors
    /// The question's, the ones of opening the file, or [`LedgerError::Stopped`].
    pub async fn read<T, F>(&self, question: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Ledger) -> Result<T> + Send + 'static,
    {
        let path = match (&self.way, self.path()) {
            (Way::Thread(_), Some(path)) => path.to_owned(),
            _ => return self.call(move |ledger| question(ledger)).await,
        };
        let asked = tokio::task::spawn_blocking(move || Ledger::open_read_only(&path)?.at_one_moment(question));
        asked.await.map_err(|_| LedgerError::Stopped)?
    }

    /// Runs it once, and gives it back with what it gave.
    async fn once<T, F>(&self, mut operation: F) -> Result<(F, Result<T>)>
    where
        T: Send + 'static,
        F: FnMut(&mut Ledger) -> Result<T> + Send + 'static,
    {
        match &self.way {
            Way::Inline(inline) => {
                let done = inline.call(&mut operation, &self.condition).await;
                Ok((operation, done))
            }
            Way::Thread(thread) => {
                let (operation, answer) = queued(operation);
                thread.ask(Queued::Work(operation), answer).await
            }
        }
    }

    /// Finishes what is queued and closes the ledger: its lock is free when this returns, and later calls fail. A ledger
    /// that is called inline closes with its last handle.
    pub async fn close(&self) {
        let Way::Thread(thread) = &self.way else { return };
        let (caller, closed) = oneshot::channel();
        // An error says that the thread has ended already.
        let _ = thread.ask(Queued::Close(caller), closed).await;
    }

    /// Whether the queue is full: intake sheds load instead of waiting.
    pub fn is_full(&self) -> bool {
        matches!(&self.way, Way::Thread(thread) if thread.queue.capacity() == 0)
    }
}

impl Thread {
    /// Queues something and waits for its answer. What is queued in the moment in which the thread ends may lie there for as
    /// long as anybody can queue more, neither done nor dropped, so the end is waited for as well.
    async fn ask<T>(&self, queued: Queued, mut answer: oneshot::Receiver<T>) -> Result<T> {
        self.queue.send(queued).await.map_err(|_| LedgerError::Stopped)?;
        tokio::select! {
            biased;
            answered = &mut answer => answered.map_err(|_| LedgerError::Stopped),
            () = self.ended.cancelled() => answer.try_recv().map_err(|_| LedgerError::Stopped),
        }
    }
}

impl Inline {
    async fn call<T>(
        &self,
        operation: &mut (dyn FnMut(&mut Ledger) -> Result<T> + Send),
        condition: &Condition,
    ) -> Result<T> {
        if let Some(boundary) = &self.boundary {
            boundary.pass().await;
        }
        let done = self.transact(operation, condition);
        if let Some(boundary) = &self.boundary {
            boundary.pass().await;
        }
        done
    }

    fn transact<T>(
        &self,
        operation: &mut (dyn FnMut(&mut Ledger) -> Result<T> + Send),
        condition: &Condition,
    ) -> Result<T> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let before = ledger.changes();
        let done = ledger.transact(operation);
        condition.note(ledger.went(before, done.as_ref().err()));
        done
    }
}

fn queued<T, F>(mut operation: F) -> (Operation, oneshot::Receiver<(F, Result<T>)>)
where
    T: Send + 'static,
    F: FnMut(&mut Ledger) -> Result<T> + Send + 'static,
{
    let (sender, answer) = oneshot::channel();
    let queued: Operation = Box::new(move |ledger| {
        let done = ledger.and_then(|ledger| ledger.atomically(&mut operation));
        let trouble = done.as_ref().err().cloned();
        let answer: Answer = Box::new(move |committed: Result<()>| {
            let done = committed.and(done);
            // A caller that has gone away does not want the answer; what was committed stays.
            drop(sender.send((operation, done)));
        });
        (trouble, answer)
    });
    (queued, answer)
}

/// The thread's loop. It ends with the last handle, or after a close; what is queued is done first.
fn serve(mut ledger: Ledger, mut receiver: mpsc::Receiver<Queued>, condition: &Condition) {
    let mut closing = Vec::new();
    while let Some(first) = receiver.blocking_recv() {
        let mut group = Vec::new();
        let mut next = Some(first);
        while let Some(queued) = next {
            match queued {
                Queued::Work(operation) => group.push(operation),
                Queued::Close(caller) => {
                    receiver.close();
                    closing.push(caller);
                }
            }
            next = if group.len() < GROUP { receiver.try_recv().ok() } else { None };
        }
        commit(&mut ledger, group, condition);
    }
    drop(ledger);
    for caller in closing {
        // A caller that has gone away does not want to know.
        let _ = caller.send(());
    }
}

/// Runs a group in one transaction. Where SQLite rolls back by itself in the middle (a full disk), what follows must not
/// run outside of a transaction and be taken for done: everybody is told that nothing happened.
fn commit(ledger: &mut Ledger, group: Vec<Operation>, condition: &Condition) {
    if group.is_empty() {
        return;
    }
    let before = ledger.changes();
    let mut whole = ledger.begin();
    let mut trouble = None;
    let mut answers = Vec::with_capacity(group.len());
    for operation in group {
        let (failed, answer) = operation(whole.clone().map(|()| &mut *ledger));
        answers.push(answer);
        if whole.is_ok() && ledger.connection.is_autocommit() {
            let why = failed.clone().filter(LedgerError::is_of_the_file);
            whole = Err(why.unwrap_or(LedgerError::Full));
        }
        trouble = trouble.or(failed.filter(LedgerError::is_of_the_file));
    }
    let committed = whole.and_then(|()| ledger.commit());
    condition.note(ledger.went(before, committed.as_ref().err().or(trouble.as_ref())));
    for answer in answers {
        answer(committed.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Durability;
    use handoffd_kit::clock::ManualClock;
    use handoffd_kit::id::DeskId;
    use jiff::Timestamp;

    fn note(handle: &Handle, desk: &'static str) -> impl Future<Output = Result<Timestamp>> {
        let handle = handle.clone();
        async move { handle.call(move |ledger| ledger.desk_met(&DeskId::from(desk), Timestamp::UNIX_EPOCH)).await }
    }

    #[tokio::test]
    async fn an_operation_that_fails_takes_nobody_with_it() {
        let handle = Handle::spawn(Ledger::in_memory().expect("ledger")).expect("thread");
        let fails = handle.call(|ledger| {
            ledger.desk_met(&DeskId::from("gone"), Timestamp::UNIX_EPOCH)?;
            Err::<(), _>(LedgerError::Stopped)
        });
        let (one, failed, other) = tokio::join!(note(&handle, "a"), fails, note(&handle, "b"));
        assert!(one.is_ok() && other.is_ok() && failed.is_err());
        let met = handle.call(|ledger| ledger.desk_met(&DeskId::from("gone"), Timestamp::MAX)).await.expect("asked");
        assert_eq!(met, Timestamp::MAX, "the failed operation left nothing");
    }

    #[tokio::test]
    async fn a_ledger_whose_thread_died_says_so() {
        let handle = Handle::spawn(Ledger::in_memory().expect("ledger")).expect("thread");
        let died = handle.call(|_| -> Result<()> { panic!("on purpose") }).await;
        assert_eq!(died, Err(LedgerError::Stopped));
        assert_eq!(note(&handle, "a").await, Err(LedgerError::Stopped));
    }

    #[tokio::test]
    async fn what_is_queued_as_the_thread_ends_is_answered() {
        let (queue, receiver) = mpsc::channel(1);
        let thread = Thread { queue, ended: CancellationToken::new() };
        let (operation, answer) = queued(|_| Ok(()));
        let asks = thread.ask(Queued::Work(operation), answer);
        // Nobody takes it, and nobody drops it.
        let ends = async { thread.ended.cancel() };
        let (answered, ()) = tokio::join!(asks, ends);
        assert_eq!(answered.map(|_| ()), Err(LedgerError::Stopped));
        drop(receiver);
    }

    #[tokio::test]
    async fn what_takes_long_to_read_holds_no_write_up_and_waits_for_none() {
        let folder = tempfile::tempdir().expect("folder");
        let ledger = Ledger::open(&folder.path().join("handoffd.db"), Durability::Process).expect("ledger");
        let handle = Handle::spawn(ledger).expect("thread");
        let (go, wait) = std::sync::mpsc::sync_channel::<()>(0);
        // The ledger's thread is busy until the answer is there.
        let busy = handle.call(move |_| wait.recv().map_err(|_| LedgerError::Stopped));
        let reads = async {
            let seen = handle.read(|ledger| ledger.cases_seen()).await;
            go.send(()).expect("the thread still waits");
            seen
        };
        assert_eq!(tokio::join!(busy, reads), (Ok(()), Ok(0)));
        let inline = Handle::inline(Ledger::in_memory().expect("ledger"), None);
        assert_eq!(inline.read(|ledger| ledger.cases_seen()).await, Ok(0));
    }

    #[tokio::test]
    async fn a_close_finishes_what_is_queued_and_frees_the_lock() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("handoffd.db");
        let open = || Ledger::open(&path, Durability::Full).expect("ledger");
        let handle = Handle::spawn(open()).expect("thread");
        let other = handle.clone();
        let (noted, ()) = tokio::join!(note(&handle, "a"), other.close());
        noted.expect("queued before the close");
        assert_eq!(note(&handle, "b").await, Err(LedgerError::Stopped));
        handle.close().await;
        let met = open().desk_met(&DeskId::from("a"), Timestamp::MAX).expect("asked");
        assert_eq!(met, Timestamp::UNIX_EPOCH);
    }

    #[tokio::test]
    async fn when_sqlite_rolls_back_by_itself_nobody_is_told_that_it_went_well() {
        let mut ledger = Ledger::in_memory().expect("ledger");
        let (noted, mut first) = queued(|ledger| ledger.desk_met(&DeskId::from("a"), Timestamp::UNIX_EPOCH));
        // What a full disk does in the middle of a group.
        let (full, mut second) = queued(|ledger| {
            ledger.roll_back("ROLLBACK");
            Ok(())
        });
        let (after, mut third) = queued(|ledger| ledger.desk_met(&DeskId::from("b"), Timestamp::UNIX_EPOCH));
        let condition = Condition::of(&ledger);
        commit(&mut ledger, vec![noted, full, after], &condition);
        assert_eq!(first.try_recv().expect("answered").1, Err(LedgerError::Full));
        assert!(second.try_recv().expect("answered").1.is_err());
        assert_eq!(third.try_recv().expect("answered").1, Err(LedgerError::Full));
        assert_eq!(condition.failing().expect("failing").why, LedgerError::Full);
        for desk in ["a", "b"] {
            assert_eq!(ledger.desk_met(&DeskId::from(desk), Timestamp::MAX), Ok(Timestamp::MAX), "{desk}");
        }
    }

    #[tokio::test]
    async fn a_ledger_that_somebody_else_has_locked_is_an_error_for_all_and_nothing_happens() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("handoffd.db");
        let mut ledger = Ledger::open(&path, Durability::Process).expect("ledger");
        ledger.connection.busy_timeout(std::time::Duration::ZERO).expect("set");
        let stranger = rusqlite::Connection::open(&path).expect("stranger");
        stranger.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let (noted, mut answer) = queued(|ledger| ledger.desk_met(&DeskId::from("a"), Timestamp::UNIX_EPOCH));
        let condition = Condition::of(&ledger);
        assert_eq!(condition.path().and_then(Path::file_name), path.file_name());
        commit(&mut ledger, vec![noted], &condition);
        assert_eq!(answer.try_recv().expect("answered").1, Err(LedgerError::Busy));
        assert_eq!(condition.failing().expect("failing").why, LedgerError::Busy);
        stranger.execute_batch("ROLLBACK").expect("free");
        assert_eq!(ledger.desk_met(&DeskId::from("a"), Timestamp::MAX), Ok(Timestamp::MAX));
    }

    struct NoChance;

    impl handoffd_kit::random::Random for NoChance {
        fn bits(&self) -> u64 {
            0
        }
    }

    struct NoNetwork;

    impl handoffd_kit::transport::Transport for NoNetwork {
        fn send(
            &self,
            _: http::Request<bytes::Bytes>,
            _: handoffd_kit::transport::Bounds,
        ) -> handoffd_kit::transport::Exchange<'_> {
            Box::pin(std::future::pending())
        }
    }

    /// A handle on a file that may not grow, whose waits a test ends.
    async fn on_a_full_disk(spawned: bool) -> (Handle, ManualClock, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("folder");
        let mut ledger = Ledger::open(&folder.path().join("handoffd.db"), Durability::Process).expect("ledger");
        ledger.tightened(true).expect("tight");
        let handle = if spawned { Handle::spawn(ledger).expect("thread") } else { Handle::inline(ledger, None) };
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let (time, random, transport) = (Arc::new(clock.clone()), Arc::new(NoChance), Arc::new(NoNetwork));
        let seams = Seams { clock: time, random, transport };
        handle.tell_time_by(&seams);
        (handle.patient(&seams), clock, folder)
    }

    #[tokio::test]
    async fn on_a_full_disk_a_patient_call_waits_and_is_done_once_when_there_is_room() {
        for spawned in [true, false] {
            let (patient, clock, _folder) = on_a_full_disk(spawned).await;
            let hasty = Handle { patience: None, ..patient.clone() };
            assert_eq!(hasty.call(|ledger| ledger.try_writing()).await, Err(LedgerError::Full));
            let failing = Failing { since: Some(Timestamp::UNIX_EPOCH), why: LedgerError::Full };
            assert_eq!(hasty.failing(), Some(failing.clone()));
            hasty.call(|ledger| ledger.counts(Timestamp::UNIX_EPOCH).map(drop)).await.expect("a full disk reads well");
            assert_eq!(hasty.failing(), Some(failing.clone()));

            let mut waits = Box::pin(patient.call(|ledger| ledger.try_writing()));
            for _ in 0..5 {
                // The thread answers when it comes to it; the call then waits for the clock.
                while clock.next_wait().is_none() {
                    assert!(futures::poll!(&mut waits).is_pending(), "given up");
                    tokio::task::yield_now().await;
                }
                assert_eq!(hasty.failing(), Some(failing.clone()));
                clock.advance(LONGEST * 2);
            }
            assert!(hasty.failed()["full"] >= 5);
            hasty.call(|ledger| ledger.tightened(false)).await.expect("room");
            waits.await.expect("done at last");
            assert_eq!(hasty.failing(), None);
        }
    }
}
