//! What people decide: reviews, parked effects, undo. Each is one transaction and leaves a line in `acts`: who, when, why.

use super::codec::millis;
use super::effects_after::settle_if_over;
use super::error::{LedgerError, Result};
use super::handoffs::HandoffFilter;
use super::open::Ledger;
use super::records::{EffectRecord, HandoffHappening, HandoffRecord, ReviewAnswer};
use super::states::{EffectEvent, EffectState, HandoffEvent, HandoffState};
use crate::plan::PlannedEffect;
use crate::policy::case::{ClosedBy, ClosedPath};
use jiff::Timestamp;
use rusqlite::params;

/// Who does something, when and why.
#[derive(Clone, Debug)]
pub struct Act {
    /// Who, as they named themselves, and the system user.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Ledger {
    /// Writes down that a person did something.
    pub(super) fn note_act(&mut self, act: &Act, what: &str, about: &str) -> Result<()> {
        self.connection.execute(
            "INSERT INTO acts (at, by, what, about, reason) VALUES (?, ?, ?, ?, ?)",
            params![millis(act.at), act.by, what, about, act.reason],
        )?;
        Ok(())
    }

    /// Open reviews, oldest last.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn reviews(&self) -> Result<Vec<HandoffRecord>> {
        self.handoffs(&HandoffFilter {
            state: Some(HandoffState::InReview),
            limit: Some(usize::MAX),
            ..HandoffFilter::default()
        })
    }

    /// A person says yes: the effects that were planned against the ticket as just read are stored with it.
    ///
    /// # Errors
    /// The handoff is not in review.
    pub fn approve(&mut self, answer: &ReviewAnswer) -> Result<()> {
        let handoff = self.in_review(&answer.handoff)?;
        self.step_handoff(&handoff.id, HandoffEvent::Approved)?;
        self.connection.execute("UPDATE handoffs SET approved_by = ? WHERE id = ?", params![answer.by, handoff.id])?;
        self.add_effects(&handoff.id, &answer.effects, answer.at)?;
        self.note_act(&answer.act(), "approve", &handoff.id)
    }

    /// A person says no: the path is closed for this case until a matched fact changes.
    ///
    /// # Errors
    /// The handoff is not in review.
    pub fn reject(&mut self, answer: &ReviewAnswer) -> Result<()> {
        let handoff = self.in_review(&answer.handoff)?;
        let reason = answer.reason.clone().unwrap_or_default();
        let happening = HandoffHappening {
            handoff: handoff.id.clone(),
            event: Some(HandoffEvent::Rejected),
            detail: Some(format!("rejected by {}: {reason}", answer.by)),
            claimed: None,
            drop_effects: true,
            closing_note: None,
        };
        self.happen(&happening, answer.at)?;
        self.close_path_of(&handoff, ClosedBy::Rejection, answer.at)?;
        self.note_act(&answer.act(), "reject", &handoff.id)
    }

    /// The ticket changed since the review was asked for: it ends as stale, with a note where one is given.
    ///
    /// # Errors
    /// The handoff is not in review.
    pub fn end_stale_review(
        &mut self,
        handoff: &str,
        why: &str,
        note: Option<PlannedEffect>,
        at: Timestamp,
    ) -> Result<()> {
        let handoff = self.in_review(handoff)?;
        let happening = HandoffHappening {
            handoff: handoff.id.clone(),
            event: Some(HandoffEvent::Withdrawn),
            detail: Some(format!("stale: {why}")),
            claimed: None,
            drop_effects: true,
            closing_note: note,
        };
        self.happen(&happening, at)?;
        self.wait_to_look(&handoff.proposal.desk, &handoff.proposal.ticket, at)
    }

    fn in_review(&self, id: &str) -> Result<HandoffRecord> {
        let handoff = self.handoff(id)?;
        if handoff.state == HandoffState::InReview {
            return Ok(handoff);
        }
        Err(LedgerError::WrongState(format!(
            "handoff {id} is not in review but {}; `handoffd reviews list` shows what is",
            handoff.state.name().replace('_', " ")
        )))
    }

    fn close_path_of(&mut self, handoff: &HandoffRecord, why: ClosedBy, at: Timestamp) -> Result<()> {
        let proposal = &handoff.proposal;
        let path = ClosedPath {
            from: proposal.from.clone(),
            to: proposal.to.clone(),
            facts: proposal.facts_hash.clone(),
            why,
        };
        self.close_path(&proposal.desk, &proposal.ticket, &path, at)
    }

    /// Effects that wait for a person, oldest first.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn parked(&self) -> Result<Vec<EffectRecord>> {
        let ids = {
            let mut statement =
                self.connection.prepare_cached("SELECT id FROM effects WHERE state = 'parked' ORDER BY id")?;
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?
        };
        ids.into_iter().map(|id| self.effect(id)).collect()
    }

    /// Tries a parked effect again. One that was parked unsure is looked up first.
    ///
    /// # Errors
    /// The effect is not parked.
    pub fn retry_effect(&mut self, id: i64, act: &Act) -> Result<EffectState> {
        let effect = self.is_parked(id)?;
        let next = self.step_effect(id, &effect.state, &EffectEvent::Retry(act.at))?;
        self.connection
            .execute("UPDATE effects SET conflicts = 0, lost_at = ? WHERE id = ?", params![millis(act.at), id])?;
        self.note_act(act, "retry", &effect.write.mark.key())?;
        Ok(next)
    }

    /// Gives a parked effect up.
    ///
    /// # Errors
    /// The effect is not parked.
    pub fn drop_effect(&mut self, id: i64, act: &Act) -> Result<()> {
        let effect = self.is_parked(id)?;
        self.step_effect(id, &effect.state, &EffectEvent::Drop)?;
        let reason = act.reason.clone().unwrap_or_else(|| "given up".into());
        self.connection
            .execute("UPDATE effects SET reason = ? WHERE id = ?", params![format!("{reason} ({})", act.by), id])?;
        self.note_act(act, "drop", &effect.write.mark.key())?;
        settle_if_over(self, &effect.handoff, act)
    }

    fn is_parked(&self, id: i64) -> Result<EffectRecord> {
        let effect = self.effect(id)?;
        if matches!(effect.state, EffectState::Parked { .. }) {
            return Ok(effect);
        }
        Err(LedgerError::WrongState(format!(
            "{} is not parked but {}; `handoffd parked list` shows what is",
            effect.write.mark.key(),
            effect.state.name().replace('_', " ")
        )))
    }

    /// A person undoes a handoff: its path is closed, and the effects that put the case back are due.
    ///
    /// # Errors
    /// The handoff cannot be undone any more.
    pub fn record_undo(&mut self, id: &str, effects: &[PlannedEffect], act: &Act) -> Result<()> {
        let handoff = self.handoff(id)?;
        if handoff.state.after(HandoffEvent::Undone).is_err() {
            return Err(LedgerError::WrongState(format!(
                "handoff {id} is {} and cannot be undone; only one that has been sent can",
                handoff.state.name().replace('_', " ")
            )));
        }
        let happening = HandoffHappening {
            handoff: id.to_owned(),
            event: Some(HandoffEvent::Undone),
            detail: Some(format!("undone by {}: {}", act.by, act.reason.as_deref().unwrap_or("no reason given"))),
            claimed: None,
            drop_effects: true,
            closing_note: None,
        };
        self.happen(&happening, act.at)?;
        self.close_path_of(&handoff, ClosedBy::Undo, act.at)?;
        self.add_effects(id, effects, act.at)?;
        self.note_act(act, "undo", id)
    }
}

impl ReviewAnswer {
    fn act(&self) -> Act {
        Act { by: self.by.clone(), reason: self.reason.clone(), at: self.at }
    }
}
