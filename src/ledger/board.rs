//! What a person looks at: lists with a bound, one query each, and everything about one case. Nothing here is written.

use super::codec::{from_json, instant, millis, unpack, unreadable};
use super::effects::WAITING;
use super::error::Result;
use super::open::Ledger;
use super::records::{Busy, EffectRecord};
use crate::policy::verdict::Verdict;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

/// Which cases to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// On this desk.
    pub desk: Option<String>,
    /// Whose id begins so.
    pub ticket: Option<String>,
    /// That lie with this team.
    pub team: Option<String>,
    /// That are open, or not.
    pub open: Option<bool>,
    /// That come after this one in the list.
    pub after: Option<CaseKey>,
    /// At most so many.
    pub limit: usize,
}

/// Where a case stands in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseKey {
    /// When it was first met, in UTC milliseconds.
    pub met: i64,
    /// Which desk.
    pub desk: String,
    /// Which ticket.
    pub ticket: String,
}

/// One case of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseLine {
    /// Which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// When it was first met.
    pub first_seen: Timestamp,
    /// When it was seen to be over.
    pub ended_at: Option<Timestamp>,
    /// Whether it is open.
    pub open: bool,
    /// The team that it lies with.
    pub team: Option<String>,
    /// Its owner's name, or their id on the desk.
    pub owner: Option<String>,
    /// Its latest handoff: id and state.
    pub handoff: Option<(String, String)>,
}

impl CaseLine {
    /// Where it stands in the list.
    pub fn key(&self) -> CaseKey {
        CaseKey { met: millis(self.first_seen), desk: self.desk.to_string(), ticket: self.ticket.to_string() }
    }
}

/// Something that has a time by which it should be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DueLine {
    /// What.
    pub what: String,
    /// Which desk.
    pub desk: String,
    /// Which ticket.
    pub ticket: String,
    /// Which handoff.
    pub handoff: String,
    /// By when.
    pub at: Timestamp,
}

/// Something that a person did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActLine {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub what: String,
    /// About what.
    pub about: String,
    /// Why.
    pub reason: Option<String>,
}

const LINE: &str = "c.desk, c.ticket, c.first_seen, c.ended_at, c.is_open, c.held_by,
    coalesce((SELECT o.name FROM owners o WHERE o.desk = c.desk AND o.ticket = c.ticket ORDER BY o.id DESC LIMIT 1), c.owner),
    h.id, h.state";

/// A case with its latest handoff.
const WITH_HANDOFF: &str = "cases c LEFT JOIN handoffs h ON h.rowid = (SELECT l.rowid FROM handoffs l
        WHERE l.desk = c.desk AND l.ticket = c.ticket ORDER BY l.created_at DESC, l.rowid DESC LIMIT 1)";

/// Which ones is told by an index alone, in their order; only those are read.
fn listed(filter: &CaseFilter) -> String {
    let (index, team) = match filter.team {
        Some(_) => ("cases_team", "held_by = ?3"),
        None => ("cases_met", "?3 IS NULL"),
    };
    format!(
        "SELECT {LINE} FROM (SELECT desk, ticket FROM cases INDEXED BY {index}
             WHERE {team} AND (?1 IS NULL OR desk = ?1) AND (?2 IS NULL OR substr(ticket, 1, length(?2)) = ?2)
               AND (?4 IS NULL OR (is_open <> 0) = ?4)
               AND (?5 IS NULL OR (first_seen, desk, ticket) < (?5, ?6, ?7))
             ORDER BY first_seen DESC, desk DESC, ticket DESC LIMIT ?8) k
         CROSS JOIN {WITH_HANDOFF} WHERE c.desk = k.desk AND c.ticket = k.ticket
         ORDER BY c.first_seen DESC, c.desk DESC, c.ticket DESC"
    )
}

const SOONEST: &str = "SELECT label, desk, ticket, handoff, deadline FROM effects INDEXED BY effects_deadline
    WHERE desk = ? AND due IS NOT NULL ORDER BY deadline, id LIMIT ?";

const CLAIMS: &str = "SELECT 'somebody of ' || to_team || ' takes it on', desk, ticket, id, claim_due
    FROM handoffs INDEXED BY handoffs_claim WHERE claim_due IS NOT NULL ORDER BY claim_due LIMIT ?";

impl Ledger {
    /// Cases, those met last first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn case_lines(&self, filter: &CaseFilter) -> Result<Vec<CaseLine>> {
        let mut statement = self.connection.prepare_cached(&listed(filter))?;
        let after = filter.after.as_ref();
        let values = params![
            filter.desk,
            filter.ticket,
            filter.team,
            filter.open,
            after.map(|key| key.met),
            after.map(|key| key.desk.as_str()),
            after.map(|key| key.ticket.as_str()),
            i64::try_from(filter.limit).unwrap_or(i64::MAX),
        ];
        let rows = statement.query_map(values, case_line)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One case; none: it was never met.
    ///
    /// # Errors
    /// SQLite's.
    pub fn case_line(&self, desk: &str, ticket: &str) -> Result<Option<CaseLine>> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {LINE} FROM {WITH_HANDOFF} WHERE c.desk = ? AND c.ticket = ?"))?;
        Ok(statement.query_row([desk, ticket], case_line).optional()?)
    }

    /// The latest verdicts on a case, newest first, at most so many.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn verdicts(&self, desk: &DeskId, ticket: &TicketId, most: usize) -> Result<Vec<(Timestamp, Verdict)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, verdict FROM verdicts WHERE desk = ? AND ticket = ? ORDER BY id DESC LIMIT ?",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![desk.as_str(), ticket.as_str(), most])?;
        let mut verdicts = Vec::new();
        while let Some(row) = rows.next()? {
            let what = || format!("verdict on {desk}/{ticket}");
            let packed: Vec<u8> = row.get(1)?;
            let text = String::from_utf8(unpack(&packed)?).map_err(|error| unreadable(&what(), &error.utf8_error()))?;
            verdicts.push((instant(row.get(0)?), from_json(what, &text)?));
        }
        Ok(verdicts)
    }

    /// What people did about one thing (a handoff with its effects, or a case), oldest first, at most so many.
    ///
    /// # Errors
    /// SQLite's.
    pub fn acts_about(&self, about: &str, most: usize) -> Result<Vec<ActLine>> {
        // Of a handoff `h1`, what was done about `h1` and about its effects `h1/1`, …
        let mut statement = self.connection.prepare_cached(
            "SELECT at, coalesce(by, 'erased'), what, about, reason FROM acts INDEXED BY acts_about
             WHERE about >= ?1 AND about < ?1 || '0' AND (about = ?1 OR substr(about, 1, length(?1) + 1) = ?1 || '/')
             ORDER BY at, id LIMIT ?2",
        )?;
        let rows = statement.query_map(params![about, i64::try_from(most).unwrap_or(i64::MAX)], |row| {
            let (by, what, about, reason) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            Ok(ActLine { at: instant(row.get(0)?), by, what, about, reason })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What has to be done soonest: effects that wait, and handoffs that somebody has to take on.
    ///
    /// # Errors
    /// SQLite's.
    pub fn due_soonest(&self, most: usize) -> Result<Vec<DueLine>> {
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let desks = self.desks_that_wait(WAITING, &Busy::default())?;
        let mut lines = Vec::new();
        for desk in desks {
            let mut statement = self.connection.prepare_cached(SOONEST)?;
            let rows = statement.query_map(params![desk.as_str(), limit], due_line)?;
            lines.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
        }
        let mut statement = self.connection.prepare_cached(CLAIMS)?;
        lines.extend(statement.query_map([limit], due_line)?.collect::<rusqlite::Result<Vec<_>>>()?);
        lines.sort_by(|one, other| (one.at, &one.handoff).cmp(&(other.at, &other.handoff)));
        lines.truncate(most);
        Ok(lines)
    }

    /// Effects that wait for a person, oldest first, at most so many.
    ///
    /// # Errors
    /// SQLite's.
    pub fn parked_effects(&self, most: usize) -> Result<Vec<EffectRecord>> {
        let ids: Vec<i64> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT id FROM effects INDEXED BY effects_state WHERE state = 'parked' ORDER BY rowid LIMIT ?",
            )?;
            let rows = statement.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        ids.into_iter().map(|id| self.effect_as_far_as_possible(id)).collect()
    }

    /// Asks several things about one moment, whatever is written meanwhile.
    ///
    /// # Errors
    /// The question's, or SQLite's.
    pub fn at_one_moment<T>(&self, question: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.begin()?;
        let answer = question(self);
        self.roll_back("ROLLBACK");
        answer
    }

    /// A number that is another one after each change of the ledger, as far as this connection sees it.
    ///
    /// # Errors
    /// SQLite's.
    pub fn pulse(&self) -> Result<(i64, u64)> {
        let others: i64 = self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        Ok((others, self.connection.total_changes()))
    }
}

fn case_line(row: &Row<'_>) -> rusqlite::Result<CaseLine> {
    let handoff: Option<String> = row.get(7)?;
    let state: Option<String> = row.get(8)?;
    Ok(CaseLine {
        desk: DeskId::new(row.get::<_, String>(0)?),
        ticket: TicketId::new(row.get::<_, String>(1)?),
        first_seen: instant(row.get(2)?),
        ended_at: row.get::<_, Option<i64>>(3)?.map(instant),
        open: row.get(4)?,
        team: row.get(5)?,
        owner: row.get(6)?,
        handoff: handoff.zip(state),
    })
}

fn due_line(row: &Row<'_>) -> rusqlite::Result<DueLine> {
    let (what, desk, ticket, handoff) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    Ok(DueLine { what, desk, ticket, handoff, at: instant(row.get(4)?) })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{accepted, answer, at, claim, decide, in_review, ledger, nothing_found, sending};
    use super::*;

    fn met(ledger: &mut Ledger, ticket: &str, seconds: i64) {
        ledger.record_case(&nothing_found(ticket, at(seconds))).expect("recorded");
    }

    fn tickets(lines: &[CaseLine]) -> Vec<&str> {
        lines.iter().map(|line| line.ticket.as_str()).collect()
    }

    #[test]
    fn cases_are_listed_newest_first_page_by_page_and_by_the_beginning_of_their_id() {
        let mut ledger = ledger();
        for (ticket, seconds) in [("11", 1), ("12", 2), ("2", 2), ("1%", 3), ("13", 4)] {
            met(&mut ledger, ticket, seconds);
        }
        let filter = CaseFilter { limit: 2, ..CaseFilter::default() };
        let first = ledger.case_lines(&filter).expect("read");
        assert_eq!(tickets(&first), ["13", "1%"]);
        let next = CaseFilter { after: first.last().map(CaseLine::key), limit: 9, ..CaseFilter::default() };
        assert_eq!(tickets(&ledger.case_lines(&next).expect("read")), ["2", "12", "11"]);
        let begin = |text: &str| CaseFilter { ticket: Some(text.into()), limit: 9, ..CaseFilter::default() };
        assert_eq!(tickets(&ledger.case_lines(&begin("1")).expect("read")), ["13", "1%", "12", "11"]);
        assert_eq!(tickets(&ledger.case_lines(&begin("1%")).expect("read")), ["1%"], "a sign is a sign");
        assert_eq!(tickets(&ledger.case_lines(&begin("' OR 1=1 --")).expect("read")), Vec::<&str>::new());
        let other = CaseFilter { desk: Some("other".into()), limit: 9, ..CaseFilter::default() };
        assert_eq!(ledger.case_lines(&other), Ok(Vec::new()));
        assert_eq!(ledger.case_line("acme", "none"), Ok(None));
    }

    #[test]
    fn which_cases_to_list_is_told_by_an_index_alone_and_without_sorting_them() {
        let ledger = ledger();
        let of_team = CaseFilter { team: Some("billing".into()), limit: 9, ..CaseFilter::default() };
        for (filter, walks) in [
            (CaseFilter { limit: 9, ..CaseFilter::default() }, "SCAN cases USING COVERING INDEX cases_met"),
            (of_team, "SEARCH cases USING COVERING INDEX cases_team (held_by=?)"),
        ] {
            let plan = ledger.plan(&listed(&filter));
            assert!(plan.iter().any(|line| line == walks), "{plan:?}");
            // The page alone is sorted again, after the join.
            let sorts = plan.iter().filter(|line| line.contains("TEMP B-TREE")).count();
            assert!(sorts <= 1, "{plan:?}");
            let rest = |line: &&String| line.starts_with("SCAN ") && **line != *walks && !line.starts_with("SCAN k");
            assert_eq!(plan.iter().find(rest), None, "{plan:?}");
        }
    }

    #[test]
    fn cases_of_one_team_are_those_that_lie_with_it() {
        let mut ledger = ledger();
        for (ticket, team, seconds) in [("1", "frontline", 1), ("2", "billing", 2), ("3", "frontline", 3)] {
            met(&mut ledger, ticket, seconds);
            ledger
                .connection
                .execute(
                    "UPDATE cases SET held_by = ?, is_open = ? WHERE ticket = ?",
                    params![team, seconds < 3, ticket],
                )
                .expect("held");
        }
        let of_team = CaseFilter { team: Some("frontline".into()), limit: 9, ..CaseFilter::default() };
        assert_eq!(tickets(&ledger.case_lines(&of_team).expect("read")), ["3", "1"]);
        let open = CaseFilter { open: Some(true), ..of_team.clone() };
        assert_eq!(tickets(&ledger.case_lines(&open).expect("read")), ["1"]);
        let first = CaseFilter { limit: 1, ..of_team.clone() };
        let after = ledger.case_lines(&first).expect("read").last().map(CaseLine::key);
        assert_eq!(tickets(&ledger.case_lines(&CaseFilter { after, ..of_team }).expect("read")), ["1"]);
        let nobody = CaseFilter { team: Some("none".into()), limit: 9, ..CaseFilter::default() };
        assert_eq!(ledger.case_lines(&nobody), Ok(Vec::new()));
    }

    #[test]
    fn a_case_is_listed_with_its_latest_handoff_and_what_people_did_about_it() {
        let mut ledger = ledger();
        met(&mut ledger, "1", 1);
        decide(&mut ledger, in_review("h1", "1"), at(2));
        ledger.reject(&answer("h1", Vec::new(), at(3))).expect("rejected");
        met(&mut ledger, "10", 4);
        decide(&mut ledger, in_review("h10", "10"), at(5));
        ledger.reject(&answer("h10", Vec::new(), at(6))).expect("rejected");
        let line = ledger.case_line("acme", "1").expect("read").expect("a case");
        assert_eq!(line.handoff, Some(("h1".into(), "rejected".into())));
        let acts = ledger.acts_about("h1", 9).expect("read");
        assert_eq!(
            acts.iter().map(|act| (act.what.as_str(), act.about.as_str())).collect::<Vec<_>>(),
            [("reject", "h1")]
        );
        assert!(!ledger.verdicts(&"acme".into(), &"1".into(), 9).expect("read").is_empty());
    }

    #[test]
    fn what_is_due_soonest_comes_first_and_is_bounded() {
        let mut ledger = ledger();
        for (id, ticket) in [("h1", "1"), ("h2", "2")] {
            decide(&mut ledger, sending(id, ticket, "v1"), at(2));
        }
        let lines = ledger.due_soonest(9).expect("read");
        assert!(lines.len() >= 2 && lines.is_sorted_by_key(|line| line.at), "{lines:?}");
        assert_eq!(ledger.due_soonest(1).expect("read").len(), 1);
    }

    #[test]
    fn every_change_beats_the_pulse_and_reading_does_not() {
        let mut ledger = ledger();
        let before = ledger.pulse().expect("read");
        assert_eq!(ledger.pulse(), Ok(before));
        decide(&mut ledger, sending("h1", "1", "v1"), at(2));
        let decided = ledger.pulse().expect("read");
        assert_ne!(decided, before);
        let effect = claim(&mut ledger, at(3)).expect("an effect");
        ledger.record_outcome(&accepted(&effect, "v2", at(3))).expect("recorded");
        assert_ne!(ledger.pulse().expect("read"), decided);
        assert_eq!(ledger.parked_effects(9), Ok(Vec::new()));
    }
}
