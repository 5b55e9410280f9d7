//! Who is told, in the transaction of what they are told; and whose alerts are over, in that of the act they asked for.

use super::{AlertRecord, Ledger, Result};
use crate::ledger::codec::{json, millis};
use crate::ledger::records::{EffectRecord, HandoffRecord};
use crate::ledger::states::{EffectEvent, EffectState};
use crate::plan::alert::{About, Alert, HANDED_OVER, IN_REVIEW, PlannedAlert, alerts, parked_thread};
use crate::policy::names::AlertName;
use crate::policy::proposal::Proposal;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::params;
use std::collections::BTreeMap;

impl Ledger {
    /// Plans the alerts of something that happened to a handoff.
    pub(in crate::ledger) fn tell(
        &mut self,
        proposal: &Proposal,
        handoff: &str,
        about: &About,
        now: Timestamp,
    ) -> Result<()> {
        let Some(first) = alerts(proposal, handoff, about, 0, now).into_iter().next() else { return Ok(()) };
        let told = self.told_before(&first)?;
        alerts(proposal, handoff, about, told, now).iter().try_for_each(|planned| self.add_alert(planned, now))
    }

    /// The same of one of its effects, where it was parked: the receiving team, or whoever the policy names, is told.
    pub(in crate::ledger) fn tell_parked(&mut self, effect: &EffectRecord, now: Timestamp) -> Result<()> {
        let EffectState::Parked { attempt, .. } = &effect.state else { return Ok(()) };
        let Some(handoff) = self.find_handoff(&effect.handoff)? else { return Ok(()) };
        let about = About::Parked { number: effect.number, label: effect.label.clone(), attempt: *attempt };
        self.tell(&handoff.proposal, &handoff.id, &about, now)
    }

    /// How often the same was told before: a review may be asked for a second time.
    fn told_before(&self, planned: &PlannedAlert) -> Result<u32> {
        let (key, channel) = (&planned.alert.key, planned.channel.as_str());
        let (word, _) = key.rsplit_once('@').unwrap_or((key, channel));
        let sql =
            "SELECT count(*) FROM alerts INDEXED BY alerts_handoff WHERE handoff = ?1 AND channel = ?2 AND act = 'tell'
                   AND (key = ?3 || '@' || ?2 OR key LIKE ?3 || '-again-%@' || ?2)";
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row(params![planned.alert.handoff, channel, word], |row| row.get(0))?)
    }

    pub(in crate::ledger) fn add_alert(&mut self, planned: &PlannedAlert, now: Timestamp) -> Result<()> {
        let PlannedAlert { channel, alert } = planned;
        let state = EffectState::Due { at: now, attempt: 0 };
        self.connection
            .prepare_cached(
                "INSERT INTO alerts (key, channel, thread, act, handoff, desk, ticket, rule, state, state_data, due, content, created_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            )?
            .execute(params![
                alert.key,
                channel.as_str(),
                alert.thread,
                alert.act.name(),
                alert.handoff,
                alert.desk.as_str(),
                alert.ticket.as_str(),
                alert.rule.as_str(),
                state.name(),
                json("alert", &state)?,
                millis(now),
                json("alert", alert)?,
                millis(now)
            ])?;
        Ok(())
    }

    /// Alerts that wait for a person are told through other channels, once for each channel that does not get through: as long as the
    /// oldest of them waits, nothing more is said. Never through one that does not get through itself.
    ///
    /// # Errors
    /// SQLite's.
    pub fn tell_parked_alerts(&mut self, through: &[AlertName], now: Timestamp) -> Result<()> {
        self.atomically(|ledger| {
            let counts = ledger.alert_counts()?;
            let parked = |name: &AlertName| counts.get(name).and_then(|counts| counts.parked);
            let well = through.iter().filter(|name| parked(name).is_none());
            for to in well {
                for name in counts.keys() {
                    let Some((count, since)) = parked(name) else { continue };
                    let alert = Alert::of_channel(to, (name.clone(), count), since, now);
                    ledger.add_alert(&PlannedAlert { channel: to.clone(), alert }, now)?;
                }
            }
            Ok(())
        })
    }

    /// Somebody has acted, or nobody has to any more: what was not told yet is not told, and what was is closed on channels
    /// that keep an incident open.
    pub(in crate::ledger) fn close_thread(&mut self, handoff: &str, thread: &str) -> Result<()> {
        let thread = format!("{handoff}/{thread}");
        let mut told: BTreeMap<AlertName, AlertRecord> = BTreeMap::new();
        for record in self.alerts_where("thread = ?1 AND act = 'tell'", [thread])? {
            let on_its_way = matches!(record.state, EffectState::InFlight { .. });
            let unsure = matches!(record.state, EffectState::Unsure { .. }) || record.lost_at.is_some();
            if on_its_way {
                self.connection.execute("UPDATE alerts SET unwanted = 1 WHERE id = ?", [record.id])?;
            } else if !record.state.is_over() {
                self.not_wanted(record.id, &record.state)?;
            }
            if on_its_way || unsure || record.state == EffectState::Done {
                told.insert(record.channel.clone(), record);
            }
        }
        for (channel, last) in told.into_iter().filter(|(_, last)| last.alert.closes) {
            self.add_alert(&PlannedAlert { channel, alert: last.alert.closing() }, last.created_at)?;
        }
        Ok(())
    }

    fn not_wanted(&mut self, id: i64, state: &EffectState) -> Result<()> {
        self.step_alert(id, state, &EffectEvent::Drop)?;
        let words = "somebody has acted, or nobody has to any more";
        self.connection.execute("UPDATE alerts SET reason = ?, next_step = NULL WHERE id = ?", params![words, id])?;
        Ok(())
    }

    /// What was on its way when somebody acted, and has not arrived, is not sent again.
    pub(super) fn drop_if_unwanted(&mut self, id: i64) -> Result<()> {
        let sql = "SELECT unwanted FROM alerts WHERE id = ?";
        let unwanted: bool = self.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?;
        let state = self.alert(id)?.state;
        if unwanted && !state.is_over() { self.not_wanted(id, &state) } else { Ok(()) }
    }

    /// Nobody has to take this handoff on any more: somebody has, or it has ended.
    pub(in crate::ledger) fn close_handed_over(&mut self, handoff: &str) -> Result<()> {
        self.close_thread(handoff, HANDED_OVER)
    }

    /// The same of a review that is answered.
    pub(in crate::ledger) fn close_review(&mut self, handoff: &str) -> Result<()> {
        self.close_thread(handoff, IN_REVIEW)
    }

    /// The same of an effect that does not wait for a person any more.
    pub(in crate::ledger) fn close_parked(&mut self, effect: &EffectRecord) -> Result<()> {
        self.close_thread(&effect.handoff, &parked_thread(effect.number))
    }

    /// The case lies with no team that was told of it, or is over: of all its handoffs nobody has to take it on any more.
    pub(in crate::ledger) fn close_handed_over_outside(
        &mut self,
        desk: &DeskId,
        ticket: &TicketId,
        team: Option<&str>,
    ) -> Result<()> {
        let handoffs: Vec<String> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT id FROM handoffs WHERE desk = ?1 AND ticket = ?2 AND to_team IS NOT ?3
                 AND EXISTS (SELECT 1 FROM alerts INDEXED BY alerts_handoff WHERE alerts.handoff = handoffs.id)",
            )?;
            let rows = statement.query_map(params![desk.as_str(), ticket.as_str(), team], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        // What is on its way to a team is none of what the case has left.
        for handoff in handoffs {
            if !self.handoff_state(&handoff)?.is_open() {
                self.close_handed_over(&handoff)?;
            }
        }
        Ok(())
    }
}

impl HandoffRecord {
    /// What is told when it was carried out.
    pub(in crate::ledger) fn handed_over(&self) -> About {
        About::Handoff { kind: self.proposal.kind }
    }
}
