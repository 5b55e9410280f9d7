//! Erasing a person's text on their wish: everything that the ledger keeps of the cases in which they ask for help, and their
//! address wherever else it stands. What happened, when, by which rule, stays; the record of who did what stays linked.
//!
//! What is erased is overwritten in the file ([`Ledger::forget`] tells SQLite so). Free pages and the log go when the caller
//! compacts it.

use super::codec::{from_json, json, millis, sum, unpack};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::people::{Act, ends};
use super::states::{HandoffEvent, HandoffState};
use crate::plan::alert::Alert;
use crate::policy::proposal::{CustomerPlan, Package, Proposal};
use handoffd_kit::desk::{DeskChange, PublicReply, Update, Write};
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::model::{InternalText, PublicText};
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What stands where something was erased.
const ERASED: &str = "(erased)";

/// Whose text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PersonWanted {
    /// By their mail address, in any case.
    Mail(String),
    /// By their id on a desk.
    Id {
        /// Which desk.
        desk: DeskId,
        /// The desk's own id of them.
        id: String,
    },
}

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Cases whose text was erased.
    pub cases: usize,
    /// Handoffs that ended with it.
    pub withdrawn: usize,
    /// Names and reasons in the record of who did what.
    pub acts: usize,
}

/// Where text of a ticket can stand, with the columns that name the ticket: what is searched for an address.
const SEARCHED: [(&str, &str); 12] = [
    ("raws", "body"),
    ("looks", "head"),
    ("verdicts", "verdict"),
    ("would", "proposal"),
    ("handoffs", "proposal"),
    ("package_versions", "package"),
    ("handoffs", "rating_reason"),
    ("handoffs", "detail"),
    ("effects", "write"),
    ("commands", "words"),
    ("cases", "request"),
    ("alerts", "content"),
];

/// Text of a ticket that goes as it stands. `?1` is the desk, `?2` the ticket.
const GO: [&str; 10] = [
    "DELETE FROM package_versions WHERE desk = ?1 AND ticket = ?2",
    "DELETE FROM raws WHERE desk = ?1 AND ticket = ?2",
    "DELETE FROM verdicts WHERE desk = ?1 AND ticket = ?2",
    "UPDATE looks SET head = NULL, head_at = NULL WHERE desk = ?1 AND ticket = ?2",
    "UPDATE cases SET request = NULL, customer = NULL, last_public = NULL WHERE desk = ?1 AND ticket = ?2",
    "UPDATE commands SET words = '(erased)' WHERE desk = ?1 AND ticket = ?2",
    "UPDATE handoffs SET risks = '[]', rating_reason = NULL,
         detail = CASE WHEN detail IS NULL THEN NULL ELSE '(erased)' END WHERE desk = ?1 AND ticket = ?2",
    "UPDATE effects SET reason = NULL, next_step = NULL WHERE desk = ?1 AND ticket = ?2",
    "UPDATE alerts SET reason = NULL, next_step = NULL WHERE desk = ?1 AND ticket = ?2",
    "UPDATE case_troubles SET what = '(erased)' WHERE desk = ?1 AND ticket = ?2",
];

/// Where an address can stand as the name of somebody who did something.
const NAMED: [(&str, &str); 17] = [
    ("stays", "by"),
    ("owners", "owner"),
    ("owners", "name"),
    ("owners", "by"),
    ("cases", "owner"),
    ("handoffs", "claimed_by"),
    ("handoffs", "approved_by"),
    ("handoffs", "rated_by"),
    ("package_versions", "by"),
    ("commands", "by"),
    ("commands", "by_id"),
    ("lost_owners", "owner"),
    ("lost_owners", "name"),
    ("tasks", "who"),
    ("tasks", "who_id"),
    ("tasks", "done_by"),
    ("switches", "by"),
];

impl PersonWanted {
    /// From what somebody typed: a mail address, or `DESK/ID`.
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim();
        let whole = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
        if let Some((name, host)) = text.split_once('@') {
            return (whole(name) && whole(host)).then(|| Self::Mail(text.to_owned()));
        }
        let (desk, id) = text.split_once('/')?;
        (whole(desk) && whole(id)).then(|| Self::Id { desk: DeskId::new(desk), id: id.to_owned() })
    }
}

impl Ledger {
    /// The cases whose text would be erased: those in which they ask for help, and for an address those that mention it.
    ///
    /// # Errors
    /// SQLite's.
    pub fn cases_of(&self, person: &PersonWanted) -> Result<BTreeSet<(DeskId, TicketId)>> {
        let case = |row: &Row<'_>| -> rusqlite::Result<(DeskId, TicketId)> {
            Ok((DeskId::new(row.get::<_, String>(0)?), TicketId::new(row.get::<_, String>(1)?)))
        };
        let mail = match person {
            PersonWanted::Id { desk, id } => {
                let mut statement =
                    self.connection.prepare("SELECT desk, ticket FROM cases WHERE desk = ? AND customer = ?")?;
                let rows = statement.query_map([desk.as_str(), id], case)?;
                return Ok(rows.collect::<rusqlite::Result<_>>()?);
            }
            PersonWanted::Mail(mail) => mail,
        };
        let mut cases = {
            let mut statement =
                self.connection.prepare("SELECT desk, ticket FROM cases WHERE lower(customer) = lower(?)")?;
            statement.query_map([mail], case)?.collect::<rusqlite::Result<BTreeSet<_>>>()?
        };
        for (table, column) in SEARCHED {
            let sql = format!("SELECT desk, ticket, {column} FROM {table} WHERE {column} IS NOT NULL");
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if holds(row.get_ref(2)?, mail) {
                    cases.insert(case(row)?);
                }
            }
        }
        Ok(cases)
    }

    /// Erases a person's text, all of it or nothing. Handoffs of their cases that are not sent whole end with it.
    ///
    /// # Errors
    /// [`LedgerError::WrongState`] while something of theirs is being written to a helpdesk, or SQLite's.
    pub fn forget(&mut self, person: &PersonWanted, act: &Act) -> Result<Forgotten> {
        self.connection.execute_batch("PRAGMA secure_delete = ON")?;
        let forgotten = self.atomically(|ledger| ledger.erase(person, act));
        self.connection.execute_batch("PRAGMA secure_delete = FAST")?;
        forgotten
    }

    fn erase(&mut self, person: &PersonWanted, act: &Act) -> Result<Forgotten> {
        let cases = self.cases_of(person)?;
        let mut done = Forgotten { cases: cases.len(), ..Forgotten::default() };
        let mut about = BTreeSet::new();
        for (desk, ticket) in &cases {
            self.is_at_rest(desk, ticket)?;
            done.withdrawn += self.end_open(desk, ticket, act.at)?;
            self.erase_case(desk, ticket, act.at)?;
            about.insert(format!("{desk}/{ticket}"));
            about.extend(self.handoff_ids(desk, ticket)?);
        }
        let desks: BTreeSet<&DeskId> = cases.iter().map(|(desk, _)| desk).collect();
        for desk in desks {
            // A webhook names its ticket in the vendor's own way: none of this desk is kept for examination.
            self.connection
                .execute("UPDATE webhooks SET body = NULL WHERE desk = ? AND body IS NOT NULL", [desk.as_str()])?;
        }
        if let PersonWanted::Mail(mail) = person {
            self.erase_address(mail, act.at)?;
        }
        done.acts = self.erase_acts(person, &about)?;
        let erases = i64::try_from(done.acts).unwrap_or(i64::MAX);
        self.note_erasure(act, "forget", &format!("{} cases", done.cases), erases)?;
        Ok(done)
    }

    /// What may have left for a helpdesk must be found again, by its words if need be.
    fn is_at_rest(&self, desk: &DeskId, ticket: &TicketId) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT handoff || '/' || number FROM effects WHERE desk = ? AND ticket = ? AND state IN ('in_flight', 'unsure')",
        )?;
        let mut rows = statement.query([desk.as_str(), ticket.as_str()])?;
        match rows.next()? {
            Some(row) => Err(LedgerError::WrongState(format!(
                "{} of {desk}/{ticket} is being written at this moment, or looked up: nothing was erased; say it again when \
                 `handoffd handoffs show` says that it is done",
                row.get::<_, String>(0)?
            ))),
            None => Ok(()),
        }
    }

    fn end_open(&mut self, desk: &DeskId, ticket: &TicketId, now: Timestamp) -> Result<usize> {
        let mut ended = 0;
        for id in self.handoff_ids(desk, ticket)? {
            if self.handoff_state(&id)?.is_open() {
                let words = "the text that it rests on was erased on a person's wish".to_owned();
                self.happen(&ends(&id, HandoffEvent::Withdrawn, words), now)?;
                debug_assert_eq!(self.handoff_state(&id)?, HandoffState::Withdrawn);
                ended += 1;
            }
        }
        let waiting: Vec<i64> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT id FROM effects WHERE desk = ? AND ticket = ? AND state IN ('due', 'parked')",
            )?;
            statement.query_map([desk.as_str(), ticket.as_str()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        };
        for id in waiting {
            let effect = self.effect_as_far_as_possible(id)?;
            self.drop_one(&effect, None)?;
        }
        Ok(ended)
    }

    fn erase_case(&mut self, desk: &DeskId, ticket: &TicketId, now: Timestamp) -> Result<()> {
        let key = [desk.as_str(), ticket.as_str()];
        let paused: bool = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM verdicts WHERE desk = ? AND ticket = ? AND paused <> 0)",
            key,
            |row| row.get(0),
        )?;
        if paused {
            // What a pause holds is found by its verdict, which goes.
            self.wait_to_look(desk, ticket, now)?;
        }
        for sql in GO {
            self.connection.prepare_cached(sql)?.execute(key)?;
        }
        for (id, text) in self.texts("SELECT id, proposal FROM handoffs WHERE desk = ? AND ticket = ?", key)? {
            let text = without_text::<Proposal>(&text, erased_proposal)?;
            let sql = "UPDATE handoffs SET proposal = ?, proposal_sum = ? WHERE id = ?";
            self.connection.prepare_cached(sql)?.execute(params![text, sum(&text), id])?;
        }
        for (id, text) in
            self.texts("SELECT CAST(id AS TEXT), write FROM effects WHERE desk = ? AND ticket = ?", key)?
        {
            let text = without_text::<Write>(&text, erased_write)?;
            let sql = "UPDATE effects SET write = ?, write_sum = ? WHERE id = ?";
            self.connection.prepare_cached(sql)?.execute(params![text, sum(&text), id])?;
        }
        for (id, text) in
            self.texts("SELECT CAST(id AS TEXT), content FROM alerts WHERE desk = ? AND ticket = ?", key)?
        {
            let text = without_text::<Alert>(&text, |alert| Alert { reason: None, ..alert })?;
            self.connection.prepare_cached("UPDATE alerts SET content = ? WHERE id = ?")?.execute([&text, &id])?;
        }
        for (id, text) in
            self.texts("SELECT CAST(rowid AS TEXT), proposal FROM would WHERE desk = ? AND ticket = ?", key)?
        {
            let text = without_text::<Proposal>(&text, erased_proposal)?;
            self.connection.prepare_cached("UPDATE would SET proposal = ? WHERE rowid = ?")?.execute([&text, &id])?;
        }
        Ok(())
    }

    fn texts(&self, sql: &str, key: [&str; 2]) -> Result<Vec<(String, String)>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(key, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// An address where it names somebody who did something.
    fn erase_address(&mut self, mail: &str, now: Timestamp) -> Result<()> {
        for (table, column) in NAMED {
            let sql = format!(
                "UPDATE {table} SET {column} = '{ERASED}' WHERE {column} IS NOT NULL AND instr(lower({column}), lower(?)) > 0"
            );
            self.connection.execute(&sql, [mail])?;
        }
        // Who works in a team is asked again.
        self.connection.execute(
            "UPDATE rosters SET members = NULL, read_at = NULL, due = ?2
             WHERE members IS NOT NULL AND instr(lower(members), lower(?1)) > 0",
            params![mail, millis(now)],
        )?;
        Ok(())
    }

    /// Names and reasons in the record of who did what: theirs, and what was said about their cases.
    fn erase_acts(&mut self, person: &PersonWanted, about: &BTreeSet<String>) -> Result<usize> {
        let mail = match person {
            PersonWanted::Mail(mail) => Some(mail.to_lowercase()),
            PersonWanted::Id { .. } => None,
        };
        let mut rows: Vec<(i64, bool, bool)> = Vec::new();
        {
            let mut statement = self.connection.prepare("SELECT id, about, by, reason FROM acts")?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let (id, of): (i64, String) = (row.get(0)?, row.get(1)?);
                let (by, reason): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
                let theirs = |text: &String| mail.as_ref().is_some_and(|mail| text.to_lowercase().contains(mail));
                let told = about.contains(of.as_str()) || of.split_once('/').is_some_and(|(id, _)| about.contains(id));
                let by = by.is_some_and(|by| theirs(&by));
                let reason = reason.is_some_and(|reason| told || theirs(&reason));
                if by || reason {
                    rows.push((id, by, reason));
                }
            }
        }
        let mut erased = 0;
        for (id, by, reason) in rows {
            if by {
                erased += self.connection.execute("UPDATE acts SET by = NULL, by_salt = NULL WHERE id = ?", [id])?;
            }
            if reason {
                let sql = "UPDATE acts SET reason = NULL, reason_salt = NULL WHERE id = ?";
                erased += self.connection.execute(sql, [id])?;
            }
        }
        Ok(erased)
    }
}

/// Whether a column holds these words, packed or not, in any case.
fn holds(value: ValueRef<'_>, words: &str) -> bool {
    let contains = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_lowercase().contains(&words.to_lowercase());
    match value {
        ValueRef::Text(text) => contains(text),
        ValueRef::Blob(packed) => unpack(packed).is_ok_and(|bytes| contains(&bytes)),
        _ => false,
    }
}

/// A kept structure without its text; one that cannot be read is nothing but text.
fn without_text<T: Serialize + serde::de::DeserializeOwned>(text: &str, erase: impl FnOnce(T) -> T) -> Result<String> {
    match from_json::<T>(String::new, text) {
        Ok(kept) => json("what is left", &erase(kept)),
        Err(_) => Ok("{}".to_owned()),
    }
}

fn erased_proposal(proposal: Proposal) -> Proposal {
    Proposal {
        reason: ERASED.into(),
        asked: None,
        facts: proposal.facts.into_iter().map(|(name, _)| (name, ERASED.to_owned())).collect(),
        facts_hash: ERASED.into(),
        package: proposal.package.map(|package| Package { parts: Vec::new(), unknown: Vec::new(), ..package }),
        customer: CustomerPlan::Nothing { because: ERASED.into() },
        ..proposal
    }
}

fn erased_write(write: Write) -> Write {
    let change = match write.change {
        DeskChange::Update(update) => DeskChange::Update(Update {
            note: update.note.map(|_| InternalText(ERASED.into())),
            fields: Vec::new(),
            ..update
        }),
        DeskChange::Reply(reply) => DeskChange::Reply(PublicReply { text: PublicText(ERASED.into()), ..reply }),
        tags @ DeskChange::Tags { .. } => tags,
    };
    Write { change, decided_on: None, ..write }
}

#[cfg(test)]
mod tests;
