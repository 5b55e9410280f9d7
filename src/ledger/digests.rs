//! When the lead's week is sent next: one row with a due time, which moves on in the transaction that plans the alerts, so that no
//! restart sends a week twice and none leaves one out.

use super::codec::{instant, millis};
use super::error::Result;
use super::open::Ledger;
use crate::plan::alert::PlannedAlert;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

impl Ledger {
    /// When the next week is due under this plan. A plan that is new, or another one, is due for the first time at `first`.
    ///
    /// # Errors
    /// SQLite's.
    pub fn digest_due(&mut self, plan: &str, first: Timestamp) -> Result<Timestamp> {
        self.atomically(|ledger| {
            let known: Option<i64> = ledger
                .connection
                .prepare_cached("SELECT due FROM digest_due WHERE plan = ?")?
                .query_row([plan], |row| row.get(0))
                .optional()?;
            if let Some(due) = known {
                return Ok(instant(due));
            }
            ledger
                .connection
                .prepare_cached("INSERT OR REPLACE INTO digest_due (one, plan, due) VALUES (1, ?, ?)")?
                .execute(params![plan, millis(first)])?;
            Ok(first)
        })
    }

    /// Sends a week that is due: its alerts are planned, and the next one is due at `next`. A week that was sent is not sent again.
    ///
    /// # Errors
    /// SQLite's.
    pub fn send_digest(
        &mut self,
        plan: &str,
        (due, next): (Timestamp, Timestamp),
        alerts: &[PlannedAlert],
        now: Timestamp,
    ) -> Result<()> {
        self.atomically(|ledger| {
            let moved = ledger
                .connection
                .prepare_cached("UPDATE digest_due SET due = ?3 WHERE plan = ?1 AND due = ?2")?
                .execute(params![plan, millis(due), millis(next)])?;
            if moved == 0 {
                return Ok(());
            }
            alerts.iter().try_for_each(|planned| ledger.add_alert(planned, now))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, ledger};
    use super::*;
    use crate::plan::alert::{About, Alert};

    fn week(day: i8) -> PlannedAlert {
        let about = About::Digest { week: "from a to b".into(), lines: Vec::new() };
        let due = jiff::civil::date(2027, 1, day);
        PlannedAlert { channel: "room".into(), alert: Alert::digest(&"room".into(), due, about, at(0)) }
    }

    #[test]
    fn a_week_is_sent_once_and_the_next_is_due() {
        let mut ledger = ledger();
        assert_eq!(ledger.digest_due("mon 08:00, UTC", at(10)), Ok(at(10)));
        assert_eq!(ledger.digest_due("mon 08:00, UTC", at(99)), Ok(at(10)), "it stays");
        let sent = |ledger: &Ledger| ledger.alerts_of("digest").expect("read").len();
        for _ in 0..2 {
            ledger.send_digest("mon 08:00, UTC", (at(10), at(20)), &[week(4)], at(11)).expect("sent");
            assert_eq!((sent(&ledger), ledger.digest_due("mon 08:00, UTC", at(99))), (1, Ok(at(20))));
        }
        ledger.send_digest("mon 08:00, UTC", (at(20), at(30)), &[week(4), week(11)], at(21)).expect("sent");
        assert_eq!(sent(&ledger), 2, "a key that is there is there once");
        assert_eq!(ledger.digest_due("tue 08:00, UTC", at(25)), Ok(at(25)), "another plan, another day");
        ledger.send_digest("mon 08:00, UTC", (at(30), at(40)), &[week(18)], at(31)).expect("not sent");
        assert_eq!(sent(&ledger), 2, "the plan from before sends nothing more");
    }
}
