//! Freshdesk's limits, counted in fixed minutes, and the headers that tell of the account's (Freshdesk sheet, *Rate limits*).
//! The limits of single endpoints stand in no header: only the refusal tells.

use super::refusals::Refusal;
use super::request::Call;
use super::route::Endpoint;
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};

/// What an account's plan allows in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// All calls, those with `include` counted more than once.
    pub total: u32,
    /// Updates of tickets, notes and replies.
    pub updates: u32,
    /// Lists of tickets.
    pub lists: u32,
}

impl Plan {
    /// The smallest plan with an API.
    pub const GROWTH: Plan = Plan { total: 200, updates: 80, lists: 20 };
    /// The largest plan.
    pub const ENTERPRISE: Plan = Plan { total: 700, updates: 280, lists: 200 };
    /// So wide that nothing is ever reached.
    pub const WIDE: Plan = Plan { total: 1_000_000, updates: 1_000_000, lists: 1_000_000 };
}

/// Counts requests.
pub(super) struct Limiter {
    plan: Plan,
    ends: Timestamp,
    total: u32,
    updates: u32,
    lists: u32,
}

/// What is left, for the headers.
pub(super) struct Left {
    total: u32,
    remaining: u32,
    cost: u32,
}

impl Limiter {
    pub(super) fn new(plan: Plan) -> Self {
        Self { plan, ends: Timestamp::MIN, total: 0, updates: 0, lists: 0 }
    }

    /// Counts a request against every limit that it falls under.
    pub(super) fn count(&mut self, endpoint: Endpoint, call: &Call<'_>, now: Timestamp) -> Result<Left, Refusal> {
        if now >= self.ends {
            (self.total, self.updates, self.lists) = (0, 0, 0);
            self.ends = now + SignedDuration::from_mins(1);
        }
        let plan = self.plan;
        let (own, limit) = match endpoint {
            Endpoint::UpdateTicket(_) | Endpoint::AddNote(_) | Endpoint::Reply(_) => {
                (Some(&mut self.updates), plan.updates)
            }
            Endpoint::Tickets => (Some(&mut self.lists), plan.lists),
            _ => (None, 0),
        };
        // An `include` on a list costs two more, on one ticket one more (sources differ; the dearer reading for lists).
        let each = if endpoint == Endpoint::Tickets { 2 } else { 1 };
        let cost = 1 + each * u32::try_from(call.included().count()).unwrap_or(0);
        let full = own.as_ref().is_some_and(|used| **used >= limit) || self.total + cost > plan.total;
        if full {
            let left = self.ends.duration_since(now);
            let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
            return Err(Refusal::TooMany { retry_after: Some(SignedDuration::from_secs(seconds)) });
        }
        if let Some(used) = own {
            *used += 1;
        }
        self.total += cost;
        Ok(Left { total: plan.total, remaining: plan.total - self.total, cost })
    }
}

/// Writes the headers.
pub(super) fn tell(headers: &mut HeaderMap, left: &Left) {
    headers.insert("x-ratelimit-total", HeaderValue::from(left.total));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(left.remaining));
    headers.insert("x-ratelimit-used-currentrequest", HeaderValue::from(left.cost));
}
