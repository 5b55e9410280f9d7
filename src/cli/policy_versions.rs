//! `handoffd policy history`, `policy diff` and `policy rollback`: which policies have run, what they say differently, key by
//! key, and one of them in place of the file's.

use super::control::{carry_out, give, ledger, now};
use super::failure::Failure;
use super::output::{Context, ago, table, tame};
use super::reload::shown;
use crate::config::{self, Config};
use crate::daemon::control::Command;
use crate::ledger::Ledger;
use crate::ledger::policies::PolicyRun;
use crate::policy::hold::waits_for_signature;
use crate::policy::meaning::{Change, Meaning};
use crate::policy::names::RuleName;
use anyhow::anyhow;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// More policies than this are not looked through for a version.
const MOST_RUNS: usize = 10_000;
/// Fewer digits than this name no version.
const FEWEST_DIGITS: usize = 4;
/// Longer values stand on lines of their own.
const SHORT: usize = 40;

/// Which policies have run.
#[derive(Args)]
pub(super) struct History {
    /// Only what changed about this rule.
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// The latest so many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    last: u32,
}

/// What two policies say differently.
#[derive(Args)]
pub(super) struct Diff {
    /// The first: a version, or its first digits; `file` is the policy of the file. Left out: the one that runs.
    #[arg(value_name = "FROM")]
    from: Option<String>,
    /// The second. Left out: the policy of the file.
    #[arg(value_name = "TO")]
    to: Option<String>,
    /// Only about this rule. FROM and TO may be versions of the rule then, as notes name them.
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
}

/// A policy that has run, in place of the file's.
#[derive(Args)]
pub(super) struct Rollback {
    /// The version, or its first digits; `file` lets the file's policy run again.
    #[arg(value_name = "VERSION")]
    to: String,
    /// Why: it stands in health as long as it lasts.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who says so; left out: the system user.
    #[arg(long = "as", value_name = "NAME")]
    by: Option<String>,
    /// Do not ask: the difference was read.
    #[arg(long)]
    yes: bool,
}

impl Rollback {
    /// Shows what would change, and orders it.
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (file, reason) = (config::load(&context.config_path), self.reason.clone());
        let instead_of = match &file {
            Ok(config) => config.policy.version.clone(),
            Err(_) => last_read(context)?,
        };
        if self.to == "file" {
            return give(context, Command::Rollback { version: None, instead_of, reason }, self.by.as_deref());
        }
        let ledger = ledger(context)?;
        let runs = ledger.policy_runs(MOST_RUNS)?;
        let to = find(&runs, &self.to, None)?;
        let text = ledger.policy_text(&to.version)?.unwrap_or_default();
        drop(ledger);
        // With a file that is broken only the daemon can tell: it has read it when it was not.
        let runnable = file.map_or(Ok(()), |file| file.with_kept_policy(&to.version, &text).map(drop));
        runnable.map_err(|why| Failure::problems(anyhow!("{why}")))?;
        if !context.json {
            let from = running(&runs)?;
            print(context, &from, &to, &from.meaning.changes(&to.meaning));
        }
        if !self.yes && !context.confirmed(&format!("{} takes the place of the file's policy.", to.version)) {
            return Err(Failure::problems(anyhow!(
                "not rolled back: read what is shown above, then repeat with --yes"
            )));
        }
        let command = Command::Rollback { version: Some(to.version), instead_of, reason };
        let mut reply = carry_out(context, command, self.by.as_deref())?;
        if let Some(changes) = reply.changes.as_mut().filter(|_| !context.json) {
            changes.policy.clear(); // It stands above.
        }
        shown(context, &reply)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The version of the file's policy as the daemon last read it, where the file cannot be read any more.
fn last_read(context: &Context) -> Result<String, Failure> {
    let ledger = ledger(context)?;
    if let Some(choice) = ledger.chosen_policy()? {
        return Ok(choice.instead_of);
    }
    Ok(running(&ledger.policy_runs(1)?)?.version)
}

/// One policy that came into force, and what was new about it.
#[derive(Serialize)]
struct Told {
    version: String,
    since: jiff::Timestamp,
    in_force: bool,
    rules: Vec<ToldRule>,
    /// Against the one before; none: there is none before, or it was not kept.
    changes: Option<Vec<Change>>,
}

#[derive(Serialize)]
struct ToldRule {
    name: RuleName,
    version: String,
}

impl History {
    /// Prints it.
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let runs = ledger(context)?.policy_runs(MOST_RUNS)?;
        let file = config::load(&context.config_path).ok().map(|config| config.policy.version);
        if let Some(rule) = &self.rule
            && !runs.iter().any(|run| version_of(run, rule).is_some())
        {
            return Err(Failure::usage(anyhow!("no policy that has run has a rule {rule}")));
        }
        let told = runs.iter().enumerate().map(|(at, run)| self.told(run, runs.get(at + 1), at == 0));
        let most = usize::try_from(self.last).unwrap_or(usize::MAX);
        let told: Vec<Told> = told.flatten().take(most).collect();
        if context.json {
            context.print_json(&serde_json::json!({ "file": file, "runs": told }))?;
            return Ok(ExitCode::SUCCESS);
        }
        if told.is_empty() {
            context.print("No policy has run yet.");
            return Ok(ExitCode::SUCCESS);
        }
        let now = now();
        let row = |told: &Told| {
            let force = if told.in_force { ", in force" } else { "" };
            let rule = told.rules.first().filter(|_| self.rule.is_some());
            let version =
                rule.map_or_else(|| told.version.clone(), |rule| format!("{} of {}", rule.version, told.version));
            [format!("{} ({}{force})", told.since, ago(told.since, now)), version, summary(told.changes.as_deref())]
        };
        context.print(&table(["since", "version", "against the one before"], told.iter().map(row)));
        match file {
            None => context.say(&format!("{} cannot be used as it is.", context.config_path.display())),
            Some(file) if told.first().is_some_and(|told| told.in_force && told.version != file) => {
                context.say(&format!("The file has another policy, {file}: `handoffd policy diff` shows it."));
            }
            Some(_) => {}
        }
        Ok(ExitCode::SUCCESS)
    }

    /// One line; none: nothing of it is about the rule that was asked for.
    fn told(&self, run: &PolicyRun, before: Option<&PolicyRun>, in_force: bool) -> Option<Told> {
        let meanings = before.and_then(|before| before.meaning.as_ref()).zip(run.meaning.as_ref());
        let changes = meanings.map(|(before, now)| about(before.changes(now), self.rule.as_deref()));
        let unchanged = changes.as_ref().is_some_and(Vec::is_empty);
        let never_there = version_of(run, self.rule.as_deref().unwrap_or_default()).is_none() && changes.is_none();
        if self.rule.is_some() && (unchanged || never_there) {
            return None;
        }
        let rules = run.meaning.iter().flat_map(Meaning::rules);
        let asked = rules.filter(|(name, _)| self.rule.as_ref().is_none_or(|rule| name.as_str() == rule));
        Some(Told {
            version: run.version.clone(),
            since: run.since,
            in_force,
            rules: asked.map(|(name, version)| ToldRule { name, version }).collect(),
            changes,
        })
    }
}

fn version_of(run: &PolicyRun, rule: &str) -> Option<String> {
    let rules = run.meaning.as_ref()?.rules();
    rules.into_iter().find(|(name, _)| name.as_str() == rule).map(|(_, version)| version)
}

/// Those about this rule; all, where none is asked for.
fn about(changes: Vec<Change>, rule: Option<&str>) -> Vec<Change> {
    let Some(rule) = rule else { return changes };
    let names = [format!("route.{rule}"), format!("escalate.{rule}")];
    changes.into_iter().filter(|change| names.contains(&change.of)).collect()
}

/// What is new, gone and changed, by name.
fn summary(changes: Option<&[Change]>) -> String {
    let Some(changes) = changes else { return "nothing to compare with".to_owned() };
    let mut kinds: BTreeMap<u8, (&str, Vec<&str>)> = BTreeMap::new();
    for change in changes {
        let (at, word) = match (change.key.as_str(), &change.before, &change.after) {
            ("", None, _) => (0, "new"),
            ("", _, None) => (1, "gone"),
            _ => (2, "changed"),
        };
        let (_, names) = kinds.entry(at).or_insert((word, Vec::new()));
        if !names.contains(&change.of.as_str()) {
            names.push(&change.of);
        }
    }
    let parts: Vec<String> = kinds.values().map(|(word, names)| format!("{word}: {}", names.join(", "))).collect();
    tame(&parts.join("; "))
}

/// One of the two policies.
struct Side {
    /// What it is called.
    shown: String,
    version: String,
    meaning: Meaning,
    is_file: bool,
}

impl Diff {
    /// Prints it.
    pub(super) fn run(&self, context: &Context, config: &Config) -> Result<ExitCode, Failure> {
        let ledger = ledger(context)?;
        let runs = ledger.policy_runs(MOST_RUNS)?;
        let file = || Side {
            shown: format!("{} (the file)", config.policy.version),
            version: config.policy.version.clone(),
            meaning: config.meaning.clone(),
            is_file: true,
        };
        let side = |named: &Option<String>| match named.as_deref() {
            Some("file") => Some(Ok(file())),
            Some(version) => Some(find(&runs, version, self.rule.as_deref())),
            None => None,
        };
        let from = side(&self.from).unwrap_or_else(|| running(&runs))?;
        let to = side(&self.to).unwrap_or_else(|| Ok(file()))?;
        if let Some(rule) = &self.rule {
            let known =
                [&from, &to].iter().any(|side| side.meaning.rules().iter().any(|(name, _)| name.as_str() == rule));
            if !known {
                return Err(Failure::usage(anyhow!("neither policy has a rule {rule}")));
            }
        }
        let changes = about(from.meaning.changes(&to.meaning), self.rule.as_deref());
        if context.json {
            let sides = |side: &Side| serde_json::json!({ "version": side.version, "file": side.is_file });
            let data = serde_json::json!({ "from": sides(&from), "to": sides(&to), "changes": changes });
            context.print_json(&data)?;
            return Ok(ExitCode::SUCCESS);
        }
        print(context, &from, &to, &changes);
        if to.is_file {
            to_sign(context, config, &ledger, &changes)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The policy that has run in this version, or, for a rule, with this version of it. The latest, where several have.
fn find(runs: &[PolicyRun], version: &str, rule: Option<&str>) -> Result<Side, Failure> {
    let named = version.len() >= FEWEST_DIGITS && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fits = |known: &str| named && known.starts_with(&version.to_ascii_lowercase());
    let rule = |run: &PolicyRun| version_of(run, rule?).filter(|known| fits(known));
    let mut hits: BTreeMap<String, &PolicyRun> = BTreeMap::new();
    for run in runs {
        let hit = if fits(&run.version) { Some(run.version.clone()) } else { rule(run) };
        hits.extend(hit.filter(|hit| !hits.contains_key(hit)).map(|hit| (hit, run)));
    }
    let shown = tame(version);
    match hits.into_iter().collect::<Vec<_>>().as_slice() {
        [] => Err(Failure::usage(anyhow!(
            "no policy that has run has a version {shown} (at least {FEWEST_DIGITS} of its digits, or \"file\"); `handoffd \
             policy history` lists them"
        ))),
        [(_, run)] => stored(run),
        several => {
            let all: Vec<&str> = several.iter().map(|(version, _)| version.as_str()).collect();
            Err(Failure::usage(anyhow!("{shown} may be any of {}: give more digits", all.join(", "))))
        }
    }
}

fn running(runs: &[PolicyRun]) -> Result<Side, Failure> {
    let latest = runs.first();
    latest.map_or_else(
        || Err(Failure::problems(anyhow!("no policy has run yet: name two, or start `handoffd run`"))),
        stored,
    )
}

fn stored(run: &PolicyRun) -> Result<Side, Failure> {
    let missing = || Failure::problems(anyhow!("of the policy {} nothing was kept", run.version));
    Ok(Side {
        shown: format!("{} (in force from {})", run.version, run.since),
        version: run.version.clone(),
        meaning: run.meaning.clone().ok_or_else(missing)?,
        is_file: false,
    })
}

fn print(context: &Context, from: &Side, to: &Side, changes: &[Change]) {
    context.say(&format!("from {}\nto   {}", from.shown, to.shown));
    if changes.is_empty() {
        context.print("They say the same.");
    }
    print_changes(context, changes);
}

/// Prints what is different, key by key.
pub(super) fn print_changes(context: &Context, changes: &[Change]) {
    let mut last = "";
    for change in changes {
        if change.of != last {
            context.print(&context.strong(&tame(&change.of)));
            last = &change.of;
        }
        let (before, after) = (value(&change.key, change.before.as_ref()), value(&change.key, change.after.as_ref()));
        let key = tame(&change.key);
        match (key.as_str(), &change.before, &change.after) {
            ("", None, _) => context.print("  is new"),
            ("", _, None) => context.print("  is gone"),
            _ if before.chars().count() + after.chars().count() <= 2 * SHORT => {
                context.print(&format!("  {key}: {before} → {after}"));
            }
            _ => context.print(&format!("  {key}:\n    - {before}\n    + {after}")),
        }
    }
}

/// A value as the file would have it, on one line.
fn value(key: &str, value: Option<&Value>) -> String {
    match (key, value) {
        (_, None) => "nothing".to_owned(),
        ("share", Some(Value::Number(share))) => {
            format!("{}%", (share.as_f64().unwrap_or_default() * 10_000.0).round() / 100.0)
        }
        (_, Some(value)) => tame(&value.to_string()),
    }
}

/// Which of the changed rules wait for a signature before they act.
fn to_sign(context: &Context, config: &Config, ledger: &Ledger, changes: &[Change]) -> Result<(), Failure> {
    let signed = ledger.signed_rules()?;
    let changed = |name: &RuleName| changes.iter().any(|change| change.of == format!("escalate.{name}"));
    let reviewer = config.policy.header.second_reviewer.as_deref().unwrap_or("NAME");
    for rule in config.policy.rules().filter(|rule| changed(&rule.name)) {
        if waits_for_signature(rule, &config.policy, &signed) {
            let name = &rule.name;
            context.say(&format!(
                "{name} stays in shadow until it is signed: `handoffd policy approve {name} --as {reviewer}`"
            ));
        }
    }
    Ok(())
}
