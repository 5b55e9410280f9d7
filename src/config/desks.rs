//! `[desks.NAME]`: the helpdesk accounts. The vendor's own keys (`login`, `webhook`) are handed on to the connector;
//! here only their form is checked, and that no secret is written in clear.

use super::abilities;
use super::found::{At, Found};
use super::hours::Hours;
use super::keys;
use super::mask::names_a_secret;
use super::scalar::{self, shown};
use super::secrets::{RawSetting, SecretSource};
use super::teams::named_hours;
use super::walk::{Named, Section, accepted, kind_of};
use crate::policy::lull::NewsWithin;
use crate::policy::rules::{DeskPolicy, FieldDeclaration, FieldOwner, Start};
use crate::registry;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::id::DeskId;
use handoffd_kit::model::FieldType;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;
use url::Url;

/// One helpdesk account: how it is reached.
#[derive(Clone, Debug)]
pub struct DeskConfig {
    /// Which connector speaks to it.
    pub connector: String,
    /// Its address.
    pub url: Url,
    /// The vendor's own login keys, secrets not read yet.
    pub login: BTreeMap<String, RawSetting>,
    /// The vendor's own webhook keys. Empty: the desk sends none.
    pub webhook: BTreeMap<String, RawSetting>,
    /// How often it is asked what changed. Default: 30 s.
    pub poll: Duration,
    /// Our share of the vendor's limits, `0.0..=1.0`. Default: 0.8.
    pub budget: f64,
    /// Where each of its keys stands, dotted.
    pub(super) places: BTreeMap<String, Range<usize>>,
}

impl DeskConfig {
    /// Whether a key of the vendor's stands in the file and its value could not be read.
    fn lost(&self, key: &str) -> bool {
        let read = match key.split_once('.') {
            Some(("login", name)) => self.login.contains_key(name),
            Some(("webhook", name)) => self.webhook.contains_key(name),
            _ => true,
        };
        !read && self.places.contains_key(key)
    }
}

/// A desk as far as it could be read.
pub(super) struct DeskDraft {
    pub config: Option<DeskConfig>,
    pub policy: DeskPolicy,
    /// What it can do, if its connector is known.
    pub capabilities: Option<Capabilities>,
    /// Names of fields whose declaration is wrong.
    pub broken_fields: Vec<String>,
}

/// All desks by name, those that are wrong included.
pub(super) type Desks = BTreeMap<DeskId, DeskDraft>;

/// Reads all desks.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>, hours: &Hours, base: &Path) -> Desks {
    let tables = root.named_tables(found, "desks");
    if tables.is_empty() {
        let help = "add a table [desks.NAME] with connector, url and login";
        found.mismatch(&root.key_span("desks"), "no desk is configured", help);
    }
    let mut desks = Desks::new();
    let mut seen: BTreeMap<String, FieldDeclaration> = BTreeMap::new();
    for named in &tables {
        let section = named.open(found, keys::DESK);
        let mut broken_fields = Vec::new();
        let id = DeskId::new(named.name.value);
        let reading = config(found, &section, named, base);
        let capabilities = reading.as_ref().and_then(|reading| abilities::of_desk(found, &id, reading));
        let config = reading.filter(|reading| reading.broken.is_empty()).map(|reading| reading.config);
        let policy = DeskPolicy {
            intake: intake(found, &section, capabilities.as_ref()),
            start: start(found, &section).unwrap_or(Start::Now),
            fields: fields(found, &section, &mut seen, &mut broken_fields),
            commands: super::commands::read(found, &section, capabilities.as_ref()),
            news_within: news_within(found, &section, hours),
        };
        desks.insert(id, DeskDraft { config, policy, capabilities, broken_fields });
    }
    desks
}

/// How long the desk may be without news; counted in its `hours`, where it names some.
fn news_within(found: &mut Found<'_>, section: &Section<'_>, hours: &Hours) -> Option<NewsWithin> {
    let hours = named_hours(found, section, hours);
    if section.has("hours") && !section.has("news_within") {
        let message = "`hours` of a desk say when `news_within` counts, and there is none";
        found.mismatch(&section.key_span("hours"), message, "add news_within = \"4h\", or leave `hours` out");
    }
    let bounds = (SignedDuration::from_mins(5), SignedDuration::from_hours(24 * 30));
    Some(NewsWithin { length: section.duration(found, "news_within", bounds)?, hours: hours? })
}

/// How a desk is reached, as far as it could be read.
pub(super) struct Reading {
    pub config: DeskConfig,
    /// Keys whose value is missing or could not be read, which was reported: something else stands in their place.
    broken: Vec<&'static str>,
}

impl Reading {
    /// Whether what the connector says of a key is about something that could not be read.
    pub fn lost(&self, key: &str) -> bool {
        let top = key.split('.').next().unwrap_or(key);
        self.broken.contains(&top) || self.config.lost(key)
    }
}

fn config(found: &mut Found<'_>, section: &Section<'_>, named: &Named<'_>, base: &Path) -> Option<Reading> {
    let connector = section.required(found, "connector");
    if let Some(connector) = &connector
        && !registry::known().contains(&connector.value)
    {
        let message = format!("no connector speaks \"{}\"", shown(connector.value));
        found.error(&connector.span, message, accepted(connector.value, registry::known().iter().copied()));
    }
    let mut broken = Vec::new();
    let url = section.required(found, "url").and_then(|text| match scalar::desk_url(text.value) {
        Ok(url) => Some(url),
        Err((message, help)) => {
            found.error(&text.span, message, help);
            None
        }
    });
    let mut places = BTreeMap::from([(String::new(), named.name.span.clone())]);
    for key in keys::DESK.names().filter(|key| section.has(key)) {
        places.insert(key.to_owned(), section.key_span(key));
    }
    if !section.has("login") {
        section.missing(found, "login");
        broken.push("login");
    }
    let login = settings(found, section, "login", base, &mut places);
    let webhook = settings(found, section, "webhook", base, &mut places);
    let bounds = (SignedDuration::from_secs(1), SignedDuration::from_hours(24));
    let poll = section.duration(found, "poll", bounds).unwrap_or(SignedDuration::from_secs(30));
    let budget = section.parsed(found, "budget", scalar::percentage);
    if let Some(budget) = budget.as_ref().filter(|budget| budget.value < 0.01) {
        found.error(&budget.span, "`budget` leaves nothing for handoffd", "write a share from 1% to 100%");
    }
    let read = [("url", url.is_some()), ("login", login.is_some()), ("webhook", webhook.is_some())];
    broken.extend(read.into_iter().filter(|(_, is_read)| !is_read).map(|(key, _)| key));
    let config = DeskConfig {
        connector: connector?.value.to_owned(),
        // One that no connector has anything to say against.
        url: url.or_else(|| "https://desk.example".parse().ok())?,
        login: login.unwrap_or_default(),
        webhook: webhook.unwrap_or_default(),
        poll: poll.unsigned_abs(),
        budget: budget.map_or(0.8, |budget| budget.value),
        places,
    };
    Some(Reading { config, broken })
}

/// Reads `login` or `webhook`: texts and secrets under the vendor's own keys. `None`: it is no table, which was reported.
fn settings(
    found: &mut Found<'_>,
    section: &Section<'_>,
    key: &str,
    base: &Path,
    places: &mut BTreeMap<String, Range<usize>>,
) -> Option<BTreeMap<String, RawSetting>> {
    let mut settings = BTreeMap::new();
    if !section.has(key) {
        return Some(settings);
    }
    let table = section.open_table(found, key)?;
    for (name, value) in table.entries() {
        places.insert(format!("{key}.{}", name.value), name.span.clone());
        if let Some(setting) = setting(found, &name, value, &format!("{key}.{}", shown(name.value)), base) {
            settings.insert(name.value.to_owned(), setting);
        }
    }
    Some(settings)
}

pub(super) fn setting(
    found: &mut Found<'_>,
    name: &At<&str>,
    value: &Spanned<DeValue<'_>>,
    title: &str,
    base: &Path,
) -> Option<RawSetting> {
    match value.get_ref() {
        DeValue::Table(table) => {
            let secret = Section::open(found, table, keys::SECRET, format!("`{title}`"), name.span.clone());
            SecretSource::read(found, &secret, base).map(RawSetting::Secret)
        }
        _ if names_a_secret(name.value) => {
            let help = format!("write {} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}", shown(name.value));
            found.error(&name.span, format!("the secret `{title}` is written in clear"), help);
            None
        }
        DeValue::String(text) if !text.trim().is_empty() && !text.contains(char::is_control) => {
            Some(RawSetting::Text(text.as_ref().to_owned()))
        }
        DeValue::String(_) => {
            found.error(&value.span(), format!("`{title}` is empty or has control characters"), "write a text");
            None
        }
        other => {
            let message = format!("`{title}` is text or a secret, not {}", kind_of(other));
            found.error(&value.span(), message, "write a text in quotes, or { env = \"NAME\" } for a secret");
            None
        }
    }
}

fn intake(found: &mut Found<'_>, section: &Section<'_>, desk: Option<&Capabilities>) -> Vec<QueueSpec> {
    let mut queues = Vec::new();
    for value in section.values(found, "intake") {
        let Some(queue) = queue(found, value, "intake") else { continue };
        if let Some(desk) = desk {
            abilities::check_queue(found, desk, &queue.value, &queue.span);
        }
        if queues.contains(&queue.value) {
            let message = format!("the queue \"{}\" stands twice in `intake`", shown(queue.value.shown()));
            found.error(&queue.span, message, "leave one of them out");
        } else {
            queues.push(queue.value);
        }
    }
    queues
}

/// Reads a queue: its name, or a table with its name or the vendor's id.
pub(super) fn queue(found: &mut Found<'_>, value: &Spanned<DeValue<'_>>, key: &str) -> Option<At<QueueSpec>> {
    let help = "write the queue's name in quotes, or { id = \"4711\" } for the vendor's id";
    let spec = match value.get_ref() {
        DeValue::String(name) if !name.trim().is_empty() => QueueSpec::Name(name.as_ref().to_owned()),
        DeValue::Table(table) => {
            let section = Section::open(found, table, keys::QUEUE, format!("the queue in `{key}`"), value.span());
            let (name, id) = (section.text(found, "name"), section.text(found, "id"));
            match (name, id) {
                (Some(name), None) => QueueSpec::Name(name.value.to_owned()),
                (None, Some(id)) => QueueSpec::Id(id.value.to_owned()),
                (None, None) if section.has("name") || section.has("id") => return None,
                _ => {
                    found.error(&value.span(), "a queue has either a name or an id", help);
                    return None;
                }
            }
        }
        other => {
            found.error(&value.span(), format!("`{key}` names a queue by text, not by {}", kind_of(other)), help);
            return None;
        }
    };
    Some(At::new(spec, value.span()))
}

fn start(found: &mut Found<'_>, section: &Section<'_>) -> Option<Start> {
    const HELP: &str = "write \"now\", a date (2026-11-01) or an instant (2026-11-01T08:00:00Z)";
    let value = section.raw("start")?;
    let text = match value.get_ref() {
        DeValue::String(text) if text == "now" => return Some(Start::Now),
        DeValue::String(text) => text.as_ref().to_owned(),
        DeValue::Datetime(stamp) => stamp.to_string(),
        other => {
            found.error(&value.span(), format!("`start` is an instant, not {}", kind_of(other)), HELP);
            return None;
        }
    };
    match scalar::instant(&text) {
        Ok(instant) => Some(Start::At(instant)),
        Err(wrong) => {
            found.error(&value.span(), wrong, HELP);
            None
        }
    }
}

/// Reads `[desks.NAME.fields]`. One name means one type on all desks: conditions know no desk.
fn fields(
    found: &mut Found<'_>,
    section: &Section<'_>,
    seen: &mut BTreeMap<String, FieldDeclaration>,
    broken: &mut Vec<String>,
) -> BTreeMap<String, FieldDeclaration> {
    let mut fields = BTreeMap::new();
    let Some(table) = section.open_table(found, "fields") else { return fields };
    for (name, value) in table.entries() {
        if !scalar::is_field_name(name.value) {
            let message = format!("a field cannot be called \"{}\"", shown(name.value));
            found.error(&name.span, message, "use letters, digits and _: conditions read it as ticket.fields.NAME");
        }
        let Some(field) = field(found, &name, value) else {
            broken.push(name.value.to_owned());
            continue;
        };
        let key = format!("{:?}.{}", field.of, name.value);
        let known = seen.entry(key).or_insert_with(|| field.clone());
        if known.kind != field.kind {
            let message = format!("the field `{}` has another type on another desk", shown(name.value));
            found.mismatch(&name.span, message, "give it the same type, or another name");
        }
        fields.insert(name.value.to_owned(), field);
    }
    fields
}

fn field(found: &mut Found<'_>, name: &At<&str>, value: &Spanned<DeValue<'_>>) -> Option<FieldDeclaration> {
    const HELP: &str = "write the desk's id or name of the field in quotes, or { id = \"360003\", type = \"number\" }";
    const KINDS: [(&str, FieldType); 5] = [
        ("text", FieldType::Text),
        ("number", FieldType::Number),
        ("yes-no", FieldType::YesNo),
        ("date", FieldType::Date),
        ("choice", FieldType::Choice),
    ];
    const OWNERS: [(&str, FieldOwner); 3] = [
        ("ticket", FieldOwner::Ticket),
        ("customer", FieldOwner::Customer),
        ("organization", FieldOwner::Organization),
    ];
    match value.get_ref() {
        DeValue::String(id) if !id.trim().is_empty() => {
            Some(FieldDeclaration { id: id.as_ref().to_owned(), kind: FieldType::Text, of: FieldOwner::Ticket })
        }
        DeValue::Table(table) => {
            let title = format!("the field `{}`", shown(name.value));
            let section = Section::open(found, table, keys::FIELD, title, name.span.clone());
            let id = section.required(found, "id");
            let kind = section.word_or_default(found, "type", &KINDS);
            let of = section.word_or_default(found, "of", &OWNERS);
            section.is_whole().then_some(())?;
            Some(FieldDeclaration { id: id?.value.to_owned(), kind: kind?, of: of? })
        }
        other => {
            let message = format!("the field `{}` is text or a table, not {}", shown(name.value), kind_of(other));
            found.error(&value.span(), message, HELP);
            None
        }
    }
}
