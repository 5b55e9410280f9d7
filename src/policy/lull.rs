//! A desk of which nothing has come for too long: the alert of a house that would else only stay silent. Pure.

use super::due::TeamHours;
use handoffd_hours::length;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How long a desk whose polls fail is waited for before somebody is told.
const UNREAD_FOR: SignedDuration = SignedDuration::from_mins(15);
/// What to do where nothing new comes of a desk.
pub const WITHOUT_NEWS: &str = "see whether nothing has happened there; else whether its webhooks arrive and our account still sees \
                                its tickets: handoffd check --online";
/// After a start, how long nobody is told: what came meanwhile is read first.
const AFTER_START: SignedDuration = SignedDuration::from_mins(15);

/// How long a desk may be without news.
#[derive(Clone, Debug)]
pub struct NewsWithin {
    /// So long.
    pub length: SignedDuration,
    /// The hours in which that counts; none: always.
    pub hours: Option<Arc<TeamHours>>,
}

impl NewsWithin {
    /// Whether so much time has passed.
    fn is_over(&self, since: Timestamp, now: Timestamp) -> bool {
        let passed = match &self.hours {
            Some(hours) => hours.calendar.between(since, now),
            None => now.duration_since(since),
        };
        passed > self.length
    }

    /// In words: `4 h`, `4 h of the hours office`.
    pub fn shown(&self) -> String {
        let hours = self.hours.as_ref().map(|hours| format!(" of the hours {}", hours.name)).unwrap_or_default();
        format!("{}{hours}", length(self.length))
    }
}

/// What does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lull {
    /// What changed there cannot be read.
    Unread,
    /// It can be read, as far as we know, and nothing is new there.
    NoNews,
}

impl Lull {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Unread, Self::NoNews];

    /// Its word: in keys, in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::NoNews => "no-news",
        }
    }
}

/// What is known of how a desk was heard of.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Since when this process runs.
    pub started: Timestamp,
    /// When its changes were last read whole; none: it is not polled.
    pub read: Option<Timestamp>,
    /// How often that should be.
    pub every: SignedDuration,
    /// When something new last came of it, by webhook or by poll; none: it is not known when it was met.
    pub news: Option<Timestamp>,
}

/// What has not come of a desk for too long, and since when. One that cannot be read is told as that alone.
pub fn lull(heard: Heard, within: Option<&NewsWithin>, now: Timestamp) -> Option<(Lull, Timestamp)> {
    if now.duration_since(heard.started) < AFTER_START {
        return None;
    }
    let patience = UNREAD_FOR.max(heard.every.saturating_mul(3));
    let unread = heard.read.filter(|read| now.duration_since(*read) > patience);
    let no_news = || heard.news.filter(|news| within.is_some_and(|within| within.is_over(*news, now)));
    unread.map(|since| (Lull::Unread, since)).or_else(|| no_news().map(|since| (Lull::NoNews, since)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    fn heard(read: i64, news: i64) -> Heard {
        let ago = |of: i64| testing::now() - minutes(of);
        Heard { started: ago(10_000), read: Some(ago(read)), every: minutes(1), news: Some(ago(news)) }
    }

    #[test]
    fn a_desk_is_waited_for_and_what_cannot_be_read_is_told_before_what_is_missed() {
        let now = testing::now();
        let within = NewsWithin { length: minutes(240), hours: None };
        let found = |heard| lull(heard, Some(&within), now).map(|(lull, _)| lull);
        assert_eq!(found(heard(15, 240)), None);
        assert_eq!(found(heard(16, 100)), Some(Lull::Unread));
        assert_eq!(found(heard(1, 241)), Some(Lull::NoNews));
        assert_eq!(found(heard(16, 241)), Some(Lull::Unread), "one thing at a time");
        assert_eq!(found(Heard { started: now - minutes(14), ..heard(16, 241) }), None, "it has just started");
        assert_eq!(found(Heard { every: minutes(60), ..heard(16, 1) }), None, "a slow poll");
        assert_eq!(found(Heard { read: None, ..heard(0, 241) }), Some(Lull::NoNews), "webhooks alone");
        assert_eq!(lull(heard(1, 9_999), None, now), None, "nobody said how long");
    }

    #[test]
    fn a_night_is_not_counted_where_hours_are_named() {
        let within = NewsWithin { length: minutes(120), hours: Some(testing::office_hours()) };
        assert_eq!(within.shown(), "2 h of the hours office");
        // Friday 13:00 in Berlin to Monday 10:00 there: two hours of Friday, one of Monday.
        let (friday, monday) = ("2026-10-30T12:00:00Z", "2026-11-02T09:00:00Z");
        let [friday, monday] = [friday, monday].map(|at| at.parse::<Timestamp>().expect("an instant"));
        assert!(within.is_over(friday, monday));
        assert!(!within.is_over(friday, monday - minutes(60)));
    }
}
