//! `handoffd report`: what handoffs really do, from any event log or from the ledger.

mod text;

use super::check::show;
use super::control::{configuration, ledger, now};
use super::failure::Failure;
use super::output::Context;
use crate::config::events::{EventMap, load_map};
use crate::insight::export::StayNames;
use crate::insight::figures::{self, Figures, definitions};
use crate::insight::house::House;
use crate::insight::log::{EventLog, LogError, Reading, open, read};
use crate::insight::story::Story;
use crate::insight::{export, page};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What handoffs really do.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd report                                                     from the ledger: every transfer seen, and our rules
  handoffd report --events log.csv.gz --map map.toml                  from any event log
  handoffd report --events log.csv.gz --map map.toml --html page.html one page with charts, nothing else needed
  handoffd report --events log.csv.gz --map map.toml --csv            every path; --csv=teams, --csv=stays
  handoffd --json report --events log.csv.gz --map map.toml | jq .bounces
  zcat log.csv.gz | handoffd report --events - --map map.toml         from a pipe

A map says which columns are what:
  case    = \"Number\"
  at      = { column = \"Changed\", format = \"%d/%m/%Y %H:%M\", zone = \"Europe/Lisbon\" }
  team    = { column = \"Group\", none = [\"?\"] }
  status  = \"Status\"
  waiting = [\"Queued\"]
docs/REPORTS.md has every key. `handoffd report --help` defines every figure.")]
#[command(after_long_help = long_help())]
pub struct ReportArgs {
    /// The event log: CSV or JSON Lines, packed with gzip or not; - reads stdin. Without it: the ledger.
    #[arg(long, value_name = "FILE", requires = "map")]
    events: Option<PathBuf>,
    /// Which columns of the log are what.
    #[arg(long, value_name = "MAP.toml", requires = "events")]
    map: Option<PathBuf>,
    /// Print CSV instead of tables: every path, every team, or every stay of every case (who held it from when to when).
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "paths")]
    csv: Option<Csv>,
    /// Write one self-contained HTML page with charts to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "csv")]
    html: Option<PathBuf>,
    /// Rows a table at most.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    top: u32,
    /// Leave out every case with a row that cannot be read, instead of giving up; it is counted.
    #[arg(long, requires = "events")]
    skip_broken: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Csv {
    Paths,
    Teams,
    Stays,
}

fn long_help() -> String {
    format!("What the figures mean:\n\n{}", definitions::text())
}

impl ReportArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 1 for a log that cannot be read as the map says, 2 for a wrong map or wrong usage, 3 for a ledger that cannot be read.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (Some(events), Some(map)) = (&self.events, &self.map) else { return self.of_ledger(context) };
        let (log, map, name) = match log_and_map(context, events, map, self.skip_broken) {
            Ok(read) => read,
            Err(error) => return broken(context, error),
        };
        let figures = figures::of_log(&log, &map, &name);
        let names = StayNames { cases: &log.cases, teams: &log.teams, tiers: &log.tiers };
        self.print(context, &figures, log.by_case().map(|events| Story::of(events, &log)), names)
    }

    fn of_ledger(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = configuration(context)?;
        let now = now();
        let house = House::read(&ledger(context)?, &config.policy, now)?;
        let figures = house.figures(&config.daemon.ledger.display().to_string(), now);
        let names = StayNames { cases: &house.cases, teams: &house.teams, tiers: &house.tiers };
        self.print(context, &figures, house.stories.iter().cloned(), names)
    }

    fn print(
        &self,
        context: &Context,
        figures: &Figures,
        stories: impl Iterator<Item = Story>,
        names: StayNames<'_>,
    ) -> Result<ExitCode, Failure> {
        if let Some(file) = &self.html {
            let page = page::render(figures).map_err(Failure::problems)?;
            std::fs::write(file, page).with_context(|| format!("{} cannot be written", file.display()))?;
            context.say(&format!("wrote {}", file.display()));
        }
        match (self.csv, context.json, &self.html) {
            (Some(what), ..) => print_csv(what, figures, stories, names)?,
            (None, true, _) => context.print_json(figures)?,
            (None, false, None) => context.print(&text::render(context, figures, self.rows())),
            (None, false, Some(_)) => {}
        }
        Ok(ExitCode::SUCCESS)
    }

    fn rows(&self) -> usize {
        usize::try_from(self.top).unwrap_or(usize::MAX)
    }
}

fn print_csv(
    what: Csv,
    figures: &Figures,
    stories: impl Iterator<Item = Story>,
    names: StayNames<'_>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let written = match what {
        Csv::Paths => export::paths(&figures.paths, &mut out),
        Csv::Teams => export::teams(&figures.teams, &mut out),
        Csv::Stays => export::stays(stories, names, &mut out),
    };
    match written.and_then(|()| out.flush()) {
        // A reader that has gone away (`| head`) ends the output.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.context("the CSV cannot be written")?),
    }
}

/// Reads a log by its map; its name comes along.
///
/// # Errors
/// Problems of the map, or of the log.
pub(super) fn log_and_map(
    context: &Context,
    events: &Path,
    map: &Path,
    skip_broken: bool,
) -> Result<(EventLog, EventMap, String), LogError> {
    let map = load_map(map).map_err(LogError::Columns)?;
    let name = if events == Path::new("-") { "stdin".to_owned() } else { events.display().to_string() };
    let whole = std::fs::metadata(events).ok().map(|file| file.len());
    let watched = |inner| Watched { inner, context: context.clone(), read: 0, told: 0, whole };
    let log = open(events)
        .map(watched)
        .and_then(|input| read(input, &name, &map, Reading { skip_broken, now: Some(now()) }))?;
    Ok((log, map, name))
}

/// A log that tells how far it is read, where a person watches and it takes long.
struct Watched {
    inner: Box<dyn Read>,
    context: Context,
    read: u64,
    told: u64,
    /// How large it is, where that is known.
    whole: Option<u64>,
}

/// So many bytes are read between two words about it.
const TOLD_EVERY: u64 = 16 << 20;

impl Read for Watched {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(out)?;
        self.read += count as u64;
        if count == 0 && self.told > 0 {
            self.context.progress("");
        } else if self.read >= self.told + TOLD_EVERY {
            self.told = self.read;
            let of = self.whole.map_or(String::new(), |whole| format!(" of {}", whole >> 20));
            self.context.progress(&format!("{}{of} MiB read", self.read >> 20));
        }
        Ok(count)
    }
}

/// A log that cannot be read: problems of the map like any other of a file of ours, the rest as places in the log.
pub(super) fn broken(context: &Context, error: LogError) -> Result<ExitCode, Failure> {
    match error {
        LogError::Columns(problems) => show(context, &problems, 2),
        LogError::Unreadable { .. } => Err(Failure::usage(error)),
        LogError::Broken { problems, count, name } if context.json => {
            context.print_json(&serde_json::json!({ "log": name, "problems": problems, "count": count }))?;
            Ok(ExitCode::from(1))
        }
        LogError::Broken { .. } => {
            context.say(&error.to_string());
            Ok(ExitCode::from(1))
        }
    }
}
