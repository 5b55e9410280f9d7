//! `handoffd schema`: a JSON Schema of the configuration, so that an editor completes and checks the TOML while it is written.

use super::failure::Failure;
use super::output::Context;
use crate::config::schema::schema;
use anyhow::Context as _;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// The schema of the configuration.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd schema --output handoffd.schema.json

Then begin handoffd.toml with the line that editors with TOML support look for:
  #:schema ./handoffd.schema.json

What the schema cannot say (names that must exist, conditions, times that contradict each other) is said by `handoffd check`.")]
pub struct SchemaArgs {
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
        let schema = schema();
        match &self.output {
            None => context.print_json(&schema)?,
            Some(file) => {
                let text = serde_json::to_string_pretty(&schema).context("the schema cannot be written as JSON")?;
                std::fs::write(file, text + "\n").with_context(|| format!("{} cannot be written", file.display()))?;
                context.say(&format!("written to {}", file.display()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
