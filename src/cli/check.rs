//! `handoffd check`: every problem of the configuration at once, and the policy's own tests; `--online` also logins,
//! rights, queues and fields.

use super::check_tests::TestRun;
use super::failure::Failure;
use super::output::{Context, Tint};
use crate::clock::{SystemClock, SystemRandom};
use crate::config::{self, Config, DeskConfig, Look, Problems, render, secrets};
use crate::daemon::alert_wiring::open_channels;
use crate::daemon::wiring::open_desks;
use crate::policy::rules::{FieldDeclaration, FieldOwner, Mode, Policy};
use crate::registry;
use clap::Args;
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::{Desk, Directory, Finding, Severity};
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::HttpTransport;
use std::process::ExitCode;
use std::sync::Arc;

/// Check configuration and policy, and run the policy's own tests.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd check                       offline: needs no secret and no network; runs every [[test]] of the policy
  handoffd check --online              also asks every desk: login, rights, queues, fields
  handoffd --json check | jq '.problems[]'")]
pub struct CheckArgs {
    /// Also ask the desks: logins, rights, queues, fields. Changes nothing: a right to write is tried with what the desk must
    /// refuse. Whether a desk sends webhooks is not tried; where to look is said.
    #[arg(long)]
    online: bool,
    /// Warnings too end with exit code 1.
    #[arg(long)]
    strict: bool,
}

impl CheckArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 2 for a wrong configuration, 1 for a test that does not pass and for findings online, 3 for a desk that does
    /// not answer.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (config, problems) = config::examine(&context.config_path);
        let config = match config {
            Some(config) if !problems.has_errors() => config,
            config => return refused(context, config.as_ref(), problems),
        };
        let tests = TestRun::of(&config);
        if !self.online {
            let mut problems = config.warnings.clone();
            problems.extend(secrets::check(&config, &environment));
            problems.extend(config.overdue(SystemClock.now()));
            return self.offline(context, &config, &problems, &tests);
        }
        let seams = seams();
        let desks = match open_desks(&config, &environment, &seams) {
            Ok(desks) => desks,
            Err(problems) => return show_with(context, problems, &config.warnings),
        };
        if let Err(problems) = open_channels(&config, &environment, &seams, None) {
            return show_with(context, problems, &config.warnings);
        }
        if !config.alerts.is_empty() {
            context.say("Alert channels are open and not tried: `handoffd alerts test NAME` sends one test alert.");
        }
        let runtime = super::run::runtime()?;
        runtime.block_on(ask_desks(context, &config, desks.into_iter().collect(), &tests))
    }

    /// Prints what there is to say without a network, and gives the exit code.
    fn offline(
        &self,
        context: &Context,
        config: &Config,
        problems: &Problems,
        tests: &TestRun,
    ) -> Result<ExitCode, Failure> {
        let commands = secrets::commands(config);
        let warned = self.strict && !problems.is_empty();
        let code = if problems.has_errors() { 2 } else { u8::from(tests.fails() || warned) };
        if context.json {
            let mut found = problems.to_json();
            found["tests"] = tests.to_json().map_err(anyhow::Error::from)?;
            if commands > 0 {
                found["commands_not_run"] = commands.into();
            }
            context.print_json(&found)?;
            return Ok(ExitCode::from(code));
        }
        context.say(&summary(&config.policy));
        if commands > 0 {
            context.say(&format!(
                "{commands} secrets come from commands, which an offline check does not run: `handoffd check --online` does"
            ));
        }
        tests.print(context);
        let mut all = tests.failures().clone();
        all.extend(problems.clone());
        show(context, &all, code)?;
        Ok(ExitCode::from(code))
    }
}

/// A configuration that cannot be used: with all that is wrong with it, whatever else can be told of it already.
fn refused(context: &Context, config: Option<&Config>, mut problems: Problems) -> Result<ExitCode, Failure> {
    if let Some(config) = config {
        problems.extend(secrets::check(config, &environment));
        if !config.tests.is_empty() {
            let tests = counted(config.tests.len(), "test");
            context.say(&format!(
                "{tests} of the policy not run: first repair the errors, then run `handoffd check` again"
            ));
        }
    }
    show(context, &problems, 2)
}

/// So many of these, in words.
fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// A variable of this process's environment.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The real clock, chance and socket. Some desks starve on more than a few idle connections.
pub fn seams() -> Seams {
    let transport = HttpTransport::new(2);
    Seams { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport: Arc::new(transport) }
}

/// Prints problems where they are read, and gives the exit code.
///
/// # Errors
/// When they cannot be printed.
pub fn show(context: &Context, problems: &Problems, code: u8) -> Result<ExitCode, Failure> {
    if context.json {
        context.print_json(&problems.to_json())?;
    } else if problems.is_empty() {
        context.say("no problems found");
    } else {
        context.say(&render(problems, if context.color { Look::Colored } else { Look::Plain }));
    }
    Ok(ExitCode::from(if problems.has_errors() { code.max(1) } else { 0 }))
}

/// Problems that stop a check, with what else was found.
fn show_with(context: &Context, mut problems: Problems, warnings: &Problems) -> Result<ExitCode, Failure> {
    problems.extend(warnings.clone());
    show(context, &problems, 2)
}

fn summary(policy: &Policy) -> String {
    let live = policy.rules().filter(|rule| rule.mode == Mode::Live);
    let (live, sensitive) =
        live.fold((0, 0), |(all, sensitive), rule| (all + 1, sensitive + u32::from(rule.sensitive)));
    let signed = match sensitive {
        0 => String::new(),
        _ => format!(", {sensitive} of them sensitive: in shadow until signed"),
    };
    format!(
        "policy {}: {}, {}, {}, {} ({live} live{signed}; the daemon's mode is {})",
        policy.version,
        counted(policy.desks.len(), "desk"),
        counted(policy.teams.len(), "team"),
        counted(policy.routes.len(), "route"),
        counted(policy.escalations.len(), "escalation"),
        if policy.mode == Mode::Live { "live" } else { "shadow" }
    )
}

async fn ask_desks(
    context: &Context,
    config: &Config,
    desks: Vec<(DeskId, Arc<dyn Desk>)>,
    tests: &TestRun,
) -> Result<ExitCode, Failure> {
    let mut all = Vec::new();
    let mut unreachable = false;
    for (id, desk) in desks {
        let mut findings = match desk.check(&config.policy.queues(&id)).await {
            Ok(findings) => findings,
            Err(error) => {
                unreachable = true;
                vec![Finding {
                    severity: Severity::Error,
                    what: error.to_string(),
                    next_step: error.next_step.unwrap_or_else(|| "is the url right, and the desk up?".into()),
                }]
            }
        };
        match desk.directory().await {
            Ok(directory) => findings.extend(missing(&config.policy, &id, &directory)),
            Err(error) if !unreachable => findings.push(Finding {
                severity: Severity::Error,
                what: format!("fields cannot be listed: {error}"),
                next_step: error.next_step.unwrap_or_else(|| "grant the right to list them".into()),
            }),
            Err(_) => {}
        }
        findings.extend(config.desks.get(&id).map(webhooks));
        if !unreachable {
            findings.extend(super::check_people::people(&config.policy, &id, desk.as_ref()).await);
        }
        all.push((id, findings));
    }
    print_findings(context, &all, tests, &config.warnings)?;
    let wrong = all.iter().flat_map(|(_, findings)| findings).any(|finding| finding.severity == Severity::Error);
    Ok(ExitCode::from(if unreachable { 3 } else { u8::from(wrong || tests.fails()) }))
}

/// Every vendor shows its webhooks to admins alone, and handoffd's account need be none: so nothing is tried, and that is said.
fn webhooks(desk: &DeskConfig) -> Finding {
    let place = registry::webhook_place(&desk.connector);
    if desk.webhook.is_empty() {
        let poll = desk.poll.as_secs();
        return Finding::fine(format!("webhooks: none is configured; the desk is asked every {poll} seconds"));
    }
    Finding::fine(format!(
        "webhooks: whether the desk sends them was not tried, since it shows that to its admins alone: look at {place}"
    ))
}

/// Ticket fields of the policy that the desk does not have. What it lacks of the queues, its own check says.
fn missing(policy: &Policy, id: &DeskId, directory: &Directory) -> Vec<Finding> {
    let fields = policy.desks.get(id).into_iter().flat_map(|desk| &desk.fields);
    let of_tickets = fields.filter(|(_, field)| field.of == FieldOwner::Ticket);
    let lacking = of_tickets.filter(|(_, field)| !directory.fields.is_empty() && !directory.fields.contains(&field.id));
    let finding = |(name, field): (&String, &FieldDeclaration)| Finding {
        severity: Severity::Error,
        what: format!("field {name}: the desk has no ticket field \"{}\"", field.id),
        next_step: "look its id up in the desk's settings".into(),
    };
    lacking.map(finding).collect()
}

/// Prints what the desks say, with what can be told without them.
fn print_findings(
    context: &Context,
    all: &[(DeskId, Vec<Finding>)],
    tests: &TestRun,
    warnings: &Problems,
) -> Result<(), Failure> {
    if context.json {
        let rows: Vec<serde_json::Value> = all
            .iter()
            .flat_map(|(desk, findings)| {
                findings.iter().map(move |finding| {
                    serde_json::json!({
                        "desk": desk, "severity": format!("{:?}", finding.severity).to_lowercase(),
                        "what": finding.what, "next_step": finding.next_step,
                    })
                })
            })
            .collect();
        let mut found = warnings.to_json();
        found["findings"] = rows.into();
        found["tests"] = tests.to_json().map_err(anyhow::Error::from)?;
        return context.print_json(&found);
    }
    tests.print(context);
    let mut offline = tests.failures().clone();
    offline.extend(warnings.clone());
    if !offline.is_empty() {
        context.say(&render(&offline, if context.color { Look::Colored } else { Look::Plain }));
    }
    for (desk, findings) in all {
        for finding in findings {
            let (word, tint) = match finding.severity {
                Severity::Fine => ("fine", Tint::Good),
                Severity::Warning => ("warning", Tint::Waits),
                Severity::Error => ("error", Tint::Bad),
            };
            context.print(&format!("{desk}: {}: {}", context.tinted(word, tint), finding.what));
            if finding.severity != Severity::Fine {
                context.print(&format!("    next: {}", finding.next_step));
            }
        }
    }
    Ok(())
}
