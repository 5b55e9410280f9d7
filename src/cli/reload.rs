//! `handoffd reload`: the running daemon takes in what its configuration's file says now, all of it or nothing.

use super::control::{ask_daemon, order};
use super::failure::Failure;
use super::output::{Context, tame};
use super::policy_versions::print_changes;
use crate::config;
use crate::daemon::control::{Changes, Command, Reply, socket_path};
use anyhow::anyhow;
use clap::Args;
use std::process::ExitCode;

/// Takes the file in without a restart.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd reload                  what changed is printed; where anything is wrong, nothing is taken in
  kill -HUP <pid of handoffd>      the same; what came of it is in the log and in /healthz

The file is the one that the daemon was started with; --config is only used to find that daemon.
Open handoffs keep what they were decided by. The addresses, the ledger, the log's form, and a desk's connector and url
take a restart: where one of them is another, nothing is taken in, and they are named.

Exit codes: 0 taken in, or nothing to take in; 1 refused; 2 the file is wrong; 3 no daemon runs.")]
pub struct ReloadArgs {
    /// Who says so; left out: the system user.
    #[arg(long = "as", value_name = "NAME")]
    by: Option<String>,
}

impl ReloadArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As told in its help.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (order, _) = order(Command::Reload, self.by.as_deref())?;
        // The file may be broken: it is read as far as it takes to find the daemon, which then says what is wrong with it.
        let socket = socket_path(&config::ledger_of(&context.config_path));
        let answer = super::run::runtime()?.block_on(ask_daemon(&socket, &order))?;
        let Some(answer) = answer else { return Err(no_daemon(context)) };
        shown(context, &answer?)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn no_daemon(context: &Context) -> Failure {
    let path = &context.config_path;
    let socket = socket_path(&config::ledger_of(path));
    let words = format!("no handoffd listens on {}", socket.display());
    match config::load(path) {
        Ok(_) => Failure::unreachable(anyhow!("{words}: `handoffd run` reads the file when it starts")),
        Err(problems) => Failure::usage(anyhow!("{problems}{words}, which is as far as this file could be read")),
    }
}

/// Prints what came of it, with what is another now.
///
/// # Errors
/// When it cannot be printed.
pub(super) fn shown(context: &Context, reply: &Reply) -> Result<(), Failure> {
    if context.json {
        return context.print_json(reply);
    }
    if let Some(Changes { policy, settings, .. }) = reply.changes.as_deref() {
        print_changes(context, policy);
        for setting in settings {
            context.print(&tame(setting));
        }
    }
    context.print(&reply.said);
    Ok(())
}
