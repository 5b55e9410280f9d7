//! The command line: one file per command. Data goes to stdout, talk to stderr. Exit codes: 0 fine, 1 problems found,
//! 2 wrong usage or config, 3 desk or ledger unreachable.

mod alerts;
pub mod audit;
pub mod case;
pub mod check;
mod check_people;
mod check_tests;
mod completions;
pub mod control;
pub mod demo;
mod dialect;
mod digest;
pub mod explain;
mod explain_shown;
pub mod failure;
pub mod forget;
pub mod handoffs;
mod health;
mod init;
pub mod ledger;
mod man;
pub mod output;
pub mod owners;
pub mod parked;
pub mod pause;
pub mod policy;
mod policy_versions;
pub mod reload;
pub mod report;
mod review_edit;
pub mod reviews;
mod roles;
pub mod run;
pub mod sandbox;
mod schema;
mod shown;
pub mod simulate;

use clap::{CommandFactory, Parser, Subcommand};
use failure::Failure;
use output::Context;
use std::path::PathBuf;
use std::process::ExitCode;

/// Carries support handoffs out, whole: context, owner, clock, word to the customer.
#[derive(Parser)]
#[command(name = "handoffd", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Examples:
  handoffd demo                        the whole job on an embedded helpdesk, nothing to configure
  handoffd check                       every problem of handoffd.toml at once
  handoffd explain acme/4711           why a rule fires, or does not, for one ticket
  handoffd run                         the daemon

Exit codes: 0 fine, 1 problems found, 2 wrong usage or config, 3 desk or ledger unreachable.")]
struct Arguments {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = "handoffd.toml", env = "HANDOFFD_CONFIG")]
    config: PathBuf,
    /// Print data as JSON, for scripts.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The whole job on an embedded sandbox helpdesk: real HTTP, real ledger, real connector.
    Demo(demo::DemoArgs),
    /// The daemon.
    Run(run::RunArgs),
    /// How the daemon that runs is, with the next step of everything that is less than well.
    Health(health::HealthArgs),
    /// The first configuration: asks, tries the login, lists the desk's queues and fields.
    Init(init::InitArgs),
    /// Check configuration and policy, offline; `--online` also logins, rights, queues, fields.
    Check(check::CheckArgs),
    /// Every rule's verdict on one ticket now, with the facts.
    Explain(explain::ExplainArgs),
    /// Handoffs: list, show, retry, undo, release.
    Handoffs(handoffs::HandoffsArgs),
    /// Reviews: list, approve, reject, edit.
    Reviews(reviews::ReviewsArgs),
    /// What is open about ownership: unclaimed handoffs, owners who are gone, open tasks.
    Owners(owners::OwnersArgs),
    /// Who had one case from when to when, and by which change; also as CSV.
    Case(case::CaseArgs),
    /// What waits for a person: list, retry, drop.
    Parked(parked::ParkedArgs),
    /// The channels by which people are told outside the helpdesk: list, test.
    Alerts(alerts::AlertsArgs),
    /// Stop all handoffs, or those of a desk or a rule, within two seconds.
    Pause(pause::PauseArgs),
    /// Undo a pause.
    Resume(pause::ResumeArgs),
    /// Take in what the configuration's file says now, without a restart: all of it or nothing.
    Reload(reload::ReloadArgs),
    /// The policy: show, document, history and differences; sign messages and sensitive rules.
    Policy(policy::PolicyArgs),
    /// What handoffs really do, from the ledger or any event log.
    Report(report::ReportArgs),
    /// The lead's week from the ledger, beside the week before.
    Digest(digest::DigestArgs),
    /// A policy over history: what it would have done, and what people did.
    Simulate(simulate::SimulateArgs),
    /// The ledger's file: check, backup, restore, compact.
    Ledger(ledger::LedgerArgs),
    /// The record of who did what: verify, export.
    Audit(audit::AuditArgs),
    /// Erase a person's text from the ledger, on their wish.
    Forget(forget::ForgetArgs),
    /// The embedded helpdesk alone, to rehearse a policy.
    Sandbox(sandbox::SandboxArgs),
    /// A JSON Schema of the configuration, for editors.
    Schema(schema::SchemaArgs),
    /// A completion script for a shell.
    Completions(completions::CompletionsArgs),
    /// The manual page.
    Man(man::ManArgs),
}

/// The whole command line as a description, for manuals and for tests of what the documents show.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Parses the command line, runs one command, prints what went wrong once.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let context = Context::new(arguments.config, arguments.json);
    match dispatch(&context, arguments.command) {
        Ok(code) => code,
        Err(failure) => failure.print(&context),
    }
}

fn dispatch(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo(args) => args.run(context),
        Command::Run(args) => args.run(context),
        Command::Health(args) => args.run(context),
        Command::Init(args) => args.run(context),
        Command::Check(args) => args.run(context),
        Command::Explain(args) => args.run(context),
        Command::Handoffs(args) => args.run(context),
        Command::Reviews(args) => args.run(context),
        Command::Owners(args) => args.run(context),
        Command::Case(args) => args.run(context),
        Command::Parked(args) => args.run(context),
        Command::Alerts(args) => args.run(context),
        Command::Pause(args) => args.run(context),
        Command::Resume(args) => args.run(context),
        Command::Reload(args) => args.run(context),
        Command::Policy(args) => args.run(context),
        Command::Report(args) => args.run(context),
        Command::Digest(args) => args.run(context),
        Command::Simulate(args) => args.run(context),
        Command::Ledger(args) => args.run(context),
        Command::Audit(args) => args.run(context),
        Command::Forget(args) => args.run(context),
        Command::Sandbox(args) => args.run(context),
        Command::Schema(args) => args.run(context),
        Command::Completions(args) => args.run(context),
        Command::Man(args) => args.run(context),
    }
}
