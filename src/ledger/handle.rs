//! The thread around the ledger. It takes what is queued, runs each operation under a savepoint of its own inside one
//! transaction, commits once, and then answers everybody: many webhooks cost one sync of the disk.
//!
//! An operation that fails rolls back alone. A commit that fails fails everybody in its group; nothing of it happened.

use super::error::{LedgerError, Result};
use super::open::Ledger;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Operations that may wait; beyond, callers wait for a place, and intake answers 503.
const QUEUE: usize = 1024;
/// The most operations of one commit.
const GROUP: usize = 100;

/// A cheap handle on the ledger. Clones share it.
#[derive(Clone)]
pub struct Handle(Way);

#[derive(Clone)]
enum Way {
    Thread(mpsc::Sender<Queued>),
    Inline(Arc<Inline>),
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
type Operation = Box<dyn FnOnce(Result<&mut Ledger>) -> Answer + Send>;
/// Answers a caller once the group's fate is known.
type Answer = Box<dyn FnOnce(Result<()>)>;

impl Handle {
    /// Gives the ledger a thread of its own, which ends when the last handle is dropped.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn spawn(ledger: Ledger) -> Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || serve(ledger, receiver))
            .map_err(|error| LedgerError::Sql(format!("its thread cannot be started: {error}")))?;
        Ok(Self(Way::Thread(sender)))
    }

    /// Runs each operation at once, in the caller: deterministic, for the simulation, tests and single commands.
    pub fn inline(ledger: Ledger, boundary: Option<Arc<dyn Boundary>>) -> Self {
        Self(Way::Inline(Arc::new(Inline { ledger: Mutex::new(ledger), boundary })))
    }

    /// Runs one operation as one transaction.
    ///
    /// # Errors
    /// The operation's, the commit's, or [`LedgerError::Stopped`].
    pub async fn call<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Ledger) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &self.0 {
            Way::Inline(inline) => inline.call(operation).await,
            Way::Thread(sender) => {
                let (operation, answer) = queued(operation);
                sender.send(Queued::Work(operation)).await.map_err(|_| LedgerError::Stopped)?;
                answer.await.map_err(|_| LedgerError::Stopped)?
            }
        }
    }

    /// Finishes what is queued and closes the ledger: its lock is free when this returns, and later calls fail. A ledger
    /// that is called inline closes with its last handle.
    pub async fn close(&self) {
        let Way::Thread(sender) = &self.0 else { return };
        let (caller, closed) = oneshot::channel();
        if sender.send(Queued::Close(caller)).await.is_ok() {
            // An error says that the thread has ended already.
            let _ = closed.await;
        }
    }

    /// Whether the queue is full: intake sheds load instead of waiting.
    pub fn is_full(&self) -> bool {
        matches!(&self.0, Way::Thread(sender) if sender.capacity() == 0)
    }
}

impl Inline {
    async fn call<T>(&self, operation: impl FnOnce(&mut Ledger) -> Result<T>) -> Result<T> {
        if let Some(boundary) = &self.boundary {
            boundary.pass().await;
        }
        let done = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).transact(operation);
        if let Some(boundary) = &self.boundary {
            boundary.pass().await;
        }
        done
    }
}

fn queued<T: Send + 'static>(
    operation: impl FnOnce(&mut Ledger) -> Result<T> + Send + 'static,
) -> (Operation, oneshot::Receiver<Result<T>>) {
    let (sender, answer) = oneshot::channel();
    let queued: Operation = Box::new(move |ledger| {
        let done = ledger.and_then(|ledger| ledger.atomically(operation));
        Box::new(move |committed: Result<()>| {
            let done = committed.and(done);
            // A caller that has gone away does not want the answer; what was committed stays.
            drop(sender.send(done));
        })
    });
    (queued, answer)
}

/// The thread's loop. It ends with the last handle, or after a close; what is queued is done first.
fn serve(mut ledger: Ledger, mut receiver: mpsc::Receiver<Queued>) {
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
        commit(&mut ledger, group);
    }
    drop(ledger);
    for caller in closing {
        // A caller that has gone away does not want to know.
        let _ = caller.send(());
    }
}

/// Runs a group in one transaction. Where SQLite rolls back by itself in the middle (a full disk), what follows must not
/// run outside of a transaction and be taken for done: everybody is told that nothing happened.
fn commit(ledger: &mut Ledger, group: Vec<Operation>) {
    if group.is_empty() {
        return;
    }
    let mut whole = ledger.begin();
    let mut answers = Vec::with_capacity(group.len());
    for operation in group {
        answers.push(operation(whole.clone().map(|()| &mut *ledger)));
        if whole.is_ok() && ledger.connection.is_autocommit() {
            whole = Err(LedgerError::Full);
        }
    }
    let committed = whole.and_then(|()| ledger.commit());
    if let Err(error) = &committed {
        tracing::error!(error = %error, operations = answers.len(), "ledger.commit_failed");
    }
    for answer in answers {
        answer(committed.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Durability;
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
        commit(&mut ledger, vec![noted, full, after]);
        assert_eq!(first.try_recv().expect("answered"), Err(LedgerError::Full));
        assert!(second.try_recv().expect("answered").is_err());
        assert_eq!(third.try_recv().expect("answered"), Err(LedgerError::Full));
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
        commit(&mut ledger, vec![noted]);
        assert!(matches!(answer.try_recv().expect("answered"), Err(LedgerError::Sql(_))));
        stranger.execute_batch("ROLLBACK").expect("free");
        assert_eq!(ledger.desk_met(&DeskId::from("a"), Timestamp::MAX), Ok(Timestamp::MAX));
    }
}
