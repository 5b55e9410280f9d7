//! `handoffd completions SHELL`: a completion script on stdout, made from the command line itself.

use super::failure::Failure;
use super::output::Context;
use clap::Args;
use clap_complete::{Shell, generate};
use std::process::ExitCode;

/// Shell completions.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd completions bash > /etc/bash_completion.d/handoffd
  handoffd completions zsh > \"${fpath[1]}/_handoffd\"
  handoffd completions fish > ~/.config/fish/completions/handoffd.fish")]
pub struct CompletionsArgs {
    /// For which shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    /// Runs it.
    ///
    /// # Errors
    /// None in practice: the script is text.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut super::command(), "handoffd", &mut script);
        context.print(String::from_utf8_lossy(&script).trim_end());
        Ok(ExitCode::SUCCESS)
    }
}
