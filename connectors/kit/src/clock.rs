//! Time as an argument. The daemon passes the wall clock in, tests one that they move by hand.

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A boxed wait.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What tells the time and waits.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
    /// Resolves once `now() >= at`.
    fn sleep_until(&self, at: Timestamp) -> Sleep;
}

/// A clock that stands still until a test or the simulation moves it.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<Hands>>);

struct Hands {
    now: Timestamp,
    next_ticket: u64,
    waiting: BTreeMap<(Timestamp, u64), Waker>,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Hands { now: start, next_ticket: 0, waiting: BTreeMap::new() })))
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves to `at` (never back) and wakes every wait that has ended by then.
    pub fn set(&self, at: Timestamp) {
        let mut hands = self.hands();
        hands.now = hands.now.max(at);
        let now = hands.now;
        let later = hands.waiting.split_off(&(now, u64::MAX));
        let ended = std::mem::replace(&mut hands.waiting, later);
        drop(hands);
        ended.into_values().for_each(Waker::wake);
    }

    /// Moves forward by `span`.
    pub fn advance(&self, span: jiff::SignedDuration) {
        let at = self.now().saturating_add(span).unwrap_or(Timestamp::MAX);
        self.set(at);
    }

    /// The nearest instant somebody waits for.
    pub fn next_wait(&self) -> Option<Timestamp> {
        self.hands().waiting.keys().next().map(|(at, _)| *at)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.hands().now
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        Box::pin(ManualSleep { clock: self.clone(), at, ticket: None })
    }
}

struct ManualSleep {
    clock: ManualClock,
    at: Timestamp,
    ticket: Option<u64>,
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut hands = clock.hands();
        if hands.now >= self.at {
            return Poll::Ready(());
        }
        let ticket = self.ticket.unwrap_or(hands.next_ticket);
        if self.ticket.is_none() {
            hands.next_ticket += 1;
            self.ticket = Some(ticket);
        }
        hands.waiting.insert((self.at, ticket), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for ManualSleep {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.clock.hands().waiting.remove(&(self.at, ticket));
        }
    }
}
