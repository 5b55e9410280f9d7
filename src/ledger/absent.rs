//! What waits for desks that are not configured any more. Nothing of it is taken, and nothing is lost: it goes on when the desk
//! is configured again, or a person gives it up.

use super::codec::{instant, millis};
use super::effects::WAITING;
use super::error::{LedgerError, Result};
use super::looks::{LOOKED_AT, each_desk};
use super::open::Ledger;
use super::people::Act;
use super::records::Busy;
use super::states::HandoffEvent;
use handoffd_kit::id::DeskId;
use jiff::Timestamp;
use rusqlite::params;
use std::collections::BTreeSet;

/// What waits for one desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskWaits {
    /// Which desk.
    pub desk: DeskId,
    /// Tickets to be looked at.
    pub looks: u32,
    /// Handoffs that are asking, in review or being sent.
    pub handoffs: u32,
    /// Effects that are due, unsure or parked.
    pub effects: u32,
    /// The earliest instant at which something was to be done or was decided.
    pub since: Option<Timestamp>,
}

impl DeskWaits {
    /// In words.
    pub fn shown(&self) -> String {
        let Self { looks, handoffs, effects, .. } = self;
        format!("{looks} looks, {handoffs} handoffs, {effects} effects")
    }

    /// The command that gives it up.
    pub fn give_up(&self) -> String {
        format!("handoffd parked drop --desk {} --reason \"…\"", self.desk)
    }
}

const LOOKS: &str = "SELECT count(*), min(due) FROM looks INDEXED BY looks_due WHERE desk = ?";
const HANDOFFS: &str = "SELECT count(*), min(created_at) FROM handoffs INDEXED BY handoffs_open
    WHERE state IN ('asking', 'in_review', 'sending') AND desk = ?";
const EFFECTS: &str = "SELECT count(*), min(due) FROM effects INDEXED BY effects_state
    WHERE state IN ('due', 'in_flight', 'unsure', 'parked') AND desk = ?";

const OPEN_ON: &str = "handoffs INDEXED BY handoffs_open WHERE state IN ('asking', 'in_review', 'sending')";
const PARKED_ON: &str = "SELECT DISTINCT desk FROM effects INDEXED BY effects_state WHERE state = 'parked'";

impl Ledger {
    /// What waits for desks other than these.
    ///
    /// # Errors
    /// SQLite's.
    pub fn waits_for_others(&self, configured: &BTreeSet<DeskId>) -> Result<Vec<DeskWaits>> {
        let mut desks = BTreeSet::new();
        for of in [LOOKED_AT, WAITING] {
            desks.extend(self.desks_that_wait(of, &Busy::default())?);
        }
        for sql in [each_desk(OPEN_ON).as_str(), PARKED_ON] {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| row.get(0).map(|desk: String| DeskId::new(desk)))?;
            desks.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
        }
        desks.into_iter().filter(|desk| !configured.contains(desk)).map(|desk| self.waits_for(desk)).collect()
    }

    fn waits_for(&self, desk: DeskId) -> Result<DeskWaits> {
        let count = |sql: &str| -> Result<(u32, Option<i64>)> {
            let mut statement = self.connection.prepare_cached(sql)?;
            Ok(statement.query_row([desk.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?)
        };
        let ((looks, look), (handoffs, handoff), (effects, effect)) =
            (count(LOOKS)?, count(HANDOFFS)?, count(EFFECTS)?);
        let since = [look, handoff, effect].into_iter().flatten().min().map(instant);
        Ok(DeskWaits { desk, looks, handoffs, effects, since })
    }

    /// Gives up what waits for a desk. What is on it stays there. Handoffs that were not sent whole are withdrawn.
    ///
    /// # Errors
    /// [`LedgerError::WrongState`] where nothing waits for it.
    pub fn drop_desk(&mut self, desk: &DeskId, act: &Act) -> Result<DeskWaits> {
        self.atomically(|ledger| {
            let waits = ledger.waits_for(desk.clone())?;
            if waits.looks + waits.handoffs + waits.effects == 0 {
                let words = format!("nothing waits for a desk {desk}; `handoffd parked list` shows what waits");
                return Err(LedgerError::WrongState(words));
            }
            let reason = act.reason.as_deref().unwrap_or("no reason given");
            let detail = format!("given up by {} with its desk, which is not configured: {reason}", act.by);
            ledger.drop_effects_on(desk, &detail)?;
            ledger.withdraw_on(desk, &detail)?;
            for table in ["looks", "place_waits", "case_troubles", "stocktaking", "lost_owners"] {
                ledger.connection.execute(&format!("DELETE FROM {table} WHERE desk = ?"), [desk.as_str()])?;
            }
            ledger.connection.execute(
                "UPDATE pauses SET ended_at = ? WHERE desk = ? AND ended_at IS NULL",
                params![millis(act.at), desk.as_str()],
            )?;
            // Nobody is waited for there any more, neither for a claim nor for a task.
            ledger.connection.execute("UPDATE handoffs SET claim_due = NULL WHERE desk = ?", [desk.as_str()])?;
            ledger.connection.execute(
                "UPDATE tasks SET done_at = ?, done_by = ? WHERE desk = ? AND done_at IS NULL",
                params![millis(act.at), act.by, desk.as_str()],
            )?;
            ledger.note_act(act, "drop", &format!("desk {desk}"))?;
            Ok(waits)
        })
    }

    fn drop_effects_on(&mut self, desk: &DeskId, detail: &str) -> Result<()> {
        let open = "SELECT id FROM effects WHERE state IN ('due', 'in_flight', 'unsure', 'parked') AND desk = ?";
        for id in self.ids::<i64>(open, desk)? {
            let effect = match self.effect(id) {
                Err(error @ LedgerError::Unreadable { .. }) => {
                    self.park_unreadable(id, &error)?;
                    self.effect_as_far_as_possible(id)?
                }
                effect => effect?,
            };
            self.drop_one(&effect, Some(detail))?;
        }
        Ok(())
    }

    fn withdraw_on(&mut self, desk: &DeskId, detail: &str) -> Result<()> {
        let open = "SELECT id FROM handoffs WHERE state IN ('asking', 'in_review', 'sending') AND desk = ?";
        for id in self.ids::<String>(open, desk)? {
            self.step_handoff(&id, HandoffEvent::Withdrawn)?;
            self.connection.execute("UPDATE handoffs SET detail = ? WHERE id = ?", [detail, id.as_str()])?;
        }
        Ok(())
    }

    fn ids<T: rusqlite::types::FromSql>(&self, sql: &str, desk: &DeskId) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([desk.as_str()], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{act, at, claim, decide, ledger, look, looks_due, nothing_found, sending};
    use super::super::states::{EffectState, HandoffState};
    use super::*;

    fn configured(desks: &[&'static str]) -> BTreeSet<DeskId> {
        desks.iter().copied().map(DeskId::from).collect()
    }

    /// A ledger with a handoff half sent and a look on acme, and a look on globex.
    fn waiting() -> Ledger {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        ledger.record_case(&nothing_found("1", at(0))).expect("looked at");
        ledger.note_looks(&"acme".into(), &[look("1", at(5))]).expect("noted");
        ledger.note_looks(&"globex".into(), &[look("7", at(6))]).expect("noted");
        ledger
    }

    #[test]
    fn what_waits_for_a_desk_is_counted_where_it_is_not_configured() {
        let ledger = waiting();
        assert_eq!(ledger.waits_for_others(&configured(&["acme", "globex"])), Ok(Vec::new()));
        let acme = DeskWaits { desk: "acme".into(), looks: 1, handoffs: 1, effects: 2, since: Some(at(0)) };
        assert_eq!(ledger.waits_for_others(&configured(&["globex"])), Ok(vec![acme]));
        assert_eq!(ledger.waits_for_others(&configured(&[])).expect("both").len(), 2);
    }

    #[test]
    fn nothing_is_taken_for_a_desk_that_is_not_among_those_that_are_open() {
        let mut ledger = waiting();
        let busy = Busy { only: Some(configured(&["globex"])), ..Busy::default() };
        assert_eq!(ledger.claim_due_effect(at(9), &busy), Ok(None));
        let looks = ledger.due_looks(at(9), 10, &busy).expect("due");
        assert_eq!(looks.iter().map(|look| look.desk.as_str()).collect::<Vec<_>>(), ["globex"]);
        assert_eq!(ledger.next_due(&busy), Ok(Some(at(6))));
        let counts = ledger.counts_among(&busy, at(9)).expect("counted");
        assert_eq!((counts.oldest_look, counts.oldest_effect), (Some(at(6)), None), "nobody is to hurry for it");
        let back = Busy { only: Some(configured(&["acme", "globex"])), ..Busy::default() };
        assert!(ledger.claim_due_effect(at(9), &back).expect("claimed").is_some(), "it goes on by itself");
    }

    #[test]
    fn what_waits_is_given_up_whole_with_its_reason_and_who() {
        let mut ledger = waiting();
        claim(&mut ledger, at(1)).expect("the transfer is under way");
        ledger.recover(at(2)).expect("unsure");
        let waited_for = "UPDATE handoffs SET claim_due = 1;
            INSERT INTO tasks (handoff, desk, ticket, task, since, until) VALUES ('h1', 'acme', '1', 'Answer', 0, 1);
            INSERT INTO lost_owners (desk, ticket, owner, why, since) VALUES ('acme', '1', '21', 'gone', 0)";
        ledger.connection.execute_batch(waited_for).expect("waited for");
        let given_up = ledger.drop_desk(&"acme".into(), &act(at(9))).expect("given up");
        assert_eq!((given_up.looks, given_up.handoffs, given_up.effects), (1, 1, 2));
        let handoff = ledger.handoff("h1").expect("kept");
        assert_eq!(handoff.state, HandoffState::Withdrawn);
        assert!(handoff.effects.iter().all(|effect| effect.state == EffectState::Dropped), "{:?}", handoff.effects);
        assert!(handoff.detail.is_some_and(|detail| detail.contains(&act(at(9)).by)));
        assert_eq!(looks_due(&ledger, Timestamp::MAX).len(), 1, "globex's");
        assert!(matches!(ledger.drop_desk(&"acme".into(), &act(at(9))), Err(LedgerError::WrongState(_))));
        let open = (ledger.unclaimed(at(9)), ledger.tasks(), ledger.lost_owners());
        assert_eq!(open, (Ok(Vec::new()), Ok(Vec::new()), Ok(Vec::new())), "nobody is waited for or missed");
        let acts: u32 = ledger
            .connection
            .query_row("SELECT count(*) FROM acts WHERE what = 'drop' AND about = 'desk acme'", [], |row| row.get(0))
            .expect("counted");
        assert_eq!(acts, 1);
        assert_eq!(ledger.tallies(), ledger.counted_anew());
    }

    #[test]
    fn what_cannot_be_read_is_given_up_too() {
        let mut ledger = waiting();
        ledger.connection.execute("UPDATE effects SET write = '{]' WHERE number = 1", []).expect("garbled");
        ledger.connection.execute("UPDATE handoffs SET proposal = 'broken'", []).expect("garbled");
        ledger.drop_desk(&"acme".into(), &act(at(9))).expect("given up");
        assert_eq!(ledger.waits_for_others(&configured(&["globex"])), Ok(Vec::new()));
    }
}
