//! The lead's week, sent when it is due. In shadow nobody is told anything: a week that passes so is left out.

use super::house::House;
use crate::insight::digest::Digest;
use crate::ledger::LedgerError;
use crate::plan::alert::{Alert, PlannedAlert};
use crate::policy::rules::Mode;

impl House {
    /// Plans the alerts of a week that is due. After a time without a daemon the week until now is sent, once.
    ///
    /// The week is read beside the ledger's thread, and what is planned from it is written after: whoever sends it first moves
    /// the due time on, and nobody sends it twice.
    pub(super) async fn send_digest(&self) -> Result<(), LedgerError> {
        let Some(plan) = self.policy.alerts.digest.clone() else { return Ok(()) };
        let (now, policy, when) = (self.seams.clock.now(), self.policy.clone(), plan.when());
        let (next, asked) = (plan.next(now), when.clone());
        let due = self.ledger.call(move |ledger| ledger.digest_due(&asked, next)).await?;
        if due > now {
            return Ok(());
        }
        let mut alerts = Vec::new();
        if policy.mode == Mode::Live {
            let about = match self.ledger.read(move |ledger| Digest::read(ledger, &policy, now)).await {
                Ok(digest) => digest.about(),
                Err(error) => {
                    // It stays due, and is tried again with the next housekeeping; all else goes on.
                    tracing::warn!(error = %error, "digest.not_read");
                    return Ok(());
                }
            };
            let planned = |channel: &crate::policy::names::AlertName| PlannedAlert {
                channel: channel.clone(),
                alert: Alert::digest(channel, plan.week(due), about.clone(), now),
            };
            alerts.extend(plan.to.iter().map(planned));
        }
        self.ledger.call(move |ledger| ledger.send_digest(&when, (due, next), &alerts, now)).await
    }
}
