//! `handoffd explain DESK/TICKET`: every rule's verdict on one ticket now, with every one of its conditions, and what
//! would have to change. Nothing is recorded, nothing is written.

use super::check::{environment, seams, show};
use super::explain_shown::print;
use super::failure::Failure;
use super::output::Context;
use crate::cases::examine::{is_signed, prepare};
use crate::cases::work::Trouble;
use crate::config::{self, Config};
use crate::daemon::house::House;
use crate::daemon::wiring::{open_desks, wire};
use crate::ledger::{Handle, Ledger, LedgerError};
use crate::policy::explain::{Explanation, explain, parts};
use crate::policy::whatif::Setting;
use clap::Args;
use handoffd_kit::error::DeskErrorKind;
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::model::PartSet;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::process::ExitCode;

/// How often parts are read before we give up: each kind once, and a few for what they lead to.
const ROUNDS: usize = 8;

/// Every rule's verdict on one ticket now.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd explain acme/4711                            what each condition of each rule says now, and why
  handoffd explain acme/4711 --set tags=refund          what it would say with that tag
  handoffd explain acme/4711 --set case.team=billing --set organization.fields.plan=gold
  handoffd explain acme/4711 --running                  by the policy that runs, where the file has been edited since
  handoffd explain acme/4711 --at 2026-12-24T18:00:00Z  what it would say then")]
pub struct ExplainArgs {
    /// The ticket, as DESK/TICKET.
    #[arg(value_name = "DESK/TICKET")]
    ticket: String,
    /// Decide as if a fact were this (repeatable): any fact of the policy guide; `ticket.` may be left out. Lists with
    /// commas, nothing after the = for empty. Changes nothing.
    #[arg(long, value_name = "FACT=VALUE")]
    set: Vec<String>,
    /// Decide by the policy that runs, or ran last, where the file says something else.
    #[arg(long)]
    running: bool,
    /// Decide as if it were then.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<Timestamp>,
}

/// An instant as somebody types it.
fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| "write it with its offset, like 2026-12-24T18:00:00Z or 2026-12-24T19:00:00+01:00".to_owned())
}

impl ExplainArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 2 for wrong usage or configuration, 3 when the desk or the ledger cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let usage = || Failure::usage(anyhow::anyhow!("write the ticket as DESK/TICKET, for example acme/4711"));
        let (desk, ticket) = self.ticket.split_once('/').ok_or_else(usage)?;
        let config = match config::load(&context.config_path) {
            Ok(config) => config,
            Err(problems) => return show(context, &problems, 2),
        };
        // A copy in memory where there is no ledger yet: explain writes nothing.
        let ledger = match Ledger::open_read_only(&config.daemon.ledger) {
            Ok(ledger) => ledger,
            Err(LedgerError::Open { .. }) => Ledger::in_memory()?,
            Err(error) => return Err(error.into()),
        };
        let in_force = ledger.policy_runs(1)?.pop().map(|run| run.version);
        let config = self.by_policy(context, config, &ledger, in_force.as_deref())?;
        let settings: Result<Vec<Setting>, String> =
            self.set.iter().map(|setting| Setting::read(setting, &config.policy)).collect();
        let settings = settings.map_err(wrong)?;
        let seams = seams();
        let desks = match open_desks(&config, &environment, &seams) {
            Ok(desks) => desks,
            Err(problems) => return show(context, &problems, 2),
        };
        let house = wire(&config, desks, Handle::inline(ledger, None), seams);
        let (desk, ticket) = (DeskId::from(desk), TicketId::from(ticket));
        let explained = super::run::runtime()?.block_on(read(&house, &desk, &ticket, &settings, self.at))?;
        if context.json {
            let policy = config.policy.version.clone();
            context.print_json(&Told { policy, in_force, explained: &explained })?;
        } else {
            print(context, &desk, &ticket, &explained);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'a> {
    /// The policy that is explained.
    policy: String,
    /// The one that runs, or ran last; none: none has.
    in_force: Option<String>,
    #[serde(flatten)]
    explained: &'a Explanation,
}

impl ExplainArgs {
    /// The configuration with the policy that is asked for; says which, where there are two.
    fn by_policy(
        &self,
        context: &Context,
        config: Config,
        ledger: &Ledger,
        in_force: Option<&str>,
    ) -> Result<Config, Failure> {
        let Some(runs) = in_force.filter(|runs| *runs != config.policy.version) else { return Ok(config) };
        if !self.running {
            context.say(&format!(
                "This is by the file's policy {}; what has run last is {runs}, which --running explains.",
                config.policy.version
            ));
            return Ok(config);
        }
        let text = ledger.policy_text(runs)?.unwrap_or_default();
        let config = config.with_kept_policy(runs, &text).map_err(|why| Failure::problems(anyhow::anyhow!(why)))?;
        context.say(&format!("This is by the policy {runs}, which has run last; the file says something else."));
        Ok(config)
    }
}

fn wrong(words: String) -> Failure {
    Failure::usage(anyhow::anyhow!(words))
}

/// Reads the ticket as far as any rule looks at it, sets what was asked for, and explains.
async fn read(
    house: &House,
    desk: &DeskId,
    ticket: &TicketId,
    settings: &[Setting],
    at: Option<Timestamp>,
) -> Result<Explanation, Failure> {
    let known: Vec<String> = house.desks.iter().map(|(id, _)| id.to_string()).collect();
    let unknown = || wrong(format!("there is no desk {desk}; the configuration has: {}", known.join(", ")));
    let station = house.desks.get(desk).ok_or_else(unknown)?;
    let deadline = house.seams.clock.now() + SignedDuration::from_mins(1);
    let begun = house.cases.begin(station, desk, ticket, None, deadline).await;
    let mut read = begun.map_err(|trouble| unreachable(trouble, desk, ticket))?;
    let touched = settings.iter().fold(PartSet::NONE, |all, setting| all.union(setting.part()));
    for _ in 0..ROUNDS {
        let wanted = {
            let mut look = house.cases.look(station, desk, &read, None);
            look.now = at.unwrap_or(look.now);
            match prepare(&look) {
                Err(parts) => parts,
                Ok(mut prepared) => {
                    let unread = touched.without(prepared.case.asked);
                    for setting in settings.iter().filter(|_| unread.is_empty()) {
                        setting.apply(&mut prepared.case, &house.policy, look.now).map_err(wrong)?;
                    }
                    let whole = unread.is_empty();
                    if let Some(why) = Setting::contradicted(settings, &prepared.case, &house.policy).filter(|_| whole)
                    {
                        return Err(wrong(why));
                    }
                    let wanted = parts(&prepared.case, &house.policy).union(unread);
                    let signed = |message: &str, wording: &str| is_signed(&look, message, wording);
                    if wanted.is_empty() {
                        match explain(&prepared.case, &house.policy, &signed, look.now) {
                            Ok(explanation) => return Ok(explanation),
                            Err(parts) => parts,
                        }
                    } else {
                        wanted
                    }
                }
            }
        };
        let parts = station.desk.parts(&read.head, wanted, deadline).await.map_err(Failure::unreachable)?;
        read.parts.merge(parts);
        read.refused = read.refused.union(wanted.without(read.parts.read()));
    }
    Err(Failure::problems(anyhow::anyhow!("the desk keeps giving fewer parts of the ticket than it was asked for")))
}

fn unreachable(trouble: Trouble, desk: &DeskId, ticket: &TicketId) -> Failure {
    match trouble {
        Trouble::Desk(error) => match error.kind {
            DeskErrorKind::NotFound | DeskErrorKind::Gone | DeskErrorKind::Hidden => {
                let next = error.next_step.clone();
                let next = next.unwrap_or_else(|| "is its number right, and may the login see it?".to_owned());
                Failure::problems(anyhow::anyhow!("{desk}/{ticket} cannot be read: {error}; {next}"))
            }
            _ => Failure::unreachable(error),
        },
        Trouble::Ledger(error) => Failure::unreachable(error),
    }
}
