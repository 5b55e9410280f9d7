//! How the daemon hears of changes on a day: by webhooks and polls, or by one of them alone, so that nothing makes good what is
//! lost on that way. Where it only polls, it is often cut off where it has just read a page; where it hears webhooks alone, it
//! never ends, as it polls when it starts, but its reads are slow, and people change again what it reads.

use fastrand::Rng;
use handoffd_sandbox::faults::{Fault, FaultPlan, On, WebhookFaults};
use jiff::SignedDuration;
use std::sync::{Arc, Mutex, PoisonError};

/// So many polls are answered for each that is the last.
const POLLS: u8 = 10;
/// So few steps later it ends: in the transactions that follow from a page.
const STEPS: std::ops::Range<i64> = 1..6;

/// How slow an answer may be that is still waited for.
const SLOW: SignedDuration = SignedDuration::from_secs(25);

/// By which ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Webhooks, of which some are lost, and polls.
    Both,
    /// Polls: no webhook comes at all.
    Polled,
    /// Webhooks, all of which come, and the poll of the start.
    Posted,
}

impl News {
    /// What goes wrong, with webhooks as they come.
    pub fn of_hooks(self, plan: FaultPlan) -> FaultPlan {
        match self {
            News::Both => plan,
            News::Polled => plan.webhooks(WebhookFaults { lost: 1.0, ..WebhookFaults::default() }),
            News::Posted => {
                let duplicated = WebhookFaults { duplicated: 0.3, ..WebhookFaults::default() };
                plan.rate(On::Reads, Fault::Slow(SLOW), 0.4).webhooks(duplicated)
            }
        }
    }

    /// How long things happen and go wrong; then how long the daemon has to finish: where it polls once a day, less than that.
    pub fn hours(self) -> (SignedDuration, SignedDuration) {
        let (day, rest) = if self == News::Posted { (14, 9) } else { (24, 8) };
        (SignedDuration::from_hours(day), SignedDuration::from_hours(rest))
    }

    /// The policy, with a poll that brings nothing to light where there is none.
    pub fn of_policy(self, policy: String) -> String {
        match self {
            News::Posted => policy.replacen("poll      = \"5m\"", "poll      = \"24h\"", 1),
            News::Both | News::Polled => policy,
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
