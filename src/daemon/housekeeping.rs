//! Housekeeping, once a minute: desks whose login or rights failed are tried again; old payloads are thrown away.

use super::house::House;
use crate::ledger::LedgerError;
use handoffd_kit::desk::Severity;

impl House {
    pub(super) async fn keep_house(&self) -> Result<(), LedgerError> {
        let (now, keep) = (self.seams.clock.now(), self.keep_raw);
        let troubles = self
            .ledger
            .call(move |ledger| {
                ledger.purge(now, keep)?;
                ledger.troubles()
            })
            .await?;
        for trouble in troubles {
            let Some(station) = self.desks.get(&trouble.desk) else { continue };
            let queues = self.policy.queues(&trouble.desk);
            let healed = match station.desk.check(&queues).await {
                Ok(findings) => findings.iter().all(|finding| finding.severity != Severity::Error),
                Err(_) => false,
            };
            if healed {
                tracing::info!(desk = %trouble.desk, "desk.trouble_over");
                self.ledger.call(move |ledger| ledger.clear_trouble(&trouble.desk)).await?;
            }
        }
        Ok(())
    }
}
