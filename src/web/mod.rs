//! HTTP: webhooks in; health, readiness, metrics and the dashboard out. Nothing is decided here.
//!
//! [`hooks`] and [`pages`] are routers; where `hooks` has an address of its own, webhooks are served there and nothing
//! else, and not on `listen`. [`serve`] binds either to a listener, with bounds on time and connections.

mod channels;
pub mod dashboard;
mod figures;
mod health;
mod hooks;
mod methods;
mod metrics;
#[cfg(test)]
mod metrics_tests;
mod pages;
mod reloads;
mod serve;
mod standing;
mod transfers;
mod worked_out;

pub use health::{Health, Reason, Status};
pub use hooks::hooks;
pub use metrics::Metrics;
pub use pages::{health_pages, pages};
pub use reloads::{FileNow, Reloads};
pub use serve::{bind, serve};

use crate::cases::differences::Differences;
use crate::cases::unknowns::Unknowns;
use crate::delivery::alerts::Alerts;
use crate::desks::Desks;
use crate::intake::Intake;
use crate::ledger::Handle;
use crate::policy::rules::Policy;
use handoffd_kit::clock::Clock;
use handoffd_kit::id::DeskId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use worked_out::WorkedOut;

/// Webhooks worked at once; more are answered 503, which every vendor repeats.
pub(crate) const HOOKS_AT_ONCE: usize = 128;

/// What the web shows and feeds: the house's parts that it may touch.
#[derive(Clone)]
pub struct Sources {
    /// Where everything is remembered.
    pub ledger: Handle,
    /// The helpdesks.
    pub desks: Desks,
    /// The channels by which people are told outside the helpdesk.
    pub alerts: Alerts,
    /// The policy that decides.
    pub policy: Arc<Policy>,
    /// Where webhooks go.
    pub intake: Intake,
    /// How often conditions could not be told.
    pub unknowns: Unknowns,
    /// How often a desk's clocks and our targets did not agree.
    pub differences: Differences,
    /// How what runs stands to its file.
    pub reloads: Reloads,
    /// How often each desk is polled.
    pub polls: BTreeMap<DeskId, SignedDuration>,
    /// Since when this process runs.
    pub since: Timestamp,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// Called when something new is due.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    sources: Arc<dyn Fn() -> Sources + Send + Sync>,
    metrics: Arc<Metrics>,
    worked_out: Arc<WorkedOut>,
    webhook_max_bytes: usize,
    pub(crate) room: Arc<Semaphore>,
}

impl Web {
    /// The web face of the house that runs, which each request asks for; a webhook's body may have `webhook_max_bytes`.
    pub fn new(sources: impl Fn() -> Sources + Send + Sync + 'static, webhook_max_bytes: usize) -> Self {
        let room = Arc::new(Semaphore::new(HOOKS_AT_ONCE));
        Self {
            sources: Arc::new(sources),
            metrics: Arc::new(Metrics::new()),
            worked_out: Arc::default(),
            webhook_max_bytes,
            room,
        }
    }

    pub(crate) fn sources(&self) -> Sources {
        (self.sources)()
    }
}
