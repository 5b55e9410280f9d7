//! `handoffd health`: asks the daemon that runs how it is, over its control socket; for people and for a container's health check.

use super::control::exchange;
use super::failure::Failure;
use super::output::{Context, Tint, tame};
use crate::config;
use crate::daemon::control::socket_path;
use anyhow::anyhow;
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// How the daemon is.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd health                   one word, and each reason for less than well with its next step
  handoffd --json health | jq -r .status

What is told is what /healthz tells. It is asked over the socket beside the ledger, as the daemon's user or root, and needs no more of the
configuration than where the ledger lies.

Exit codes: 0 it runs and takes webhooks in, also where something waits for a person; 1 it cannot store a webhook now; 2 the
configuration cannot be read; 3 no daemon runs.")]
pub struct HealthArgs {}

impl HealthArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As told in its help.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        // One that cannot be read would seem to say that the ledger lies at its default place.
        let path = &context.config_path;
        if let Err(error) = std::fs::File::open(path) {
            let words = anyhow!("{} cannot be read: {error}; say it as the daemon's user or root", path.display());
            return Err(Failure::usage(words));
        }
        let socket = socket_path(&config::ledger_of(path));
        let asked = exchange(&socket, http::Request::get("/readyz"), Vec::new());
        let Some(answer) = super::run::runtime()?.block_on(asked)? else {
            let words = anyhow!("no handoffd listens on {}: `handoffd run` starts it", socket.display());
            return Err(Failure::unreachable(words));
        };
        let unread = |error: anyhow::Error| Failure::unreachable(anyhow!("the daemon did not say how it is: {error}"));
        let (status, body) = answer.map_err(unread)?;
        let health: Value = serde_json::from_slice(&body).map_err(|error| unread(error.into()))?;
        if context.json {
            context.print_json(&health)?;
        } else {
            shown(context, &health);
        }
        Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn shown(context: &Context, health: &Value) {
    let text = |value: &Value| tame(value.as_str().unwrap_or_default());
    let word = |level: &Value| match level.as_str() {
        Some("ok") => context.tinted("ok", Tint::Good),
        Some("degraded") => context.tinted("degraded", Tint::Waits),
        _ => context.tinted(&text(level), Tint::Bad),
    };
    context.print(&word(&health["status"]));
    for reason in health["reasons"].as_array().into_iter().flatten() {
        let about = ["desk", "rule"].map(|key| text(&reason[key]));
        let about: Vec<String> = about.into_iter().filter(|name| !name.is_empty()).collect();
        let about = if about.is_empty() { String::new() } else { format!(" {}:", about.join(", ")) };
        let since = reason["since"].as_str().map(|since| format!(", since {}", tame(since))).unwrap_or_default();
        context.print(&format!("  {}{about} {}{since}", word(&reason["level"]), text(&reason["what"])));
        context.print(&format!("    next: {}", text(&reason["next_step"])));
    }
}
