//! Figures for health and metrics: counted, never kept.

use super::codec::instant;
use super::error::Result;
use super::open::Ledger;
use crate::policy::names::RuleName;
use handoffd_kit::id::{DeskId, StreamName};
use jiff::Timestamp;
use rusqlite::Row;
use std::collections::BTreeMap;

/// How much there is of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Looks waiting, due or not.
    pub looks: u32,
    /// When the longest waiting one became due.
    pub oldest_look: Option<Timestamp>,
    /// Effects by state.
    pub effects: BTreeMap<String, u32>,
    /// When the longest waiting effect became due.
    pub oldest_effect: Option<Timestamp>,
    /// Handoffs by state and rule.
    pub handoffs: BTreeMap<(String, String), u32>,
    /// Effects that wait for a person, by desk and rule, with the instant the oldest one's handoff was decided.
    pub parked: BTreeMap<(DeskId, RuleName), (u32, Timestamp)>,
    /// Cases in trouble that are listed, by desk, with the instant the oldest of it began.
    pub case_troubles: BTreeMap<DeskId, (u32, Timestamp)>,
    /// Cases that wait for a place in the hour, by desk and rule.
    pub place_waits: BTreeMap<(DeskId, RuleName), u32>,
    /// Handoffs whose owner is not whom the rule names first, by rule.
    pub fell_back: BTreeMap<RuleName, u32>,
    /// Effects that are due and held by a pause.
    pub paused: u32,
    /// Webhooks stored.
    pub webhooks: u32,
    /// Cases that rules would act on and may not.
    pub would: u32,
    /// Open cases that were not yet looked at under the policy that runs.
    pub stocktaking: u32,
    /// When each stream was last read.
    pub polled: BTreeMap<(DeskId, StreamName), Timestamp>,
}

/// Effects that nothing but a kill switch holds back.
const PAUSED: &str = "SELECT count(*) FROM effects e JOIN handoffs h ON h.id = e.handoff WHERE e.state = 'due'
    AND EXISTS (SELECT 1 FROM switches s WHERE s.kind = 'all' OR (s.kind = 'desk' AND s.name = e.desk)
                OR (s.kind = 'rule' AND s.name = h.rule AND h.state <> 'undone'))";

impl Ledger {
    /// How many cases have been looked at.
    ///
    /// # Errors
    /// SQLite's.
    pub fn cases_seen(&self) -> Result<usize> {
        let seen: u32 = self.connection.query_row("SELECT count(*) FROM cases", [], |row| row.get(0))?;
        Ok(usize::try_from(seen).unwrap_or(usize::MAX))
    }

    /// How much there is of everything.
    ///
    /// # Errors
    /// SQLite's.
    pub fn counts(&self) -> Result<Counts> {
        let one = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, u32>(0));
        let oldest = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        let mut counts = Counts {
            looks: one("SELECT count(*) FROM looks")?,
            oldest_look: oldest("SELECT min(due) FROM looks")?.map(instant),
            oldest_effect: oldest("SELECT min(due) FROM effects")?.map(instant),
            webhooks: one("SELECT count(*) FROM webhooks")?,
            would: one("SELECT count(*) FROM would WHERE released = 0")?,
            stocktaking: one("SELECT count(*) FROM stocktaking")?,
            paused: one(PAUSED)?,
            ..Counts::default()
        };
        let mut statement = self.connection.prepare_cached("SELECT state, count(*) FROM effects GROUP BY state")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        counts.effects = rows.collect::<rusqlite::Result<_>>()?;
        let mut statement =
            self.connection.prepare_cached("SELECT state, rule, count(*) FROM handoffs GROUP BY state, rule")?;
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
        counts.handoffs = rows.collect::<rusqlite::Result<_>>()?;
        counts.parked = self.count_parked()?;
        for trouble in self.case_troubles()? {
            let (count, since) = counts.case_troubles.entry(trouble.desk).or_insert((0, trouble.since));
            *count += 1;
            *since = trouble.since.min(*since);
        }
        counts.place_waits = self.count_place_waits()?;
        counts.fell_back = self.count_fallbacks()?;
        let mut statement = self.connection.prepare_cached("SELECT desk, stream, at FROM cursors")?;
        let rows = statement.query_map([], |row| {
            let key = (DeskId::new(row.get::<_, String>(0)?), StreamName::new(row.get::<_, String>(1)?));
            Ok((key, instant(row.get(2)?)))
        })?;
        counts.polled = rows.collect::<rusqlite::Result<_>>()?;
        Ok(counts)
    }

    fn count_fallbacks(&self) -> Result<BTreeMap<RuleName, u32>> {
        let mut statement =
            self.connection.prepare_cached("SELECT rule, count(*) FROM handoffs WHERE fell_back <> 0 GROUP BY rule")?;
        let rows = statement.query_map([], |row| Ok((RuleName::new(row.get::<_, String>(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn count_place_waits(&self) -> Result<BTreeMap<(DeskId, RuleName), u32>> {
        let mut statement =
            self.connection.prepare_cached("SELECT desk, rule, count(*) FROM place_waits GROUP BY desk, rule")?;
        let rows = statement.query_map([], |row| Ok((desk_and_rule(row)?, row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn count_parked(&self) -> Result<BTreeMap<(DeskId, RuleName), (u32, Timestamp)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT e.desk, coalesce(h.rule, 'command'), count(*), min(coalesce(h.created_at, e.deadline))
             FROM effects e LEFT JOIN handoffs h ON h.id = e.handoff
             WHERE e.state = 'parked' GROUP BY e.desk, coalesce(h.rule, 'command')",
        )?;
        let rows = statement.query_map([], |row| Ok((desk_and_rule(row)?, (row.get(2)?, instant(row.get(3)?)))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn desk_and_rule(row: &Row<'_>) -> rusqlite::Result<(DeskId, RuleName)> {
    Ok((DeskId::new(row.get::<_, String>(0)?), RuleName::new(row.get::<_, String>(1)?)))
}
