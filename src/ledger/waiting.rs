//! The tickets behind each number of what waits: lists with a bound, those that wait longest first.

use super::codec::millis;
use super::effects::paused_tickets;
use super::error::Result;
use super::open::Ledger;
use jiff::Timestamp;
use rusqlite::named_params;

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Tickets to be looked at.
    Looks,
    /// Writes on their way.
    Writes,
    /// Writes that a pause holds.
    Paused,
    /// Handoffs that nobody took on in time.
    Unclaimed,
    /// Cases that wait for a place in the hour.
    Places,
    /// Tasks of agents before that are overdue.
    Tasks,
    /// Cases that rules would hand off and may not.
    Would,
}

impl Waiting {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Looks, Self::Writes, Self::Paused, Self::Unclaimed, Self::Places, Self::Tasks, Self::Would];

    /// Its word, in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Looks => "looks",
            Self::Writes => "writes",
            Self::Paused => "paused",
            Self::Unclaimed => "unclaimed",
            Self::Places => "places",
            Self::Tasks => "tasks",
            Self::Would => "would",
        }
    }

    /// By its word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|waiting| waiting.name() == word)
    }

    /// For people.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Looks => "tickets to be looked at, now or later",
            Self::Writes => "writes on their way",
            Self::Paused => "writes held by a pause",
            Self::Unclaimed => "handoffs that nobody took on in time",
            Self::Places => "cases that wait for a place in the hour",
            Self::Tasks => "tasks of agents before that are overdue",
            Self::Would => "cases that rules would hand off and may not",
        }
    }

    fn sql(self) -> String {
        let (from, order) = match self {
            Self::Looks => ("looks WHERE :now IS NOT NULL", "due"),
            Self::Writes => ("effects WHERE state IN ('due', 'in_flight', 'unsure') AND :now IS NOT NULL", "deadline"),
            Self::Paused => return paused_tickets(),
            Self::Unclaimed => ("handoffs INDEXED BY handoffs_claim WHERE claim_due <= :now", "claim_due"),
            Self::Places => ("place_waits WHERE :now IS NOT NULL", "id"),
            Self::Tasks => ("tasks INDEXED BY tasks_due WHERE done_at IS NULL AND until <= :now", "until"),
            Self::Would => ("would WHERE released = 0 AND :now IS NOT NULL", "since"),
        };
        format!("SELECT desk, ticket FROM {from} GROUP BY desk, ticket ORDER BY min({order}), desk, ticket LIMIT :most")
    }
}

impl Ledger {
    /// The tickets that wait so, each once, at most so many.
    ///
    /// # Errors
    /// SQLite's.
    pub fn tickets_waiting(&self, what: Waiting, now: Timestamp, most: usize) -> Result<Vec<(String, String)>> {
        let mut statement = self.connection.prepare_cached(&what.sql())?;
        let values = named_params! { ":now": millis(now), ":most": i64::try_from(most).unwrap_or(i64::MAX) };
        let rows = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, decide, ledger, sending};
    use super::*;

    #[test]
    fn what_waits_is_listed_by_its_tickets() {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "7", "v1"), at(10));
        let waiting = |what| ledger.tickets_waiting(what, at(20), 5).expect("listed");
        assert_eq!(waiting(Waiting::Writes), [("acme".to_owned(), "7".to_owned())], "its effects, once");
        for what in Waiting::ALL {
            assert_eq!(Waiting::named(what.name()), Some(what));
            assert!(waiting(what).len() <= 1, "{what:?}");
        }
        assert!(waiting(Waiting::Unclaimed).is_empty());
    }
}
