//! What can go wrong with the ledger, in words that say what to do.

use super::states::IllegalStep;
use std::path::PathBuf;

/// A failure of the ledger. Cloned to everybody whose operation was in a group that could not be committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Another process writes this ledger.
    #[error("{0} is held by another handoffd; talk to that one, or stop it first")]
    Locked(PathBuf),
    /// A newer handoffd wrote it.
    #[error(
        "{path} was written by a newer handoffd (schema {found}, this one knows {known}): use that version, or restore a backup from before the upgrade"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The file is something else.
    #[error("{0} is not a handoffd ledger: point [daemon] ledger at another file; this one was left untouched")]
    NotALedger(PathBuf),
    /// The file is damaged.
    #[error("the ledger is damaged ({0}): keep a copy of the file and restore the latest backup")]
    Corrupt(String),
    /// The bundled SQLite has a known bug.
    #[error("SQLite {0} can corrupt a write-ahead log (fixed in 3.51.3): build handoffd with the bundled one")]
    OldSqlite(String),
    /// The disk, or a quota, is full.
    #[error("the disk that holds the ledger is full: make room; nothing is written to any desk until then")]
    Full,
    /// A row cannot be read.
    #[error("the ledger's {what} cannot be read: {why}; restore a backup, or keep the file for examination")]
    Unreadable {
        /// Which row.
        what: String,
        /// Why.
        why: String,
    },
    /// A state was asked for a step it does not have.
    #[error(transparent)]
    IllegalStep(#[from] IllegalStep),
    /// Nothing of that name.
    #[error("there is no {0}")]
    NotFound(String),
    /// A person's command does not fit the present state.
    #[error("{0}")]
    WrongState(String),
    /// The ledger's thread has ended.
    #[error("the ledger has stopped")]
    Stopped,
    /// Anything else SQLite says.
    #[error("ledger: {0}")]
    Sql(String),
    /// The file cannot be opened.
    #[error("the ledger {path} cannot be opened: {why}")]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// The result of a ledger operation.
pub type Result<T> = std::result::Result<T, LedgerError>;

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Corrupt(error.to_string())
            }
            _ => Self::Sql(error.to_string()),
        }
    }
}
