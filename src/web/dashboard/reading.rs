//! How pages ask the ledger: over connections of their own that can only read, a few at a time, so that nobody who looks
//! keeps the daemon from writing.

use super::trouble::Trouble;
use crate::ledger::{Handle, Ledger, Result};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Pages that are read at once; more wait.
const AT_ONCE: usize = 4;

/// The way to the ledger.
#[derive(Clone)]
pub(super) struct Reading {
    handle: Handle,
    /// The ledger's file; none: it is in memory, and asked through its handle.
    path: Option<PathBuf>,
    idle: Arc<Mutex<Vec<Ledger>>>,
    /// The one connection whose pulse is felt: each sees the others' changes since its own last question.
    pulse: Arc<Mutex<Option<Ledger>>>,
    room: Arc<Semaphore>,
}

impl Reading {
    /// Reads what this handle writes.
    pub fn new(handle: Handle) -> Self {
        let path = handle.path().map(Into::into);
        Self { handle, path, idle: Arc::default(), pulse: Arc::default(), room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Asks.
    pub async fn ask<T, F>(&self, question: F) -> std::result::Result<T, Trouble>
    where
        T: Send + 'static,
        F: Fn(&Ledger) -> Result<T> + Send + 'static,
    {
        let Some(path) = self.path.clone() else {
            return Ok(self.handle.call(move |ledger| question(ledger)).await?);
        };
        let gone = |_| Trouble::Ledger("it is being closed".into());
        let _place = self.room.acquire().await.map_err(gone)?;
        let idle = self.idle.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let ledger = match free {
                Some(ledger) => ledger,
                None => Ledger::open_read_only(&path)?,
            };
            // All that one page shows is of one moment. One that failed is not used again.
            let answer = ledger.at_one_moment(|ledger| question(ledger))?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(ledger);
            Ok(answer)
        });
        let answer: Result<T> = asked.await.map_err(|_| Trouble::Ledger("its reader broke".into()))?;
        Ok(answer?)
    }

    /// Another value after each change of the ledger.
    pub async fn pulse(&self) -> std::result::Result<(i64, u64), Trouble> {
        let Some(path) = self.path.clone() else {
            return Ok(self.handle.call(|ledger| ledger.pulse()).await?);
        };
        let pulse = self.pulse.clone();
        let felt = tokio::task::spawn_blocking(move || {
            let mut open = pulse.lock().unwrap_or_else(PoisonError::into_inner);
            let ledger = match open.take() {
                Some(ledger) => ledger,
                None => Ledger::open_read_only(&path)?,
            };
            let felt = ledger.pulse()?;
            *open = Some(ledger);
            Ok(felt)
        });
        let felt: Result<(i64, u64)> = felt.await.map_err(|_| Trouble::Ledger("its reader broke".into()))?;
        Ok(felt?)
    }
}
