//! Waiting for one's turn as a future, and the turn itself as a guard. Both can be dropped at any moment: a place in the
//! queue, a call that was counted but not sent, and a slot among the calls in flight all find their way back. As with
//! any lock, a call that waits must be polled or dropped: the first in the queue keeps the time for all behind it.

use super::limits::Claim;
use super::queue::{Place, Queue, Turn};
use crate::clock::{Clock, Sleep};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The queue, and the clock that moves it.
pub(super) struct Line {
    queue: Mutex<Queue>,
    clock: Arc<dyn Clock>,
}

/// Why a call does not get its turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoTurn {
    /// Too many calls wait already.
    Full,
    /// The gate was closed before it was let go.
    Closed,
    /// It is a write that was held back before it was let go.
    HeldBack,
    /// Its turn came later than it was worth sending.
    Late,
}

impl Line {
    pub fn new(queue: Queue, clock: Arc<dyn Clock>) -> Self {
        Self { queue: Mutex::new(queue), clock }
    }

    /// Waits for a turn to send, which is worth something until `latest` only.
    pub fn wait(&self, claim: Claim, deadline: Timestamp, latest: Timestamp) -> Wait<'_> {
        Wait { line: self, stage: Stage::New(claim, deadline), write: None, latest, timer: None }
    }

    /// Looks at the queue or changes something that lets nobody go earlier.
    pub fn with<T>(&self, act: impl FnOnce(&mut Queue) -> T) -> T {
        act(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets nobody go any more, and tells those who wait.
    pub fn close(&self) {
        let wake = self.lock().close();
        wake.into_iter().for_each(Waker::wake);
    }

    /// Lets these writes not go, and no others any more, and tells those who wait.
    pub fn hold_back(&self, writes: &BTreeSet<String>) {
        let wake = self.lock().hold_back(writes);
        wake.into_iter().for_each(Waker::wake);
    }

    /// Changes the queue, then lets go whoever may.
    fn change(&self, act: impl FnOnce(&mut Queue)) {
        let wake = {
            let mut queue = self.lock();
            act(&mut queue);
            queue.settle(self.clock.now())
        };
        wake.into_iter().for_each(Waker::wake);
    }
}

/// A call that waits.
pub(super) struct Wait<'a> {
    line: &'a Line,
    stage: Stage,
    /// The write that it begins, by its mark's key.
    write: Option<String>,
    latest: Timestamp,
    timer: Option<(Timestamp, Sleep)>,
}

enum Stage {
    New(Claim, Timestamp),
    Queued(Place),
    Over,
}

/// The right to send one call, and its slot among those in flight.
pub(super) struct Admission<'a>(&'a Line);

impl<'a> Wait<'a> {
    /// The same for a call that begins this write, by its mark's key.
    pub fn begins(mut self, write: Option<String>) -> Self {
        self.write = write;
        self
    }

    /// Where the call stands now.
    fn turn(&mut self, waker: &Waker) -> Result<Turn, NoTurn> {
        let now = self.line.clock.now();
        let (wake, turn) = {
            let mut queue = self.line.lock();
            if queue.is_closed() {
                return Err(NoTurn::Closed);
            }
            // Even when it was let go: its turn is given back when the future is dropped.
            if self.write.as_ref().is_some_and(|write| queue.is_held(write)) {
                return Err(NoTurn::HeldBack);
            }
            let place = match &self.stage {
                Stage::Queued(place) => *place,
                Stage::New(claim, deadline) => queue.enter(claim.clone(), *deadline, now, waker).ok_or(NoTurn::Full)?,
                Stage::Over => return Err(NoTurn::Full),
            };
            self.stage = Stage::Queued(place);
            let wake = queue.settle(now);
            // Its turn is given back when the future is dropped.
            let late = now > self.latest && queue.is_let_go(place);
            (wake, if late { Err(NoTurn::Late) } else { Ok(queue.turn(place, waker)) })
        };
        wake.into_iter().filter(|other| !other.will_wake(waker)).for_each(Waker::wake);
        turn
    }
}

impl<'a> Future for Wait<'a> {
    type Output = Result<Admission<'a>, NoTurn>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let at = match self.turn(context.waker()) {
                Err(none) => return Poll::Ready(Err(none)),
                Ok(Turn::Go) => {
                    self.stage = Stage::Over;
                    return Poll::Ready(Ok(Admission(self.line)));
                }
                Ok(Turn::Wait(at)) => at,
            };
            self.timer = match (self.timer.take(), at) {
                (Some((set, sleep)), Some(at)) if set == at => Some((set, sleep)),
                (_, at) => at.map(|at| (at, self.line.clock.sleep_until(at))),
            };
            let ended = self.timer.as_mut().is_some_and(|(_, sleep)| sleep.as_mut().poll(context).is_ready());
            if !ended {
                return Poll::Pending;
            }
            self.timer = None;
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Stage::Queued(place) = self.stage {
            self.line.change(|queue| queue.leave(place));
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.0.change(Queue::finish);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::DeclaredLimit;
    use crate::clock::ManualClock;
    use crate::gate::Class;
    use crate::gate::limits::Limits;
    use futures::FutureExt;
    use std::time::Duration;

    #[test]
    fn a_call_dropped_between_being_let_go_and_being_sent_costs_nothing() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let limit = DeclaredLimit { endpoint: "account", calls: 2, per: Duration::from_secs(60), per_ticket: false };
        let line = Line::new(Queue::new(Limits::new(&[limit], 1.0), 1), Arc::new(clock));
        let wait = || {
            line.wait(
                Claim { endpoint: "look", ticket: None, class: Class::Read },
                Timestamp::UNIX_EPOCH,
                Timestamp::MAX,
            )
        };
        let first = wait().now_or_never().unwrap().unwrap();
        let mut second = wait();
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        assert_eq!(line.with(|queue| queue.in_flight()), 1, "the second was let go");
        drop(second);
        assert_eq!(line.with(|queue| queue.in_flight()), 0);
        assert!(wait().now_or_never().is_some(), "its place in the limit is free again");
    }

    #[test]
    fn a_write_that_is_held_back_between_being_let_go_and_being_sent_costs_nothing() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let limit = DeclaredLimit { endpoint: "account", calls: 2, per: Duration::from_secs(60), per_ticket: false };
        let line = Line::new(Queue::new(Limits::new(&[limit], 1.0), 1), Arc::new(clock));
        let wait = |write: &str| {
            let claim = Claim { endpoint: "update", ticket: None, class: Class::Write };
            line.wait(claim, Timestamp::UNIX_EPOCH, Timestamp::MAX).begins(Some(write.to_owned()))
        };
        let first = wait("h1/1").now_or_never().unwrap().unwrap();
        let mut second = wait("h2/1");
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        assert_eq!(line.with(|queue| queue.in_flight()), 1, "the second was let go");
        line.hold_back(&["h2/1".to_owned()].into());
        assert!(matches!((&mut second).now_or_never(), Some(Err(NoTurn::HeldBack))));
        drop(second);
        assert_eq!(line.with(|queue| queue.in_flight()), 0);
        assert!(wait("h3/1").now_or_never().is_some_and(|turn| turn.is_ok()), "its place is free again");
    }
}
