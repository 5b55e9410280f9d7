//! Row by row into events.

use super::open::{Opened, RowProblem, Rows, empty};
use super::problem::{GIVE_UP, LogError, LogProblem, SHOWN};
use super::{DONE, EventLog, FACTS_SEPARATOR, FLAG_BITS, MARK_SEPARATOR, NO_TEAM, Names, Reading, Repairs, WAITING};
use super::{Event, Facts, Instant, instant, order, repairs};
use crate::config::events::{Claim, Column, EventMap, Tier, printable};
use std::collections::HashSet;

/// Which columns are read, each once, and which of them is what.
pub(super) struct Wanted {
    pub names: Vec<String>,
    case: usize,
    at: usize,
    order: Option<usize>,
    team: usize,
    status: Option<usize>,
    sub_status: Option<usize>,
    agent: Option<usize>,
    claim: Option<usize>,
    tier: Option<usize>,
    marks: Vec<usize>,
    /// Columns of facts, which alone may be lists in JSON.
    pub facts: Vec<usize>,
}

impl Wanted {
    pub fn of(map: &EventMap) -> Self {
        let names: Vec<String> = map.columns().into_iter().map(|column| column.name.clone()).collect();
        let at = |column: &Column| names.iter().position(|name| *name == column.name).unwrap_or(usize::MAX);
        let maybe = |column: &Option<Column>| column.as_ref().map(at);
        Self {
            case: at(&map.case),
            at: at(&map.at.column),
            order: maybe(&map.order),
            team: at(&map.team.column),
            status: maybe(&map.status),
            sub_status: maybe(&map.sub_status),
            agent: map.agent.as_ref().map(|agent| at(&agent.column)),
            claim: map.statuses.claimed_when.as_ref().map(|claim| at(&claim.value.column)),
            tier: map.tier.column().map(at),
            marks: map.by.iter().chain(&map.like).map(at).collect(),
            facts: map.facts.columns().map(at).collect(),
            names,
        }
    }
}

/// Reads every row.
pub(super) fn collect(opened: Opened, name: &str, map: &EventMap, reading: Reading) -> Result<EventLog, LogError> {
    let Opened { mut rows, wanted } = opened;
    let mut collector = Collector::new(map, &wanted, reading);
    let last_line = loop {
        let line = rows.row_line();
        let row = match rows.advance() {
            None => break line,
            Some(row) => row,
        };
        collector.log.repairs.rows += 1;
        match row {
            Ok(()) => {
                if let Err(problem) = collector.take(rows.as_ref()) {
                    collector.spoil(rows.as_ref());
                    collector.note(problem);
                }
            }
            // Whose row this was cannot be told.
            Err(RowProblem::Row(problem)) => {
                collector.log.repairs.lost_rows += u64::from(reading.skip_broken);
                collector.note(problem);
            }
            Err(RowProblem::Ends(problem)) => return Err(LogError::at(name, problem)),
            Err(RowProblem::Io(error)) => return Err(ends_badly(name, rows.row_line(), error)),
        }
        if !reading.skip_broken && collector.broken >= GIVE_UP {
            break rows.row_line();
        }
    };
    // Where no row could be read at all, nothing says which columns there are.
    let met = rows.columns_met().filter(|met| !met.is_empty());
    if let Some(problems) = met.and_then(|met| map.missing_columns(name, &met)) {
        return Err(LogError::Columns(problems));
    }
    if !reading.skip_broken && collector.broken > 0 {
        let (problems, count) = (collector.problems, collector.broken);
        return Err(LogError::Broken { name: name.to_owned(), problems, count });
    }
    if collector.log.repairs.rows == 0 {
        return Err(LogError::at(name, empty(last_line + 1)));
    }
    let log = collector.finish();
    if log.events.is_empty() {
        let help = "give the log without --skip-broken to see what is wrong with its rows";
        let problem =
            LogProblem { line: 1, column: 1, named: None, message: "no row could be used".into(), help: help.into() };
        return Err(LogError::at(name, problem));
    }
    Ok(log)
}

/// A packed file that ends in the middle, or a pipe that broke.
pub(super) fn ends_badly(name: &str, line: u64, error: std::io::Error) -> LogError {
    let packed = matches!(
        error.kind(),
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData
    );
    if !packed {
        return LogError::Unreadable { name: name.to_owned(), error };
    }
    let message = format!("the packed file is broken after this line: {error}");
    LogError::at(
        name,
        LogProblem { line, column: 1, named: None, message, help: "fetch it again: it is not whole".into() },
    )
}

struct Collector<'m> {
    map: &'m EventMap,
    wanted: &'m Wanted,
    log: EventLog,
    agents: HashSet<String>,
    /// Statuses, without what refines them.
    statuses: HashSet<String>,
    /// Cases with a broken row.
    spoilt: HashSet<u32>,
    problems: Vec<LogProblem>,
    broken: u64,
    /// Put together for each row, kept for its room.
    text: String,
    reading: Reading,
    /// The latest instant that is taken for one.
    latest: Instant,
}

impl<'m> Collector<'m> {
    fn new(map: &'m EventMap, wanted: &'m Wanted, reading: Reading) -> Self {
        let statuses = &map.statuses;
        let log = EventLog {
            events: Vec::new(),
            cases: Names::default(),
            teams: Names::default(),
            tiers: Vec::new(),
            statuses: Names::default(),
            marks: Names::default(),
            agents: None,
            waits_known: !statuses.waiting.is_empty()
                || !statuses.accepted.is_empty()
                || statuses.claimed_when.is_some(),
            done_known: !statuses.done.is_empty(),
            repairs: Repairs::default(),
        };
        Self {
            map,
            wanted,
            log,
            agents: HashSet::new(),
            statuses: HashSet::new(),
            spoilt: HashSet::new(),
            problems: Vec::new(),
            broken: 0,
            text: String::new(),
            latest: instant::latest(reading.now),
            reading,
        }
    }

    /// One row becomes one event.
    fn take(&mut self, row: &dyn Rows) -> Result<(), LogProblem> {
        let name = self.text(row, self.wanted.case)?;
        if name.is_empty() {
            return Err(self.problem(row, self.wanted.case, "the cell is empty", "every event belongs to a case"));
        }
        let case = self.log.cases.number(name).ok_or_else(|| self.too_many(row, self.wanted.case))?;
        let written = self.text(row, self.wanted.at)?;
        let at = instant::read(written, &self.map.at, self.latest, &mut self.log.repairs)
            .map_err(|(message, help)| self.problem(row, self.wanted.at, &message, &help))?;
        self.log.repairs.later_than_now += u64::from(self.reading.now.is_some_and(|now| at > Instant::of(now)));
        let tie = self.tie(row)?;
        let team = self.team(row)?;
        let (status, mark) = (self.status(row)?, self.mark(row)?);
        if let Some((agent, at)) = self.map.agent.as_ref().zip(self.wanted.agent)
            && let Some(agent) = agent.value(self.text(row, at)?)
            && !self.agents.contains(agent)
        {
            self.agents.insert(agent.to_owned());
        }
        self.log.events.push(Event { at, tie, hash: row.hash(), case, team, status, mark });
        Ok(())
    }

    /// A cell without blanks around it.
    fn text<'r>(&self, row: &'r dyn Rows, wanted: usize) -> Result<&'r str, LogProblem> {
        let text = std::str::from_utf8(row.cell(wanted).bytes).map(str::trim);
        let text = text.map_err(|_| self.problem(row, wanted, "the cell is not UTF-8", "save the log as UTF-8"))?;
        if text.contains('\0') {
            return Err(self.problem(row, wanted, "the cell has a NUL character", "give a log of text"));
        }
        Ok(text)
    }

    fn tie(&self, row: &dyn Rows) -> Result<i64, LogProblem> {
        let Some(order) = self.wanted.order else { return Ok(0) };
        let text = self.text(row, order)?;
        text.parse().map_err(|_| {
            let message = format!("\"{}\" is no whole number", printable(text));
            self.problem(row, order, &message, "`order` names a column that numbers the events of a case")
        })
    }

    fn team(&mut self, row: &dyn Rows) -> Result<u32, LogProblem> {
        let Some(name) = self.map.team.value(self.text(row, self.wanted.team)?) else {
            self.log.repairs.without_team += 1;
            return Ok(NO_TEAM);
        };
        let team = self.log.teams.number(name).ok_or_else(|| self.too_many(row, self.wanted.team))?;
        let at = usize::try_from(team).unwrap_or(usize::MAX);
        let said = match (&self.map.tier, self.wanted.tier) {
            (crate::config::events::Tiers::Column(column), Some(wanted)) => {
                column.value(self.text(row, wanted)?).map(Tier::new)
            }
            (tiers, _) if at >= self.log.tiers.len() => tiers.by_name(name),
            _ => return Ok(team),
        };
        match self.log.tiers.get_mut(at) {
            None => self.log.tiers.push(said),
            Some(known @ None) => *known = said,
            Some(Some(known)) => self.log.repairs.tier_conflicts += u64::from(said.is_some_and(|said| said != *known)),
        }
        Ok(team)
    }

    /// The status with what refines it, and what it means.
    fn status(&mut self, row: &dyn Rows) -> Result<u32, LogProblem> {
        let status = self.wanted.status.map_or(Ok(""), |wanted| self.text(row, wanted))?;
        if !self.statuses.contains(status) {
            self.statuses.insert(status.to_owned());
        }
        let refined = self.wanted.sub_status.map_or(Ok(""), |wanted| self.text(row, wanted))?;
        let statuses = &self.map.statuses;
        let listed = |list: &[String]| list.iter().any(|word| word == status);
        let done = listed(&statuses.done);
        let waits_by_status = match (statuses.waiting.is_empty(), statuses.accepted.is_empty()) {
            (false, _) => Some(listed(&statuses.waiting)),
            (true, false) => Some(!listed(&statuses.accepted) && !done),
            (true, true) => None,
        };
        let claimed = match (&statuses.claimed_when, self.wanted.claim) {
            (Some(Claim { value, known }), Some(wanted)) => {
                Some(value.value(self.text(row, wanted)?).is_some() == *known)
            }
            _ => None,
        };
        let waits = match (waits_by_status, claimed) {
            (by_status, None) => by_status.unwrap_or(false),
            (by_status, Some(claimed)) => by_status.unwrap_or(!done) && !claimed,
        };
        self.text.clear();
        self.text.push_str(status);
        if !refined.is_empty() {
            self.text.push('/');
            self.text.push_str(refined);
        }
        let wanted = self.wanted.status.unwrap_or(self.wanted.case);
        let number = self.log.statuses.number(&self.text).ok_or_else(|| self.too_many(row, wanted))?;
        let flags = if waits { WAITING } else { 0 } | if done { DONE } else { 0 };
        Ok(number << FLAG_BITS | flags)
    }

    fn mark(&mut self, row: &dyn Rows) -> Result<u32, LogProblem> {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        for (nth, wanted) in self.wanted.marks.iter().enumerate() {
            if nth > 0 {
                text.push(MARK_SEPARATOR);
            }
            let parts = [MARK_SEPARATOR, FACTS_SEPARATOR];
            text.extend(self.text(row, *wanted)?.chars().filter(|letter| !parts.contains(letter)));
        }
        if !self.map.facts.is_empty() {
            let cell = |name: &str| {
                let at = self.wanted.names.iter().position(|wanted| wanted == name).unwrap_or(usize::MAX);
                self.text(row, at)
            };
            let facts = Facts::of(&self.map.facts, cell)?;
            text.push(FACTS_SEPARATOR);
            text.push_str(&facts.text());
        }
        let number = self.log.marks.number(&text);
        self.text = text;
        number.ok_or_else(|| self.too_many(row, self.wanted.case))
    }

    fn problem(&self, row: &dyn Rows, wanted: usize, message: &str, help: &str) -> LogProblem {
        let cell = row.cell(wanted);
        let named = self.wanted.names.get(wanted).map(|name| printable(name));
        LogProblem { line: cell.line, column: cell.column, named, message: message.into(), help: help.into() }
    }

    fn too_many(&self, row: &dyn Rows, wanted: usize) -> LogProblem {
        self.problem(row, wanted, "more distinct values than can be counted", "split the log")
    }

    /// Notes a row that cannot be read.
    fn note(&mut self, problem: LogProblem) {
        self.broken += 1;
        self.log.repairs.broken_rows += u64::from(self.reading.skip_broken);
        if self.problems.len() < SHOWN {
            self.problems.push(problem);
        }
    }

    /// Notes that the row's case has lost an event.
    fn spoil(&mut self, row: &dyn Rows) {
        let name = self.text(row, self.wanted.case).unwrap_or_default();
        match self.log.cases.number(name).filter(|_| !name.is_empty()) {
            Some(case) => _ = self.spoilt.insert(case),
            None => self.log.repairs.lost_rows += u64::from(self.reading.skip_broken),
        }
    }

    fn finish(self) -> EventLog {
        let Self { mut log, spoilt, map, agents, statuses, .. } = self;
        log.events.retain(|event| !spoilt.contains(&event.case));
        log.repairs.broken_cases = spoilt.len() as u64;
        log.agents = map.agent.as_ref().map(|_| agents.len());
        let tiers_told = map.tier != crate::config::events::Tiers::Unknown;
        log.repairs.teams_without_tier =
            if tiers_told { log.tiers.iter().filter(|tier| tier.is_none()).count() as u64 } else { 0 };
        let teams: HashSet<&str> = log.teams.iter().collect();
        log.repairs.unmet = repairs::unmet(map, &statuses, &teams);
        order::put_in_order(&mut log);
        log
    }
}
