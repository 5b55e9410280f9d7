//! Effects: planned, planned anew, claimed, dropped. A claim is committed before the call leaves.

use super::codec::{from_json, instant, json, millis, sum, summed};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::records::{Busy, ClaimedEffect, EffectRecord, EffectWork, HandoffRecord, Purpose, Switch, SwitchOn};
use super::states::{EffectEvent, EffectState, HandoffState};
use crate::plan::PlannedEffect;
use handoffd_kit::desk::{DeskChange, Update, Write};
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::mark::Mark;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: &str = "id, handoff, desk, number, label, state_data, write, receipt, reason, next_step, conflicts, lost_at, purpose, \
     ticket, deadline, write_sum";

/// What a due effect waits for, other than a pause: its turn within its handoff, of a handoff that has not ended (or it was
/// planned apart from it), with nothing else of the case under way. What ends an asking waits for the handoff itself, whose
/// versions it would change.
const ITS_TURN: &str = "
    (e.purpose <> 'handoff' OR h.state IN ('sending', 'verifying', 'settled'))
      AND (e.purpose <> 'asking' OR NOT EXISTS (SELECT 1 FROM effects w WHERE w.handoff = e.handoff
                      AND w.purpose = 'handoff' AND w.state = 'due'))
      AND NOT EXISTS (SELECT 1 FROM effects b WHERE b.handoff = e.handoff AND b.purpose = e.purpose
                      AND b.number < e.number AND (b.state IN ('due', 'in_flight', 'unsure', 'parked')
                           OR b.state = 'refused' AND e.purpose = 'handoff'))
      AND NOT EXISTS (SELECT 1 FROM effects o WHERE o.desk = e.desk AND o.ticket = e.ticket
                      AND o.state IN ('in_flight', 'unsure'))";

/// A kill switch that holds a due effect back; a paused rule's handoffs can still be undone.
const PAUSED: &str = "
    EXISTS (SELECT 1 FROM switches s WHERE s.kind = 'all' OR (s.kind = 'desk' AND s.name = e.desk)
            OR (s.kind = 'rule' AND s.name = h.rule AND h.state NOT IN ('undone', 'rejected')))";

/// Effects that wait for something, by desk.
pub(super) const WAITING: &str = "effects INDEXED BY effects_due WHERE due IS NOT NULL";

/// What may be claimed on a desk in the order of an index: what is unsure, to be looked up; and what is due, when it is its
/// turn and nothing is paused.
pub(super) fn claimable(index: &str, rest: &str) -> String {
    format!(
        "SELECT e.id, e.ticket, e.due, e.deadline FROM effects e INDEXED BY {index}
         LEFT JOIN handoffs h ON h.id = e.handoff
         WHERE e.desk = ? AND e.due IS NOT NULL AND e.due <= ?
           AND (e.state = 'unsure' OR {ITS_TURN} AND NOT {PAUSED}) {rest}"
    )
}

/// The same on a desk to which nothing is sent: only what may have been written before is looked up.
pub(super) fn unsure(rest: &str) -> String {
    format!(
        "SELECT e.id, e.ticket, e.due, e.deadline FROM effects e INDEXED BY effects_unsure
         WHERE e.desk = ? AND e.state = 'unsure' AND e.due <= ? {rest}"
    )
}

const BY_DEADLINE: &str = "ORDER BY e.deadline, e.id";
const BY_DUE: &str = "ORDER BY e.due, e.id";

/// Effects that nothing but a kill switch holds back.
pub(super) fn held_by_pause() -> String {
    format!(
        "SELECT count(*) FROM effects e INDEXED BY effects_state LEFT JOIN handoffs h ON h.id = e.handoff
         WHERE e.state = 'due' AND {ITS_TURN} AND {PAUSED}"
    )
}

/// Their tickets, for [`super::waiting`].
pub(super) fn paused_tickets() -> String {
    format!(
        "SELECT e.desk, e.ticket FROM effects e INDEXED BY effects_state LEFT JOIN handoffs h ON h.id = e.handoff
         WHERE e.state = 'due' AND {ITS_TURN} AND {PAUSED} AND :now IS NOT NULL
         GROUP BY e.desk, e.ticket ORDER BY min(e.deadline), e.desk, e.ticket LIMIT :most"
    )
}

/// An effect that may be claimed.
#[derive(Clone, Copy, Debug)]
struct Free {
    id: i64,
    due: Timestamp,
    deadline: i64,
}

impl Ledger {
    /// Stores the planned effects of a handoff.
    pub(super) fn add_effects(
        &mut self,
        handoff: &str,
        effects: &[PlannedEffect],
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<()> {
        let of = self
            .connection
            .prepare_cached("SELECT desk, ticket FROM handoffs WHERE id = ?")?
            .query_row([handoff], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        let Some((desk, ticket)) = of else { return Ok(()) };
        let (desk, ticket) = (DeskId::new(desk), TicketId::new(ticket));
        effects.iter().try_for_each(|effect| self.add_effect(handoff, &desk, &ticket, effect, purpose, now))
    }

    /// Plans effects that stand apart from their handoff's own, or plans them anew for the version that the ticket has now.
    /// What is under way, done or waits for a person stays as it is.
    pub(super) fn plan_anew(
        &mut self,
        handoff: &str,
        effects: &[PlannedEffect],
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<()> {
        for known in self.effects_of(handoff)?.iter().filter(|effect| effect.purpose == purpose) {
            let planned = effects.iter().find(|planned| planned.number == known.number);
            if let (EffectState::Due { attempt, .. }, Some(planned)) = (&known.state, planned) {
                let write = Write { first_tried: known.write.first_tried, ..planned.write.clone() };
                self.put_write(known.id, &write)?;
                self.put_state(known.id, &EffectState::Due { at, attempt: *attempt })?;
            }
        }
        self.add_effects(handoff, effects, purpose, at)
    }

    /// Stores the effects that answer a command: they belong to it, as their marks say.
    pub(super) fn add_answers(
        &mut self,
        desk: &DeskId,
        ticket: &TicketId,
        effects: &[PlannedEffect],
        now: Timestamp,
    ) -> Result<()> {
        let apart = Purpose::Apart;
        effects.iter().try_for_each(|one| self.add_effect(&one.write.mark.handoff, desk, ticket, one, apart, now))
    }

    /// Stores one planned effect. One whose number is known already is the same one: its key is the same.
    fn add_effect(
        &mut self,
        of: &str,
        desk: &DeskId,
        ticket: &TicketId,
        effect: &PlannedEffect,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<()> {
        let state = EffectState::Due { at: now, attempt: 0 };
        let write = json("write", &effect.write)?;
        self.connection
            .prepare_cached(
                "INSERT INTO effects (handoff, desk, ticket, number, purpose, label, state, state_data, due, deadline, write, write_sum)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (handoff, number) DO NOTHING",
            )?
            .execute(params![
                of,
                desk.as_str(),
                ticket.as_str(),
                effect.number,
                purpose.name(),
                effect.label,
                state.name(),
                json("effect", &state)?,
                millis(now),
                millis(effect.write.deadline),
                write,
                sum(&write)
            ])?;
        Ok(())
    }

    /// The same handoff was decided again, and nothing of it has been sent: its effects are planned anew under the same
    /// keys. One that waits for a person goes on waiting; one that waits to be tried again waits on, unless the ticket
    /// has another version now. Gives whether any write expects another version.
    pub(super) fn replan(
        &mut self,
        known: &HandoffRecord,
        effects: &[PlannedEffect],
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<bool> {
        let mut changed = false;
        // An asking that a person dropped stays dropped; what carries a handoff out ends with it.
        let given_up = |old: &&EffectRecord| old.purpose == Purpose::Asking && old.state.is_over();
        let planned = known.effects.iter().filter(|old| old.purpose == purpose && old.is_untouched());
        for old in planned.filter(|old| !given_up(old)) {
            let Some(planned) = effects.iter().find(|planned| planned.number == old.number) else {
                self.connection.execute("DELETE FROM effects WHERE id = ?", [old.id])?;
                continue;
            };
            let newer = planned.write.expected != old.write.expected;
            changed |= newer;
            let state = match &old.state {
                EffectState::Due { attempt, .. } if newer => EffectState::Due { at: now, attempt: *attempt },
                EffectState::Due { .. } | EffectState::Parked { .. } => old.state.clone(),
                _ => EffectState::Due { at: now, attempt: 0 },
            };
            let deadline = planned.write.deadline.min(old.write.deadline);
            let write = Write { first_tried: old.write.first_tried, deadline, ..planned.write.clone() };
            self.put_state(old.id, &state)?;
            let write = json("write", &write)?;
            self.connection
                .prepare_cached("UPDATE effects SET write = ?, write_sum = ?, label = ?, deadline = ? WHERE id = ?")?
                .execute(params![write, sum(&write), planned.label, millis(deadline), old.id])?;
        }
        self.add_effects(&known.id, effects, purpose, now)?;
        Ok(changed)
    }

    /// A handoff's effects in order; what cannot be read of one is stood in for.
    pub(super) fn effects_of(&self, handoff: &str) -> Result<Vec<EffectRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM effects WHERE handoff = ? ORDER BY number");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([handoff])?;
        let mut effects = Vec::new();
        while let Some(row) = rows.next()? {
            effects.push(read_as_far_as_possible(row)?);
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

    /// One effect; what cannot be read of it is stood in for.
    pub(super) fn effect_as_far_as_possible(&self, id: i64) -> Result<EffectRecord> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM effects WHERE id = ?"))?;
        let mut rows = statement.query([id])?;
        match rows.next()? {
            Some(row) => read_as_far_as_possible(row),
            None => Err(LedgerError::NotFound(format!("effect {id}"))),
        }
    }

    /// Tickets of a desk with a write that waits, so many at most.
    ///
    /// # Errors
    /// SQLite's.
    pub fn tickets_that_wait(&self, desk: &DeskId, limit: usize) -> Result<Vec<TicketId>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT ticket FROM effects INDEXED BY effects_due WHERE desk = ? AND due IS NOT NULL LIMIT ?",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![desk.as_str(), limit], |row| row.get::<_, String>(0))?;
        Ok(rows.map(|ticket| ticket.map(TicketId::new)).collect::<rusqlite::Result<_>>()?)
    }

    /// Takes the due effect with the nearest deadline: it is in flight from this commit on. An unsure one is given out to
    /// be looked up and stays unsure.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn claim_due_effect(&mut self, now: Timestamp, busy: &Busy) -> Result<Option<ClaimedEffect>> {
        self.atomically(|ledger| ledger.claim(now, busy))
    }

    fn claim(&mut self, now: Timestamp, busy: &Busy) -> Result<Option<ClaimedEffect>> {
        loop {
            let nearest = self.free_effects("effects_deadline", BY_DEADLINE, Some(now), busy)?;
            let Some(next) = nearest.into_iter().min_by_key(|free| (free.deadline, free.id)) else { return Ok(None) };
            match self.take(next.id, now) {
                // Parked, it does not come up again: the others go on.
                Err(error @ LedgerError::Unreadable { .. }) => self.park_unreadable(next.id, &error)?,
                taken => return taken,
            }
        }
    }

    /// The first effect of each desk that may be claimed, in this order. On a desk that refuses our writes, what may have been
    /// written before is still looked up, which is a read. Each desk is asked by itself, so that the backlog of one that is silent or paused is not walked through.
    fn free_effects(&self, index: &str, order: &str, by: Option<Timestamp>, busy: &Busy) -> Result<Vec<Free>> {
        let switches = self.switches()?;
        let stopped: Vec<DeskId> = self.troubles()?.into_iter().filter(|t| t.writes_stopped).map(|t| t.desk).collect();
        let mut free = Vec::new();
        for desk in self.desks_that_wait(WAITING, busy)? {
            let off = |on: &SwitchOn| match &on.switch {
                Switch::All => true,
                Switch::Desk(paused) => *paused == desk,
                Switch::Rule(_) => false,
            };
            let held = busy.shadow || stopped.contains(&desk) || switches.iter().any(off);
            let sql = if held { unsure(order) } else { claimable(index, order) };
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![desk.as_str(), by.map_or(i64::MAX, millis)])?;
            while let Some(row) = rows.next()? {
                let (id, ticket) = (row.get(0)?, TicketId::new(row.get::<_, String>(1)?));
                if !busy.effects.contains(&id) && !busy.has(&desk, &ticket) {
                    free.push(Free { id, due: instant(row.get(2)?), deadline: row.get(3)? });
                    break;
                }
            }
        }
        Ok(free)
    }

    fn take(&mut self, id: i64, now: Timestamp) -> Result<Option<ClaimedEffect>> {
        let mut effect = self.effect(id)?;
        let handoff = self.find_handoff(&effect.handoff)?;
        let (work, attempt) = match effect.state {
            EffectState::Unsure { attempt, .. } => (EffectWork::LookUp, attempt),
            _ => {
                let next = self.step_effect(id, &effect.state, &EffectEvent::Claimed)?;
                effect.write.first_tried.get_or_insert(now);
                self.put_write(id, &effect.write)?;
                let EffectState::InFlight { attempt } = next else { return Ok(None) };
                effect.state = next;
                (EffectWork::Send, attempt)
            }
        };
        Ok(Some(match handoff {
            Some(handoff) => claimed(effect, &handoff, work, attempt),
            None => claimed_answer(effect, work, attempt),
        }))
    }

    /// Writes under way that a kill switch (or shadow) has come after, by desk and their marks' keys: those of them that have not
    /// left yet must not.
    ///
    /// # Errors
    /// SQLite's.
    pub fn to_hold_back(&self, shadow: bool) -> Result<BTreeMap<DeskId, BTreeSet<String>>> {
        let sql = format!(
            "SELECT e.desk, e.handoff, e.number FROM effects e INDEXED BY effects_state
             LEFT JOIN handoffs h ON h.id = e.handoff WHERE e.state = 'in_flight' AND (? OR {PAUSED})"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([shadow])?;
        let mut held: BTreeMap<DeskId, BTreeSet<String>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (desk, handoff, number): (String, String, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
            held.entry(DeskId::new(desk)).or_default().insert(format!("{handoff}/{number}"));
        }
        Ok(held)
    }

    /// When the next effect may be claimed.
    pub(super) fn next_effect_due(&self, busy: &Busy) -> Result<Option<Timestamp>> {
        Ok(self.free_effects("effects_due", BY_DUE, None, busy)?.into_iter().map(|free| free.due).min())
    }

    /// Takes one step of an effect's states.
    pub(super) fn step_effect(&mut self, id: i64, state: &EffectState, event: &EffectEvent) -> Result<EffectState> {
        let next = state.after(event)?;
        self.put_state(id, &next)?;
        Ok(next)
    }

    pub(super) fn put_state(&mut self, id: i64, state: &EffectState) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE effects SET state = ?, state_data = ?, due = ? WHERE id = ?")?
            .execute(params![state.name(), json("effect", state)?, state.due().map(millis), id])?;
        Ok(())
    }

    /// Keeps what is written, and when it was first tried where that can be asked for.
    pub(super) fn put_write(&mut self, id: i64, write: &Write) -> Result<()> {
        let text = json("write", write)?;
        self.connection
            .prepare_cached("UPDATE effects SET write = ?, write_sum = ?, tried_at = ? WHERE id = ?")?
            .execute(params![text, sum(&text), write.first_tried.map(millis), id])?;
        Ok(())
    }

    /// What would carry a handoff out is not wanted any more. What may be on the desk already is looked up all the same: it
    /// stays unsure, and what is in flight ends with its answer.
    pub(super) fn drop_effects(&mut self, handoff: &str, reason: Option<&str>) -> Result<()> {
        for effect in self.effects_of(handoff)? {
            let own = effect.purpose == Purpose::Handoff;
            if own && matches!(effect.state, EffectState::Due { .. } | EffectState::Parked { .. }) {
                self.drop_one(&effect, reason)?;
            }
        }
        Ok(())
    }

    /// One effect is not wanted any more.
    pub(super) fn drop_one(&mut self, effect: &EffectRecord, reason: Option<&str>) -> Result<()> {
        self.step_effect(effect.id, &effect.state, &EffectEvent::Drop)?;
        self.connection
            .prepare_cached("UPDATE effects SET reason = coalesce(?, reason) WHERE id = ?")?
            .execute(params![reason, effect.id])?;
        match effect.state {
            EffectState::Parked { .. } => self.close_parked(effect),
            _ => Ok(()),
        }
    }
}

impl HandoffRecord {
    /// Whether anything of it has been sent, or may have been. What asks for package parts is no part of it yet.
    pub fn has_sent(&self) -> bool {
        let asks = |effect: &&EffectRecord| matches!(effect.purpose, Purpose::Asking | Purpose::Reminder);
        self.effects.iter().any(|effect| !asks(&effect) && !effect.is_untouched())
    }
}

impl EffectRecord {
    /// Whether nothing of it has reached the desk, for certain.
    pub fn is_untouched(&self) -> bool {
        let waits = matches!(
            self.state,
            EffectState::Due { .. }
                | EffectState::Refused
                | EffectState::Dropped
                | EffectState::Parked { unsure: false, .. }
        );
        waits && self.lost_at.is_none()
    }
}

fn claimed(effect: EffectRecord, handoff: &HandoffRecord, work: EffectWork, attempt: u32) -> ClaimedEffect {
    let follows = |other: &&EffectRecord| {
        other.purpose == effect.purpose && other.number > effect.number && !other.state.is_over()
    };
    let left: Vec<String> = handoff.effects.iter().filter(follows).map(|other| other.label.clone()).collect();
    let done = |other: &&EffectRecord| other.number < effect.number && other.state == EffectState::Done;
    ClaimedEffect {
        work,
        attempt,
        first: !handoff.effects.iter().any(|other| done(&other)),
        last: left.is_empty(),
        ended: match effect.purpose {
            Purpose::Handoff => false,
            Purpose::Apart | Purpose::Resume | Purpose::Reminder => true,
            Purpose::Asking => handoff.state != HandoffState::Asking,
        },
        left,
        receipts: handoff.effects.iter().filter_map(|other| other.receipt.as_ref()).map(|r| r.id.clone()).collect(),
        facts: handoff.proposal.facts.iter().map(|(name, _)| name.clone()).collect(),
        decided_at: handoff.proposal.decided_at,
        lost_at: effect.lost_at,
        effect,
    }
}

/// Reads every effect that is not over, as the daemon will.
///
/// # Errors
/// The first that cannot be read, or SQLite's.
pub(super) fn read_through(ledger: &Ledger) -> Result<()> {
    let mut statement = ledger
        .connection
        .prepare(&format!("SELECT {COLUMNS} FROM effects WHERE state NOT IN ('done', 'refused', 'dropped')"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        read_effect(row)?;
    }
    Ok(())
}

fn purpose(id: i64, name: &str) -> Result<Purpose> {
    Purpose::named(name)
        .ok_or_else(|| LedgerError::Unreadable { what: format!("effect {id}"), why: "an unknown purpose".into() })
}

/// An effect whose state cannot be read may have been sent and waits for a person; a write that cannot be read does nothing.
fn read_as_far_as_possible(row: &Row<'_>) -> Result<EffectRecord> {
    let error = match read_effect(row) {
        Err(error @ LedgerError::Unreadable { .. }) => error,
        read => return read,
    };
    let (handoff, number): (String, u32) = (row.get(1)?, row.get(3)?);
    tracing::error!(handoff.id = handoff, effect.id = row.get::<_, i64>(0)?, error = %error, "ledger.effect_unreadable");
    let state = serde_json::from_str(&row.get::<_, String>(5)?).ok();
    let state_lost = state.is_none().then_some(Timestamp::UNIX_EPOCH);
    let nothing = || Write {
        ticket: TicketId::new(row.get::<_, String>(13).unwrap_or_default()),
        change: DeskChange::Update(Update::default()),
        mark: Mark { handoff: handoff.clone(), number, rule: "unreadable".into(), version: "unreadable".into() },
        expected: None,
        decided_on: None,
        first_tried: None,
        deadline: row.get(14).map_or(Timestamp::UNIX_EPOCH, instant),
    };
    Ok(EffectRecord {
        id: row.get(0)?,
        desk: DeskId::new(row.get::<_, String>(2)?),
        label: row.get(4)?,
        state: state.unwrap_or(EffectState::Parked { attempt: 0, unsure: true }),
        write: written(row).unwrap_or_else(|_| nothing()),
        receipt: row.get::<_, Option<String>>(7)?.and_then(|text| serde_json::from_str(&text).ok()),
        reason: row.get::<_, Option<String>>(8)?.or_else(|| Some(error.to_string())),
        next_step: row.get(9)?,
        conflicts: row.get(10)?,
        lost_at: row.get::<_, Option<i64>>(11)?.map(instant).or(state_lost),
        purpose: Purpose::named(&row.get::<_, String>(12)?).unwrap_or(Purpose::Handoff),
        handoff,
        number,
    })
}

/// An effect that answers a command: it stands alone, and nothing is compared afterwards.
fn claimed_answer(effect: EffectRecord, work: EffectWork, attempt: u32) -> ClaimedEffect {
    ClaimedEffect {
        work,
        attempt,
        first: true,
        last: false,
        ended: true,
        left: Vec::new(),
        receipts: Vec::new(),
        facts: Vec::new(),
        decided_at: effect.write.deadline,
        lost_at: effect.lost_at,
        effect,
    }
}

fn written(row: &Row<'_>) -> Result<Write> {
    let (id, text): (i64, String) = (row.get(0)?, row.get(6)?);
    let what = || format!("effect {id}");
    from_json(what, summed(what, &text, row.get(15)?)?)
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
        write: written(row)?,
        receipt: receipt.map(|text| from_json(what, &text)).transpose()?,
        reason: row.get(8)?,
        next_step: row.get(9)?,
        conflicts: row.get(10)?,
        lost_at: row.get::<_, Option<i64>>(11)?.map(instant),
        purpose: purpose(id, &row.get::<_, String>(12)?)?,
    })
}
