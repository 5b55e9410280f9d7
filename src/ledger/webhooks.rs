//! Webhooks: durable before they are answered, and each delivery once.
//!
//! A delivery is known by the vendor's id of it. Equal words prove nothing: hooks whose text is only the ticket's id say the
//! same at every change, and a look too many costs one read.

use super::codec::{millis, pack};
use super::error::Result;
use super::open::Ledger;
use super::records::{Freshness, ReceivedWebhook};
use rusqlite::params;

impl Ledger {
    /// Stores a verified webhook with its looks. A known delivery does nothing.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_webhook(&mut self, webhook: &ReceivedWebhook) -> Result<Freshness> {
        self.atomically(|ledger| {
            let stored = ledger
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
            for look in &webhook.looks {
                ledger.note_look(&webhook.desk, look, webhook.at)?;
            }
            ledger.note_news(&webhook.desk, webhook.at)?;
            for ticket in &webhook.others {
                ledger
                    .connection
                    .prepare_cached("UPDATE looks SET others_at = ? WHERE desk = ? AND ticket = ?")?
                    .execute(params![millis(webhook.at), webhook.desk.as_str(), ticket.as_str()])?;
            }
            Ok(Freshness::New)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, ledger, looks_due, webhook};
    use super::*;

    #[test]
    fn a_delivery_is_taken_once() {
        let mut ledger = ledger();
        let hook = webhook("acme", Some("d1"), "body", &["1", "2"], at(0));
        assert_eq!(ledger.note_webhook(&hook), Ok(Freshness::New));
        let before = looks_due(&ledger, at(9));
        assert_eq!(ledger.note_webhook(&hook), Ok(Freshness::Known));
        assert_eq!(looks_due(&ledger, at(9)), before, "a known delivery does nothing");
        let elsewhere = webhook("globex", Some("d1"), "body", &["1"], at(0));
        assert_eq!(ledger.note_webhook(&elsewhere), Ok(Freshness::New), "ids are each desk's own");
    }

    #[test]
    fn equal_words_are_looked_at_again() {
        let mut ledger = ledger();
        for (id, generation) in [(None, 1), (None, 2), (Some("d2"), 3), (Some("d3"), 4)] {
            let again = webhook("acme", id, "ticket 1 changed", &["1"], at(1));
            assert_eq!(ledger.note_webhook(&again), Ok(Freshness::New));
            assert_eq!(looks_due(&ledger, at(9))[0].generation, generation);
        }
    }

    #[test]
    fn hostile_ids_and_huge_bodies_are_only_bytes() {
        let mut ledger = ledger();
        let body = "\u{0}'; DROP TABLE looks; --".repeat(50_000);
        let ticket = "1'; DROP TABLE looks; --\u{202e}\n";
        let hook = webhook("acme", Some("' OR 1=1 --"), &body, &[ticket], at(0));
        assert_eq!(ledger.note_webhook(&hook), Ok(Freshness::New));
        assert_eq!(looks_due(&ledger, at(9))[0].ticket.as_str(), ticket);
        let stored: i64 =
            ledger.connection.query_row("SELECT length(body) FROM webhooks", [], |row| row.get(0)).expect("size");
        assert!(stored < body.len() as i64 / 50, "compressed: {stored}");
    }
}
