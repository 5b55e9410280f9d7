//! `handoffd schema`: a JSON Schema of the configuration, so that an editor completes and checks the TOML while it is written; or
//! the description of the admin API.

use super::failure::Failure;
use super::output::Context;
use crate::config::schema::schema;
use crate::web::dashboard::OPENAPI;
use anyhow::Context as _;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// The schema of the configuration, or the description of the admin API.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd schema --output handoffd.schema.json
  handoffd schema --api --output openapi.json     the admin API, as OpenAPI 3.1

Then begin handoffd.toml with the line that editors with TOML support look for:
  #:schema ./handoffd.schema.json

What the schema cannot say (names that must exist, conditions, times that contradict each other) is said by `handoffd check`.")]
pub struct SchemaArgs {
    /// The admin API (`/api/v1`) instead, as OpenAPI.
    #[arg(long)]
    api: bool,
    /// Write it to this file instead of the screen.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl SchemaArgs {
    /// Runs it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let text = if self.api {
            OPENAPI.trim_end().to_owned()
        } else {
            serde_json::to_string_pretty(&schema()).context("the schema cannot be written as JSON")?
        };
        match &self.output {
            None => context.print(&text),
            Some(file) => {
                std::fs::write(file, text + "\n").with_context(|| format!("{} cannot be written", file.display()))?;
                context.say(&format!("written to {}", file.display()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
