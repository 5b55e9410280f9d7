//! HTTP: webhooks in; health, readiness and metrics out. Nothing is decided here.
//!
//! [`hooks`] and [`pages`] are routers; where `hooks` has an address of its own, webhooks are served there and nothing
//! else, and not on `listen`. [`serve`] binds either to a listener, with bounds on time and connections.

mod figures;
mod health;
mod hooks;
mod metrics;
mod pages;
mod serve;

pub use health::{Health, Reason, Status};
pub use hooks::hooks;
pub use metrics::Metrics;
pub use pages::pages;
pub use serve::{bind, serve};

use crate::daemon::house::House;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Webhooks worked at once; more are answered 503, which every vendor repeats.
const HOOKS_AT_ONCE: usize = 128;

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    house: House,
    metrics: Arc<Metrics>,
    webhook_max_bytes: usize,
    room: Arc<Semaphore>,
}

impl Web {
    /// The web face of a house; a webhook's body may have `webhook_max_bytes`.
    pub fn new(house: House, webhook_max_bytes: usize) -> Self {
        let metrics = Arc::new(Metrics::new(&house.policy));
        Self { house, metrics, webhook_max_bytes, room: Arc::new(Semaphore::new(HOOKS_AT_ONCE)) }
    }
}

#[cfg(test)]
mod tests;
