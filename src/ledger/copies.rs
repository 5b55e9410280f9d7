//! Copies of a ledger: a backup beside a daemon that writes, and the way back.
//!
//! A copy is made by SQLite itself (`VACUUM INTO`): one snapshot in one file, without what was deleted. It is written under
//! another name, read through, put on the disk, and only then takes its place.
//!
//! What was due in a restored ledger may have been written since the copy was made: all of it counts as unsure, so that
//! its mark is looked for before anything is sent.

use super::codec::{instant, millis};
use super::error::{LedgerError, Result};
use super::inspect::Fault;
use super::open::{Durability, Ledger, Lock, beside, identity, make_private, restoring_path};
use super::people::Act;
use super::states::{EffectEvent, EffectState};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, params};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What belongs to a ledger's file, by the end of its name.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// A ledger that was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Where the ledger lies now that was replaced; none: there was none.
    pub aside: Option<PathBuf>,
    /// How many effects are looked up before anything is sent, because they may have been written since the backup.
    pub doubted: usize,
    /// What does not hold in it, other than damage.
    pub faults: Vec<Fault>,
}

impl Ledger {
    /// Writes a copy of this ledger, as it is now, to the file `to`, and gives what does not hold in it, other than damage.
    ///
    /// # Errors
    /// There is a file and it is not to be replaced; the copy cannot be written, or is damaged. Then nothing is left of it.
    pub fn back_up(&mut self, to: &Path, replace: bool, step: &mut dyn FnMut(&'static str)) -> Result<Vec<Fault>> {
        if self.connection.path().is_some_and(|own| is_part_of(to, Path::new(own))) {
            return Err(LedgerError::WrongState(format!("{} belongs to the ledger itself", to.display())));
        }
        if !replace && to.exists() {
            let words = format!("{} is there already: name another file, or say --force to replace it", to.display());
            return Err(LedgerError::WrongState(words));
        }
        let partial = partial_path(to);
        let done = claim_partial(&partial).and_then(|_held| {
            step("copying");
            copy(&self.connection, &partial)?;
            let mut written = Self::open_read_only(&partial)?;
            let faults = sound(written.inspect(step)?)?;
            drop(written);
            settle(&partial, to)?;
            Ok(faults)
        });
        if done.is_err() && !matches!(done, Err(LedgerError::Busy)) {
            drop(std::fs::remove_file(&partial));
        }
        done
    }

    /// Puts the backup `from` in the place of the ledger at `path`, which must not be in use. The one that lies there is kept
    /// beside it. What was due counts as unsure, and who restored it is recorded.
    ///
    /// # Errors
    /// A daemon runs; the backup is damaged or no ledger; something cannot be written. Then what was there is untouched.
    pub fn restore(path: &Path, from: &Path, act: &Act, step: &mut dyn FnMut(&'static str)) -> Result<Restored> {
        if is_part_of(from, path) {
            return Err(LedgerError::WrongState(format!("{} belongs to the ledger itself", from.display())));
        }
        let _lock = Lock::take(path)?;
        step("reading the backup");
        let backup = open_backup(from)?;
        let staged = restoring_path(path);
        let clean = || PARTS.iter().try_for_each(|part| remove(&beside(&staged, part)));
        clean()?;
        let prepared = make_private(&staged)
            .and_then(|()| copy(&backup, &staged))
            .and_then(|()| prepared(&staged, from, act, step))
            .and_then(|done| synced(&staged).map(|()| done));
        // While the ledger is in its place, what was not made ready is worth nothing.
        let (doubted, faults) = prepared.inspect_err(|_| drop(clean()))?;
        step("putting it in place");
        let aside = put_aside(path, act.at)?;
        rename(&staged, path)?;
        Ok(Restored { aside, doubted, faults })
    }

    /// Everything that was not done when the copy was made may have been done since.
    fn doubt_what_was_due(&mut self, now: Timestamp) -> Result<usize> {
        let open: Vec<(i64, i64)> = {
            let mut statement = self.connection.prepare(
                "SELECT e.id, coalesce(h.created_at, c.heard_at, e.deadline) FROM effects e
                 LEFT JOIN handoffs h ON h.id = e.handoff LEFT JOIN commands c ON c.id = e.handoff
                 WHERE e.state IN ('due', 'in_flight', 'parked')",
            )?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?
        };
        let mut doubted = 0;
        for (id, planned) in open {
            match self.effect(id) {
                Err(error @ LedgerError::Unreadable { .. }) => self.park_unreadable(id, &error)?,
                Err(error) => return Err(error),
                Ok(mut effect) => {
                    let Some(state) = in_doubt(&effect.state, now)? else { continue };
                    effect.write.first_tried.get_or_insert(instant(planned));
                    self.put_write(id, &effect.write)?;
                    self.put_state(id, &state)?;
                    let lost = "UPDATE effects SET lost_at = ? WHERE id = ?";
                    self.connection.execute(lost, params![millis(now), id])?;
                    doubted += 1;
                }
            }
        }
        Ok(doubted)
    }
}

/// The state of an effect that may have been sent by a daemon of which this ledger knows nothing, by the steps that it would
/// have taken there; none: it is looked up already.
fn in_doubt(state: &EffectState, now: Timestamp) -> Result<Option<EffectState>> {
    use EffectEvent as E;
    let steps: &[E] = match state {
        EffectState::Due { .. } => &[E::Claimed, E::Restarted(now)],
        EffectState::InFlight { .. } => &[E::Restarted(now)],
        EffectState::Parked { unsure: false, .. } => &[E::Retry(now), E::Claimed, E::Restarted(now), E::Park],
        _ => return Ok(None),
    };
    let after = steps.iter().try_fold(state.clone(), |state, event| state.after(event))?;
    Ok(Some(after))
}

/// Makes a copy ready to be the ledger, as one file: brought up to date, what was due in doubt, the restore recorded.
fn prepared(staged: &Path, from: &Path, act: &Act, step: &mut dyn FnMut(&'static str)) -> Result<(usize, Vec<Fault>)> {
    let connection = Connection::open(staged).map_err(|error| cannot_copy(staged, &error))?;
    let mut ledger = Ledger::prepare(connection, staged, Durability::Full, None)?;
    let name = from.file_name().unwrap_or_default().to_string_lossy();
    let doubted = ledger.transact(|ledger| {
        ledger.note_act(act, "restore", &name)?;
        ledger.doubt_what_was_due(act.at)
    })?;
    let faults = sound(ledger.inspect(step)?)?;
    ledger.connection.execute_batch("PRAGMA journal_mode = DELETE")?;
    Ok((doubted, faults))
}

fn open_backup(from: &Path) -> Result<Connection> {
    super::open::check_header(from)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(from, flags).map_err(|error| cannot_copy(from, &error))?;
    connection.busy_timeout(Duration::from_secs(5))?;
    if identity(&connection, from)? == 0 {
        return Err(LedgerError::NotALedger(from.to_owned()));
    }
    let words: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if words == "ok" { Ok(connection) } else { Err(LedgerError::BadCopy { path: from.to_owned(), why: words }) }
}

/// Damage makes a copy useless; what else does not hold came with the ledger, and is told.
fn sound(faults: Vec<Fault>) -> Result<Vec<Fault>> {
    match faults.iter().find(|fault| fault.kind == "damaged") {
        Some(fault) => Err(LedgerError::Corrupt(fault.what.clone())),
        None => Ok(faults),
    }
}

fn copy(from: &Connection, to: &Path) -> Result<()> {
    let name = to.to_str().ok_or_else(|| cannot_copy(to, &"its name is no UTF-8"))?;
    match from.execute("VACUUM INTO ?", [name]) {
        Ok(_) => Ok(()),
        Err(error) => match LedgerError::from(error) {
            error @ LedgerError::Corrupt(_) => Err(error),
            error => Err(cannot_copy(to, &error)),
        },
    }
}

/// Where a copy is written before it takes its place.
pub fn partial_path(to: &Path) -> PathBuf {
    beside(to, ".partial")
}

/// An empty file for this copy alone; one that an earlier copy left behind is written anew.
fn claim_partial(partial: &Path) -> Result<File> {
    let failed = |error: io::Error| cannot_copy(partial, &error);
    make_private(partial).map_err(|error| match error {
        LedgerError::Open { path, why } => LedgerError::BadCopy { path, why },
        error => error,
    })?;
    let file = OpenOptions::new().write(true).open(partial).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => file.set_len(0).map(|()| file).map_err(failed),
        Err(std::fs::TryLockError::WouldBlock) => Err(LedgerError::Busy),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn settle(partial: &Path, to: &Path) -> Result<()> {
    synced(partial)?;
    rename(partial, to)
}

fn synced(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| cannot_copy(path, &error))
}

/// Renames a file, for good: the folder is on the disk too when this returns.
fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|error| cannot_copy(to, &error))?;
    sync_folder_of(to)
}

fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| cannot_copy(path, &error))
}

/// Moves a ledger's files out of the way. They have both names before the old ones go, and the file goes before its log: a
/// file without its log would be another, older ledger.
fn put_aside(path: &Path, at: Timestamp) -> Result<Option<PathBuf>> {
    let stamp = at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let names = (1..).map(|count| if count == 1 { stamp.clone() } else { format!("{stamp}-{count}") });
    let free = |name: String| {
        let aside = beside(path, &format!(".replaced-{name}"));
        PARTS.iter().all(|part| !beside(&aside, part).exists()).then_some(aside)
    };
    let Some(aside) = names.take(100).find_map(free) else {
        return Err(cannot_copy(path, &"a hundred replaced ledgers of this second are there"));
    };
    let there: Vec<&str> = PARTS.into_iter().filter(|part| beside(path, part).exists()).collect();
    for part in &there {
        let (from, to) = (beside(path, part), beside(&aside, part));
        std::fs::hard_link(&from, &to)
            .or_else(|_| std::fs::copy(&from, &to).map(drop))
            .map_err(|error| cannot_copy(&to, &error))?;
    }
    sync_folder_of(path)?;
    for part in &there {
        remove(&beside(path, part))?;
    }
    Ok(there.contains(&"").then_some(aside))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot_copy(path, &error)),
        _ => Ok(()),
    }
}

/// Whether a file is the ledger's own or lies beside it for its sake.
fn is_part_of(file: &Path, ledger: &Path) -> bool {
    let whole = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    let Some(file) = file.canonicalize().ok().or_else(|| whole(file)) else { return false };
    let Some(ledger) = ledger.canonicalize().ok().or_else(|| whole(ledger)) else { return false };
    PARTS.iter().chain(&[".lock", ".sock", ".restoring"]).any(|end| file == beside(&ledger, end))
}

fn cannot_copy(path: &Path, why: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::BadCopy { path: path.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests;
