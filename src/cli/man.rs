//! `handoffd man`: the manual page, made from the command line itself; with `--output`, one page for each command.

use super::failure::Failure;
use super::output::Context;
use anyhow::Context as _;
use clap::Args;
use clap_mangen::Man;
use std::path::PathBuf;
use std::process::ExitCode;

/// The manual.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd man | man -l -
  handoffd man --output /usr/local/share/man/man1")]
pub struct ManArgs {
    /// Write handoffd.1 and a page for each command into this folder.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl ManArgs {
    /// Runs it.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        // Built, so that every command has its whole name and the options that hold everywhere.
        let mut command = super::command();
        command.build();
        match &self.output {
            Some(folder) => {
                std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
                clap_mangen::generate_to(super::command(), folder)
                    .with_context(|| format!("{} cannot be written", folder.display()))?;
                context.say(&format!("written to {}", folder.display()));
            }
            None => {
                let mut page = Vec::new();
                Man::new(command).render(&mut page).context("the page cannot be made")?;
                context.print(String::from_utf8_lossy(&page).trim_end());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
