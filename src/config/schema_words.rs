//! What the schema says of a value beside its kind: the words that are closed, and how durations, shares and hours are written.
//! A test holds every word against `check`.

use super::daemon::MODES;
use super::keys::{Key, Shape};
use super::web::ROLES;
use crate::policy::alert::{ChannelKind, Occasion};
use crate::policy::clocks::ClockName;
use crate::policy::digest::DAYS;
use crate::policy::package::part_names;
use crate::policy::risk::lists;
use crate::registry;
use serde_json::{Value, json};

/// Keys that take one of a few words, by the key's name.
const WORDS: [(&str, &[&str]); 13] = [
    ("log", &["text", "json"]),
    ("once", &["episode", "case"]),
    ("trigger", &["complexity", "account", "steps-failed", "sla", "waiting", "repeat", "exception", "manual"]),
    ("missing", &["ask", "review", "send"]),
    ("then", &["review", "send"]),
    ("customer_facing", &["previous", "new"]),
    ("internal_from", &["handoff", "opened"]),
    ("accountable", &["to", "from"]),
    ("unanswered", &["wait", "reject", "approve"]),
    ("outside", &["wait", "drop"]),
    ("type", &["text", "number", "yes-no", "date", "choice"]),
    ("of", &["ticket", "customer", "organization"]),
    ("paused_in", &["new", "open", "pending", "on_hold"]),
];

/// A number and a unit; `4h wall` counts without anybody's hours.
const DURATION: &str = "^[0-9]+[smhd]( wall)?$";
const SHARE: &str = r"^(100(\.0*)?|[0-9]{1,2}(\.[0-9]*)?)%$";
const TIME_OF_DAY: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
const BLOCK: &str = "^([01][0-9]|2[0-4]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]$";
/// A day of the week, or several in a row.
pub(super) const DAY: &str = "^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$";

/// What a key's value must look like; none: anything of its kind.
pub(super) fn of(shape: Shape, key: &Key) -> Option<Value> {
    // A test tells a ticket in a helpdesk's words, at instants or so long ago.
    if shape.title.contains("[[test]]") {
        return None;
    }
    let word = match key.name {
        "mode" => words(MODES.iter().map(|(word, _)| *word)),
        "role" => words(ROLES.iter().map(|(word, _)| *word)),
        "connector" => words(registry::known().iter().copied()),
        "channel" => words(ChannelKind::ALL.into_iter().map(ChannelKind::name)),
        "tells" => list(words(Occasion::ALL.into_iter().map(Occasion::name))),
        "clock" if key.example.starts_with('"') => words(ClockName::ALL.into_iter().map(ClockName::name)),
        "require" => list(words(part_names())),
        "use" => list(words(lists::names())),
        "look_in" => list(words(crate::policy::risk::Where::ALL.iter().map(|(name, _)| *name))),
        "day" => words(DAYS.iter().map(|(word, _)| *word)),
        "at" => pattern(TIME_OF_DAY),
        "unclaimed" => list(any_of(vec![words(["lead", "back"].into_iter()), pattern("^team: *.+$")])),
        name => match WORDS.iter().find(|(known, _)| *known == name) {
            Some((_, known)) if key.example.starts_with('[') => list(words(known.iter().copied())),
            Some((_, known)) => words(known.iter().copied()),
            None => return measured(key),
        },
    };
    Some(word)
}

/// A duration or a share, as the key's example shows.
fn measured(key: &Key) -> Option<Value> {
    let text = key.example.strip_prefix('"')?.strip_suffix('"')?;
    let begins = text.bytes().take_while(u8::is_ascii_digit).count();
    match &text[begins..] {
        "%" if begins > 0 => Some(pattern(SHARE)),
        "s" | "m" | "h" | "d" if begins > 0 => Some(pattern(DURATION)),
        _ => None,
    }
}

/// The open blocks of a day.
pub(super) fn blocks() -> Value {
    list(pattern(BLOCK))
}

/// One of these words.
pub(super) fn words<'w>(words: impl Iterator<Item = &'w str>) -> Value {
    json!({ "enum": words.collect::<Vec<_>>() })
}

pub(super) fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

pub(super) fn any_of(all: Vec<Value>) -> Value {
    json!({ "anyOf": all })
}

pub(super) fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}
