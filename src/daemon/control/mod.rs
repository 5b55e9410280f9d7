//! What a person orders: retries, undos, reviews, pauses, signatures. The daemon takes orders over a Unix socket beside
//! the ledger; without a daemon the command line carries them out itself, with the same [`execute`].

mod approve;
mod edit;
mod execute;
mod from_dashboard;
pub(super) mod rollback;
mod socket;
mod undo;

pub use edit::PartEdit;
pub use execute::execute;
pub use socket::{listen, own_uid, socket_path, system_user, take_orders};

use crate::ledger::records::Switch;
use crate::ledger::{LedgerError, PersonWanted};
use crate::policy::meaning::Change;
use crate::policy::names::{MessageName, RuleName, TeamName};
use handoffd_kit::error::DeskError;
use handoffd_kit::id::{DeskId, TicketId};
use serde::{Deserialize, Serialize};

/// The longest name, id or rule in an order.
const NAME_CHARS: usize = 200;
/// The longest reason.
const REASON_CHARS: usize = 2_000;

/// One order, and who gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What to do.
    pub command: Command,
    /// Who decides: a name of the policy's people, a mail address, or the system user's.
    pub by: String,
}

/// What can be ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Let a rule act on cases that matched before it was live: the oldest `limit` of them.
    Release {
        /// Which rule.
        rule: RuleName,
        /// How many.
        limit: usize,
    },
    /// Try parked effects again; one that may be on the desk is looked up first.
    Retry {
        /// Which.
        target: Target,
    },
    /// Give parked effects up.
    Drop {
        /// Which.
        target: Target,
        /// Why.
        reason: String,
    },
    /// Put a case back where a handoff took it from.
    Undo {
        /// Which handoff.
        handoff: String,
        /// Why.
        reason: String,
    },
    /// Say yes to a review.
    Approve {
        /// Which handoff.
        handoff: String,
        /// Why, if there is something to say.
        reason: Option<String>,
        /// To which team; none: the one that it is about. Where rules want different ones, it is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<TeamName>,
    },
    /// Change what travels with a review that waits.
    Edit {
        /// Which handoff.
        handoff: String,
        /// The version of its package that the person was shown, from 1.
        of: u32,
        /// The parts that are other ones now.
        parts: Vec<PartEdit>,
    },
    /// Say no to a review.
    Reject {
        /// Which handoff.
        handoff: String,
        /// Why.
        reason: String,
    },
    /// What a handoff left with the agent before is done.
    TaskDone {
        /// Which handoff.
        handoff: String,
    },
    /// Set or clear a kill switch.
    Switch {
        /// Which.
        switch: Switch,
        /// Set: paused.
        on: bool,
    },
    /// Sign the wordings of a public message.
    Sign {
        /// Which message.
        message: MessageName,
        /// The hash of the wordings that the signer was shown.
        wording: String,
    },
    /// Take in what the configuration's file says now.
    Reload,
    /// Run a policy that has run before in place of the file's.
    Rollback {
        /// Which; none: the file's again.
        version: Option<String>,
        /// The version of the file: one that says something else runs again.
        instead_of: String,
        /// Why.
        reason: String,
    },
    /// Erase a person's text from the ledger.
    Forget {
        /// Whose.
        person: PersonWanted,
    },
    /// Sign a version of a sensitive rule.
    SignRule {
        /// Which rule.
        rule: RuleName,
        /// The version that the signer was shown.
        version: String,
    },
}

/// Which parked effects or cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// Those of one handoff.
    Handoff {
        /// Its id.
        id: String,
        /// One of its effects; none: all that are parked.
        number: Option<u32>,
    },
    /// A case whose look cannot be finished.
    Case {
        /// On which desk.
        desk: DeskId,
        /// Which ticket.
        ticket: TicketId,
    },
    /// One alert.
    Alert {
        /// Its key.
        key: String,
    },
    /// What waits for a desk that is not configured.
    Desk {
        /// Which.
        desk: DeskId,
    },
    /// All that fit.
    All {
        /// On this desk.
        desk: Option<DeskId>,
        /// Of this rule.
        rule: Option<RuleName>,
    },
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// In a sentence or two.
    pub said: String,
    /// How many things it touched: effects, cases, switches, keys.
    pub touched: usize,
    /// What is another now, where another configuration runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Box<Changes>>,
}

/// What another configuration says differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The version of the policy that ran.
    pub from: String,
    /// Of the one that runs.
    pub to: String,
    /// Between the two.
    pub policy: Vec<Change>,
    /// Keys that decide nothing, by their names.
    pub settings: Vec<String>,
}

impl Reply {
    /// These words, about so many things.
    pub fn new(said: String, touched: usize) -> Self {
        Self { said, touched, changes: None }
    }
}

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "error", content = "words")]
pub enum CommandError {
    /// It makes no sense: a missing name, an unknown rule.
    #[error("{0}")]
    Wrong(String),
    /// There is no such handoff, effect, case or alert.
    #[error("{0}")]
    NotFound(String),
    /// It makes sense and is not allowed, or not any more.
    #[error("{0}")]
    Refused(String),
    /// The desk does not answer, or refuses.
    #[error("{0}")]
    Desk(String),
    /// The ledger, or the daemon, does not answer.
    #[error("{0}")]
    Ledger(String),
}

impl From<LedgerError> for CommandError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::NotFound(_) => Self::NotFound(error.to_string()),
            LedgerError::WrongState(_) | LedgerError::IllegalStep(_) => Self::Refused(error.to_string()),
            _ => Self::Ledger(error.to_string()),
        }
    }
}

impl From<DeskError> for CommandError {
    fn from(error: DeskError) -> Self {
        Self::Desk(error.to_string())
    }
}

impl Order {
    /// Refuses what no honest command line sends: empty or endless names and reasons.
    ///
    /// # Errors
    /// `Wrong`, with what is expected.
    pub fn check(&self) -> Result<(), CommandError> {
        check_by(&self.by)?;
        match &self.command {
            Command::Release { rule, limit } => {
                name("rule", rule.as_str())?;
                if *limit == 0 { Err(CommandError::Wrong("--limit must be at least 1".into())) } else { Ok(()) }
            }
            Command::Retry { target } => check_target(target),
            Command::Drop { target, reason } => check_target(target).and_then(|()| given("reason", reason)),
            Command::Undo { handoff, reason } | Command::Reject { handoff, reason } => {
                name("handoff", handoff).and_then(|()| given("reason", reason))
            }
            Command::Approve { handoff, reason, to } => {
                name("handoff", handoff)?;
                to.as_ref().map_or(Ok(()), |to| name("--to", to.as_str()))?;
                reason.as_ref().map_or(Ok(()), |reason| given("reason", reason))
            }
            Command::Edit { handoff, parts, .. } => {
                let nothing = || CommandError::Wrong("no part of it is to be changed".into());
                name("handoff", handoff).and_then(|()| parts.first().map(drop).ok_or_else(nothing))
            }
            Command::TaskDone { handoff } => name("handoff", handoff),
            Command::Reload | Command::Switch { switch: Switch::All, .. } => Ok(()),
            Command::Switch { switch: Switch::Desk(desk), .. } => name("desk", desk.as_str()),
            Command::Switch { switch: Switch::Rule(rule), .. } => name("rule", rule.as_str()),
            Command::Sign { message, wording } => {
                name("message", message.as_str()).and_then(|()| name("wording", wording))
            }
            Command::Rollback { version, instead_of, reason } => {
                name("version", version.as_deref().unwrap_or("file"))?;
                name("version of the file", instead_of).and_then(|()| given("reason", reason))
            }
            Command::Forget { person: PersonWanted::Mail(mail) } => name("address", mail),
            Command::Forget { person: PersonWanted::Id { desk, id } } => {
                name("desk", desk.as_str()).and_then(|()| name("id", id))
            }
            Command::SignRule { rule, version } => name("rule", rule.as_str()).and_then(|()| name("version", version)),
        }
    }
}

fn check_target(target: &Target) -> Result<(), CommandError> {
    match target {
        Target::Handoff { id, .. } => name("handoff", id),
        Target::Alert { key } => name("alert", key),
        Target::Case { desk, ticket } => name("desk", desk.as_str()).and_then(|()| name("ticket", ticket.as_str())),
        Target::Desk { desk } => name("desk", desk.as_str()),
        Target::All { .. } => Ok(()),
    }
}

/// Refuses a name that nobody has.
///
/// # Errors
/// `Wrong`, with what is expected.
pub fn check_by(by: &str) -> Result<(), CommandError> {
    name("--as", by)
}

fn name(what: &str, text: &str) -> Result<(), CommandError> {
    bounded(what, text, NAME_CHARS)?;
    if text.chars().any(char::is_control) {
        return Err(CommandError::Wrong(format!("{what} holds control characters")));
    }
    Ok(())
}

fn given(what: &str, text: &str) -> Result<(), CommandError> {
    bounded(what, text, REASON_CHARS)
}

fn bounded(what: &str, text: &str, most: usize) -> Result<(), CommandError> {
    if text.trim().is_empty() {
        return Err(CommandError::Wrong(format!("{what} is empty")));
    }
    if text.chars().count() > most {
        return Err(CommandError::Wrong(format!("{what} is longer than {most} characters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
