//! `handoffd parked`: what waits for a person, each with the desk's words, the next step and the commands to type.

use super::control::{configuration, give, ledger, now};
use super::failure::Failure;
use super::output::{Context, Tint, ago, tame};
use super::shown::Effect;
use crate::daemon::control::{Command, Target};
use crate::ledger::Ledger;
use crate::ledger::records::EffectRecord;
use crate::policy::names::RuleName;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use handoffd_kit::id::DeskId;
use jiff::Timestamp;
use serde::Serialize;
use std::process::ExitCode;

/// What waits for a person.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd parked list
  handoffd parked retry h3f9a2/1
  handoffd parked retry --all --desk acme          after repairing what the desk named
  handoffd parked drop h3f9a2/1 --reason \"done by hand\"")]
pub struct ParkedArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Every parked effect: what, since when, the desk's words, the next step.
    List,
    /// Try again; what may be on the desk already is looked up first.
    Retry(Which),
    /// Give up; what is on the desk stays there.
    Drop {
        #[command(flatten)]
        which: Which,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args)]
struct Which {
    /// The handoff's id, or ID/NUMBER for one effect.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// All that are parked.
    #[arg(long)]
    all: bool,
    /// With --all: on this desk.
    #[arg(long, requires = "all")]
    desk: Option<String>,
    /// With --all: of this rule.
    #[arg(long, requires = "all")]
    rule: Option<String>,
    /// Who decides; default: the system user.
    #[arg(long = "as", value_name = "NAME")]
    by: Option<String>,
}

impl Which {
    fn target(&self) -> Result<Target, Failure> {
        match &self.id {
            Some(id) => target(id),
            None => Ok(Target::All {
                desk: self.desk.as_ref().map(DeskId::new),
                rule: self.rule.as_ref().map(RuleName::new),
            }),
        }
    }
}

/// `HANDOFF` or `HANDOFF/NUMBER`.
///
/// # Errors
/// Exit 2 where the number is none.
pub fn target(text: &str) -> Result<Target, Failure> {
    let Some((id, number)) = text.rsplit_once('/') else {
        return Ok(Target::Handoff { id: text.to_owned(), number: None });
    };
    let wrong = |_| Failure::usage(anyhow!("write HANDOFF or HANDOFF/NUMBER, for example h3f9a2/1, not {text}"));
    Ok(Target::Handoff { id: id.to_owned(), number: Some(number.parse().map_err(wrong)?) })
}

impl ParkedArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 1 where nothing fits, 2 for wrong usage, 3 where the ledger cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = configuration(context)?;
        match &self.what {
            What::List => list(context, &ledger(&config)?),
            What::Retry(which) => {
                give(context, &config, Command::Retry { target: which.target()? }, which.by.as_deref())
            }
            What::Drop { which, reason } => {
                let command = Command::Drop { target: which.target()?, reason: reason.clone() };
                give(context, &config, command, which.by.as_deref())
            }
        }
    }
}

/// A parked effect for scripts.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    effect: Effect,
    desk: String,
    ticket: String,
    rule: String,
    since: Option<Timestamp>,
    commands: [String; 2],
}

impl Row {
    fn of(effect: &EffectRecord) -> Self {
        let key = effect.write.mark.key();
        let commands = [format!("handoffd parked retry {key}"), format!("handoffd parked drop {key} --reason \"…\"")];
        Self {
            effect: Effect::of(effect),
            desk: effect.desk.to_string(),
            ticket: tame(effect.write.ticket.as_str()),
            rule: effect.write.mark.rule.clone(),
            since: effect.write.first_tried,
            commands,
        }
    }
}

fn list(context: &Context, ledger: &Ledger) -> Result<ExitCode, Failure> {
    let parked: Vec<Row> = ledger.parked()?.iter().map(Row::of).collect();
    if context.json {
        context.print_json(&parked)?;
        return Ok(ExitCode::SUCCESS);
    }
    if parked.is_empty() {
        context.say("Nothing is parked.");
    }
    let now = now();
    for row in &parked {
        let since =
            row.since.map_or_else(|| "never tried".into(), |since| format!("first tried {} ago", ago(since, now)));
        let key = context.tinted(&row.effect.key, Tint::Bad);
        context.print(&format!("{key}  {} for {}/{}  {since}", row.effect.label, row.desk, row.ticket));
        let unknown = "no reason was recorded";
        context.print(&format!("  because  {}", tame(row.effect.reason.as_deref().unwrap_or(unknown))));
        if let Some(next) = &row.effect.next_step {
            context.print(&format!("  next     {}", tame(next)));
        }
        for command in &row.commands {
            context.print(&format!("           {command}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
