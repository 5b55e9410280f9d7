//! `handoffd pause` and `resume`: kill switches, durable, effective within two seconds.

use super::control::give;
use super::failure::Failure;
use super::output::Context;
use crate::daemon::control::Command;
use crate::ledger::records::Switch;
use crate::policy::names::RuleName;
use clap::Args;
use handoffd_kit::id::DeskId;
use std::process::ExitCode;

/// Stop handing off.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd pause                              everything
  handoffd pause --desk acme
  handoffd pause --rule refund-over-limit

What is paused is still watched and decided; nothing is sent. A pause outlives restarts.")]
pub struct PauseArgs {
    #[command(flatten)]
    which: Which,
}

/// Undo a pause.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd resume
  handoffd resume --rule refund-over-limit

Each pause is undone by itself: `resume` alone does not resume a desk or a rule that was paused by name.")]
pub struct ResumeArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
struct Which {
    /// This desk alone.
    #[arg(long, conflicts_with = "rule")]
    desk: Option<String>,
    /// This rule alone.
    #[arg(long)]
    rule: Option<String>,
    /// Who decides; default: the system user.
    #[arg(long = "as", value_name = "NAME")]
    by: Option<String>,
}

impl Which {
    fn order(&self, context: &Context, on: bool) -> Result<ExitCode, Failure> {
        let switch = match (&self.desk, &self.rule) {
            (Some(desk), _) => Switch::Desk(DeskId::new(desk)),
            (None, Some(rule)) => Switch::Rule(RuleName::new(rule)),
            (None, None) => Switch::All,
        };
        give(context, Command::Switch { switch, on }, self.by.as_deref())
    }
}

impl PauseArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 2 for an unknown desk or rule, 3 where the ledger cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        self.which.order(context, true)
    }
}

impl ResumeArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 3 where the ledger cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        self.which.order(context, false)
    }
}
