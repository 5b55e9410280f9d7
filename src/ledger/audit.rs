//! Who did what: reviews, orders, pauses, signatures, policies, restores, erasures. A record that only grows, each line
//! linked to the one before it by a hash, so that whoever changes one beside handoffd shows.
//!
//! A line's names and reasons are people's words, and can be erased on their wish: the link is made of salted sums of them, which
//! stay. How many were erased says the line of the erasure itself.

use super::codec::{instant, millis};
use super::error::Result;
use super::inspect::Fault;
use super::open::Ledger;
use super::people::Act;
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Before the first line.
const BEGINNING: &[u8] = b"handoffd audit 1";
/// How many faults are told: after a cut all later lines would be some.
const TOLD: usize = 20;

const COLUMNS: &str = "id, at, what, about, by, by_salt, by_sum, reason, reason_salt, reason_sum, erases, link";

/// The record, gone through from its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// How many lines.
    pub records: u64,
    /// The link of the last one: written down elsewhere, it proves later that nothing up to here was changed or cut off.
    pub head: String,
    /// Names and reasons that were erased on somebody's wish.
    pub erased: u64,
    /// What does not fit.
    pub faults: Vec<Fault>,
}

/// One line of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActRecord {
    /// Its number, from 1.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who; none: erased.
    pub by: Option<String>,
    /// What they did.
    pub what: String,
    /// With what: a handoff, an effect, a case, a switch, a rule, a version.
    pub about: String,
    /// Why; none: they said nothing, or it is erased.
    pub reason: Option<String>,
    /// Whether any of it was erased.
    pub erased: bool,
    /// Its link, as hexadecimal digits.
    pub link: String,
}

/// What a link is made of, beside the one before it.
struct Line<'a> {
    id: i64,
    at: i64,
    what: &'a [u8],
    about: &'a [u8],
    by_sum: &'a [u8],
    reason_sum: &'a [u8],
    erases: i64,
}

impl Line<'_> {
    fn link(&self, before: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        let parts = [before, self.what, self.about, self.by_sum, self.reason_sum];
        for number in [self.id, self.at, self.erases] {
            hash.update(number.to_be_bytes());
        }
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// The sum of a name or a reason that stays when it is erased; nobody can try names against it without its salt.
fn said_sum(salt: &[u8], said: Option<&[u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update([u8::from(said.is_some())]);
    hash.update(said.unwrap_or_default());
    hash.finalize().into()
}

impl Ledger {
    /// Writes down that somebody did something.
    pub(super) fn note_act(&mut self, act: &Act, what: &str, about: &str) -> Result<()> {
        self.note_erasure(act, what, about, 0)
    }

    /// The same, where so many names and reasons of this record were erased with it.
    pub(super) fn note_erasure(&mut self, act: &Act, what: &str, about: &str, erases: i64) -> Result<()> {
        let last: Option<(i64, Vec<u8>)> = self
            .connection
            .prepare_cached("SELECT id, link FROM acts ORDER BY id DESC LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (last, before) = last.unwrap_or((0, BEGINNING.to_vec()));
        let (by_salt, reason_salt): (Vec<u8>, Vec<u8>) = self
            .connection
            .prepare_cached("SELECT randomblob(16), randomblob(16)")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let by_sum = said_sum(&by_salt, Some(act.by.as_bytes()));
        let reason_sum = said_sum(&reason_salt, act.reason.as_deref().map(str::as_bytes));
        let line = Line {
            id: last + 1,
            at: millis(act.at),
            what: what.as_bytes(),
            about: about.as_bytes(),
            by_sum: &by_sum,
            reason_sum: &reason_sum,
            erases,
        };
        self.connection
            .prepare_cached(&format!("INSERT INTO acts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"))?
            .execute(params![
                line.id,
                line.at,
                what,
                about,
                act.by,
                by_salt,
                by_sum,
                act.reason,
                reason_salt,
                reason_sum,
                erases,
                line.link(&before)
            ])?;
        Ok(())
    }

    /// Somebody had the configuration taken in.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_reload(&mut self, act: &Act, version: &str) -> Result<()> {
        self.note_act(act, "reload", version)
    }

    /// Goes through the record from its first line. `knows`: a link that was the last one once.
    ///
    /// # Errors
    /// SQLite's.
    pub fn verify_acts(&self, knows: Option<&str>) -> Result<Chain> {
        let mut statement = self.connection.prepare(&format!("SELECT {COLUMNS} FROM acts ORDER BY id"))?;
        let mut rows = statement.query([])?;
        let mut walk = Walk::new(knows);
        while let Some(row) = rows.next()? {
            walk.over(row)?;
        }
        let guards =
            "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name IN ('acts_fixed', 'acts_kept')";
        if self.connection.query_row(guards, [], |row| row.get::<_, i64>(0))? != 2 {
            walk.fault("what keeps the record from being changed was taken out of the ledger".into());
        }
        Ok(walk.end())
    }

    /// The record from this number on, oldest first, at most so many lines. One that cannot be read ends it.
    ///
    /// # Errors
    /// SQLite's.
    pub fn acts(&self, from: i64, most: usize) -> Result<Vec<ActRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM acts WHERE id >= ? ORDER BY id LIMIT ?");
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map(params![from, i64::try_from(most).unwrap_or(i64::MAX)], |row| {
            let erased = row.get_ref(5)? == ValueRef::Null || row.get_ref(8)? == ValueRef::Null;
            let link: Vec<u8> = row.get(11)?;
            Ok(ActRecord {
                id: row.get(0)?,
                at: instant(row.get(1)?),
                what: row.get(2)?,
                about: row.get(3)?,
                by: row.get(4)?,
                reason: row.get(7)?,
                erased,
                link: hex::encode(link),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// A walk along the record.
struct Walk<'k> {
    before: Vec<u8>,
    records: u64,
    erased: u64,
    erases: i64,
    knows: Option<&'k str>,
    faults: Vec<Fault>,
}

impl<'k> Walk<'k> {
    fn new(knows: Option<&'k str>) -> Self {
        Self { before: BEGINNING.to_vec(), records: 0, erased: 0, erases: 0, knows, faults: Vec::new() }
    }

    fn fault(&mut self, what: String) {
        if self.faults.len() < TOLD {
            self.faults.push(Fault { kind: "audit", what });
        }
    }

    fn over(&mut self, row: &Row<'_>) -> Result<()> {
        self.records += 1;
        let number = |index: usize| -> Result<Option<i64>> { Ok(row.get_ref(index)?.as_i64().ok()) };
        let bytes =
            |index: usize| -> Result<Option<&[u8]>> { Ok(row.get_ref(index)?.as_bytes_or_null().ok().flatten()) };
        let place = format!("line {}", self.records);
        let (id, at, erases) = (number(0)?, number(1)?, number(10)?);
        let (Some(id), Some(at), Some(erases)) = (id, at, erases) else {
            self.fault(format!("{place} cannot be read"));
            return Ok(());
        };
        if u64::try_from(id).ok() != Some(self.records) {
            self.fault(format!("{place} has the number {id}: lines before it are gone, or numbers were changed"));
            self.records = u64::try_from(id).unwrap_or(self.records);
        }
        let (what, about, by_sum, reason_sum) = (bytes(2)?, bytes(3)?, bytes(6)?, bytes(9)?);
        let line = Line {
            id,
            at,
            what: what.unwrap_or_default(),
            about: about.unwrap_or_default(),
            by_sum: by_sum.unwrap_or_default(),
            reason_sum: reason_sum.unwrap_or_default(),
            erases,
        };
        let link = bytes(11)?.unwrap_or_default();
        if line.link(&self.before) != link {
            self.fault(format!("line {id} does not fit the one before it: it, or that one, was changed"));
        }
        for (what, said, salt, sum) in
            [("who did it", bytes(4)?, bytes(5)?, line.by_sum), ("why", bytes(7)?, bytes(8)?, line.reason_sum)]
        {
            match salt {
                Some(salt) if said_sum(salt, said) != sum => self.fault(format!("line {id}: {what} was changed")),
                None if said.is_some() => self.fault(format!("line {id}: {what} was put in after it was erased")),
                None => self.erased += 1,
                Some(_) => {}
            }
        }
        self.erases += erases;
        self.before = link.to_vec();
        self.knows = self.knows.filter(|known| !known.eq_ignore_ascii_case(&hex::encode(link)));
        Ok(())
    }

    fn end(mut self) -> Chain {
        if i64::try_from(self.erased).ok() != Some(self.erases) {
            let words =
                format!("{} names and reasons are not there, and {} were erased by order", self.erased, self.erases);
            self.fault(words);
        }
        if let Some(known) = self.knows {
            self.fault(format!("no line has the link {known}: the record was cut off or written anew"));
        }
        let Self { before, records, erased, faults, .. } = self;
        Chain { records, head: hex::encode(before), erased, faults }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{act, at, ledger};
    use super::*;

    fn recorded() -> Ledger {
        let mut ledger = ledger();
        for (second, what, about) in [(1, "pause", "desk acme"), (2, "approve", "h1"), (3, "sign", "escalated@w1")] {
            ledger.note_act(&act(at(second)), what, about).expect("noted");
        }
        ledger.note_act(&Act { by: "handoffd".into(), reason: None, at: at(4) }, "policy", "p1").expect("noted");
        ledger
    }

    #[test]
    fn lines_fit_and_nobody_can_change_or_delete_one() {
        let ledger = recorded();
        let chain = ledger.verify_acts(None).expect("read");
        assert_eq!((chain.records, chain.erased, chain.faults), (4, 0, Vec::new()));
        assert_eq!(ledger.verify_acts(Some(&chain.head)).expect("read").faults, Vec::new());
        for sql in [
            "DELETE FROM acts WHERE id = 4",
            "UPDATE acts SET what = 'resume' WHERE id = 1",
            "UPDATE acts SET at = at + 1",
            "UPDATE acts SET by = 'somebody else'",
            "UPDATE acts SET by = NULL",
            "UPDATE acts SET link = zeroblob(32)",
            "INSERT OR REPLACE INTO acts SELECT id, at, 'resume', about, by, by_salt, by_sum, reason, reason_salt, reason_sum, erases, link FROM acts WHERE id = 1",
        ] {
            let refused = ledger.connection.execute(sql, []).expect_err(sql);
            assert!(refused.to_string().contains("only grows"), "{sql}: {refused}");
        }
        assert_eq!(ledger.verify_acts(None).expect("read"), Chain { faults: Vec::new(), ..chain_of(&ledger) });
    }

    fn chain_of(ledger: &Ledger) -> Chain {
        ledger.verify_acts(None).expect("read")
    }

    #[test]
    fn any_byte_that_somebody_flips_beside_handoffd_is_found() {
        let ledger = recorded();
        ledger.connection.execute_batch("DROP TRIGGER acts_fixed; DROP TRIGGER acts_kept").expect("a stranger can");
        let guards = chain_of(&ledger).faults.len();
        assert_eq!(guards, 1, "that is found too");
        let mut flipped = 0;
        for column in COLUMNS.split(", ") {
            for id in 1..=4 {
                let get = format!("SELECT {column} FROM acts WHERE id = ?");
                let value: rusqlite::types::Value =
                    ledger.connection.query_row(&get, [id], |row| row.get(0)).expect("there");
                let set = |id: i64, value: &dyn rusqlite::ToSql| {
                    let sql = format!("UPDATE acts SET {column} = ? WHERE id = ?");
                    ledger.connection.execute(&sql, rusqlite::params![value, id]).expect("changed");
                };
                let bytes = match &value {
                    rusqlite::types::Value::Text(text) => text.as_bytes().to_vec(),
                    rusqlite::types::Value::Blob(bytes) => bytes.clone(),
                    rusqlite::types::Value::Integer(number) => {
                        set(id, &(number + 100));
                        assert!(chain_of(&ledger).faults.len() > guards, "{column} of {id}");
                        set(if column == "id" { id + 100 } else { id }, number);
                        flipped += 1;
                        continue;
                    }
                    _ => continue,
                };
                for place in 0..bytes.len() {
                    let mut other = bytes.clone();
                    other[place] ^= 1;
                    match &value {
                        rusqlite::types::Value::Text(_) => set(id, &String::from_utf8(other).expect("ASCII")),
                        _ => set(id, &other),
                    }
                    assert!(chain_of(&ledger).faults.len() > guards, "{column} of {id}, byte {place}");
                    flipped += 1;
                }
                set(id, &value);
            }
        }
        assert_eq!(chain_of(&ledger).faults.len(), guards, "as it was");
        assert!(flipped > 500, "{flipped}");
    }

    #[test]
    fn what_is_cut_off_is_found_by_who_knows_the_last_link() {
        let ledger = recorded();
        let head = chain_of(&ledger).head;
        ledger.connection.execute_batch("DROP TRIGGER acts_kept; DELETE FROM acts WHERE id = 4").expect("cut");
        let guards = 1;
        assert_eq!(chain_of(&ledger).faults.len(), guards, "the end alone cannot tell");
        let faults = ledger.verify_acts(Some(&head)).expect("read").faults;
        assert!(faults.iter().any(|fault| fault.what.contains("cut off")), "{faults:?}");
        ledger.connection.execute("DELETE FROM acts WHERE id = 2", []).expect("cut");
        assert!(chain_of(&ledger).faults.len() > guards + 1, "a gap shows by itself");
    }

    #[test]
    fn a_record_is_given_out_as_it_stands() {
        let ledger = recorded();
        let acts = ledger.acts(2, 2).expect("read");
        let shown: Vec<_> = acts.iter().map(|act| (act.id, act.what.as_str(), act.by.as_deref())).collect();
        let by = Some("lead@acme.example (root)");
        assert_eq!(shown, [(2, "approve", by), (3, "sign", by)]);
        assert!(acts.iter().all(|act| act.link.len() == 64 && !act.erased && act.reason.as_deref() == Some("because")));
    }
}
