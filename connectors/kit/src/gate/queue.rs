//! Who goes next. Pure: the present instant is an argument, wakers are handed back to be woken outside the lock.
//!
//! The nearest deadline goes first among the calls that may go now; a call that its own limit holds back stops nobody
//! else. Neither class starves the other: each leaves it a tenth of every limit that both use (see
//! [`Room`](super::window::Room)), and where both wait, after nine calls of one class the other has its turn. Within a
//! class, a deadline counts at most an hour after and a quarter of an hour before its call's arrival, so that no stream
//! of later calls keeps an earlier one waiting for ever.

use super::Class;
use super::limits::{Claim, Limits};
use super::window::later;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::task::Waker;

/// How many calls may wait.
pub(super) const MOST_WAITING: usize = 10_000;

/// How many calls of one class go in a row while the other class waits.
const MOST_IN_A_ROW: u32 = 9;

const LATEST: SignedDuration = SignedDuration::from_hours(1);
const EARLIEST: SignedDuration = SignedDuration::from_mins(-15);

/// A call's place: its deadline as it counts, and the order of arrival among equals.
pub(super) type Place = (Timestamp, u64);

/// The calls that wait and the calls that were let go.
pub(super) struct Queue {
    pub limits: Limits,
    pub concurrency: usize,
    waiting: BTreeMap<Place, Waiting>,
    waiting_of: [usize; 2],
    /// Let go, and not yet fetched by the waiting future.
    let_go: HashMap<u64, (Claim, Timestamp)>,
    in_flight: usize,
    arrivals: u64,
    in_a_row: (Class, u32),
    /// When somebody may go whom a limit holds back now.
    next: Option<Timestamp>,
    /// Nobody goes any more: the process ends.
    closed: bool,
    /// Writes that do not go, by their marks' keys: they are paused.
    held: BTreeSet<String>,
    /// What the first in the queue last set its timer for.
    armed: Option<(Place, Option<Timestamp>)>,
}

struct Waiting {
    claim: Claim,
    waker: Waker,
}

/// Where a call stands.
pub(super) enum Turn {
    /// It may be sent; it counts against the limits and as in flight.
    Go,
    /// It waits. The first in the queue keeps the time for all: it asks again at this instant.
    Wait(Option<Timestamp>),
}

impl Queue {
    pub fn new(limits: Limits, concurrency: usize) -> Self {
        Self {
            limits,
            concurrency,
            waiting: BTreeMap::new(),
            waiting_of: [0; 2],
            let_go: HashMap::new(),
            in_flight: 0,
            arrivals: 0,
            in_a_row: (Class::Read, 0),
            next: None,
            closed: false,
            held: BTreeSet::new(),
            armed: None,
        }
    }

    /// Lets nobody go any more; returns whom to wake: all who wait.
    pub fn close(&mut self) -> Vec<Waker> {
        self.closed = true;
        self.waiting.values().map(|waiting| waiting.waker.clone()).collect()
    }

    /// Whether nobody goes any more.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Lets these writes not go, and no others any more; returns whom to wake: all who wait, each to find out about itself.
    pub fn hold_back(&mut self, writes: &BTreeSet<String>) -> Vec<Waker> {
        self.held.clone_from(writes);
        self.waiting.values().map(|waiting| waiting.waker.clone()).collect()
    }

    /// Whether this write does not go.
    pub fn is_held(&self, write: &str) -> bool {
        self.held.contains(write)
    }

    /// Queues a call; none: too many wait already.
    pub fn enter(&mut self, claim: Claim, deadline: Timestamp, now: Timestamp, waker: &Waker) -> Option<Place> {
        if self.waiting.len() >= MOST_WAITING {
            return None;
        }
        self.arrivals += 1;
        let place = (deadline.clamp(later(now, EARLIEST), later(now, LATEST)), self.arrivals);
        self.waiting_of[claim.class as usize] += 1;
        self.waiting.insert(place, Waiting { claim, waker: waker.clone() });
        Some(place)
    }

    /// Asks for a call's turn, after [`Queue::settle`].
    pub fn turn(&mut self, place: Place, waker: &Waker) -> Turn {
        if self.let_go.remove(&place.1).is_some() {
            return Turn::Go;
        }
        if let Some(waiting) = self.waiting.get_mut(&place) {
            waiting.waker.clone_from(waker);
        }
        if self.first() != Some(place) {
            return Turn::Wait(None);
        }
        self.armed = Some((place, self.next));
        Turn::Wait(self.next)
    }

    /// Whether it is this call's turn.
    pub fn is_let_go(&self, place: Place) -> bool {
        self.let_go.contains_key(&place.1)
    }

    /// Forgets a call whose caller has gone away before it was sent.
    pub fn leave(&mut self, place: Place) {
        if let Some(waiting) = self.waiting.remove(&place) {
            self.waiting_of[waiting.claim.class as usize] -= 1;
        } else if let Some((claim, at)) = self.let_go.remove(&place.1) {
            self.limits.give_back(&claim, at);
            self.in_flight -= 1;
        }
    }

    /// A call was answered, or lost, or dropped after it was sent.
    pub fn finish(&mut self) {
        self.in_flight -= 1;
    }

    /// Lets everybody go who may, and returns whom to wake: them, and the first in the queue if it must set its timer anew.
    pub fn settle(&mut self, now: Timestamp) -> Vec<Waker> {
        let mut wake = Vec::new();
        self.next = loop {
            match self.pick(now) {
                Ok(place) => wake.extend(self.let_go(place, now)),
                Err(next) => break next,
            }
        };
        let first = self.first().map(|place| (place, self.next));
        if first != self.armed {
            wake.extend(self.waiting.values().next().map(|waiting| waiting.waker.clone()));
        }
        wake
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    fn first(&self) -> Option<Place> {
        self.waiting.keys().next().copied()
    }

    fn let_go(&mut self, place: Place, now: Timestamp) -> Option<Waker> {
        let Waiting { claim, waker } = self.waiting.remove(&place)?;
        self.waiting_of[claim.class as usize] -= 1;
        self.in_a_row = match self.in_a_row {
            _ if self.waiting_of[claim.class.other() as usize] == 0 => (claim.class, 0),
            (class, calls) if class == claim.class => (class, calls + 1),
            _ => (claim.class, 1),
        };
        self.limits.take(&claim, now);
        self.in_flight += 1;
        self.let_go.insert(place.1, (claim, now));
        Some(waker)
    }

    /// Whose turn it is, or when it may be somebody's turn (none: once a call in flight has ended).
    fn pick(&mut self, now: Timestamp) -> Result<Place, Option<Timestamp>> {
        if self.in_flight >= self.concurrency {
            return Err(None);
        }
        if let Some(opens) = self.limits.account_opens(now) {
            return Err(Some(opens));
        }
        let due = Some(self.in_a_row).filter(|(_, calls)| *calls >= MOST_IN_A_ROW).map(|(class, _)| class.other());
        let mut known = Vec::new();
        let (mut instead, mut next) = (None, None::<Timestamp>);
        for (place, Waiting { claim, .. }) in &self.waiting {
            match opens(&mut self.limits, &mut known, claim, now) {
                None if due.is_none_or(|class| class == claim.class) => return Ok(*place),
                None => instead = instead.or(Some(*place)),
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
            }
        }
        instead.ok_or(next)
    }
}

/// When a call may go. Most of a long queue is held back by the same few limits: what was asked once is kept in `known`.
fn opens(limits: &mut Limits, known: &mut Vec<Known>, claim: &Claim, now: Timestamp) -> Option<Timestamp> {
    let same = |(endpoint, class, _): &&Known| *endpoint == claim.endpoint && *class == claim.class;
    let shared = match known.iter().find(same) {
        Some((_, _, opens)) => *opens,
        None => {
            let opens = limits.opens(&Claim { ticket: None, ..claim.clone() }, now);
            known.push((claim.endpoint, claim.class, opens));
            opens
        }
    };
    shared.or_else(|| claim.ticket.as_ref().and_then(|_| limits.opens(claim, now)))
}

/// An endpoint, a class, and when calls of both may go as far as the ticket does not matter.
type Known = (&'static str, Class, Option<Timestamp>);
