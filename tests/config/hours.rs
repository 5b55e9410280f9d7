//! `[hours.NAME]`: how hours are written, and every way to write them wrong, each named with its place and remedy.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use handoffd::config::{self, Config, Problems};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;

const BASE: &str = include_str!("../fixtures/config/base.toml");

/// The base with hours for billing; `lines` stand in their table. `¦` marks the place of the problem.
fn with(lines: &str) -> String {
    let team = BASE.replacen("lead = \"lead\"", "lead = \"lead\"\nhours = \"office\"", 1);
    format!("{team}\n[hours.office]\n{lines}\n")
}

fn read(text: &str, base: &Path) -> Result<Config, Problems> {
    config::read(&text.replacen('¦', "", 1), "handoffd.toml", base)
}

fn good(lines: &str) -> Config {
    read(&with(lines), Path::new("")).unwrap_or_else(|problems| panic!("{lines}\n{problems}"))
}

/// Asserts the one problem of these hours.
fn error_in(lines: &str, message: &str, help: &str, base: &Path) {
    let marked = with(lines);
    let before = marked.split('¦').next().unwrap_or_default();
    let place = (before.lines().count().max(1), before.rsplit('\n').next().unwrap_or_default().chars().count() + 1);
    let place = if before.ends_with('\n') { (place.0 + 1, 1) } else { place };
    let problems = read(&marked, base).err().unwrap_or_else(|| panic!("{lines}: no problem"));
    let found: Vec<_> = problems.iter().collect();
    assert_eq!(found.len(), 1, "{lines}\n{problems}");
    assert!(found[0].message.contains(message) && found[0].help.contains(help), "{lines}\n{problems}");
    assert_eq!((found[0].line, found[0].column), place, "{lines}\n{problems}");
}

fn error(lines: &str, message: &str, help: &str) {
    error_in(lines, message, help, Path::new(""));
}

fn due(config: &Config, from: &str, hours: i64) -> String {
    let from: Timestamp = from.parse().expect("an instant");
    let team = &config.policy.teams[&"billing".into()];
    team.due(from, SignedDuration::from_hours(hours).into()).expect("a deadline").told()
}

#[test]
fn a_team_has_several_blocks_nights_and_holidays() {
    let config = good(
        "zone = \"Europe/Berlin\"\nmon-thu = [\"09:00-12:00\", \"13:00-17:30\"]\nfri = [\"22:00-06:00\"]\nsun = []\n\
         holidays = [2026-12-24, \"2026-12-25\"]",
    );
    assert_eq!(
        due(&config, "2026-11-26T16:00:00Z", 9),
        "Mon 30 Nov 09:30 Europe/Berlin: 9 h of office hours, Thu 17:00–17:30, Fri 22:00–Sat 06:00 and Mon 09:00–09:30"
    );
    assert_eq!(
        due(&config, "2026-12-23T16:00:00Z", 1),
        "Sat 26 Dec 00:30 Europe/Berlin: 1 h of office hours, Wed 17:00–17:30 and Sat 00:00–00:30"
    );
}

#[test]
fn every_slip_in_hours_is_named_at_its_place() {
    let zone = "zone = \"Europe/Berlin\"\n";
    // The place is the table's.
    let problems = read(&with(&format!("{zone}mon = []")), Path::new("")).expect_err("never opens");
    let found: Vec<_> = problems.iter().collect();
    assert!(
        found.len() == 1 && found[0].message.contains("never opens") && found[0].help.contains("mon-fri"),
        "{problems}"
    );
    for (lines, message, help) in [
        ("mon = [¦\"9-12\"]", "\"9-12\": the beginning is no time of day", "09:00-17:30"),
        ("mon = [¦\"09:00-09:00\"]", "ends where it begins", "00:00-24:00"),
        ("mon = [¦\"24:00-06:00\"]", "no block begins at 24:00", "18:00-24:00"),
        (
            "mon = [\"09:00-12:00\", ¦\"11:00-13:00\"]",
            "11:00-13:00 overlaps 09:00-12:00 of mon on mon",
            "where the other begins",
        ),
        (
            "sun = [\"22:00-06:00\"]\nmon = [¦\"05:00-09:00\"]",
            "05:00-09:00 overlaps 22:00-06:00 of sun on mon",
            "leave one",
        ),
        ("mon = [¦9]", "is text, not a whole number", "09:00-17:30"),
        ("mon = ¦\"09:00-12:00\"", "`mon` is a list of blocks, not text", "mon = [\"09:00-12:00\""),
        (
            "mon-wed = [\"09:00-12:00\"]\n¦wed = [\"13:00-14:00\"]",
            "wed are given twice: by `mon-wed` and by `wed`",
            "once",
        ),
        (
            "mon = [\"09:00-12:00\"]\n¦thu-tue = [\"09:00-12:00\"]",
            "`thu-tue`: this range of days is reversed",
            "two keys",
        ),
        ("mon = [\"09:00-12:00\"]\n¦monday = [\"09:00-12:00\"]", "has no key `monday`", "did you mean `mon`?"),
        ("mon = [\"09:00-12:00\"]\n¦weekdays = []", "has no key `weekdays`", "mon-fri"),
        ("mon = [\"09:00-12:00\"]\nholidays = [2026-12-25, ¦2026-12-25]", "2026-12-25 stands twice", "leave one"),
        ("mon = [\"09:00-12:00\"]\nholidays = [¦2026-12-25T10:00:00]", "is no date", "a calendar file"),
        ("mon = [\"09:00-12:00\"]\nholidays = [¦\"Christmas\"]", "is no date", "a calendar file"),
        ("mon = [\"09:00-12:00\"]\nholidays = [¦7]", "a holiday is a date, not a whole number", "a calendar file"),
        ("mon = [\"09:00-12:00\"]\nholidays = ¦true", "is a list of dates or a file", "a calendar file"),
        ("mon = [\"09:00-12:00\"]\nholidays = ¦\"holidays.csv\"", "is no calendar file", ".ics"),
        ("mon = [\"09:00-12:00\"]\nholidays = ¦\"none/there.ics\"", "cannot be read", "relative to the policy's file"),
    ] {
        error(&format!("{zone}{lines}"), message, help);
    }
    let day = "\nmon = [\"09:00-12:00\"]";
    error(&format!("zone = ¦\"Europe/Berln\"{day}"), "there is no zone", "did you mean `Europe/Berlin`?");
    error(&format!("zone = ¦\"+01:00\"{day}"), "there is no zone", "\"UTC\"");
    error(&format!("zone = ¦7{day}"), "`zone` is text", "Europe/Berlin");
}

#[test]
fn a_team_names_hours_that_are_there_and_targets_that_they_reach() {
    let edited = |old: &str, new: &str| {
        let text = with("zone = \"UTC\"\nmon = [\"09:00-10:00\"]");
        assert!(text.contains(old), "{old}");
        let problems = read(&text.replacen(old, new, 1), Path::new("")).expect_err("one problem");
        let found: Vec<_> = problems.iter().map(|problem| format!("{} ({})", problem.message, problem.help)).collect();
        assert_eq!(found.len(), 1, "{problems}");
        found.concat()
    };
    let unknown = edited("hours = \"office\"", "hours = \"offce\"");
    assert!(unknown.contains("no hours \"offce\"") && unknown.contains("did you mean `office`?"), "{unknown}");
    let years = edited("clock.internal = \"4h\"", "clock.internal = \"30d\"");
    assert!(years.contains("more than two years") && years.contains("30d wall"), "{years}");
    let wall = with("zone = \"UTC\"\nmon = [\"09:00-10:00\"]").replacen("\"4h\"", "\"30d wall\"", 1);
    assert!(read(&wall, Path::new("")).is_ok());
    let without = with("zone = \"UTC\"\nmon = [\"09:00-10:00\"]").replacen(
        "clock.internal = \"4h\"",
        "clock.internal_from = \"opened\"",
        1,
    );
    assert!(read(&without, Path::new("")).expect_err("no target").to_string().contains("none is given"));
}

#[test]
fn holidays_come_from_a_calendar_file_and_change_the_policys_version() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    let event = |lines: &str| format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    write(
        "de.ics",
        event("SUMMARY:Weihnachten\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227").as_bytes(),
    );
    write("half.ics", event("SUMMARY:Heiligabend\r\nDTSTART:20261224T120000").as_bytes());
    write("latin.ics", b"BEGIN:VCALENDAR\r\n\xfc");
    let many = event(&"x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n".repeat(9));
    write("many.ics", many.as_bytes());
    let days = "zone = \"Europe/Berlin\"\nmon-sun = [\"09:00-17:00\"]\nholidays = ";
    let version = |holidays: &str| {
        let config = read(&with(&format!("{days}{holidays}")), folder.path());
        config.unwrap_or_else(|problems| panic!("{problems}")).policy.version
    };
    // The same dates mean the same, wherever they stand.
    assert_eq!(version("\"de.ics\""), version("[2026-12-26, 2026-12-25]"));
    assert_eq!(version("[\"de.ics\", 2026-12-24]"), version("[2026-12-24, 2026-12-26, 2026-12-25]"));
    assert_ne!(version("\"de.ics\""), version("[2026-12-25]"));
    let error = |holidays: &str, message: &str, help: &str| {
        error_in(&format!("{days}{holidays}"), message, help, folder.path());
    };
    error("¦\"half.ics\"", "half.ics, line 2: \"Heiligabend\": it does not begin with a whole day", "half day");
    error("[2026-01-01, ¦\"latin.ics\"]", "not UTF-8 after 17 bytes", "UTF-8");
    let problems = read(&with(&format!("{days}\"many.ics\"")), folder.path()).expect_err("ten bad events");
    assert_eq!(problems.iter().count(), 6, "{problems}");
    assert!(problems.to_string().contains("many.ics has 5 more such events"), "{problems}");
}
