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

/// Runs one operation and gives back what answers its caller once the group's fate is known.
type Queued = Box<dyn FnOnce(&mut Ledger) -> Box<dyn FnOnce(Option<LedgerError>) + Send> + Send>;

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
                let (queued, answer) = queued(operation);
                sender.send(queued).await.map_err(|_| LedgerError::Stopped)?;
                answer.await.map_err(|_| LedgerError::Stopped)?
            }
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
) -> (Queued, oneshot::Receiver<Result<T>>) {
    let (sender, answer) = oneshot::channel();
    let queued: Queued = Box::new(move |ledger| {
        let done = under_savepoint(ledger, operation);
        Box::new(move |failed: Option<LedgerError>| {
            let done = match failed {
                Some(error) => Err(error),
                None => done,
            };
            // A caller that has gone away does not want the answer; what was committed stays.
            drop(sender.send(done));
        })
    });
    (queued, answer)
}

fn under_savepoint<T>(ledger: &mut Ledger, operation: impl FnOnce(&mut Ledger) -> Result<T>) -> Result<T> {
    ledger.connection.execute_batch("SAVEPOINT operation")?;
    match operation(ledger) {
        Ok(done) => {
            ledger.connection.execute_batch("RELEASE operation")?;
            Ok(done)
        }
        Err(error) => {
            ledger.roll_back("ROLLBACK TO operation; RELEASE operation");
            Err(error)
        }
    }
}

fn serve(mut ledger: Ledger, mut receiver: mpsc::Receiver<Queued>) {
    while let Some(first) = receiver.blocking_recv() {
        let mut answers = Vec::new();
        let begun = ledger.begin();
        if let Err(error) = begun {
            tracing::error!(error = %error, "ledger.begin_failed");
        }
        answers.push(first(&mut ledger));
        while answers.len() < GROUP {
            let Ok(next) = receiver.try_recv() else { break };
            answers.push(next(&mut ledger));
        }
        let failed = ledger.commit().err();
        if let Some(error) = &failed {
            tracing::error!(error = %error, operations = answers.len(), "ledger.commit_failed");
        }
        for answer in answers {
            answer(failed.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
}
