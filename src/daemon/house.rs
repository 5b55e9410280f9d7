//! The house, wired: everything that works on one ledger and its desks. The daemon runs it, commands that find no daemon
//! use it by themselves, the simulation builds it on a clock that it moves.

use super::running::Running;
use super::wake::Wake;
use crate::cases::differences::Differences;
use crate::cases::unknowns::Unknowns;
use crate::cases::work::Cases;
use crate::delivery::Delivery;
use crate::delivery::alerts::{AlertDelivery, Alerts};
use crate::desks::Desks;
use crate::intake::Intake;
use crate::ledger::policies::Kept;
use crate::ledger::stock::InForce;
use crate::ledger::{Handle, LedgerError};
use crate::policy::case::SignedRule;
use crate::policy::hold;
use crate::policy::rules::{Mode, Policy, Rule, Trigger};
use crate::web::dashboard::Entry;
use crate::web::{Reloads, Sources, Web};
use axum::Router;
use handoffd_kit::desk::Desk;
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::Seams;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How long a shutdown waits for what is under way, where nothing else is said.
const SHUTDOWN_WITHIN: SignedDuration = SignedDuration::from_secs(20);

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
    /// The channels by which people are told outside the helpdesk.
    pub alerts: Alerts,
    /// Time and chance.
    pub seams: Seams,
    /// How often each desk is polled.
    pub polls: BTreeMap<DeskId, SignedDuration>,
    /// How long raw payloads are kept.
    pub keep_raw: SignedDuration,
    /// How long a shutdown waits for what is under way. Default: 20 s.
    pub shutdown_within: SignedDuration,
    /// What of the policy is kept in the ledger, where it was read from files.
    pub kept: Option<Arc<Kept>>,
    /// How what runs stands to its file.
    pub reloads: Reloads,
    /// Called when something new is due.
    pub wake: Wake,
    /// Since when this process runs.
    pub since: Timestamp,
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
        ledger.tell_time_by(&seams);
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
            alerts: Alerts::default(),
            since: seams.clock.now(),
            ledger,
            desks,
            policy,
            seams,
            polls: pace.polls,
            keep_raw: pace.keep_raw,
            shutdown_within: SHUTDOWN_WITHIN,
            kept: None,
            reloads: Reloads::default(),
            wake: Wake::default(),
        }
    }

    /// The same house under another configuration: its ledger, its counters and what is known of desks that stay the same
    /// go on.
    pub fn under(&self, desks: BTreeMap<DeskId, Arc<dyn Desk>>, policy: Arc<Policy>, pace: Pace) -> Self {
        let desks = self.desks.replaced(desks, &pace.polls, pace.verify_after);
        let mut house = self.clone();
        house.intake = self.intake.under(desks.clone(), policy.clone());
        (house.cases.desks, house.cases.policy) = (desks.clone(), policy.clone());
        (house.delivery.desks, house.delivery.policy) = (desks.clone(), policy.clone());
        house.delivery.verify_after = pace.verify_after;
        Self { desks, policy, polls: pace.polls, keep_raw: pace.keep_raw, ..house }
    }

    /// What sends alerts.
    pub fn alert_delivery(&self) -> AlertDelivery {
        AlertDelivery { ledger: self.ledger.clone(), alerts: self.alerts.clone(), seams: self.seams.clone() }
    }

    /// Its web face; a webhook's body may have `webhook_max_bytes`.
    pub fn web(&self, webhook_max_bytes: usize) -> Web {
        Running::new(self.clone()).web(webhook_max_bytes)
    }

    /// What the web shows and feeds of this house.
    pub(super) fn sources(&self) -> Sources {
        let wake = self.wake.clone();
        Sources {
            ledger: self.ledger.clone(),
            desks: self.desks.clone(),
            alerts: self.alerts.clone(),
            policy: self.policy.clone(),
            intake: self.intake.clone(),
            unknowns: self.cases.unknowns.clone(),
            differences: self.cases.differences.clone(),
            reloads: self.reloads.clone(),
            polls: self.polls.clone(),
            since: self.since,
            clock: self.seams.clock.clone(),
            wake: Arc::new(move || wake.call()),
        }
    }

    /// The dashboard of its web face: who may enter, the helpdesks that the policy is about, and when pages that listen for
    /// news are let go.
    pub fn dashboard(
        &self,
        web: Web,
        entry: Entry,
        systems: Vec<(DeskId, String, String)>,
        stop: CancellationToken,
    ) -> Router {
        Running::new(self.clone()).dashboard(web, entry, systems, stop)
    }

    /// What has to happen before anything is delivered: whatever was in flight when the last process ended is unsure, and
    /// where the policy is another one than then, stock is taken. Gives how many effects are unsure.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn recover(&self) -> Result<usize, LedgerError> {
        let now: Timestamp = self.seams.clock.now();
        let house = self.clone();
        let (unsure, noted) = self
            .ledger
            .call(move |ledger| {
                let in_force = house.in_force(&ledger.signed_rules()?);
                let unsure = ledger.recover(now)? + ledger.recover_alerts(&house.alerts.names(), now)?;
                Ok((unsure, ledger.take_stock(&in_force, now)?))
            })
            .await?;
        if noted > 0 {
            tracing::info!(policy = %self.policy.version, cases = noted, "policy.takes_stock");
        }
        Ok(unsure)
    }

    /// The policy as far as stock is taken by it. Rules that act when an agent asks are left out: each of them is asked for.
    pub(super) fn in_force(&self, signed: &[SignedRule]) -> InForce {
        let policy = &self.policy;
        let escalations =
            policy.escalations.iter().filter(|rule| rule.trigger != Trigger::Manual).map(|rule| &rule.rule);
        let rules = policy.routes.iter().map(|route| &route.rule).chain(escalations);
        let live = rules.filter(|rule| hold::mode(rule, policy, signed) == Mode::Live);
        let meaning = |rule: &Rule| (rule.name.clone(), format!("{} for {}", rule.version, rule.share));
        InForce {
            version: policy.version.clone(),
            desks: policy.desks.keys().cloned().collect(),
            live: live.map(meaning).collect(),
            kept: self.kept.as_deref().cloned(),
        }
    }
}
