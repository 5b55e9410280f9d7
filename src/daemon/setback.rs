//! What the pipeline does while its ledger cannot be written: it takes nothing, because what then happens on a desk could not
//! be recorded, and tries again after waits that grow to a few seconds. What is in work waits by itself, with the answers
//! that desks have given: each is recorded when the ledger can be written again, as if recording had only taken longer.

use super::house::House;
use super::pipeline::Until;
use crate::backoff;
use crate::ledger::LedgerError;
use jiff::{SignedDuration, Timestamp};

/// The longest wait between two tries.
const LONGEST: SignedDuration = SignedDuration::from_secs(10);
/// How long a bounded run waits for its ledger: whoever has started it looks at how it ends.
const BOUNDED: SignedDuration = SignedDuration::from_secs(30);

/// How long the pipeline has been set back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Setback {
    tries: u32,
    since: Option<Timestamp>,
    again: Option<Timestamp>,
}

impl Setback {
    /// Until when the ledger is left alone.
    pub(super) fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.again.filter(|again| *again > now)
    }
}

impl House {
    /// The same house for work that is not given up while the ledger cannot be written.
    pub(super) fn patient(&self) -> Self {
        let mut patient = self.clone();
        let ledger = self.ledger.patient(&self.seams);
        patient.intake.ledger = ledger.clone();
        patient.cases.ledger = ledger.clone();
        patient.delivery.ledger = ledger.clone();
        patient.ledger = ledger;
        patient
    }

    /// After a failure, whether the ledger can be written again, before anything is taken.
    pub(super) async fn try_the_ledger(&self) -> Result<(), LedgerError> {
        match self.ledger.failing() {
            Some(_) => self.ledger.call(|ledger| ledger.try_writing()).await,
            None => Ok(()),
        }
    }

    /// Notes that the ledger failed. Gives when to try again.
    ///
    /// # Errors
    /// The same, where waiting does not help or has taken long enough.
    pub(super) fn set_back(
        &self,
        setback: &mut Setback,
        error: LedgerError,
        until: Until,
    ) -> Result<Timestamp, LedgerError> {
        let now = self.seams.clock.now();
        let since = *setback.since.get_or_insert(now);
        let bounded = matches!(until, Until::NothingDueBy(_));
        if !error.heals() || bounded && now.duration_since(since) >= BOUNDED {
            return Err(error);
        }
        setback.tries = setback.tries.saturating_add(1);
        let again = now + backoff::growing(setback.tries, LONGEST, self.seams.random.fraction());
        setback.again = Some(again);
        Ok(again)
    }
}
