//! `handoffd simulate`: a policy over history: what it would have done, when, by which rule, and what people did.

mod from_desk;
mod text;

use super::control::{configuration, now};
use super::failure::Failure;
use super::output::{Bar, Context, tame};
use super::report::{broken, log_and_map};
use crate::config::events::EventMap;
use crate::config::{self, Config, Problems};
use crate::insight::log::EventLog;
use crate::insight::replay::record::Record;
use crate::insight::replay::{Differences, Run, Stage, compare, run};
use anyhow::anyhow;
use clap::Args;
use from_desk::{FromDesk, Missing};
use handoffd_kit::id::DeskId;
use serde::Serialize;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A policy over history.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd simulate --events log.csv.gz --map map.toml                       the policy of handoffd.toml
  handoffd simulate --events log.csv.gz --map map.toml --against other.toml  the decisions that differ
  handoffd --json simulate --events log.csv.gz --map map.toml | jq '.fires[]'
  handoffd simulate --events log.csv.gz --map map.toml --save 2027-03-backtest.md   and a record of it to keep
  handoffd simulate --desk acme --since 30d                                  the history of the desk itself
  handoffd simulate --desk acme --events acme-history.jsonl --map acme-history.map.toml   the same again, without the desk

Every event of a case is a look, and between events the policy is asked again at the very instants that its time rules
wait for. Every rule counts as live, and every sensitive one as signed. A team of the log is the policy's team of the same name or queue; any other stands in for
the policy's teams of its tier: where a rule takes cases from every team of that tier, it takes them from this one too. Facts
that the log does not have are unknown: a condition on them does not fire, and is counted; labels, priority and fields are read where the map
names their columns. History is not changed by it.

With --since the desk is read, never written, with a quarter of its budget, and its history is kept in a file without subjects, without what was
said, without fields of text, and without names. What stops half-way is kept: the same command goes on. The file and its map are read again with --events.")]
pub struct SimulateArgs {
    /// The event log: CSV or JSON Lines, packed with gzip or not; - reads stdin.
    #[arg(long, value_name = "FILE", required_unless_present = "since", conflicts_with = "since", requires = "map")]
    events: Option<PathBuf>,
    /// Which columns of the log are what.
    #[arg(long, value_name = "MAP.toml", requires = "events")]
    map: Option<PathBuf>,
    #[command(flatten)]
    live: FromDesk,
    /// Another configuration, to show the decisions that differ.
    #[arg(long, value_name = "OTHER.toml")]
    against: Option<PathBuf>,
    /// Keep a record of the run in this file, as Markdown: what it would have done, what changes, what would not have gone well, what to
    /// watch. A file that is there is not overwritten.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Whose rules are asked, where there are several desks.
    #[arg(long, value_name = "NAME")]
    desk: Option<String>,
    /// Examples and differences to show at most.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    top: u32,
    /// Leave out every case with a row that cannot be read, instead of giving up; it is counted.
    #[arg(long)]
    skip_broken: bool,
}

impl SimulateArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 1 for a log that cannot be read as the map says, 2 for a wrong map, configuration or usage.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        // Long work is not done for a record that then has no place.
        self.save.as_deref().map_or(Ok(()), is_free)?;
        let config = configuration(context)?;
        let other = match self.against.as_ref().map(|path| config::load(path)).transpose() {
            Ok(other) => other,
            Err(problems) => return wrong(context, &problems),
        };
        let (events, map) = match (&self.events, &self.map, self.live.since) {
            (Some(events), Some(map), None) => (events.clone(), map.clone()),
            (_, _, Some(since)) => match self.live.take(context, &config, &self.desk(&config)?, since) {
                Ok(files) => files,
                Err(Missing::Settings(problems)) => return wrong(context, &problems),
                Err(Missing::Failed(failure)) => return Err(failure),
            },
            _ => return Err(Failure::usage(anyhow!("name a log with --events and --map, or a time with --since"))),
        };
        let (log, map) = match log_and_map(context, &events, &map, self.skip_broken) {
            Ok((log, map, _)) => (log, map),
            Err(error) => return broken(context, error),
        };
        say_unused(context, &map, &config, &self.desk(&config)?);
        let first = self.replay(context, &config, &log)?;
        let other = other.map(|other| self.replay(context, &other, &log)).transpose()?;
        let differences = other.as_ref().map(|other| compare(&first, other));
        if let Some(file) = &self.save {
            let (log, map) = (events.display().to_string(), map.file().to_owned());
            let tried = context.config_path.display().to_string();
            let other_name = self.against.as_ref().map(|path| path.display().to_string());
            let against = other_name.as_deref().zip(other.as_ref()).zip(differences.as_deref());
            let record = Record {
                at: now(),
                log: (&log, &map),
                config: &tried,
                run: &first,
                limits: config.policy.limits,
                against: against.map(|((name, other), differences)| (name, other, differences)),
            };
            keep(file, &record.text())?;
            context.say(&format!("wrote {}", file.display()));
        }
        let against = other.as_ref().zip(differences.as_deref());
        if context.json {
            let against = against.map(|(other, differences)| Against {
                run: other,
                differences: Differences { runs: (&first, other), differences },
            });
            context.print_json(&Output { run: &first, against })?;
        } else {
            text::print(context, &first, self.rows());
            if let Some((other, differences)) = against {
                text::print_differences(context, (&first, other), differences, self.rows());
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Whose rules are asked.
    fn desk(&self, config: &Config) -> Result<DeskId, Failure> {
        let known: Vec<&str> = config.policy.desks.keys().map(DeskId::as_str).collect();
        match (&self.desk, known.as_slice()) {
            (Some(desk), known) if known.contains(&desk.as_str()) => Ok(DeskId::new(desk)),
            (None, [only]) => Ok(DeskId::new(*only)),
            _ => {
                let words = anyhow!("name the desk whose rules are asked with --desk: {}", known.join(", "));
                Err(Failure::usage(words))
            }
        }
    }

    fn replay<'l>(&self, context: &Context, config: &Config, log: &'l EventLog) -> Result<Run<'l>, Failure> {
        let desk = self.desk(config)?;
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let bar = Bar::new("cases decided", now());
        let told = |done: usize, all: usize| context.progress(&bar.shown(done as u64, all as u64, now()));
        let run = run(&Stage::set(&config.policy, &desk, log), threads, &told);
        context.progress("");
        Ok(run)
    }

    fn rows(&self) -> usize {
        usize::try_from(self.top).unwrap_or(usize::MAX)
    }
}

/// A run as a script reads it. It is written as it goes: millions of fires are never whole in memory as text.
#[derive(Serialize)]
struct Output<'r> {
    #[serde(flatten)]
    run: &'r Run<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Against<'r>>,
}

#[derive(Serialize)]
struct Against<'r> {
    run: &'r Run<'r>,
    differences: Differences<'r>,
}

/// Says which columns of the map are used by nothing: the policy declares no such field.
fn say_unused(context: &Context, map: &EventMap, config: &Config, desk: &DeskId) {
    let declared = config.policy.desks.get(desk).map(|desk| &desk.fields);
    let is_declared = |name: &&String| declared.is_some_and(|fields| fields.contains_key(*name));
    for name in map.facts.fields.keys().filter(|name| !is_declared(name)) {
        let name = tame(name);
        context.say(&format!("{}: the policy declares no field {name} of {desk}: the column is not used", map.file()));
    }
}

/// Writes a new file.
fn keep(file: &Path, text: &str) -> Result<(), Failure> {
    let written = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    written
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .map_err(|error| Failure::usage(anyhow!("{} cannot be written: {error}", file.display())))
}

/// Whether a record can be written there.
fn is_free(file: &Path) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = file.display();
    if file.exists() {
        return Err(Failure::usage(anyhow!(
            "{shown} cannot be written: it is there already; name another file with --save"
        )));
    }
    if !folder.is_dir() {
        return Err(Failure::usage(anyhow!("{shown} cannot be written: there is no folder {}", folder.display())));
    }
    Ok(())
}

fn wrong(context: &Context, problems: &Problems) -> Result<ExitCode, Failure> {
    super::check::show(context, problems, 2)
}
