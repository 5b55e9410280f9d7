//! `handoffd owners`: what is open about ownership: handoffs that nobody has claimed, cases whose owner is gone, and what is
//! still left with agents before.

use super::control::{give, ledger, now};
use super::failure::Failure;
use super::output::{Context, Tint, ago, table, tame};
use crate::daemon::control::Command;
use crate::ledger::Ledger;
use crate::ledger::records::{LostOwner, TaskRecord, UnclaimedRecord};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use std::process::ExitCode;

/// Owners.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd owners list                            what nobody has taken on, whose owner is gone, open tasks
  handoffd owners done h3f9a2 --as first-agent    the task that this handoff left is done")]
pub struct OwnersArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Handoffs that nobody has claimed in time, cases whose owner is gone, open tasks.
    List,
    /// What a handoff left with the agent before is done.
    Done {
        /// The handoff's id.
        id: String,
        /// Who says so; default: the system user.
        #[arg(long = "as", value_name = "NAME")]
        by: Option<String>,
    },
}

/// All of it.
#[derive(Serialize)]
struct Open {
    unclaimed: Vec<UnclaimedRecord>,
    lost: Vec<LostOwner>,
    tasks: Vec<TaskRecord>,
}

impl OwnersArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 1 where something is refused, 2 for wrong usage, 3 where the ledger cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match &self.what {
            What::List => list(context, &ledger(context)?),
            What::Done { id, by } => give(context, Command::TaskDone { handoff: id.clone() }, by.as_deref()),
        }
    }
}

fn list(context: &Context, ledger: &Ledger) -> Result<ExitCode, Failure> {
    let now = now();
    let open = Open { unclaimed: ledger.unclaimed(now)?, lost: ledger.lost_owners()?, tasks: ledger.tasks()? };
    if context.json {
        context.print_json(&open)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<[String; 4]> = open
        .unclaimed
        .iter()
        .map(|row| unclaimed(context, row, now))
        .chain(open.lost.iter().map(|row| lost(context, row, now)))
        .chain(open.tasks.iter().map(|row| task(context, row, now)))
        .collect();
    if rows.is_empty() {
        context.say("Every case has its owner, and nothing is left with agents before.");
    } else {
        context.print(&table(["ticket", "what", "who", "since"], rows));
    }
    Ok(ExitCode::SUCCESS)
}

fn unclaimed(context: &Context, row: &UnclaimedRecord, now: Timestamp) -> [String; 4] {
    let steps = match row.steps {
        0 => String::new(),
        steps => format!(", {steps} steps taken"),
    };
    [
        format!("{}/{}", row.desk, tame(row.ticket.as_str())),
        context.tinted(&format!("not taken on ({}{steps})", row.handoff), Tint::Bad),
        row.to.to_string(),
        ago(row.due, now),
    ]
}

fn lost(context: &Context, row: &LostOwner, now: Timestamp) -> [String; 4] {
    let team = row.team.as_ref().map_or("no team", |team| team.as_str());
    [
        format!("{}/{}", row.desk, tame(row.ticket.as_str())),
        context.tinted(&format!("its owner is gone: {}", tame(&row.why)), Tint::Bad),
        team.to_owned(),
        ago(row.since, now),
    ]
}

fn task(context: &Context, row: &TaskRecord, now: Timestamp) -> [String; 4] {
    let overdue = row.until.is_some_and(|until| until <= now);
    let until = row.until.map(|until| format!(" until {until}")).unwrap_or_default();
    let (word, tint) = if overdue { ("overdue task", Tint::Bad) } else { ("task", Tint::Waits) };
    [
        format!("{}/{}", row.desk, tame(row.ticket.as_str())),
        context.tinted(&format!("{word} ({}){until}: {}", row.handoff, tame(&row.task)), tint),
        tame(row.who.as_deref().unwrap_or("the agent before")),
        ago(row.since, now),
    ]
}
