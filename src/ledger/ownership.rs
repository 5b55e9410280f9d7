//! Who had a case from when to when, as teams and as people; what the agent before still has to do; and whose case lost its
//! owner. A look that read the history writes the owners down as the history tells them; one that did not adds what it saw.

use super::codec::{from_json, instant, millis};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::people::Act;
use super::records::{
    LostNote, LostOwner, OwnerChange, OwnerKnown, OwnerSeen, Presence, Purpose, RosterWanted, Span, SpanOf, TaskRecord,
};
use crate::plan::alert::About;
use crate::policy::names::TeamName;
use crate::policy::proposal::Proposal;
use handoffd_kit::id::{DeskId, TicketId, UserId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

impl Ledger {
    /// What a look saw of the owner: the whole history of owners where it was read, else who it is now.
    pub(super) fn note_owner(
        &mut self,
        desk: &DeskId,
        ticket: &TicketId,
        seen: &OwnerSeen,
        at: Timestamp,
    ) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE cases SET owner = ?3, held_by = ?4, is_open = ?5 WHERE desk = ?1 AND ticket = ?2")?
            .execute(params![
                desk.as_str(),
                ticket.as_str(),
                seen.owner.as_ref().map(UserId::as_str),
                seen.held_by.as_ref().map(TeamName::as_str),
                seen.open
            ])?;
        if let Some(told) = &seen.told {
            self.connection
                .prepare_cached("DELETE FROM owners WHERE desk = ? AND ticket = ?")?
                .execute([desk.as_str(), ticket.as_str()])?;
            for change in told {
                self.add_owner(desk, ticket, change)?;
            }
        }
        let last: Option<Option<String>> = self
            .connection
            .prepare_cached("SELECT owner FROM owners WHERE desk = ? AND ticket = ? ORDER BY id DESC LIMIT 1")?
            .query_row([desk.as_str(), ticket.as_str()], |row| row.get(0))
            .optional()?;
        if last.as_ref().is_none_or(|last| last.as_deref() != seen.owner.as_ref().map(UserId::as_str)) {
            let (owner, name) = (seen.owner.clone(), seen.name.clone());
            let since = if last.is_none() { seen.since.unwrap_or(at) } else { at };
            self.add_owner(desk, ticket, &OwnerChange { owner, name, since, change: None, by: None, handoff: None })?;
        }
        self.note_lost(desk, ticket, seen, at)
    }

    fn add_owner(&mut self, desk: &DeskId, ticket: &TicketId, change: &OwnerChange) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO owners (desk, ticket, owner, name, since, change, by, handoff) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                desk.as_str(),
                ticket.as_str(),
                change.owner.as_ref().map(UserId::as_str),
                change.name,
                millis(change.since),
                change.change,
                change.by,
                change.handoff
            ])?;
        Ok(())
    }

    /// A case whose owner is gone is listed until it has another, lies with another team, or is over.
    fn note_lost(&mut self, desk: &DeskId, ticket: &TicketId, seen: &OwnerSeen, at: Timestamp) -> Result<()> {
        let owner = seen.owner.as_ref().map(UserId::as_str);
        let team = seen.held_by.as_ref().map(TeamName::as_str);
        self.connection
            .prepare_cached(
                "DELETE FROM lost_owners WHERE desk = ?1 AND ticket = ?2 AND (?3 OR owner IS NOT ?4 OR team IS NOT ?5)",
            )?
            .execute(params![desk.as_str(), ticket.as_str(), seen.presence == Presence::Here, owner, team])?;
        let (Presence::Gone(why), Some(owner)) = (&seen.presence, owner) else { return Ok(()) };
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO lost_owners (desk, ticket, owner, name, team, why, since) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![desk.as_str(), ticket.as_str(), owner, seen.name, team, why, millis(at)])?;
        Ok(())
    }

    /// The ticket says that its owner is gone, or will: once for each of them.
    pub(super) fn say_lost(&mut self, desk: &DeskId, ticket: &TicketId, note: &LostNote, at: Timestamp) -> Result<()> {
        let new = self
            .connection
            .prepare_cached("UPDATE lost_owners SET told = 1 WHERE desk = ? AND ticket = ? AND told = 0")?
            .execute([desk.as_str(), ticket.as_str()])?;
        match note.effect.as_ref().filter(|_| new > 0) {
            Some(effect) => {
                self.add_effects(&note.handoff, std::slice::from_ref(effect), Purpose::Apart, at)?;
                let Some(handoff) = self.find_handoff(&note.handoff)? else { return Ok(()) };
                self.tell(&handoff.proposal, &handoff.id, &About::LostOwner { number: effect.number }, at)
            }
            None => Ok(()),
        }
    }

    /// A ticket that cannot be seen any more: nobody is waited for, nobody is missed, and what was left with agents before
    /// comes to nothing.
    pub(super) fn lose_sight(&mut self, desk: &DeskId, ticket: &TicketId, at: Timestamp) -> Result<()> {
        let key = [desk.as_str(), ticket.as_str()];
        self.stop_waiting_at_all(desk, ticket)?;
        self.connection.prepare_cached("DELETE FROM lost_owners WHERE desk = ? AND ticket = ?")?.execute(key)?;
        self.connection.prepare_cached("UPDATE cases SET is_open = 0 WHERE desk = ? AND ticket = ?")?.execute(key)?;
        for task in self.open_tasks(desk, ticket)? {
            self.end_task(&task.handoff, "nobody: the ticket cannot be seen any more", at)?;
        }
        Ok(())
    }

    /// Who owned a case last, as earlier looks saw it.
    pub(super) fn owner_known(&self, desk: &DeskId, ticket: &TicketId) -> Result<Option<OwnerKnown>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT o.owner, o.since, EXISTS (SELECT 1 FROM lost_owners l WHERE l.desk = o.desk AND l.ticket = o.ticket
                 AND l.owner = o.owner AND l.told <> 0)
             FROM owners o WHERE o.desk = ? AND o.ticket = ? ORDER BY o.id DESC LIMIT 1",
        )?;
        let row = statement.query_row([desk.as_str(), ticket.as_str()], |row| {
            let owner = row.get::<_, Option<String>>(0)?.map(UserId::new);
            Ok(OwnerKnown { owner, since: instant(row.get(1)?), told_lost: row.get(2)? })
        });
        Ok(row.optional()?)
    }

    /// Owners of a team's cases who are gone.
    pub(super) fn missed(&self, of: &RosterWanted) -> Result<Vec<UserId>> {
        let mut statement =
            self.connection.prepare_cached("SELECT DISTINCT owner FROM lost_owners WHERE desk = ? AND team = ?")?;
        let rows = statement
            .query_map([of.desk.as_str(), of.team.as_str()], |row| Ok(UserId::new(row.get::<_, String>(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Cases whose owner is gone, longest first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn lost_owners(&self) -> Result<Vec<LostOwner>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT desk, ticket, owner, name, team, why, since FROM lost_owners ORDER BY since, desk, ticket",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(LostOwner {
                desk: DeskId::new(row.get::<_, String>(0)?),
                ticket: TicketId::new(row.get::<_, String>(1)?),
                owner: UserId::new(row.get::<_, String>(2)?),
                name: row.get(3)?,
                team: row.get::<_, Option<String>>(4)?.map(TeamName::new),
                why: row.get(5)?,
                since: instant(row.get(6)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// People have left a team: its open cases that they own are looked at.
    pub(super) fn look_at_cases_of(&mut self, of: &RosterWanted, people: &[UserId], now: Timestamp) -> Result<()> {
        for person in people {
            let tickets: Vec<String> = {
                let mut statement = self.connection.prepare_cached(
                    "SELECT ticket FROM cases WHERE desk = ? AND held_by = ? AND owner = ? AND is_open <> 0",
                )?;
                let rows =
                    statement.query_map([of.desk.as_str(), of.team.as_str(), person.as_str()], |row| row.get(0))?;
                rows.collect::<rusqlite::Result<_>>()?
            };
            for ticket in tickets.into_iter().map(TicketId::new) {
                self.wait_to_look(&of.desk, &ticket, now)?;
            }
        }
        Ok(())
    }

    /// Who had a case from when to when: its teams, then its owners, each oldest first; the last of each is open.
    ///
    /// # Errors
    /// SQLite's.
    pub fn ownership(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<Span>> {
        let ended: Option<i64> = self
            .connection
            .query_row(
                "SELECT ended_at FROM cases WHERE desk = ? AND ticket = ?",
                [desk.as_str(), ticket.as_str()],
                |row| row.get(0),
            )
            .optional()?
            .flatten();
        let mut statement = self.connection.prepare_cached(
            "SELECT team, since, episode, by, by_handoff FROM stays WHERE desk = ? AND ticket = ? ORDER BY id",
        )?;
        let teams = statement.query_map([desk.as_str(), ticket.as_str()], |row| {
            let episode: Option<String> = row.get(2)?;
            Ok(Span {
                of: SpanOf::Team,
                id: row.get(0)?,
                name: None,
                from: instant(row.get(1)?),
                until: None,
                change: episode.filter(|episode| !episode.starts_with('~')),
                by: row.get(3)?,
                handoff: row.get(4)?,
            })
        })?;
        let teams: Vec<Span> = teams.collect::<rusqlite::Result<_>>()?;
        let mut spans = until_the_next(teams, ended.map(instant));
        let mut statement = self.connection.prepare_cached(
            "SELECT owner, name, since, change, by, handoff FROM owners WHERE desk = ? AND ticket = ? ORDER BY id",
        )?;
        let owners = statement.query_map([desk.as_str(), ticket.as_str()], |row| {
            Ok(Span {
                of: SpanOf::Owner,
                id: row.get(0)?,
                name: row.get(1)?,
                from: instant(row.get(2)?),
                until: None,
                change: row.get(3)?,
                by: row.get(4)?,
                handoff: row.get(5)?,
            })
        })?;
        spans.extend(until_the_next(owners.collect::<rusqlite::Result<_>>()?, ended.map(instant)));
        Ok(spans)
    }

    /// A handoff was sent: what the agent before still does is noted, with the instant until when.
    pub(super) fn begin_task(&mut self, handoff: &str, at: Timestamp) -> Result<()> {
        let row: Option<(String, String, String)> = self
            .connection
            .prepare_cached("SELECT desk, ticket, proposal FROM handoffs WHERE id = ?")?
            .query_row([handoff], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((desk, ticket, proposal)) = row else { return Ok(()) };
        let proposal: Proposal = from_json(|| format!("handoff {handoff}"), &proposal)?;
        let Some(task) = &proposal.owner.previous_task else { return Ok(()) };
        let until = proposal.owner.previous_until.as_ref().map(|due| due.at);
        let who = proposal.owner.previous.clone().or_else(|| proposal.from.as_ref().map(ToString::to_string));
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO tasks (handoff, desk, ticket, task, who, who_id, since, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                handoff,
                desk,
                ticket,
                task,
                who,
                proposal.owner.previous_id.as_ref().map(UserId::as_str),
                millis(at),
                until.map(millis)
            ])?;
        match until {
            Some(until) => self.wait_to_look(&DeskId::new(desk), &TicketId::new(ticket), until),
            None => Ok(()),
        }
    }

    /// A task is done, or has come to nothing.
    pub(super) fn end_task(&mut self, handoff: &str, by: &str, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE tasks SET done_at = ?, done_by = ? WHERE handoff = ? AND done_at IS NULL";
        Ok(self.connection.prepare_cached(sql)?.execute(params![millis(at), by, handoff])? > 0)
    }

    /// A person says that a task is done.
    ///
    /// # Errors
    /// [`LedgerError::WrongState`] where there is none that is open.
    pub fn finish_task(&mut self, handoff: &str, act: &Act) -> Result<()> {
        self.atomically(|ledger| {
            if !ledger.end_task(handoff, &act.by, act.at)? {
                let words = format!("handoff {handoff} has no open task; `handoffd owners list` shows those there are");
                return Err(LedgerError::WrongState(words));
            }
            ledger.note_act(act, "task done", handoff)
        })
    }

    /// Open tasks of one case.
    pub(super) fn open_tasks(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<TaskRecord>> {
        let sql = format!("SELECT {TASK} FROM tasks WHERE desk = ? AND ticket = ? AND done_at IS NULL ORDER BY since");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([desk.as_str(), ticket.as_str()], read_task)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// All open tasks, those that are due first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn tasks(&self) -> Result<Vec<TaskRecord>> {
        let sql = format!("SELECT {TASK} FROM tasks WHERE done_at IS NULL ORDER BY until IS NULL, until, since");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], read_task)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The task that a handoff left, open or done.
    ///
    /// # Errors
    /// SQLite's.
    pub fn task_of(&self, handoff: &str) -> Result<Option<TaskRecord>> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {TASK} FROM tasks WHERE handoff = ?"))?;
        Ok(statement.query_row([handoff], read_task).optional()?)
    }
}

const TASK: &str = "handoff, desk, ticket, task, who, who_id, since, until, done_at, done_by, \
    (SELECT CASE WHEN json_valid(proposal) THEN json_extract(proposal, '$.from') END FROM handoffs WHERE handoffs.id = tasks.handoff)";

fn read_task(row: &Row<'_>) -> rusqlite::Result<TaskRecord> {
    Ok(TaskRecord {
        handoff: row.get(0)?,
        desk: DeskId::new(row.get::<_, String>(1)?),
        ticket: TicketId::new(row.get::<_, String>(2)?),
        task: row.get(3)?,
        who: row.get(4)?,
        who_id: row.get::<_, Option<String>>(5)?.map(UserId::new),
        since: instant(row.get(6)?),
        until: row.get::<_, Option<i64>>(7)?.map(instant),
        from: row.get::<_, Option<String>>(10)?.map(TeamName::new),
        done: row.get::<_, Option<i64>>(8)?.map(instant).zip(row.get(9)?),
    })
}

/// Each span ends where the next begins; the last one with the case.
fn until_the_next(mut spans: Vec<Span>, ended: Option<Timestamp>) -> Vec<Span> {
    let starts: Vec<Timestamp> = spans.iter().skip(1).map(|span| span.from).collect();
    for (span, until) in spans.iter_mut().zip(starts.into_iter().map(Some).chain([ended])) {
        span.until = until.map(|until| until.max(span.from));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::super::records::CaseUpdate;
    use super::super::samples::{act, at, decide, ledger, nothing_found, sending, stay};
    use super::*;

    fn seen(owner: Option<&str>) -> OwnerSeen {
        OwnerSeen {
            owner: owner.map(UserId::from),
            name: owner.map(|owner| format!("Agent {owner}")),
            held_by: Some("billing".into()),
            open: true,
            since: Some(at(-100)),
            told: None,
            presence: Presence::Here,
        }
    }

    fn record(ledger: &mut Ledger, owner: OwnerSeen, now: Timestamp) {
        ledger.record_case(&CaseUpdate { owner: Some(owner), ..nothing_found("1", now) }).expect("recorded");
    }

    fn owners(ledger: &Ledger) -> Vec<(Option<String>, i64, Option<i64>)> {
        let seconds = |instant: Timestamp| instant.duration_since(at(0)).as_secs();
        let spans = ledger.ownership(&"acme".into(), &"1".into()).expect("spans");
        let owners = spans.into_iter().filter(|span| span.of == SpanOf::Owner);
        owners.map(|span| (span.id, seconds(span.from), span.until.map(seconds))).collect()
    }

    #[test]
    fn owners_are_as_they_were_seen_until_the_history_tells_better() {
        let mut ledger = ledger();
        record(&mut ledger, seen(None), at(0));
        record(&mut ledger, seen(Some("21")), at(50));
        record(&mut ledger, seen(Some("21")), at(60));
        let text = |owner: &str| Some(owner.to_owned());
        assert_eq!(owners(&ledger), [(None, -100, Some(50)), (text("21"), 50, None)]);
        let change = |owner: Option<&str>, since, change: &str| OwnerChange {
            owner: owner.map(UserId::from),
            name: None,
            since: at(since),
            change: Some(change.into()),
            by: Some("an agent".into()),
            handoff: None,
        };
        let told = vec![change(None, -100, "c1"), change(Some("22"), 10, "c2"), change(Some("21"), 40, "c3")];
        record(&mut ledger, OwnerSeen { told: Some(told), ..seen(Some("21")) }, at(70));
        assert_eq!(owners(&ledger), [(None, -100, Some(10)), (text("22"), 10, Some(40)), (text("21"), 40, None)]);
        record(&mut ledger, seen(Some("23")), at(90));
        assert_eq!(owners(&ledger)[2..], [(text("21"), 40, Some(90)), (text("23"), 90, None)]);
    }

    #[test]
    fn teams_follow_each_other_and_the_last_span_is_open() {
        let mut ledger = ledger();
        let stays = vec![stay("frontline", "c1", at(0), None), stay("billing", "c2", at(40), Some("h1"))];
        ledger.record_case(&CaseUpdate { stays, ..nothing_found("1", at(50)) }).expect("recorded");
        let spans = ledger.ownership(&"acme".into(), &"1".into()).expect("spans");
        let shown: Vec<_> =
            spans.iter().map(|span| (span.id.as_deref(), span.until, span.handoff.as_deref())).collect();
        assert_eq!(shown, [(Some("frontline"), Some(at(40)), None), (Some("billing"), None, Some("h1"))]);
    }

    #[test]
    fn an_owner_who_is_gone_is_listed_until_there_is_another() {
        let mut ledger = ledger();
        let lost = OwnerSeen { presence: Presence::Gone("not active any more".into()), ..seen(Some("21")) };
        record(&mut ledger, lost.clone(), at(0));
        record(&mut ledger, lost, at(9));
        let listed = ledger.lost_owners().expect("listed");
        assert_eq!((listed.len(), listed[0].since, listed[0].owner.as_str()), (1, at(0), "21"));
        record(&mut ledger, seen(Some("22")), at(10));
        assert!(ledger.lost_owners().expect("listed").is_empty());
    }

    #[test]
    fn a_spoilt_proposal_hides_no_task() {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        let spoil = "UPDATE handoffs SET proposal = '{';
            INSERT INTO tasks (handoff, desk, ticket, task, since, until) VALUES ('h1', 'acme', '1', 'Answer', 0, 5)";
        ledger.connection.execute_batch(spoil).expect("spoilt");
        let open = ledger.open_tasks(&"acme".into(), &"1".into()).expect("readable");
        assert_eq!((open.len(), open[0].from.as_ref()), (1, None));
        assert_eq!(ledger.tasks().expect("readable").len(), 1);
    }

    #[test]
    fn a_task_ends_once() {
        let mut ledger = ledger();
        let insert =
            "INSERT INTO tasks (handoff, desk, ticket, task, since, until) VALUES ('h1', 'acme', '1', 'Answer', 0, 5)";
        ledger.connection.execute(insert, []).expect("a task");
        assert_eq!(ledger.open_tasks(&"acme".into(), &"1".into()).expect("open").len(), 1);
        ledger.finish_task("h1", &act(at(1))).expect("done");
        assert!(ledger.finish_task("h1", &act(at(2))).is_err());
        assert!(ledger.tasks().expect("open").is_empty());
        assert_eq!(ledger.task_of("h1").expect("kept").expect("one").done.map(|(when, _)| when), Some(at(1)));
    }
}
