//! The lead's week, sent when it is due. In shadow nobody is told anything: a week that passes so is left out.

use super::house::House;
use crate::insight::digest::Digest;
use crate::ledger::{Ledger, LedgerError};
use crate::plan::alert::{Alert, PlannedAlert};
use crate::policy::rules::Mode;

impl House {
    /// Plans the alerts of a week that is due. After a time without a daemon the week until now is sent, once.
    pub(super) async fn send_digest(&self) -> Result<(), LedgerError> {
        let Some(plan) = self.policy.alerts.digest.clone() else { return Ok(()) };
        let (now, policy) = (self.seams.clock.now(), self.policy.clone());
        let work = move |ledger: &mut Ledger| {
            let (when, next) = (plan.when(), plan.next(now));
            let due = ledger.digest_due(&when, next)?;
            if due > now {
                return Ok(());
            }
            let mut alerts = Vec::new();
            if policy.mode == Mode::Live {
                let about = Digest::read(ledger, &policy, now)?.about();
                let planned = |channel: &crate::policy::names::AlertName| PlannedAlert {
                    channel: channel.clone(),
                    alert: Alert::digest(channel, plan.week(due), about.clone(), now),
                };
                alerts.extend(plan.to.iter().map(planned));
            }
            ledger.send_digest(&when, (due, next), &alerts, now)
        };
        self.ledger.call(work).await
    }
}
