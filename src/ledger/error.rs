//! What can go wrong with the ledger, in words that say what to do.

use super::states::IllegalStep;
use std::path::{Path, PathBuf};

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
    /// A copy of a ledger cannot be made, read or put in place.
    #[error("{path}: {why}")]
    BadCopy {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The bundled SQLite has a known bug.
    #[error("SQLite {0} can corrupt a write-ahead log (fixed in 3.51.3): build handoffd with the bundled one")]
    OldSqlite(String),
    /// The disk, or a quota, is full.
    #[error("the disk that holds the ledger is full: make room")]
    Full,
    /// Another program holds the write lock of the file.
    #[error("another program holds the ledger's write lock: nothing is written until it lets go")]
    Busy,
    /// The disk, or what is mounted there, does not let it be written now.
    #[error("the ledger cannot be read or written now: {0}")]
    Unwritable(String),
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
        use rusqlite::ErrorCode as E;
        match error.sqlite_error_code() {
            Some(E::DiskFull) => Self::Full,
            Some(E::DatabaseBusy | E::DatabaseLocked | E::FileLockingProtocolFailed) => Self::Busy,
            // A file that was moved away will not come back under this connection.
            Some(E::ReadOnly) if extended(&error) == Some(rusqlite::ffi::SQLITE_READONLY_DBMOVED) => {
                Self::Sql(error.to_string())
            }
            Some(E::SystemIoFailure | E::CannotOpen | E::ReadOnly | E::PermissionDenied | E::OutOfMemory) => {
                Self::Unwritable(error.to_string())
            }
            Some(E::DatabaseCorrupt | E::NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Sql(error.to_string()),
        }
    }
}

fn extended(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

impl LedgerError {
    /// Whether it may be over by itself or by what a person does outside of handoffd: what failed is then done as if it had
    /// only taken longer. Everything else ends the daemon, because trying again would change nothing.
    pub fn heals(&self) -> bool {
        matches!(self, Self::Full | Self::Busy | Self::Unwritable(_))
    }

    /// Whether it is about the file or the disk as a whole, and not about what was asked.
    pub(super) fn is_of_the_file(&self) -> bool {
        self.heals() || matches!(self, Self::Corrupt(_))
    }

    /// A word for it, from a closed set: a label in metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Busy => "locked",
            Self::Unwritable(_) => "unwritable",
            Self::Corrupt(_) => "damaged",
            _ => "other",
        }
    }

    /// What a person can do about it, where it can be over without a restart. `path` is the ledger's file.
    pub fn remedy(&self, path: &Path) -> Option<String> {
        let path = path.display();
        let remedy = match self {
            Self::Full => format!("make room on the volume of {path}"),
            Self::Busy => format!(
                "find the program that has {path} open beside handoffd (`fuser -v {path}`), a backup or an SQLite shell, and \
                 end it or let it finish"
            ),
            Self::Unwritable(_) => {
                format!("see that the volume of {path} is mounted, writable for handoffd's user and in order")
            }
            _ => return None,
        };
        Some(format!(
            "{remedy}: everything then goes on by itself, without a restart; until then webhooks are answered 503, so that \
             the helpdesk sends them again, and nothing is written to any desk"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn of(code: i32) -> LedgerError {
        LedgerError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn what_may_heal_is_told_from_what_cannot() {
        let heals = [
            ffi::SQLITE_FULL,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_BUSY_SNAPSHOT,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_PROTOCOL,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_NOMEM,
        ];
        for code in heals {
            assert!(of(code).heals() && of(code).remedy(Path::new("/x/handoffd.db")).is_some(), "{code}");
        }
        let ends = [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_READONLY_DBMOVED, ffi::SQLITE_CONSTRAINT];
        for code in ends {
            assert!(!of(code).heals() && of(code).remedy(Path::new("/x/handoffd.db")).is_none(), "{code}");
        }
    }
}
