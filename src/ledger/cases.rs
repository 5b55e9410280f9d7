//! What the ledger knows of a case, put together for `decide`.

use super::codec::{instant, millis};
use super::error::{LedgerError, Result};
use super::handoffs::may_have_moved;
use super::open::Ledger;
use super::records::{CaseRecord, HandoffRecord, StayChange, Switch};
use super::stays::figures;
use crate::policy::INTAKE;
use crate::policy::case::{Asked, Fired, Memory, OpenHandoff, SwitchedOff};
use crate::policy::names::RuleName;
use handoffd_kit::id::{DeskId, TicketId, Version};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Ledger {
    /// What the ledger knows of a case; a case it never met is all defaults.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn case(&self, desk: &DeskId, ticket: &TicketId, now: Timestamp) -> Result<CaseRecord> {
        let handoff = self.latest_handoff(desk, ticket)?;
        let memory = self.memory(desk, ticket, handoff.as_ref(), now)?;
        let writes_pending = !memory.closed_paths.is_empty() && self.writes_pending(desk, ticket)?;
        let came_by = self.came_by(desk, ticket, handoff.as_ref())?;
        let mut statement = self.connection.prepare_cached(
            "SELECT first_seen, last_version, own_version, own_written_at, ended_at FROM cases WHERE desk = ? AND ticket = ?",
        )?;
        let row = statement.query_row([desk.as_str(), ticket.as_str()], |row| {
            let version = |at: usize| row.get::<_, Option<String>>(at).map(|version| version.map(Version::new));
            let at = |at: usize| row.get::<_, Option<i64>>(at).map(|at| at.map(instant));
            Ok((at(0)?, version(1)?, version(2)?, at(3)?, at(4)?))
        });
        let (first_seen, last_version, own_version, own_written_at, ended_at) = row.optional()?.unwrap_or_default();
        Ok(CaseRecord {
            taken_away: self.taken_away(desk, ticket, memory.stay.as_ref().map(|stay| stay.episode.as_str()))?,
            memory,
            writes_pending,
            came_by,
            heard: self.heard_before(desk, ticket)?,
            pause: self.pause_of(desk, ticket)?,
            handoff,
            last_version,
            own_version,
            own_written_at,
            ended: self.ended_handoffs(desk, ticket)?,
            known: self.handoff_ids(desk, ticket)?,
            arrived: self.arrived(desk, ticket)?,
            first_seen,
            ended_at,
            owner: self.owner_known(desk, ticket)?,
            stopped: self.stopped_halfway(desk, ticket)?.map(Box::new),
            tasks: self.open_tasks(desk, ticket)?,
        })
    }

    fn memory(
        &self,
        desk: &DeskId,
        ticket: &TicketId,
        handoff: Option<&HandoffRecord>,
        now: Timestamp,
    ) -> Result<Memory> {
        let open = handoff.filter(|handoff| handoff.state.is_open());
        let stays = self.stays(desk, ticket)?;
        let present = stays.last().and_then(|change| change.stay.clone());
        let backs = self.backs(desk, ticket)?;
        let back = |change: &StayChange| change.by_handoff.as_ref().is_some_and(|by| backs.contains(by));
        let figures = figures(stays.iter().map(|change| (change.stay.as_ref().map(|stay| &stay.team), back(change))));
        let episode = present.as_ref().map_or(INTAKE, |stay| stay.episode.as_str());
        let (held, mut released) = self.held(desk, ticket, episode)?;
        if let Some(open) = open
            && self.is_let_through(open)?
        {
            released.push(open.proposal.rule.clone());
        }
        let (counts, last_public) = self.case_flags(desk, ticket)?;
        let (handoffs, hops_today) = self.own_moves(desk, ticket, now)?;
        let deciding = open.filter(|open| !open.has_sent()).map(|open| open.id.as_str());
        Ok(Memory {
            counts,
            internal_until: handoff.and_then(|handoff| internal_target(handoff, stays.last())),
            paused_until: None,
            begun: None,
            begun_as: None,
            chosen: None,
            in_review: Vec::new(),
            asking: None,
            teams_seen: figures.teams_seen,
            fired: self.fired(desk, ticket)?,
            closed_paths: self.closed_paths(desk, ticket)?,
            held,
            arrived: Vec::new(),
            released,
            asked: self.asked(desk, ticket)?,
            open: open.map(|handoff| OpenHandoff {
                id: handoff.id.clone(),
                rule: handoff.proposal.rule.clone(),
                to: handoff.proposal.to.clone(),
                facts: handoff.proposal.facts_hash.clone(),
                missing: handoff.proposal.missing().to_vec(),
                sent: handoff.has_sent(),
            }),
            request: self.request(desk, ticket, open)?,
            hops_today,
            handoffs,
            hops: figures.hops,
            bounces: figures.bounces,
            returns: figures.returns,
            last_public_message: last_public.map(instant),
            told_elsewhere: None,
            recent: self.recent_for(desk, ticket, now, deciding)?,
            signed_rules: self.signed_rules()?,
            switched_off: self.switched_off(desk)?,
            queues_gone: self.queues_gone(desk)?,
            stay: present,
        })
    }

    /// Whether a person approved or released this handoff: it stays so when it is decided anew.
    fn is_let_through(&self, handoff: &HandoffRecord) -> Result<bool> {
        let mut statement = self.connection.prepare_cached("SELECT released FROM handoffs WHERE id = ?")?;
        let released: bool = statement.query_row([&handoff.id], |row| row.get(0))?;
        Ok(released || handoff.approved_by.is_some())
    }

    fn case_flags(&self, desk: &DeskId, ticket: &TicketId) -> Result<(bool, Option<i64>)> {
        let mut statement =
            self.connection.prepare_cached("SELECT counts, last_public FROM cases WHERE desk = ? AND ticket = ?")?;
        let flags = statement.query_row([desk.as_str(), ticket.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(flags.optional()?.unwrap_or((false, None)))
    }

    /// Our handoffs of this case that reached the desk, those that gave it back left out, and all of the last day.
    fn own_moves(&self, desk: &DeskId, ticket: &TicketId, now: Timestamp) -> Result<(u32, u32)> {
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) FILTER (WHERE kind <> 'back'), count(*) FILTER (WHERE first_sent_at > ?3) FROM handoffs
             WHERE desk = ?1 AND ticket = ?2 AND first_sent_at IS NOT NULL",
        )?;
        Ok(statement.query_row(params![desk.as_str(), ticket.as_str(), millis(now - DAY)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?)
    }

    /// A rule has fired where it has a handoff. One that was withdrawn before the case moved does not count, nor one to which a
    /// reviewer said no: where a person decided so its path is closed instead, and the rule acts again when a fact has
    /// changed. The note of a review that had gone stale hands nothing off.
    fn fired(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<Fired>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT rule, episode, id, state = 'withdrawn' FROM handoffs
             WHERE desk = ? AND ticket = ? AND (first_sent_at IS NOT NULL OR state <> 'withdrawn' AND NOT (state = 'rejected' AND EXISTS
                 (SELECT 1 FROM closed_paths c WHERE c.desk = handoffs.desk AND c.ticket = handoffs.ticket AND c.to_team = handoffs.to_team)))",
        )?;
        let mut rows = statement.query([desk.as_str(), ticket.as_str()])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let fired = Fired { rule: RuleName::new(row.get::<_, String>(0)?), episode: row.get(1)? };
            let counts = !row.get(3)? || self.may_have_moved_it(&row.get::<_, String>(2)?)?;
            if counts && !all.contains(&fired) {
                all.push(fired);
            }
        }
        Ok(all)
    }

    /// Whether a handoff has moved its case, or nobody can tell.
    fn may_have_moved_it(&self, id: &str) -> Result<bool> {
        match self.handoff(id) {
            Err(LedgerError::Unreadable { .. }) => Ok(true),
            handoff => Ok(handoff?.effects.iter().any(may_have_moved)),
        }
    }

    /// Where the current agent was asked for package parts. An asking that ended before anything of it reached the desk has
    /// asked nobody.
    fn asked(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<Asked>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT rule, episode, ask_until, state = 'asking' FROM handoffs
             WHERE desk = ? AND ticket = ? AND ask_until IS NOT NULL
               AND (state = 'asking' OR EXISTS (SELECT 1 FROM effects e WHERE e.handoff = handoffs.id
                    AND e.purpose = 'asking' AND e.state IN ('done', 'in_flight', 'unsure')))
             ORDER BY state = 'asking' DESC, rowid DESC",
        )?;
        let rows = statement.query_map([desk.as_str(), ticket.as_str()], |row| {
            let rule = RuleName::new(row.get::<_, String>(0)?);
            Ok(Asked { rule, episode: row.get(1)?, until: instant(row.get(2)?), open: row.get(3)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn switched_off(&self, desk: &DeskId) -> Result<SwitchedOff> {
        let mut off = SwitchedOff::default();
        for on in self.switches()? {
            match on.switch {
                Switch::All => off.all = true,
                Switch::Desk(paused) => off.all |= &paused == desk,
                Switch::Rule(rule) => off.rules.push(rule),
            }
        }
        Ok(off)
    }
}

/// The target that a handoff gave the team whose stay it opened.
fn internal_target(handoff: &HandoffRecord, present: Option<&StayChange>) -> Option<Timestamp> {
    let opened = present?.by_handoff.as_ref() == Some(&handoff.id);
    handoff.proposal.clock.internal_until.as_ref().filter(|_| opened).map(|until| until.at)
}
