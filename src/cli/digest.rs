//! `handoffd digest`: the lead's week from the ledger, beside the week before.

use super::control::{configuration, ledger, now};
use super::failure::Failure;
use super::output::{Context, tame};
use crate::insight::digest::Digest;
use clap::Args;
use std::process::ExitCode;

/// The lead's week.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd digest                                        Markdown, which reads well as text too
  handoffd --json digest
  handoffd digest | mail -s 'Handoffs this week' support-ops@acme.example   from a weekly timer

The daemon sends it by itself, once a week: [policy] digest = { to = [\"owner-mail\"], day = \"mon\", at = \"08:00\", zone = \"Europe/Berlin\" }")]
pub struct DigestArgs {}

impl DigestArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 2 for a wrong configuration, 3 where the ledger cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = configuration(context)?;
        let digest = Digest::read(&ledger(context)?, &config.policy, now())?;
        if context.json {
            context.print_json(&digest)?;
        } else {
            let text = digest.text();
            context.print(text.lines().map(tame).collect::<Vec<_>>().join("\n").trim_end());
        }
        Ok(ExitCode::SUCCESS)
    }
}
