//! Figures for health and metrics: counted, never kept.

use super::codec::{instant, millis};
use super::effects::{WAITING, held_by_pause};
use super::error::Result;
use super::open::Ledger;
use super::records::Busy;
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
    /// Effects that were tried and are to be tried or looked up again, by desk, with the instant of the oldest one's first try.
    pub tried: BTreeMap<DeskId, (u32, Timestamp)>,
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
    /// Handoffs that nobody of the receiving team has claimed in time, by rule, with the instant of the oldest.
    pub unclaimed: BTreeMap<RuleName, (u32, Timestamp)>,
    /// Reviews that nobody has answered in time, by rule, with the instant the oldest should have been.
    pub reviews_late: BTreeMap<RuleName, (u32, Timestamp)>,
    /// Cases whose owner is gone, by desk, with the instant since when the oldest of them is known.
    pub lost_owners: BTreeMap<DeskId, (u32, Timestamp)>,
    /// Tasks of agents before whose time is over.
    pub overdue_tasks: u32,
    /// Effects that are due and held by a pause.
    pub paused: u32,
    /// Webhooks stored.
    pub webhooks: u32,
    /// Cases that rules would act on and may not.
    pub would: u32,
    /// Open cases that were not yet looked at under the policy that runs.
    pub stocktaking: u32,
    /// Cases that routes brought to a team they soon left, by rule.
    pub weak_triage: BTreeMap<RuleName, u32>,
    /// When each stream was last read.
    pub polled: BTreeMap<(DeskId, StreamName), Timestamp>,
}

/// What the schema's triggers keep count of: of what, in which state, of which rule.
type Tallies = BTreeMap<(String, String, String), u32>;

const TALLIES: &str = "SELECT of, state, rule, count FROM tallies WHERE count <> 0";

/// When the longest waiting effect of a desk became due.
const OLDEST_EFFECT: &str = "SELECT min(due) FROM effects INDEXED BY effects_due WHERE desk = ? AND due IS NOT NULL";

const TRIED: &str = "SELECT desk, count(*), min(tried_at) FROM effects INDEXED BY effects_tried
    WHERE tried_at IS NOT NULL AND due IS NOT NULL GROUP BY desk";

const PARKED: &str = "SELECT e.desk, coalesce(h.rule, 'command'), count(*), min(coalesce(h.created_at, e.deadline))
    FROM effects e INDEXED BY effects_state LEFT JOIN handoffs h ON h.id = e.handoff
    WHERE e.state = 'parked' GROUP BY e.desk, coalesce(h.rule, 'command')";

/// Handoffs that nobody has claimed in time.
const UNCLAIMED: &str = "SELECT rule, count(*), min(claim_due) FROM handoffs INDEXED BY handoffs_claim
    WHERE claim_due <= ? GROUP BY rule";

/// Reviews that nobody has answered in time.
const REVIEWS_LATE: &str = "SELECT rule, count(*), min(review_due) FROM handoffs INDEXED BY handoffs_review
    WHERE state = 'in_review' AND review_due <= ? GROUP BY rule";

const OVERDUE_TASKS: &str = "SELECT count(*) FROM tasks INDEXED BY tasks_due WHERE done_at IS NULL AND until <= ?";

impl Ledger {
    /// How many cases have been looked at.
    ///
    /// # Errors
    /// SQLite's.
    pub fn cases_seen(&self) -> Result<usize> {
        let seen: u32 = self.connection.query_row("SELECT count(*) FROM cases", [], |row| row.get(0))?;
        Ok(usize::try_from(seen).unwrap_or(usize::MAX))
    }

    /// What is kept count of.
    pub(super) fn tallies(&self) -> Result<Tallies> {
        let mut statement = self.connection.prepare_cached(TALLIES)?;
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What [`Ledger::tallies`] must be, counted row by row.
    pub(super) fn counted_anew(&self) -> Result<Tallies> {
        let mut statement = self.connection.prepare(
            "SELECT 'handoffs', state, rule, count(*) FROM handoffs GROUP BY state, rule
             UNION ALL SELECT 'fallbacks', '', rule, count(*) FROM handoffs WHERE fell_back <> 0 GROUP BY rule
             UNION ALL SELECT 'weak_triage', '', rule, count(*) FROM handoffs WHERE weak_triage_at IS NOT NULL GROUP BY rule
             UNION ALL SELECT 'effects', state, '', count(*) FROM effects GROUP BY state
             UNION ALL SELECT 'alerts', state, channel, count(*) FROM alerts GROUP BY state, channel
             UNION ALL SELECT 'looks', '', '', count(*) FROM looks HAVING count(*) > 0
             UNION ALL SELECT 'webhooks', '', '', count(*) FROM webhooks HAVING count(*) > 0
             UNION ALL SELECT 'would', CAST(released AS TEXT), '', count(*) FROM would GROUP BY released",
        )?;
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How much there is of everything. Nothing here walks through what is over: the ledger's thread waits for it.
    ///
    /// # Errors
    /// SQLite's.
    pub fn counts(&self, now: Timestamp) -> Result<Counts> {
        self.counts_among(&Busy::default(), now)
    }

    /// The same, where what is late or was tried counts only of desks for which something may be taken.
    ///
    /// # Errors
    /// SQLite's.
    pub fn counts_among(&self, busy: &Busy, now: Timestamp) -> Result<Counts> {
        let stocktaking = self.connection.query_row("SELECT count(*) FROM stocktaking", [], |row| row.get(0))?;
        let mut counts = Counts { oldest_look: self.next_look_due(busy)?, stocktaking, ..Counts::default() };
        for ((of, state, rule), count) in self.tallies()? {
            match of.as_str() {
                "handoffs" => drop(counts.handoffs.insert((state, rule), count)),
                "effects" => drop(counts.effects.insert(state, count)),
                "looks" => counts.looks = count,
                "webhooks" => counts.webhooks = count,
                "would" if state == "0" => counts.would = count,
                "weak_triage" => drop(counts.weak_triage.insert(RuleName::new(rule), count)),
                "fallbacks" => drop(counts.fell_back.insert(RuleName::new(rule), count)),
                _ => {}
            }
        }
        if !self.switches()?.is_empty() {
            counts.paused = self.connection.prepare_cached(&held_by_pause())?.query_row([], |row| row.get(0))?;
        }
        for desk in self.desks_that_wait(WAITING, busy)? {
            let mut statement = self.connection.prepare_cached(OLDEST_EFFECT)?;
            let due: Option<i64> = statement.query_row([desk.as_str()], |row| row.get(0))?;
            counts.oldest_effect = counts.oldest_effect.into_iter().chain(due.map(instant)).min();
        }
        counts.parked = self.count_parked()?;
        counts.tried = self.count_tried()?;
        counts.tried.retain(|desk, _| busy.lets(desk));
        for trouble in self.case_troubles()? {
            let (count, since) = counts.case_troubles.entry(trouble.desk).or_insert((0, trouble.since));
            *count += 1;
            *since = trouble.since.min(*since);
        }
        counts.place_waits = self.count_place_waits()?;
        counts.unclaimed = self.count_late(UNCLAIMED, now)?;
        counts.reviews_late = self.count_late(REVIEWS_LATE, now)?;
        for lost in self.lost_owners()? {
            let (count, since) = counts.lost_owners.entry(lost.desk).or_insert((0, lost.since));
            *count += 1;
            *since = lost.since.min(*since);
        }
        counts.overdue_tasks = self.connection.query_row(OVERDUE_TASKS, [millis(now)], |row| row.get(0))?;
        counts.polled = self.polled()?;
        Ok(counts)
    }

    /// When each stream was last read.
    ///
    /// # Errors
    /// SQLite's.
    pub fn polled(&self) -> Result<BTreeMap<(DeskId, StreamName), Timestamp>> {
        let mut statement = self.connection.prepare_cached("SELECT desk, stream, at FROM cursors")?;
        let rows = statement.query_map([], |row| {
            let key = (DeskId::new(row.get::<_, String>(0)?), StreamName::new(row.get::<_, String>(1)?));
            Ok((key, instant(row.get(2)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn count_late(&self, sql: &str, now: Timestamp) -> Result<BTreeMap<RuleName, (u32, Timestamp)>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([millis(now)], |row| {
            Ok((RuleName::new(row.get::<_, String>(0)?), (row.get(1)?, instant(row.get(2)?))))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn count_place_waits(&self) -> Result<BTreeMap<(DeskId, RuleName), u32>> {
        let mut statement =
            self.connection.prepare_cached("SELECT desk, rule, count(*) FROM place_waits GROUP BY desk, rule")?;
        let rows = statement.query_map([], |row| Ok((desk_and_rule(row)?, row.get(2)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn count_tried(&self) -> Result<BTreeMap<DeskId, (u32, Timestamp)>> {
        let mut statement = self.connection.prepare_cached(TRIED)?;
        let rows = statement
            .query_map([], |row| Ok((DeskId::new(row.get::<_, String>(0)?), (row.get(1)?, instant(row.get(2)?)))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn count_parked(&self) -> Result<BTreeMap<(DeskId, RuleName), (u32, Timestamp)>> {
        let mut statement = self.connection.prepare_cached(PARKED)?;
        let rows = statement.query_map([], |row| Ok((desk_and_rule(row)?, (row.get(2)?, instant(row.get(3)?)))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn desk_and_rule(row: &Row<'_>) -> rusqlite::Result<(DeskId, RuleName)> {
    Ok((DeskId::new(row.get::<_, String>(0)?), RuleName::new(row.get::<_, String>(1)?)))
}

#[cfg(test)]
mod tests {
    use super::super::alerts::sending::{claimable as claimable_alert, next_due_alert};
    use super::super::effects::{claimable, unsure};
    use super::super::looks::{DUE_ON_DESK, LOOKED_AT, each_desk};
    use super::super::records::Switch;
    use super::super::samples::{accepted, act, at, claim, decide, ledger, look, sending, webhook};
    use super::*;

    #[test]
    fn what_is_asked_often_walks_through_no_table_that_grows() {
        let ledger = ledger();
        let asked = [
            TALLIES.to_owned(),
            PARKED.to_owned(),
            OLDEST_EFFECT.to_owned(),
            DUE_ON_DESK.to_owned(),
            held_by_pause(),
            UNCLAIMED.to_owned(),
            OVERDUE_TASKS.to_owned(),
            unsure("ORDER BY e.deadline, e.id"),
            claimable("effects_deadline", "ORDER BY e.deadline, e.id"),
            claimable("effects_due", "ORDER BY e.due, e.id"),
            each_desk(LOOKED_AT),
            each_desk(WAITING),
            claimable_alert(),
            next_due_alert(),
        ];
        for sql in asked {
            let plan = ledger.plan(&sql);
            let grows = [
                "looks", "handoffs", "effects", "webhooks", "would", "cases", "tasks", "owners", "e", "h", "b", "w",
                "o", "a", "alerts",
            ];
            let walks = |line: &&String| {
                let table = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
                table.is_some_and(|table| grows.contains(&table))
            };
            assert_eq!(plan.iter().find(walks), None, "{sql}: {plan:?}");
            let sorts = plan.iter().any(|line| line.contains("TEMP B-TREE FOR ORDER BY"));
            assert!(!sorts, "{sql}: {plan:?}");
        }
    }

    #[test]
    fn one_word_says_what_a_pause_holds_for_claims_and_for_counts() {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        for delivery in ["d", "e", "d"] {
            ledger.note_webhook(&webhook("acme", Some(delivery), "{}", &["2"], at(1))).expect("hook");
        }
        ledger.note_looks(&"acme".into(), &[look("1", at(3))]).expect("noted");
        assert_eq!(ledger.counts(at(9)).expect("counted").paused, 0);
        ledger.set_switch(&Switch::Rule("refund".into()), true, &act(at(1))).expect("paused");
        let counts = ledger.counts(at(9)).expect("counted");
        assert_eq!((counts.paused, claim(&mut ledger, at(2))), (1, None), "the message waits for the transfer");
        assert_eq!((counts.looks, counts.webhooks, counts.effects["due"]), (2, 2, 2));
        assert_eq!((counts.oldest_look, counts.oldest_effect), (Some(at(1)), Some(at(0))));
        ledger.set_switch(&Switch::Rule("refund".into()), false, &act(at(2))).expect("resumed");
        let transfer = claim(&mut ledger, at(2)).expect("transfer");
        ledger.record_outcome(&accepted(&transfer, "v2", at(2))).expect("recorded");
        let mut back = crate::ledger::samples::planned("h1", "1", "v2");
        back.truncate(1);
        back[0].number = 70;
        ledger.record_undo("h1", &back, &act(at(3))).expect("undone");
        ledger.set_switch(&Switch::Rule("refund".into()), true, &act(at(3))).expect("paused");
        assert_eq!(ledger.counts(at(9)).expect("counted").paused, 0, "a paused rule's handoffs can still be undone");
        assert_eq!(claim(&mut ledger, at(4)).map(|claimed| claimed.effect.number), Some(70));
    }
}
