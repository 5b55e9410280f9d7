//! Delivery: takes the due effect with the nearest deadline, carries it out through its desk, and records what happened.
//!
//! An effect is claimed in one transaction and its outcome recorded in another; between the two stands the desk. If the
//! process dies there, the effect is *unsure* when it comes up again, and it is looked up before it is repeated.
//! [`outcome`] is the pure heart: a desk's answer ─▶ what is recorded.

pub mod alerts;
pub mod check;
mod lookup;
mod outcome;
mod rights;
mod send;

use crate::desks::{Desks, Station};
use crate::ledger::records::{ClaimedEffect, EffectOutcome, EffectRecord, EffectWork};
use crate::ledger::states::EffectEvent;
use crate::ledger::{Handle, LedgerError};
use crate::policy::rules::Policy;
use handoffd_kit::settings::Seams;
use jiff::SignedDuration;
use outcome::Pace;
use std::sync::Arc;

/// What carries effects out.
#[derive(Clone)]
pub struct Delivery {
    /// Where everything is remembered.
    pub ledger: Handle,
    /// The helpdesks.
    pub desks: Desks,
    /// The policy: which facts a person may have changed meanwhile.
    pub policy: Arc<Policy>,
    /// Time and chance.
    pub seams: Seams,
    /// When a finished handoff is compared again.
    pub verify_after: SignedDuration,
}

impl Delivery {
    fn pace(&self, station: &Station) -> Pace {
        Pace { verify_after: self.verify_after, patience: station.poll_brings_heads_within }
    }

    /// Sends a claimed effect, or looks an unsure one up, and records what came of it.
    ///
    /// # Errors
    /// Only the ledger's: what a desk does wrong is recorded.
    pub async fn deliver(&self, claimed: ClaimedEffect) -> Result<(), LedgerError> {
        // Effects of desks that are not open are not given out.
        let Some(station) = self.desks.get(&claimed.effect.desk) else { return Ok(()) };
        let outcome = match claimed.work {
            EffectWork::Send => self.send(station, &claimed).await,
            EffectWork::LookUp => self.look_up(station, &claimed).await,
        };
        self.record(&claimed, outcome).await
    }

    async fn record(&self, claimed: &ClaimedEffect, outcome: EffectOutcome) -> Result<(), LedgerError> {
        say(claimed, &outcome);
        let id = outcome.effect;
        let recorded = self.ledger.call(move |ledger| ledger.record_outcome(&outcome)).await;
        match recorded {
            // It cannot be told what follows from it: a person must look.
            Err(error @ LedgerError::Unreadable { .. }) => {
                self.ledger.call(move |ledger| ledger.park_unreadable(id, &error)).await
            }
            recorded => recorded,
        }
    }
}

/// One line for what is on the desk now, and for what stopped.
fn say(claimed: &ClaimedEffect, outcome: &EffectOutcome) {
    let what = match outcome.event {
        EffectEvent::Accepted | EffectEvent::Found => "effect.sent",
        EffectEvent::Park | EffectEvent::ParkApplied => "effect.parked",
        EffectEvent::Refused => "effect.refused",
        _ => return,
    };
    let EffectRecord { desk, write, label, .. } = &claimed.effect;
    tracing::info!(
        desk = %desk, case.id = %write.ticket, handoff.id = %write.mark.handoff, effect.id = %write.mark.key(),
        rule.id = %write.mark.rule, effect = %label, "{what}"
    );
}
