//! What came of an effect, in one transaction with everything that follows from it: the handoff goes on, the next effect
//! learns its version, the ticket is looked at. And what a start makes of what the last process left in flight.

use super::codec::{json, millis};
use super::error::{LedgerError, Result};
use super::handoffs::has_moved;
use super::open::Ledger;
use super::people::Act;
use super::records::{
    EffectOutcome, EffectRecord, HandoffHappening, HandoffRecord, NewLook, Purpose, Switch, SwitchOn,
};
use super::states::{EffectEvent, EffectState, HandoffEvent, HandoffState};
use crate::plan;
use handoffd_kit::desk::{DecidedOn, DeskChange, Receipt, Update, Write};
use jiff::Timestamp;
use rusqlite::params;

impl EffectOutcome {
    /// This happened, and nothing follows from it.
    pub fn new(effect: i64, event: EffectEvent, at: Timestamp) -> Self {
        Self {
            effect,
            event,
            at,
            receipt: None,
            reason: None,
            next_step: None,
            conflict: false,
            handoff: None,
            close: None,
            look_at: None,
            verify_at: None,
            next_expects: None,
            trouble: None,
            incident: None,
        }
    }
}

impl Ledger {
    /// Records what came of an effect, with everything that follows.
    ///
    /// # Errors
    /// SQLite's, or a step that the effect does not have.
    pub fn record_outcome(&mut self, outcome: &EffectOutcome) -> Result<()> {
        self.atomically(|ledger| ledger.note_outcome(outcome))
    }

    fn note_outcome(&mut self, outcome: &EffectOutcome) -> Result<()> {
        let effect = self.effect(outcome.effect)?;
        let next = self.step_effect(effect.id, &effect.state, &outcome.event)?;
        self.put_outcome(outcome)?;
        if matches!(outcome.event, EffectEvent::HeldBack(_)) {
            self.not_tried(&effect, &next)?;
        }
        if let Some(trouble) = &outcome.trouble {
            self.set_trouble(trouble)?;
        }
        if let Some(words) = &outcome.incident {
            let act = Act { by: SwitchOn::US.to_owned(), reason: Some(words.clone()), at: outcome.at };
            self.put_switch(&Switch::Desk(effect.desk.clone()), true, &act)?;
        }
        if next == EffectState::Done {
            self.effect_done(&effect, outcome)?;
        }
        if let Some(happening) = &outcome.handoff {
            self.happen_if_it_can(happening, outcome, effect.purpose)?;
        }
        if let Some(why) = outcome.close {
            self.close_path_if_unmoved(&effect.handoff, why, outcome.at)?;
        }
        self.end_with_its_handoff(effect.id)?;
        if next == EffectState::Dropped && effect.purpose == Purpose::Apart {
            self.drop_what_follows(&effect)?;
        }
        if matches!(next, EffectState::Parked { .. }) {
            self.tell_parked(&self.effect(effect.id)?, outcome.at)?;
        }
        let Some(due) = outcome.look_at else { return Ok(()) };
        let look = NewLook { ticket: effect.write.ticket, due, head: None };
        self.note_look(&effect.desk, &look, outcome.at)
    }

    /// A write that never left and was not tried before: there is nothing on the desk to be looked for.
    fn not_tried(&mut self, effect: &EffectRecord, now: &EffectState) -> Result<()> {
        match now {
            EffectState::Due { attempt: 0, .. } => {
                self.put_write(effect.id, &Write { first_tried: None, ..effect.write.clone() })
            }
            _ => Ok(()),
        }
    }

    fn put_outcome(&mut self, outcome: &EffectOutcome) -> Result<()> {
        // The head in a receipt was compared already; it would only be ticket text in one more place.
        let bare = |receipt: &Receipt| Receipt { head: None, ..receipt.clone() };
        let receipt = outcome.receipt.as_ref().map(|receipt| json("receipt", &bare(receipt))).transpose()?;
        let lost_at = matches!(outcome.event, EffectEvent::Lost(_)).then_some(millis(outcome.at));
        // Looked up again after a conflict and still not there: the first try will not come any more, and what follows is
        // decided anew, for the version that the ticket has now.
        let absent = matches!(outcome.event, EffectEvent::Absent(_));
        self.connection
            .prepare_cached(
                "UPDATE effects SET receipt = coalesce(?2, receipt), reason = ?3, next_step = ?4,
                     conflicts = conflicts + ?5,
                     lost_at = CASE WHEN ?7 AND conflicts > 0 THEN NULL ELSE coalesce(?6, lost_at) END
                 WHERE id = ?1",
            )?
            .execute(params![
                outcome.effect,
                receipt,
                outcome.reason,
                outcome.next_step,
                outcome.conflict,
                lost_at,
                absent
            ])?;
        Ok(())
    }

    /// An ended handoff's last effect can fail too: that changes nothing about how it ended.
    fn happen_if_it_can(
        &mut self,
        happening: &HandoffHappening,
        outcome: &EffectOutcome,
        purpose: Purpose,
    ) -> Result<()> {
        if self.find_handoff(&happening.handoff)?.is_none() {
            return Ok(()); // The effect answers a command.
        }
        let state = self.handoff_state(&happening.handoff)?;
        let possible = happening.event.is_none_or(|event| state.after(event).is_ok());
        let happening = HandoffHappening {
            event: happening.event.filter(|_| possible),
            detail: happening.detail.clone().filter(|_| possible),
            // A rejection or an undo that is stopped halfway says so too, although its handoff has ended long ago.
            closing_note: happening.closing_note.clone().filter(|_| possible || purpose == Purpose::Apart),
            ..happening.clone()
        };
        self.happen(&happening, outcome.at)?;
        if happening.event == Some(HandoffEvent::Sent) {
            self.put_sent(&happening.handoff, outcome.at, outcome.verify_at.unwrap_or(outcome.at))?;
        }
        Ok(())
    }

    /// What was in flight or unsure when its handoff ended, and turns out not to be on the desk, is not sent again.
    fn end_with_its_handoff(&mut self, id: i64) -> Result<()> {
        let effect = self.effect(id)?;
        let waits = matches!(effect.state, EffectState::Due { .. } | EffectState::Parked { .. });
        // What stands apart is wanted whatever has become of the handoff; the answer to a command has none.
        if !waits || matches!(effect.purpose, Purpose::Apart | Purpose::Resume) {
            return Ok(());
        }
        let state = self.handoff_state(&effect.handoff)?;
        let wanted = match effect.purpose {
            Purpose::Handoff => !state.has_ended(),
            Purpose::Apart | Purpose::Resume => true,
            // Somebody may have answered, taken the case on, or moved it, while nobody knew whether this had been sent.
            Purpose::Reminder => {
                state == HandoffState::InReview || !state.has_ended() && self.is_waited_for(&effect.handoff)?
            }
            Purpose::Asking => state == HandoffState::Asking || !plan::asks(effect.number),
        };
        if wanted {
            return Ok(());
        }
        self.drop_one(&effect, None)
    }

    fn effect_done(&mut self, effect: &EffectRecord, outcome: &EffectOutcome) -> Result<()> {
        let ticket = &effect.write.ticket;
        self.note_own_write(&effect.desk, ticket, outcome.at)?;
        let version = outcome.receipt.as_ref().and_then(|receipt| receipt.version.as_ref());
        let public_at = matches!(effect.write.change, DeskChange::Reply(_)).then_some(millis(outcome.at));
        self.connection
            .prepare_cached(
                "UPDATE cases SET own_version = coalesce(?3, own_version), last_public = coalesce(?4, last_public)
                 WHERE desk = ?1 AND ticket = ?2",
            )?
            .execute(params![effect.desk.as_str(), ticket.as_str(), version.map(|v| v.as_str()), public_at])?;
        self.connection
            .prepare_cached("UPDATE handoffs SET first_sent_at = coalesce(first_sent_at, ?) WHERE id = ? AND ?")?
            .execute(params![millis(outcome.at), effect.handoff, effect.purpose == Purpose::Handoff])?;
        let Some(handoff) = self.find_handoff(&effect.handoff)? else { return Ok(()) };
        self.tell_next(&handoff, effect, outcome)?;
        if handoff.effects.iter().any(|done| done.id == effect.id && has_moved(done)) {
            // The team has the case now, whatever is still to come of the handoff.
            self.tell(&handoff.proposal, &handoff.id, &handoff.handed_over(), outcome.at)?;
        }
        if plan::puts_back(effect.number) || effect.purpose == Purpose::Resume {
            self.look_when_back(&effect.desk, ticket, outcome.at)?;
        }
        self.note_status(&handoff, effect, outcome.at)?;
        let verify_at = outcome.verify_at.unwrap_or(outcome.at);
        if self.sent_if_over(&handoff, outcome.at, verify_at)? && outcome.look_at.is_none() {
            self.wait_to_look(&effect.desk, ticket, verify_at)?;
        }
        Ok(())
    }

    /// The next effect expects the version that this one's receipt carries. Where a desk tells none after something was said,
    /// the next one was decided on what this one was: words change nothing else.
    fn tell_next(&mut self, handoff: &HandoffRecord, done: &EffectRecord, outcome: &EffectOutcome) -> Result<()> {
        let follows =
            |next: &&EffectRecord| next.purpose == done.purpose && next.number > done.number && !next.state.is_over();
        let Some(next) = handoff.effects.iter().find(follows) else { return Ok(()) };
        // What cannot be read is stood in for among them: written back, the stand-in would be sent in its place.
        let next = match self.effect(next.id) {
            Err(LedgerError::Unreadable { .. }) => return Ok(()),
            read => read?,
        };
        let head = outcome.receipt.as_ref().and_then(|receipt| receipt.head.as_deref());
        let shown = head.map(|head| DecidedOn::of(head, &next.write.change));
        let decided_on = match &outcome.next_expects {
            Some(_) => shown,
            None => shown.or_else(|| done.write.decided_on.clone().filter(|_| only_says(&done.write.change))),
        };
        if outcome.next_expects.is_none() && decided_on.is_none() {
            return Ok(());
        }
        let expected = outcome.next_expects.clone().or_else(|| next.write.expected.clone());
        self.put_write(next.id, &Write { expected, decided_on, ..next.write.clone() })
    }

    /// With the last effect over, the handoff is compared again at `verify_at`. Gives whether it is; the caller notes the
    /// look.
    pub(super) fn sent_if_over(
        &mut self,
        handoff: &HandoffRecord,
        at: Timestamp,
        verify_at: Timestamp,
    ) -> Result<bool> {
        let own = |effect: &&EffectRecord| effect.purpose == Purpose::Handoff;
        let all_over = handoff.effects.iter().filter(own).all(|effect| effect.state.is_over());
        if !all_over || handoff.state.after(HandoffEvent::Sent).is_err() {
            return Ok(false);
        }
        self.step_handoff(&handoff.id, HandoffEvent::Sent)?;
        self.put_sent(&handoff.id, at, verify_at)?;
        Ok(true)
    }

    fn put_sent(&mut self, handoff: &str, at: Timestamp, verify_at: Timestamp) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE handoffs SET sent_at = ?, verify_at = ? WHERE id = ?")?
            .execute(params![millis(at), millis(verify_at), handoff])?;
        self.begin_task(handoff, at)
    }

    /// On start: what was in flight when the last process ended is unsure, or parked where it cannot be read. Gives how many
    /// are unsure.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn recover(&mut self, now: Timestamp) -> Result<usize> {
        self.atomically(|ledger| {
            let in_flight: Vec<i64> = {
                let mut statement =
                    ledger.connection.prepare_cached("SELECT id FROM effects WHERE state = 'in_flight'")?;
                statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
            };
            let mut unsure = 0;
            for id in in_flight {
                match ledger.effect(id) {
                    Err(error @ LedgerError::Unreadable { .. }) => ledger.park_unreadable(id, &error)?,
                    effect => {
                        ledger.step_effect(id, &effect?.state, &EffectEvent::Restarted(now))?;
                        let lost = "UPDATE effects SET lost_at = ? WHERE id = ?";
                        ledger.connection.execute(lost, params![millis(now), id])?;
                        unsure += 1;
                    }
                }
            }
            Ok(unsure)
        })
    }
}

/// Whether a write only says something, to colleagues or to the customer.
fn only_says(change: &DeskChange) -> bool {
    match change {
        DeskChange::Update(update) => *update == Update { note: update.note.clone(), ..Update::default() },
        DeskChange::Reply(_) => true,
        DeskChange::Tags { .. } => false,
    }
}
