//! `handoffd simulate --desk NAME --since 30d`: takes the history of a live desk into a file, and says which.

use crate::cli::check::{environment, seams};
use crate::cli::failure::Failure;
use crate::cli::output::Context;
use crate::cli::run::{asked_to_stop, runtime};
use crate::config::{Config, Problems};
use crate::daemon::wiring::open_desks;
use crate::insight::history::rows::{Rows, kept};
use crate::insight::history::{Keep, Stopped, Taken, Taking, keep, map};
use crate::insight::words::number;
use anyhow::{Context as _, anyhow};
use clap::Args;
use handoffd_kit::desk::Desk;
use handoffd_kit::id::DeskId;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A running daemon beside it keeps its own share of the desk's limits: together they stay below the whole.
const SHARE_OF_BUDGET: f64 = 0.25;

/// What to take from a live desk.
#[derive(Args)]
pub struct FromDesk {
    /// Take the history from the desk itself: of every ticket that changed within this time, from its beginning.
    #[arg(long, value_name = "DURATION", value_parser = crate::cli::run::span, requires = "desk")]
    pub since: Option<SignedDuration>,
    /// Where the history is kept, as JSON Lines, with its map beside it; NAME-history.jsonl unless told.
    #[arg(long, value_name = "FILE", requires = "since")]
    into: Option<PathBuf>,
    /// Keep subjects and what was said too. Nothing that is decided needs them.
    #[arg(long, requires = "since")]
    with_text: bool,
}

/// Why there is no history.
pub enum Missing {
    /// Settings that the desk cannot be opened with.
    Settings(Problems),
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for Missing {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl FromDesk {
    /// Takes it; gives the file and its map.
    pub fn take(
        &self,
        context: &Context,
        config: &Config,
        id: &DeskId,
        since: SignedDuration,
    ) -> Result<(PathBuf, PathBuf), Missing> {
        let file = self.into.clone().unwrap_or_else(|| PathBuf::from(format!("{id}-history.jsonl")));
        let map_file = file.with_extension("map.toml");
        let seams = seams();
        let place = self.place(context, &file, id, seams.clock.now() - since)?;
        let desk = open(config, id)?;
        let teams: Vec<_> = config.policy.teams.values().filter(|team| team.desk == *id).collect();
        let since = place.since;
        let mut keep = Keep::open(&file, place)
            .with_context(|| format!("{} cannot be opened", file.display()))
            .map_err(Failure::from)?;
        let fields = config.policy.desks.get(id).map(|desk| desk.fields.clone()).unwrap_or_default();
        let with_text = self.with_text;
        let rows = Rows { desk: id, teams: teams.clone(), queues: BTreeMap::new(), fields: &fields, with_text };
        let progress = |taken: Taken| {
            context.progress(&format!("{} tickets, {} events", number(taken.tickets), number(taken.rows)))
        };
        let mut taking = Taking { desk: desk.as_ref(), seams: &seams, rows, progress: &progress };
        let ended = runtime()?.block_on(async {
            tokio::select! {
                ended = taking.go(&mut keep) => Some(ended),
                () = asked_to_stop() => None,
            }
        });
        context.progress("");
        match ended {
            Some(Ok(_)) => {}
            Some(Err(why)) => return Err(stopped(&why, keep.taken(), &file).into()),
            None => {
                keep.pause().context("the file cannot be written").map_err(Failure::from)?;
                return Err(Failure::problems(anyhow!("stopped; {}", to_go_on(keep.taken(), &file))).into());
            }
        }
        let taken = keep.whole().context("the file cannot be written").map_err(Failure::from)?;
        if taken.rows == 0 {
            drop(std::fs::remove_file(&file));
            return Err(Failure::problems(anyhow!("no ticket of {id} with a history has changed since {since}")).into());
        }
        let about =
            format!("The history of {id}: tickets that changed since {since}. Keep it beside {}.", file.display());
        std::fs::write(&map_file, map(&teams, kept(&fields, with_text).map(|(name, _)| name), &about))
            .with_context(|| format!("{} cannot be written", map_file.display()))
            .map_err(Failure::from)?;
        say(context, taken, &file, &map_file);
        Ok((file, map_file))
    }

    /// Where to begin, or to go on.
    fn place(
        &self,
        context: &Context,
        file: &Path,
        id: &DeskId,
        since: jiff::Timestamp,
    ) -> Result<keep::Place, Failure> {
        let shown = file.display();
        let known = keep::place(file).with_context(|| format!("{shown}.going cannot be read"))?;
        match known {
            Some(place) if place.desk == *id && place.with_text == self.with_text => {
                context.say(&format!("going on with {shown}: tickets that changed since {}", place.since));
                Ok(place)
            }
            Some(place) => Err(Failure::usage(anyhow!(
                "{shown} was begun {} text from the desk {}: name another file with --into, or remove it and {shown}.going",
                if place.with_text { "with" } else { "without" },
                place.desk
            ))),
            None if file.exists() => Err(Failure::usage(anyhow!(
                "{shown} is there already: back-test it with --events {shown} --map {}, or name another file with --into",
                file.with_extension("map.toml").display()
            ))),
            None => Ok(keep::Place::first(id.clone(), since, self.with_text)),
        }
    }
}

/// Opens this desk alone, with a share of its budget.
fn open(config: &Config, id: &DeskId) -> Result<Arc<dyn Desk>, Missing> {
    let mut config = config.clone();
    config.desks.retain(|known, _| known == id);
    config.desks.values_mut().for_each(|desk| desk.budget *= SHARE_OF_BUDGET);
    let desks = open_desks(&config, &environment, &seams()).map_err(Missing::Settings)?;
    let desk = desks.into_values().next().ok_or_else(|| Failure::usage(anyhow!("there is no desk {id}")))?;
    if !desk.capabilities().readable_history {
        let connector = desk.capabilities().connector;
        return Err(Failure::problems(anyhow!(
            "{connector} keeps no history that says who changed what, so there is nothing to take: export an event log there, and use --events"
        ))
        .into());
    }
    Ok(desk)
}

fn to_go_on(taken: Taken, file: &Path) -> String {
    format!("{} tickets are kept in {}: the same command goes on from there", number(taken.tickets), file.display())
}

fn stopped(why: &Stopped, taken: Taken, file: &Path) -> Failure {
    let step = match why {
        Stopped::Desk(error) => error.next_step.as_ref().map(|step| format!(" (next: {step})")),
        Stopped::File(_) => None,
    };
    Failure::unreachable(anyhow!("{why}{}; {}", step.unwrap_or_default(), to_go_on(taken, file)))
}

fn say(context: &Context, taken: Taken, file: &Path, map: &Path) {
    let mut words = format!(
        "{} tickets, {} events: {} with {}",
        number(taken.tickets),
        number(taken.rows),
        file.display(),
        map.display()
    );
    for (count, what) in
        [(taken.unseen, "are gone or not ours to see"), (taken.untold, "have no history that could be read")]
    {
        if count > 0 {
            words += &format!("; {} {what}", number(count));
        }
    }
    context.say(&words);
}
