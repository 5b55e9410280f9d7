//! Alerts on their way: taken by the worker of their channel, recorded, and found again after a crash.

use super::{AlertRecord, Ledger, Result};
use crate::ledger::codec::{instant, millis};
use crate::ledger::error::LedgerError;
use crate::ledger::records::{AlertOutcome, ClaimedAlert};
use crate::ledger::states::{EffectEvent, EffectState};
use crate::plan::alert::AlertAct;
use crate::policy::alert::Window;
use crate::policy::names::AlertName;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// What holds no alert back: a pause, or one of its thread that is on its way before it.
const FREE: &str =
    "NOT EXISTS (SELECT 1 FROM alerts b INDEXED BY alerts_thread WHERE b.thread = a.thread AND b.channel = a.channel
                AND b.id < a.id AND b.state IN ('due', 'in_flight', 'unsure'))
      AND NOT EXISTS (SELECT 1 FROM switches s WHERE s.kind = 'all' OR (s.kind = 'desk' AND s.name = a.desk)
                OR (s.kind = 'rule' AND s.name = a.rule))";

/// What may be sent through a channel now, the oldest first.
pub(in crate::ledger) fn claimable() -> String {
    format!(
        "SELECT a.id FROM alerts a INDEXED BY alerts_due WHERE a.channel = ?1 AND a.due IS NOT NULL AND a.due <= ?2
           AND {FREE} ORDER BY a.id LIMIT 1"
    )
}

/// When the next alert of a channel may be sent.
pub(in crate::ledger) fn next_due_alert() -> String {
    format!(
        "SELECT a.due FROM alerts a INDEXED BY alerts_next WHERE a.channel = ?1 AND a.due IS NOT NULL AND {FREE}
         ORDER BY a.due LIMIT 1"
    )
}

/// Alerts that wait for their channel, in the words of their index.
const WAITING: &str = "state IN ('due', 'in_flight', 'unsure', 'parked') AND state IN ('due', 'unsure')";

/// What an alert of a channel without configuration waits for.
const NO_CHANNEL: &str = "the channel is not in the configuration";

impl Ledger {
    /// Takes the oldest alert of a channel that is due: it is in flight from this commit on. Outside of the channel's hours
    /// alerts wait or are dropped; what closes an incident disturbs nobody and goes out.
    ///
    /// # Errors
    /// SQLite's.
    pub fn claim_due_alert(
        &mut self,
        channel: &AlertName,
        window: Window,
        now: Timestamp,
    ) -> Result<Option<ClaimedAlert>> {
        self.atomically(|ledger| {
            loop {
                let next: Option<i64> = ledger
                    .connection
                    .prepare_cached(&claimable())?
                    .query_row(params![channel.as_str(), millis(now)], |row| row.get(0))
                    .optional()?;
                let Some(id) = next else { return Ok(None) };
                let record = match ledger.alert(id) {
                    Err(error @ LedgerError::Unreadable { .. }) => {
                        ledger.park_unreadable_alert(id, &error)?;
                        continue;
                    }
                    record => record?,
                };
                if let Some(claimed) = ledger.take_alert(record, window, now)? {
                    return Ok(Some(claimed));
                }
            }
        })
    }

    /// `None`: it is not sent now, and does not come up again at once.
    fn take_alert(&mut self, record: AlertRecord, window: Window, now: Timestamp) -> Result<Option<ClaimedAlert>> {
        let tells = record.alert.act == AlertAct::Tell;
        match window {
            Window::Shut if tells => {
                self.step_alert(record.id, &record.state, &EffectEvent::Drop)?;
                let words = "outside of the channel's hours";
                self.connection.execute("UPDATE alerts SET reason = ? WHERE id = ?", params![words, record.id])?;
                return Ok(None);
            }
            Window::OpensAt(opens) if tells && opens > now && matches!(record.state, EffectState::Due { .. }) => {
                self.step_alert(record.id, &record.state, &EffectEvent::Postpone(opens))?;
                return Ok(None);
            }
            _ => {}
        }
        let due = match &record.state {
            EffectState::Unsure { .. } => self.step_alert(record.id, &record.state, &EffectEvent::Repeat(now))?,
            state => state.clone(),
        };
        if let Some((reason, next_step)) = self.why_stopped(&record.channel)? {
            self.step_alert(record.id, &due, &EffectEvent::Park)?;
            self.connection.execute(
                "UPDATE alerts SET reason = ?, next_step = ? WHERE id = ?",
                params![reason, next_step, record.id],
            )?;
            return Ok(None);
        }
        let state = self.step_alert(record.id, &due, &EffectEvent::Claimed)?;
        self.connection
            .prepare_cached("UPDATE alerts SET tried_at = coalesce(tried_at, ?) WHERE id = ?")?
            .execute(params![millis(now), record.id])?;
        let EffectState::InFlight { attempt } = state else { return Ok(None) };
        Ok(Some(ClaimedAlert { record: AlertRecord { state, ..record }, attempt }))
    }

    /// Why a channel is not sent to any more, if it asked for that.
    fn why_stopped(&self, channel: &AlertName) -> Result<Option<(String, Option<String>)>> {
        let sql = "SELECT coalesce(reason, ''), next_step FROM alerts INDEXED BY alerts_open
                   WHERE channel = ? AND state IN ('due', 'in_flight', 'unsure', 'parked') AND state = 'parked' AND stops <> 0 LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([channel.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// When the next alert of a channel is due.
    ///
    /// # Errors
    /// SQLite's.
    pub fn next_alert_due(&self, channel: &AlertName) -> Result<Option<Timestamp>> {
        let mut statement = self.connection.prepare_cached(&next_due_alert())?;
        let due: Option<i64> = statement.query_row([channel.as_str()], |row| row.get(0)).optional()?;
        Ok(due.map(instant))
    }

    /// Records what came of sending an alert.
    ///
    /// # Errors
    /// SQLite's, or a step that the alert does not have.
    pub fn record_alert(&mut self, outcome: &AlertOutcome) -> Result<()> {
        self.atomically(|ledger| {
            let record = ledger.alert(outcome.alert)?;
            // Somebody may have dropped it while it was on its way.
            if record.state.is_over() {
                return Ok(());
            }
            ledger.step_alert(record.id, &record.state, &outcome.event)?;
            let lost_at = outcome.may_have_arrived.then_some(millis(outcome.at));
            ledger
                .connection
                .prepare_cached(
                    "UPDATE alerts SET receipt = coalesce(?2, receipt), reason = ?3, next_step = ?4,
                         lost_at = coalesce(lost_at, ?5), stops = ?6 WHERE id = ?1",
                )?
                .execute(params![
                    record.id,
                    outcome.receipt,
                    outcome.reason,
                    outcome.next_step,
                    lost_at,
                    outcome.stops
                ])?;
            ledger.drop_if_unwanted(record.id)
        })
    }

    /// On start: what was in flight when the last process ended may have arrived; what waits for a channel that is not
    /// configured any more waits for a person. Gives how many may have arrived.
    ///
    /// # Errors
    /// SQLite's.
    pub fn recover_alerts(&mut self, channels: &[AlertName], now: Timestamp) -> Result<usize> {
        self.atomically(|ledger| {
            let mut unsure = 0;
            for id in ledger.alert_ids("state = 'in_flight'")? {
                match ledger.alert(id) {
                    Err(error @ LedgerError::Unreadable { .. }) => ledger.park_unreadable_alert(id, &error)?,
                    record => {
                        ledger.step_alert(id, &record?.state, &EffectEvent::Restarted(now))?;
                        let lost = "UPDATE alerts SET lost_at = coalesce(lost_at, ?) WHERE id = ?";
                        ledger.connection.execute(lost, params![millis(now), id])?;
                        ledger.drop_if_unwanted(id)?;
                        unsure += 1;
                    }
                }
            }
            ledger.park_alerts_without_channel(channels)?;
            Ok(unsure)
        })
    }

    fn channels_waited_for(&self) -> Result<Vec<AlertName>> {
        let sql = format!("SELECT DISTINCT channel FROM alerts INDEXED BY alerts_open WHERE {WAITING}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let names = statement.query_map([], |row| row.get::<_, String>(0).map(AlertName::new))?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    }

    /// What waits for a channel that is not among these any more waits for a person.
    ///
    /// # Errors
    /// SQLite's.
    pub fn park_alerts_without_channel(&mut self, channels: &[AlertName]) -> Result<()> {
        self.atomically(|ledger| {
            // Mostly none is gone, and a channel that is away has many waiting: they are not read for nothing.
            let gone =
                ledger.channels_waited_for()?.into_iter().filter(|name| !channels.contains(name)).collect::<Vec<_>>();
            if gone.is_empty() {
                return Ok(());
            }
            for id in ledger.alert_ids(WAITING)? {
                let Ok(record) = ledger.alert(id) else { continue };
                if !gone.contains(&record.channel) {
                    continue;
                }
                ledger.step_alert(id, &record.state, &EffectEvent::Park)?;
                let next = format!(
                    "configure [alerts.{}] again, then `handoffd reload` and `handoffd parked retry`; or give it up",
                    record.channel
                );
                let sql = "UPDATE alerts SET reason = ?, next_step = ? WHERE id = ?";
                ledger.connection.execute(sql, params![NO_CHANNEL, next, id])?;
            }
            Ok(())
        })
    }
}
