//! `handoffd policy`: versions, modes and signatures; and signing the wordings of a public message or a sensitive rule.

use super::control::{configuration, give, ledger};
use super::failure::Failure;
use super::output::{Context, Tint, table, tame};
use super::policy_versions::{Diff, History, Rollback};
use crate::config::Config;
use crate::daemon::control::Command;
use crate::ledger::policies::Choice;
use crate::ledger::records::SignedWording;
use crate::policy::case::SignedRule;
use crate::policy::document::{Around, document, path};
use crate::policy::hold;
use crate::policy::names::MessageName;
use crate::policy::rules::{Mode, Policy, PublicMessage, Rule};
use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The policy.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd policy show
  handoffd policy doc > handoffs.md
  handoffd policy history --rule refund-over-limit
  handoffd policy diff                                                      what the file would change
  handoffd policy diff 3f0a 91bc
  handoffd policy rollback 3f0a --reason 'too many refunds went to billing'
  handoffd policy approve escalated --as support-ops@acme.example           a message, in its wording
  handoffd policy approve refund-over-limit --as security@acme.example      a sensitive rule, in its version")]
pub struct PolicyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Versions and modes of the rules, and which messages are signed.
    Show,
    /// Print the readable document of the policy, as Markdown: each path with its answers, teams, messages, limits.
    Doc {
        /// Write it to this file instead of the screen.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Which policies have run, since when, and what each said differently from the one before.
    History(History),
    /// What two policies say differently: the one that runs and the file, or any two that have run.
    Diff(Diff),
    /// Run a policy that has run before in place of the file's, until the file says something else: at once in a daemon that
    /// runs, else from the next start on.
    Rollback(Rollback),
    /// Sign a public message in the wording of the file, or a sensitive rule in its version: it is shown first, whole.
    Approve {
        /// The message's or the rule's name.
        name: String,
        /// Who signs: one of the message's signers, or the policy's second reviewer.
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
        let config = || configuration(context);
        match &self.what {
            What::Show => show(context, &config()?),
            What::History(history) => history.run(context),
            What::Diff(diff) => diff.run(context, &config()?),
            What::Rollback(rollback) => rollback.run(context),
            What::Doc { output } => doc(context, &config()?, output.as_deref()),
            What::Approve { name, by, yes } => approve(context, &config()?, name, by, *yes),
        }
    }
}

fn approve(context: &Context, config: &Config, name: &str, by: &str, yes: bool) -> Result<ExitCode, Failure> {
    let policy = &config.policy;
    let message = policy.messages.get(&MessageName::new(name));
    let rule = policy.rules().find(|rule| rule.name.as_str() == name && rule.sensitive);
    let (shown, question, command) = match (message, rule) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage(anyhow!("{name} is both a message and a sensitive rule: rename one of them")));
        }
        (Some(message), None) => {
            let command = Command::Sign { message: message.name.clone(), wording: message.wording_hash.clone() };
            (wordings(context, message), format!("Customers will read this, signed by {by}."), command)
        }
        (None, Some(rule)) => {
            let command = Command::SignRule { rule: rule.name.clone(), version: rule.version.clone() };
            let signatures = Known::read(context, config)?.signatures;
            let is_signed = |message: &str, wording: &str| signatures.iter().any(|it| it.covers(message, wording));
            let escalation = policy.escalation(&rule.name);
            let shown = escalation.map(|escalation| path(policy, escalation, &is_signed)).unwrap_or_default();
            (tame_lines(&shown), format!("This rule will act on the helpdesk, signed by {by}."), command)
        }
        (None, None) => return Err(Failure::usage(nothing_to_sign(policy, name))),
    };
    if !context.json {
        context.say(&shown);
    }
    if !yes && !context.confirmed(&question) {
        return Err(Failure::problems(anyhow!("not signed: read what is shown above, then repeat with --yes")));
    }
    give(context, command, Some(by))
}

fn nothing_to_sign(policy: &Policy, name: &str) -> anyhow::Error {
    let messages = policy.messages.keys().map(MessageName::as_str);
    let rules = policy.rules().filter(|rule| rule.sensitive).map(|rule| rule.name.as_str());
    let known: Vec<&str> = messages.chain(rules).collect();
    let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
    anyhow!("there is no [messages.{name}] and no sensitive rule of that name; what can be signed: {known}")
}

/// A text of several lines without what a terminal would obey.
fn tame_lines(text: &str) -> String {
    text.lines().map(tame).collect::<Vec<_>>().join("\n")
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
    /// The policy that runs, or ran last; none: none has.
    in_force: Option<String>,
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
    sensitive: bool,
    /// Of a sensitive rule: who has signed this version of it.
    signed_by: Option<String>,
}

#[derive(Serialize)]
struct ShownMessage {
    name: String,
    wording: String,
    signers: Vec<String>,
    signed_by: Option<String>,
}

fn shown(config: &Config, signatures: &[SignedWording], signed_rules: &[SignedRule]) -> Shown {
    let policy = &config.policy;
    let rule = |kind, rule: &Rule, to: &dyn std::fmt::Display| ShownRule {
        name: rule.name.to_string(),
        kind,
        to: to.to_string(),
        version: rule.version.clone(),
        mode: hold::mode(rule, policy, signed_rules),
        share: rule.share,
        sensitive: rule.sensitive,
        signed_by: (rule.sensitive && !hold::waits_for_signature(rule, policy, signed_rules))
            .then(|| policy.header.second_reviewer.clone())
            .flatten(),
    };
    let routes = policy.routes.iter().map(|route| rule("route", &route.rule, &route.to));
    let escalations = policy.escalations.iter().map(|escalation| rule("escalate", &escalation.rule, &escalation.to));
    let message = |message: &PublicMessage| {
        let signed = signatures.iter().find(|signed| signed.covers(message.name.as_str(), &message.wording_hash));
        ShownMessage {
            name: message.name.to_string(),
            wording: message.wording_hash.clone(),
            signers: message.signers.clone(),
            signed_by: signed.map(|signed| format!("{} ({})", signed.signer, signed.system_user)),
        }
    };
    Shown {
        version: policy.version.clone(),
        in_force: None,
        mode: policy.mode,
        rules: routes.chain(escalations).collect(),
        messages: policy.messages.values().map(message).collect(),
    }
}

fn show(context: &Context, config: &Config) -> Result<ExitCode, Failure> {
    let known = Known::read(context, config)?;
    let in_force = known.in_force.clone();
    let shown = Shown { in_force, ..shown(config, &known.signatures, &known.signed_rules) };
    if let Some(instead) = known.instead(config) {
        context.say(&tame(&format!("This is the file's policy. {instead}")));
    }
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
            match (&rule.signed_by, rule.sensitive) {
                (Some(by), _) => by.clone(),
                (None, true) => context.tinted("not signed: in shadow", Tint::Waits),
                (None, false) => "not sensitive".to_owned(),
            },
        ]
    });
    context.print(&table(["rule", "kind", "to", "version", "mode", "share", "signed"], rules));
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

/// What the ledger knows of policies: nothing before the first run.
#[derive(Default)]
struct Known {
    signatures: Vec<SignedWording>,
    signed_rules: Vec<SignedRule>,
    choice: Option<Choice>,
    /// The policy that runs, or ran last.
    in_force: Option<String>,
}

impl Known {
    fn read(context: &Context, config: &Config) -> Result<Self, Failure> {
        if !config.daemon.ledger.exists() {
            return Ok(Self::default());
        }
        let ledger = ledger(context)?;
        Ok(Self {
            signatures: ledger.signatures()?,
            signed_rules: ledger.signed_rules()?,
            choice: ledger.chosen_policy()?,
            in_force: ledger.policy_runs(1)?.pop().map(|run| run.version),
        })
    }

    /// What runs instead of the file's policy: what a person put in its place, or what the file said before.
    fn instead(&self, config: &Config) -> Option<String> {
        let file = &config.policy.version;
        if let Some(Choice { version, by, reason, .. }) = self.choice.as_ref().filter(|it| it.instead_of == *file) {
            return Some(format!("{version} runs in its place, as {by} said: {reason}"));
        }
        let runs = self.in_force.as_ref().filter(|runs| *runs != file)?;
        Some(format!(
            "{runs} is what has run last, and runs on until the file is taken in: `handoffd reload`, or the next start. `handoffd \
             policy diff` shows the difference."
        ))
    }
}

fn doc(context: &Context, config: &Config, output: Option<&Path>) -> Result<ExitCode, Failure> {
    let known = Known::read(context, config)?;
    let instead = known.instead(config);
    let Known { signatures, signed_rules, .. } = known;
    let systems: Vec<(String, String, String)> = config
        .desks
        .iter()
        .map(|(id, desk)| (id.to_string(), desk.connector.clone(), desk.url.host_str().unwrap_or_default().to_owned()))
        .collect();
    let is_signed = |message: &str, wording: &str| signatures.iter().any(|signed| signed.covers(message, wording));
    let around =
        Around { systems: &systems, signed_rules: &signed_rules, is_signed: &is_signed, instead: instead.as_deref() };
    let text = document(&config.policy, &around);
    match output {
        Some(path) => {
            std::fs::write(path, &text).with_context(|| format!("{} cannot be written", path.display()))?;
            context.say(&format!("written to {}", path.display()));
        }
        None if context.json => {
            context.print_json(&serde_json::json!({ "version": config.policy.version, "markdown": text }))?;
        }
        None => context.print(&tame_lines(&text)),
    }
    Ok(ExitCode::SUCCESS)
}

fn mode(context: &Context, mode: Mode) -> String {
    match mode {
        Mode::Shadow => context.tinted("shadow", Tint::Waits),
        Mode::Live => context.tinted("live", Tint::Good),
    }
}
