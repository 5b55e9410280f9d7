//! Waits for somebody of a receiving team to take a case on: until when, how many steps were taken because nobody did, and
//! the reminders of those steps. A wait ends in the transaction that notes the claim, the end of the handoff or the move.

use super::codec::{instant, millis};
use super::error::{LedgerError, Result};
use super::handoffs::has_moved;
use super::open::Ledger;
use super::records::{ClaimWait, HandoffRecord, Purpose, UnclaimedRecord};
use super::states::EffectState;
use crate::plan::alert::About;
use crate::policy::names::{RuleName, TeamName};
use crate::policy::proposal::Proposal;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::params;

impl Ledger {
    /// How the wait for a claim stands. A claim that was noted meanwhile has ended it.
    pub(super) fn wait_for_claim(&mut self, claim: &ClaimWait, now: Timestamp) -> Result<()> {
        let waits =
            "UPDATE handoffs SET claim_due = ?2, unclaimed_steps = ?3, unclaimed_at = coalesce(?4, unclaimed_at)
                 WHERE id = ?1 AND claimed_at IS NULL";
        let values = params![claim.handoff, claim.due.map(millis), claim.steps, claim.since.map(millis)];
        let taken = self.unclaimed_steps(&claim.handoff)?;
        if self.connection.prepare_cached(waits)?.execute(values)? == 0 {
            return Ok(());
        }
        if claim.steps > taken && !claim.effects.is_empty() {
            let handoff = self.handoff(&claim.handoff)?;
            self.tell(&handoff.proposal, &handoff.id, &About::Unclaimed { step: claim.steps }, now)?;
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

    fn unclaimed_steps(&self, handoff: &str) -> Result<u32> {
        let steps = "SELECT coalesce(max(unclaimed_steps), 0) FROM handoffs WHERE id = ?";
        Ok(self.connection.prepare_cached(steps)?.query_row([handoff], |row| row.get(0))?)
    }

    /// Somebody has taken the case on, or it has gone elsewhere: nobody is waited for or reminded any more.
    pub(super) fn stop_waiting(&mut self, handoff: &str) -> Result<()> {
        self.drop_reminders(handoff, "nobody has to be reminded any more")?;
        self.connection.prepare_cached("UPDATE handoffs SET claim_due = NULL WHERE id = ?")?.execute([handoff])?;
        Ok(())
    }

    pub(super) fn drop_reminders(&mut self, handoff: &str, reason: &str) -> Result<()> {
        for effect in self.effects_of(handoff)? {
            let waits = matches!(effect.state, EffectState::Due { .. } | EffectState::Parked { .. });
            if effect.purpose == Purpose::Reminder && waits {
                self.drop_one(&effect, Some(reason))?;
            }
        }
        Ok(())
    }

    /// A handoff to the next team, or back, has ended and moved nothing: the one that nobody had claimed is waited for again.
    /// Where it was only not to be sent, its step was not taken; where a person said no to it, it was, and the next one has
    /// its own time from now. The look that follows says until when.
    pub(super) fn wait_again(&mut self, ended: &str, a_person_said_no: bool, now: Timestamp) -> Result<()> {
        let handoff = match self.handoff(ended) {
            // It is given up by hand.
            Err(LedgerError::Unreadable { .. }) => return Ok(()),
            handoff => handoff?,
        };
        let Proposal { chained, desk, ticket, from, .. } = &handoff.proposal;
        let Some(chained) = chained else { return Ok(()) };
        let lies_with = self.stays(desk, ticket)?.pop().and_then(|change| change.stay).map(|stay| stay.team);
        if handoff.effects.iter().any(has_moved) || lies_with != *from {
            return Ok(());
        }
        let (back, since) = if a_person_said_no { (0, Some(millis(now))) } else { (1, None) };
        let again = self
            .connection
            .prepare_cached(
                "UPDATE handoffs SET claim_due = ?2, unclaimed_steps = max(unclaimed_steps - ?3, 0),
                     unclaimed_at = coalesce(?4, unclaimed_at)
                 WHERE id = ?1 AND claimed_at IS NULL AND claim_due IS NULL AND state IN ('verifying', 'settled')
                   AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.desk = handoffs.desk AND c.ticket = handoffs.ticket
                                   AND c.ended_at IS NOT NULL)",
            )?
            .execute(params![chained.of, millis(now), back, since])?;
        if again > 0 { self.wait_to_look(desk, ticket, now) } else { Ok(()) }
    }

    /// A person gave a handoff to the next team, or back, up: its step is not taken again, and the next one has its own time.
    pub(super) fn pass_step_over(&mut self, given_up: &HandoffRecord, now: Timestamp) -> Result<()> {
        let Some(chained) = &given_up.proposal.chained else { return Ok(()) };
        self.connection
            .prepare_cached(
                "UPDATE handoffs SET unclaimed_steps = unclaimed_steps + 1, unclaimed_at = ? WHERE id = ? AND claim_due IS NOT NULL",
            )?
            .execute(params![millis(now), chained.of])?;
        Ok(())
    }

    /// The case is over: nobody is waited for any more, by whichever of its handoffs.
    pub(super) fn stop_waiting_at_all(&mut self, desk: &DeskId, ticket: &TicketId) -> Result<()> {
        self.close_handed_over_outside(desk, ticket, None)?;
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
        self.close_handed_over_outside(desk, ticket, team.as_ref().map(TeamName::as_str))?;
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

#[cfg(test)]
mod tests {
    use super::super::records::{CaseUpdate, NewHandoff};
    use super::super::samples::{accepted, at, claim, decide, ledger, nothing_found, sending, stay};
    use super::super::states::HandoffState;
    use super::*;
    use crate::policy::verdict::{Outcome, StayReason, Verdict};

    /// A handoff to billing that is waited for until 100.
    fn waited_for(ledger: &mut Ledger) {
        let mut handoff = sending("h1", "1", "v1");
        handoff.effects.truncate(1);
        decide(ledger, handoff, at(0));
        let transfer = claim(ledger, at(1)).expect("transfer");
        ledger.record_outcome(&accepted(&transfer, "v2", at(2))).expect("recorded");
        let stays = vec![stay("frontline", "e1", at(-50), None), stay("billing", "e2", at(2), Some("h1"))];
        let wait = ClaimWait { handoff: "h1".into(), due: Some(at(100)), steps: 0, since: None, effects: Vec::new() };
        let update = CaseUpdate { stays, claim: Some(wait), ..nothing_found("1", at(3)) };
        ledger.record_case(&update).expect("recorded");
        assert_eq!(ledger.handoff("h1").expect("kept").claim_due, Some(at(100)));
    }

    fn solved(now: Timestamp) -> CaseUpdate {
        let found = nothing_found("1", now);
        let verdict =
            found.verdict.clone().map(|verdict| Verdict { outcome: Outcome::Stay(StayReason::Ended), ..verdict });
        CaseUpdate { verdict, ..found }
    }

    #[test]
    fn a_case_that_is_over_ends_the_waits_of_its_earlier_handoffs_too() {
        let mut ledger = ledger();
        waited_for(&mut ledger);
        // Another one is in review, and is the one that matters now.
        let next = NewHandoff { state: HandoffState::InReview, effects: Vec::new(), ..sending("h2", "1", "v2") };
        let mut next = next;
        next.proposal.from = Some("billing".into());
        next.proposal.to = "engineering".into();
        decide(&mut ledger, next, at(10));
        assert_eq!(
            ledger.case(&"acme".into(), &"1".into(), at(11)).expect("case").handoff.map(|one| one.id),
            Some("h2".into())
        );
        assert_eq!(ledger.unclaimed(at(200)).expect("listed").len(), 1);
        ledger.record_case(&solved(at(20))).expect("solved");
        assert_eq!(ledger.unclaimed(at(200)), Ok(Vec::new()));
    }
}
