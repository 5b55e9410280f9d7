//! `[hours.NAME]`: when a team is there. Blocks by day, a zone, and holidays as dates or from a calendar file.

use super::found::{At, Found};
use super::keys;
use super::scalar::{self, accepted_days, shown};
use super::walk::{Named, Section, accepted, kind_of};
use crate::policy::due::TeamHours;
use crate::policy::names::HoursName;
use handoffd_hours::{Block, Calendar, Day, Week, days, ics, zone};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::DeValue;

/// All hours by name; `None`: wrong in themselves, which was reported.
pub(super) type Hours = BTreeMap<HoursName, Option<Arc<TeamHours>>>;

/// Reads all hours; `base` is the folder that calendar files are relative to.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>, base: &Path) -> Hours {
    let tables = root.named_tables(found, "hours");
    tables.iter().map(|named| (HoursName::new(named.name.value), read_one(found, named, base))).collect()
}

fn read_one(found: &mut Found<'_>, named: &Named<'_>, base: &Path) -> Option<Arc<TeamHours>> {
    let section = Section::open_ended(named.table, keys::HOURS, named.title.clone(), named.name.span.clone());
    let zone_name = section.required(found, "zone");
    let zone = zone_name.as_ref().and_then(|name| match zone(name.value) {
        Ok(zone) => Some(zone),
        Err(unknown) => {
            let near = scalar::nearest(name.value, unknown.known.iter().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
            let help = format!("{near}write a name of the tz database, such as \"Europe/Berlin\" or \"UTC\"");
            found.error(&name.span, format!("there is no zone \"{}\"", shown(name.value)), help);
            None
        }
    });
    let week = week(found, &section);
    let holidays = holidays(found, &section, base);
    let (zone_name, zone, week, holidays) = (zone_name?.value, zone?, week?, holidays?);
    let dates: Vec<String> = holidays.iter().map(ToString::to_string).collect();
    let meaning = format!("{zone_name}; {}; closed {}", week.meaning(), dates.join(" "));
    let closed = if dates.is_empty() { String::new() } else { format!("; closed on {} days", dates.len()) };
    let open = format!("{}{closed}", week.shown());
    let closed = holidays.iter().copied().collect();
    match Calendar::new(zone, &week, holidays) {
        Ok(calendar) => {
            let name = HoursName::new(named.name.value);
            Some(Arc::new(TeamHours { name, zone: zone_name.to_owned(), open, closed, calendar, meaning }))
        }
        Err(_) => {
            let help = "add days with blocks, such as mon-fri = [\"09:00-17:00\"]";
            found.mismatch(&section.span, format!("{} never opens", section.title), help);
            None
        }
    }
}

/// The blocks of all days. `None`: something in them is wrong.
fn week(found: &mut Found<'_>, section: &Section<'_>) -> Option<Week> {
    let mut week = Week::new();
    let mut given: BTreeMap<Day, String> = BTreeMap::new();
    let mut whole = true;
    for (key, value) in section.entries().into_iter().filter(|(key, _)| keys::HOURS.key(key.value).is_none()) {
        let Some(days) = days_of(found, section, &key) else {
            whole = false;
            continue;
        };
        if let Some((day, other)) = days.iter().find_map(|day| Some((day, given.get(day)?))) {
            let message = format!("the hours of {} are given twice: by `{other}` and by `{}`", day.name(), key.value);
            found.error(&key.span, message, "name each day once; several blocks of a day stand in one list");
            whole = false;
            continue;
        }
        given.extend(days.iter().map(|day| (*day, key.value.to_owned())));
        let Some(list) = value.get_ref().as_array() else {
            let message = format!("`{}` is a list of blocks, not {}", key.value, kind_of(value.get_ref()));
            found.error(&value.span(), message, format!("write {} = [\"09:00-12:00\", \"13:00-17:30\"]", key.value));
            whole = false;
            continue;
        };
        for entry in list {
            whole &= add_block(found, &mut week, &days, entry);
        }
    }
    whole.then_some(week)
}

fn days_of(found: &mut Found<'_>, section: &Section<'_>, key: &At<&str>) -> Option<Vec<Day>> {
    match days(key.value) {
        Ok(days) => Some(days),
        Err((message, help)) if message.contains("reversed") => {
            found.error(&key.span, format!("`{}`: {message}", key.value), help);
            None
        }
        Err(_) => {
            let message = format!("{} has no key `{}`", section.title, shown(key.value));
            found.error(&key.span, message, accepted(key.value, accepted_days()));
            None
        }
    }
}

/// Adds one block to each of these days; whether that went well.
fn add_block(found: &mut Found<'_>, week: &mut Week, days: &[Day], entry: &Spanned<DeValue<'_>>) -> bool {
    let Some(text) = entry.get_ref().as_str() else {
        let message = format!("a block of hours is text, not {}", kind_of(entry.get_ref()));
        found.error(&entry.span(), message, "write it like \"09:00-17:30\"");
        return false;
    };
    let block = match Block::parse(text) {
        Ok(block) => block,
        Err((message, help)) => {
            found.error(&entry.span(), format!("\"{}\": {message}", shown(text)), help);
            return false;
        }
    };
    for day in days {
        if let Err(overlap) = week.add(*day, block) {
            let message =
                format!("{block} overlaps {} of {} on {}", overlap.with, overlap.of.name(), overlap.on.name());
            found.error(&entry.span(), message, "let one end where the other begins, or leave one of them out");
            return false;
        }
    }
    true
}

/// The dates of `holidays`. `None`: something in them is wrong.
fn holidays(found: &mut Found<'_>, section: &Section<'_>, base: &Path) -> Option<BTreeSet<Date>> {
    const HELP: &str = "write dates, [2026-12-25, 2026-12-26], or a calendar file, \"holidays.ics\"";
    let Some(value) = section.raw("holidays") else { return Some(BTreeSet::new()) };
    if let DeValue::String(file) = value.get_ref() {
        return from_file(found, file, &value.span(), base);
    }
    let Some(list) = value.get_ref().as_array() else {
        let message = format!("`holidays` is a list of dates or a file, not {}", kind_of(value.get_ref()));
        found.error(&value.span(), message, HELP);
        return None;
    };
    let mut listed = BTreeSet::new();
    let mut from_files = BTreeSet::new();
    let mut whole = true;
    for entry in list {
        let text = match entry.get_ref() {
            DeValue::Datetime(stamp) => stamp.to_string(),
            DeValue::String(text) => text.as_ref().to_owned(),
            other => {
                found.error(&entry.span(), format!("a holiday is a date, not {}", kind_of(other)), HELP);
                whole = false;
                continue;
            }
        };
        match scalar::date(&text) {
            Ok(date) if !listed.insert(date) => {
                found.error(&entry.span(), format!("{date} stands twice in `holidays`"), "leave one of them out");
                whole = false;
            }
            Ok(_) => {}
            Err(_) if text.ends_with(".ics") => match from_file(found, &text, &entry.span(), base) {
                Some(dates) => from_files.extend(dates),
                None => whole = false,
            },
            Err(wrong) => {
                found.error(&entry.span(), wrong, HELP);
                whole = false;
            }
        }
    }
    listed.extend(from_files);
    whole.then_some(listed)
}

/// The holidays of a calendar file. Its faults are reported at the place that names it, with their lines in the file.
fn from_file(found: &mut Found<'_>, name: &str, span: &Range<usize>, base: &Path) -> Option<BTreeSet<Date>> {
    const SHOWN: usize = 5;
    if !name.ends_with(".ics") || name.contains('\0') {
        let help = "write dates, [2026-12-25], or the path of a calendar file that ends in .ics";
        found.error(span, format!("\"{}\" is no calendar file", shown(name)), help);
        return None;
    }
    let opened = std::fs::File::open(base.join(name)).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(ics::LARGEST as u64 + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    let text = opened.map_err(|error| error.to_string()).and_then(|bytes| {
        String::from_utf8(bytes).map_err(|error| format!("not UTF-8 after {} bytes", error.utf8_error().valid_up_to()))
    });
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            let help = "paths are relative to the policy's file; the calendar is exported as UTF-8 text";
            found.error(span, format!("the calendar {} cannot be read: {error}", shown(name)), help);
            return None;
        }
    };
    match ics::holidays(&text) {
        Ok(dates) => Some(dates),
        Err(problems) => {
            for problem in problems.iter().take(SHOWN) {
                found.error(
                    span,
                    format!("{}, line {}: {}", shown(name), problem.line, problem.message),
                    &problem.help,
                );
            }
            if problems.len() > SHOWN {
                let message = format!("{} has {} more such events", shown(name), problems.len() - SHOWN);
                found.error(span, message, "repair the calendar, or list the dates");
            }
            None
        }
    }
}
