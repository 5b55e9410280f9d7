//! A deadline and how it came about: the open time that was counted for it.

use crate::calendar::floor;
use crate::zone::timestamp;
use jiff::{SignedDuration, Timestamp};

/// Spans that are told one by one from the beginning; of a longer count the last one follows.
pub(crate) const TOLD: usize = 4;

/// An instant at which enough open time has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The first such instant.
    pub at: Timestamp,
    /// What was counted for it.
    pub working: Working,
}

/// Open time without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub from: Timestamp,
    /// The instant after its last.
    pub to: Timestamp,
}

impl Span {
    /// How long it is, clock changes included.
    pub fn length(self) -> SignedDuration {
        self.to.duration_since(self.from)
    }
}

/// What was counted: the first spans, what is not told one by one, and the last span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Working {
    /// The first spans in order; never more than a few.
    pub first: Vec<Span>,
    /// Open time between them and the last one.
    pub between: SignedDuration,
    /// The last span, where it is none of the first.
    pub last: Option<Span>,
}

impl Working {
    /// All open time that was counted.
    pub fn counted(&self) -> SignedDuration {
        self.first.iter().chain(&self.last).fold(self.between, |sum, span| sum.saturating_add(span.length()))
    }

    /// Wall time from one instant to another: one span, whatever the hours.
    pub fn wall(from: Timestamp, to: Timestamp) -> Self {
        Self { first: vec![Span { from, to }], ..Self::default() }
    }
}

/// Collects spans as whole seconds while they are walked through.
#[derive(Default)]
pub(crate) struct Counting {
    first: [(i64, i64); TOLD],
    told: usize,
    between: i64,
    last: Option<(i64, i64)>,
}

impl Counting {
    /// Takes the next span; one that touches the one before is the same span.
    pub fn push(&mut self, from: i64, to: i64) {
        let before = self.last.as_mut().or(self.first[..self.told].last_mut());
        if let Some(before) = before.filter(|before| before.1 == from) {
            before.1 = to;
        } else if self.told < TOLD {
            self.first[self.told] = (from, to);
            self.told += 1;
        } else {
            self.between += self.last.map_or(0, |(from, to)| to - from);
            self.last = Some((from, to));
        }
    }

    /// Takes open time that is not told one by one. The next span is a new one.
    pub fn skip(&mut self, seconds: i64) {
        self.between += seconds + self.last.take().map_or(0, |(from, to)| to - from);
    }

    /// Whether further spans are told by their sum.
    pub fn is_full(&self) -> bool {
        self.told == TOLD
    }

    /// The working between two instants that lie within the first and last second that were walked through.
    pub fn finish(self, begin: Timestamp, end: Timestamp) -> Working {
        let span = |(from, to): (i64, i64)| Span { from: timestamp(from), to: timestamp(to) };
        let mut working = Working {
            first: self.first[..self.told].iter().copied().map(span).collect(),
            between: SignedDuration::from_secs(self.between),
            last: self.last.map(span),
        };
        if let Some(first) = working.first.first_mut().filter(|first| first.from.as_second() == floor(begin).0) {
            first.from = begin;
        }
        if let Some(last) = working.last.as_mut().or(working.first.last_mut()) {
            last.to = end;
        }
        working
    }
}
