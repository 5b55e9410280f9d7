//! The desks that are open, by name: what cases, intake and delivery talk to, each with its breaker. Which vendor stands
//! behind one is known only to the registry.

mod breaker;
pub mod queues;
mod refusals;

pub use breaker::Breaker;
pub use refusals::Refusals;

use handoffd_kit::capability::Stream;
use handoffd_kit::desk::Desk;
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};
use handoffd_kit::id::{DeskId, StreamName, TicketId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// A ticket whose answer is never of use is tried again at least this often.
pub const ONE_TICKET: SignedDuration = SignedDuration::from_hours(1);

/// All open desks.
#[derive(Clone, Default)]
pub struct Desks(Arc<BTreeMap<DeskId, Station>>);

/// One open desk. Clones share what is known of how it answers.
#[derive(Clone)]
pub struct Station {
    /// What speaks its API.
    pub desk: Arc<dyn Desk>,
    /// How long a verification that is due waits for a poll to bring the ticket's head, before it reads the ticket itself.
    pub poll_brings_heads_within: SignedDuration,
    breaker: Arc<Mutex<Breaker>>,
    refusals: Arc<Mutex<Refusals>>,
    unanswered: Arc<Mutex<Option<Unanswered>>>,
}

/// The latest call that was not answered, or not so that it could be read.
#[derive(Clone, Debug)]
struct Unanswered {
    answers: bool,
    words: String,
}

/// A desk that does not answer, or not so that it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Since when.
    pub since: Timestamp,
    /// Whether it answers, and what it says cannot be read.
    pub answers: bool,
    /// What came of the latest call, for people.
    pub words: String,
}

impl Desks {
    /// These desks, polled so often; a handoff is verified so long after it was sent.
    pub fn new(
        desks: BTreeMap<DeskId, Arc<dyn Desk>>,
        polls: &BTreeMap<DeskId, SignedDuration>,
        verify_after: SignedDuration,
    ) -> Self {
        Self::default().replaced(desks, polls, verify_after)
    }

    /// Other desks in the place of these. One that is the same keeps what is known of how it answers.
    pub fn replaced(
        &self,
        desks: BTreeMap<DeskId, Arc<dyn Desk>>,
        polls: &BTreeMap<DeskId, SignedDuration>,
        verify_after: SignedDuration,
    ) -> Self {
        let station = |id: &DeskId, desk: Arc<dyn Desk>| {
            let known = self.get(id).filter(|known| Arc::ptr_eq(&known.desk, &desk));
            Station {
                poll_brings_heads_within: patience(&desk.capabilities().streams, polls.get(id).copied(), verify_after),
                breaker: known.map(|known| known.breaker.clone()).unwrap_or_default(),
                refusals: known.map(|known| known.refusals.clone()).unwrap_or_default(),
                unanswered: known.map(|known| known.unanswered.clone()).unwrap_or_default(),
                desk,
            }
        };
        Self(Arc::new(desks.into_iter().map(|(id, desk)| (id.clone(), station(&id, desk))).collect()))
    }

    /// Whether a desk of that name is this very one.
    pub fn has(&self, id: &DeskId, desk: &Arc<dyn Desk>) -> bool {
        self.get(id).is_some_and(|station| Arc::ptr_eq(&station.desk, desk))
    }

    /// The desk of that name, if it is configured.
    pub fn get(&self, id: &DeskId) -> Option<&Station> {
        self.0.get(id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&DeskId, &Station)> {
        self.0.iter()
    }

    /// Their names.
    pub fn names(&self) -> BTreeSet<DeskId> {
        self.0.keys().cloned().collect()
    }

    /// Desks that do not answer, since when, and why.
    pub fn silent(&self) -> impl Iterator<Item = (&DeskId, Silence)> {
        self.iter().filter_map(|(id, station)| Some((id, station.silence()?)))
    }

    /// Desks that are left alone: they do not answer, and a poll, which is one call, has not found them well yet; or they
    /// refuse us, and rest.
    pub fn left_alone(&self, now: Timestamp) -> Vec<DeskId> {
        let left = |station: &Station| station.is_silent() || station.refuses_until(now).is_some();
        self.0.iter().filter(|(_, station)| left(station)).map(|(id, _)| id.clone()).collect()
    }

    /// Desks of which one look at a time is enough: they refused us the last times.
    pub fn tried(&self) -> Vec<DeskId> {
        self.0.iter().filter(|(_, station)| station.is_refused()).map(|(id, _)| id.clone()).collect()
    }
}

/// A desk that is polled more seldom is read for a verification: nobody waits for hours to learn that a transfer was undone.
const OFTEN: SignedDuration = SignedDuration::from_mins(5);

/// A poll page is a read of heads: where the next ones will show our write, a verification costs no call of its own.
fn patience(streams: &[Stream], poll: Option<SignedDuration>, verify_after: SignedDuration) -> SignedDuration {
    let Some(poll) = poll else { return SignedDuration::ZERO };
    let lags = streams.iter().filter(|stream| stream.carries_heads);
    let lag = lags.filter_map(|stream| SignedDuration::try_from(stream.lag).ok()).min();
    match lag {
        Some(lag) if lag <= verify_after + poll && poll <= OFTEN => {
            poll * 2 + (lag - verify_after).max(SignedDuration::ZERO)
        }
        _ => SignedDuration::ZERO,
    }
}

impl Station {
    /// Until when this desk is left alone, if it is.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).rests_until(now)
    }

    /// Its stream that has not been read for the longest time, and when that was, in a process that runs since `started`.
    pub fn longest_unread(
        &self,
        desk: &DeskId,
        polled: &BTreeMap<(DeskId, StreamName), Timestamp>,
        started: Timestamp,
    ) -> Option<(Timestamp, &StreamName)> {
        let streams = &self.desk.capabilities().streams;
        let read = streams.iter().map(|stream| {
            let last = polled.get(&(desk.clone(), stream.name.clone())).copied();
            (last.map_or(started, |last| last.max(started)), &stream.name)
        });
        read.min()
    }

    /// Whether this desk has left too many calls in a row unanswered.
    pub fn is_silent(&self) -> bool {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).is_open()
    }

    /// Since when this desk has not answered, and why, for health.
    pub fn silence(&self) -> Option<Silence> {
        let since = self.breaker.lock().unwrap_or_else(PoisonError::into_inner).silent_since()?;
        let latest = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(Silence { since, answers: latest.answers, words: latest.words })
    }

    /// Until when this desk is left alone because it refuses our login, or what we ask about tickets is in vain.
    pub fn refuses_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).rests_until(now)
    }

    /// Whether this desk refuses our login, or reading tickets is in vain in general.
    pub fn is_refused(&self) -> bool {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).is_general()
    }

    /// A call succeeded, or failed for a reason that proves the desk answers us.
    pub fn answered(&self) {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).answered();
        *self.refusals.lock().unwrap_or_else(PoisonError::into_inner) = Refusals::default();
    }

    /// A poll succeeded.
    pub fn polled(&self) {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).answered();
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).logged_in();
    }

    /// A read of a ticket was refused for want of a right, or is of no use; those of a few tickets in a row concern the desk.
    pub fn in_vain(&self, ticket: &TicketId, now: Timestamp, jitter: f64) {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).ticket(ticket, now, jitter);
    }

    /// Takes note of a failed call about one ticket, the `tries`-th in a row; says when to try it again. An answer that is
    /// not as documented may be about this ticket alone: whether the desk as a whole answers so, its polls tell.
    pub fn failed_on(&self, tries: u32, error: &DeskError, now: Timestamp, jitter: f64) -> Timestamp {
        match error.kind {
            DeskErrorKind::Protocol => {
                let named = if let Retry::After(at) = error.retry { at } else { None };
                let again = now + crate::backoff::growing(tries, ONE_TICKET, jitter);
                named.map_or(again, |named| named.max(again))
            }
            // One call among others that are answered: who fails often waits long.
            DeskErrorKind::Unavailable => {
                self.failed(error, now, jitter).max(now + crate::backoff::after(tries, jitter))
            }
            _ => self.failed(error, now, jitter),
        }
    }

    /// Takes note of a failed call; says when to try something like it again.
    pub fn failed(&self, error: &DeskError, now: Timestamp, jitter: f64) -> Timestamp {
        if error.kind == DeskErrorKind::Unauthorized {
            self.refusals.lock().unwrap_or_else(PoisonError::into_inner).login(now, jitter);
        }
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let named = match error.retry {
            Retry::After(at) => at,
            Retry::Never | Retry::Unsure | Retry::Applied | Retry::Overruled => None,
        };
        match error.kind {
            DeskErrorKind::Unavailable | DeskErrorKind::Protocol => {
                let latest = Unanswered { answers: error.kind == DeskErrorKind::Protocol, words: error.to_string() };
                *self.unanswered.lock().unwrap_or_else(PoisonError::into_inner) = Some(latest);
                let rest = breaker.failed(now, jitter);
                named.map_or(rest, |named| named.max(rest))
            }
            _ => {
                breaker.answered();
                named.unwrap_or(now + crate::backoff::after(1, jitter))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_verification_waits_for_a_poll_that_comes_soon_and_for_no_other() {
        let stream = Stream { name: "t".into(), overlap: Duration::ZERO, lag: Duration::ZERO, carries_heads: true };
        let waits = |poll| patience(std::slice::from_ref(&stream), poll, SignedDuration::from_mins(1));
        let minutes = SignedDuration::from_mins;
        assert_eq!([Some(minutes(1)), Some(minutes(5))].map(waits), [minutes(2), minutes(10)]);
        assert_eq!([Some(minutes(6)), Some(minutes(1_440)), None].map(waits), [SignedDuration::ZERO; 3]);
    }
}
