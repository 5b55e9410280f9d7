//! Housekeeping, once a minute: the people of teams are asked for when that is due; desks whose login or rights failed are
//! tried again; old payloads are thrown away; the next few cases are looked at under a policy that is new; queues that routes
//! lead to are still there; secrets are read again; the lead's week is sent when it is due; operators are told where nothing has come of a desk for too long.

use super::house::House;
use crate::desks::Station;
use crate::desks::queues::gone;
use crate::ledger::LedgerError;
use crate::ledger::records::DeskTrouble;
use crate::policy::rules::Mode;
use handoffd_kit::capability::DeclaredLimit;
use handoffd_kit::desk::{Finding, Severity};
use handoffd_kit::id::DeskId;
use handoffd_kit::secret::DeskSecrets;
use jiff::{SignedDuration, Timestamp};

/// How often it is asked whether queues are there.
const QUEUES_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How often secrets from files and commands are read again.
const SECRETS_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// The endpoint name under which a connector declares what all its calls share.
const ACCOUNT: &str = "account";
/// Cases of a desk without such a limit.
const MOST_A_MINUTE: u32 = 30;
/// Cases of a desk with a very small one.
const LEAST_A_MINUTE: u32 = 2;

impl House {
    pub(super) async fn keep_house(&self) -> Result<(), LedgerError> {
        self.refresh_rosters().await?;
        let (now, keep, channels) = (self.seams.clock.now(), self.keep_raw, self.alerts.names());
        let operators = if self.policy.mode == Mode::Live { self.policy.alerts.operators.clone() } else { Vec::new() };
        self.draw_stock(now).await?;
        self.read_secrets_again(SECRETS_EVERY).await;
        self.read_alert_secrets_again(SECRETS_EVERY).await;
        self.check_queues(now).await?;
        self.send_digest().await?;
        self.tell_lulls().await?;
        let troubles = self
            .ledger
            .call(move |ledger| {
                ledger.purge(now, keep)?;
                // One that was on its way when its channel was taken out has come back since.
                ledger.park_alerts_without_channel(&channels)?;
                ledger.tell_parked_alerts(&operators, now)?;
                ledger.troubles()
            })
            .await?;
        for trouble in troubles {
            let Some(station) = self.desks.get(&trouble.desk) else { continue };
            if self.is_over(station, &trouble).await? {
                tracing::info!(desk = %trouble.desk, "desk.trouble_over");
                self.ledger.call(move |ledger| ledger.clear_trouble(&trouble.desk)).await?;
            }
        }
        Ok(())
    }

    /// Whether a desk takes our calls again: all that it is checked for is well, or, where writes were stopped because one
    /// ticket may not be changed, others that wait may.
    async fn is_over(&self, station: &Station, trouble: &DeskTrouble) -> Result<bool, LedgerError> {
        let queues = self.policy.queues(&trouble.desk);
        let well = |findings: Vec<Finding>| findings.iter().all(|finding| finding.severity != Severity::Error);
        if station.desk.check(&queues).await.is_ok_and(well) {
            return Ok(true);
        }
        let now = self.seams.clock.now();
        Ok(trouble.writes_stopped && self.delivery.another_may_be_written(station, &trouble.desk, None, now).await?)
    }

    /// Secrets that may have been replaced, and were not read for so long: a login is used with the new one at once, a
    /// webhook's waits for the first request that is signed with it.
    pub(super) async fn read_secrets_again(&self, after: SignedDuration) {
        let now = || self.seams.clock.now();
        for (_, station) in self.desks.iter() {
            let DeskSecrets { login, webhook } = station.desk.secrets();
            for (_, secret) in login.iter().filter(|(_, secret)| secret.is_due(after, now())) {
                secret.renew(&secret.current(), now()).await;
            }
            for (_, secret) in webhook.iter().filter(|(_, secret)| secret.is_due(after, now())) {
                secret.look(now()).await;
            }
        }
    }

    /// The same of alert channels: a new secret is used at once.
    pub(super) async fn read_alert_secrets_again(&self, after: SignedDuration) {
        let now = self.seams.clock.now();
        for (_, outlet) in self.alerts.iter() {
            for (_, secret) in outlet.channel().secrets().iter().filter(|(_, secret)| secret.is_due(after, now)) {
                secret.renew(&secret.current(), now).await;
            }
        }
    }

    /// Whether the queues are there that routes lead to, where a route has another team for a queue that is not. A desk that
    /// cannot say it now is asked again at the next round.
    async fn check_queues(&self, now: Timestamp) -> Result<(), LedgerError> {
        let falls_back =
            |desk: &DeskId| self.policy.routes.iter().any(|route| route.desk == *desk && route.fallback.is_some());
        for (desk, station) in self.desks.iter().filter(|(desk, _)| falls_back(desk)) {
            let id = desk.clone();
            let checked = self.ledger.call(move |ledger| ledger.queues_checked(&id)).await?;
            if checked.is_some_and(|checked| now < checked + QUEUES_EVERY) || station.is_silent() {
                continue;
            }
            match gone(&*station.desk, &self.policy.queues(desk)).await {
                Ok(gone) => {
                    for queue in &gone {
                        tracing::warn!(desk = %desk, queue = %queue.shown(), "desk.queue_gone");
                    }
                    let desk = desk.clone();
                    self.ledger.call(move |ledger| ledger.note_queues(&desk, &gone, now)).await?;
                }
                Err(error) => tracing::warn!(desk = %desk, error = %error, "desk.queues_not_checked"),
            }
        }
        Ok(())
    }

    /// The next cases of each desk that were not yet looked at under this policy.
    async fn draw_stock(&self, now: Timestamp) -> Result<(), LedgerError> {
        let paces: Vec<(DeskId, u32)> = self
            .desks
            .iter()
            .filter(|(desk, _)| self.policy.desks.contains_key(desk))
            .map(|(desk, station)| (desk.clone(), stock_a_minute(&station.desk.capabilities().limits)))
            .collect();
        self.ledger
            .call(move |ledger| paces.iter().try_for_each(|(desk, most)| ledger.draw_stock(desk, *most, now).map(drop)))
            .await
    }
}

/// How many cases of a desk are looked at in a minute for the sake of a new policy. Looks keep a tenth of the gate; half of
/// that is left to tickets on which something happens. Each look may cost two calls.
fn stock_a_minute(limits: &[DeclaredLimit]) -> u32 {
    let a_minute = |limit: &DeclaredLimit| f64::from(limit.calls) * 60.0 / limit.per.as_secs_f64().max(1.0);
    let slowest = limits.iter().filter(|limit| limit.endpoint == ACCOUNT).map(a_minute).min_by(f64::total_cmp);
    slowest.map_or(MOST_A_MINUTE, |calls| ((calls / 40.0) as u32).clamp(LEAST_A_MINUTE, MOST_A_MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn taking_stock_leaves_the_gate_to_others() {
        let limit =
            |endpoint, calls| DeclaredLimit { endpoint, calls, per: Duration::from_secs(60), per_ticket: false };
        assert_eq!(stock_a_minute(&[limit("account", 400), limit("search", 10)]), 10);
        assert_eq!(stock_a_minute(&[limit("account", 20)]), LEAST_A_MINUTE, "slow, and not for ever");
        assert_eq!(stock_a_minute(&[]), MOST_A_MINUTE);
    }
}
