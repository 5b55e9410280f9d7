//! Looks: one row per (desk, ticket), coalesced. A newer one raises the generation, so that finishing an older one leaves it.

use super::codec::{from_json, instant, json, millis, pack, unpack, unreadable};
use super::error::Result;
use super::open::Ledger;
use super::records::{Busy, Freshness, Look, NewLook, PolledPage, ReceivedWebhook};
use handoffd_kit::desk::Cursor;
use handoffd_kit::id::{DeskId, StreamName, TicketId};
use handoffd_kit::model::TicketHead;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

impl Ledger {
    /// Stores a verified webhook with its looks. A known delivery does nothing. An equal body proves nothing: hooks whose
    /// text is only the ticket's id say the same at every change.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_webhook(&mut self, webhook: &ReceivedWebhook) -> Result<Freshness> {
        let stored = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO webhooks (desk, delivery, body_hash, body, at) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![
                webhook.desk.as_str(),
                webhook.delivery,
                webhook.body_hash,
                pack(&webhook.body)?,
                millis(webhook.at)
            ])?;
        if stored == 0 {
            return Ok(Freshness::Known);
        }
        self.note_looks(&webhook.desk, &webhook.looks)?;
        Ok(Freshness::New)
    }

    /// Stores a page's looks and the cursor behind it.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_page(&mut self, page: &PolledPage) -> Result<()> {
        self.note_looks(&page.desk, &page.looks)?;
        self.connection
            .prepare_cached(
                "INSERT INTO cursors (desk, stream, cursor, at) VALUES (?, ?, ?, ?)
                 ON CONFLICT (desk, stream) DO UPDATE SET cursor = excluded.cursor, at = excluded.at",
            )?
            .execute(params![page.desk.as_str(), page.stream.as_str(), page.next.0, millis(page.at)])?;
        Ok(())
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

    /// Notes looks. The earliest due wins. A head stays only while it is the newest thing known: a look without one drops it.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_looks(&mut self, desk: &DeskId, looks: &[NewLook]) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO looks (desk, ticket, due, generation, head, head_at) VALUES (?1, ?2, ?3, 1, ?4, ?5)
             ON CONFLICT (desk, ticket) DO UPDATE SET due = min(due, excluded.due), generation = generation + 1,
                 head = excluded.head, head_at = excluded.head_at",
        )?;
        for look in looks {
            let head = match &look.head {
                Some((head, _)) => Some(pack(json("head", head)?.as_bytes())?),
                None => None,
            };
            let head_at = look.head.as_ref().map(|(_, at)| millis(*at));
            statement.execute(params![desk.as_str(), look.ticket.as_str(), millis(look.due), head, head_at])?;
        }
        Ok(())
    }

    /// A wait of our own: look again then, unless something happens before. Keeps a head that is there.
    pub(super) fn wait_to_look(&mut self, desk: &DeskId, ticket: &TicketId, due: Timestamp) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO looks (desk, ticket, due, generation) VALUES (?1, ?2, ?3, 1)
                 ON CONFLICT (desk, ticket) DO UPDATE SET due = min(due, excluded.due), generation = generation + 1,
                     head = NULL, head_at = NULL",
            )?
            .execute(params![desk.as_str(), ticket.as_str(), millis(due)])?;
        Ok(())
    }

    /// Due looks, longest due first, without those that are in work and the desks that rest.
    ///
    /// # Errors
    /// SQLite's, or a head that cannot be read.
    pub fn due_looks(&self, now: Timestamp, limit: usize, busy: &Busy) -> Result<Vec<Look>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT desk, ticket, due, generation, head, head_at FROM looks WHERE due <= ? ORDER BY due, desk, ticket",
        )?;
        let mut rows = statement.query([millis(now)])?;
        let mut looks = Vec::new();
        while looks.len() < limit {
            let Some(row) = rows.next()? else { break };
            let (desk, ticket) = (DeskId::new(row.get::<_, String>(0)?), TicketId::new(row.get::<_, String>(1)?));
            if busy.desks.contains(&desk) || busy.cases.contains(&(desk.clone(), ticket.clone())) {
                continue;
            }
            let head = match (row.get::<_, Option<Vec<u8>>>(4)?, row.get::<_, Option<i64>>(5)?) {
                (Some(packed), Some(at)) => Some((Box::new(head(&desk, &ticket, &packed)?), instant(at))),
                _ => None,
            };
            looks.push(Look { due: instant(row.get(2)?), generation: row.get(3)?, desk, ticket, head });
        }
        Ok(looks)
    }

    /// Puts a look off, unless a newer one arrived.
    ///
    /// # Errors
    /// SQLite's.
    pub fn postpone_look(&mut self, desk: &DeskId, ticket: &TicketId, generation: i64, until: Timestamp) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE looks SET due = ? WHERE desk = ? AND ticket = ? AND generation = ?")?
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
        let mut statement =
            self.connection.prepare_cached("SELECT due, desk, ticket FROM looks ORDER BY due, desk, ticket")?;
        let mut rows = statement.query([])?;
        let mut next: Option<i64> = None;
        while let Some(row) = rows.next()? {
            let (desk, ticket) = (DeskId::new(row.get::<_, String>(1)?), TicketId::new(row.get::<_, String>(2)?));
            if !busy.desks.contains(&desk) && !busy.cases.contains(&(desk, ticket)) {
                next = Some(row.get(0)?);
                break;
            }
        }
        let effect = self.next_effect_due(busy)?;
        Ok(next.map(instant).into_iter().chain(effect).min())
    }

    /// Throws away payloads that are older than `keep`.
    ///
    /// # Errors
    /// SQLite's.
    pub fn purge(&mut self, now: Timestamp, keep: jiff::SignedDuration) -> Result<()> {
        let before = millis(now.saturating_sub(keep).unwrap_or(Timestamp::UNIX_EPOCH));
        self.connection.execute("DELETE FROM raws WHERE at < ?", [before])?;
        // The row stays: it recognises the delivery when it comes again. Only what the customer wrote goes.
        self.connection.execute("UPDATE webhooks SET body = NULL WHERE at < ? AND body IS NOT NULL", [before])?;
        self.connection.execute(
            "DELETE FROM verdicts WHERE at < ?1 AND id NOT IN (SELECT max(id) FROM verdicts GROUP BY desk, ticket)",
            [before],
        )?;
        Ok(())
    }
}

fn head(desk: &DeskId, ticket: &TicketId, packed: &[u8]) -> Result<TicketHead> {
    let what = || format!("head of {desk}/{ticket}");
    let text = String::from_utf8(unpack(packed)?).map_err(|error| unreadable(&what(), &error))?;
    from_json(what, &text)
}
