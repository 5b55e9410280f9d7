//! Small durable facts that people or desks set: kill switches, signed wordings, troubles.

use super::codec::{instant, millis};
use super::error::Result;
use super::open::Ledger;
use super::people::Act;
use super::records::{DeskTrouble, SignedWording, Switch, SwitchOn};
use crate::policy::case::SignedRule;
use crate::policy::names::RuleName;
use handoffd_kit::id::DeskId;
use jiff::Timestamp;
use rusqlite::params;

impl Ledger {
    /// Sets or clears a kill switch. Effective with the next claim, kept over restarts.
    ///
    /// # Errors
    /// SQLite's.
    pub fn set_switch(&mut self, switch: &Switch, on: bool, act: &Act) -> Result<()> {
        self.atomically(|ledger| ledger.put_switch(switch, on, act))
    }

    /// The same, as part of another transaction.
    pub(super) fn put_switch(&mut self, switch: &Switch, on: bool, act: &Act) -> Result<()> {
        let (kind, name) = switch.key();
        if on {
            self.connection.execute(
                "INSERT OR IGNORE INTO switches (kind, name, by, why, at) VALUES (?, ?, ?, ?, ?)",
                params![kind, name, act.by, act.reason, millis(act.at)],
            )?;
        } else {
            self.connection.execute("DELETE FROM switches WHERE kind = ? AND name = ?", params![kind, name])?;
            self.look_at_paused(act.at)?;
        }
        self.note_act(act, if on { "pause" } else { "resume" }, format!("{kind} {name}").trim())
    }

    /// Cases whose last verdict a pause held back: nothing else would bring them up again.
    fn look_at_paused(&mut self, now: Timestamp) -> Result<()> {
        self.connection.execute(
            "INSERT INTO looks (desk, ticket, due, generation)
             SELECT desk, ticket, ?1, 1 FROM verdicts
             WHERE id IN (SELECT max(id) FROM verdicts GROUP BY desk, ticket) AND paused <> 0
             ON CONFLICT (desk, ticket) DO UPDATE SET due = min(due, excluded.due), generation = generation + 1,
                 head = NULL, head_at = NULL",
            [millis(now)],
        )?;
        Ok(())
    }

    /// Kill switches that are on, the oldest first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn switches(&self) -> Result<Vec<SwitchOn>> {
        let mut statement =
            self.connection.prepare_cached("SELECT kind, name, by, why, at FROM switches ORDER BY at, kind, name")?;
        let rows = statement.query_map([], |row| {
            let (kind, name): (String, String) = (row.get(0)?, row.get(1)?);
            let switch = match kind.as_str() {
                "desk" => Switch::Desk(DeskId::new(name)),
                "rule" => Switch::Rule(RuleName::new(name)),
                _ => Switch::All,
            };
            Ok(SwitchOn { switch, by: row.get(2)?, why: row.get(3)?, at: instant(row.get(4)?) })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Stores a signature for exactly this wording.
    ///
    /// # Errors
    /// SQLite's.
    pub fn sign(&mut self, signed: &SignedWording) -> Result<()> {
        let act = Act { by: format!("{} ({})", signed.signer, signed.system_user), reason: None, at: signed.at };
        self.store_signature("message", [&signed.message, &signed.wording, &signed.signer, &signed.system_user], &act)
    }

    /// Stores a signature for exactly this version of a rule.
    ///
    /// # Errors
    /// SQLite's.
    pub fn sign_rule(&mut self, signed: &SignedRule, system_user: &str, at: Timestamp) -> Result<()> {
        let act = Act { by: format!("{} ({system_user})", signed.signer), reason: None, at };
        self.store_signature("rule", [signed.rule.as_str(), &signed.version, &signed.signer, system_user], &act)
    }

    fn store_signature(&mut self, kind: &str, [name, hash, signer, user]: [&str; 4], act: &Act) -> Result<()> {
        self.atomically(|ledger| {
            ledger.connection.execute(
                "INSERT OR REPLACE INTO signatures (kind, name, hash, signer, system_user, at) VALUES (?, ?, ?, ?, ?, ?)",
                params![kind, name, hash, signer, user, millis(act.at)],
            )?;
            ledger.note_act(act, "sign", &format!("{name}@{hash}"))
        })
    }

    /// All signatures of messages.
    ///
    /// # Errors
    /// SQLite's.
    pub fn signatures(&self) -> Result<Vec<SignedWording>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT name, hash, signer, system_user, at FROM signatures WHERE kind = 'message' ORDER BY at",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(SignedWording {
                message: row.get(0)?,
                wording: row.get(1)?,
                signer: row.get(2)?,
                system_user: row.get(3)?,
                at: instant(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// All signatures of rules.
    ///
    /// # Errors
    /// SQLite's.
    pub fn signed_rules(&self) -> Result<Vec<SignedRule>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name, hash, signer FROM signatures WHERE kind = 'rule' ORDER BY at")?;
        let rows = statement.query_map([], |row| {
            Ok(SignedRule { rule: RuleName::new(row.get::<_, String>(0)?), version: row.get(1)?, signer: row.get(2)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A desk is in trouble. The first instant stays; stopped writes stay stopped until the trouble is cleared.
    ///
    /// # Errors
    /// SQLite's.
    pub fn set_trouble(&mut self, trouble: &DeskTrouble) -> Result<()> {
        self.connection.execute(
            "INSERT INTO troubles (desk, what, next_step, since, writes_stopped) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (desk) DO UPDATE SET what = excluded.what, next_step = excluded.next_step,
                 writes_stopped = max(writes_stopped, excluded.writes_stopped)",
            params![
                trouble.desk.as_str(),
                trouble.what,
                trouble.next_step,
                millis(trouble.since),
                trouble.writes_stopped
            ],
        )?;
        Ok(())
    }

    /// A desk's trouble is over.
    ///
    /// # Errors
    /// SQLite's.
    pub fn clear_trouble(&mut self, desk: &DeskId) -> Result<()> {
        self.connection.execute("DELETE FROM troubles WHERE desk = ?", [desk.as_str()])?;
        Ok(())
    }

    /// Desks in trouble.
    ///
    /// # Errors
    /// SQLite's.
    pub fn troubles(&self) -> Result<Vec<DeskTrouble>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT desk, what, next_step, since, writes_stopped FROM troubles ORDER BY since, desk")?;
        let rows = statement.query_map([], |row| {
            Ok(DeskTrouble {
                desk: DeskId::new(row.get::<_, String>(0)?),
                what: row.get(1)?,
                next_step: row.get(2)?,
                since: instant(row.get(3)?),
                writes_stopped: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Switch {
    /// The command that clears it.
    pub fn resume(&self) -> String {
        match self {
            Switch::All => "handoffd resume".to_owned(),
            Switch::Desk(desk) => format!("handoffd resume --desk {desk}"),
            Switch::Rule(rule) => format!("handoffd resume --rule {rule}"),
        }
    }

    fn key(&self) -> (&'static str, &str) {
        match self {
            Switch::All => ("all", ""),
            Switch::Desk(desk) => ("desk", desk.as_str()),
            Switch::Rule(rule) => ("rule", rule.as_str()),
        }
    }
}
