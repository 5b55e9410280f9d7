//! Handoffs: storing new ones, what happens to them, and reading them back whole.

use super::codec::{from_json, instant, json, millis};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::records::{HandoffHappening, HandoffRecord, NewHandoff};
use super::states::{HandoffEvent, HandoffState};
use crate::policy::names::RuleName;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

const COLUMNS: &str = "id, state, proposal, risks, detail, created_at, sent_at, verify_at, claimed_at, claimed_by, approved_by, redecided";

/// Which handoffs to list.
#[derive(Clone, Debug, Default)]
pub struct HandoffFilter {
    /// In this state.
    pub state: Option<HandoffState>,
    /// Of this rule.
    pub rule: Option<RuleName>,
    /// On this desk.
    pub desk: Option<DeskId>,
    /// Of this ticket.
    pub ticket: Option<TicketId>,
    /// At most so many; none: 100.
    pub limit: Option<usize>,
}

impl Ledger {
    /// The latest handoff of a case that has not ended in failure.
    pub(super) fn latest_handoff(&self, desk: &DeskId, ticket: &TicketId) -> Result<Option<HandoffRecord>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM handoffs WHERE desk = ? AND ticket = ?
             AND state IN ('asking', 'in_review', 'sending', 'verifying', 'settled')
             ORDER BY state IN ('asking', 'in_review', 'sending') DESC, created_at DESC, id LIMIT 1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([desk.as_str(), ticket.as_str()])?;
        rows.next()?.map(|row| self.read_handoff(row)).transpose()
    }

    /// How many handoffs have ended, by rule and episode.
    pub(super) fn ended_handoffs(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<(RuleName, String, u32)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT rule, episode, count(*) FROM handoffs WHERE desk = ? AND ticket = ?
             AND state NOT IN ('asking', 'in_review', 'sending') GROUP BY rule, episode",
        )?;
        let rows = statement.query_map([desk.as_str(), ticket.as_str()], |row| {
            Ok((RuleName::new(row.get::<_, String>(0)?), row.get(1)?, row.get(2)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn read_handoff(&self, row: &Row<'_>) -> Result<HandoffRecord> {
        let id: String = row.get(0)?;
        let state: String = row.get(1)?;
        let what = || format!("handoff {id}");
        let state = HandoffState::named(&state)
            .ok_or_else(|| LedgerError::Unreadable { what: what(), why: format!("no state is called {state}") })?;
        let claimed = row.get::<_, Option<i64>>(8)?.map(instant).zip(row.get(9)?);
        Ok(HandoffRecord {
            state,
            proposal: from_json(what, &row.get::<_, String>(2)?)?,
            risks: from_json(what, &row.get::<_, String>(3)?)?,
            detail: row.get(4)?,
            created_at: instant(row.get(5)?),
            sent_at: row.get::<_, Option<i64>>(6)?.map(instant),
            verify_at: row.get::<_, Option<i64>>(7)?.map(instant),
            claimed,
            approved_by: row.get(10)?,
            redecided: row.get(11)?,
            effects: self.effects_of(&id)?,
            id,
        })
    }

    /// One handoff.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], SQLite's, or a row that cannot be read.
    pub fn handoff(&self, id: &str) -> Result<HandoffRecord> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM handoffs WHERE id = ?"))?;
        let mut rows = statement.query([id])?;
        match rows.next()? {
            Some(row) => self.read_handoff(row),
            None => Err(LedgerError::NotFound(format!("handoff {id}"))),
        }
    }

    /// Handoffs, newest first.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn handoffs(&self, filter: &HandoffFilter) -> Result<Vec<HandoffRecord>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM handoffs
             WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR rule = ?2) AND (?3 IS NULL OR desk = ?3)
               AND (?4 IS NULL OR ticket = ?4)
             ORDER BY created_at DESC, id LIMIT ?5"
        ))?;
        let mut rows = statement.query(params![
            filter.state.map(HandoffState::name),
            filter.rule.as_ref().map(RuleName::as_str),
            filter.desk.as_ref().map(DeskId::as_str),
            filter.ticket.as_ref().map(TicketId::as_str),
            i64::try_from(filter.limit.unwrap_or(100)).unwrap_or(i64::MAX),
        ])?;
        let mut handoffs = Vec::new();
        while let Some(row) = rows.next()? {
            handoffs.push(self.read_handoff(row)?);
        }
        Ok(handoffs)
    }

    /// Stores a new handoff, or refreshes one of the same id that has sent nothing: same keys, newer ticket.
    pub(super) fn start_handoff(&mut self, new: &NewHandoff, now: Timestamp) -> Result<()> {
        if let Some(replaced) = &new.replaces {
            self.happen(&superseded(replaced, &new.id), now)?;
        }
        let proposal = &new.proposal;
        let known = self
            .connection
            .prepare_cached("SELECT state FROM handoffs WHERE id = ?")?
            .query_row([&new.id], |row| row.get::<_, String>(0))
            .optional()?;
        if let Some(state) = known {
            if state == new.state.name() {
                self.connection.execute(
                    "UPDATE handoffs SET proposal = ?, redecided = redecided + 1 WHERE id = ?",
                    params![json("proposal", proposal)?, new.id],
                )?;
                return self.refresh_effects(&new.id, &new.effects, now);
            }
            return Ok(()); // Same key, already further on: nothing is decided twice.
        }
        self.connection
            .prepare_cached(
                "INSERT INTO handoffs (id, desk, ticket, rule, episode, state, proposal, risks, created_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                new.id,
                proposal.desk.as_str(),
                proposal.ticket.as_str(),
                proposal.rule.as_str(),
                proposal.episode,
                new.state.name(),
                json("proposal", proposal)?,
                json("risks", &new.risks)?,
                millis(now)
            ])?;
        self.add_effects(&new.id, &new.effects, now)
    }

    /// Something happened to a handoff.
    pub(super) fn happen(&mut self, happening: &HandoffHappening, now: Timestamp) -> Result<()> {
        if let Some(event) = happening.event {
            self.step_handoff(&happening.handoff, event)?;
        }
        self.connection
            .prepare_cached(
                "UPDATE handoffs SET detail = coalesce(?2, detail), claimed_at = coalesce(claimed_at, ?3),
                     claimed_by = coalesce(claimed_by, ?4) WHERE id = ?1",
            )?
            .execute(params![
                happening.handoff,
                happening.detail,
                happening.claimed.as_ref().map(|(at, _)| millis(*at)),
                happening.claimed.as_ref().map(|(_, who)| who)
            ])?;
        if happening.drop_effects {
            self.drop_effects(&happening.handoff, happening.detail.as_deref())?;
        }
        if let Some(note) = &happening.closing_note {
            self.add_effects(&happening.handoff, std::slice::from_ref(note), now)?;
        }
        Ok(())
    }

    /// Takes one step of a handoff's states.
    pub(super) fn step_handoff(&mut self, id: &str, event: HandoffEvent) -> Result<HandoffState> {
        let state: Option<String> = self
            .connection
            .prepare_cached("SELECT state FROM handoffs WHERE id = ?")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let state = state
            .and_then(|name| HandoffState::named(&name))
            .ok_or_else(|| LedgerError::NotFound(format!("handoff {id}")))?;
        let next = state.after(event)?;
        self.connection.prepare_cached("UPDATE handoffs SET state = ? WHERE id = ?")?.execute([next.name(), id])?;
        Ok(next)
    }
}

fn superseded(handoff: &str, by: &str) -> HandoffHappening {
    HandoffHappening {
        handoff: handoff.to_owned(),
        event: Some(HandoffEvent::Withdrawn),
        detail: Some(format!("superseded by {by} before anything was sent")),
        claimed: None,
        drop_effects: true,
        closing_note: None,
    }
}
