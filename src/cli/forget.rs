//! `handoffd forget PERSON`: erases a person's text from the ledger, and from the file that it lies in.

use super::control::{give, ledger};
use super::failure::Failure;
use super::ledger::{compacted, lies_at, log_emptied};
use super::output::Context;
use crate::daemon::control::Command;
use crate::ledger::PersonWanted;
use anyhow::anyhow;
use clap::Args;
use std::process::ExitCode;

/// Erases a person's text.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd forget anna@customer.example     by address: the cases that are theirs or mention it, and it itself wherever it stands
  handoffd forget acme/4711                 by their id on a desk: the cases in which they ask for help

Erase their text on the helpdesk first: what it still has comes back with the next look. Erased is what the ledger keeps of
these cases (packages, notes, messages, payloads, reasons); what happened, when and by which rule stays. Handoffs that are not
sent whole end. Backups made before still have it.

Exit codes: 0 erased; 1 refused, or the file could not be cleaned yet; 2 wrong usage; 3 the ledger cannot be reached.")]
pub struct ForgetArgs {
    /// A mail address, or DESK/ID.
    person: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Who says so; default: the system user.
    #[arg(long = "as", value_name = "NAME")]
    by: Option<String>,
}

impl ForgetArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As told in its help.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let Some(person) = PersonWanted::typed(&self.person) else {
            return Err(Failure::usage(anyhow!("a person is named by a mail address, or by DESK/ID")));
        };
        let cases = ledger(context)?.cases_of(&person)?.len();
        let question = format!("The text of {cases} cases will be erased from the ledger, for good.");
        if !self.yes && !context.confirmed(&question) {
            let words = anyhow!("{question} Nothing was erased: say --yes where nobody can be asked");
            return Err(Failure::problems(words));
        }
        give(context, Command::Forget { person }, self.by.as_deref())?;
        // What was overwritten is not in the tables any more; free pages and the log go now.
        let path = lies_at(context)?;
        if compacted(context, &path)?.log_is_empty || log_emptied(context, &path)? {
            return Ok(ExitCode::SUCCESS);
        }
        let words = "it is erased, and somebody has read the ledger for a minute: until they are done the old pages lie in its log. \
                     Then `handoffd ledger compact`";
        Err(Failure::problems(anyhow!(words)))
    }
}
