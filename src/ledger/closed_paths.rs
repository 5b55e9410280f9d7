//! Paths that are closed for a case, each with the facts as the first look saw them that found the case back with the giving
//! team. Until then a row has none, which is as good as unchanged ones.

use super::codec::{from_json, json, millis};
use super::error::{LedgerError, Result};
use super::handoffs::{has_moved, may_have_moved};
use super::open::Ledger;
use super::records::{HandoffRecord, Purpose};
use super::states::HandoffState;
use crate::plan;
use crate::policy::case::{CHANGED, ClosedBy, ClosedPath};
use crate::policy::known::{FactName, HouseFact};
use crate::policy::names::TeamName;
use crate::policy::proposal::HandoffKind;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;

impl Ledger {
    /// Closes a path. One that was closed before is closed anew: what was noted then says nothing about this time.
    pub(super) fn close_path(
        &mut self,
        desk: &DeskId,
        ticket: &TicketId,
        path: &ClosedPath,
        now: Timestamp,
    ) -> Result<()> {
        let (why, facts) = (json("closed path", &path.why)?, json("closed path", &path.facts)?);
        self.connection.execute(
            "INSERT OR REPLACE INTO closed_paths (desk, ticket, from_team, to_team, why, facts, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![desk.as_str(), ticket.as_str(), from(path), path.to.as_str(), why, facts, millis(now)],
        )?;
        Ok(())
    }

    /// Closes the path that a handoff took; where it had been on its way since an earlier one, also the direct one.
    pub(super) fn close_path_of(&mut self, handoff: &HandoffRecord, why: ClosedBy, at: Timestamp) -> Result<()> {
        let proposal = &handoff.proposal;
        let first = proposal.giver().map(|giver| giver.team).filter(|first| *first != proposal.to);
        let direct = (first != proposal.from).then_some(first).flatten();
        for from in [proposal.from.clone()].into_iter().chain(direct.map(Some)) {
            let path = ClosedPath::new(from, proposal.to.clone(), why);
            self.close_path(&proposal.desk, &proposal.ticket, &path, at)?;
        }
        Ok(())
    }

    /// Closes the path that a rule's handoff was to take, where it was stopped before the case moved.
    pub(super) fn close_path_if_unmoved(&mut self, id: &str, why: ClosedBy, at: Timestamp) -> Result<()> {
        let Some(handoff) = self.find_handoff(id)? else { return Ok(()) };
        let proposal = &handoff.proposal;
        let by_rule = matches!(proposal.kind, HandoffKind::Route | HandoffKind::Escalate);
        if !by_rule || handoff.state != HandoffState::Withdrawn || handoff.effects.iter().any(may_have_moved) {
            return Ok(());
        }
        let path = ClosedPath::new(proposal.from.clone(), proposal.to.clone(), why);
        self.close_path(&proposal.desk, &proposal.ticket, &path, at)
    }

    /// The latest handoff that has sent something, where it was stopped after it had moved the case, as long as its receiving
    /// stay is not over: it is compared no more, but should the case come straight back, its path is closed.
    pub(super) fn stopped_halfway(&self, desk: &DeskId, ticket: &TicketId) -> Result<Option<HandoffRecord>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, state FROM handoffs WHERE desk = ? AND ticket = ? AND first_sent_at IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM stays s JOIN stays l ON l.desk = s.desk AND l.ticket = s.ticket AND l.id > s.id
                   WHERE s.desk = handoffs.desk AND s.ticket = handoffs.ticket AND s.by_handoff = handoffs.id)
             ORDER BY rowid DESC LIMIT 1",
        )?;
        let latest = statement.query_row([desk.as_str(), ticket.as_str()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        });
        let Some((id, state)) = latest.optional()? else { return Ok(None) };
        if state != HandoffState::Withdrawn.name() {
            return Ok(None);
        }
        match self.handoff(&id) {
            // It was given up by hand.
            Err(LedgerError::Unreadable { .. }) => Ok(None),
            handoff => Ok(Some(handoff?).filter(|handoff| handoff.effects.iter().any(has_moved))),
        }
    }

    /// Notes facts of a closed path. What was noted before stands, as it is what a change is measured by, until a look has
    /// seen a change.
    pub(super) fn note_path_facts(&mut self, desk: &DeskId, ticket: &TicketId, path: &ClosedPath) -> Result<()> {
        let key = params![desk.as_str(), ticket.as_str(), from(path), path.to.as_str()];
        let known = self
            .connection
            .prepare_cached(
                "SELECT facts FROM closed_paths WHERE desk = ? AND ticket = ? AND from_team = ? AND to_team = ?",
            )?
            .query_row(key, |row| row.get::<_, String>(0))
            .optional()?;
        let Some(known) = known else { return Ok(()) };
        let mut facts = path.facts.clone();
        let changed = |name: &String| path.facts.get(name).is_some_and(|fact| fact == CHANGED);
        facts.extend(read_facts(desk, ticket, &known).into_iter().filter(|(name, _)| !changed(name)));
        self.put_path_facts(desk, ticket, &ClosedPath { facts, ..path.clone() })
    }

    /// We are about to set the status ourselves, which is no news: the look after that notes it anew.
    pub(super) fn forget_status_on_paths(&mut self, desk: &DeskId, ticket: &TicketId) -> Result<()> {
        let status = FactName::House(HouseFact::TicketStatus).to_string();
        for mut path in self.closed_paths(desk, ticket)? {
            if path.facts.remove(&status).is_some() {
                self.put_path_facts(desk, ticket, &path)?;
            }
        }
        Ok(())
    }

    fn put_path_facts(&mut self, desk: &DeskId, ticket: &TicketId, path: &ClosedPath) -> Result<()> {
        let facts = json("closed path", &path.facts)?;
        self.connection
            .prepare_cached(
                "UPDATE closed_paths SET facts = ?5 WHERE desk = ?1 AND ticket = ?2 AND from_team = ?3 AND to_team = ?4",
            )?
            .execute(params![desk.as_str(), ticket.as_str(), from(path), path.to.as_str(), facts])?;
        Ok(())
    }

    pub(super) fn closed_paths(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<ClosedPath>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT from_team, to_team, why, facts FROM closed_paths WHERE desk = ? AND ticket = ? ORDER BY at",
        )?;
        let mut rows = statement.query([desk.as_str(), ticket.as_str()])?;
        let mut paths = Vec::new();
        while let Some(row) = rows.next()? {
            let (from, why): (String, String) = (row.get(0)?, row.get(2)?);
            paths.push(ClosedPath {
                from: (!from.is_empty()).then(|| TeamName::new(from)),
                to: TeamName::new(row.get::<_, String>(1)?),
                // What closed it cannot be told any more: it is closed all the same.
                why: from_json(|| format!("closed path of {desk}/{ticket}"), &why).unwrap_or(ClosedBy::Rejection),
                facts: read_facts(desk, ticket, &row.get::<_, String>(3)?),
            });
        }
        Ok(paths)
    }

    /// Whether a write that puts the case back, or ends its pause, is on its way, or will be. Others change nothing of it, and
    /// may wait for hours.
    pub(super) fn writes_pending(&self, desk: &DeskId, ticket: &TicketId) -> Result<bool> {
        let mut statement = self.connection.prepare_cached(
            "SELECT e.purpose, e.number FROM handoffs h JOIN effects e ON e.handoff = h.id
             WHERE h.desk = ? AND h.ticket = ? AND e.state IN ('due', 'in_flight', 'unsure')",
        )?;
        let key = [desk.as_str(), ticket.as_str()];
        let waiting = statement.query_map(key, |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
        let restores = |(purpose, number): &(String, u32)| match Purpose::named(purpose) {
            Some(Purpose::Resume) => true,
            Some(Purpose::Apart) => plan::puts_back(*number),
            _ => false,
        };
        let waiting = waiting.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(waiting.iter().any(restores))
    }

    /// Once the last write that puts a case back is done, a look notes the facts of the path that is closed with it.
    pub(super) fn look_when_back(&mut self, desk: &DeskId, ticket: &TicketId, now: Timestamp) -> Result<()> {
        if self.closed_paths(desk, ticket)?.is_empty() || self.writes_pending(desk, ticket)? {
            return Ok(());
        }
        self.wait_to_look(desk, ticket, now)
    }
}

fn from(path: &ClosedPath) -> &str {
    path.from.as_ref().map_or("", TeamName::as_str)
}

/// Facts that cannot be read are as good as not noted: the path stays closed, and the next look notes them.
fn read_facts(desk: &DeskId, ticket: &TicketId, text: &str) -> BTreeMap<String, String> {
    from_json(|| format!("facts of a closed path of {desk}/{ticket}"), text).unwrap_or_default()
}
