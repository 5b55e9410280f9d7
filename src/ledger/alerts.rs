//! Alerts: what people are told outside the helpdesk. Each is planned in the transaction of what it tells, goes out through
//! its channel in the order of its thread, and is closed in the transaction of the act that it asked for ([`telling`]). A
//! worker of its channel takes it and records what came of it ([`sending`]).
//!
//! Their states are those of effects. What may have arrived cannot be looked up: it is repeated once, under the same key.

pub(super) mod sending;
mod telling;

use super::codec::{from_json, instant, json, millis};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::people::Act;
use super::records::{AlertCounts, AlertRecord};
use super::states::{EffectEvent, EffectState};
use crate::plan::alert::{About, Alert, AlertAct};
use crate::policy::names::AlertName;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::{Row, params};
use std::collections::BTreeMap;

const COLUMNS: &str = "id, channel, content, state_data, created_at, tried_at, lost_at, receipt, reason, next_step, \
     key, thread, handoff, desk, ticket, rule";

const PARKED: &str = "SELECT channel, count(*), min(created_at) FROM alerts INDEXED BY alerts_open
    WHERE state IN ('due', 'in_flight', 'unsure', 'parked') AND state = 'parked' GROUP BY channel";

impl Ledger {
    /// Alerts that wait for a person, oldest first.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn parked_alerts(&self) -> Result<Vec<AlertRecord>> {
        self.alerts_where("state = 'parked'", [])
    }

    /// The alerts of a handoff, oldest first.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn alerts_of(&self, handoff: &str) -> Result<Vec<AlertRecord>> {
        self.alerts_where("handoff = ?1", [handoff])
    }

    /// Whether there was ever an alert of this key.
    ///
    /// # Errors
    /// SQLite's.
    pub fn has_alert(&self, key: &str) -> Result<bool> {
        let mut statement = self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM alerts WHERE key = ?)")?;
        Ok(statement.query_row([key], |row| row.get(0))?)
    }

    /// Tries a parked alert again.
    ///
    /// # Errors
    /// It is not parked.
    pub fn retry_alert(&mut self, id: i64, act: &Act) -> Result<()> {
        self.atomically(|ledger| {
            let record = ledger.alert(id)?;
            ledger.step_alert(id, &record.state, &EffectEvent::Retry(act.at))?;
            ledger.connection.execute("UPDATE alerts SET stops = 0, tried_at = NULL WHERE id = ?", [id])?;
            ledger.note_act(act, "retry", &record.alert.key)
        })
    }

    /// Gives a parked alert up.
    ///
    /// # Errors
    /// It is not parked.
    pub fn drop_alert(&mut self, id: i64, act: &Act) -> Result<()> {
        self.atomically(|ledger| {
            let missing = || LedgerError::NotFound(format!("alert {id}"));
            let record = ledger.alerts_where("id = ?1", [id])?.pop().ok_or_else(missing)?;
            ledger.step_alert(id, &record.state, &EffectEvent::Drop)?;
            let reason = format!("{} ({})", act.reason.as_deref().unwrap_or("given up"), act.by);
            ledger.connection.execute("UPDATE alerts SET reason = ?, stops = 0 WHERE id = ?", params![reason, id])?;
            ledger.note_act(act, "drop", &record.alert.key)
        })
    }

    /// How the alerts of each channel stand.
    ///
    /// # Errors
    /// SQLite's.
    pub fn alert_counts(&self) -> Result<BTreeMap<AlertName, AlertCounts>> {
        let mut counts: BTreeMap<AlertName, AlertCounts> = BTreeMap::new();
        for ((of, state, channel), count) in self.tallies()? {
            if of == "alerts" {
                counts.entry(AlertName::new(channel)).or_default().by_state.insert(state, count);
            }
        }
        let mut statement = self.connection.prepare_cached(PARKED)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let entry = counts.entry(AlertName::new(row.get::<_, String>(0)?)).or_default();
            entry.parked = Some((row.get(1)?, instant(row.get(2)?)));
        }
        Ok(counts)
    }

    fn alert(&self, id: i64) -> Result<AlertRecord> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM alerts WHERE id = ?"))?;
        let mut rows = statement.query([id])?;
        match rows.next()? {
            Some(row) => read_alert(row),
            None => Err(LedgerError::NotFound(format!("alert {id}"))),
        }
    }

    fn alerts_where(&self, which: &str, values: impl rusqlite::Params) -> Result<Vec<AlertRecord>> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM alerts WHERE {which} ORDER BY id"))?;
        let mut rows = statement.query(values)?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            records.push(read_as_far_as_possible(row)?);
        }
        Ok(records)
    }

    fn step_alert(&mut self, id: i64, state: &EffectState, event: &EffectEvent) -> Result<EffectState> {
        let next = state.after(event)?;
        self.connection
            .prepare_cached("UPDATE alerts SET state = ?, state_data = ?, due = ? WHERE id = ?")?
            .execute(params![next.name(), json("alert", &next)?, next.due().map(millis), id])?;
        Ok(next)
    }

    fn park_unreadable_alert(&mut self, id: i64, error: &LedgerError) -> Result<()> {
        tracing::error!(alert.id = id, error = %error, "ledger.alert_unreadable");
        self.connection.execute(
            "UPDATE alerts SET state = 'parked', due = NULL, reason = ?, next_step = ?,
                 state_data = '{\"state\":\"parked\",\"attempt\":0,\"unsure\":true}' WHERE id = ?",
            params![error.to_string(), "restore a backup of the ledger, or `handoffd parked drop`", id],
        )?;
        Ok(())
    }

    fn alert_ids(&self, which: &str) -> Result<Vec<i64>> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT id FROM alerts WHERE {which} ORDER BY id"))?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }
}

/// What cannot be read of an alert is stood in for: it is listed and dropped, and not sent.
fn read_as_far_as_possible(row: &Row<'_>) -> Result<AlertRecord> {
    let error = match read_alert(row) {
        Err(error @ LedgerError::Unreadable { .. }) => error,
        read => return read,
    };
    let at = |index: usize| -> Result<Option<Timestamp>> { Ok(row.get::<_, Option<i64>>(index)?.map(instant)) };
    let text = |index: usize| row.get::<_, String>(index);
    let alert = Alert {
        key: text(10)?,
        thread: text(11)?,
        act: AlertAct::Tell,
        about: About::Test,
        handoff: text(12)?,
        desk: DeskId::new(text(13)?),
        ticket: TicketId::new(text(14)?),
        link: None,
        rule: text(15)?.as_str().into(),
        from: None,
        to: "unreadable".into(),
        reason: None,
        review: None,
        reviewers: Vec::new(),
        until: None,
        closes: false,
        at: instant(row.get(4)?),
    };
    let state = serde_json::from_str(&text(3)?).unwrap_or(EffectState::Parked { attempt: 0, unsure: true });
    Ok(AlertRecord {
        id: row.get(0)?,
        channel: AlertName::new(text(1)?),
        alert,
        state,
        created_at: instant(row.get(4)?),
        tried_at: at(5)?,
        lost_at: at(6)?,
        receipt: row.get(7)?,
        reason: row.get::<_, Option<String>>(8)?.or_else(|| Some(error.to_string())),
        next_step: row.get(9)?,
    })
}

fn read_alert(row: &Row<'_>) -> Result<AlertRecord> {
    let id: i64 = row.get(0)?;
    let what = || format!("alert {id}");
    let alert: Alert = from_json(what, &row.get::<_, String>(2)?)?;
    let at = |index: usize| -> Result<Option<Timestamp>> { Ok(row.get::<_, Option<i64>>(index)?.map(instant)) };
    Ok(AlertRecord {
        id,
        channel: AlertName::new(row.get::<_, String>(1)?),
        alert,
        state: from_json(what, &row.get::<_, String>(3)?)?,
        created_at: instant(row.get(4)?),
        tried_at: at(5)?,
        lost_at: at(6)?,
        receipt: row.get(7)?,
        reason: row.get(8)?,
        next_step: row.get(9)?,
    })
}
