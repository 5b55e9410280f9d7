//! `handoffd parked`: what waits for a person, each with the desk's words, the next step and the commands to type.

use super::control::{give, ledger, now};
use super::failure::Failure;
use super::output::{Context, Tint, ago, tame};
use super::shown::Effect;
use crate::config;
use crate::daemon::control::{Command, Target};
use crate::ledger::records::{AlertRecord, CaseTrouble, EffectRecord};
use crate::ledger::{DeskWaits, Ledger};
use crate::plan::alert::card;
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
  handoffd parked retry h3f9a2/handoff@room        one alert, by its key
  handoffd parked retry --case acme/4711           look at that ticket again, now
  handoffd parked drop --desk old --reason \"gone\"  what waits for a desk that is not configured any more")]
pub struct ParkedArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Every parked effect and alert, every case that cannot be looked at, and every desk that is not configured and waited for: since
    /// when, why, the next step.
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
    /// The handoff's id, ID/NUMBER for one effect, or an alert's key, ID/WHAT@CHANNEL.
    #[arg(required_unless_present_any = ["all", "case", "desk"], conflicts_with_all = ["all", "case", "desk"])]
    id: Option<String>,
    /// A case that cannot be looked at.
    #[arg(long, value_name = "DESK/TICKET", conflicts_with_all = ["all", "desk"])]
    case: Option<String>,
    /// All that are parked.
    #[arg(long)]
    all: bool,
    /// Everything that waits for this desk, which is not configured; with --all: what is parked on this desk.
    #[arg(long)]
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
        match (&self.id, &self.case, &self.desk) {
            (Some(id), _, _) => target(id),
            (None, Some(case), _) => case_target(case),
            (None, None, Some(desk)) if !self.all => Ok(Target::Desk { desk: DeskId::new(desk) }),
            (None, None, _) => Ok(Target::All {
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

/// `HANDOFF`, `HANDOFF/NUMBER`, or the key of an alert, `HANDOFF/WHAT@CHANNEL`.
///
/// # Errors
/// Exit 2 where the number is none.
pub fn target(text: &str) -> Result<Target, Failure> {
    // Only the key of an alert names a channel.
    if text.contains('@') {
        return Ok(Target::Alert { key: text.to_owned() });
    }
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
        match &self.what {
            What::List => list(context, &ledger(context)?),
            What::Retry(which) => give(context, Command::Retry { target: which.target()? }, which.by.as_deref()),
            What::Drop { which, reason } => {
                let command = Command::Drop { target: which.target()?, reason: reason.clone() };
                give(context, command, which.by.as_deref())
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
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<String>,
    since: Option<Timestamp>,
    commands: Vec<String>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Parked {
    Effect {
        #[serde(flatten)]
        effect: Effect,
        rule: String,
    },
    Alert {
        key: String,
        channel: String,
        title: String,
        reason: String,
        next_step: Option<String>,
        rule: String,
    },
    Case {
        reason: String,
        next_step: String,
        tries: u32,
        stopped: bool,
    },
    Desk {
        reason: &'static str,
        next_step: String,
        looks: u32,
        handoffs: u32,
        effects: u32,
    },
}

impl Row {
    fn effect(effect: &EffectRecord) -> Self {
        Self {
            what: Parked::Effect { effect: Effect::of(effect), rule: effect.write.mark.rule.clone() },
            desk: effect.desk.to_string(),
            ticket: Some(tame(effect.write.ticket.as_str())),
            since: effect.write.first_tried,
            commands: commands(&effect.write.mark.key()),
        }
    }

    fn alert(record: &AlertRecord) -> Self {
        let alert = &record.alert;
        Self {
            what: Parked::Alert {
                key: alert.key.clone(),
                channel: record.channel.to_string(),
                title: card(alert, false).title,
                reason: record.reason.clone().unwrap_or_else(|| "no reason was recorded".into()),
                next_step: record.next_step.clone(),
                rule: alert.rule.to_string(),
            },
            desk: alert.desk.to_string(),
            ticket: Some(tame(alert.ticket.as_str())),
            since: Some(record.created_at),
            commands: commands(&alert.key),
        }
    }

    fn case(trouble: CaseTrouble) -> Self {
        Self {
            desk: trouble.desk.to_string(),
            ticket: Some(tame(trouble.ticket.as_str())),
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

    fn desk(waits: &DeskWaits, now: Timestamp) -> Self {
        let DeskWaits { looks, handoffs, effects, .. } = *waits;
        let next_step = format!(
            "configure [desks.{}] again, then `handoffd reload`: all of it goes on by itself; or give it up",
            waits.desk
        );
        Self {
            desk: waits.desk.to_string(),
            ticket: None,
            since: waits.since.filter(|since| *since <= now),
            commands: vec![waits.give_up()],
            what: Parked::Desk { reason: "the desk is not in the configuration", next_step, looks, handoffs, effects },
        }
    }

    fn print(&self, context: &Context, now: Timestamp) {
        let since = self.since.map(|since| ago(since, now));
        let ticket = self.ticket.as_deref().unwrap_or_default();
        let (because, next) = match &self.what {
            Parked::Effect { effect, .. } => {
                let since = since.map_or_else(|| "never tried".into(), |since| format!("first tried {since} ago"));
                let key = context.tinted(&effect.key, Tint::Bad);
                context.print(&format!("{key}  {} for {}/{ticket}  {since}", effect.label, self.desk));
                (effect.reason.as_deref().unwrap_or("no reason was recorded"), effect.next_step.as_deref())
            }
            Parked::Alert { key, channel, title, reason, next_step, .. } => {
                let (key, since) = (context.tinted(key, Tint::Bad), since.unwrap_or_default());
                context.print(&format!("{key}  alert through {channel}: {}  planned {since} ago", tame(title)));
                (reason.as_str(), next_step.as_deref())
            }
            Parked::Case { reason, next_step, tries, stopped } => {
                let key = context.tinted(&format!("{}/{ticket}", self.desk), Tint::Bad);
                let how = if *stopped { "not looked at any more" } else { "cannot be looked at" };
                let since = since.unwrap_or_default();
                context.print(&format!("{key}  {how}  {tries} tries, the first {since} ago"));
                (reason.as_str(), Some(next_step.as_str()))
            }
            Parked::Desk { reason, next_step, looks, handoffs, effects } => {
                let key = context.tinted(&format!("desk {}", self.desk), Tint::Bad);
                let since = since.map(|since| format!("  the oldest {since} ago")).unwrap_or_default();
                context.print(&format!("{key}  {looks} looks, {handoffs} handoffs, {effects} effects wait{since}"));
                (*reason, Some(next_step.as_str()))
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

fn commands(what: &str) -> Vec<String> {
    vec![format!("handoffd parked retry {what}"), format!("handoffd parked drop {what} --reason \"…\"")]
}

fn list(context: &Context, ledger: &Ledger) -> Result<ExitCode, Failure> {
    let now = now();
    // Which desks are configured only a whole file says.
    let absent = match config::load(&context.config_path) {
        Ok(config) => ledger.waits_for_others(&config.desks.keys().cloned().collect())?,
        Err(_) => {
            let path = context.config_path.display();
            context.say(&format!(
                "{path} cannot be used as it is: what waits for a desk that is not configured is not listed."
            ));
            Vec::new()
        }
    };
    let effects = ledger.parked()?;
    let cases = ledger.case_troubles()?;
    let desks = absent.iter().map(|waits| Row::desk(waits, now));
    let alerts = ledger.parked_alerts()?;
    let effects = effects.iter().map(Row::effect).chain(alerts.iter().map(Row::alert));
    let parked: Vec<Row> = effects.chain(cases.into_iter().map(Row::case)).chain(desks).collect();
    if context.json {
        context.print_json(&parked)?;
        return Ok(ExitCode::SUCCESS);
    }
    if parked.is_empty() {
        context.say("Nothing is parked.");
    }
    parked.iter().for_each(|row| row.print(context, now));
    Ok(ExitCode::SUCCESS)
}
