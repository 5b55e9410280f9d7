//! `handoffd parked`: what waits for a person, each with the desk's words, the next step and the commands to type.

use super::control::{configuration, give, ledger, now};
use super::failure::Failure;
use super::output::{Context, Tint, ago, tame};
use super::shown::Effect;
use crate::daemon::control::{Command, Target};
use crate::ledger::Ledger;
use crate::ledger::records::{CaseTrouble, EffectRecord};
use crate::policy::names::RuleName;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use serde::Serialize;
use std::process::ExitCode;

/// What waits for a person.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd parked list
  handoffd parked retry h3f9a2/1
  handoffd parked retry --all --desk acme          after repairing what the desk named
  handoffd parked drop h3f9a2/1 --reason \"done by hand\"
  handoffd parked retry --case acme/4711           look at that ticket again, now")]
pub struct ParkedArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Every parked effect, and every case that cannot be looked at: since when, why, the next step.
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
    #[arg(required_unless_present_any = ["all", "case"], conflicts_with_all = ["all", "case"])]
    id: Option<String>,
    /// A case that cannot be looked at.
    #[arg(long, value_name = "DESK/TICKET", conflicts_with = "all")]
    case: Option<String>,
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
        match (&self.id, &self.case) {
            (Some(id), _) => target(id),
            (None, Some(case)) => case_target(case),
            (None, None) => Ok(Target::All {
                desk: self.desk.as_ref().map(DeskId::new),
                rule: self.rule.as_ref().map(RuleName::new),
            }),
        }
    }
}

fn case_target(text: &str) -> Result<Target, Failure> {
    let wrong = || Failure::usage(anyhow!("write the case as DESK/TICKET, for example acme/4711, not {text}"));
    let (desk, ticket) = text.split_once('/').ok_or_else(wrong)?;
    Ok(Target::Case { desk: DeskId::new(desk), ticket: TicketId::new(ticket) })
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

/// One thing that is parked, for scripts.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    what: Parked,
    desk: String,
    ticket: String,
    since: Option<Timestamp>,
    commands: [String; 2],
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Parked {
    Effect {
        #[serde(flatten)]
        effect: Effect,
        rule: String,
    },
    Case {
        reason: String,
        next_step: String,
        tries: u32,
        stopped: bool,
    },
}

impl Row {
    fn effect(effect: &EffectRecord) -> Self {
        Self {
            what: Parked::Effect { effect: Effect::of(effect), rule: effect.write.mark.rule.clone() },
            desk: effect.desk.to_string(),
            ticket: tame(effect.write.ticket.as_str()),
            since: effect.write.first_tried,
            commands: commands(&effect.write.mark.key()),
        }
    }

    fn case(trouble: CaseTrouble) -> Self {
        Self {
            desk: trouble.desk.to_string(),
            ticket: tame(trouble.ticket.as_str()),
            since: Some(trouble.since),
            commands: commands(&format!("--case {}/{}", trouble.desk, tame(trouble.ticket.as_str()))),
            what: Parked::Case {
                reason: trouble.what,
                next_step: trouble.next_step,
                tries: trouble.tries,
                stopped: trouble.parked,
            },
        }
    }

    fn print(&self, context: &Context, now: Timestamp) {
        let since = self.since.map(|since| ago(since, now));
        let (because, next) = match &self.what {
            Parked::Effect { effect, .. } => {
                let since = since.map_or_else(|| "never tried".into(), |since| format!("first tried {since} ago"));
                let key = context.tinted(&effect.key, Tint::Bad);
                context.print(&format!("{key}  {} for {}/{}  {since}", effect.label, self.desk, self.ticket));
                (effect.reason.as_deref().unwrap_or("no reason was recorded"), effect.next_step.as_deref())
            }
            Parked::Case { reason, next_step, tries, stopped } => {
                let key = context.tinted(&format!("{}/{}", self.desk, self.ticket), Tint::Bad);
                let how = if *stopped { "not looked at any more" } else { "cannot be looked at" };
                let since = since.unwrap_or_default();
                context.print(&format!("{key}  {how}  {tries} tries, the first {since} ago"));
                (reason.as_str(), Some(next_step.as_str()))
            }
        };
        context.print(&format!("  because  {}", tame(because)));
        if let Some(next) = next {
            context.print(&format!("  next     {}", tame(next)));
        }
        for command in &self.commands {
            context.print(&format!("           {command}"));
        }
    }
}

fn commands(what: &str) -> [String; 2] {
    [format!("handoffd parked retry {what}"), format!("handoffd parked drop {what} --reason \"…\"")]
}

fn list(context: &Context, ledger: &Ledger) -> Result<ExitCode, Failure> {
    let effects = ledger.parked()?;
    let cases = ledger.case_troubles()?;
    let parked: Vec<Row> = effects.iter().map(Row::effect).chain(cases.into_iter().map(Row::case)).collect();
    if context.json {
        context.print_json(&parked)?;
        return Ok(ExitCode::SUCCESS);
    }
    if parked.is_empty() {
        context.say("Nothing is parked.");
    }
    let now = now();
    parked.iter().for_each(|row| row.print(context, now));
    Ok(ExitCode::SUCCESS)
}
