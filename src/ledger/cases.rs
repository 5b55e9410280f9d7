//! What the ledger knows of a case, put together for `decide`, and what one finished look changes, in one transaction.

use super::codec::{from_json, instant, json, millis, pack, unreadable};
use super::error::Result;
use super::open::Ledger;
use super::records::{CaseRecord, CaseUpdate, StayChange};
use crate::policy::case::{ClosedPath, Fired, Memory, OpenHandoff, Recent, Stay, SwitchedOff};
use crate::policy::names::{RuleName, TeamName};
use handoffd_kit::id::{DeskId, TicketId, Version};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Verdicts kept for each case, besides those of the retention time.
const VERDICTS: u32 = 20;

impl Ledger {
    /// What the ledger knows of a case; a case it never met is all defaults.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn case(&self, desk: &DeskId, ticket: &TicketId, now: Timestamp) -> Result<CaseRecord> {
        let handoff = self.latest_handoff(desk, ticket)?;
        let mut memory = self.memory(desk, ticket, now)?;
        memory.open = handoff.as_ref().filter(|handoff| handoff.state.is_open()).map(|handoff| OpenHandoff {
            id: handoff.id.clone(),
            rule: handoff.proposal.rule.clone(),
            to: handoff.proposal.to.clone(),
            facts: handoff.proposal.facts_hash.clone(),
            sent: handoff.has_sent(),
        });
        let mut statement = self
            .connection
            .prepare_cached("SELECT first_seen, last_version, own_version FROM cases WHERE desk = ? AND ticket = ?")?;
        let row = statement
            .query_row([desk.as_str(), ticket.as_str()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, Option<String>>(2)?))
            })
            .optional()?;
        let (first_seen, last, own) = row.map_or((None, None, None), |(seen, last, own)| (Some(seen), last, own));
        Ok(CaseRecord {
            memory,
            handoff,
            last_version: last.map(Version::new),
            own_version: own.map(Version::new),
            ended: self.ended_handoffs(desk, ticket)?,
            first_seen: first_seen.map(instant),
        })
    }

    fn memory(&self, desk: &DeskId, ticket: &TicketId, now: Timestamp) -> Result<Memory> {
        let stays = self.stays(desk, ticket)?;
        let present = stays.last().and_then(|change| change.stay.clone());
        let teams: Vec<Option<&TeamName>> =
            stays.iter().map(|change| change.stay.as_ref().map(|stay| &stay.team)).collect();
        let episode = present.as_ref().map_or("intake", |stay| stay.episode.as_str());
        let (held, released) = self.held(desk, ticket, episode)?;
        let (counts, last_public) = self.case_flags(desk, ticket)?;
        let (handoffs, hops_today) = self.own_moves(desk, ticket, now)?;
        Ok(Memory {
            counts,
            teams_seen: teams.iter().flatten().map(|team| (*team).clone()).collect(),
            fired: self.fired(desk, ticket)?,
            closed_paths: self.closed_paths(desk, ticket)?,
            held,
            released,
            open: None,
            hops_today,
            handoffs,
            hops: u32::try_from(teams.iter().flatten().count().saturating_sub(1)).unwrap_or(u32::MAX),
            bounces: bounces(&teams),
            returns: returns(&teams),
            last_public_message: last_public.map(instant),
            recent: self.recent(desk, now)?,
            switched_off: self.switched_off(desk)?,
            stay: present,
        })
    }

    fn stays(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<StayChange>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT team, episode, since, by_handoff, by FROM stays WHERE desk = ? AND ticket = ? ORDER BY id",
        )?;
        let rows = statement.query_map([desk.as_str(), ticket.as_str()], |row| {
            let (team, episode): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
            let since = instant(row.get(2)?);
            let stay = team.zip(episode).map(|(team, episode)| Stay { team: TeamName::new(team), episode, since });
            Ok(StayChange { stay, by_handoff: row.get(3)?, by: row.get(4)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn case_flags(&self, desk: &DeskId, ticket: &TicketId) -> Result<(bool, Option<i64>)> {
        let mut statement =
            self.connection.prepare_cached("SELECT counts, last_public FROM cases WHERE desk = ? AND ticket = ?")?;
        let flags = statement.query_row([desk.as_str(), ticket.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(flags.optional()?.unwrap_or((false, None)))
    }

    fn own_moves(&self, desk: &DeskId, ticket: &TicketId, now: Timestamp) -> Result<(u32, u32)> {
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE created_at > ?3) FROM handoffs
             WHERE desk = ?1 AND ticket = ?2 AND state NOT IN ('withdrawn', 'rejected', 'in_review', 'asking')",
        )?;
        Ok(statement.query_row(params![desk.as_str(), ticket.as_str(), millis(now - DAY)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?)
    }

    fn fired(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<Fired>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT rule, episode FROM handoffs WHERE desk = ? AND ticket = ? AND state <> 'withdrawn'",
        )?;
        let rows = statement.query_map([desk.as_str(), ticket.as_str()], |row| {
            Ok(Fired { rule: RuleName::new(row.get::<_, String>(0)?), episode: row.get(1)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn closed_paths(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<ClosedPath>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT from_team, to_team, facts, why FROM closed_paths WHERE desk = ? AND ticket = ? ORDER BY at",
        )?;
        let mut rows = statement.query([desk.as_str(), ticket.as_str()])?;
        let mut paths = Vec::new();
        while let Some(row) = rows.next()? {
            let (from, why): (String, String) = (row.get(0)?, row.get(3)?);
            paths.push(ClosedPath {
                from: (!from.is_empty()).then(|| TeamName::new(from)),
                to: TeamName::new(row.get::<_, String>(1)?),
                facts: row.get(2)?,
                why: from_json(|| format!("closed path of {desk}/{ticket}"), &why)?,
            });
        }
        Ok(paths)
    }

    /// Handoffs of the last hour on a desk: what the limits count.
    ///
    /// # Errors
    /// SQLite's.
    pub fn recent(&self, desk: &DeskId, now: Timestamp) -> Result<Recent> {
        // A review counts when it is approved, not when it is asked for.
        let mut statement = self.connection.prepare_cached(
            "SELECT rule, count(*), min(created_at) FROM handoffs
             WHERE desk = ? AND created_at > ? AND state NOT IN ('withdrawn', 'in_review', 'asking') GROUP BY rule",
        )?;
        let mut rows = statement.query(params![desk.as_str(), millis(now - HOUR)])?;
        let mut recent = Recent::default();
        while let Some(row) = rows.next()? {
            let count: u32 = row.get(1)?;
            recent.by_rule.insert(RuleName::new(row.get::<_, String>(0)?), count);
            recent.on_desk += count;
            let free = instant(row.get(2)?) + HOUR;
            recent.next_free = Some(recent.next_free.map_or(free, |known| known.min(free)));
        }
        Ok(recent)
    }

    fn switched_off(&self, desk: &DeskId) -> Result<SwitchedOff> {
        let mut off = SwitchedOff::default();
        for (switch, _, _) in self.switches()? {
            match switch {
                super::records::Switch::All => off.all = true,
                super::records::Switch::Desk(paused) => off.all |= &paused == desk,
                super::records::Switch::Rule(rule) => off.rules.push(rule),
            }
        }
        Ok(off)
    }

    /// Records all that one finished look found and decided.
    ///
    /// # Errors
    /// SQLite's, or a step that a handoff does not have.
    pub fn record_case(&mut self, update: &CaseUpdate) -> Result<()> {
        let key = (update.desk.as_str(), update.ticket.as_str());
        self.connection
            .prepare_cached(
                "INSERT INTO cases (desk, ticket, first_seen, counts, last_version) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (desk, ticket) DO UPDATE SET counts = max(counts, excluded.counts),
                     last_version = coalesce(excluded.last_version, last_version)",
            )?
            .execute(params![
                key.0,
                key.1,
                millis(update.at),
                update.counts,
                update.version.as_ref().map(Version::as_str)
            ])?;
        if !update.raw.is_empty() {
            self.connection
                .prepare_cached("INSERT INTO raws (desk, ticket, at, body) VALUES (?, ?, ?, ?)")?
                .execute(params![key.0, key.1, millis(update.at), pack(update.raw.as_bytes())?])?;
        }
        for stay in &update.stays {
            self.add_stay(&update.desk, &update.ticket, stay, update.at)?;
        }
        for path in &update.close_paths {
            self.close_path(&update.desk, &update.ticket, path, update.at)?;
        }
        for happening in &update.handoff_events {
            self.happen(happening, update.at)?;
        }
        self.record_would(update)?;
        if let Some(handoff) = &update.handoff {
            self.start_handoff(handoff, update.at)?;
        }
        self.record_verdict(update)?;
        if let Some(generation) = update.generation {
            self.clear_look(&update.desk, &update.ticket, generation)?;
        }
        match update.look_again {
            Some(again) => self.wait_to_look(&update.desk, &update.ticket, again),
            None => Ok(()),
        }
    }

    fn add_stay(&mut self, desk: &DeskId, ticket: &TicketId, change: &StayChange, now: Timestamp) -> Result<()> {
        let (team, episode) = match &change.stay {
            Some(stay) => (Some(stay.team.as_str()), Some(stay.episode.as_str())),
            None => (None, None),
        };
        let since = millis(change.stay.as_ref().map_or(now, |stay| stay.since));
        let refined = self
            .connection
            .prepare_cached(
                "UPDATE stays SET episode = ?1, since = ?2, by_handoff = ?3, by = ?4
                 WHERE id = (SELECT max(id) FROM stays WHERE desk = ?5 AND ticket = ?6) AND team = ?7 AND episode LIKE '~%'",
            )?
            .execute(params![episode, since, change.by_handoff, change.by, desk.as_str(), ticket.as_str(), team])?;
        if refined == 0 {
            self.connection
                .prepare_cached(
                    "INSERT INTO stays (desk, ticket, team, episode, since, by_handoff, by) VALUES (?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![desk.as_str(), ticket.as_str(), team, episode, since, change.by_handoff, change.by])?;
        }
        Ok(())
    }

    pub(super) fn close_path(
        &mut self,
        desk: &DeskId,
        ticket: &TicketId,
        path: &ClosedPath,
        now: Timestamp,
    ) -> Result<()> {
        let from = path.from.as_ref().map_or("", TeamName::as_str);
        let why = json("closed path", &path.why)?;
        self.connection.execute(
            "INSERT OR REPLACE INTO closed_paths (desk, ticket, from_team, to_team, facts, why, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![desk.as_str(), ticket.as_str(), from, path.to.as_str(), path.facts, why, millis(now)],
        )?;
        Ok(())
    }

    fn record_verdict(&mut self, update: &CaseUpdate) -> Result<()> {
        let Some(verdict) = &update.verdict else { return Ok(()) };
        let policy = verdict.trace.first().map_or("", |trace| trace.version.as_str());
        let key = [update.desk.as_str(), update.ticket.as_str()];
        self.connection
            .prepare_cached("INSERT INTO verdicts (desk, ticket, at, policy, verdict) VALUES (?, ?, ?, ?, ?)")?
            .execute(params![key[0], key[1], millis(update.at), policy, json("verdict", verdict)?])?;
        self.connection
            .prepare_cached(
                "DELETE FROM verdicts WHERE desk = ?1 AND ticket = ?2 AND id <=
                     (SELECT id FROM verdicts WHERE desk = ?1 AND ticket = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
            )?
            .execute(params![key[0], key[1], VERDICTS])?;
        Ok(())
    }

    /// The latest verdict on a case, with its instant.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn last_verdict(&self, desk: &DeskId, ticket: &TicketId) -> Result<Option<(Timestamp, serde_json::Value)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, verdict FROM verdicts WHERE desk = ? AND ticket = ? ORDER BY id DESC LIMIT 1",
        )?;
        let row = statement
            .query_row([desk.as_str(), ticket.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        row.map(|(at, text)| {
            let verdict = serde_json::from_str(&text).map_err(|error| unreadable("verdict", &error))?;
            Ok((instant(at), verdict))
        })
        .transpose()
    }
}

/// The stay right after the receiving team's is the giving team again.
fn bounces(teams: &[Option<&TeamName>]) -> u32 {
    let bounced = teams.windows(3).filter(|stay| stay[0].is_some() && stay[0] == stay[2] && stay[1] != stay[0]);
    u32::try_from(bounced.count()).unwrap_or(u32::MAX)
}

/// Any later stay of a team that had the case before.
fn returns(teams: &[Option<&TeamName>]) -> u32 {
    let again = |(at, team): &(usize, &Option<&TeamName>)| {
        team.is_some() && *at > 0 && teams[*at - 1] != **team && teams[..*at].contains(team)
    };
    u32::try_from(teams.iter().enumerate().filter(again).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bounce_is_a_return_and_not_every_return_a_bounce() {
        let [a, b, c] = ["a", "b", "c"].map(TeamName::from);
        let there_and_back = [Some(&a), Some(&b), Some(&a)];
        assert_eq!((bounces(&there_and_back), returns(&there_and_back)), (1, 1));
        let around = [Some(&a), Some(&b), Some(&c), Some(&a)];
        assert_eq!((bounces(&around), returns(&around)), (0, 1));
        assert_eq!((bounces(&[None, Some(&a), None]), returns(&[None, Some(&a), None])), (0, 0));
    }
}
