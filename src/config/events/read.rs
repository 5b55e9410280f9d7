//! From the spanned document to a checked map.

use super::keys;
use super::tiers::{Tier, TierRule, TierTest, Tiers};
use super::{Claim, Column, EventMap, FactColumn, FactColumns, InstantColumn, InstantFormat, Statuses, ValueColumn};
use crate::config::found::{At, Found};
use crate::config::scalar::shown;
use crate::config::source::Source;
use crate::config::walk::{Section, kind_of};
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

type Raw<'a> = &'a Spanned<DeValue<'a>>;

/// Reads the whole map; `None`: something that must be there is missing or wrong, which was reported.
pub(super) fn read<'a>(found: &mut Found<'_>, document: &'a DeTable<'a>, source: &Source) -> Option<EventMap> {
    let map = Section::open(found, document, keys::MAP, "the map".into(), 0..0);
    for needed in ["case", "at", "team"] {
        if !map.has(needed) {
            map.missing(found, needed);
        }
    }
    let case = column(found, &map, "case");
    let at = instant(found, &map);
    let team = value_column(found, &map, "team", map.raw("team"));
    let status = column(found, &map, "status");
    let sub_status = column(found, &map, "sub_status");
    let statuses = statuses(found, &map, team.as_ref());
    let tier = tiers(found, &map);
    Some(EventMap {
        order: column(found, &map, "order"),
        agent: value_column(found, &map, "agent", map.raw("agent")),
        by: columns(found, &map, "by"),
        like: columns(found, &map, "like"),
        facts: facts(found, &map),
        separator: separator(found, &map),
        case: case?,
        at: at?,
        team: team?,
        status,
        sub_status,
        statuses,
        tier,
        source: source.clone(),
    })
}

/// A column by its name, or as a table with its name.
fn column(found: &mut Found<'_>, map: &Section<'_>, key: &str) -> Option<Column> {
    let raw = map.raw(key)?;
    if raw.get_ref().as_table().is_none() {
        return map.text(found, key).map(named);
    }
    let table = map.table(found, key, keys::COLUMN, format!("`{key}`"))?;
    table.required(found, "column").map(named)
}

fn named(text: At<&str>) -> Column {
    Column { name: text.value.to_owned(), span: text.span }
}

fn columns(found: &mut Found<'_>, map: &Section<'_>, key: &str) -> Vec<Column> {
    let single = map.raw(key).is_some_and(|raw| raw.get_ref().as_str().is_some());
    if single {
        return map.text(found, key).map(named).into_iter().collect();
    }
    map.texts(found, key).unwrap_or_default().into_iter().map(named).collect()
}

/// A column with the values that mean "none".
fn value_column(found: &mut Found<'_>, map: &Section<'_>, key: &str, raw: Option<Raw<'_>>) -> Option<ValueColumn> {
    if raw?.get_ref().as_table().is_none() {
        return map.text(found, key).map(|text| ValueColumn { column: named(text), none: Vec::new() });
    }
    let table = map.table(found, key, keys::VALUE, format!("`{key}`"))?;
    let none = texts(found, &table, "none");
    table.required(found, "column").map(|text| ValueColumn { column: named(text), none })
}

/// Facts of the ticket, each a column by its name or as a table.
fn facts(found: &mut Found<'_>, map: &Section<'_>) -> FactColumns {
    let tags = fact(found, map, "tags", "`tags`");
    let priority = fact(found, map, "priority", "`priority`");
    let mut fields = BTreeMap::new();
    if let Some(table) = map.open_table(found, "fields") {
        for (name, value) in table.entries() {
            let title = format!("`fields.{}`", shown(name.value));
            if let Some(column) = fact_of(found, value, &title) {
                fields.insert(name.value.to_owned(), column);
            }
        }
    }
    FactColumns { tags, priority, fields }
}

fn fact(found: &mut Found<'_>, map: &Section<'_>, key: &str, title: &str) -> Option<FactColumn> {
    fact_of(found, map.raw(key)?, title)
}

fn fact_of(found: &mut Found<'_>, raw: Raw<'_>, title: &str) -> Option<FactColumn> {
    match raw.get_ref() {
        DeValue::String(name) if !name.trim().is_empty() => {
            let column = Column { name: name.to_string(), span: raw.span() };
            Some(FactColumn { column, none: Vec::new(), empty_is_none: false })
        }
        DeValue::Table(table) => {
            let table = Section::open(found, table, keys::FACT, title.to_owned(), raw.span());
            let none = texts(found, &table, "none");
            let empty_is_none = table.yes_or_no(found, "empty_is_none").unwrap_or(false);
            table.required(found, "column").map(named).map(|column| FactColumn { column, none, empty_is_none })
        }
        other => {
            let message = format!("{title} is the name of a column, not {}", kind_of(other));
            found.error(&raw.span(), message, "write \"Labels\", or { column = \"Labels\", empty_is_none = true }");
            None
        }
    }
}

fn texts(found: &mut Found<'_>, section: &Section<'_>, key: &str) -> Vec<String> {
    section.texts(found, key).unwrap_or_default().into_iter().map(|text| text.value.trim().to_owned()).collect()
}

fn instant(found: &mut Found<'_>, map: &Section<'_>) -> Option<InstantColumn> {
    if map.raw("at")?.get_ref().as_table().is_none() {
        let column = map.text(found, "at").map(named)?;
        return Some(InstantColumn { column, format: InstantFormat::Iso, zone: None });
    }
    let table = map.table(found, "at", keys::AT, "`at`".into())?;
    let column = table.required(found, "column").map(named);
    let zone_is_wrong = table.has("zone");
    let zone = table.parsed(found, "zone", zone).map(|zone| zone.value);
    let zone_is_wrong = zone_is_wrong && zone.is_none();
    let format = match table.text(found, "format") {
        None if table.has("format") => return None,
        None => InstantFormat::Iso,
        Some(text) => format(found, &text, zone.is_some() || zone_is_wrong)?,
    };
    if zone.is_some() && matches!(format, InstantFormat::UnixSeconds | InstantFormat::UnixMillis) {
        found.mismatch(&table.key_span("zone"), "such numbers are in UTC and have no zone", "leave `zone` out");
    }
    Some(InstantColumn { column: column?, format, zone })
}

/// A zone by its name, or a steady offset.
fn zone(text: &str) -> Result<TimeZone, String> {
    if let Ok(zone) = TimeZone::get(text) {
        return Ok(zone);
    }
    let offset = strtime::parse("%:z", text).ok().and_then(|parsed| parsed.offset());
    offset.map(Offset::to_time_zone).ok_or_else(|| format!("\"{}\" is no zone", shown(text)))
}

const FORMATS: &str = "write iso, unix, unix-ms, or a strptime format like %d/%m/%Y %H:%M";

fn format(found: &mut Found<'_>, text: &At<&str>, has_zone: bool) -> Option<InstantFormat> {
    match text.value {
        "iso" => return Some(InstantFormat::Iso),
        "unix" => return Some(InstantFormat::UnixSeconds),
        "unix-ms" => return Some(InstantFormat::UnixMillis),
        plain if !plain.contains('%') => {
            found.error(&text.span, format!("there is no format \"{}\"", shown(plain)), FORMATS);
            return None;
        }
        _ => {}
    }
    // What a format prints for an instant, it must read as that instant again: else a date would be read wrong.
    let sample = Zoned::new(Timestamp::from_second(1_333_206_061).unwrap_or_default(), TimeZone::UTC);
    let printed = match strtime::format(text.value, &sample) {
        Ok(printed) => printed,
        Err(error) => {
            found.error(&text.span, format!("this format cannot be used: {}", shown(&error.to_string())), FORMATS);
            return None;
        }
    };
    let parsed = match strtime::parse(text.value, &printed) {
        Ok(parsed) => parsed,
        Err(error) => {
            found.error(&text.span, format!("this format cannot be read: {}", shown(&error.to_string())), FORMATS);
            return None;
        }
    };
    // The name of a zone in the text is not looked up: the map's zone would be taken in its place.
    if parsed.iana_time_zone().is_some() {
        let help = "export the instant with an offset and read it with %z, or in one zone that `zone` says";
        found.error(&text.span, "this format names the zone in the text (%Q), which is not read", help);
        return None;
    }
    let hour = parsed.hour().and_then(|_| parsed.to_time().ok()).map(jiff::civil::Time::hour);
    if hour.is_some_and(|hour| hour != sample.hour()) {
        let help = "add %p (AM or PM), or write the hour of the day with %H";
        found.error(&text.span, "this format does not say which half of the day (%I without %p)", help);
        return None;
    }
    if parsed.to_timestamp().is_ok() {
        return Some(InstantFormat::Strptime(text.value.to_owned()));
    }
    let date = parsed.to_date().is_ok_and(|date| date == sample.date());
    if !date {
        let help = "it needs year, month and day: %Y-%m-%d or %d/%m/%Y";
        found.error(&text.span, "this format does not say which day", help);
        return None;
    }
    if !has_zone {
        let help = "add zone = \"Europe/Lisbon\" (a name of the tz database, or an offset like +02:00)";
        found.mismatch(&text.span, "this format has no offset, so the zone must be said", help);
        return None;
    }
    Some(InstantFormat::Strptime(text.value.to_owned()))
}

fn statuses(found: &mut Found<'_>, map: &Section<'_>, team: Option<&ValueColumn>) -> Statuses {
    let lists = ["waiting", "accepted", "done"];
    if let Some(list) = lists.into_iter().find(|list| map.has(list) && !map.has("status")) {
        let help = "add status = \"Status\": the column that these are values of";
        found.mismatch(&map.key_span(list), format!("`{list}` lists statuses, and no column has them"), help);
    }
    let [waiting, accepted, done] = lists.map(|list| texts(found, map, list));
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (list, words) in lists.into_iter().zip([&waiting, &accepted, &done]) {
        for word in words {
            if let Some(other) = seen.insert(word, list) {
                let message = format!("\"{}\" stands in `{other}` and in `{list}`", shown(word));
                found.error(&map.key_span(list), message, "a status means one thing: keep one of them");
            }
        }
    }
    let claimed_when = claim(found, map, team);
    Statuses { waiting, accepted, done, claimed_when }
}

fn claim(found: &mut Found<'_>, map: &Section<'_>, team: Option<&ValueColumn>) -> Option<Claim> {
    map.raw("claimed_when")?;
    let table = map.table(found, "claimed_when", keys::CLAIM, "`claimed_when`".into())?;
    let column = table.required(found, "column").map(named);
    let known = match table.raw("known").map(|raw| (raw, raw.get_ref())) {
        None => true,
        Some((_, DeValue::Boolean(known))) => *known,
        Some((raw, other)) => {
            let message = format!("`known` is true or false, not {}", kind_of(other));
            found.error(&raw.span(), message, table.like("known"));
            return None;
        }
    };
    // Systems that write "?" for no team write it for nobody too.
    let none = if table.has("none") {
        texts(found, &table, "none")
    } else {
        team.map_or(Vec::new(), |team| team.none.clone())
    };
    Some(Claim { value: ValueColumn { column: column?, none }, known })
}

fn tiers(found: &mut Found<'_>, map: &Section<'_>) -> Tiers {
    let Some(raw) = map.raw("tier") else { return Tiers::Unknown };
    match raw.get_ref() {
        DeValue::String(_) => value_column(found, map, "tier", Some(raw)).map_or(Tiers::Unknown, Tiers::Column),
        DeValue::Table(table) if table.get("column").is_some_and(|name| name.get_ref().as_str().is_some()) => {
            value_column(found, map, "tier", Some(raw)).map_or(Tiers::Unknown, Tiers::Column)
        }
        DeValue::Table(_) => tier_table(found, map),
        DeValue::Array(_) => tier_rules(found, map),
        other => {
            let message = format!("`tier` is a column, a list of rules or a table by team, not {}", kind_of(other));
            found.error(&raw.span(), message, map.like("tier"));
            Tiers::Unknown
        }
    }
}

fn tier_table(found: &mut Found<'_>, map: &Section<'_>) -> Tiers {
    let Some(table) = map.open_table(found, "tier") else { return Tiers::Unknown };
    let mut tiers = BTreeMap::new();
    for (team, value) in table.entries() {
        if let Some(tier) = tier(found, value) {
            tiers.insert(team.value.to_owned(), tier);
        }
    }
    Tiers::Table(tiers)
}

fn tier_rules(found: &mut Found<'_>, map: &Section<'_>) -> Tiers {
    let mut rules: Vec<TierRule> = Vec::new();
    for entry in map.list_of_tables(found, "tier") {
        let section = Section::open(found, entry.value, keys::TIER, "an entry of `tier`".into(), entry.span.clone());
        if rules.last().is_some_and(|rule| rule.test == TierTest::Any) {
            let help = "move the entry without a condition to the end";
            found.error(&entry.span, "this entry is never reached: the one before fits every team", help);
        }
        let test = tier_test(found, &section);
        let tier = match section.raw("tier") {
            Some(value) => tier(found, value),
            None => {
                section.missing(found, "tier");
                None
            }
        };
        rules.extend(test.zip(tier).map(|(test, tier)| TierRule { test, tier }));
    }
    Tiers::Rules(rules)
}

fn tier_test(found: &mut Found<'_>, section: &Section<'_>) -> Option<TierTest> {
    let conditions = ["ends_with", "starts_with", "contains", "teams"];
    let given: Vec<&str> = conditions.into_iter().filter(|key| section.has(key)).collect();
    let [key] = given.as_slice() else {
        if given.is_empty() {
            return section.is_whole().then_some(TierTest::Any);
        }
        let help = "keep one of them; write another entry for the other";
        found.error(&section.span, format!("an entry of `tier` has one condition, not {}", given.join(" and ")), help);
        return None;
    };
    // An ending may begin with a blank, so these texts are taken as they stand.
    let text = |found: &mut Found<'_>| section.text(found, key).map(|text| text.value.to_owned());
    match *key {
        "ends_with" => text(found).map(TierTest::EndsWith),
        "starts_with" => text(found).map(TierTest::StartsWith),
        "contains" => text(found).map(TierTest::Contains),
        _ => Some(TierTest::Teams(texts(found, section, "teams"))),
    }
}

fn tier(found: &mut Found<'_>, value: Raw<'_>) -> Option<Tier> {
    let text = match value.get_ref() {
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
            number.filter(|number| (0..100).contains(number)).map(|number| number.to_string())
        }
        DeValue::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty() && text.len() <= 64),
        _ => None,
    };
    if text.is_none() {
        found.error(&value.span(), "a tier is a number from 0 to 99, or a name", "write tier = 2 or tier = \"2/3\"");
    }
    text.map(|text| Tier::new(&text))
}

fn separator(found: &mut Found<'_>, map: &Section<'_>) -> Option<u8> {
    let raw = map.raw("separator")?;
    let byte = match raw.get_ref().as_str().map(str::as_bytes) {
        Some([byte @ (b',' | b';' | b'\t' | b'|')]) => Some(*byte),
        _ => None,
    };
    if byte.is_none() {
        let help = "write \",\", \";\", \"|\" or \"\\t\"; left out, it is seen from the first line";
        found.error(&raw.span(), "this cannot part cells", help);
    }
    byte
}
