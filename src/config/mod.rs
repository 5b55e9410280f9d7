//! The configuration: TOML with places, checked all at once, becomes a [`Config`].
//!
//! Three steps, and nothing of the first is left after the second: the spanned document (`walk` reads it by hand, `keys`
//! lists every key) ─▶ a checked [`Config`], which can only come from here ─▶ open desks, built by the daemon from
//! [`secrets::resolve`]'s settings. [`load`] needs no secret and no network, so that a policy can be checked anywhere.
//! Every problem of a run is reported together, with its place and what would be accepted.

mod abilities;
pub mod alert_address;
mod alerts;
mod answers;
mod commands;
mod conditions;
mod daemon;
mod desks;
mod digest;
pub mod events;
mod found;
mod graph;
mod hours;
mod include;
pub mod keys;
mod labels;
mod lints;
mod mask;
mod messages;
mod names;
mod policy;
mod problem;
mod reach;
mod reviews;
mod risks;
mod rollback;
mod rules;
mod running;
mod scalar;
pub mod schema;
mod schema_words;
mod secret_command;
pub mod secrets;
mod source;
mod syntax;
mod targets;
mod teams;
mod times;
mod trials;
mod versions;
mod walk;
mod web;

pub use alerts::{AlertConfig, AlertSettings};
pub use daemon::{DaemonConfig, LogFormat};
pub use desks::DeskConfig;
pub use problem::{Look, Problem, Problems, Severity, render};
pub use running::{OtherSettings, ledger_of};
pub use scalar::duration;
pub use secrets::{RawSetting, SecretSource};
pub use source::Source;
pub use trials::TestEntry;
pub use web::{LoginConfig, Role, WebConfig};

use crate::policy::alert::AlertPolicy;
use crate::policy::meaning::Meaning;
use crate::policy::names::AlertName;
use crate::policy::rules::Policy;
use crate::policy::trial::Report;
use found::Found;
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::SettingProblem;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use toml::de::DeTable;
use walk::Section;

/// The largest configuration that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the daemon works.
    pub daemon: DaemonConfig,
    /// The dashboard.
    pub web: WebConfig,
    /// How each desk is reached.
    pub desks: BTreeMap<DeskId, DeskConfig>,
    /// How each alert channel is reached.
    pub alerts: BTreeMap<AlertName, AlertConfig>,
    /// All that decides, and who answers for it.
    pub policy: Policy,
    /// What the policy means: what its versions are hashes of.
    pub meaning: Meaning,
    /// Its own tests: `check` runs them.
    pub tests: Vec<TestEntry>,
    /// What works and should be looked at.
    pub warnings: Problems,
    source: Source,
    text: Arc<str>,
}

impl Config {
    /// All that was read, as one text: the main file's, then those of the files that it includes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The helpdesks that it is about: name, connector, host.
    pub fn systems(&self) -> Vec<(DeskId, String, String)> {
        let host = |desk: &DeskConfig| desk.url.host_str().unwrap_or_default().to_owned();
        self.desks.iter().map(|(id, desk)| (id.clone(), desk.connector.clone(), host(desk))).collect()
    }

    /// The file it was read from, as it was named.
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// All files it was read from: the main file, then those that it includes.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.source.names()
    }

    /// The file a test stands in, and the line from 1.
    pub fn test_place(&self, test: &TestEntry) -> (String, usize) {
        test.place(&self.source)
    }

    /// A test that does not pass, at its place in the file.
    pub fn test_problem(&self, test: &TestEntry, report: &Report) -> Problems {
        test.problem(report, &self.source)
    }

    /// That the day is over by which the policy should have been looked at again, at its place: nothing else of a check depends
    /// on the day it is run.
    pub fn overdue(&self, now: Timestamp) -> Problems {
        let mut placed = Problems::none(&self.source);
        if let Some(day) = self.policy.header.overdue(now) {
            let (document, _) = DeTable::parse_recoverable(&self.text);
            let table = document.get_ref().get("policy").and_then(|policy| policy.get_ref().as_table());
            let span = table.and_then(|policy| policy.get("review_by")).map_or(0..0, |value| value.span());
            let help = "look through the policy with its owner, then set review_by to the next date".to_owned();
            let message = format!("the policy should have been looked at again by {day}");
            placed.add(span, Severity::Warning, message, help);
        }
        placed
    }

    /// What a connector found wrong in its desk's table, at its place in the file.
    pub fn setting_problems(&self, desk: &DeskId, problems: &[SettingProblem]) -> Problems {
        let mut placed = Problems::none(&self.source);
        for SettingProblem { key, problem, help } in problems {
            let span = self.desks.get(desk).map_or(0..0, |desk| desk.place(key));
            placed.add(span, Severity::Error, format!("[desks.{desk}] {key}: {problem}"), help.clone());
        }
        placed
    }

    /// What was found wrong in the table of an alert channel, at its place in the file.
    pub fn alert_problems(&self, name: &AlertName, problems: &[SettingProblem]) -> Problems {
        let mut placed = Problems::none(&self.source);
        for SettingProblem { key, problem, help } in problems {
            let span = self.alerts.get(name).map_or(0..0, |alert| alert.place(key));
            placed.add(span, Severity::Error, format!("[alerts.{name}] {key}: {problem}"), help.clone());
        }
        placed
    }
}

/// Reads and checks the file.
///
/// # Errors
/// Every problem of the file, warnings included.
pub fn load(path: &Path) -> Result<Config, Problems> {
    let text = read_file(path)?;
    read(&text, &path.display().to_string(), path.parent().unwrap_or(Path::new("")))
}

/// Reads and checks the file as far as it goes: what could be made of it, where anything could, and every problem of the file. It
/// can be used only where none of them is an error.
pub fn examine(path: &Path) -> (Option<Config>, Problems) {
    match read_file(path) {
        Ok(text) => {
            let base = path.parent().unwrap_or(Path::new(""));
            judged(include::lay_out(&path.display().to_string(), &text, base), base)
        }
        Err(problems) => (None, problems),
    }
}

/// Checks a configuration's text and the files that it includes. `name` is what problems call the file; `base` is the
/// folder that its paths are relative to.
///
/// # Errors
/// Every problem of the text, warnings included.
pub fn read(text: &str, name: &str, base: &Path) -> Result<Config, Problems> {
    read_laid(include::lay_out(name, text, base), base)
}

/// Checks a text that [`Config::text`] gave once: what it included then is part of it. `name` and `base` as in [`read`].
///
/// # Errors
/// Every problem of the text, warnings included.
pub fn read_kept(text: &str, name: &str, base: &Path) -> Result<Config, Problems> {
    read_laid(include::Laid::alone(name, text), base)
}

fn read_laid(laid: include::Laid, base: &Path) -> Result<Config, Problems> {
    match judged(laid, base) {
        (Some(config), problems) if !problems.has_errors() => Ok(config),
        (_, problems) => Err(problems),
    }
}

fn judged(laid: include::Laid, base: &Path) -> (Option<Config>, Problems) {
    let (document, syntax) = DeTable::parse_recoverable(&laid.text);
    let mut found = Found::new(&laid.text);
    laid.report(&mut found);
    let config = check(&mut found, document.get_ref(), base, &laid.source);
    let mut problems = found.into_problems(&laid.source, syntax);
    if config.is_none() && !problems.has_errors() {
        let message = "the configuration cannot be used, and nothing says why".to_owned();
        problems.add(0..0, Severity::Error, message, "please report this with the file".to_owned());
    }
    (config.map(|config| Config { warnings: problems.clone(), text: laid.text.into(), ..config }), problems)
}

/// Reads the file, bounded.
fn read_file(path: &Path) -> Result<String, Problems> {
    read_text(path, "name the file with --config FILE; `handoffd check` looks for handoffd.toml here")
}

/// Reads a file of ours, bounded. `help`: what to do where it cannot be opened.
fn read_text(path: &Path, help: &str) -> Result<String, Problems> {
    let unreadable = |message: String, help: &str| Problems::unreadable(path, message, help);
    let name = || path.display().to_string();
    let opened = std::fs::File::open(path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = opened.map_err(|error| unreadable(format!("{} cannot be read: {error}", name()), help))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable(format!("{} is larger than 1 MiB", name()), "a policy is a text file of some pages"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        unreadable(format!("{} is not UTF-8 in line {line}", name()), "save it as UTF-8")
    })
}

/// How each desk is reached; none: one of them is wrong, which was reported.
fn reached(desks: &mut desks::Desks) -> Option<BTreeMap<DeskId, DeskConfig>> {
    desks.iter_mut().map(|(id, desk)| Some((id.clone(), desk.config.take()?))).collect()
}

/// What was read by name, each in full; none: one of them is wrong, which was reported.
fn whole<K: Ord, V>(read: impl IntoIterator<Item = (K, Option<V>)>) -> Option<BTreeMap<K, V>> {
    read.into_iter().map(|(name, it)| Some((name, it?))).collect()
}

/// The second step: from the document to what is checked, as far as it goes.
fn check<'a>(found: &mut Found<'_>, document: &'a DeTable<'a>, base: &Path, source: &Source) -> Option<Config> {
    let root = Section::open(found, document, keys::ROOT, "the file".into(), 0..0);
    // The files are read already; a list that is none, or names one twice, is refused here.
    root.texts(found, "include");
    let daemon = daemon::read(found, &root, base);
    let web = web::read(found, &root, base);
    let hours = hours::read(found, &root, base);
    let mut desks = desks::read(found, &root, &hours, base);
    let alerts = alerts::read(found, &root, &hours, base);
    let people = teams::read_people(found, &root, &desks, &alerts, &hours);
    let around = teams::Around { desks: &desks, people: &people, hours: &hours, alerts: &alerts };
    let teams = teams::read_teams(found, &root, &around);
    let labels = labels::read(found, &root);
    let targets = targets::read(found, &root, &desks, &hours);
    let messages = messages::read(found, &root, &desks, &people, &labels);
    let table = policy::read(found, &root, &desks, &alerts);
    let risks = risks::read(found, &root);
    let world = rules::World {
        desks: &desks,
        teams: &teams,
        people: &people,
        messages: &messages,
        targets: targets.as_deref(),
        header: &table.header,
        weak_triage_within: table.weak_triage_within,
        alerts: &alerts,
        risks: &risks,
        reviews: table.reviews,
    };
    let rules = rules::read(found, &root, &world);
    let tests = trials::read(found, &root, &world, &rules.names);
    let told: Vec<_> =
        table.operators.iter().chain(table.digest.iter().flat_map(|digest| &digest.to)).cloned().collect();
    alerts.nobody_unused(found, &told, &teams, &rules);
    let (channels, outlets) = alerts.whole()?;
    let reached = reached(&mut desks)?;
    let mut policy = Policy {
        version: String::new(),
        header: table.header,
        mode: daemon.mode,
        desks: desks.into_iter().map(|(id, desk)| (id, desk.policy)).collect(),
        teams: whole(teams)?,
        people,
        labels,
        messages: whole(messages)?,
        alerts: AlertPolicy { channels, operators: table.operators, digest: table.digest, dashboard: web.address() },
        targets: targets?,
        never: table.never,
        quiet_after_person: table.quiet_after_person,
        suppress: table.suppress,
        limits: table.limits,
        reviews: table.reviews,
        risks: risks.whole()?,
        routes: rules.routes,
        escalations: rules.escalations,
    };
    risks.nobody_unused(found, &policy);
    lints::whole(found, &root, &policy);
    let meaning = versions::stamp(&mut policy, &reached);
    Some(Config {
        daemon,
        web,
        desks: reached,
        alerts: outlets,
        policy,
        meaning,
        tests,
        warnings: Problems::none(source),
        source: source.clone(),
        text: Arc::from(""),
    })
}
