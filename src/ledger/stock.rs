//! Taking stock: when the policy that runs is another one than before, every open case gets a look under it, a few at a
//! time. Without it an idle ticket would wait for somebody to touch it before a new rule on time could see it.
//!
//! A rule that has just gone live, or whose meaning has changed, acts on cases that match from then on. Those that match
//! when stock is taken are held, listed and released by a person; a case on which something changed meanwhile is decided
//! as ever.

use super::codec::{from_json, millis, unpack};
use super::error::Result;
use super::open::Ledger;
use super::policies::Kept;
use crate::policy::names::RuleName;
use crate::policy::verdict::{RuleResult, Verdict};
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// The policy that runs from now on, as far as stock is taken by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The version of the whole.
    pub version: String,
    /// The desks that it knows.
    pub desks: Vec<DeskId>,
    /// The rules that may write, each with what it means and for which share of tickets.
    pub live: Vec<(RuleName, String)>,
    /// What of it is kept, to tell later what changed.
    pub kept: Option<Kept>,
}

impl Ledger {
    /// Remembers which policy runs. Where it is another one than before, or other rules may write, every open case is noted
    /// to be looked at. Gives how many. The same policy a second time notes nothing.
    ///
    /// # Errors
    /// SQLite's.
    pub fn take_stock(&mut self, policy: &InForce, now: Timestamp) -> Result<usize> {
        self.atomically(|ledger| {
            ledger.note_policy(&policy.version, policy.kept.as_ref(), now)?;
            let arrived = ledger.note_live(policy, now)?;
            if ledger.policy_in_force()?.as_ref() == Some(&policy.version) && !arrived {
                return Ok(0);
            }
            ledger.connection.execute(
                "INSERT INTO policy_in_force (one, version, at) VALUES (1, ?1, ?2)
                 ON CONFLICT (one) DO UPDATE SET version = excluded.version, at = excluded.at",
                params![policy.version, millis(now)],
            )?;
            let mut noted = 0;
            for desk in &policy.desks {
                // One that was noted before and not looked at since has missed what arrived in between as well.
                noted += ledger.connection.execute(
                    "INSERT INTO stocktaking (desk, ticket, since, drawn)
                     SELECT desk, ticket, ?2, 0 FROM cases WHERE desk = ?1 AND ended_at IS NULL ORDER BY rowid
                     ON CONFLICT (desk, ticket) DO UPDATE SET drawn = 0",
                    params![desk.as_str(), millis(now)],
                )?;
            }
            Ok(noted)
        })
    }

    /// The version of the policy that runs; none: none has run yet.
    pub(super) fn policy_in_force(&self) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached("SELECT version FROM policy_in_force")?;
        Ok(statement.query_row([], |row| row.get(0)).optional()?)
    }

    /// Remembers which rules may write and since when; whether any is new among them.
    fn note_live(&mut self, policy: &InForce, now: Timestamp) -> Result<bool> {
        let names: Vec<&str> = policy.live.iter().map(|(rule, _)| rule.as_str()).collect();
        let names = serde_json::Value::from(names).to_string();
        self.connection
            .execute("DELETE FROM rules_live WHERE rule NOT IN (SELECT value FROM json_each(?))", [names])?;
        let mut arrived = false;
        for (rule, meaning) in &policy.live {
            let changed = self
                .connection
                .prepare_cached(
                    "INSERT INTO rules_live (rule, meaning, since) VALUES (?1, ?2, ?3)
                 ON CONFLICT (rule) DO UPDATE SET meaning = excluded.meaning, since = excluded.since
                 WHERE meaning <> excluded.meaning",
                )?
                .execute(params![rule.as_str(), meaning, millis(now)])?;
            arrived |= changed > 0;
        }
        Ok(arrived)
    }

    /// Notes looks at the next cases of a desk that wait for their look under the present policy, at most so many. Gives
    /// how many.
    ///
    /// # Errors
    /// SQLite's.
    pub fn draw_stock(&mut self, desk: &DeskId, most: u32, now: Timestamp) -> Result<usize> {
        self.atomically(|ledger| {
            let tickets: Vec<TicketId> = {
                let mut statement = ledger.connection.prepare_cached(
                    "SELECT ticket FROM stocktaking WHERE desk = ? AND drawn = 0 ORDER BY rowid LIMIT ?",
                )?;
                let rows = statement
                    .query_map(params![desk.as_str(), most], |row| row.get::<_, String>(0).map(TicketId::new))?;
                rows.collect::<rusqlite::Result<_>>()?
            };
            for ticket in &tickets {
                ledger.wait_to_look(desk, ticket, now)?;
                ledger
                    .connection
                    .prepare_cached("UPDATE stocktaking SET drawn = 1 WHERE desk = ? AND ticket = ?")?
                    .execute([desk.as_str(), ticket.as_str()])?;
            }
            Ok(tickets.len())
        })
    }

    /// The case was looked at under the present policy.
    pub(super) fn stock_taken(&mut self, desk: &DeskId, ticket: &TicketId) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM stocktaking WHERE desk = ? AND ticket = ?")?
            .execute([desk.as_str(), ticket.as_str()])?;
        Ok(())
    }

    /// The rules that went live since this case was last looked at; none where it has been looked at since. One that had
    /// matched already, and waited for a place, for an agent to finish or for the end of a pause, goes on as it was.
    pub(super) fn arrived(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<RuleName>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.rule FROM rules_live r JOIN stocktaking s ON r.since >= s.since WHERE s.desk = ? AND s.ticket = ?",
        )?;
        let rows =
            statement.query_map([desk.as_str(), ticket.as_str()], |row| row.get::<_, String>(0).map(RuleName::new))?;
        let mut arrived: Vec<RuleName> = rows.collect::<rusqlite::Result<_>>()?;
        if !arrived.is_empty() {
            let waits = self.was_about_to_act(desk, ticket)?;
            arrived.retain(|rule| !waits.contains(rule));
        }
        Ok(arrived)
    }

    /// The rules that matched at the last look and only waited, or had acted: a review that has ended since is asked anew.
    fn was_about_to_act(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<RuleName>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT verdict FROM verdicts WHERE desk = ? AND ticket = ? ORDER BY id DESC LIMIT 1")?;
        let packed: Option<Vec<u8>> =
            statement.query_row([desk.as_str(), ticket.as_str()], |row| row.get(0)).optional()?;
        let Some(packed) = packed else { return Ok(Vec::new()) };
        // One that cannot be read says nothing: then a person releases what would have gone on by itself.
        let text = unpack(&packed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let verdict = text.and_then(|text| from_json::<Verdict>(|| format!("verdict on {desk}/{ticket}"), &text).ok());
        let waits = |result: &RuleResult| {
            use RuleResult::{Agrees, Fires, OverLimit, Paused, PersonActive, PersonMayBeActive};
            matches!(result, Fires | Agrees | OverLimit | PersonActive(_) | PersonMayBeActive(_) | Paused)
        };
        Ok(verdict
            .map(|verdict| verdict.trace)
            .into_iter()
            .flatten()
            .filter(|trace| waits(&trace.result))
            .map(|trace| trace.rule)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::CaseUpdate;
    use super::super::samples::{at, ledger, looks_due, nothing_found};
    use super::*;
    use crate::policy::verdict::RuleTrace;

    fn in_force(version: &str, live: &[&str]) -> InForce {
        let live = live.iter().map(|rule| rule.split_once('@').expect("rule@meaning"));
        InForce {
            version: version.into(),
            desks: vec!["acme".into()],
            live: live.map(|(rule, meaning)| (rule.into(), meaning.into())).collect(),
            kept: None,
        }
    }

    /// A ledger that has looked at these tickets under p1.
    fn met(tickets: u32) -> Ledger {
        let mut ledger = ledger();
        ledger.take_stock(&in_force("p1", &["old@1"]), at(0)).expect("first start");
        for ticket in 0..tickets {
            ledger.record_case(&nothing_found(&ticket.to_string(), at(1))).expect("met");
        }
        ledger
    }

    fn arrived(ledger: &Ledger, ticket: &str) -> Vec<String> {
        let rules = ledger.arrived(&"acme".into(), &ticket.into()).expect("asked");
        rules.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_restart_takes_stock_once_and_a_few_cases_at_a_time() {
        let mut ledger = met(5);
        assert_eq!(ledger.take_stock(&in_force("p1", &["old@1"]), at(10)), Ok(0), "the same policy");
        assert_eq!(ledger.take_stock(&in_force("p2", &["old@1"]), at(20)), Ok(5));
        assert_eq!(ledger.take_stock(&in_force("p2", &["old@1"]), at(30)), Ok(0), "noted already");
        assert!(looks_due(&ledger, at(1_000)).is_empty(), "noted, and not all at once");
        let drawn: Vec<usize> =
            (0..4).map(|minute| ledger.draw_stock(&"acme".into(), 2, at(30 + minute)).expect("drawn")).collect();
        assert_eq!(drawn, [2, 2, 1, 0]);
        assert_eq!(looks_due(&ledger, at(1_000)).len(), 5);
    }

    #[test]
    fn cases_that_are_over_get_no_look() {
        let mut ledger = met(2);
        ledger.connection.execute("UPDATE cases SET ended_at = 5 WHERE ticket = '0'", []).expect("ended");
        assert_eq!(ledger.take_stock(&in_force("p2", &[]), at(20)), Ok(1));
        ledger.draw_stock(&"acme".into(), 9, at(30)).expect("drawn");
        assert_eq!(looks_due(&ledger, at(1_000))[0].ticket.as_str(), "1");
    }

    #[test]
    fn what_went_live_since_the_last_look_has_arrived_until_the_next_one() {
        let mut ledger = met(1);
        assert_eq!(arrived(&ledger, "0"), Vec::<String>::new());
        ledger.take_stock(&in_force("p2", &["old@1", "new@1"]), at(20)).expect("taken");
        assert_eq!(arrived(&ledger, "0"), ["new"]);
        ledger.take_stock(&in_force("p3", &["old@2", "new@1"]), at(30)).expect("taken again, before the first look");
        let mut both = arrived(&ledger, "0");
        both.sort();
        assert_eq!(both, ["new", "old"], "a changed meaning is another rule");
        ledger.record_case(&nothing_found("0", at(40))).expect("looked at");
        assert_eq!(arrived(&ledger, "0"), Vec::<String>::new());
    }

    #[test]
    fn going_live_takes_stock_though_the_version_stays() {
        let mut ledger = met(1);
        assert_eq!(ledger.take_stock(&in_force("p1", &[]), at(20)), Ok(0), "shadow: nothing arrives");
        assert_eq!(ledger.take_stock(&in_force("p1", &["old@1"]), at(30)), Ok(1));
        assert_eq!(arrived(&ledger, "0"), ["old"]);
    }

    #[test]
    fn a_rule_that_only_waited_goes_on_after_its_words_were_changed() {
        let mut ledger = met(1);
        let mut update: CaseUpdate = nothing_found("0", at(10));
        let (rule, version, to) = ("old".into(), "1".into(), "billing".into());
        let trace = RuleTrace {
            rule,
            version,
            to,
            result: RuleResult::OverLimit,
            facts: vec![],
            would_ask: vec![],
            instead_of: None,
        };
        update.verdict.as_mut().expect("a verdict").trace.push(trace);
        ledger.record_case(&update).expect("waits for a place");
        ledger.take_stock(&in_force("p2", &["old@2"]), at(20)).expect("taken");
        assert_eq!(arrived(&ledger, "0"), Vec::<String>::new());
    }
}
