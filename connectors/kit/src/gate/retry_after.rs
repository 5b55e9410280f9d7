//! `Retry-After`, in both of its forms.

use super::window::later;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

/// The instant that the desk names, by our clock: so many seconds from now (a part of a second counts as a whole one),
/// or a date, which is read against the answer's own `Date` where it has one, so that a desk whose clock is wrong is
/// obeyed all the same. None: no such header, or nonsense in it. Never in the past.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds >= 0.0).then(|| later(now, SignedDuration::from_secs(seconds.ceil() as i64)));
    }
    let date = |text: &str| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    let named = date(text)?;
    let theirs = headers.get(DATE).and_then(|value| date(value.to_str().ok()?.trim())).unwrap_or(now);
    Some(later(now, named.duration_since(theirs)).max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn read(value: &str, date: Option<&str>) -> Option<Timestamp> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers, at("2026-05-03T10:00:00Z"))
    }

    #[test]
    fn seconds_and_dates_are_read_to_the_second() {
        assert_eq!(read("93", None), Some(at("2026-05-03T10:01:33Z")));
        assert_eq!(read(" 0.2 ", None), Some(at("2026-05-03T10:00:01Z")));
        assert_eq!(read("Sun, 03 May 2026 10:02:00 GMT", None), Some(at("2026-05-03T10:02:00Z")));
        assert_eq!(read("Sun, 03 May 2026 09:00:00 GMT", None), Some(at("2026-05-03T10:00:00Z")));
    }

    #[test]
    fn a_date_counts_by_the_desks_own_clock() {
        let five_ahead = Some("Sun, 03 May 2026 10:05:00 GMT");
        assert_eq!(read("Sun, 03 May 2026 10:05:30 GMT", five_ahead), Some(at("2026-05-03T10:00:30Z")));
    }

    #[test]
    fn nonsense_names_no_instant_and_breaks_nothing() {
        for nonsense in ["", "soon", "-5", "NaN", "Sun, 99 May 2026 10:05:30 GMT"] {
            assert_eq!(read(nonsense, None), None, "{nonsense}");
        }
        assert_eq!(read("1e300", None), Some(Timestamp::MAX));
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }
}
