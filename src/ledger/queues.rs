//! Queues of the policy that a desk does not show any more, as of its latest check.

use super::codec::{from_json, instant, json, millis};
use super::error::Result;
use super::open::Ledger;
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::id::DeskId;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

impl Ledger {
    /// Remembers what a check of a desk's queues found.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_queues(&mut self, desk: &DeskId, gone: &[QueueSpec], now: Timestamp) -> Result<()> {
        self.connection.execute(
            "INSERT INTO queue_checks (desk, at, gone) VALUES (?1, ?2, ?3)
             ON CONFLICT (desk) DO UPDATE SET at = excluded.at, gone = excluded.gone",
            params![desk.as_str(), millis(now), json("queues", &gone)?],
        )?;
        Ok(())
    }

    /// The queues that were gone at the latest check; none where there was no check.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn queues_gone(&self, desk: &DeskId) -> Result<Vec<QueueSpec>> {
        let mut ask = self.connection.prepare_cached("SELECT gone FROM queue_checks WHERE desk = ?")?;
        let gone: Option<String> = ask.query_row([desk.as_str()], |row| row.get(0)).optional()?;
        gone.map_or(Ok(Vec::new()), |gone| from_json(|| format!("queues of {desk}"), &gone))
    }

    /// Every desk's queues that were gone at its latest check, with its instant.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn all_queues_gone(&self) -> Result<Vec<(DeskId, QueueSpec, Timestamp)>> {
        let mut ask = self.connection.prepare_cached("SELECT desk, gone, at FROM queue_checks ORDER BY desk")?;
        let rows = ask.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
        let mut all = Vec::new();
        for row in rows {
            let (desk, gone, at) = row?;
            let gone: Vec<QueueSpec> = from_json(|| format!("queues of {desk}"), &gone)?;
            all.extend(gone.into_iter().map(|queue| (DeskId::new(desk.clone()), queue, instant(at))));
        }
        Ok(all)
    }

    /// When a desk's queues were last checked.
    ///
    /// # Errors
    /// SQLite's.
    pub fn queues_checked(&self, desk: &DeskId) -> Result<Option<Timestamp>> {
        let mut ask = self.connection.prepare_cached("SELECT at FROM queue_checks WHERE desk = ?")?;
        Ok(ask.query_row([desk.as_str()], |row| row.get(0)).optional()?.map(instant))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, ledger};
    use super::*;

    #[test]
    fn the_latest_check_counts() {
        let mut ledger = ledger();
        let desk = DeskId::from("acme");
        assert_eq!((ledger.queues_gone(&desk), ledger.queues_checked(&desk)), (Ok(vec![]), Ok(None)));
        let gone = vec![QueueSpec::Name("Billing".into())];
        ledger.note_queues(&desk, &gone, at(1)).expect("noted");
        assert_eq!((ledger.queues_gone(&desk), ledger.queues_checked(&desk)), (Ok(gone.clone()), Ok(Some(at(1)))));
        assert_eq!(ledger.all_queues_gone(), Ok(vec![(desk.clone(), gone[0].clone(), at(1))]));
        ledger.note_queues(&desk, &[], at(2)).expect("noted");
        assert_eq!((ledger.queues_gone(&desk), ledger.queues_checked(&desk)), (Ok(vec![]), Ok(Some(at(2)))));
        assert_eq!(ledger.all_queues_gone(), Ok(vec![]));
    }
}
