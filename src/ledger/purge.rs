//! What is thrown away with time. Raw payloads and verdicts go after the retention time; handoffs, stays and people's acts stay.

use super::codec::millis;
use super::error::Result;
use super::open::Ledger;
use jiff::{SignedDuration, Timestamp};

/// How much longer the ids of webhooks are kept than their bodies: no desk repeats a delivery after that.
const IDS_LONGER: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Ledger {
    /// Throws away payloads that are older than `keep`.
    ///
    /// # Errors
    /// SQLite's.
    pub fn purge(&mut self, now: Timestamp, keep: SignedDuration) -> Result<()> {
        let long_ago = |age: SignedDuration| millis(now.saturating_sub(age).unwrap_or(Timestamp::UNIX_EPOCH));
        let (payloads, ids) = (long_ago(keep), long_ago(keep.saturating_add(IDS_LONGER)));
        self.atomically(|ledger| {
            let run = |sql: &str, before: i64| ledger.connection.prepare_cached(sql)?.execute([before]);
            run("DELETE FROM raws WHERE at < ?", payloads)?;
            // What a pause holds is found by its verdict: it stays as long as it is the case's last one.
            run(
                "DELETE FROM verdicts WHERE at < ? AND (paused = 0 OR EXISTS (SELECT 1 FROM verdicts n
                     WHERE n.desk = verdicts.desk AND n.ticket = verdicts.ticket AND n.id > verdicts.id))",
                payloads,
            )?;
            run("UPDATE webhooks SET body = NULL WHERE body IS NOT NULL AND at < ?", payloads)?;
            run("DELETE FROM webhooks WHERE at < ?", ids)?;
            ledger.forget_trials()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, ledger, webhook};
    use super::*;

    #[test]
    fn bodies_go_first_and_the_ids_that_recognise_a_repeat_stay_longer() {
        let mut ledger = ledger();
        ledger.note_webhook(&webhook("acme", Some("d1"), "old", &["1"], at(0))).expect("noted");
        ledger.note_webhook(&webhook("acme", Some("d2"), "new", &["1"], at(90))).expect("noted");
        let left = |ledger: &Ledger| -> (i64, i64) {
            let sql = "SELECT count(*), count(body) FROM webhooks";
            ledger.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("count")
        };
        let keep = SignedDuration::from_secs(60);
        ledger.purge(at(100), keep).expect("purged");
        assert_eq!(left(&ledger), (2, 1));
        ledger.purge(at(100) + IDS_LONGER, keep).expect("purged");
        assert_eq!(left(&ledger), (1, 0));
        ledger.purge(at(0), SignedDuration::MAX).expect("a retention longer than time");
    }
}
