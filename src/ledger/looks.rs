//! Looks: one row per (desk, ticket), coalesced. The earliest due wins; each new one raises the generation, so that finishing
//! an older one leaves it.
//!
//! A head that a poll page brought is used only while nothing newer is known to have happened: a webhook that came later,
//! or a write of our own, makes it stale, and then the ticket is read.

use super::codec::{from_json, instant, json, millis, pack, unpack, unreadable};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::records::{Busy, Look, NewLook, PolledPage};
use handoffd_kit::desk::Cursor;
use handoffd_kit::id::{DeskId, StreamName, TicketId};
use handoffd_kit::model::TicketHead;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

impl Ledger {
    /// Stores a page's looks and the cursor behind it, in one transaction.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_page(&mut self, page: &PolledPage) -> Result<()> {
        self.atomically(|ledger| {
            for look in &page.looks {
                ledger.note_look(&page.desk, look, page.at)?;
            }
            if !page.looks.is_empty() {
                ledger.note_news(&page.desk, page.at)?;
            }
            ledger
                .connection
                .prepare_cached(
                    "INSERT INTO cursors (desk, stream, cursor, at) VALUES (?, ?, ?, ?)
                     ON CONFLICT (desk, stream) DO UPDATE SET cursor = excluded.cursor, at = excluded.at",
                )?
                .execute(params![page.desk.as_str(), page.stream.as_str(), page.next.0, millis(page.at)])?;
            Ok(())
        })
    }

    /// Where a stream was read up to.
    ///
    /// # Errors
    /// SQLite's.
    pub fn cursor(&self, desk: &DeskId, stream: &StreamName) -> Result<Option<Cursor>> {
        let mut statement =
            self.connection.prepare_cached("SELECT cursor FROM cursors WHERE desk = ? AND stream = ?")?;
        Ok(statement.query_row([desk.as_str(), stream.as_str()], |row| row.get(0).map(Cursor)).optional()?)
    }

    /// When this ledger first met a desk; remembered from the first question on.
    ///
    /// # Errors
    /// SQLite's.
    pub fn desk_met(&mut self, desk: &DeskId, now: Timestamp) -> Result<Timestamp> {
        let mut ask = self.connection.prepare_cached("SELECT met_at FROM desks WHERE desk = ?")?;
        if let Some(met) = ask.query_row([desk.as_str()], |row| row.get(0)).optional()? {
            return Ok(instant(met));
        }
        if self.is_read_only()? {
            return Ok(now);
        }
        self.connection
            .execute("INSERT INTO desks (desk, met_at) VALUES (?, ?)", params![desk.as_str(), millis(now)])?;
        Ok(now)
    }

    /// Notes looks, each as news of the instant at which it is due.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_looks(&mut self, desk: &DeskId, looks: &[NewLook]) -> Result<()> {
        self.atomically(|ledger| looks.iter().try_for_each(|look| ledger.note_look(desk, look, look.due)))
    }

    /// Notes one look that was heard of at `heard`. Without a head it makes a kept one stale; a head that was read before
    /// the latest news, or before our own latest write was answered, is not kept.
    pub(super) fn note_look(&mut self, desk: &DeskId, look: &NewLook, heard: Timestamp) -> Result<()> {
        let (news_at, head_at) = self.newest(desk, &look.ticket)?;
        let is_fresh = |at: &Timestamp| millis(*at) > news_at && millis(*at) >= head_at;
        let fresh = look.head.as_ref().filter(|(_, at)| is_fresh(at));
        let head = match fresh {
            Some((head, _)) => Some(pack(json("head", head)?.as_bytes())?),
            None => None,
        };
        let head_at = fresh.map(|(_, at)| millis(*at));
        let news_at = look.head.is_none().then_some(millis(heard));
        self.connection
            .prepare_cached(
                "INSERT INTO looks (desk, ticket, due, generation, head, head_at, news_at) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)
                 ON CONFLICT (desk, ticket) DO UPDATE SET due = min(due, excluded.due), generation = generation + 1,
                     head = CASE WHEN ?6 IS NULL THEN coalesce(?4, head) END,
                     head_at = CASE WHEN ?6 IS NULL THEN coalesce(?5, head_at) END,
                     news_at = max(coalesce(news_at, ?6), coalesce(?6, news_at))",
            )?
            .execute(params![desk.as_str(), look.ticket.as_str(), millis(look.due), head, head_at, news_at])?;
        Ok(())
    }

    /// When something was last heard of a ticket without its head or was written by us, and when its kept head was read.
    fn newest(&self, desk: &DeskId, ticket: &TicketId) -> Result<(i64, i64)> {
        let mut statement = self.connection.prepare_cached(
            "SELECT max(coalesce(l.news_at, -1), coalesce(c.own_written_at, -1)), coalesce(l.head_at, -1)
             FROM (SELECT ?1 AS desk, ?2 AS ticket) k
             LEFT JOIN looks l ON l.desk = k.desk AND l.ticket = k.ticket
             LEFT JOIN cases c ON c.desk = k.desk AND c.ticket = k.ticket",
        )?;
        Ok(statement.query_row([desk.as_str(), ticket.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// A wait of our own: look again then, unless something happens before.
    pub(super) fn wait_to_look(&mut self, desk: &DeskId, ticket: &TicketId, due: Timestamp) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO looks (desk, ticket, due, generation) VALUES (?1, ?2, ?3, 1)
                 ON CONFLICT (desk, ticket) DO UPDATE SET due = min(due, excluded.due), generation = generation + 1",
            )?
            .execute(params![desk.as_str(), ticket.as_str(), millis(due)])?;
        Ok(())
    }

    /// What was just worked did not fit any more: look again at `due` and not before, whatever is noted.
    pub(super) fn look_anew(&mut self, desk: &DeskId, ticket: &TicketId, due: Timestamp) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO looks (desk, ticket, due, generation) VALUES (?1, ?2, ?3, 1)
                 ON CONFLICT (desk, ticket) DO UPDATE SET due = excluded.due, generation = generation + 1,
                     head = NULL, head_at = NULL",
            )?
            .execute(params![desk.as_str(), ticket.as_str(), millis(due)])?;
        Ok(())
    }

    /// We wrote: every head that was read before the answer came is stale.
    pub(super) fn note_own_write(&mut self, desk: &DeskId, ticket: &TicketId, at: Timestamp) -> Result<()> {
        let key = params![millis(at), desk.as_str(), ticket.as_str()];
        self.connection
            .prepare_cached("UPDATE cases SET own_written_at = ?1 WHERE desk = ?2 AND ticket = ?3")?
            .execute(key)?;
        self.connection
            .prepare_cached(
                "UPDATE looks SET head = NULL, head_at = NULL WHERE desk = ?2 AND ticket = ?3 AND head_at <= ?1",
            )?
            .execute(key)?;
        Ok(())
    }

    /// Due looks, longest due first, without those that are in work and the desks that rest; of a desk that is only tried,
    /// one at a time. Each desk is asked by itself, so that the backlog of one holds nobody else up. A head that cannot be
    /// read is left out: it costs a read, and no look.
    ///
    /// # Errors
    /// SQLite's.
    pub fn due_looks(&self, now: Timestamp, limit: usize, busy: &Busy) -> Result<Vec<Look>> {
        let mut due: Vec<(i64, DeskId, TicketId)> = Vec::new();
        for desk in self.desks_that_wait(LOOKED_AT, busy)? {
            let room = if busy.tried.contains(&desk) { busy.room_on(&desk).min(limit) } else { limit };
            let mut statement = self.connection.prepare_cached(DUE_ON_DESK)?;
            let mut rows = statement.query(params![desk.as_str(), millis(now)])?;
            let mut found = 0;
            while found < room {
                let Some(row) = rows.next()? else { break };
                let ticket = TicketId::new(row.get::<_, String>(1)?);
                if !busy.has(&desk, &ticket) {
                    due.push((row.get(0)?, desk.clone(), ticket));
                    found += 1;
                }
            }
        }
        due.sort_unstable();
        due.truncate(limit);
        due.into_iter().map(|(_, desk, ticket)| self.noted_look(desk, ticket)).collect()
    }

    fn noted_look(&self, desk: DeskId, ticket: TicketId) -> Result<Look> {
        let mut statement = self.connection.prepare_cached(
            "SELECT due, generation, head, head_at, others_at FROM looks WHERE desk = ? AND ticket = ?",
        )?;
        let mut rows = statement.query([desk.as_str(), ticket.as_str()])?;
        let gone = || LedgerError::NotFound(format!("look at {desk}/{ticket}"));
        let row = rows.next()?.ok_or_else(gone)?;
        let packed: Option<Vec<u8>> = row.get(2)?;
        let head = packed.and_then(|packed| head(&desk, &ticket, &packed));
        let head = head.zip(row.get(3)?).map(|(head, at)| (Box::new(head), instant(at)));
        let (due, generation) = (instant(row.get(0)?), row.get(1)?);
        let others_at = row.get::<_, Option<i64>>(4)?.map(instant);
        Ok(Look { due, generation, head, others_at, desk, ticket })
    }

    /// The desks with something that waits, in the order of an index, without those that are left alone.
    pub(super) fn desks_that_wait(&self, of: &str, busy: &Busy) -> Result<Vec<DeskId>> {
        let mut statement = self.connection.prepare_cached(&each_desk(of))?;
        let rows = statement.query_map([], |row| row.get(0).map(|desk: String| DeskId::new(desk)))?;
        let mut desks = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        desks.retain(|desk| busy.lets(desk));
        Ok(desks)
    }

    /// Puts a look off, unless a newer one arrived.
    ///
    /// # Errors
    /// SQLite's.
    pub fn postpone_look(&mut self, desk: &DeskId, ticket: &TicketId, generation: i64, until: Timestamp) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE looks SET due = ?, head = NULL, head_at = NULL WHERE desk = ? AND ticket = ? AND generation = ?",
            )?
            .execute(params![millis(until), desk.as_str(), ticket.as_str(), generation])?;
        Ok(())
    }

    /// A finished look is cleared, unless a newer one arrived while it was in work.
    pub(super) fn clear_look(&mut self, desk: &DeskId, ticket: &TicketId, generation: i64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM looks WHERE desk = ? AND ticket = ? AND generation = ?")?
            .execute(params![desk.as_str(), ticket.as_str(), generation])?;
        Ok(())
    }

    /// When the next look or effect is due that is not in work and whose desk does not rest.
    ///
    /// # Errors
    /// SQLite's.
    pub fn next_due(&self, busy: &Busy) -> Result<Option<Timestamp>> {
        Ok(self.next_effect_due(busy)?.into_iter().chain(self.next_look_due(busy)?).min())
    }

    /// When the next look is due that is not in work and whose desk does not rest.
    pub(super) fn next_look_due(&self, busy: &Busy) -> Result<Option<Timestamp>> {
        let mut next: Option<Timestamp> = None;
        for desk in self.desks_that_wait(LOOKED_AT, busy)? {
            if busy.tried.contains(&desk) && busy.room_on(&desk) == 0 {
                continue;
            }
            let mut statement = self.connection.prepare_cached(DUE_ON_DESK)?;
            let mut rows = statement.query(params![desk.as_str(), i64::MAX])?;
            while let Some(row) = rows.next()? {
                if !busy.has(&desk, &TicketId::new(row.get::<_, String>(1)?)) {
                    next = next.into_iter().chain([instant(row.get(0)?)]).min();
                    break;
                }
            }
        }
        Ok(next)
    }
}

impl Busy {
    /// Whether something may be taken for this desk.
    pub(super) fn lets(&self, desk: &DeskId) -> bool {
        !self.desks.contains(desk) && self.only.as_ref().is_none_or(|only| only.contains(desk))
    }

    /// Whether this case is in work, or its desk left alone.
    pub(super) fn has(&self, desk: &DeskId, ticket: &TicketId) -> bool {
        self.desks.contains(desk) || !self.cases.is_empty() && self.cases.contains(&(desk.clone(), ticket.clone()))
    }

    /// How many looks at a desk that is only tried may be taken: one, while nothing of it is in work.
    fn room_on(&self, desk: &DeskId) -> usize {
        usize::from(!self.cases.iter().any(|(other, _)| other == desk))
    }
}

/// Looks, by desk.
pub(super) const LOOKED_AT: &str = "looks INDEXED BY looks_due WHERE true";

/// Looks at a desk that are due, longest due first.
pub(super) const DUE_ON_DESK: &str =
    "SELECT due, ticket FROM looks INDEXED BY looks_due WHERE desk = ? AND due <= ? ORDER BY due, ticket";

/// Each desk of an index once: by leaps, not row by row.
pub(super) fn each_desk(of: &str) -> String {
    format!(
        "WITH RECURSIVE each(desk) AS (SELECT min(desk) FROM {of}
             UNION ALL SELECT (SELECT min(desk) FROM {of} AND desk > each.desk) FROM each WHERE each.desk IS NOT NULL)
         SELECT desk FROM each WHERE desk IS NOT NULL"
    )
}

fn head(desk: &DeskId, ticket: &TicketId, packed: &[u8]) -> Option<TicketHead> {
    let what = || format!("head of {desk}/{ticket}");
    let text = unpack(packed).and_then(|bytes| String::from_utf8(bytes).map_err(|error| unreadable(&what(), &error)));
    let read = text.and_then(|text| from_json(what, &text));
    read.inspect_err(|error| tracing::error!(error = %error, "ledger.head_unreadable")).ok()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, head, ledger, look, looks_due, webhook};
    use super::*;

    fn with_head(version: &str, read_at: Timestamp) -> NewLook {
        NewLook { head: Some((Box::new(head("1", version)), read_at)), ..look("1", read_at) }
    }

    fn kept(ledger: &Ledger) -> Option<String> {
        looks_due(ledger, at(1000))[0].head.as_ref().map(|(head, _)| head.version.to_string())
    }

    #[test]
    fn many_looks_at_one_ticket_are_one_and_the_earliest_wins() {
        let mut ledger = ledger();
        let looks = [look("1", at(60)), look("1", at(10)), look("1", at(30))];
        ledger.note_looks(&"acme".into(), &looks).expect("noted");
        let due = looks_due(&ledger, at(1000));
        assert_eq!((due.len(), due[0].due, due[0].generation), (1, at(10), 3));
        assert!(looks_due(&ledger, at(9)).is_empty(), "not before its time");
    }

    #[test]
    fn the_longest_due_come_first_and_what_is_busy_is_left_alone() {
        let mut ledger = ledger();
        for (desk, ticket, due) in [("acme", "1", 3), ("acme", "2", 1), ("globex", "3", 2), ("acme", "4", 4)] {
            ledger.note_looks(&desk.into(), &[look(ticket, at(due))]).expect("noted");
        }
        let busy =
            Busy { cases: [("acme".into(), "2".into())].into(), desks: vec!["globex".into()], ..Busy::default() };
        let due = ledger.due_looks(at(9), 1, &busy).expect("due");
        assert_eq!(due.iter().map(|look| look.ticket.as_str()).collect::<Vec<_>>(), ["1"]);
        assert_eq!(ledger.next_due(&busy), Ok(Some(at(3))));
        assert_eq!(ledger.next_due(&Busy::default()), Ok(Some(at(1))));
        assert_eq!(ledger.due_looks(at(9), 0, &Busy::default()), Ok(Vec::new()));
    }

    #[test]
    fn the_backlog_of_a_desk_that_is_only_tried_holds_no_other_desk_up() {
        let mut ledger = ledger();
        let many: Vec<NewLook> = (0..100).map(|ticket| look(&format!("t{ticket}"), at(0))).collect();
        ledger.note_looks(&"acme".into(), &many).expect("noted");
        ledger.note_looks(&"globex".into(), &[look("1", at(5)), look("2", at(7))]).expect("noted");
        let mut busy = Busy { tried: vec!["acme".into()], ..Busy::default() };
        let shown = |ledger: &Ledger, busy: &Busy| -> Vec<String> {
            let due = ledger.due_looks(at(9), 32, busy).expect("due");
            due.iter().map(|look| format!("{}/{}", look.desk, look.ticket)).collect()
        };
        assert_eq!(shown(&ledger, &busy), ["acme/t0", "globex/1", "globex/2"]);
        busy.cases.insert(("acme".into(), "t0".into()));
        assert_eq!(shown(&ledger, &busy), ["globex/1", "globex/2"]);
        assert_eq!(ledger.next_due(&busy), Ok(Some(at(5))), "what waits for its turn is nothing to wake up for");
        busy.tried.clear();
        assert_eq!(shown(&ledger, &busy).len(), 32);
    }

    #[test]
    fn a_page_comes_with_its_cursor_and_a_desk_is_met_once() {
        let mut ledger = ledger();
        let (desk, stream) = (DeskId::from("acme"), StreamName::from("tickets"));
        assert_eq!(ledger.cursor(&desk, &stream), Ok(None));
        for (number, cursor) in ["c1", "c2"].into_iter().enumerate() {
            let now = at(number as i64);
            let (looks, next) = (vec![with_head(cursor, now)], Cursor(cursor.into()));
            let page = PolledPage { desk: desk.clone(), stream: stream.clone(), next, looks, at: now };
            ledger.note_page(&page).expect("noted");
            assert_eq!(ledger.cursor(&desk, &stream), Ok(Some(Cursor(cursor.into()))));
        }
        assert_eq!(kept(&ledger).as_deref(), Some("c2"));
        assert_eq!(ledger.desk_met(&desk, at(5)), Ok(at(5)));
        assert_eq!(ledger.desk_met(&desk, at(50)), Ok(at(5)));
    }

    #[test]
    fn a_newer_head_replaces_an_older_one_and_not_the_other_way() {
        let mut ledger = ledger();
        for (version, read_at) in [("v2", at(2)), ("v1", at(1))] {
            ledger.note_looks(&"acme".into(), &[with_head(version, read_at)]).expect("noted");
        }
        assert_eq!(kept(&ledger).as_deref(), Some("v2"));
    }

    #[test]
    fn a_webhook_makes_a_kept_head_stale_and_an_older_page_does_not_bring_it_back() {
        let mut ledger = ledger();
        let desk = DeskId::from("acme");
        ledger.note_looks(&desk, &[with_head("v1", at(1))]).expect("page");
        ledger.note_webhook(&webhook("acme", Some("d"), "{}", &["1"], at(2))).expect("hook");
        assert_eq!(kept(&ledger), None);
        ledger.note_looks(&desk, &[with_head("v1", at(1))]).expect("late page");
        assert_eq!(kept(&ledger), None, "read before the webhook came");
        ledger.note_looks(&desk, &[with_head("v2", at(4))]).expect("new page");
        assert_eq!(kept(&ledger).as_deref(), Some("v2"));
    }

    #[test]
    fn our_own_write_makes_a_head_stale_that_was_read_before_it_was_answered() {
        let mut ledger = ledger();
        let desk = DeskId::from("acme");
        ledger
            .connection
            .execute("INSERT INTO cases (desk, ticket, first_seen, counts) VALUES ('acme', '1', 0, 1)", [])
            .expect("met");
        ledger.note_looks(&desk, &[with_head("before", at(1))]).expect("page");
        ledger.wait_to_look(&desk, &"1".into(), at(60)).expect("a wait is no news");
        assert_eq!(kept(&ledger).as_deref(), Some("before"));
        ledger.note_own_write(&desk, &"1".into(), at(3)).expect("written");
        assert_eq!(kept(&ledger), None);
        ledger.note_looks(&desk, &[with_head("during", at(2))]).expect("a page that was under way");
        assert_eq!(kept(&ledger), None);
        ledger.note_looks(&desk, &[with_head("after", at(4))]).expect("page");
        assert_eq!(kept(&ledger).as_deref(), Some("after"));
    }

    #[test]
    fn a_look_that_arrives_while_its_ticket_is_in_work_survives() {
        let mut ledger = ledger();
        let desk = DeskId::from("acme");
        ledger.note_looks(&desk, &[look("1", at(0))]).expect("noted");
        let taken = looks_due(&ledger, at(1)).remove(0);
        ledger.note_looks(&desk, &[look("1", at(1))]).expect("meanwhile");
        ledger.clear_look(&desk, &taken.ticket, taken.generation).expect("finished");
        ledger.postpone_look(&desk, &taken.ticket, taken.generation, at(90)).expect("too late for that");
        let survivor = looks_due(&ledger, at(1)).remove(0);
        ledger.clear_look(&desk, &survivor.ticket, survivor.generation).expect("finished");
        assert_eq!(ledger.next_due(&Busy::default()), Ok(None));
    }

    #[test]
    fn a_look_is_put_off_and_comes_back_at_once_when_there_is_news() {
        let mut ledger = ledger();
        let desk = DeskId::from("acme");
        ledger.note_looks(&desk, &[look("1", at(0))]).expect("noted");
        let taken = looks_due(&ledger, at(1)).remove(0);
        ledger.postpone_look(&desk, &taken.ticket, taken.generation, at(60)).expect("put off");
        assert_eq!(ledger.next_due(&Busy::default()), Ok(Some(at(60))));
        ledger.note_looks(&desk, &[look("1", at(5))]).expect("news");
        assert_eq!(ledger.next_due(&Busy::default()), Ok(Some(at(5))));
    }

    #[test]
    fn a_head_that_cannot_be_read_costs_a_read_and_no_look() {
        let mut ledger = ledger();
        ledger.note_looks(&"acme".into(), &[with_head("v1", at(1))]).expect("page");
        ledger.connection.execute("UPDATE looks SET head = x'ff00ff'", []).expect("garbled");
        assert_eq!(kept(&ledger), None);
    }
}
