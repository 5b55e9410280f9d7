//! Zendesk's limits, counted in fixed windows, and the headers that tell of them (Zendesk sheet, *Rate limits*).

use super::login::Caller;
use super::refusals::Refusal;
use super::route::Endpoint;
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All requests of the account in a minute.
    pub account_per_minute: u32,
    /// Updates of the account in a minute.
    pub updates_per_minute: u32,
    /// Updates of one ticket by one user in ten minutes.
    pub updates_per_ticket: u32,
    /// Exports in a minute.
    pub exports_per_minute: u32,
    /// Reads of audits in a minute.
    pub audits_per_minute: u32,
}

impl Limits {
    /// Suite Enterprise without the add-on.
    pub const ENTERPRISE: Limits = Limits {
        account_per_minute: 700,
        updates_per_minute: 100,
        updates_per_ticket: 30,
        exports_per_minute: 10,
        audits_per_minute: 500,
    };

    /// So wide that only the account's plan is counted, never reached.
    pub const WIDE: Limits = Limits {
        account_per_minute: 1_000_000,
        updates_per_minute: 1_000_000,
        updates_per_ticket: 1_000_000,
        exports_per_minute: 1_000_000,
        audits_per_minute: 1_000_000,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Account,
    Updates,
    UpdatesOf(u64, u64),
    Exports,
    Audits,
    TicketsIndex,
}

/// Counts requests.
pub(super) struct Limiter {
    limits: Limits,
    windows: BTreeMap<Counted, Window>,
}

#[derive(Clone, Copy)]
struct Window {
    ends: Timestamp,
    used: u32,
}

/// What is left, for the headers.
pub(super) struct Left {
    account: Bucket,
    named: Option<(&'static str, Bucket)>,
}

#[derive(Clone, Copy)]
struct Bucket {
    total: u32,
    remaining: u32,
    resets: i64,
}

impl Limiter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, windows: BTreeMap::new() }
    }

    /// Counts a request against every limit that it falls under.
    pub(super) fn count(&mut self, endpoint: Endpoint, caller: &Caller, now: Timestamp) -> Result<Left, Refusal> {
        self.windows.retain(|_, window| now < window.ends);
        let limits = self.limits;
        let minute = SignedDuration::from_mins(1);
        let account = self.spend(Counted::Account, limits.account_per_minute, minute, now)?;
        let mut named = None;
        match endpoint {
            Endpoint::UpdateTicket(ticket) => {
                let user = caller.person.map_or(0, |person| person.0);
                let ten = SignedDuration::from_mins(10);
                self.spend(Counted::UpdatesOf(user, ticket.0), limits.updates_per_ticket, ten, now)?;
                self.spend(Counted::Updates, limits.updates_per_minute, minute, now)?;
            }
            Endpoint::Export => {
                let left = self.spend(Counted::Exports, limits.exports_per_minute, minute, now)?;
                named = Some(("zendesk-ratelimit-incremental-exports", left));
            }
            Endpoint::Tickets => {
                // A live account showed 20,000 (Zendesk sheet, *Rate limits*).
                let left = self.spend(Counted::TicketsIndex, 20_000, minute, now)?;
                named = Some(("zendesk-ratelimit-tickets-index", left));
            }
            Endpoint::Audits(_) => {
                self.spend(Counted::Audits, limits.audits_per_minute, minute, now)?;
            }
            _ => {}
        }
        Ok(Left { account, named })
    }

    fn spend(&mut self, what: Counted, limit: u32, span: SignedDuration, now: Timestamp) -> Result<Bucket, Refusal> {
        let window = self.windows.entry(what).or_insert(Window { ends: now + span, used: 0 });
        // The wait is rounded up, so that whoever obeys it comes after the window's end.
        let resets = window.ends.duration_since(now).as_secs()
            + i64::from(window.ends.subsec_nanosecond() != now.subsec_nanosecond());
        if window.used >= limit {
            let updates = matches!(what, Counted::Updates | Counted::UpdatesOf(..));
            return Err(Refusal::TooMany { retry_after: Some(SignedDuration::from_secs(resets)), updates });
        }
        window.used += 1;
        Ok(Bucket { total: limit, remaining: limit - window.used, resets })
    }
}

/// Writes the headers.
pub(super) fn tell(headers: &mut HeaderMap, left: &Left) {
    let Bucket { total, remaining, resets } = left.account;
    headers.insert("x-rate-limit", HeaderValue::from(total));
    headers.insert("x-rate-limit-remaining", HeaderValue::from(remaining));
    headers.insert("ratelimit-limit", HeaderValue::from(total));
    headers.insert("ratelimit-remaining", HeaderValue::from(remaining));
    headers.insert("ratelimit-reset", HeaderValue::from(resets));
    if let Some((name, Bucket { total, remaining, resets })) = left.named
        && let Ok(value) = HeaderValue::from_str(&format!("total={total}; remaining={remaining}; resets={resets}"))
    {
        headers.insert(name, value);
    }
}
