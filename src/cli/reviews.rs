//! `handoffd reviews`: what waits for a person's yes or no: list, show, approve, reject, edit.

use super::control::{give, ledger, now};
use super::failure::Failure;
use super::handoffs::whole;
use super::output::{Context, ago, table, tame, whole_second};
use super::review_edit::EditArgs;
use super::shown::{Brief, risk_shown};
use crate::daemon::control::Command;
use crate::ledger::Ledger;
use crate::policy::names::TeamName;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Reviews.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd reviews list
  handoffd reviews show h3f9a2                              what would be sent, and why a person is asked
  handoffd reviews edit h3f9a2 --as billing-lead --set question=\"May we refund 600 EUR?\"
  handoffd reviews approve h3f9a2 --as billing-lead
  handoffd reviews approve h3f9a2 --as tier2-lead --to second-line      where rules want different teams
  handoffd reviews reject h3f9a2 --as billing-lead --reason \"frontline may refund this\"")]
pub struct ReviewsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Handoffs that wait for a yes or no.
    List,
    /// One of them, with everything that would travel.
    Show {
        /// The handoff's id.
        id: String,
    },
    /// Say yes. The ticket is read again first; if it is not the one that was asked about, the review ends as stale.
    Approve {
        /// The handoff's id.
        id: String,
        /// Who decides: a person of the policy, by name or mail address.
        #[arg(long = "as", value_name = "NAME")]
        by: String,
        /// Why, if there is something to say.
        #[arg(long)]
        reason: Option<String>,
        /// Where rules want different teams: to which of them. Those decide who may for that team.
        #[arg(long, value_name = "TEAM")]
        to: Option<String>,
    },
    /// Change what travels with it on a yes. Both versions of the package are kept.
    Edit(EditArgs),
    /// Say no: nothing is handed off, and the path is closed for this case until a matched fact changes. Also ends a handoff
    /// that still asks for package parts.
    Reject {
        /// The handoff's id.
        id: String,
        /// Who decides: a person of the policy, by name or mail address.
        #[arg(long = "as", value_name = "NAME")]
        by: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

impl ReviewsArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 1 where something is refused, 2 for wrong usage, 3 where ledger or desk cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match &self.what {
            What::List => list(context, &ledger(context)?),
            What::Show { id } => {
                let whole = whole(&ledger(context)?, id)?;
                if context.json {
                    context.print_json(&whole)?;
                } else {
                    context.print(&whole.text(context, now()));
                }
                Ok(ExitCode::SUCCESS)
            }
            What::Approve { id, by, reason, to } => {
                let to = to.as_ref().map(TeamName::new);
                let command = Command::Approve { handoff: id.clone(), reason: reason.clone(), to };
                give(context, command, Some(by))
            }
            What::Edit(args) => args.run(context),
            What::Reject { id, by, reason } => {
                let command = Command::Reject { handoff: id.clone(), reason: reason.clone() };
                give(context, command, Some(by))
            }
        }
    }
}

fn list(context: &Context, ledger: &Ledger) -> Result<ExitCode, Failure> {
    let reviews: Vec<Brief> = ledger.reviews()?.iter().map(Brief::of).collect();
    if context.json {
        context.print_json(&reviews)?;
        return Ok(ExitCode::SUCCESS);
    }
    if reviews.is_empty() {
        context.say("Nothing waits for a yes or no.");
        return Ok(ExitCode::SUCCESS);
    }
    let now = now();
    let rows = reviews.iter().map(|brief| {
        let risks: Vec<String> = brief.risks.iter().map(risk_shown).collect();
        let until = brief.review_until.map_or_else(String::new, |until| match until <= now {
            true => format!("{}, over", whole_second(until)),
            false => whole_second(until),
        });
        let waits = ago(brief.created_at, now);
        [brief.id.clone(), brief.ticket.clone(), brief.path(), waits, until, tame(&risks.join("; "))]
    });
    context.print(&table(["handoff", "ticket", "from → to", "waits", "until", "why a person is asked"], rows));
    context.say("handoffd reviews show|edit|approve|reject HANDOFF");
    if reviews.iter().any(|brief| !brief.offers.is_empty()) {
        context.say("Where it says TEAM or TEAM, rules want different ones: approve HANDOFF --as NAME --to TEAM");
    }
    Ok(ExitCode::SUCCESS)
}
