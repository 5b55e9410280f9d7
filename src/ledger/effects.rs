//! Effects: planned, claimed, and what came of them. A claim is committed before the call leaves; an outcome is one
//! transaction with everything that follows from it.

use super::codec::{from_json, instant, json, millis};
use super::effects_after::was_sent;
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::records::{Busy, ClaimedEffect, EffectOutcome, EffectRecord, EffectWork, HandoffHappening, HandoffRecord};
use super::states::{EffectEvent, EffectState, HandoffEvent};
use crate::plan::PlannedEffect;
use handoffd_kit::desk::{DeskChange, Write};
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::{Row, params};

const COLUMNS: &str =
    "id, handoff, desk, number, label, state_data, write, receipt, reason, next_step, conflicts, tried, lost_at";

/// What may be claimed: due, in order within its handoff (notes and undos, from 50 on, do not wait for what is parked), of a handoff that is sending (or has a closing note to send),
/// and neither paused nor on a desk whose writes are stopped.
const CLAIMABLE: &str = "
    SELECT e.id, e.desk, e.ticket, e.due FROM effects e JOIN handoffs h ON h.id = e.handoff
    WHERE e.due IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM effects b WHERE b.handoff = e.handoff AND b.number < e.number
                      AND (b.state IN ('due', 'in_flight', 'unsure') OR (b.state = 'parked' AND e.number < 50)))
      AND NOT EXISTS (SELECT 1 FROM switches s WHERE s.kind = 'all' OR (s.kind = 'desk' AND s.name = e.desk)
                      OR (s.kind = 'rule' AND s.name = h.rule AND e.state <> 'unsure' AND h.state <> 'undone'))
      AND NOT EXISTS (SELECT 1 FROM troubles t WHERE t.desk = e.desk AND t.writes_stopped <> 0)";

impl Ledger {
    pub(super) fn add_effects(&mut self, handoff: &str, effects: &[PlannedEffect], now: Timestamp) -> Result<()> {
        let state = EffectState::Due { at: now, attempt: 0 };
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO effects (handoff, desk, ticket, number, label, state, state_data, due, deadline, write)
             SELECT id, desk, ticket, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM handoffs WHERE id = ?1",
        )?;
        for effect in effects {
            statement.execute(params![
                handoff,
                effect.number,
                effect.label,
                state.name(),
                json("effect", &state)?,
                millis(now),
                millis(effect.write.deadline),
                json("write", &effect.write)?
            ])?;
        }
        Ok(())
    }

    /// The same handoff was decided again for a newer version of the ticket: nothing of it has been sent, so its effects
    /// are planned anew under the same keys. Anything that may have been sent stays exactly as it is.
    pub(super) fn refresh_effects(&mut self, handoff: &str, effects: &[PlannedEffect], now: Timestamp) -> Result<()> {
        let known = self.effects_of(handoff)?;
        if known.iter().any(|effect| !matches!(effect.state, EffectState::Due { .. })) {
            return Ok(());
        }
        for known in known {
            let planned = effects.iter().find(|effect| effect.number == known.number);
            let Some(planned) = planned else {
                self.step_effect(known.id, &known.state, &EffectEvent::Drop)?;
                continue;
            };
            let EffectState::Due { attempt, .. } = known.state else { continue };
            let state = EffectState::Due { at: now, attempt };
            let write = Write { first_tried: known.write.first_tried, ..planned.write.clone() };
            self.connection.execute(
                "UPDATE effects SET write = ?, state_data = ?, due = ? WHERE id = ?",
                params![json("write", &write)?, json("effect", &state)?, millis(now), known.id],
            )?;
        }
        Ok(())
    }

    pub(super) fn effects_of(&self, handoff: &str) -> Result<Vec<EffectRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM effects WHERE handoff = ? ORDER BY number");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([handoff])?;
        let mut effects = Vec::new();
        while let Some(row) = rows.next()? {
            effects.push(read_effect(row)?);
        }
        Ok(effects)
    }

    /// One effect.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], SQLite's, or a row that cannot be read.
    pub fn effect(&self, id: i64) -> Result<EffectRecord> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM effects WHERE id = ?"))?;
        let mut rows = statement.query([id])?;
        match rows.next()? {
            Some(row) => read_effect(row),
            None => Err(LedgerError::NotFound(format!("effect {id}"))),
        }
    }

    /// Takes the due effect with the nearest deadline: it is in flight from this commit on. An unsure one is given out to
    /// be looked up and stays unsure.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn claim_due_effect(&mut self, now: Timestamp, busy: &Busy) -> Result<Option<ClaimedEffect>> {
        let sql = format!("{CLAIMABLE} AND e.due <= ? ORDER BY e.deadline, e.id");
        let found = {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query([millis(now)])?;
            free(&mut rows, busy)?
        };
        let Some((id, _)) = found else { return Ok(None) };
        let mut effect = self.effect(id)?;
        let handoff = self.handoff(&effect.handoff)?;
        let (work, attempt) = match effect.state {
            EffectState::Unsure { attempt, .. } => (EffectWork::LookUp, attempt),
            _ => {
                let next = self.step_effect(id, &effect.state, &EffectEvent::Claimed)?;
                effect.write.first_tried.get_or_insert(now);
                self.connection.execute(
                    "UPDATE effects SET write = ?, tried = tried + 1 WHERE id = ?",
                    params![json("write", &effect.write)?, id],
                )?;
                let EffectState::InFlight { attempt } = next else { return Ok(None) };
                effect.state = next;
                (EffectWork::Send, attempt)
            }
        };
        let lost_at = self.lost_at(id)?;
        Ok(Some(claimed(effect, &handoff, work, attempt, lost_at)))
    }

    fn lost_at(&self, effect: i64) -> Result<Option<Timestamp>> {
        let mut statement = self.connection.prepare_cached("SELECT lost_at FROM effects WHERE id = ?")?;
        Ok(statement.query_row([effect], |row| row.get::<_, Option<i64>>(0))?.map(instant))
    }

    /// When the next effect may be claimed.
    pub(super) fn next_effect_due(&self, busy: &Busy) -> Result<Option<Timestamp>> {
        let mut statement = self.connection.prepare_cached(&format!("{CLAIMABLE} ORDER BY e.due, e.id"))?;
        let mut rows = statement.query([])?;
        Ok(free(&mut rows, busy)?.map(|(_, due)| due))
    }

    /// Takes one step of an effect's states.
    pub(super) fn step_effect(&mut self, id: i64, state: &EffectState, event: &EffectEvent) -> Result<EffectState> {
        let next = state.after(event)?;
        self.connection
            .prepare_cached("UPDATE effects SET state = ?, state_data = ?, due = ? WHERE id = ?")?
            .execute(params![next.name(), json("effect", &next)?, next.due().map(millis), id])?;
        Ok(next)
    }

    /// What is not over of a handoff is not wanted any more. What may be on the desk already is looked up all the same:
    /// it stays unsure, and what is in flight ends with its answer.
    pub(super) fn drop_effects(&mut self, handoff: &str, reason: Option<&str>) -> Result<()> {
        for effect in self.effects_of(handoff)? {
            if !matches!(effect.state, EffectState::Due { .. } | EffectState::Parked { .. }) {
                continue;
            }
            self.step_effect(effect.id, &effect.state, &EffectEvent::Drop)?;
            self.connection.execute("UPDATE effects SET reason = ? WHERE id = ?", params![reason, effect.id])?;
        }
        Ok(())
    }

    /// Records what came of an effect, with everything that follows.
    ///
    /// # Errors
    /// SQLite's, or a step that the effect or its handoff does not have.
    pub fn record_outcome(&mut self, outcome: &EffectOutcome) -> Result<()> {
        let effect = self.effect(outcome.effect)?;
        let next = self.step_effect(effect.id, &effect.state, &outcome.event)?;
        let receipt = outcome.receipt.as_ref().map(|receipt| json("receipt", receipt)).transpose()?;
        let lost_at = match outcome.event {
            EffectEvent::Lost(_) | EffectEvent::Restarted(_) => Some(millis(outcome.at)),
            _ => None,
        };
        self.connection
            .prepare_cached(
                "UPDATE effects SET receipt = coalesce(?2, receipt), reason = ?3, next_step = ?4,
                     conflicts = conflicts + ?5, lost_at = coalesce(?6, lost_at) WHERE id = ?1",
            )?
            .execute(params![effect.id, receipt, outcome.reason, outcome.next_step, outcome.conflict, lost_at])?;
        if let Some(trouble) = &outcome.trouble {
            self.set_trouble(trouble)?;
        }
        let ticket = effect.write.ticket.clone();
        if next == EffectState::Done {
            self.effect_done(&effect, outcome)?;
        }
        if let Some(happening) = &outcome.handoff {
            let happened = self.happen_if_it_can(happening, outcome.at)?;
            if happened == Some(HandoffEvent::Sent) {
                was_sent(self, &effect.handoff, outcome.at, outcome.verify_at.unwrap_or(outcome.at))?;
            }
        }
        match outcome.look_at {
            Some(at) => self.wait_to_look(&effect.desk, &ticket, at),
            None => Ok(()),
        }
    }

    /// An ended handoff's last effect can fail too: that changes nothing about how it ended.
    fn happen_if_it_can(&mut self, happening: &HandoffHappening, at: Timestamp) -> Result<Option<HandoffEvent>> {
        let state = self.handoff(&happening.handoff)?.state;
        let possible = happening.event.is_none_or(|event| state.after(event).is_ok());
        let happening = HandoffHappening {
            event: happening.event.filter(|_| possible),
            closing_note: happening.closing_note.clone().filter(|_| possible),
            ..happening.clone()
        };
        self.happen(&happening, at)?;
        Ok(happening.event)
    }

    fn effect_done(&mut self, effect: &EffectRecord, outcome: &EffectOutcome) -> Result<()> {
        let version = outcome.receipt.as_ref().and_then(|receipt| receipt.version.as_ref());
        if let Some(version) = version {
            self.connection.execute(
                "UPDATE cases SET own_version = ? WHERE desk = ? AND ticket = ?",
                params![version.as_str(), effect.desk.as_str(), effect.write.ticket.as_str()],
            )?;
        }
        if matches!(effect.write.change, DeskChange::Reply(_)) {
            self.connection.execute(
                "UPDATE cases SET last_public = ? WHERE desk = ? AND ticket = ?",
                params![millis(outcome.at), effect.desk.as_str(), effect.write.ticket.as_str()],
            )?;
        }
        let handoff = self.handoff(&effect.handoff)?;
        let following = handoff.effects.iter().find(|next| next.number > effect.number && !next.state.is_over());
        if let (Some(next), Some(expects)) = (following, &outcome.next_expects) {
            let write = Write { expected: Some(expects.clone()), ..next.write.clone() };
            self.connection
                .execute("UPDATE effects SET write = ? WHERE id = ?", params![json("write", &write)?, next.id])?;
        }
        let all_over = handoff.effects.iter().all(|effect| effect.state.is_over());
        if all_over && handoff.state.after(HandoffEvent::Sent).is_ok() {
            self.step_handoff(&handoff.id, HandoffEvent::Sent)?;
            let verify_at = outcome.verify_at.unwrap_or(outcome.at);
            was_sent(self, &handoff.id, outcome.at, verify_at)?;
            if outcome.look_at.is_none() {
                self.wait_to_look(&effect.desk, &effect.write.ticket, verify_at)?;
            }
        }
        Ok(())
    }

    /// On start: what was in flight when the last process ended is unsure.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn recover(&mut self, now: Timestamp) -> Result<usize> {
        let sql = format!("SELECT {COLUMNS} FROM effects WHERE state = 'in_flight'");
        let in_flight = {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            let mut effects = Vec::new();
            while let Some(row) = rows.next()? {
                effects.push(read_effect(row)?);
            }
            effects
        };
        for effect in &in_flight {
            self.step_effect(effect.id, &effect.state, &EffectEvent::Restarted(now))?;
            self.connection.execute("UPDATE effects SET lost_at = ? WHERE id = ?", params![millis(now), effect.id])?;
        }
        Ok(in_flight.len())
    }
}

impl HandoffRecord {
    /// Whether anything of it has been sent, or may have been.
    pub fn has_sent(&self) -> bool {
        let untouched = |state: &EffectState| {
            matches!(state, EffectState::Due { .. } | EffectState::Dropped | EffectState::Parked { unsure: false, .. })
        };
        self.effects.iter().any(|effect| !untouched(&effect.state))
    }
}

fn free(rows: &mut rusqlite::Rows<'_>, busy: &Busy) -> Result<Option<(i64, Timestamp)>> {
    while let Some(row) = rows.next()? {
        let (id, desk, ticket): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (desk, ticket) = (DeskId::new(desk), TicketId::new(ticket));
        if !busy.effects.contains(&id) && !busy.desks.contains(&desk) && !busy.cases.contains(&(desk, ticket)) {
            return Ok(Some((id, instant(row.get(3)?))));
        }
    }
    Ok(None)
}

fn claimed(
    effect: EffectRecord,
    handoff: &HandoffRecord,
    work: EffectWork,
    attempt: u32,
    lost_at: Option<Timestamp>,
) -> ClaimedEffect {
    let left: Vec<String> = handoff
        .effects
        .iter()
        .filter(|other| other.number > effect.number && !other.state.is_over())
        .map(|other| other.label.clone())
        .collect();
    let done = |other: &&EffectRecord| other.number < effect.number && other.state == EffectState::Done;
    ClaimedEffect {
        work,
        attempt,
        first: !handoff.effects.iter().any(|other| done(&other)),
        last: left.is_empty(),
        ended: !handoff.state.is_open(),
        left,
        receipts: handoff.effects.iter().filter_map(|other| other.receipt.as_ref()).map(|r| r.id.clone()).collect(),
        facts: handoff.proposal.facts.iter().map(|(name, _)| name.clone()).collect(),
        decided_at: handoff.proposal.decided_at,
        lost_at,
        effect,
    }
}

fn read_effect(row: &Row<'_>) -> Result<EffectRecord> {
    let id: i64 = row.get(0)?;
    let what = || format!("effect {id}");
    let receipt: Option<String> = row.get(7)?;
    Ok(EffectRecord {
        id,
        handoff: row.get(1)?,
        desk: DeskId::new(row.get::<_, String>(2)?),
        number: row.get(3)?,
        label: row.get(4)?,
        state: from_json(what, &row.get::<_, String>(5)?)?,
        write: from_json(what, &row.get::<_, String>(6)?)?,
        receipt: receipt.map(|text| from_json(what, &text)).transpose()?,
        reason: row.get(8)?,
        next_step: row.get(9)?,
        conflicts: row.get(10)?,
    })
}
