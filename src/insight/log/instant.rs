//! Instants as a log writes them, as microseconds since 1970: fine enough to order events, and whole numbers throughout.

use super::Repairs;
use crate::config::events::{InstantColumn, InstantFormat};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::Serialize;

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

/// An instant, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(i64);

impl Instant {
    /// Of a timestamp; parts of a microsecond are cut off.
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_microsecond())
    }

    /// As a timestamp.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The instant so long before.
    pub fn before(self, length: Length) -> Self {
        Self(self.0.saturating_sub(length.0))
    }

    /// How long after an earlier instant.
    pub fn since(self, earlier: Self) -> Length {
        Length(self.0.saturating_sub(earlier.0))
    }
}

/// A length of time, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Length(i64);

impl Length {
    /// Of whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// Of seconds, to the microsecond.
    pub fn of_seconds(seconds: f64) -> Self {
        Self((seconds * SECOND as f64).round() as i64)
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// In microseconds.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// In seconds.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }
}

impl Serialize for Length {
    /// Seconds: a whole number where it is one.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % SECOND == 0 {
            serializer.serialize_i64(self.0 / SECOND)
        } else {
            serializer.serialize_f64(self.as_seconds())
        }
    }
}

/// 1990: no log of tickets is older, and numbers that are no seconds since 1970 come out before.
const EARLIEST: Instant = Instant(631_152_000 * SECOND);
/// So far ahead of tomorrow nobody plans: a longer way off is a date that was read wrong.
const AHEAD: Length = Length::seconds((365 + 1) * 86_400);

/// The latest instant that is taken for one: tomorrow and a year. `now`: none where nobody says.
pub(super) fn latest(now: Option<Timestamp>) -> Instant {
    now.map_or(Instant(i64::MAX), |now| Instant(Instant::of(now).0.saturating_add(AHEAD.0)))
}

/// Reads one cell; counts what had to be assumed. `latest`: as [`latest`] says.
///
/// # Errors
/// What is wrong with it, and what would be accepted.
pub(super) fn read(
    text: &str,
    column: &InstantColumn,
    latest: Instant,
    repairs: &mut Repairs,
) -> Result<Instant, (String, String)> {
    let text = text.trim();
    if text.is_empty() {
        return Err(("the cell is empty".into(), "every event has an instant".into()));
    }
    let at = match &column.format {
        InstantFormat::Iso => iso(text, column, repairs),
        InstantFormat::UnixSeconds => number(text, 1.0, &column.format),
        InstantFormat::UnixMillis => number(text, 1_000.0, &column.format),
        InstantFormat::Strptime(format) => strptime(text, format, column, repairs),
    }?;
    if (EARLIEST..=latest).contains(&at) {
        return Ok(at);
    }
    let year = at.timestamp().to_zoned(TimeZone::UTC).year();
    let strptime = matches!(column.format, InstantFormat::Strptime(_));
    let help = match likely(text, &column.format) {
        Some(cause) => cause,
        None if strptime && year < 100 => "where years have two digits, the format says %y",
        None if at > latest => "day and month may stand the other way round in `format`; else correct it",
        None => "correct it; where it stands for \"none\", leave such rows out, or their cases with --skip-broken",
    };
    let why = if at > latest { "no event is that far ahead" } else { "no case is that old" };
    Err((format!("\"{}\" is of the year {year}: {why}", crate::config::events::printable(text)), help.into()))
}

/// What a number may be where it is no instant in its format.
fn likely(text: &str, format: &InstantFormat) -> Option<&'static str> {
    let number: f64 = text.parse().ok()?;
    // From 1990 to 2100, in seconds.
    let is_instant = |seconds: f64| (631_152_000.0..4_102_444_800.0).contains(&seconds);
    match format {
        InstantFormat::Iso | InstantFormat::Strptime(_) => None,
        // From 1982 to 2064, counted in days from 1900.
        _ if (30_000.0..60_000.0).contains(&number) => Some(
            "it looks like a spreadsheet's day number: write the column as a date with a time, like 2010-03-31 16:59",
        ),
        InstantFormat::UnixMillis if is_instant(number) => Some("it looks like seconds: format = \"unix\""),
        InstantFormat::UnixSeconds if is_instant(number / 1e3) => {
            Some("it looks like milliseconds: format = \"unix-ms\"")
        }
        _ if is_instant(number / 1e6) => {
            Some("it looks like microseconds: write milliseconds, and format = \"unix-ms\"")
        }
        _ => None,
    }
}

fn iso(text: &str, column: &InstantColumn, repairs: &mut Repairs) -> Result<Instant, (String, String)> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Instant::of(at));
    }
    // The reader of local times would pass over an offset that it cannot make sense of.
    let has_offset = text.get(10..).is_some_and(|rest| rest.contains(['+', '-', 'Z', 'z', '[']));
    let local: Option<DateTime> = text.parse().ok().filter(|_| !has_offset && text.len() >= 8);
    let Some(local) = local else {
        let help = match &column.zone {
            Some(_) => "write it like 2010-03-31T16:59:42 or 2010-03-31 16:59",
            None => {
                "write it like 2010-03-31T16:59:42+02:00, or say its form: at = { column = …, format = \"%d/%m/%Y %H:%M\", zone = … }"
            }
        };
        return Err((format!("\"{}\" is no ISO date", crate::config::events::printable(text)), help.into()));
    };
    zoned(text, local, column, repairs)
}

fn strptime(
    text: &str,
    format: &str,
    column: &InstantColumn,
    repairs: &mut Repairs,
) -> Result<Instant, (String, String)> {
    let wrong = || {
        let message = format!("\"{}\" is no date like {format}", crate::config::events::printable(text));
        (message, "correct it, or the format of `at` in the map".to_owned())
    };
    let parsed = strtime::parse(format, text).map_err(|_| wrong())?;
    if let Ok(at) = parsed.to_timestamp() {
        return Ok(Instant::of(at));
    }
    let date = parsed.to_date().map_err(|_| wrong())?;
    let local = match parsed.to_datetime() {
        Ok(local) => local,
        // A format without a time of day says midnight.
        Err(_) if parsed.hour().is_none() => date.to_datetime(jiff::civil::Time::midnight()),
        Err(_) => return Err(wrong()),
    };
    zoned(text, local, column, repairs)
}

/// A local time in the map's zone.
fn zoned(
    text: &str,
    local: DateTime,
    column: &InstantColumn,
    repairs: &mut Repairs,
) -> Result<Instant, (String, String)> {
    let Some(zone) = &column.zone else {
        let message =
            format!("\"{}\" has no offset, so its instant cannot be told", crate::config::events::printable(text));
        return Err((message, "say the zone: at = { column = …, zone = \"Europe/Lisbon\" }".into()));
    };
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Fold { .. } => repairs.repeated_hour += 1,
        AmbiguousOffset::Gap { .. } => repairs.skipped_hour += 1,
    }
    repairs.zone_assumed += 1;
    let out_of_range = |_| {
        (
            format!("\"{}\" is out of range", crate::config::events::printable(text)),
            "years run from -9999 to 9999".to_owned(),
        )
    };
    ambiguous.compatible().map(Instant::of).map_err(out_of_range)
}

fn number(text: &str, in_a_second: f64, format: &InstantFormat) -> Result<Instant, (String, String)> {
    let wrong = || {
        let help = likely(text, format).unwrap_or("write seconds (unix) or milliseconds (unix-ms) since 1970");
        (format!("\"{}\" is no such number", crate::config::events::printable(text)), help.to_owned())
    };
    let micros_each = SECOND as f64 / in_a_second;
    let micros = match text.parse::<i64>() {
        Ok(whole) => whole.checked_mul(micros_each as i64),
        Err(_) => {
            let number: f64 = text.parse().map_err(|_| wrong())?;
            (number.is_finite() && number.abs() < 1e12).then_some((number * micros_each).round() as i64)
        }
    };
    let at = micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    at.map(Instant::of).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::events::read_map;

    fn tried(at: &str, text: &str) -> (Result<String, String>, Repairs) {
        let map = format!("case = \"c\"\nteam = \"t\"\nat = {at}\n");
        let map = read_map(&map, "map.toml").unwrap_or_else(|problems| panic!("{problems}"));
        let mut repairs = Repairs::default();
        let read = read(text, &map.at, latest("2026-06-01T00:00:00Z".parse().ok()), &mut repairs);
        (read.map(|at| at.timestamp().to_string()).map_err(|(message, _)| message), repairs)
    }

    fn fine(at: &str, text: &str) -> String {
        tried(at, text).0.unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
    }

    #[test]
    fn iso_dates_keep_their_offset() {
        for text in ["2010-03-31T16:59:42+02:00", "2010-03-31 14:59:42Z", "2010-03-31T14:59:42.000Z"] {
            assert_eq!(fine("\"a\"", text), "2010-03-31T14:59:42Z", "{text}");
        }
        let zone = "{ column = \"a\", zone = \"Europe/Brussels\" }";
        assert_eq!(fine(zone, "2010-03-31 16:59:42"), "2010-03-31T14:59:42Z");
        assert_eq!(fine(zone, "2010-03-31 16:59"), "2010-03-31T14:59:00Z");
        assert_eq!(fine(zone, "2010-03-31"), "2010-03-30T22:00:00Z");
        assert_eq!(fine(zone, "2010-03-31T16:59:42Z"), "2010-03-31T16:59:42Z");
    }

    #[test]
    fn strange_dates_are_errors() {
        for text in [
            "2010-02-30T00:00:00Z",
            "2010-03-31T16:59:42",
            "31/03/2010",
            "yesterday",
            "",
            "2010-03-31T16:59:42+99:00",
            "1",
        ] {
            assert!(tried("\"a\"", text).0.is_err(), "{text}");
        }
        let zone = "{ column = \"a\", zone = \"Europe/Brussels\" }";
        for text in ["2010-03-31T16:59:42+99:00", "2010-13-31", "2010-03-31T25:00"] {
            assert!(tried(zone, text).0.is_err(), "{text}");
        }
    }

    #[test]
    fn own_formats_take_days_without_zeros_and_halves_of_the_day() {
        let lisbon = |format: &str| format!("{{ column = \"a\", format = \"{format}\", zone = \"Europe/Lisbon\" }}");
        assert_eq!(fine(&lisbon("%d/%m/%Y %H:%M"), "29/2/2016 01:23"), "2016-02-29T01:23:00Z");
        assert_eq!(fine(&lisbon("%d-%m-%Y %H:%M:%S"), "07-06-2013 08:17:17"), "2013-06-07T07:17:17Z");
        assert_eq!(fine(&lisbon("%m/%d/%Y %I:%M %p"), "6/7/2013 1:05 PM"), "2013-06-07T12:05:00Z");
        assert_eq!(fine(&lisbon("%d.%m.%Y"), "1.2.2013"), "2013-02-01T00:00:00Z");
        assert_eq!(
            fine("{ column = \"a\", format = \"%Y-%m-%d %H:%M:%S %z\" }", "2013-06-07 08:17:17 +0200"),
            "2013-06-07T06:17:17Z"
        );
        assert!(tried(&lisbon("%d/%m/%Y %H:%M"), "13/13/2016 01:23").0.is_err());
        assert!(tried(&lisbon("%d/%m/%Y %H:%M"), "13/12/2016 01:23 later").0.is_err());
    }

    #[test]
    fn what_stands_for_no_date_and_years_of_two_digits_are_errors() {
        let format = "{ column = \"a\", format = \"%d/%m/%Y\", zone = \"UTC\" }";
        for (map, text, words) in [
            (format, "31/12/26", "of the year 26"),
            (format, "1/1/1900", "of the year 1900"),
            ("{ column = \"a\", format = \"unix\" }", "0", "of the year 1970"),
            ("\"a\"", "0001-01-01T00:00:00Z", "of the year 1:"),
        ] {
            let told = tried(map, text).0.expect_err("no date");
            assert!(told.contains(words), "{told}");
        }
        let two = "{ column = \"a\", format = \"%d/%m/%y\", zone = \"UTC\" }";
        assert_eq!(fine(two, "31/12/26"), "2026-12-31T00:00:00Z");
    }

    #[test]
    fn instants_that_no_log_has_are_errors_with_their_likely_cause() {
        let told = |at: &str, text: &str| {
            let map = read_map(&format!("case = \"c\"\nteam = \"t\"\nat = {at}\n"), "map.toml").expect("a map");
            let latest = latest("2026-06-01T00:00:00Z".parse().ok());
            match read(text, &map.at, latest, &mut Repairs::default()) {
                Ok(at) => panic!("{text}: {}", at.timestamp()),
                Err((message, help)) => format!("{message}; {help}"),
            }
        };
        let (unix, millis) = ("{ column = \"a\", format = \"unix\" }", "{ column = \"a\", format = \"unix-ms\" }");
        for (at, text, words) in [
            (millis, "1581561000", "looks like seconds"),
            (unix, "1581561000000", "looks like milliseconds"),
            (millis, "1581561000000000", "looks like microseconds"),
            (unix, "43874.10416", "spreadsheet's day number"),
            ("\"a\"", "1989-12-31T23:59:59Z", "no case is that old"),
            ("\"a\"", "2027-06-03T00:00:00Z", "no event is that far ahead"),
        ] {
            let told = told(at, text);
            assert!(told.contains(words), "{text}: {told}");
        }
        assert_eq!(fine("\"a\"", "2027-06-01T00:00:00Z"), "2027-06-01T00:00:00Z", "an appointment");
    }

    #[test]
    fn numbers_count_from_1970() {
        assert_eq!(fine("{ column = \"a\", format = \"unix\" }", "1270047582"), "2010-03-31T14:59:42Z");
        assert_eq!(fine("{ column = \"a\", format = \"unix\" }", "1270047582.5"), "2010-03-31T14:59:42.5Z");
        assert_eq!(fine("{ column = \"a\", format = \"unix-ms\" }", "1270047582001"), "2010-03-31T14:59:42.001Z");
        for text in ["x", "1e300", "9223372036854775807"] {
            assert!(tried("{ column = \"a\", format = \"unix\" }", text).0.is_err(), "{text}");
        }
    }

    #[test]
    fn hours_that_come_twice_or_never_are_counted() {
        let zone = "{ column = \"a\", zone = \"Europe/Brussels\" }";
        let (read, repairs) = tried(zone, "2010-10-31T02:30:00");
        assert_eq!((read, repairs.repeated_hour), (Ok("2010-10-31T00:30:00Z".into()), 1));
        let (read, repairs) = tried(zone, "2010-03-28T02:30:00");
        assert_eq!((read, repairs.skipped_hour), (Ok("2010-03-28T01:30:00Z".into()), 1));
        assert_eq!(repairs.zone_assumed, 1);
    }

    #[test]
    fn lengths_are_written_in_seconds() {
        let json = |length: Length| serde_json::to_string(&length).expect("json");
        assert_eq!((json(Length::seconds(7)), json(Length(1_500_000))), ("7".into(), "1.5".into()));
    }
}
