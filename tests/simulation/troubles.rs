//! What keeps the ledger from being written for a while: a disk without room, another program that holds the file's lock.

use fastrand::Rng;
use handoffd::daemon::running::Running;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

/// How soon what could not be set is set again.
const AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// A trouble of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The file cannot grow.
    Full,
    /// Another program has its lock.
    Locked,
}

/// From when until when, and what.
pub fn of_a_day(random: &mut Rng, begin: Timestamp) -> Vec<(Timestamp, Timestamp, Trouble)> {
    let mut troubles = Vec::new();
    for trouble in [Trouble::Full, Trouble::Locked] {
        if random.bool() {
            let from = begin + SignedDuration::from_secs(random.i64(3_600..22 * 3_600));
            // Mostly minutes; now and then nobody makes room for an hour.
            let longest = if random.u8(0..4) == 0 { 90 } else { 10 };
            troubles.push((from, from + SignedDuration::from_secs(random.i64(5..longest * 60)), trouble));
        }
    }
    troubles
}

/// Lets the disk be as full as it is.
pub async fn tighten(running: Running, full: Rc<Cell<bool>>) {
    let house = running.house();
    loop {
        let full = full.get();
        if house.ledger.call(move |ledger| ledger.tightened(full)).await.is_ok() {
            return;
        }
        // Another program has its lock at the same time.
        house.seams.clock.sleep_until(house.seams.clock.now() + AGAIN).await;
    }
}

/// The other program.
pub struct Stranger(Option<Connection>);

impl Stranger {
    /// It does nothing yet.
    pub fn new() -> Self {
        Self(None)
    }

    /// Takes the lock, and holds it.
    pub fn locks(&mut self, ledger: &Path) {
        if self.0.is_none() {
            let connection = Connection::open(ledger).expect("the ledger's file");
            connection.execute_batch("BEGIN IMMEDIATE").expect("nobody else holds it between two transactions");
            self.0 = Some(connection);
        }
    }

    /// Lets go; gives whether it held it.
    pub fn lets_go(&mut self) -> bool {
        let Some(connection) = self.0.take() else { return false };
        connection.execute_batch("ROLLBACK").expect("its own transaction");
        true
    }
}
