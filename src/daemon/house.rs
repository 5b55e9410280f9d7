//! The house, wired: everything that works on one ledger and its desks. The daemon runs it, commands that find no daemon
//! use it by themselves, the simulation builds it on a clock that it moves.

use super::wake::Wake;
use crate::cases::differences::Differences;
use crate::cases::unknowns::Unknowns;
use crate::cases::work::Cases;
use crate::delivery::Delivery;
use crate::desks::Desks;
use crate::intake::Intake;
use crate::ledger::{Handle, LedgerError};
use crate::policy::rules::Policy;
use crate::web::{Sources, Web};
use handoffd_kit::desk::Desk;
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::Seams;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One wired house. Cheap to clone: clones share everything.
#[derive(Clone)]
pub struct House {
    /// Where everything is remembered.
    pub ledger: Handle,
    /// The helpdesks.
    pub desks: Desks,
    /// The policy that decides.
    pub policy: Arc<Policy>,
    /// Webhooks and polls.
    pub intake: Intake,
    /// Looks.
    pub cases: Cases,
    /// Effects.
    pub delivery: Delivery,
    /// Time and chance.
    pub seams: Seams,
    /// How often each desk is polled.
    pub polls: BTreeMap<DeskId, SignedDuration>,
    /// How long raw payloads are kept.
    pub keep_raw: SignedDuration,
    /// Called when something new is due.
    pub wake: Wake,
}

/// How the daemon paces itself.
#[derive(Clone, Debug)]
pub struct Pace {
    /// When a finished handoff is compared again.
    pub verify_after: SignedDuration,
    /// How often each desk is polled; a desk that is not named here is not polled.
    pub polls: BTreeMap<DeskId, SignedDuration>,
    /// How long raw payloads are kept.
    pub keep_raw: SignedDuration,
}

impl House {
    /// Wires a house.
    pub fn new(
        ledger: Handle,
        desks: BTreeMap<DeskId, Arc<dyn Desk>>,
        policy: Arc<Policy>,
        seams: Seams,
        pace: Pace,
    ) -> Self {
        let desks = Desks::new(desks, &pace.polls, pace.verify_after);
        Self {
            intake: Intake::new(ledger.clone(), desks.clone(), policy.clone(), seams.clone()),
            cases: Cases {
                ledger: ledger.clone(),
                desks: desks.clone(),
                policy: policy.clone(),
                seams: seams.clone(),
                unknowns: Unknowns::default(),
                differences: Differences::default(),
            },
            delivery: Delivery {
                ledger: ledger.clone(),
                desks: desks.clone(),
                policy: policy.clone(),
                seams: seams.clone(),
                verify_after: pace.verify_after,
            },
            ledger,
            desks,
            policy,
            seams,
            polls: pace.polls,
            keep_raw: pace.keep_raw,
            wake: Wake::default(),
        }
    }

    /// Its web face; a webhook's body may have `webhook_max_bytes`.
    pub fn web(&self, webhook_max_bytes: usize) -> Web {
        let wake = self.wake.clone();
        let sources = Sources {
            ledger: self.ledger.clone(),
            desks: self.desks.clone(),
            policy: self.policy.clone(),
            intake: self.intake.clone(),
            unknowns: self.cases.unknowns.clone(),
            differences: self.cases.differences.clone(),
            polls: self.polls.clone(),
            since: self.seams.clock.now(),
            clock: self.seams.clock.clone(),
            wake: Arc::new(move || wake.call()),
        };
        Web::new(sources, webhook_max_bytes)
    }

    /// What has to happen before anything is delivered: whatever was in flight when the last process ended is unsure.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn recover(&self) -> Result<usize, LedgerError> {
        let now: Timestamp = self.seams.clock.now();
        self.ledger.call(move |ledger| ledger.recover(now)).await
    }
}
