//! One gate per desk account, under all its calls: the vendor's limits, the share left for people, `Retry-After`
//! to the second, and the nearest deadline first when calls must wait.
//!
//! In reading order: `window` (how many calls went in the last minute), `limits` (what the vendor allows, as declared and
//! as corrected by its answers), `queue` (who goes next, and the rules that keep anybody from starving), `turn` (waiting
//! as a future that may be dropped), `retry_after`, `redact`. Errors and logs carry no header, query or body.

mod limits;
mod queue;
mod redact;
mod retry_after;
mod turn;
mod window;

#[cfg(test)]
mod tests;

use crate::capability::DeclaredLimit;
use crate::error::{DeskError, DeskErrorKind, Result, Retry};
use crate::id::TicketId;
use crate::settings::Seams;
use crate::transport::{Bounds, TransportError};
use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use limits::{Claim, Limits};
use queue::Queue;
pub use redact::redact;
pub use retry_after::retry_after;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use turn::{Line, NoTurn};

/// One call through the gate.
pub struct Call {
    /// What it is for, as errors and logs name it: "read head".
    pub operation: &'static str,
    /// Which declared limit it counts against (besides `"account"`).
    pub endpoint: &'static str,
    /// The ticket, where the vendor limits by ticket.
    pub ticket: Option<TicketId>,
    /// Calls that wait go in this order.
    pub deadline: Timestamp,
    /// What it does.
    pub class: Class,
    /// The write that it begins, by its mark's key: as long as it has not left, it can be [held back](Gate::hold_back). None:
    /// a read, or a later call of a write that has begun and is finished.
    pub begins: Option<String>,
    /// The request, with its login headers.
    pub request: http::Request<Bytes>,
}

/// What a call does. Decides its share of the limits and what a lost answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Reads; polls and looks keep a tenth of the gate for themselves.
    Read,
    /// Changes something: a lost answer leaves us unsure.
    Write,
}

impl Class {
    /// What a call that failed on the desk's side, or was answered with something unreadable, leaves behind: a read can
    /// always be repeated, a write may have been done.
    pub fn after_failure(self) -> Retry {
        match self {
            Class::Read => Retry::After(None),
            Class::Write => Retry::Unsure,
        }
    }

    fn other(self) -> Self {
        match self {
            Class::Read => Class::Write,
            Class::Write => Class::Read,
        }
    }
}

/// What an answer's headers say about a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// `"account"` or an endpoint name.
    pub endpoint: &'static str,
    /// The limit for its window.
    pub limit: Option<u32>,
    /// What is left of it.
    pub remaining: Option<u32>,
    /// When the window starts anew, by our clock.
    pub resets: Option<Timestamp>,
}

/// Reads a vendor's limit headers.
pub type ReadLimits = fn(&http::HeaderMap, Timestamp) -> Vec<Correction>;

/// How many calls are in flight at once on a desk whose connector does not say otherwise.
const CONCURRENCY: usize = 8;

/// How long a desk is left alone that answers 429 and names no instant.
const UNNAMED_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// How soon a call should be answered that nobody gave a deadline.
const SOON: SignedDuration = SignedDuration::from_mins(1);

/// How long after a ticket was read a write that rests on it may leave.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// How often a write that was held back too long reads its ticket anew.
const MOST_LOOKS: u8 = 3;

/// The gate of one desk account.
pub struct Gate {
    seams: Seams,
    bounds: Bounds,
    read_limits: ReadLimits,
    line: Line,
    counts: Mutex<Counts>,
}

/// What a gate has done and how it stands, for metrics and health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Calls sent.
    pub calls: BTreeMap<(&'static str, Class), u64>,
    /// Answers with status 429.
    pub refused: u64,
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// Calls under way.
    pub in_flight: usize,
    /// What the desk has asked us to leave alone, and until when: an endpoint (or `"account"`), or one ticket of it.
    pub closed: Vec<(&'static str, Option<TicketId>, Timestamp)>,
    /// Each limit as it stands now.
    pub limits: Vec<LimitNow>,
}

/// A limit of the vendor's as the gate knows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitNow {
    /// Of which endpoint; `"account"`: of all calls.
    pub endpoint: &'static str,
    /// Whether each ticket has it for itself; then `used` is of the ticket with the most.
    pub per_ticket: bool,
    /// In which time.
    pub per: SignedDuration,
    /// How many calls, as the connector declares it.
    pub declared: u32,
    /// How many calls, as the desk's answers have corrected it.
    pub calls: u32,
    /// How many of them are ours by the desk's `budget`.
    pub ours: u32,
    /// How many of ours count now.
    pub used: u32,
    /// What an answer said is left for us, and until when that holds; none: no answer says.
    pub left: Option<(u32, Timestamp)>,
}

/// A write that rests on a read of a moment ago, on a desk that compares nothing: until when the read counts, and how often
/// the ticket was read for it. If the gate held the write back longer, it was not sent, and the ticket is read again.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    latest: Timestamp,
    looks: u8,
}

impl Freshness {
    /// The ticket was read right now. Begin with `None`, and go on with what the last round gave.
    pub fn of_read(gate: &Gate, before: Option<Self>) -> Self {
        Self { latest: window::later(gate.now(), FRESH), looks: before.map_or(0, |before| before.looks) + 1 }
    }

    /// The write is not worth sending after this.
    pub fn latest(&self) -> Timestamp {
        self.latest
    }

    /// Whether the write failed for nothing but its age, and may read the ticket once more.
    pub fn is_over(&self, gate: &Gate, error: &DeskError) -> bool {
        // Whatever may be repeated was not carried out.
        let not_sent = error.kind == DeskErrorKind::Unavailable && error.retry == Retry::After(None);
        not_sent && gate.now() > self.latest && self.looks < MOST_LOOKS
    }
}

#[derive(Default)]
struct Counts {
    calls: BTreeMap<(&'static str, Class), u64>,
    refused: u64,
}

impl Gate {
    /// A gate with the vendor's declared limits, of which `budget` (`0.0..=1.0`, at least one call) is ours. At most
    /// eight calls are in flight at once; see [`Gate::concurrency`].
    pub fn new(seams: Seams, limits: &[DeclaredLimit], budget: f64, read_limits: ReadLimits) -> Self {
        let queue = Queue::new(Limits::new(limits, budget), CONCURRENCY);
        let line = Line::new(queue, seams.clock.clone());
        Self { seams, bounds: Bounds::default(), read_limits, line, counts: Mutex::default() }
    }

    /// The same gate with at most so many calls in flight (at least one). Some desks starve on more.
    #[must_use]
    pub fn concurrency(self, calls: usize) -> Self {
        self.line.with(|queue| queue.concurrency = calls.max(1));
        self
    }

    /// The same gate with other bounds for each answer.
    #[must_use]
    pub fn bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The clock, the random source and the transport below.
    pub fn seams(&self) -> &Seams {
        &self.seams
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.seams.clock.now()
    }

    /// The deadline of calls that nobody gave one.
    pub fn soon(&self) -> Timestamp {
        window::later(self.now(), SOON)
    }

    /// What the gate has done and how it stands.
    pub fn figures(&self) -> Figures {
        let now = self.now();
        let (waiting, in_flight, closed, limits) = self
            .line
            .with(|queue| (queue.waiting(), queue.in_flight(), queue.limits.closed(now), queue.limits.standing(now)));
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        Figures { calls: counts.calls.clone(), refused: counts.refused, waiting, in_flight, closed, limits }
    }

    /// Sends nothing more: calls that wait, and those that come, are answered at once that they were not sent. What has
    /// left is waited for as ever. For the end of the process, which cannot wait as long as a vendor's limits may.
    pub fn close(&self) {
        self.line.close();
    }

    /// Holds these writes back, by their marks' keys, and no others any more: one that waits for its turn, and one that comes, is
    /// answered at once that it was not sent. What has left is waited for as ever, and reads go on.
    pub fn hold_back(&self, writes: &BTreeSet<String>) {
        self.line.hold_back(writes);
    }

    /// Waits its turn, sends, and reads the answer. Any status but 429 comes back as it is, for the connector to read;
    /// a 503 with `Retry-After` closes the endpoint as a 429 does. Dropping the future gives its place back.
    ///
    /// # Errors
    /// 429 is `RateLimited` with the instant until which the gate is closed, so is (at once, without an instant) a call
    /// that finds ten thousand waiting; a request that never left (the gate was closed meanwhile, too) is `Unavailable` and may be repeated; a write that is
    /// [held back](Self::hold_back) is `Held`; a lost answer is `Unavailable`, one that is too large `Protocol`, and both are `Retry::Unsure` for a [`Class::Write`].
    pub async fn call(&self, call: Call) -> Result<Response<Bytes>> {
        self.call_by(call, Timestamp::MAX).await
    }

    /// The same for a call that is not worth sending after `latest`: a write that rests on a read of a moment ago. If its
    /// turn comes later, it is not sent.
    ///
    /// # Errors
    /// As [`Gate::call`]; a call that was not sent for that is `Unavailable` and may be repeated.
    pub async fn call_by(&self, call: Call, latest: Timestamp) -> Result<Response<Bytes>> {
        let Call { operation, endpoint, ticket, deadline, class, begins, request } = call;
        let claim = Claim { endpoint, ticket, class };
        let turn = self.line.wait(claim.clone(), deadline, latest).begins(begins);
        let admission = turn.await.map_err(|none| match none {
            NoTurn::HeldBack => DeskError::new(DeskErrorKind::Held, Retry::After(None), operation)
                .words("not sent: it was paused while it waited for its turn"),
            NoTurn::Full => DeskError::new(DeskErrorKind::RateLimited, Retry::After(None), operation)
                .words("too many calls to this desk are waiting"),
            NoTurn::Closed => DeskError::new(DeskErrorKind::Unavailable, Retry::After(None), operation)
                .words("not sent: handoffd stops"),
            NoTurn::Late => DeskError::new(DeskErrorKind::Unavailable, Retry::After(None), operation)
                .words("not sent: it waited for its turn until what it rests on was old"),
        })?;
        self.count(|counts| *counts.calls.entry((endpoint, class)).or_default() += 1);
        let address = redact(request.uri());
        let sent = self.seams.transport.send(request, self.bounds).await;
        let answer = match sent {
            Ok(response) => self.read(response, &claim, operation),
            Err(error) => Err(failed(&error, class, operation, &address)),
        };
        // Only now: what the answer says about the limits counts before the next call is let go.
        drop(admission);
        answer
    }

    fn read(&self, response: Response<Bytes>, claim: &Claim, operation: &'static str) -> Result<Response<Bytes>> {
        let now = self.seams.clock.now();
        let corrections = (self.read_limits)(response.headers(), now);
        let status = response.status();
        let named = match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => retry_after(response.headers(), now),
            _ => None,
        };
        let until = self.line.with(|queue| {
            corrections.iter().for_each(|said| queue.limits.correct(said, now));
            match (status, named) {
                (StatusCode::TOO_MANY_REQUESTS, _) => {
                    let until =
                        named.or_else(|| reset(&corrections, claim)).unwrap_or(window::later(now, UNNAMED_WAIT));
                    Some(queue.limits.refused(claim, until, now))
                }
                (_, Some(until)) => Some(queue.limits.overloaded(claim, until, now)),
                _ => None,
            }
        });
        if let Some(until) = until {
            tracing::info!(endpoint = claim.endpoint, status = status.as_u16(), %until, "desk.asked_to_wait");
        }
        if status != StatusCode::TOO_MANY_REQUESTS {
            return Ok(response);
        }
        self.count(|counts| counts.refused += 1);
        Err(DeskError::new(DeskErrorKind::RateLimited, Retry::After(until), operation).status(status.as_u16()))
    }

    fn count(&self, act: impl FnOnce(&mut Counts)) {
        act(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// When the limit that refused this call starts anew, where the answer says which one it was.
fn reset(corrections: &[Correction], claim: &Claim) -> Option<Timestamp> {
    let used_up =
        |said: &&Correction| said.remaining == Some(0) && [claim.endpoint, limits::ACCOUNT].contains(&said.endpoint);
    corrections.iter().filter(used_up).filter_map(|said| said.resets).max()
}

fn failed(error: &TransportError, class: Class, operation: &'static str, address: &str) -> DeskError {
    let retry = match error {
        TransportError::NotSent(_) => Retry::After(None),
        _ => class.after_failure(),
    };
    let kind = match error {
        TransportError::TooLarge(_) => DeskErrorKind::Protocol,
        _ => DeskErrorKind::Unavailable,
    };
    DeskError::new(kind, retry, operation).words(format!("{error} ({address})"))
}
