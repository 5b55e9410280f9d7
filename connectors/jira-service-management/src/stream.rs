//! The change stream: a search by the time of the last change, oldest first (Jira Service Management sheet, *Incremental read*).
//! How a list becomes a stream is the kit's [`walk`](handoffd_kit::walk); its ticks are milliseconds here.
//!
//! A query names times by the minute, in the time zone of our own account's profile. Whoever changes that zone moves what we ask
//! for: the zone is kept in the cursor, and with another one the last day is asked for again. In the hour that a zone has twice a
//! year, a local time means two instants: an hour before is asked for. Pages go by tokens; whether one holds still while issues
//! change is not in the sheet, so a token is followed only where more issues than a page holds changed within a minute, and all of
//! those pages are read again until nothing new is among them. The index is some seconds late, and so may be what it tells of an
//! issue: nothing but the time of the change is taken from it. Deleted issues show in no list; the next look finds one gone.

use crate::api::Ask;
use crate::desk::JiraDesk;
use crate::limits::ISSUES;
use crate::wire::{self, Found, Issue};
use handoffd_kit::desk::{Changed, Cursor, Page};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::id::{StreamName, TicketId};
use handoffd_kit::walk::{Listed, Pace, Place};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const OPERATION: &str = "read changes";

/// How far each poll reaches back over the last one (sheet: two to five minutes).
pub(crate) const OVERLAP_MILLIS: i64 = 300_000;

/// A query reaches back to the beginning of its minute by itself.
const PACE: Pace = Pace { back: 60_000, overlap: OVERLAP_MILLIS };

/// Two zones are never farther apart.
const ZONES_APART: i64 = 26 * 3_600_000;

/// More pages of one minute are not read: somebody sends pages without end.
const MOST_PAGES: usize = 200;

/// Where the list was read up to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    /// The zone in which it was asked for.
    zone: String,
    place: Place,
    /// The next page's, within one crowded minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl Kept {
    /// What a cursor tells, for whoever asks in this zone; without one, or with one of another form, the beginning at `since`.
    fn read(cursor: Option<&Cursor>, since: i64, zone: &str) -> Self {
        let kept = cursor.and_then(|cursor| serde_json::from_str::<Self>(&cursor.0).ok());
        let anew = |since| Self { zone: zone.to_owned(), place: Place::read(None, since), token: None };
        match kept {
            None => anew(since),
            Some(kept) if kept.zone != zone => anew(kept.place.walk(PACE).at.saturating_sub(ZONES_APART).max(0)),
            // A further page that nobody knows the token of any more.
            Some(kept) if kept.place.walk(PACE).page > 1 && kept.token.is_none() => anew(kept.place.walk(PACE).at),
            Some(kept) => kept,
        }
    }

    /// The same minute from its first page on: a token is refused once it is a week old.
    fn again(&self) -> Self {
        let place = Place::read(None, self.place.walk(PACE).at);
        Self { zone: self.zone.clone(), place, token: None }
    }

    fn cursor(&self) -> Option<Cursor> {
        serde_json::to_string(self).ok().map(Cursor)
    }
}

impl JiraDesk {
    /// One page of changes.
    pub(crate) async fn read_stream(
        &self,
        stream: &StreamName,
        cursor: Option<&Cursor>,
        since: Timestamp,
    ) -> Result<Page> {
        if stream.as_str() != ISSUES {
            return Err(DeskError::no_stream(OPERATION, "Jira", stream));
        }
        let (name, zone) = self.our_zone().await?;
        let kept = Kept::read(cursor, since.as_millisecond(), &name);
        let walk = kept.place.walk(PACE);
        let token = kept.token.as_deref().filter(|_| walk.page > 1);
        let ask = self.changes(walk.at, token, &zone)?;
        let found: Found = match self.api.json(&ask).await {
            Ok(found) => found,
            Err(error) if token.is_some() && error.kind == DeskErrorKind::Refused => {
                return page(&ask, Vec::new(), &kept.again(), true);
            }
            Err(error) => return Err(error),
        };
        let next_token = found.next_page_token.some();
        let more = match (found.is_last.get(), &next_token) {
            (Some(true), _) | (None, None) => false,
            (_, Some(_)) => true,
            (Some(false), None) => return Err(ask.malformed("the answer goes on and does not say where")),
        };
        if walk.page > MOST_PAGES {
            return Err(ask.malformed("the pages of one minute never end"));
        }
        let raws = found.issues.some().ok_or_else(|| ask.malformed("the answer lists no issues"))?;
        let issues = listed(raws).ok_or_else(|| ask.malformed("the answer lists something that is no issue"))?;
        let (fresh, place) = kept.place.step(PACE, issues, more, self.api.gate().now().as_millisecond());
        let token = next_token.filter(|_| place.goes_on() && place.walk(PACE).page > 1);
        let goes_on = place.goes_on();
        page(&ask, fresh, &Kept { zone: name, place, token }, goes_on)
    }

    /// The zone of our own account, in which queries are read.
    async fn our_zone(&self) -> Result<(String, TimeZone)> {
        let me = self.people.me(&self.api, self.api.gate().soon()).await?;
        let zone = me.time_zone.get().and_then(|name| Some((name.clone(), TimeZone::get(name).ok()?)));
        zone.ok_or_else(|| {
            DeskError::new(DeskErrorKind::Protocol, Retry::After(None), OPERATION)
                .words("Jira does not say in which time zone it reads our queries")
                .next_step("Set a time zone in the profile of handoffd's account: UTC is best")
        })
    }

    fn changes(&self, at: i64, token: Option<&str>, zone: &TimeZone) -> Result<Ask> {
        let now = self.api.gate().now();
        let at = Timestamp::from_millisecond(at.max(0));
        let ask = |since: &str| {
            let jql = format!("{} AND updated >= \"{since}\" ORDER BY updated ASC, key ASC", self.in_projects());
            self.search(OPERATION, &jql, &["updated"], token, now)
        };
        match at {
            Ok(at) => Ok(ask(&minute(at, zone))),
            Err(_) => Err(ask("").malformed("the place lies outside of time")),
        }
    }
}

fn page(ask: &Ask, fresh: Vec<Listed<()>>, kept: &Kept, more: bool) -> Result<Page> {
    let changed = fresh.into_iter().map(|one| Changed {
        ticket: TicketId::new(one.id.to_string()),
        head: None,
        // Who changed it last, the list does not say.
        by_us: false,
    });
    let next = kept.cursor().ok_or_else(|| ask.malformed("the place cannot be kept"))?;
    Ok(Page { changed: changed.collect(), next, more })
}

/// An instant as a query names it: the beginning of its minute, or an earlier one where that could mean a later instant, too.
fn minute(at: Timestamp, zone: &TimeZone) -> String {
    const HOUR: SignedDuration = SignedDuration::from_hours(1);
    let mut at = at;
    for _ in 0..3 {
        let local = zone.to_datetime(at);
        if !zone.to_ambiguous_timestamp(local).is_ambiguous() {
            break;
        }
        at = at.saturating_sub(HOUR).unwrap_or(Timestamp::MIN);
    }
    zone.to_datetime(at).strftime("%Y/%m/%d %H:%M").to_string()
}

/// The issues of a page; none: one of them has no id, so it could not be looked at.
fn listed(raws: Vec<Value>) -> Option<Vec<Listed<()>>> {
    let one = |raw: Value| {
        let issue: Issue = serde_json::from_value(raw).ok()?;
        let id = issue.id.get().copied().filter(|id| id.is_record())?;
        let at = issue.updated().get().and_then(|at| wire::instant(at));
        Some(Listed { id, at: at.map(|at| at.as_millisecond()), kept: () })
    };
    raws.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(at: &str, zone: &str) -> String {
        minute(at.parse().unwrap(), &TimeZone::get(zone).unwrap())
    }

    #[test]
    fn a_time_is_named_by_its_minute_in_our_accounts_zone() {
        assert_eq!(named("2026-09-01T08:15:59.999Z", "UTC"), "2026/09/01 08:15");
        assert_eq!(named("2026-09-01T08:15:00Z", "Europe/Berlin"), "2026/09/01 10:15");
        assert_eq!(named("2026-09-01T01:05:00Z", "America/St_Johns"), "2026/08/31 22:35");
    }

    #[test]
    fn in_the_hour_that_comes_twice_the_hour_before_is_asked_for() {
        // In Berlin the clocks go back at 01:00 UTC on 25 October 2026.
        assert_eq!(named("2026-10-25T00:30:00Z", "Europe/Berlin"), "2026/10/25 01:30");
        assert_eq!(named("2026-10-25T01:30:00Z", "Europe/Berlin"), "2026/10/25 01:30");
        assert_eq!(named("2026-10-25T02:00:00Z", "Europe/Berlin"), "2026/10/25 03:00");
        assert_eq!(named("2026-10-24T23:59:00Z", "Europe/Berlin"), "2026/10/25 01:59");
        // And forward at 01:00 UTC on 29 March.
        assert_eq!(named("2026-03-29T01:00:00Z", "Europe/Berlin"), "2026/03/29 03:00");
    }

    #[test]
    fn another_zone_another_form_and_a_lost_token_are_read_from_an_earlier_place() {
        let hour = 3_600_000;
        let (now, since) = (1_000 * hour, 900 * hour);
        let place = Place::read(None, now);
        let kept = Kept { zone: "UTC".into(), place, token: None };
        let cursor = kept.cursor().unwrap();
        let at = |kept: Kept| kept.place.walk(PACE).at;
        assert_eq!(at(Kept::read(Some(&cursor), since, "UTC")), now - OVERLAP_MILLIS);
        assert_eq!(at(Kept::read(Some(&cursor), since, "Asia/Tokyo")), now - 2 * OVERLAP_MILLIS - ZONES_APART);
        for odd in ["", "{}", "17", r#"{"zone":"UTC"}"#] {
            assert_eq!(at(Kept::read(Some(&Cursor(odd.into())), since, "UTC")), since - OVERLAP_MILLIS, "{odd}");
        }
        let crowd = |id| Listed { id: wire::Id(id), at: Some(now), kept: () };
        let first = Place::read(None, now).step(PACE, vec![crowd(1), crowd(2)], true, now).1;
        let (_, second) = first.step(PACE, vec![crowd(1), crowd(2)], true, now);
        assert!(second.walk(PACE).page > 1, "a crowded minute");
        let crowded = Kept { zone: "UTC".into(), place: second, token: None };
        let lost = Kept::read(crowded.cursor().as_ref(), since, "UTC");
        assert_eq!(lost.place.walk(PACE).page, 1);
        assert!(at(lost) <= crowded.place.walk(PACE).at);
    }
}
