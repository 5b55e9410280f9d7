//! Cases whose look cannot be finished: the desk's answer for this one ticket is never of use, or something that the ledger
//! holds of the case cannot be read. The first are tried again after growing waits and listed once that has failed several
//! times; the second are parked. Both stand in `parked list` with their reason and the next step.

use super::codec::{instant, millis};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::people::Act;
use super::records::{CaseTrouble, FailedLook};
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::params;

/// So many failed looks in a row are listed. Fewer are an ordinary day.
const LISTED: u32 = 5;

impl Ledger {
    /// A look could not be finished. It is counted, leaves its place in a queue to the next, and is due again at the instant
    /// that `again` gives for so many tries, unless a newer one arrived.
    ///
    /// # Errors
    /// SQLite's.
    pub fn look_failed(&mut self, failed: &FailedLook, again: impl FnOnce(u32) -> Timestamp) -> Result<()> {
        let FailedLook { desk, ticket, generation, .. } = failed;
        self.atomically(|ledger| {
            let tries = ledger.count_failure(failed, false)?;
            ledger.postpone_look(desk, ticket, *generation, again(tries))?;
            ledger.leave_queue(desk, ticket, &failed.limits, failed.at)
        })
    }

    /// Something that the ledger holds of a case cannot be read: nothing more is done about it before a person acts.
    ///
    /// # Errors
    /// SQLite's.
    pub fn park_case(&mut self, failed: &FailedLook) -> Result<()> {
        let FailedLook { desk, ticket, generation, .. } = failed;
        self.atomically(|ledger| {
            ledger.count_failure(failed, true)?;
            ledger.clear_look(desk, ticket, *generation)?;
            ledger.leave_queue(desk, ticket, &failed.limits, failed.at)
        })
    }

    /// The first instant stays; what is parked stays so until a person acts.
    fn count_failure(&mut self, failed: &FailedLook, parked: bool) -> Result<u32> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO case_troubles (desk, ticket, what, next_step, since, tries, parked) VALUES (?, ?, ?, ?, ?, 1, ?)
             ON CONFLICT (desk, ticket) DO UPDATE SET what = excluded.what, next_step = excluded.next_step,
                 tries = tries + 1, parked = max(parked, excluded.parked)
             RETURNING tries",
        )?;
        let values = params![
            failed.desk.as_str(),
            failed.ticket.as_str(),
            failed.what,
            failed.next_step,
            millis(failed.at),
            parked
        ];
        Ok(statement.query_row(values, |row| row.get(0))?)
    }

    /// A look was finished: whatever was the matter is over. Gives whether anything was.
    pub(super) fn case_is_well(&mut self, desk: &DeskId, ticket: &TicketId) -> Result<bool> {
        let mut statement =
            self.connection.prepare_cached("DELETE FROM case_troubles WHERE desk = ? AND ticket = ?")?;
        Ok(statement.execute([desk.as_str(), ticket.as_str()])? > 0)
    }

    /// Cases in trouble that a person should know of, longest first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn case_troubles(&self) -> Result<Vec<CaseTrouble>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT desk, ticket, what, next_step, since, tries, parked FROM case_troubles
             WHERE parked <> 0 OR tries >= ? ORDER BY since, desk, ticket",
        )?;
        let rows = statement.query_map([LISTED], |row| {
            Ok(CaseTrouble {
                desk: DeskId::new(row.get::<_, String>(0)?),
                ticket: TicketId::new(row.get::<_, String>(1)?),
                what: row.get(2)?,
                next_step: row.get(3)?,
                since: instant(row.get(4)?),
                tries: row.get(5)?,
                parked: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Looks at a case in trouble again, now.
    ///
    /// # Errors
    /// [`LedgerError::WrongState`] where it is in none.
    pub fn retry_case(&mut self, desk: &DeskId, ticket: &TicketId, act: &Act) -> Result<()> {
        self.atomically(|ledger| {
            ledger.out_of_trouble(desk, ticket)?;
            ledger.look_anew(desk, ticket, act.at)?;
            ledger.note_act(act, "retry", &format!("{desk}/{ticket}"))
        })
    }

    /// Gives a case in trouble up until something changes on its ticket. Handoffs that cannot be read are over, and what
    /// they had left to send is dropped; their rules do not fire again in the same stay.
    ///
    /// # Errors
    /// [`LedgerError::WrongState`] where it is in none.
    pub fn drop_case(&mut self, desk: &DeskId, ticket: &TicketId, act: &Act) -> Result<()> {
        self.atomically(|ledger| {
            ledger.out_of_trouble(desk, ticket)?;
            let key = [desk.as_str(), ticket.as_str()];
            ledger.connection.execute("DELETE FROM looks WHERE desk = ? AND ticket = ?", key)?;
            ledger.connection.execute("DELETE FROM place_waits WHERE desk = ? AND ticket = ?", key)?;
            for id in ledger.unreadable_handoffs(desk, ticket)? {
                ledger.end_unreadable(&id, act)?;
            }
            ledger.note_act(act, "drop", &format!("{desk}/{ticket}"))
        })
    }

    fn out_of_trouble(&mut self, desk: &DeskId, ticket: &TicketId) -> Result<()> {
        if self.case_is_well(desk, ticket)? {
            return Ok(());
        }
        let words = format!("{desk}/{ticket} is in no trouble; `handoffd parked list` shows what is");
        Err(LedgerError::WrongState(words))
    }

    fn unreadable_handoffs(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<String>> {
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM handoffs WHERE desk = ? AND ticket = ? ORDER BY rowid")?;
        let ids = statement.query_map([desk.as_str(), ticket.as_str()], |row| row.get(0))?;
        let ids: Vec<String> = ids.collect::<rusqlite::Result<_>>()?;
        let broken = |id: &String| matches!(self.handoff(id), Err(LedgerError::Unreadable { .. }));
        Ok(ids.into_iter().filter(broken).collect())
    }

    /// What cannot be read takes no step of its states: it is ended by hand.
    fn end_unreadable(&mut self, handoff: &str, act: &Act) -> Result<()> {
        let detail = format!("given up by {}: the ledger cannot read it", act.by);
        self.connection.execute(
            "UPDATE handoffs SET state = 'rejected', detail = ?, risks = '[]' WHERE id = ?",
            params![detail, handoff],
        )?;
        self.connection.execute(
            "UPDATE effects SET state = 'dropped', state_data = '{\"state\":\"dropped\"}', due = NULL, reason = ?
             WHERE handoff = ? AND state IN ('due', 'parked')",
            params![detail, handoff],
        )?;
        Ok(())
    }

    /// An effect that cannot be read, or whose handoff cannot, is parked: it may have been sent.
    ///
    /// # Errors
    /// SQLite's.
    pub fn park_unreadable(&mut self, effect: i64, error: &LedgerError) -> Result<()> {
        tracing::error!(effect.id = effect, error = %error, "ledger.effect_unreadable");
        self.connection.execute(
            "UPDATE effects SET state = 'parked', due = NULL, reason = ?, next_step = ?,
                 state_data = '{\"state\":\"parked\",\"attempt\":0,\"unsure\":true}' WHERE id = ?",
            params![
                error.to_string(),
                "look at the ticket; then restore a backup of the ledger, or `handoffd parked drop`",
                effect
            ],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{act, at, claim, decide, ledger, look, looks_due, nothing_found, sending};
    use super::super::states::HandoffState;
    use super::*;
    use crate::policy::rules::Limits;
    use jiff::SignedDuration;

    fn failed(ledger: &Ledger, what: &str, now: Timestamp) -> FailedLook {
        let generation = looks_due(ledger, Timestamp::MAX)[0].generation;
        FailedLook {
            desk: "acme".into(),
            ticket: "1".into(),
            generation,
            what: what.into(),
            next_step: "look at the ticket".into(),
            at: now,
            limits: Limits::default(),
        }
    }

    fn garble(ledger: &Ledger, sql: &str) {
        ledger.connection.execute(sql, []).expect("garbled");
    }

    #[test]
    fn looks_that_fail_are_counted_put_off_and_listed_after_a_while() {
        let mut ledger = ledger();
        ledger.note_looks(&"acme".into(), &[look("1", at(0))]).expect("noted");
        for tries in 1..=5 {
            assert_eq!(ledger.case_troubles(), Ok(Vec::new()), "not yet after {}", tries - 1);
            let once = failed(&ledger, "no JSON", at(tries));
            let again = |count: u32| at(100 * i64::from(count));
            ledger.look_failed(&once, again).expect("put off");
            assert_eq!(looks_due(&ledger, Timestamp::MAX)[0].due, at(100 * tries));
        }
        let listed = ledger.case_troubles().expect("listed").remove(0);
        assert_eq!((listed.tries, listed.since, listed.parked, listed.what.as_str()), (5, at(1), false, "no JSON"));
        ledger.record_case(&nothing_found("1", at(900))).expect("a look that is finished");
        assert_eq!(ledger.case_troubles(), Ok(Vec::new()));
    }

    #[test]
    fn a_person_can_look_again_at_once_or_give_it_up_until_something_changes() {
        let mut ledger = ledger();
        for (again, left) in [(true, 1), (false, 0)] {
            ledger.note_looks(&"acme".into(), &[look("1", at(0))]).expect("noted");
            let once = failed(&ledger, "a row", at(0));
            ledger.park_case(&once).expect("parked");
            assert!(looks_due(&ledger, Timestamp::MAX).is_empty() && ledger.case_troubles().expect("one")[0].parked);
            let (desk, ticket) = ("acme".into(), "1".into());
            let done = if again {
                ledger.retry_case(&desk, &ticket, &act(at(7)))
            } else {
                ledger.drop_case(&desk, &ticket, &act(at(7)))
            };
            done.expect("done");
            assert_eq!(looks_due(&ledger, at(7)).len(), left);
            assert!(ledger.retry_case(&desk, &ticket, &act(at(8))).is_err(), "it is in no trouble any more");
            garble(&ledger, "DELETE FROM looks");
        }
    }

    #[test]
    fn an_effect_that_cannot_be_read_is_parked_and_listed_and_the_others_go_on() {
        for column in ["write", "state_data"] {
            let mut ledger = ledger();
            decide(&mut ledger, sending("h1", "1", "v1"), at(0));
            decide(&mut ledger, sending("h2", "2", "v1"), at(1));
            garble(&ledger, &format!("UPDATE effects SET {column} = '{{]' WHERE handoff = 'h1' AND number = 1"));
            assert_eq!(claim(&mut ledger, at(2)).expect("the other one").effect.handoff, "h2", "{column}");
            let parked = ledger.parked().expect("listed");
            assert_eq!(parked.len(), 1);
            assert!(parked[0].reason.is_some() && parked[0].next_step.is_some());
            assert!(ledger.case(&"acme".into(), &"1".into(), at(3)).is_ok(), "the case itself can be read");
            ledger.drop_effect(parked[0].id, &act(at(4))).expect("given up");
            assert_eq!(ledger.handoff("h1").expect("kept").state, HandoffState::Withdrawn);
        }
    }

    #[test]
    fn a_start_meets_an_unreadable_effect_in_flight_and_comes_up() {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        claim(&mut ledger, at(1)).expect("in flight");
        garble(&ledger, "UPDATE effects SET write = '{]' WHERE state = 'in_flight'");
        assert_eq!(ledger.recover(at(2)), Ok(0));
        assert_eq!(ledger.parked().expect("listed").len(), 1);
    }

    #[test]
    fn a_handoff_that_cannot_be_read_is_given_up_by_hand_and_its_rule_does_not_fire_again() {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        garble(&ledger, "UPDATE handoffs SET proposal = 'broken'");
        let (desk, ticket) = (DeskId::from("acme"), TicketId::from("1"));
        let unreadable = ledger.case(&desk, &ticket, at(1)).expect_err("broken");
        assert!(matches!(unreadable, LedgerError::Unreadable { .. }));
        assert_eq!(claim(&mut ledger, at(1)), None, "its effect is parked");
        assert_eq!(ledger.handoffs(&super::super::HandoffFilter::default()), Ok(Vec::new()), "the list goes on");
        ledger.note_looks(&desk, &[look("1", at(1))]).expect("noted");
        let once = failed(&ledger, "its handoff", at(1));
        ledger.park_case(&once).expect("parked");
        ledger.drop_case(&desk, &ticket, &act(at(2))).expect("given up");
        let memory = ledger.case(&desk, &ticket, at(3)).expect("readable again").memory;
        assert_eq!((memory.open, memory.fired.len()), (None, 1));
        let one_hour = at(3) + SignedDuration::from_hours(1);
        assert_eq!(claim(&mut ledger, one_hour), None);
    }
}
