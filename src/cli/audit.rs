//! `handoffd audit`: the record of who did what: whether it is whole, and all of it for an auditor.

use super::failure::Failure;
use super::output::{Context, cell, table, tame};
use crate::ledger::{ActRecord, Ledger};
use clap::{Args, Subcommand};
use serde_json::json;
use std::process::ExitCode;

/// The record of who did what.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd audit verify                    does every line fit the one before it
  handoffd audit verify --knows 9f2c…      and is the line with this link, noted down before, still among them
  handoffd audit export --csv              all of it, for a spreadsheet
  handoffd --json audit export --from 120  from a number on, for a script

Exit codes: 0 fine; 1 the record was changed; 3 the ledger cannot be read.")]
pub struct AuditArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Go through the record from its first line; prints the link of the last one, to be noted down elsewhere.
    Verify {
        /// A link that was the last one once.
        #[arg(long, value_name = "LINK")]
        knows: Option<String>,
    },
    /// Print the record, oldest first.
    Export {
        /// As CSV: id, at, by, what, about, reason, erased, link.
        #[arg(long)]
        csv: bool,
        /// From this line on.
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        from: i64,
    },
}

impl AuditArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As told in its help.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let ledger = super::ledger::opened(&super::ledger::lies_at(context)?)?;
        match &self.what {
            What::Verify { knows } => verify(context, &ledger, knows.as_deref()),
            What::Export { csv, from } => export(context, &ledger, *csv, *from),
        }
    }
}

fn verify(context: &Context, ledger: &Ledger, knows: Option<&str>) -> Result<ExitCode, Failure> {
    let chain = ledger.verify_acts(knows)?;
    if context.json {
        context.print_json(&json!({
            "records": chain.records, "head": chain.head, "erased": chain.erased, "whole": chain.faults.is_empty(),
            "faults": super::ledger::told(&chain.faults),
        }))?;
    } else {
        if chain.faults.is_empty() {
            context.print(&format!("{} lines, each fits the one before it", chain.records));
        }
        if chain.erased > 0 {
            context.print(&format!("{} names and reasons were erased by order", chain.erased));
        }
        context.print(&format!("the last link: {}", chain.head));
    }
    Ok(super::ledger::shown(context, &chain.faults))
}

fn export(context: &Context, ledger: &Ledger, csv: bool, from: i64) -> Result<ExitCode, Failure> {
    let acts = ledger.acts(from, usize::MAX)?;
    if csv {
        context.print("id,at,by,what,about,reason,erased,link");
        acts.iter().for_each(|act| context.print(&row(act)));
    } else if context.json {
        context.print_json(&acts)?;
    } else if acts.is_empty() {
        context.say("Nobody has done anything yet.");
    } else {
        let shown = |text: &Option<String>| tame(text.as_deref().unwrap_or_default());
        let rows = acts.iter().map(|act| {
            let by = act.by.as_deref().map_or("(erased)".to_owned(), tame);
            [act.id.to_string(), act.at.to_string(), by, tame(&act.what), tame(&act.about), shown(&act.reason)]
        });
        context.print(&table(["line", "at", "by", "what", "about", "reason"], rows));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(act: &ActRecord) -> String {
    let cells = [
        act.id.to_string(),
        act.at.to_string(),
        cell(act.by.as_deref()),
        cell(Some(&act.what)),
        cell(Some(&act.about)),
        cell(act.reason.as_deref()),
        act.erased.to_string(),
        act.link.clone(),
    ];
    cells.join(",")
}
