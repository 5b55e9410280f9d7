//! `handoffd policy`: versions, modes and signatures; and signing the wordings of a public message.

use super::control::{configuration, give, ledger};
use super::failure::Failure;
use super::output::{Context, Tint, table, tame};
use crate::config::Config;
use crate::daemon::control::Command;
use crate::ledger::records::SignedWording;
use crate::policy::names::MessageName;
use crate::policy::rules::{Mode, PublicMessage, Rule};
use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::process::ExitCode;

/// The policy.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd policy show
  handoffd policy approve escalated --as support-ops@acme.example")]
pub struct PolicyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Versions and modes of the rules, and which messages are signed.
    Show,
    /// Sign a public message in the wording of the file: it is shown first, in every language.
    Approve {
        /// The message's name.
        message: String,
        /// Who signs: one of the message's signers.
        #[arg(long = "as", value_name = "SIGNER")]
        by: String,
        /// Do not ask: the wordings were read.
        #[arg(long)]
        yes: bool,
    },
}

impl PolicyArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 1 where a signature is refused, 2 for wrong usage, 3 where the ledger cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = configuration(context)?;
        match &self.what {
            What::Show => show(context, &config),
            What::Approve { message, by, yes } => approve(context, &config, message, by, *yes),
        }
    }
}

fn approve(context: &Context, config: &Config, name: &str, by: &str, yes: bool) -> Result<ExitCode, Failure> {
    let name = MessageName::new(name);
    let message = config.policy.messages.get(&name).ok_or_else(|| {
        let known: Vec<&str> = config.policy.messages.keys().map(MessageName::as_str).collect();
        Failure::usage(anyhow!("there is no [messages.{name}]; the policy has: {}", known.join(", ")))
    })?;
    if !context.json {
        context.say(&wordings(context, message));
    }
    if !yes && !context.confirmed(&format!("Customers will read this, signed by {by}.")) {
        return Err(Failure::problems(anyhow!("not signed: read the wordings above, then repeat with --yes")));
    }
    give(context, config, Command::Sign { message: name, wording: message.wording_hash.clone() }, Some(by))
}

fn wordings(context: &Context, message: &PublicMessage) -> String {
    let mut text = format!("{} in the wording {}:", context.strong(message.name.as_str()), message.wording_hash);
    for (language, wording) in &message.wordings {
        text.push_str(&format!("\n\n[{language}]"));
        for line in wording.lines() {
            text.push_str(&format!("\n  {}", tame(line)));
        }
    }
    text.push('\n');
    text
}

/// What `policy show --json` prints.
#[derive(Serialize)]
struct Shown {
    version: String,
    mode: Mode,
    rules: Vec<ShownRule>,
    messages: Vec<ShownMessage>,
}

#[derive(Serialize)]
struct ShownRule {
    name: String,
    kind: &'static str,
    to: String,
    version: String,
    mode: Mode,
    share: f64,
}

#[derive(Serialize)]
struct ShownMessage {
    name: String,
    wording: String,
    signers: Vec<String>,
    signed_by: Option<String>,
}

fn shown(config: &Config, signatures: &[SignedWording]) -> Shown {
    let policy = &config.policy;
    let rule = |kind, rule: &Rule, to: &dyn std::fmt::Display| ShownRule {
        name: rule.name.to_string(),
        kind,
        to: to.to_string(),
        version: rule.version.clone(),
        mode: stricter(rule.mode, policy.mode),
        share: rule.share,
    };
    let routes = policy.routes.iter().map(|route| rule("route", &route.rule, &route.to));
    let escalations = policy.escalations.iter().map(|escalation| rule("escalate", &escalation.rule, &escalation.to));
    let message = |message: &PublicMessage| {
        let same =
            |signed: &&SignedWording| signed.message == message.name.as_str() && signed.wording == message.wording_hash;
        let signed = signatures.iter().find(same);
        ShownMessage {
            name: message.name.to_string(),
            wording: message.wording_hash.clone(),
            signers: message.signers.clone(),
            signed_by: signed.map(|signed| format!("{} ({})", signed.signer, signed.system_user)),
        }
    };
    Shown {
        version: policy.version.clone(),
        mode: policy.mode,
        rules: routes.chain(escalations).collect(),
        messages: policy.messages.values().map(message).collect(),
    }
}

fn stricter(one: Mode, other: Mode) -> Mode {
    if one == Mode::Live && other == Mode::Live { Mode::Live } else { Mode::Shadow }
}

fn show(context: &Context, config: &Config) -> Result<ExitCode, Failure> {
    // A policy can be shown before the first run.
    let signatures = if config.daemon.ledger.exists() { ledger(config)?.signatures()? } else { Vec::new() };
    let shown = shown(config, &signatures);
    if context.json {
        context.print_json(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    context.print(&format!("policy {}  mode {}", context.strong(&shown.version), mode(context, shown.mode)));
    let rules = shown.rules.iter().map(|rule| {
        let share = format!("{} %", rule.share * 100.0);
        [
            rule.name.clone(),
            rule.kind.to_owned(),
            rule.to.clone(),
            rule.version.clone(),
            mode(context, rule.mode),
            share,
        ]
    });
    context.print(&table(["rule", "kind", "to", "version", "mode", "share"], rules));
    if !shown.messages.is_empty() {
        let messages = shown.messages.iter().map(|message| {
            let unsigned = || context.tinted("not signed: not sent", Tint::Waits);
            let signed = message.signed_by.clone().unwrap_or_else(unsigned);
            [message.name.clone(), message.wording.clone(), signed, message.signers.join(", ")]
        });
        context.print(&format!("\n{}", table(["message", "wording", "signed", "may sign"], messages)));
    }
    Ok(ExitCode::SUCCESS)
}

fn mode(context: &Context, mode: Mode) -> String {
    match mode {
        Mode::Shadow => context.tinted("shadow", Tint::Waits),
        Mode::Live => context.tinted("live", Tint::Good),
    }
}
