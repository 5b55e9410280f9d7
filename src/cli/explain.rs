//! `handoffd explain DESK/TICKET`: every rule's verdict on one ticket now: the trace of `decide` itself, nothing recorded.

use super::check::{environment, seams, show};
use super::failure::Failure;
use super::output::{Context, Tint, tame};
use super::shown::risk_shown;
use crate::cases::work::Trouble;
use crate::config;
use crate::daemon::wiring::{open_desks, wire};
use crate::ledger::{Handle, Ledger, LedgerError};
use crate::policy::due::Due;
use crate::policy::verdict::{Outcome, RuleResult, Verdict};
use clap::Args;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::SignedDuration;
use std::process::ExitCode;

/// Every rule's verdict on one ticket now.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd explain acme/4711                     what each rule says now, and the facts it looked at
  handoffd explain acme/4711 --set tags=refund   what it would say with that tag")]
pub struct ExplainArgs {
    /// The ticket, as DESK/TICKET.
    #[arg(value_name = "DESK/TICKET")]
    ticket: String,
    /// Decide as if: tags=a,b status=open priority=high subject=… or fields.NAME=… (repeatable). Changes nothing.
    #[arg(long, value_name = "FACT=VALUE")]
    set: Vec<String>,
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
        let seams = seams();
        let desks = match open_desks(&config, &environment, &seams) {
            Ok(desks) => desks,
            Err(problems) => return show(context, &problems, 2),
        };
        // A copy in memory where there is no ledger yet: explain writes nothing.
        let ledger = match Ledger::open_read_only(&config.daemon.ledger) {
            Ok(ledger) => ledger,
            Err(LedgerError::Open { .. }) => Ledger::in_memory()?,
            Err(error) => return Err(error.into()),
        };
        let house = wire(&config, desks, Handle::inline(ledger, None), seams);
        super::run::runtime()?.block_on(self.explain(context, &house, &DeskId::from(desk), &TicketId::from(ticket)))
    }

    async fn explain(
        &self,
        context: &Context,
        house: &crate::daemon::house::House,
        desk: &DeskId,
        ticket: &TicketId,
    ) -> Result<ExitCode, Failure> {
        let known: Vec<String> = house.desks.iter().map(|(id, _)| id.to_string()).collect();
        let unknown =
            || Failure::usage(anyhow::anyhow!("there is no desk {desk}; the configuration has: {}", known.join(", ")));
        let station = house.desks.get(desk).ok_or_else(unknown)?;
        let deadline = house.seams.clock.now() + SignedDuration::from_mins(1);
        let mut read = house.cases.begin(station, desk, ticket, None, deadline).await.map_err(unreachable)?;
        for setting in &self.set {
            super::explain_set::set(&mut read.head, setting, house.policy.desks.get(desk)).map_err(Failure::usage)?;
        }
        let update = house.cases.conclude(station, desk, &mut read, None, deadline).await;
        let update = update.map_err(|error| unreachable(Trouble::Desk(error)))?;
        let Some(verdict) = update.verdict else {
            return Err(Failure::problems(anyhow::anyhow!("the policy gave no verdict")));
        };
        if context.json {
            context.print_json(&verdict)?;
        } else {
            print(context, desk, ticket, &verdict);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn unreachable(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Desk(error) => Failure::unreachable(error),
        Trouble::Ledger(error) => Failure::unreachable(error),
    }
}

fn print(context: &Context, desk: &DeskId, ticket: &TicketId, verdict: &Verdict) {
    context.print(&format!("{}: {}", context.strong(&format!("{desk}/{ticket}")), outcome(&verdict.outcome)));
    for trace in &verdict.trace {
        let (words, tint) = result(&trace.result);
        let name = context.strong(trace.rule.as_str());
        context.print(&format!("  {name} ─▶ {}: {}", trace.to, context.tinted(&words, tint)));
        for risk in &trace.would_ask {
            context.print(&format!("      a person would be asked first: {}", tame(&risk_shown(risk))));
        }
        for (fact, value) in &trace.facts {
            context.print(&format!("      {fact} = {value}"));
        }
    }
    for difference in &verdict.clock_differences {
        let words = format!("the desk says {}, our target {}", difference.desk, difference.target);
        context.print(&format!("  clock {}: {}", difference.clock, context.tinted(&words, Tint::Bad)));
    }
    for (what, due) in deadlines(&verdict.outcome) {
        context.print(&format!("  {what} until {}", due.told()));
    }
    if verdict.trace.is_empty() {
        context.print("  no rule was asked");
    }
}

/// The deadlines that a handoff would begin with.
fn deadlines(outcome: &Outcome) -> Vec<(&'static str, &Due)> {
    let proposal = match outcome {
        Outcome::Stay(_) => return Vec::new(),
        Outcome::Route(proposal) | Outcome::Escalate(proposal) => proposal,
        Outcome::AskForParts { proposed, .. } | Outcome::AskPerson { proposed, .. } => proposed,
    };
    let customer = proposal.clock.customer_until.as_ref().map(|(_, due)| due);
    let all = [
        ("internal target", proposal.clock.internal_until.as_ref()),
        ("previous agent's task", proposal.owner.previous_until.as_ref()),
        ("customer's clock", customer),
    ];
    all.into_iter().filter_map(|(what, due)| Some((what, due?))).collect()
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Stay(reason) => format!("stays: {}", reason.shown()),
        Outcome::Route(proposal) => format!("goes to {} by the route {}", proposal.to, proposal.rule),
        Outcome::Escalate(proposal) => {
            format!("goes to {} by the rule {}: {}", proposal.to, proposal.rule, proposal.reason)
        }
        Outcome::AskForParts { proposed, until } => {
            format!(
                "the current agent is asked for what is missing, until {until}, before it goes to {} by the rule {}",
                proposed.to, proposed.rule
            )
        }
        Outcome::AskPerson { proposed, .. } => {
            format!("a person is asked before it goes to {} by the rule {}", proposed.to, proposed.rule)
        }
    }
}

fn result(result: &RuleResult) -> (String, Tint) {
    match result {
        RuleResult::Fires => ("fires".into(), Tint::Good),
        RuleResult::Agrees => ("matches too, with the same target".into(), Tint::Good),
        RuleResult::NotMatched(n, words) => {
            (format!("does not match: condition {n} does not hold: {words}"), Tint::Waits)
        }
        RuleResult::Unknown(n, what) => (format!("cannot be told: condition {n}: unknown: {what}"), Tint::Bad),
        RuleResult::NotYet(at) => (format!("not yet, at {at} if nothing happens before"), Tint::Waits),
        RuleResult::NoInstant(why) => (format!("never, as things stand: {why}"), Tint::Waits),
        RuleResult::TimeUnknown(key) => (format!("cannot be told: since when, for {key}"), Tint::Bad),
        RuleResult::PersonActive(until) => {
            (format!("matches, but an agent has just acted on the case: it waits until {until}"), Tint::Waits)
        }
        RuleResult::NotAsked => ("acts when an agent asks for it (/handoff), and nobody did".into(), Tint::Waits),
        RuleResult::NotFrom => ("is not about this case: not with one of its teams".into(), Tint::Waits),
        RuleResult::Behind(rule) => (format!("comes after {rule}, which matched"), Tint::Waits),
        RuleResult::Shadow => ("would fire, but is in shadow".into(), Tint::Waits),
        RuleResult::OutsideShare => ("matches, but the ticket is outside its share".into(), Tint::Waits),
        RuleResult::AlreadyFired => ("matches, and has fired already".into(), Tint::Waits),
        RuleResult::PathClosed(why) => {
            (format!("matches, but this path is closed for the case ({why:?})"), Tint::Waits)
        }
        RuleResult::Held => {
            ("matched before it went live: `handoffd handoffs release` lets it act".into(), Tint::Waits)
        }
        RuleResult::OverLimit => ("matches, but the limit for this hour is used up".into(), Tint::Waits),
        RuleResult::Paused => ("matches, but is paused".into(), Tint::Waits),
        RuleResult::AlreadyThere => ("matches, and the case is already there".into(), Tint::Waits),
    }
}
