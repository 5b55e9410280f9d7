//! Sends one effect: first makes sure that nobody has decided otherwise meanwhile, then writes.

use super::check::{Meanwhile, meanwhile};
use super::{Delivery, outcome};
use crate::desks::Station;
use crate::desks::queues::gone;
use crate::ledger::records::{ClaimedEffect, EffectOutcome, Purpose};
use crate::policy::case::ClosedBy;
use crate::policy::rules::Route;
use handoffd_kit::capability::Guard;
use handoffd_kit::desk::{DeskChange, Receipt, Update, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind};
use handoffd_kit::model::{PartKind, PartSet};

impl Delivery {
    pub(super) async fn send(&self, station: &Station, claimed: &ClaimedEffect) -> EffectOutcome {
        let mut write = claimed.effect.write.clone();
        match self.before(station, claimed, &mut write).await {
            Ok(None) => {}
            Ok(Some(outcome)) => return outcome,
            Err(error) => return self.not_sent(station, claimed, &error),
        }
        let answer = station.desk.apply(&write).await;
        let now = self.seams.clock.now();
        match answer {
            Ok(receipt) => {
                station.answered();
                outcome::accepted(claimed, receipt, now, self.pace(station))
            }
            // Nothing was asked of the desk, so nothing is learnt of it.
            Err(error) if error.kind == DeskErrorKind::Held => outcome::held_back(claimed, now),
            Err(error) => {
                if let Some(outcome) = self.without_its_queue(station, claimed, &error).await {
                    return outcome;
                }
                let again = station.failed_on(claimed.attempt, &error, now, self.seams.random.fraction());
                let failed =
                    outcome::failed(claimed, &error, station.desk.capabilities(), now, again, self.pace(station));
                if failed.trouble.is_some() && self.is_its_own_trouble(station, claimed, &error).await {
                    return EffectOutcome { trouble: None, ..failed };
                }
                failed
            }
        }
    }

    /// Whether a right that is missing for this ticket is there for another: then the desk goes on, and only this one waits,
    /// to be parked after a few tries.
    async fn is_its_own_trouble(&self, station: &Station, claimed: &ClaimedEffect, error: &DeskError) -> bool {
        let (desk, write) = (&claimed.effect.desk, &claimed.effect.write);
        error.kind == DeskErrorKind::Forbidden
            && self.another_may_be_written(station, desk, Some(&write.ticket), write.deadline).await.unwrap_or(false)
    }

    /// A first write that the desk refuses because the queue it goes to is gone. Where its route has another team for that,
    /// the desk's queues are noted and the case is decided again.
    async fn without_its_queue(
        &self,
        station: &Station,
        claimed: &ClaimedEffect,
        error: &DeskError,
    ) -> Option<EffectOutcome> {
        let DeskChange::Update(Update { queue: Some(queue), .. }) = &claimed.effect.write.change else { return None };
        let rule = &claimed.effect.write.mark.rule;
        let falls_back = |route: &Route| route.rule.name.as_str() == rule && route.fallback.is_some();
        let refused = error.kind == DeskErrorKind::Refused && claimed.first;
        if !refused || !self.policy.routes.iter().any(falls_back) {
            return None;
        }
        let desk = claimed.effect.desk.clone();
        let gone = gone(&*station.desk, &self.policy.queues(&desk)).await.ok()?;
        let of_ours = gone.contains(queue);
        let now = self.seams.clock.now();
        self.ledger.call(move |ledger| ledger.note_queues(&desk, &gone, now)).await.ok()?;
        of_ours.then(|| outcome::decided_without_its_queue(claimed, error, now))
    }

    /// The check before a call. `Some`: do not send, record this. A first call on a desk that compares versions itself, or
    /// whose connector reads and compares right before it writes, needs none; everywhere else the changes since the decision
    /// are read.
    async fn before(
        &self,
        station: &Station,
        claimed: &ClaimedEffect,
        write: &mut Write,
    ) -> Result<Option<EffectOutcome>, DeskError> {
        let desk = &station.desk;
        let compared = desk.capabilities().guard != Guard::None;
        if compared && claimed.first && write.expected.is_some() && !claimed.ended {
            return Ok(None);
        }
        let head = desk.head(&write.ticket, write.deadline).await?;
        let now = self.seams.clock.now();
        let same_version = write.expected.as_ref() == Some(&head.version) && head.ending.is_none();
        // Somebody may have acted in the moment of our last call, which a version with a grain does not show.
        let grain = matches!(desk.capabilities().guard, Guard::Conditional { grain } if !grain.is_zero());
        let may_hide = grain && !claimed.first && claimed.effect.purpose == Purpose::Handoff;
        if same_version && !(may_hide && desk.capabilities().readable_history) {
            return Ok(None);
        }
        let label = claimed.effect.purpose == Purpose::Asking && matches!(write.change, DeskChange::Tags { .. });
        let reminds = claimed.effect.purpose == Purpose::Reminder;
        if let Some(ending) = head.ending.as_ref().filter(|_| reminds) {
            return Ok(Some(outcome::moot(claimed, ending, now)));
        }
        // What changed may be the claim that a reminder asks for, or the end of what a pause waits for: a look decides first.
        if reminds || claimed.effect.purpose == Purpose::Resume {
            return Ok(Some(outcome::look_first(claimed, now)));
        }
        if label || claimed.ended && overrules_nobody(&write.change) {
            if let Some(ending) = &head.ending {
                return Ok(Some(outcome::moot(claimed, ending, now)));
            }
            // It says what was or was not done, or sets or takes off our own label: whatever a person has changed since. What
            // that means for an asking, the look tells that their change brings.
            write.expected = None;
            if matches!(write.change, DeskChange::Update(_)) {
                write.decide_on(&head);
            }
            return Ok(None);
        }
        if claimed.first {
            return Ok(Some(outcome::changed_meanwhile(claimed, now)));
        }
        let history = desk.parts(&head, PartSet::of(&[PartKind::History]), write.deadline).await?.history;
        if same_version && history.is_none() {
            return Ok(None);
        }
        match meanwhile(claimed, &head, history.as_deref(), &self.policy) {
            Meanwhile::ThereAlready(id) => {
                let receipt = Receipt { id, version: Some(head.version), head: None };
                Ok(Some(outcome::accepted(claimed, receipt, now, self.pace(station))))
            }
            Meanwhile::OnlyOurs | Meanwhile::Harmless => {
                write.decide_on(&head);
                Ok(None)
            }
            Meanwhile::Overtaken(why) => {
                Ok(Some(outcome::overtaken(claimed, &why, Some(ClosedBy::Stopped), desk.capabilities(), &head, now)))
            }
            Meanwhile::FactChanged(why) => {
                Ok(Some(outcome::overtaken(claimed, &why, None, desk.capabilities(), &head, now)))
            }
        }
    }

    /// The check before the call failed: nothing was sent.
    fn not_sent(&self, station: &Station, claimed: &ClaimedEffect, error: &DeskError) -> EffectOutcome {
        let now = self.seams.clock.now();
        let again = station.failed_on(claimed.attempt, error, now, self.seams.random.fraction());
        outcome::not_sent(claimed, error, now, again)
    }
}

fn overrules_nobody(change: &DeskChange) -> bool {
    match change {
        DeskChange::Update(update) => *update == Update { note: update.note.clone(), ..Update::default() },
        DeskChange::Tags { add, .. } => add.is_empty(),
        DeskChange::Reply(_) => false,
    }
}
