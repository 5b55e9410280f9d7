//! Giving back to the disk what a ledger does not use any more: whole, where nobody else has it open; a slice at a time beside a
//! daemon that writes.

use super::error::{LedgerError, Result};
use super::open::{Ledger, beside};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// `PRAGMA auto_vacuum`: pages that are free can be given back one by one.
const INCREMENTAL: i64 = 2;

/// How long a slice waits for the other process's writes.
const BUSY: Duration = Duration::from_secs(5);
/// How long emptying the log waits for who reads it: it holds the write lock meanwhile.
const PATIENCE: Duration = Duration::from_millis(100);

/// Compacts a ledger that another process has open.
pub struct Compactor {
    connection: Connection,
}

impl Compactor {
    /// Of the ledger at this path.
    ///
    /// # Errors
    /// It cannot be opened, or was made in a way that only allows to be compacted as a whole.
    pub fn beside(path: &Path) -> Result<Self> {
        // The schema is known to fit: nothing is read, and nothing but pages is moved.
        drop(Ledger::open_read_only(path)?);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = FAST; PRAGMA cache_size = -2048")?;
        let kind: i64 = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
        if kind != INCREMENTAL {
            let words = "this ledger can only be compacted as a whole: stop handoffd, say it again, and start handoffd";
            return Err(LedgerError::WrongState(words.into()));
        }
        Ok(Self { connection })
    }

    /// How many pages could be given back.
    ///
    /// # Errors
    /// SQLite's.
    pub fn free_pages(&self) -> Result<u64> {
        let pages: u32 = self.connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
        Ok(u64::from(pages))
    }

    /// Gives at most so many pages back, in one short transaction.
    ///
    /// # Errors
    /// SQLite's; [`LedgerError::Busy`] where the other process holds the lock for long.
    pub fn slice(&mut self, pages: u32) -> Result<()> {
        let mut statement = self.connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    /// Writes the log back into the file and empties it. Gives whether that was possible: somebody who reads holds it, and is
    /// not waited for, because nobody can write as long as that lasts.
    ///
    /// # Errors
    /// SQLite's.
    pub fn finish(&self) -> Result<bool> {
        self.connection.busy_timeout(PATIENCE)?;
        let emptied = empty_log(&self.connection);
        self.connection.busy_timeout(BUSY)?;
        emptied
    }
}

impl Ledger {
    /// Writes the whole file anew, in order and without gaps. Gives whether its log could be emptied.
    ///
    /// # Errors
    /// SQLite's: it takes as much room again while it lasts.
    pub fn compact_whole(&mut self) -> Result<bool> {
        self.connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")?;
        empty_log(&self.connection)
    }
}

pub(super) fn empty_log(connection: &Connection) -> Result<bool> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

/// How many bytes a ledger takes on the disk, its log included.
pub fn bytes_on_disk(path: &Path) -> u64 {
    let log = beside(path, "-wal");
    [path, &log].iter().filter_map(|path| std::fs::metadata(path).ok()).map(|file| file.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::open::Durability;
    use super::super::samples::{at, webhook};
    use super::*;
    use jiff::SignedDuration;

    /// A ledger out of which much was thrown away.
    fn holed(folder: &Path) -> Ledger {
        let mut ledger = Ledger::open(&folder.join("handoffd.db"), Durability::Process).expect("new");
        let mut random = fastrand::Rng::with_seed(7);
        for number in 0..40 {
            let body: String = (0..50_000).map(|_| random.alphanumeric()).collect();
            let hook = webhook("acme", Some(&format!("d{number}")), &body, &["1"], at(number));
            ledger.transact(|ledger| ledger.note_webhook(&hook)).expect("noted");
        }
        let kept = SignedDuration::from_secs(5);
        ledger.transact(|ledger| ledger.purge(at(40), kept)).expect("purged");
        ledger
    }

    #[test]
    fn beside_a_daemon_free_pages_are_given_back_slice_by_slice_and_what_is_kept_stays() {
        let folder = tempfile::tempdir().expect("folder");
        let mut ledger = holed(folder.path());
        let path = folder.path().join("handoffd.db");
        empty_log(&ledger.connection).expect("written back");
        let before = bytes_on_disk(&path);
        let mut compactor = Compactor::beside(&path).expect("beside");
        let mut slices = 0;
        while compactor.free_pages().expect("told") > 0 {
            compactor.slice(100).expect("given back");
            // The daemon goes on in between.
            let hook = webhook("acme", Some(&format!("later {slices}")), "new", &["2"], at(100));
            ledger.transact(|ledger| ledger.note_webhook(&hook)).expect("noted");
            slices += 1;
        }
        assert!(slices > 2, "{slices}");
        assert_eq!(compactor.finish(), Ok(true));
        let after = bytes_on_disk(&path);
        // What is kept, with the empty pages of the schema, is a third of it.
        assert!(after * 2 < before, "{before} to {after}");
        let faults = ledger.file_faults().expect("read");
        assert_eq!(faults, Vec::<String>::new());
        let kept: (i64, i64) = ledger
            .connection
            .query_row("SELECT count(*), count(body) FROM webhooks", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("counted");
        assert_eq!(kept, (40 + slices, 5 + slices));
    }

    #[test]
    fn who_reads_keeps_the_log_and_nobody_who_writes_waits_for_them() {
        let folder = tempfile::tempdir().expect("folder");
        let mut ledger = holed(folder.path());
        ledger.connection.busy_timeout(Duration::ZERO).expect("set");
        let path = folder.path().join("handoffd.db");
        let reader = Ledger::open_read_only(&path).expect("reader");
        let compactor = Compactor::beside(&path).expect("beside");
        let hook = |name: &str| webhook("acme", Some(name), "new", &["2"], at(100));
        reader
            .at_one_moment(|reader| {
                reader.switches()?;
                ledger.transact(|ledger| ledger.note_webhook(&hook("while somebody reads")))?;
                assert_eq!(compactor.finish(), Ok(false));
                ledger.transact(|ledger| ledger.note_webhook(&hook("and after the try")))
            })
            .expect("written although somebody reads");
        assert_eq!(compactor.finish(), Ok(true), "nobody reads any more");
        assert_eq!(std::fs::metadata(folder.path().join("handoffd.db-wal")).expect("a log").len(), 0);
    }

    #[test]
    fn alone_it_is_written_anew() {
        let folder = tempfile::tempdir().expect("folder");
        let mut ledger = holed(folder.path());
        let path = folder.path().join("handoffd.db");
        let before = bytes_on_disk(&path);
        ledger.compact_whole().expect("compacted");
        assert!(bytes_on_disk(&path) * 3 < before);
        assert_eq!(ledger.file_faults(), Ok(Vec::new()));
    }
}
