//! Holidays from a calendar file (`.ics`, RFC 5545): its all-day events. Read strictly: an event that could mean something
//! else than whole closed days is refused with its line, never guessed at.

use crate::yearly::Yearly;
use icalendar::parser::{Component, Property, unfold};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// The largest file that is read, in bytes.
pub const LARGEST: usize = 1024 * 1024;

/// The most dates that a file may close.
const DATES_MAX: usize = 20_000;
/// The longest event, in days.
const DAYS_MAX: i32 = 366;
/// The most lines of one event.
const LINES_MAX: usize = 500;

/// What is wrong with a calendar file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcsProblem {
    /// The line on which the event begins that is meant, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub help: String,
}

/// The dates that the events of a calendar file cover. Cancelled events are left out, as are to-dos and other entries.
///
/// # Errors
/// Every event that cannot be used, in the order of the file.
pub fn holidays(text: &str) -> Result<BTreeSet<Date>, Vec<IcsProblem>> {
    let whole = |message: &str, help: &str| {
        Err(vec![IcsProblem { line: 1, message: message.to_owned(), help: help.to_owned() }])
    };
    if text.len() > LARGEST {
        return whole("the calendar is larger than 1 MiB", "export the holidays alone");
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().get(..15).is_some_and(|begin| begin.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return whole("this is no calendar file", "it begins with BEGIN:VCALENDAR; export the holidays as .ics");
    }
    let mut problems = Vec::new();
    let mut dates = BTreeSet::new();
    for (line, event) in events(text) {
        match event.and_then(|event| closed_by(&event)) {
            Ok(closed) => dates.extend(closed),
            Err((message, help)) => problems.push(IcsProblem { line, message, help }),
        }
    }
    if dates.len() > DATES_MAX {
        return whole("the calendar closes more than 20,000 days", "export the holidays alone");
    }
    if problems.is_empty() && dates.is_empty() {
        return whole("the calendar has no event", "export a calendar with holidays, or list the dates");
    }
    if problems.is_empty() { Ok(dates) } else { Err(problems) }
}

type Wrong = (String, String);

/// The events of a file as text, each with the line it begins on.
fn events(text: &str) -> Vec<(usize, Result<String, Wrong>)> {
    let is = |line: &str, wanted: &str| line.trim_end().eq_ignore_ascii_case(wanted);
    let mut events = Vec::new();
    let mut open: Option<(usize, Vec<&str>)> = None;
    let unended = || {
        let help = "each event ends with END:VEVENT, after at most 500 lines; export the calendar again";
        Err(("this event does not end".to_owned(), help.to_owned()))
    };
    for (number, line) in (1..).zip(text.lines()) {
        if is(line, "BEGIN:VEVENT") {
            events.extend(open.replace((number, vec![line])).map(|(begin, _)| (begin, unended())));
            continue;
        }
        let Some((begin, lines)) = &mut open else { continue };
        lines.push(line.trim_end_matches('\r'));
        if is(line, "END:VEVENT") {
            events.push((*begin, Ok(lines.join("\n"))));
            open = None;
        } else if lines.len() > LINES_MAX {
            events.push((*begin, unended()));
            open = None;
        }
    }
    events.extend(open.map(|(begin, _)| (begin, unended())));
    events
}

/// The dates that one event covers.
fn closed_by(event: &str) -> Result<Vec<Date>, Wrong> {
    let unreadable = || {
        let help = "export the calendar again, or list the dates in the policy";
        ("this event cannot be read".to_owned(), help.to_owned())
    };
    // The parser goes down into what an event contains.
    if event.lines().filter(|line| line.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("BEGIN:"))).count() > 16
    {
        return Err(unreadable());
    }
    let unfolded = unfold(event);
    let component = Component::try_from(unfolded.as_str()).map_err(|_| unreadable())?;
    let property =
        |name: &str| component.properties.iter().find(|property| property.name.as_str().eq_ignore_ascii_case(name));
    let value = |name: &str| property(name).map(|property| property.val.as_str().trim());
    let title = value("SUMMARY").map(printable).unwrap_or_else(|| "an event".to_owned());
    let wrong = |message: &str, help: &str| Err((format!("\"{title}\": {message}"), help.to_owned()));
    if value("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")) {
        return Ok(Vec::new());
    }
    if let Some(name) = ["RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"].into_iter().find(|name| property(name).is_some())
    {
        return wrong(&format!("{name} is not supported"), "give each of its days its own event, or list the dates");
    }
    let Some(first) = property("DTSTART").and_then(|start| whole_day(start)) else {
        let help =
            "a holiday is a whole day (DTSTART;VALUE=DATE:20261225); for a half day give that weekday other hours";
        return wrong("it does not begin with a whole day", help);
    };
    let days = match (property("DTEND"), value("DURATION")) {
        (Some(end), _) => whole_day(end).map(|end| (end - first).get_days()),
        (None, Some(duration)) => whole_days(duration),
        (None, None) => Some(1),
    };
    let Some(days) = days.filter(|days| (1..=DAYS_MAX).contains(days)) else {
        return wrong("it does not end after whole days, at most 366 of them", "DTEND is the day after its last day");
    };
    let begins = match value("RRULE") {
        None => vec![first],
        Some(rule) => match Yearly::parse(rule, first) {
            Ok(yearly) => yearly.dates(first),
            Err(part) => {
                let help = "it may come back every year on its date or on one weekday of its month; list other dates";
                return wrong(&format!("its recurrence ({}) is not supported", printable(&part)), help);
            }
        },
    };
    let covered = |begin: Date| (0..days).filter_map(move |day| begin.checked_add(day.days()).ok());
    Ok(begins.into_iter().flat_map(covered).collect())
}

/// A date that stands for the whole day.
fn whole_day(property: &Property<'_>) -> Option<Date> {
    let value = property.val.as_str().trim();
    // `DTSTART:20261225` without its type is common and clear.
    (value.len() == 8).then(|| date(value)).flatten()
}

/// Reads `20261225`, with or without a time behind it.
pub(crate) fn date(value: &str) -> Option<Date> {
    let (date, time) = value.split_at_checked(8)?;
    let digits = date.bytes().all(|byte| byte.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| date.get(range)?.parse::<i16>().ok();
    let small = |range| part(range).and_then(|number| i8::try_from(number).ok());
    let behind = time.is_empty() || time.starts_with('T');
    if digits && behind { Date::new(part(0..4)?, small(4..6)?, small(6..8)?).ok() } else { None }
}

/// Reads `P1D` or `P2W`.
fn whole_days(duration: &str) -> Option<i32> {
    let (count, unit) = duration.strip_prefix('P')?.split_at_checked(duration.len().checked_sub(2)?)?;
    let count: i32 = count.parse().ok().filter(|count| (0..1_000).contains(count))?;
    match unit {
        "D" => Some(count),
        "W" => Some(count * 7),
        _ => None,
    }
}

/// Somebody's text as it may stand in a message.
fn printable(text: &str) -> String {
    let mut short: String =
        text.chars().filter(|letter| letter.is_alphanumeric() || " -.,=;:'()".contains(*letter)).take(60).collect();
    if text.chars().count() > 60 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(events: &[&str]) -> String {
        let events: Vec<String> = events
            .iter()
            .map(|lines| format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", lines.replace('\n', "\r\n")))
            .collect();
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n", events.concat())
    }

    fn dates(events: &[&str]) -> Vec<String> {
        holidays(&calendar(events)).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_day_events_are_holidays() {
        let events = [
            "UID:1\nSUMMARY:Erster Weihnachts\n feiertag\nDTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227",
            "UID:2\nDTSTART:20260501\nTRANSP:TRANSPARENT",
            "UID:3\nDTSTART;VALUE=DATE:20260101\nDURATION:P1D\nRRULE:FREQ=YEARLY;COUNT=2",
            "UID:4\nDTSTART;VALUE=DATE:20260814\nSTATUS:CANCELLED",
            "UID:5\nDTSTART;VALUE=DATE:20260601\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM",
        ];
        let expected = ["2026-01-01", "2026-05-01", "2026-06-01", "2026-12-25", "2026-12-26", "2027-01-01"];
        assert_eq!(dates(&events), expected);
    }

    #[test]
    fn what_is_not_a_whole_day_is_refused_with_its_line() {
        let good = "UID:1\nDTSTART;VALUE=DATE:20261225";
        for (event, message) in [
            ("SUMMARY:Half day\nDTSTART:20261224T120000Z", "\"Half day\": it does not begin with a whole day"),
            ("SUMMARY:Half\nDTSTART;VALUE=DATE:20261224\nDTEND:20261224T120000", "does not end after whole days"),
            ("SUMMARY:x\nDTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224", "does not end after whole days"),
            ("SUMMARY:x\nDTSTART;VALUE=DATE:20261224\nDURATION:PT4H", "does not end after whole days"),
            ("SUMMARY:x\nDTSTART;VALUE=DATE:20261332", "does not begin with a whole day"),
            ("SUMMARY:x", "does not begin with a whole day"),
            ("SUMMARY:x\nDTSTART:20260101\nRRULE:FREQ=WEEKLY", "its recurrence (FREQ=WEEKLY) is not supported"),
            ("SUMMARY:x\nDTSTART:20260101\nRRULE:FREQ=YEARLY\nEXDATE:20270101", "EXDATE is not supported"),
            ("no colon at all", "cannot be read"),
        ] {
            let problems = holidays(&calendar(&[good, event])).unwrap_err();
            assert_eq!((problems.len(), problems[0].line), (1, 7), "{event}");
            assert!(problems[0].message.contains(message), "{event}: {}", problems[0].message);
        }
    }

    #[test]
    fn hostile_files_end_in_a_problem() {
        let deep = "BEGIN:X\n".repeat(200);
        let events = |text: &str| holidays(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{text}"));
        for text in [
            String::new(),
            "hello".to_owned(),
            "BEGIN:VCALENDAR".to_owned(),
            "\u{feff}BEGIN:VCALENDAR\nEND:VCALENDAR".to_owned(),
            "BEGIN:VCALENDARé".to_owned(),
            "x".repeat(LARGEST + 1),
            format!("BEGIN:VCALENDAR\n{}", "BEGIN:VEVENT\n".repeat(1_000)),
        ] {
            assert!(holidays(&text).is_err());
        }
        for text in [
            deep.as_str(),
            &format!("{deep}END:VEVENT"),
            "DTSTART:20260101\n",
            &"A:b\n".repeat(10_000),
            "\0\nEND:VEVENT",
        ] {
            assert!(events(text).is_err());
        }
        let long = format!(
            "DTSTART:20260101\nSUMMARY:{}\nRRULE:FREQ={}\nEND:VEVENT",
            "\u{202e}\u{1b}[31m".repeat(999),
            "D".repeat(99_999)
        );
        let message = events(&long).unwrap_err().remove(0).message;
        assert!(message.len() < 300 && !message.contains(['\u{1b}', '\u{202e}']), "{message}");
        let daily: Vec<String> =
            (0..60).map(|n| format!("DTSTART:2{n:03}0101\nDURATION:P366D\nRRULE:FREQ=YEARLY")).collect();
        assert!(holidays(&calendar(&daily.iter().map(String::as_str).collect::<Vec<_>>())).is_err());
    }
}
