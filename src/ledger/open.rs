//! Opening a ledger: the lock, the checks, the migrations, the pragmas. Everything about the connection is set here.

use super::error::{LedgerError, Result};
use super::schema::{APPLICATION_ID, STEPS};
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The ledger: a plain struct over one connection. Its operations are in the files of this folder, one concern each.
#[derive(Debug)]
pub struct Ledger {
    pub(super) connection: Connection,
    /// Held as long as this ledger may write.
    _lock: Option<File>,
}

/// How hard a commit is pressed onto the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Survives the machine losing power.
    Full,
    /// Survives the process dying only: for simulations and tests, which die often.
    Process,
}

impl Ledger {
    /// Opens the ledger for writing, makes it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// Locked by another process, newer, not a ledger, or not to be opened.
    pub fn open(path: &Path, durability: Durability) -> Result<Self> {
        let lock = take_lock(path)?;
        let connection = Connection::open(path).map_err(|error| cannot_open(path, &error))?;
        Self::prepare(connection, path, durability, Some(lock))
    }

    /// A ledger that ends with the process.
    ///
    /// # Errors
    /// SQLite's.
    pub fn in_memory() -> Result<Self> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| cannot_open(path, &error))?;
        Self::prepare(connection, path, Durability::Process, None)
    }

    /// Opens an existing ledger for reading, while a daemon may be writing it.
    ///
    /// # Errors
    /// No such file, newer, or not a ledger.
    pub fn open_read_only(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| cannot_open(path, &error))?;
        check_version()?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let found = identity(&connection, path)?;
        if found < STEPS.len() {
            return Err(LedgerError::WrongState(format!(
                "{} was written by an older handoffd: start `handoffd run` once to bring it up to date",
                path.display()
            )));
        }
        Ok(Self { connection, _lock: None })
    }

    fn prepare(connection: Connection, path: &Path, durability: Durability, lock: Option<File>) -> Result<Self> {
        check_version()?;
        identity(&connection, path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let synchronous = match durability {
            Durability::Full => "FULL",
            Durability::Process => "OFF",
        };
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF; PRAGMA cache_size = -4096; PRAGMA wal_autocheckpoint = 1000;"
        ))?;
        connection.set_prepared_statement_cache_capacity(128);
        migrate(&connection)?;
        Ok(Self { connection, _lock: lock })
    }

    /// Runs one operation in a transaction of its own: all of it, or nothing.
    ///
    /// # Errors
    /// The operation's, or the commit's.
    pub fn transact<T>(&mut self, operation: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        match operation(self) {
            Ok(done) => {
                self.commit()?;
                Ok(done)
            }
            Err(error) => {
                self.roll_back("ROLLBACK");
                Err(error)
            }
        }
    }

    pub(super) fn begin(&self) -> Result<()> {
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    pub(super) fn commit(&self) -> Result<()> {
        self.connection.execute_batch("COMMIT").map_err(|error| {
            self.roll_back("ROLLBACK");
            LedgerError::from(error)
        })
    }

    /// Rolling back can fail only where SQLite has rolled back by itself already.
    pub(super) fn roll_back(&self, statement: &str) {
        if let Err(error) = self.connection.execute_batch(statement) {
            tracing::debug!(error = %error, "ledger.rolled_back_already");
        }
    }
}

/// The write-ahead log of older versions can be corrupted by two checkpoints at once (fixed in 3.51.3).
fn check_version() -> Result<()> {
    if rusqlite::version_number() < 3_051_003 {
        return Err(LedgerError::OldSqlite(rusqlite::version().to_owned()));
    }
    Ok(())
}

fn cannot_open(path: &Path, error: &rusqlite::Error) -> LedgerError {
    LedgerError::Open { path: path.to_owned(), why: error.to_string() }
}

/// The path of the lock file beside a ledger.
pub fn lock_path(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn take_lock(path: &Path) -> Result<File> {
    let failed = |error: std::io::Error| LedgerError::Open { path: path.to_owned(), why: error.to_string() };
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(lock_path(path)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(LedgerError::Locked(path.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The schema version of the file; refuses files that are not ours.
fn identity(connection: &Connection, path: &Path) -> Result<usize> {
    let not_ours = |_| LedgerError::NotALedger(path.to_owned());
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let id = number("PRAGMA application_id").map_err(not_ours)?;
    let version = number("PRAGMA user_version").map_err(not_ours)?;
    let tables = number("SELECT count(*) FROM sqlite_schema").map_err(not_ours)?;
    if id != APPLICATION_ID && (tables > 0 || version != 0) {
        return Err(LedgerError::NotALedger(path.to_owned()));
    }
    let known = STEPS.len();
    match usize::try_from(version) {
        Ok(found) if found <= known => Ok(found),
        _ => Err(LedgerError::Newer { path: path.to_owned(), found: version, known: known as i64 }),
    }
}

fn migrate(connection: &Connection) -> Result<()> {
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    let steps = || -> Result<()> {
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        for step in STEPS.iter().skip(usize::try_from(version).unwrap_or(0)) {
            connection.execute_batch(step)?;
        }
        connection.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};",
            STEPS.len()
        ))?;
        Ok(())
    };
    match steps() {
        Ok(()) => Ok(connection.execute_batch("COMMIT")?),
        Err(error) => {
            connection.execute_batch("ROLLBACK")?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_opens_twice_in_a_row_and_never_twice_at_once() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("handoffd.db");
        let first = Ledger::open(&path, Durability::Full).expect("new");
        assert_eq!(Ledger::open(&path, Durability::Full).expect_err("held"), LedgerError::Locked(path.clone()));
        Ledger::open_read_only(&path).expect("reading is allowed meanwhile");
        drop(first);
        Ledger::open(&path, Durability::Full).expect("again");
    }

    #[test]
    fn a_newer_ledger_and_a_strange_file_are_refused_untouched() {
        let folder = tempfile::tempdir().expect("folder");
        let newer = folder.path().join("newer.db");
        drop(Ledger::open(&newer, Durability::Full).expect("new"));
        Connection::open(&newer).expect("open").execute_batch("PRAGMA user_version = 99").expect("set");
        assert!(matches!(Ledger::open(&newer, Durability::Full), Err(LedgerError::Newer { found: 99, .. })));

        let strange = folder.path().join("strange.db");
        for content in [&b"not a database, and long enough to be read as a header of one......"[..], &[0u8; 4096][..]] {
            std::fs::write(&strange, content).expect("write");
            assert!(Ledger::open(&strange, Durability::Full).is_err());
            assert_eq!(std::fs::read(&strange).expect("read"), content, "untouched");
        }
        let other = folder.path().join("other.db");
        Connection::open(&other).expect("open").execute_batch("CREATE TABLE t (a)").expect("table");
        assert_eq!(Ledger::open(&other, Durability::Full).expect_err("other"), LedgerError::NotALedger(other));
    }

    #[test]
    fn a_failed_operation_leaves_nothing_behind() {
        let mut ledger = Ledger::in_memory().expect("ledger");
        let failed: Result<()> = ledger.transact(|ledger| {
            ledger.connection.execute("INSERT INTO desks VALUES ('acme', 1)", [])?;
            Err(LedgerError::Stopped)
        });
        assert!(failed.is_err());
        let desks: i64 =
            ledger.connection.query_row("SELECT count(*) FROM desks", [], |row| row.get(0)).expect("count");
        assert_eq!(desks, 0);
    }
}
