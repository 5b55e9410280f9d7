//! Opening a ledger: the lock, the checks, the migrations, the pragmas. Everything about the connection is set here.

use super::error::{LedgerError, Result};
use super::log_check::check_log;
use super::schema::{APPLICATION_ID, STEPS};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Files up to this size are read through at the start; larger ones would hold it up.
const CHECKED_BYTES: u64 = 16 << 20;

/// The ledger: a plain struct over one connection. Its operations are in the files of this folder, one concern each.
#[derive(Debug)]
pub struct Ledger {
    pub(super) connection: Connection,
    /// Held as long as this ledger may write.
    _lock: Option<Lock>,
}

/// The lock beside the ledger. It is given up in so many words: closing the file would leave it held for as long as a process
/// that was just started from this one has a copy of it, which is until that one has begun its own program.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock of the ledger at `path`.
    ///
    /// # Errors
    /// Another process has it, or it cannot be made.
    pub(super) fn take(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| cannot_read(path, &error);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(lock_path(path)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(lock)),
            Err(std::fs::TryLockError::WouldBlock) => Err(LedgerError::Locked(path.to_owned())),
            Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(error = %error, "ledger.lock_goes_with_its_file");
        }
    }
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
        let lock = Lock::take(path)?;
        refuse_half_restored(path)?;
        make_private(path)?;
        check_header(path)?;
        check_log(path)?;
        let connection = Connection::open(path).map_err(|error| cannot_open(path, &error))?;
        let ledger = Self::prepare(connection, path, durability, Some(lock))?;
        ledger.check_whole(path)?;
        Ok(ledger)
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
        check_header(path)?;
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

    pub(super) fn prepare(
        connection: Connection,
        path: &Path,
        durability: Durability,
        lock: Option<Lock>,
    ) -> Result<Self> {
        check_version()?;
        identity(&connection, path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let synchronous = match durability {
            Durability::Full => "FULL",
            Durability::Process => "OFF",
        };
        connection.execute_batch(&format!(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA secure_delete = FAST;
             PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF; PRAGMA recursive_triggers = ON; PRAGMA cache_size = -2048; PRAGMA wal_autocheckpoint = 1000;"
        ))?;
        // Our SQLite is built with STAT4, whose planner makes a statement anew at every new value that it is given, although
        // nothing here runs ANALYZE: of all the work of a look, a sixth was that.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(128);
        migrate(&connection)?;
        Ok(Self { connection, _lock: lock })
    }

    /// Runs one operation in a transaction of its own: all of it, or nothing.
    ///
    /// # Errors
    /// The operation's, or the commit's.
    pub fn transact<T>(&mut self, operation: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.begin()?;
        match operation(self) {
            // SQLite has rolled back by itself, and the operation has not noticed.
            Ok(_) if self.connection.is_autocommit() => Err(LedgerError::Full),
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

    /// Runs an operation all or nothing, alone or as a part of a larger transaction.
    pub(super) fn atomically<T>(&mut self, operation: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.say("SAVEPOINT operation")?;
        let done = operation(self).and_then(|done| {
            if self.connection.is_autocommit() {
                // SQLite has rolled back by itself, and the operation has not noticed.
                return Err(LedgerError::Full);
            }
            self.say("RELEASE operation")?;
            Ok(done)
        });
        if done.is_err() {
            self.roll_back("ROLLBACK TO operation; RELEASE operation");
        }
        done
    }

    /// For the simulation and tests: the file may not grow beyond what it is, as on a full disk, or as it likes; and nobody who
    /// holds its lock is waited for, because on a clock that stands still he would never let go.
    ///
    /// # Errors
    /// SQLite's.
    pub fn tightened(&mut self, tight: bool) -> Result<()> {
        let pages = if tight { 1 } else { 1 << 30 };
        self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(self.connection.busy_timeout(Duration::ZERO)?)
    }

    /// A small file is read through, so that damage shows now and not in the middle of a night.
    fn check_whole(&self, path: &Path) -> Result<()> {
        let size = path.metadata().map_err(|error| cannot_read(path, &error))?.len();
        if size > CHECKED_BYTES {
            return Ok(());
        }
        let words: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if words == "ok" { Ok(()) } else { Err(LedgerError::Corrupt(words)) }
    }

    pub(super) fn begin(&self) -> Result<()> {
        let begin = if self.is_read_only()? { "BEGIN" } else { "BEGIN IMMEDIATE" };
        self.say(begin)
    }

    /// Runs what opens and closes transactions; said so often that making the statement anew each time would show.
    fn say(&self, statement: &str) -> Result<()> {
        self.connection.prepare_cached(statement)?.execute([])?;
        Ok(())
    }

    pub(super) fn is_read_only(&self) -> Result<bool> {
        Ok(self.connection.is_readonly("main")?)
    }

    pub(super) fn commit(&self) -> Result<()> {
        self.say("COMMIT").inspect_err(|_| self.roll_back("ROLLBACK"))
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

fn cannot_read(path: &Path, error: &std::io::Error) -> LedgerError {
    LedgerError::Open { path: path.to_owned(), why: error.to_string() }
}

/// Ticket text is nobody else's business: a new file is readable for its owner alone.
pub(super) fn make_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(cannot_read(path, &error)),
    }
}

/// A file that is no database is told apart before SQLite touches it.
pub(super) fn check_header(path: &Path) -> Result<()> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head));
    read.map_err(|error| cannot_read(path, &error))?;
    if head.is_empty() || head == MAGIC { Ok(()) } else { Err(LedgerError::NotALedger(path.to_owned())) }
}

/// A file beside another one, known by the end of its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// The path of the lock file beside a ledger.
pub fn lock_path(ledger: &Path) -> PathBuf {
    beside(ledger, ".lock")
}

/// Where a backup is made ready to be the ledger at `path`.
pub(super) fn restoring_path(path: &Path) -> PathBuf {
    beside(path, ".restoring")
}

/// A restore that was interrupted after the old ledger was put aside: an empty one must not take its place.
fn refuse_half_restored(path: &Path) -> Result<()> {
    let staged = restoring_path(path);
    if path.exists() || !staged.exists() {
        return Ok(());
    }
    Err(LedgerError::WrongState(format!(
        "a restore was interrupted, and {} is not in its place yet: say `handoffd ledger restore` again; the ledger that was replaced \
         lies beside it",
        path.display()
    )))
}

/// The schema version of the file; refuses files that are not ours.
pub(super) fn identity(connection: &Connection, path: &Path) -> Result<usize> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let id = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
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
            Err(match error {
                // The steps fit each other: it is the file that is not what it says.
                LedgerError::Sql(words) => LedgerError::Corrupt(format!("its schema is not what it says: {words}")),
                error => error,
            })
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
    fn a_closed_ledger_is_free_although_a_process_that_is_being_started_still_has_its_files() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("handoffd.db");
        let ledger = Ledger::open(&path, Durability::Process).expect("new");
        // Between fork and exec a child has a copy of every open file, and with it of the lock.
        let childs = ledger._lock.as_ref().expect("locked").0.try_clone().expect("copied");
        assert!(Ledger::open(&path, Durability::Process).is_err());
        drop(ledger);
        Ledger::open(&path, Durability::Process).expect("free at once");
        drop(childs);
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
    fn a_damaged_or_truncated_ledger_is_refused_with_clear_words() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("handoffd.db");
        let ledger = Ledger::open(&path, Durability::Process).expect("new");
        let one = "INSERT INTO desks VALUES (hex(randomblob(1000)), 1)";
        (0..100).for_each(|_| assert_eq!(ledger.connection.execute(one, []), Ok(1)));
        drop(ledger);
        let whole = std::fs::read(&path).expect("bytes");
        let mut garbled = whole.clone();
        garbled[4096..].fill(0x5a);
        for damaged in [&whole[..whole.len() / 2], &garbled, &whole[..40]] {
            std::fs::write(&path, damaged).expect("damaged");
            let error = Ledger::open(&path, Durability::Process).expect_err("damaged");
            assert!(matches!(error, LedgerError::Corrupt(_)), "{error}");
        }
    }

    #[test]
    fn a_folder_or_file_that_is_not_there_is_named() {
        let path = Path::new("/nowhere/at/all/handoffd.db");
        for error in [Ledger::open(path, Durability::Full), Ledger::open_read_only(path)].map(Result::err) {
            assert!(error.expect("no folder").to_string().contains("/nowhere/at/all"));
        }
    }

    #[test]
    fn a_reader_cannot_write_and_an_older_ledger_is_not_brought_up_to_date_by_reading() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("handoffd.db");
        drop(Ledger::open(&path, Durability::Process).expect("new"));
        let mut reader = Ledger::open_read_only(&path).expect("reader");
        assert!(reader.clear_trouble(&"acme".into()).is_err());
        let now = jiff::Timestamp::UNIX_EPOCH;
        assert_eq!(reader.desk_met(&"acme".into(), now), Ok(now), "a question is answered and not written down");
        drop(reader);
        Connection::open(&path).expect("open").execute_batch("PRAGMA user_version = 0").expect("set");
        assert!(matches!(Ledger::open_read_only(&path), Err(LedgerError::WrongState(_))));
    }

    #[test]
    fn migrating_twice_is_migrating_once_and_every_table_is_strict() {
        let ledger = Ledger::in_memory().expect("ledger");
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = ledger.connection.prepare(sql).expect("sql");
            statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("row")).collect()
        };
        let schema = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
        let first = texts(schema);
        migrate(&ledger.connection).expect("again");
        assert_eq!(texts(schema), first);
        let loose = texts("SELECT name FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite%'");
        assert_eq!(loose, Vec::<String>::new());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_a_new_ledger() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("handoffd.db");
        let _ledger = Ledger::open(&path, Durability::Process).expect("new");
        assert_eq!(path.metadata().expect("file").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_failed_operation_leaves_nothing_behind() {
        let mut ledger = Ledger::in_memory().expect("ledger");
        let fails = |ledger: &mut Ledger| -> Result<()> {
            ledger.connection.execute("INSERT INTO desks VALUES ('acme', 1)", [])?;
            Err(LedgerError::Stopped)
        };
        assert!(ledger.transact(fails).is_err());
        assert!(ledger.atomically(fails).is_err());
        let desks: i64 =
            ledger.connection.query_row("SELECT count(*) FROM desks", [], |row| row.get(0)).expect("count");
        assert_eq!(desks, 0);
    }
}
