//! `handoffd alerts`: the channels by which people are told outside the helpdesk, and a trial of one.

use super::check::{environment, seams, show};
use super::control::{configuration, ledger};
use super::failure::Failure;
use super::output::{Context, Tint, table, tame};
use super::run::runtime;
use crate::alert::{AlertError, Attempt, Failure as Missed};
use crate::config::Config;
use crate::daemon::alert_wiring::open_channels;
use crate::ledger::records::AlertCounts;
use crate::plan::alert::Alert;
use crate::policy::alert::AlertChannel;
use crate::policy::names::AlertName;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Alert channels.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd alerts list                  every channel, what it is told of, who names it, what waits for it
  handoffd alerts test billing-room     sends one test alert now, and says what the channel answered")]
pub struct AlertsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Every channel: what it is told of and when, who names it, what waits for it.
    List,
    /// Sends one test alert through a channel, whatever its hours, and says what the channel answered.
    Test {
        /// The channel: the NAME of [alerts.NAME].
        name: String,
    },
}

/// One channel, for scripts.
#[derive(Serialize)]
struct Row {
    name: AlertName,
    channel: &'static str,
    tells: Vec<&'static str>,
    hours: Option<String>,
    named_by: Vec<String>,
    alerts: BTreeMap<String, u32>,
}

impl AlertsArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 1 where a channel does not take the test, 2 for wrong usage or configuration.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = configuration(context)?;
        match &self.what {
            What::List => list(context, &config),
            What::Test { name } => test(context, &config, &AlertName::new(name)),
        }
    }
}

fn list(context: &Context, config: &Config) -> Result<ExitCode, Failure> {
    // Before the first run there is no ledger, and nothing waits.
    let counts = if config.daemon.ledger.exists() { ledger(context)?.alert_counts()? } else { BTreeMap::new() };
    let channels = config.policy.alerts.channels.iter();
    let rows: Vec<Row> = channels.map(|(name, channel)| row(config, name, channel, counts.get(name))).collect();
    if context.json {
        context.print_json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        context.say("No alert channel is configured: add a table [alerts.NAME].");
        return Ok(ExitCode::SUCCESS);
    }
    let rows = rows.into_iter().map(|row| {
        let waits = ["due", "unsure", "parked"].iter().filter_map(|state| {
            let count = row.alerts.get(*state).filter(|count| **count > 0)?;
            Some(format!("{count} {state}"))
        });
        let waits: Vec<String> = waits.collect();
        [
            row.name.to_string(),
            row.channel.to_owned(),
            row.tells.join(", "),
            row.hours.unwrap_or_else(|| "always".into()),
            row.named_by.join(", "),
            waits.join(", "),
        ]
    });
    context.print(&table(["name", "channel", "is told of", "when", "named by", "waiting"], rows));
    Ok(ExitCode::SUCCESS)
}

fn row(config: &Config, name: &AlertName, channel: &AlertChannel, counts: Option<&AlertCounts>) -> Row {
    let policy = &config.policy;
    let operators = policy.alerts.operators.contains(name).then(|| "[policy]".to_owned());
    let weekly = policy.alerts.digest.as_ref().is_some_and(|digest| digest.to.contains(name));
    let digest = weekly.then(|| "the digest".to_owned());
    let teams =
        policy.teams.values().filter(|team| team.alert.contains(name)).map(|team| format!("team {}", team.name));
    let names = |alert: &Option<Vec<AlertName>>| alert.as_ref().is_some_and(|alert| alert.contains(name));
    let rules = policy.rules().filter(|rule| names(&rule.alert)).map(|rule| format!("rule {}", rule.name));
    let hours = channel.hours.as_ref().map(|hours| format!("{}, outside: {}", hours.name, channel.outside.name()));
    Row {
        name: name.clone(),
        channel: channel.kind.name(),
        tells: channel.tells.iter().map(|occasion| occasion.name()).collect(),
        hours,
        named_by: operators.into_iter().chain(digest).chain(teams).chain(rules).collect(),
        alerts: counts.map(|counts| counts.by_state.clone()).unwrap_or_default(),
    }
}

fn test(context: &Context, config: &Config, name: &AlertName) -> Result<ExitCode, Failure> {
    if !config.alerts.contains_key(name) {
        let known: Vec<&str> = config.alerts.keys().map(AlertName::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let name = tame(name.as_str());
        return Err(Failure::usage(anyhow!("no alert channel is called {name}; configured are: {known}")));
    }
    let seams = seams();
    let channels = match open_channels(config, &environment, &seams, Some(name)) {
        Ok(channels) => channels,
        Err(problems) => return show(context, &problems, 2),
    };
    let Some(channel) = channels.get(name) else {
        return Err(Failure::usage(anyhow!("the alert channel {name} cannot be opened")));
    };
    let now = seams.clock.now();
    let alert = Alert::test(name, seams.random.bits(), now);
    let sent = runtime()?.block_on(channel.send(&alert, Attempt { now, repeated: false }));
    if context.json {
        let (taken, words, next) = match &sent {
            Ok(receipt) => (true, receipt.clone(), None),
            Err(error) => (false, error.words.clone(), Some(next_step(error, &alert.key))),
        };
        let may_have_arrived = sent.as_ref().is_err_and(|error| error.failure == Missed::Lost);
        context.print_json(&serde_json::json!({
            "channel": name, "taken": taken, "may_have_arrived": may_have_arrived, "answer": words, "next_step": next,
            "key": alert.key,
        }))?;
        return Ok(ExitCode::from(u8::from(!taken)));
    }
    match sent {
        Ok(receipt) => {
            let taken = context.tinted("taken", Tint::Good);
            context.print(&format!("{name}: {taken} ({receipt}); look for the words [handoffd {}]", alert.key));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let came_of_it = match error.failure {
                Missed::Lost => context.tinted("may have arrived", Tint::Waits),
                _ => context.tinted("not taken", Tint::Bad),
            };
            context.print(&format!("{name}: {came_of_it}: {}", error.words));
            context.print(&format!("    next: {}", next_step(&error, &alert.key)));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What to do about a test that was not taken.
fn next_step(error: &AlertError, key: &str) -> String {
    match (&error.next_step, error.failure) {
        (Some(step), _) => step.clone(),
        (None, Missed::Lost) => format!("look whether it has arrived: its text says [handoffd {key}]"),
        (None, Missed::Again(Some(at))) => format!("try again at {at}, which the channel names: it takes no more now"),
        (None, Missed::Again(None)) => {
            "try again in a while: the channel cannot take it now; alerts of a daemon are tried again by themselves"
                .into()
        }
        (None, Missed::NotSent) => "look at the channel's settings and at the network".into(),
        (None, Missed::Refused | Missed::Gone) => "see what the channel has against it, in its words above".into(),
    }
}
