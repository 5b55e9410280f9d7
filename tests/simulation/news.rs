//! How the daemon hears of changes on a day: by webhooks and polls, or by polls alone, so that nothing makes good what is lost
//! on that way. Then it is often cut off where it has just read a page.

use fastrand::Rng;
use handoffd_sandbox::faults::{FaultPlan, WebhookFaults};
use std::sync::{Arc, Mutex, PoisonError};

/// So many polls are answered for each that is the last.
const POLLS: u8 = 10;
/// So few steps later it ends: in the transactions that follow from a page.
const STEPS: std::ops::Range<i64> = 1..6;

/// By which ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Webhooks, of which some are lost, and polls.
    Both,
    /// Polls: no webhook comes at all.
    Polled,
}

impl News {
    /// What goes wrong, with webhooks as they come.
    pub fn of_hooks(self, plan: FaultPlan) -> FaultPlan {
        match self {
            News::Both => plan,
            News::Polled => plan.webhooks(WebhookFaults { lost: 1.0, ..WebhookFaults::default() }),
        }
    }
}

/// Says which polls are the last ones of a life.
#[derive(Clone)]
pub struct Cut(Arc<Mutex<Rng>>);

impl Cut {
    /// Of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Rng::with_seed(seed))))
    }

    /// How many steps are left after a request to this path; none: as many as there were.
    pub fn after(&self, path: &str) -> Option<i64> {
        let polls = path.contains("/incremental/") || path.ends_with("/tickets") || path.ends_with("/tickets/search");
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (polls && random.u8(0..POLLS) == 0).then(|| random.i64(STEPS))
    }
}
