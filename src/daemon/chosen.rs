//! Which policy runs: the file's, or one that has run before and that a person put in its place. A file that says something
//! else than then runs again.

use crate::config::Config;
use crate::ledger::policies::Choice;
use crate::ledger::{Ledger, LedgerError};

/// What a person chose, with the text that was kept of it; none: nothing was kept.
pub type Kept = (Choice, Option<String>);

/// The configuration that runs, and why it is the one.
pub struct Chosen {
    /// It.
    pub config: Config,
    /// The choice that it follows; none: the file's own policy runs.
    pub follows: Option<Choice>,
    /// A choice that is over, because the file says something else by now.
    pub over: Option<Choice>,
}

/// What a person chose, as the ledger has it.
///
/// # Errors
/// The ledger's.
pub fn kept(ledger: &Ledger) -> Result<Option<Kept>, LedgerError> {
    let Some(choice) = ledger.chosen_policy()? else { return Ok(None) };
    let text = ledger.policy_text(&choice.version)?;
    Ok(Some((choice, text)))
}

/// The configuration that runs, of a file's and of what a person chose.
///
/// # Errors
/// Why the chosen policy cannot run, in words.
pub fn choose(file: Config, kept: Option<Kept>) -> Result<Chosen, String> {
    let Some((choice, text)) = kept else { return Ok(Chosen { config: file, follows: None, over: None }) };
    if choice.instead_of != file.policy.version {
        return Ok(Chosen { config: file, follows: None, over: Some(choice) });
    }
    let version = &choice.version;
    let text = text.ok_or_else(|| format!("of the policy {version} nothing was kept"))?;
    let config = file.with_kept_policy(version, &text)?;
    Ok(Chosen { config, follows: Some(choice), over: None })
}
