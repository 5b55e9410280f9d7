//! Waits for somebody of a receiving team to take a case on: until when, how many steps were taken because nobody did, and
//! the reminders of those steps. A wait ends in the transaction that notes the claim, the end of the handoff or the move.

use super::codec::{instant, millis};
use super::error::Result;
use super::open::Ledger;
use super::records::{ClaimWait, Purpose, UnclaimedRecord};
use super::states::EffectState;
use crate::policy::names::{RuleName, TeamName};
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::params;

impl Ledger {
    /// How the wait for a claim stands. A claim that was noted meanwhile has ended it.
    pub(super) fn wait_for_claim(&mut self, claim: &ClaimWait, now: Timestamp) -> Result<()> {
        let waits = "UPDATE handoffs SET claim_due = ?2, unclaimed_at = CASE WHEN unclaimed_steps < ?3 THEN ?4 ELSE unclaimed_at END,
                 unclaimed_steps = ?3 WHERE id = ?1 AND claimed_at IS NULL";
        let values = params![claim.handoff, claim.due.map(millis), claim.steps, millis(now)];
        if self.connection.prepare_cached(waits)?.execute(values)? == 0 {
            return Ok(());
        }
        // What the step before had to say, and could not be said, is said by this one.
        if !claim.effects.is_empty() {
            self.drop_reminders(&claim.handoff, "the next step was taken before it went out")?;
        }
        match claim.due {
            Some(_) => self.plan_anew(&claim.handoff, &claim.effects, Purpose::Reminder, now),
            None => self.stop_waiting(&claim.handoff),
        }
    }

    /// Somebody has taken the case on, or it has gone elsewhere: nobody is waited for or reminded any more.
    pub(super) fn stop_waiting(&mut self, handoff: &str) -> Result<()> {
        self.drop_reminders(handoff, "nobody has to be reminded any more")?;
        self.connection.prepare_cached("UPDATE handoffs SET claim_due = NULL WHERE id = ?")?.execute([handoff])?;
        Ok(())
    }

    fn drop_reminders(&mut self, handoff: &str, reason: &str) -> Result<()> {
        for effect in self.effects_of(handoff)? {
            let waits = matches!(effect.state, EffectState::Due { .. } | EffectState::Parked { .. });
            if effect.purpose == Purpose::Reminder && waits {
                self.drop_one(&effect, Some(reason))?;
            }
        }
        Ok(())
    }

    /// The case is over: nobody is waited for any more, by whichever of its handoffs.
    pub(super) fn stop_waiting_at_all(&mut self, desk: &DeskId, ticket: &TicketId) -> Result<()> {
        self.stop_waiting_outside(desk, ticket, None)
    }

    /// Whether somebody is still to take this handoff on.
    pub(super) fn is_waited_for(&self, handoff: &str) -> Result<bool> {
        let waits = "SELECT EXISTS (SELECT 1 FROM handoffs WHERE id = ? AND claim_due IS NOT NULL)";
        Ok(self.connection.prepare_cached(waits)?.query_row([handoff], |row| row.get(0))?)
    }

    /// The case lies with a team now: nobody of another is waited for.
    pub(super) fn stop_waiting_elsewhere(&mut self, desk: &DeskId, ticket: &TicketId) -> Result<()> {
        let team = self.stays(desk, ticket)?.pop().and_then(|change| change.stay).map(|stay| stay.team);
        self.stop_waiting_outside(desk, ticket, team.as_ref())
    }

    fn stop_waiting_outside(&mut self, desk: &DeskId, ticket: &TicketId, team: Option<&TeamName>) -> Result<()> {
        let waiting: Vec<String> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT id FROM handoffs WHERE desk = ? AND ticket = ? AND claim_due IS NOT NULL AND to_team IS NOT ?",
            )?;
            let values = params![desk.as_str(), ticket.as_str(), team.map(TeamName::as_str)];
            let rows = statement.query_map(values, |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        waiting.iter().try_for_each(|handoff| self.stop_waiting(handoff))
    }

    /// Handoffs that nobody has claimed in time, longest first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn unclaimed(&self, now: Timestamp) -> Result<Vec<UnclaimedRecord>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, desk, ticket, rule, to_team, claim_due, unclaimed_steps FROM handoffs
             WHERE claim_due <= ? ORDER BY claim_due, id",
        )?;
        let rows = statement.query_map([millis(now)], |row| {
            Ok(UnclaimedRecord {
                handoff: row.get(0)?,
                desk: DeskId::new(row.get::<_, String>(1)?),
                ticket: TicketId::new(row.get::<_, String>(2)?),
                rule: RuleName::new(row.get::<_, String>(3)?),
                to: TeamName::new(row.get::<_, String>(4)?),
                due: instant(row.get(5)?),
                steps: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
