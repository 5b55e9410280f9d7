//! What people decide: reviews, parked effects, undo. Each is one transaction and leaves a line in `acts`: who, when, why.

use super::codec::{json, millis};
use super::error::{LedgerError, Result};
use super::handoffs::HandoffFilter;
use super::open::Ledger;
use super::records::{AskingOver, EffectRecord, HandoffHappening, HandoffRecord, OffersMore, Purpose, ReviewAnswer};
use super::states::{EffectEvent, EffectState, HandoffEvent, HandoffState};
use crate::plan::alert::{About, alerts};
use crate::plan::asking::SHORT_NOTE_BYTES;
use crate::plan::{self, PlannedEffect};
use crate::policy::case::{ClosedBy, ClosedPath};
use crate::policy::offer::offers;
use crate::policy::proposal::Proposal;
use crate::policy::review_terms::Unanswered;
use handoffd_kit::desk::DeskChange;
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
    /// The handoff is not in review, or its package was edited since the answer was prepared.
    pub fn approve(&mut self, answer: &ReviewAnswer) -> Result<()> {
        self.atomically(|ledger| {
            if let Some(chosen) = &answer.chosen {
                ledger.start_handoff(chosen, false, answer.at)?;
                ledger.carries_out(chosen)?;
            }
            let handoff = ledger.in_review(&answer.handoff)?;
            if answer.proposal.as_ref().is_some_and(|planned| planned.package != handoff.proposal.package) {
                let id = &handoff.id;
                return Err(LedgerError::WrongState(format!(
                    "the package of {id} was edited at this very moment: look at it again"
                )));
            }
            ledger.step_handoff(&handoff.id, HandoffEvent::Approved)?;
            ledger.drop_reminders(&handoff.id, "it is answered")?;
            ledger.connection.execute(
                "UPDATE handoffs SET approved_by = ?, started_at = ? WHERE id = ?",
                params![answer.by, millis(answer.at), handoff.id],
            )?;
            if let Some(proposal) = &answer.proposal {
                ledger.put_proposal(&handoff.id, proposal)?;
            }
            ledger.add_effects(&handoff.id, &answer.effects, Purpose::Handoff, answer.at)?;
            ledger.note_act(&answer.act(), "approve", &handoff.id)?;
            ledger.look_if_over(&handoff.id, answer.at)
        })
    }

    /// A person says no: the path is closed for this case until a matched fact changes. Where the current agent was still
    /// asked for package parts, the handoff is withdrawn, and the ticket says that nothing more is needed.
    ///
    /// # Errors
    /// The handoff is neither in review nor asking.
    pub fn reject(&mut self, answer: &ReviewAnswer) -> Result<()> {
        self.atomically(|ledger| {
            let known = ledger.handoff(&answer.handoff)?;
            let asking = known.state == HandoffState::Asking;
            let handoff = if asking { known } else { ledger.in_review(&answer.handoff)? };
            let reason = answer.reason.as_deref().unwrap_or("no reason given");
            let detail = format!("rejected by {}: {reason}", answer.by);
            let event = if asking { HandoffEvent::Withdrawn } else { HandoffEvent::Rejected };
            ledger.happen(&ends(&handoff.id, event, detail), answer.at)?;
            // What the ticket is told of it, where nobody there has said it.
            ledger.add_effects(&handoff.id, &answer.effects, Purpose::Apart, answer.at)?;
            if asking {
                let why = Some(format!("{} said no: {reason}", answer.by));
                let over = AskingOver { handoff: handoff.id.clone(), why, note_max_bytes: SHORT_NOTE_BYTES };
                ledger.say_not_asked(&over, answer.at)?;
            }
            ledger.close_path_of(&handoff, ClosedBy::Rejection, answer.at)?;
            ledger.close_paths_beside(&handoff, answer.at)?;
            ledger.note_act(&answer.act(), "reject", &handoff.id)?;
            // Another rule may want the case now.
            ledger.wait_to_look(&handoff.proposal.desk, &handoff.proposal.ticket, answer.at)
        })
    }

    /// Where rules disagreed, the reviewer saw them all: none of them takes the case its own way after the no.
    fn close_paths_beside(&mut self, handoff: &HandoffRecord, at: Timestamp) -> Result<()> {
        let proposal = &handoff.proposal;
        for offer in offers(proposal, &handoff.risks).into_iter().skip(1) {
            let path = ClosedPath::new(proposal.from.clone(), offer.to.clone(), ClosedBy::Rejection);
            self.close_path(&proposal.desk, &proposal.ticket, &path, at)?;
        }
        Ok(())
    }

    /// A review offers another team from now on, and those who decide for that one are told too. No answer is no yes to one of
    /// several.
    pub(super) fn offer_more(&mut self, more: &OffersMore, at: Timestamp) -> Result<()> {
        let review = self.in_review(&more.handoff)?;
        let mut proposal = Proposal { alert: more.alert.clone(), ..review.proposal };
        if let Some(plan) = proposal.review.as_mut().filter(|plan| plan.unanswered == Unanswered::Approve) {
            plan.unanswered = Unanswered::Wait;
        }
        self.put_proposal(&review.id, &proposal)?;
        self.connection
            .prepare_cached("UPDATE handoffs SET risks = ? WHERE id = ?")?
            .execute(params![json("risks", &more.risks)?, review.id])?;
        // What was told through a channel before keeps its key, and is not told again.
        let about = About::of_review(&proposal, &more.risks);
        alerts(&proposal, &review.id, &about, 0, at).iter().try_for_each(|planned| self.add_alert(planned, at))
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
        self.atomically(|ledger| {
            let handoff = ledger.in_review(handoff)?;
            let happening = ends(&handoff.id, HandoffEvent::Withdrawn, format!("stale: {why}"));
            ledger.happen(&HandoffHappening { closing_note: note, ..happening }, at)?;
            ledger.wait_to_look(&handoff.proposal.desk, &handoff.proposal.ticket, at)
        })
    }

    pub(super) fn in_review(&self, id: &str) -> Result<HandoffRecord> {
        let handoff = self.handoff(id)?;
        if handoff.state == HandoffState::InReview {
            return Ok(handoff);
        }
        Err(LedgerError::WrongState(format!(
            "handoff {id} is not in review but {}; `handoffd reviews list` shows what is",
            handoff.state.name().replace('_', " ")
        )))
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
        ids.into_iter().map(|id| self.effect_as_far_as_possible(id)).collect()
    }

    /// Tries a parked effect again. One that was parked unsure is looked up first.
    ///
    /// # Errors
    /// The effect is not parked.
    pub fn retry_effect(&mut self, id: i64, act: &Act) -> Result<EffectState> {
        self.atomically(|ledger| {
            let effect = ledger.is_parked(id)?;
            let next = ledger.step_effect(id, &effect.state, &EffectEvent::Retry(act.at))?;
            ledger.connection.execute("UPDATE effects SET conflicts = 0 WHERE id = ?", [id])?;
            ledger.close_parked(&effect)?;
            ledger.note_act(act, "retry", &effect.write.mark.key())?;
            Ok(next)
        })
    }

    /// Gives a parked effect up, and with it those that follow it: a customer is not told of a transfer that was given up,
    /// and a case that is not put back keeps its owner. If the ticket was moved already, the handoff is compared and goes
    /// on; otherwise it is withdrawn, and its path is closed for this case. Where the ticket says that more was done than
    /// is, a note takes that back. Gives the labels of what followed.
    ///
    /// # Errors
    /// The effect is not parked.
    pub fn drop_effect(&mut self, id: i64, act: &Act) -> Result<Vec<String>> {
        self.atomically(|ledger| {
            let effect = ledger.is_parked(id)?;
            let reason = format!("{} ({})", act.reason.as_deref().unwrap_or("given up"), act.by);
            ledger.drop_one(&effect, Some(&reason))?;
            ledger.note_act(act, "drop", &effect.write.mark.key())?;
            let left = ledger.drop_what_follows(&effect)?;
            let ends = match effect.purpose {
                Purpose::Handoff => ledger.after_giving_up(&ledger.handoff(&effect.handoff)?, act)?,
                Purpose::Apart => plan::puts_back(effect.number),
                Purpose::Asking | Purpose::Resume | Purpose::Reminder => false,
            };
            if ends {
                ledger.say_given_up(&effect, &left, act)?;
            }
            Ok(left)
        })
    }

    /// What comes after an effect in its plan is not done without it. Gives its labels.
    pub(super) fn drop_what_follows(&mut self, effect: &EffectRecord) -> Result<Vec<String>> {
        let follows = |next: &EffectRecord| match effect.purpose {
            Purpose::Handoff => next.number > effect.number,
            Purpose::Apart => plan::follows(next.number, effect.number),
            Purpose::Asking | Purpose::Resume | Purpose::Reminder => false,
        };
        let waits = |next: &EffectRecord| matches!(next.state, EffectState::Due { .. } | EffectState::Parked { .. });
        let mut left = Vec::new();
        for next in self.effects_of(&effect.handoff)? {
            if next.purpose == effect.purpose && follows(&next) && waits(&next) {
                self.drop_one(&next, Some("what goes before it was given up"))?;
                left.push(next.label);
            }
        }
        Ok(left)
    }

    /// Takes back on the ticket what it says of a plan that a person gave up halfway; who rejected a handoff is told in any
    /// case that it does not go back.
    fn say_given_up(&mut self, effect: &EffectRecord, left: &[String], act: &Act) -> Result<()> {
        let begun = |other: &EffectRecord| match effect.purpose {
            Purpose::Apart => plan::follows(effect.number, other.number),
            purpose => other.purpose == purpose,
        };
        let effects = self.effects_of(&effect.handoff)?;
        let on_ticket = effects.iter().any(|other| begun(other) && other.state == EffectState::Done);
        let awaited = effect.purpose == Purpose::Apart && plan::is_rejection(effect.number);
        if !on_ticket && !awaited {
            return Ok(());
        }
        let why = format!("{}, by {}", act.reason.as_deref().unwrap_or("no reason given"), act.by);
        let note = plan::given_up_note(&effect.write, &effect.label, left, &why);
        self.add_effects(&effect.handoff, &[note], Purpose::Apart, act.at)
    }

    /// Whether the handoff ends with what was given up.
    fn after_giving_up(&mut self, handoff: &HandoffRecord, act: &Act) -> Result<bool> {
        if handoff.state != HandoffState::Sending {
            return Ok(false);
        }
        let moves = |effect: &&EffectRecord| match &effect.write.change {
            DeskChange::Update(update) => update.queue.is_some(),
            _ => false,
        };
        let detail = format!("the rest was given up by {}", act.by);
        if handoff.effects.iter().filter(moves).any(|effect| effect.state == EffectState::Done) {
            self.connection.execute("UPDATE handoffs SET detail = ? WHERE id = ?", [&detail, &handoff.id])?;
            self.look_if_over(&handoff.id, act.at)?;
            return Ok(false);
        }
        self.happen(&ends(&handoff.id, HandoffEvent::Withdrawn, detail), act.at)?;
        self.close_path_of(handoff, ClosedBy::Rejection, act.at)?;
        self.pass_step_over(handoff, act.at)?;
        self.wait_to_look(&handoff.proposal.desk, &handoff.proposal.ticket, act.at)?;
        Ok(true)
    }

    /// Whether an effect waits for a person now.
    ///
    /// # Errors
    /// SQLite's, or no such effect.
    pub fn still_parked(&self, id: i64) -> Result<bool> {
        Ok(matches!(self.effect_as_far_as_possible(id)?.state, EffectState::Parked { .. }))
    }

    /// Whether there was ever an effect of this number of a handoff or of a command's answer; no number: anything of that name.
    ///
    /// # Errors
    /// SQLite's.
    pub fn has_effect(&self, handoff: &str, number: Option<u32>) -> Result<bool> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM effects WHERE handoff = ?1 AND (?2 IS NULL OR number = ?2))
                 OR (?2 IS NULL AND EXISTS (SELECT 1 FROM handoffs WHERE id = ?1))",
        )?;
        Ok(statement.query_row(params![handoff, number], |row| row.get(0))?)
    }

    fn is_parked(&self, id: i64) -> Result<EffectRecord> {
        let effect = self.effect_as_far_as_possible(id)?;
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
        self.atomically(|ledger| {
            let handoff = ledger.handoff(id)?;
            let sent = handoff.effects.iter().any(|effect| effect.state == EffectState::Done);
            if handoff.state.after(HandoffEvent::Undone).is_err() || !sent {
                return Err(LedgerError::WrongState(format!(
                    "handoff {id} is {} and cannot be undone; only one that has been sent can",
                    handoff.state.name().replace('_', " ")
                )));
            }
            let detail = format!("undone by {}: {}", act.by, act.reason.as_deref().unwrap_or("no reason given"));
            ledger.happen(&ends(id, HandoffEvent::Undone, detail), act.at)?;
            ledger.close_path_of(&handoff, ClosedBy::Undo, act.at)?;
            ledger.add_effects(id, effects, Purpose::Apart, act.at)?;
            ledger.note_act(act, "undo", id)
        })
    }
}

/// The end of a handoff by a person, with what is left of it.
pub(super) fn ends(handoff: &str, event: HandoffEvent, detail: String) -> HandoffHappening {
    HandoffHappening {
        handoff: handoff.to_owned(),
        event: Some(event),
        detail: Some(detail),
        claimed: None,
        drop_effects: true,
        closing_note: None,
    }
}

impl ReviewAnswer {
    fn act(&self) -> Act {
        Act { by: self.by.clone(), reason: self.reason.clone(), at: self.at }
    }
}
