//! `[policy] digest`: when the lead's week is sent, and through which channels.

use super::alerts::{Alerts, named_in};
use super::found::Found;
use super::keys;
use super::scalar::shown;
use super::walk::Section;
use crate::policy::alert::ChannelKind;
use crate::policy::digest::{DAYS, DigestPlan};
use handoffd_hours::zone;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

/// Reads it, where it is there.
pub(super) fn read(found: &mut Found<'_>, policy: &Section<'_>, alerts: &Alerts) -> Option<DigestPlan> {
    let section = policy.table(found, "digest", keys::DIGEST, "`digest` of [policy]".into())?;
    let mut to = Vec::new();
    match section.texts(found, "to") {
        Some(names) if names.is_empty() => {
            found.error(&section.key_span("to"), "the digest goes to nobody", section.like("to"));
        }
        Some(names) => to = named_in(found, &names, alerts),
        None if !section.has("to") => section.missing(found, "to"),
        None => {}
    }
    for name in to.iter().filter(|name| alerts.kind(name) == Some(ChannelKind::PagerDuty)) {
        let message = format!("the alert channel \"{name}\" wakes people: a digest is no incident");
        found.error(&section.key_span("to"), message, "name a room, a mail address or a webhook");
    }
    let day = if section.has("day") { section.word(found, "day", &DAYS)? } else { Weekday::Monday };
    let at = if section.has("at") { section.parsed(found, "at", time)?.value } else { Time::constant(8, 0, 0, 0) };
    let (zone, zone_name) = match section.text(found, "zone") {
        None if section.has("zone") => return None,
        None => (TimeZone::UTC, "UTC".to_owned()),
        Some(name) => match zone(name.value) {
            Ok(zone) => (zone, name.value.to_owned()),
            Err(_) => {
                found.error(&name.span, format!("there is no zone \"{}\"", shown(name.value)), section.like("zone"));
                return None;
            }
        },
    };
    (!to.is_empty()).then_some(DigestPlan { to, day, at, zone, zone_name })
}

fn time(text: &str) -> Result<Time, String> {
    let wrong = || format!("\"{}\" is no time of day", shown(text));
    let digits = text.len() == 5 && text.bytes().enumerate().all(|(at, byte)| (at == 2) == (byte == b':'));
    let time = Time::strptime("%H:%M", text).map_err(|_| wrong())?;
    if digits { Ok(time) } else { Err(wrong()) }
}
