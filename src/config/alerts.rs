//! `[alerts.NAME]`: the channels by which people are told outside the helpdesk, and the lists of their names on teams, rules
//! and the policy. What each kind of channel needs stands in one table.

use super::alert_address::{self, Wrong};
use super::desks::setting;
use super::found::{At, Found};
use super::hours::Hours;
use super::keys;
use super::names::refers;
use super::rules::Rules;
use super::scalar::shown;
use super::secrets::RawSetting;
use super::teams::{Teams, named_hours};
use super::walk::{Named, Section, accepted, unknown_word};
use crate::policy::alert::{AlertChannel, ChannelKind, Occasion, Outside};
use crate::policy::names::AlertName;
use handoffd_kit::settings::Setting;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

/// How one channel is reached.
#[derive(Clone, Debug)]
pub struct AlertConfig {
    /// What stands behind it.
    pub kind: ChannelKind,
    /// Its own keys, secrets not read yet.
    pub settings: BTreeMap<String, RawSetting>,
    /// Mail addresses, or the room.
    pub to: Vec<String>,
    /// Whether it may lie in a private network.
    pub allow_private: bool,
    /// Where each of its keys stands.
    places: BTreeMap<String, Range<usize>>,
}

impl AlertConfig {
    /// Whether it is reached in the same way.
    pub(super) fn is_reached_like(&self, other: &Self) -> bool {
        let key = |alert: &Self| (alert.kind, alert.settings.clone(), alert.to.clone(), alert.allow_private);
        key(self) == key(other)
    }

    /// The place of a key, or of the table.
    pub(super) fn place(&self, key: &str) -> Range<usize> {
        self.places.get(key).or_else(|| self.places.get("")).cloned().unwrap_or(0..0)
    }
}

/// One channel's settings with its secrets read.
#[derive(Clone, Debug)]
pub struct AlertSettings {
    /// What stands behind it.
    pub kind: ChannelKind,
    /// Its own keys.
    pub settings: BTreeMap<String, Setting>,
    /// Mail addresses, or the room.
    pub to: Vec<String>,
    /// Whether it may lie in a private network.
    pub allow_private: bool,
}

/// Keys that stand with every kind of channel.
const COMMON: [&str; 5] = ["channel", "tells", "hours", "outside", "allow_private"];

/// What one kind of channel is reached by: keys that must be there (one of each group), and keys that may.
struct Ways {
    kind: ChannelKind,
    needs: &'static [&'static [&'static str]],
    may: &'static [&'static str],
}

const WAYS: [Ways; 6] = [
    Ways { kind: ChannelKind::Slack, needs: &[&["url", "token"]], may: &["to", "api"] },
    Ways { kind: ChannelKind::Teams, needs: &[&["url"]], may: &[] },
    Ways { kind: ChannelKind::Mattermost, needs: &[&["url"]], may: &["to"] },
    Ways { kind: ChannelKind::PagerDuty, needs: &[&["key"]], may: &["api"] },
    Ways { kind: ChannelKind::Email, needs: &[&["server"], &["from"], &["to"]], may: &["user", "password"] },
    Ways { kind: ChannelKind::Webhook, needs: &[&["url"], &["secret"]], may: &["old_secret"] },
];

impl Ways {
    fn takes(&self, key: &str) -> bool {
        COMMON.contains(&key) || self.may.contains(&key) || self.needs.iter().any(|group| group.contains(&key))
    }

    fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        let (needs, may) = (self.needs, self.may);
        COMMON.into_iter().chain(needs.iter().flat_map(|group| group.iter().copied())).chain(may.iter().copied())
    }
}

/// One channel as far as it could be read.
struct Draft {
    /// `None`: wrong in itself, which was reported.
    whole: Option<(AlertChannel, AlertConfig)>,
    place: Range<usize>,
}

/// All channels by name, those that are wrong included.
pub(super) struct Alerts(BTreeMap<AlertName, Draft>);

impl Alerts {
    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(AlertName::as_str)
    }
}

/// Reads all channels.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>, hours: &Hours, base: &Path) -> Alerts {
    let mut alerts = BTreeMap::new();
    for named in root.named_tables(found, "alerts") {
        let section = named.open(found, keys::ALERT);
        let draft = Draft { whole: channel(found, &section, &named, hours, base), place: named.name.span.clone() };
        alerts.insert(AlertName::new(named.name.value), draft);
    }
    Alerts(alerts)
}

fn channel(
    found: &mut Found<'_>,
    section: &Section<'_>,
    named: &Named<'_>,
    hours: &Hours,
    base: &Path,
) -> Option<(AlertChannel, AlertConfig)> {
    let words = ChannelKind::ALL.map(|kind| (kind.name(), kind));
    if !section.has("channel") {
        section.missing(found, "channel");
    }
    let kind = section.word(found, "channel", &words);
    let tells = tells(found, section);
    let outside = section.word_or_default(found, "outside", &[("wait", Outside::Wait), ("drop", Outside::Drop)]);
    let hours = named_hours(found, section, hours);
    if outside == Some(Outside::Drop) && hours.as_ref().is_some_and(Option::is_none) {
        let message = "`outside` of a channel that is told at all hours";
        found.mismatch(&section.key_span("outside"), message, "give the channel `hours`, or leave `outside` out");
    }
    let allow_private = section.yes_or_no(found, "allow_private").unwrap_or(false);
    let ways = WAYS.iter().find(|ways| Some(ways.kind) == kind)?;
    let fits = fits(found, section, ways);
    let config = reached(found, section, named, ways, (base, allow_private));
    let channel = AlertChannel { kind: kind?, tells: tells?, hours: hours?, outside: outside? };
    fits.then_some((channel, config?))
}

/// Whether the keys are those of this kind of channel.
fn fits(found: &mut Found<'_>, section: &Section<'_>, ways: &Ways) -> bool {
    let mut fits = true;
    let kind = ways.kind.name();
    for key in keys::ALERT.names().filter(|key| section.has(key) && !ways.takes(key)) {
        let message = format!("a channel of the kind {kind} has no key `{key}`");
        found.error(&section.key_span(key), message, accepted(key, ways.names()));
        fits = false;
    }
    for group in ways.needs {
        let given = group.iter().filter(|key| section.has(key)).count();
        if given == 0 {
            section.missing(found, group[0]);
            fits = false;
        } else if given > 1 {
            let message = format!("{} is reached in more than one way", section.title);
            found.mismatch(&section.span, message, format!("give one of these: {}", group.join(", ")));
            fits = false;
        }
    }
    let room = ways.kind == ChannelKind::Slack && section.has("token");
    if room && !section.has("to") {
        section.missing(found, "to");
        fits = false;
    }
    if ways.kind == ChannelKind::Slack && !room {
        for key in ["to", "api"].into_iter().filter(|key| section.has(key)) {
            let message = format!("`{key}` goes with a bot's `token`; an incoming webhook posts to its own channel");
            found.mismatch(&section.key_span(key), message, "leave it out, or give a token in place of url");
            fits = false;
        }
    }
    let (user, password) = (section.has("user"), section.has("password"));
    if ways.kind == ChannelKind::Email && user != password {
        section.missing(found, if user { "password" } else { "user" });
        fits = false;
    }
    fits
}

fn tells(found: &mut Found<'_>, section: &Section<'_>) -> Option<Vec<Occasion>> {
    if !section.has("tells") {
        return Some(Occasion::ALL.to_vec());
    }
    let words = section.texts(found, "tells")?;
    if words.is_empty() {
        found.error(&section.key_span("tells"), "`tells` names nothing that is told", section.like("tells"));
        return None;
    }
    let mut tells = Vec::new();
    for word in words {
        match Occasion::ALL.into_iter().find(|occasion| occasion.name() == word.value) {
            Some(occasion) => tells.push(occasion),
            None => unknown_word(found, &word, "tells", Occasion::ALL.iter().map(|occasion| occasion.name())),
        }
    }
    (!tells.is_empty()).then_some(tells)
}

/// The keys by which this channel is reached, each checked as far as that is possible without its secrets.
fn reached(
    found: &mut Found<'_>,
    section: &Section<'_>,
    named: &Named<'_>,
    ways: &Ways,
    (base, allow_private): (&Path, bool),
) -> Option<AlertConfig> {
    let mut places = BTreeMap::from([(String::new(), named.name.span.clone())]);
    let mut settings = BTreeMap::new();
    let mut whole = true;
    for (name, value) in section.entries() {
        places.insert(name.value.to_owned(), name.span.clone());
        if name.value == "to" || COMMON.contains(&name.value) || !ways.takes(name.value) {
            continue;
        }
        let Some(setting) = setting(found, &name, value, name.value, base) else {
            whole = false;
            continue;
        };
        whole &= is_right(found, ways.kind, &At::new(name.value, value.span()), &setting, allow_private);
        settings.insert(name.value.to_owned(), setting);
    }
    let to = to(found, section, ways.kind);
    whole.then_some(AlertConfig { kind: ways.kind, settings, to: to?, allow_private, places })
}

/// Whether what stands in the file in clear may stand there, and is right.
fn is_right(
    found: &mut Found<'_>,
    kind: ChannelKind,
    key: &At<&str>,
    setting: &RawSetting,
    allow_private: bool,
) -> bool {
    let RawSetting::Text(text) = setting else { return true };
    if key.value == "url" && kind != ChannelKind::Webhook {
        let message = "the address of this channel is its secret, and it is written in clear";
        found.error(&key.span, message, "write url = { env = \"NAME\" } or { file = \"PATH\" }");
        return false;
    }
    let wrong = wrong_text(kind, key.value, text, allow_private);
    if let Some((message, help)) = &wrong {
        found.error(&key.span, message, help);
    }
    wrong.is_none()
}

/// What is wrong with the value of a key, if anything.
pub(super) fn wrong_text(kind: ChannelKind, key: &str, text: &str, allow_private: bool) -> Option<Wrong> {
    match key {
        "url" | "api" => alert_address::posted_to(kind, text, allow_private).err(),
        "server" => alert_address::mail_server(text, allow_private).err(),
        "from" => alert_address::mail_address(text).err(),
        _ => None,
    }
}

/// To whom, or to which room: one text or a list of them.
fn to(found: &mut Found<'_>, section: &Section<'_>, kind: ChannelKind) -> Option<Vec<String>> {
    if !section.has("to") {
        return Some(Vec::new());
    }
    let texts = if section.raw("to").is_some_and(|value| value.get_ref().is_str()) {
        vec![section.text(found, "to")?]
    } else {
        section.texts(found, "to")?
    };
    if texts.is_empty() {
        found.error(&section.key_span("to"), "`to` names nobody", section.like("to"));
        return None;
    }
    if kind != ChannelKind::Email {
        let [room] = texts.as_slice() else {
            found.error(&texts[1].span, "this kind of channel has one room", "write to = \"C012AB\"");
            return None;
        };
        if room.value.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            found.error(&room.span, format!("\"{}\" is no room", shown(room.value)), "write its id or name");
            return None;
        }
        return Some(vec![room.value.to_owned()]);
    }
    let mut whole = true;
    for text in &texts {
        if let Err((message, help)) = alert_address::mail_address(text.value) {
            found.error(&text.span, message, help);
            whole = false;
        }
    }
    whole.then(|| texts.into_iter().map(|text| text.value.to_owned()).collect())
}

/// The channels that a table names. `None`: it names none, or the list could not be read.
pub(super) fn named(found: &mut Found<'_>, section: &Section<'_>, alerts: &Alerts) -> Option<Vec<AlertName>> {
    let names = section.texts(found, "alert")?;
    Some(named_in(found, &names, alerts))
}

/// Those of these names that are channels; the others are reported.
pub(super) fn named_in(found: &mut Found<'_>, names: &[At<&str>], alerts: &Alerts) -> Vec<AlertName> {
    let known = || alerts.0.keys().map(AlertName::as_str);
    let fine = names.iter().filter(|name| refers(found, name, "alert channel", "[alerts.NAME]", known()));
    fine.map(|name| AlertName::new(name.value)).collect()
}

/// What decides, and how each channel is reached.
type Whole = (BTreeMap<AlertName, AlertChannel>, BTreeMap<AlertName, AlertConfig>);

impl Alerts {
    /// What stands behind a channel; none: there is none of that name, or it is wrong in itself.
    pub fn kind(&self, name: &AlertName) -> Option<ChannelKind> {
        Some(self.0.get(name)?.whole.as_ref()?.0.kind)
    }

    /// Reports channels that nobody names. `told`: those that `[policy]` names.
    pub fn nobody_unused(&self, found: &mut Found<'_>, told: &[AlertName], teams: &Teams, rules: &Rules) {
        // What is wrong in itself hides who names whom.
        if !found.is_usable() {
            return;
        }
        let of_rules = rules.routes.iter().map(|route| &route.rule);
        let of_rules = of_rules.chain(rules.escalations.iter().map(|escalation| &escalation.rule));
        let mut used: BTreeSet<&AlertName> = of_rules.filter_map(|rule| rule.alert.as_ref()).flatten().collect();
        used.extend(told);
        used.extend(teams.values().flatten().flat_map(|team| &team.alert));
        for (name, draft) in self.0.iter().filter(|(name, _)| !used.contains(name)) {
            let message = format!("nobody is told through the alert channel \"{name}\"");
            let help = format!("name it: alert = [\"{name}\"] on a team, a rule or [policy]; or leave it out");
            found.warning(&draft.place, message, help);
        }
    }

    /// All of them; `None`: one is wrong in itself, which was reported.
    pub fn whole(self) -> Option<Whole> {
        let (mut channels, mut outlets) = Whole::default();
        for (name, draft) in self.0 {
            let (channel, config) = draft.whole?;
            channels.insert(name.clone(), channel);
            outlets.insert(name, config);
        }
        Some((channels, outlets))
    }
}
