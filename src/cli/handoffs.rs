//! `handoffd handoffs`: list, show, retry, undo, release.

use super::control::{give, ledger, now};
use super::failure::Failure;
use super::output::{Context, Tint, ago, table, tame};
use super::parked::target;
use super::shown::{Brief, Whole};
use crate::daemon::control::Command;
use crate::ledger::states::HandoffState;
use crate::ledger::{HandoffFilter, Ledger};
use crate::policy::names::RuleName;
use clap::{Args, Subcommand};
use handoffd_kit::id::DeskId;
use std::process::ExitCode;

/// Handoffs.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd handoffs list --state sending
  handoffd handoffs list --would --rule refund-over-limit   what a rule would do if it were live
  handoffd handoffs release --rule refund-over-limit --limit 20
  handoffd handoffs list --weak-triage --rule invoices      where a route was wrong
  handoffd handoffs show h3f9a2
  handoffd handoffs undo h3f9a2 --as team-lead --reason \"wrong team\"")]
pub struct HandoffsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Handoffs, newest first; with --would, what rules would do that may not act.
    List(ListArgs),
    /// One handoff with its package and every effect.
    Show {
        /// The handoff's id.
        id: String,
    },
    /// Try the parked effects of a handoff again; what may be on the desk is looked up first.
    Retry {
        /// The handoff's id, or ID/NUMBER for one effect.
        id: String,
        /// Who decides; default: the system user.
        #[arg(long = "as", value_name = "NAME")]
        by: Option<String>,
    },
    /// Put a case back where a handoff took it from, with a note; only while nobody has acted on it since.
    Undo {
        /// The handoff's id.
        id: String,
        /// Who decides.
        #[arg(long = "as", value_name = "NAME")]
        by: String,
        /// Why; it stands in the note.
        #[arg(long)]
        reason: String,
    },
    /// Let a rule act on cases that matched before it went live: the oldest first. A person's word needs no place in the
    /// hourly limits of [policy], and what is released counts for them.
    Release {
        /// Which rule.
        #[arg(long)]
        rule: String,
        /// How many cases.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Who decides; default: the system user.
        #[arg(long = "as", value_name = "NAME")]
        by: Option<String>,
    },
}

#[derive(Args)]
struct ListArgs {
    /// In this state: asking, in_review, sending, verifying, settled, bounced, rejected, contested, undone, withdrawn.
    #[arg(long, value_parser = state)]
    state: Option<HandoffState>,
    /// Of this rule.
    #[arg(long)]
    rule: Option<String>,
    /// On this desk.
    #[arg(long)]
    desk: Option<String>,
    /// What rules would do that are in shadow, or that wait for a release.
    #[arg(long, conflicts_with = "state")]
    would: bool,
    /// Only routes whose case left its first team too soon (`weak_triage_within`).
    #[arg(long, conflicts_with = "would")]
    weak_triage: bool,
    /// At most so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

fn state(text: &str) -> Result<HandoffState, String> {
    let known = || HandoffState::ALL.map(HandoffState::name).join(", ");
    HandoffState::named(&text.replace('-', "_")).ok_or_else(|| format!("one of: {}", known()))
}

impl HandoffsArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 1 where something is refused, 2 for wrong usage, 3 where ledger or desk cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match &self.what {
            What::List(list) => list.run(context, &ledger(context)?),
            What::Show { id } => show(context, &ledger(context)?, id),
            What::Retry { id, by } => give(context, Command::Retry { target: target(id)? }, by.as_deref()),
            What::Undo { id, by, reason } => {
                give(context, Command::Undo { handoff: id.clone(), reason: reason.clone() }, Some(by))
            }
            What::Release { rule, limit, by } => {
                let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
                give(context, Command::Release { rule: RuleName::new(rule), limit }, by.as_deref())
            }
        }
    }
}

impl ListArgs {
    fn run(&self, context: &Context, ledger: &Ledger) -> Result<ExitCode, Failure> {
        let rule = self.rule.as_ref().map(RuleName::new);
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if self.would {
            return self.would(context, ledger, rule.as_ref(), limit);
        }
        let filter = HandoffFilter {
            state: self.state,
            rule,
            desk: self.desk.as_ref().map(DeskId::new),
            ticket: None,
            limit: Some(limit.saturating_add(1)),
            weak_triage: self.weak_triage,
        };
        let mut handoffs = ledger.handoffs(&filter)?;
        self.say_there_are_more(context, &mut handoffs);
        if context.json {
            context.print_json(&handoffs.iter().map(Brief::of).collect::<Vec<_>>())?;
            return Ok(ExitCode::SUCCESS);
        }
        if handoffs.is_empty() {
            context.say("No handoff fits.");
            return Ok(ExitCode::SUCCESS);
        }
        let now = now();
        let rows = handoffs.iter().map(Brief::of).map(|brief| {
            let tint = tint(brief.state);
            [
                brief.id.clone(),
                context.tinted(&brief.state_shown(), tint),
                brief.ticket.clone(),
                brief.path(),
                brief.rule.clone(),
                ago(brief.created_at, now),
            ]
        });
        context.print(&table(["handoff", "state", "ticket", "from → to", "rule", "age"], rows));
        Ok(ExitCode::SUCCESS)
    }

    /// A list that was cut says so; one more was asked for than is shown.
    fn say_there_are_more<T>(&self, context: &Context, listed: &mut Vec<T>) {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if listed.len() > limit {
            listed.truncate(limit);
            context.say(&format!("There are more than these {limit}: --limit N shows more of them."));
        }
    }

    fn would(
        &self,
        context: &Context,
        ledger: &Ledger,
        rule: Option<&RuleName>,
        limit: usize,
    ) -> Result<ExitCode, Failure> {
        let desk = self.desk.as_ref().map(DeskId::new);
        let mut would = ledger.would(rule, desk.as_ref(), limit.saturating_add(1))?;
        self.say_there_are_more(context, &mut would);
        if context.json {
            context.print_json(&would)?;
            return Ok(ExitCode::SUCCESS);
        }
        if would.is_empty() {
            context.say("No rule would hand anything off that it may not.");
            return Ok(ExitCode::SUCCESS);
        }
        let now = now();
        let rows = would.iter().map(|would| {
            let proposal = &would.proposal;
            [
                format!("{}/{}", proposal.desk, tame(proposal.ticket.as_str())),
                format!("{} → {}", proposal.from.as_ref().map_or("intake", |from| from.as_str()), would.to),
                proposal.rule.to_string(),
                if would.released { "released".to_owned() } else { "waits".to_owned() },
                ago(would.since, now),
                tame(&proposal.reason),
            ]
        });
        context.print(&table(["ticket", "from → to", "rule", "", "since", "reason"], rows));
        context.say("Once the rule is live: handoffd handoffs release --rule NAME --limit N");
        Ok(ExitCode::SUCCESS)
    }
}

/// How a state looks.
pub fn tint(state: HandoffState) -> Tint {
    match state {
        HandoffState::Verifying | HandoffState::Settled => Tint::Good,
        HandoffState::Asking | HandoffState::InReview | HandoffState::Sending => Tint::Waits,
        HandoffState::Bounced
        | HandoffState::Rejected
        | HandoffState::Contested
        | HandoffState::Undone
        | HandoffState::Withdrawn => Tint::Bad,
    }
}

fn show(context: &Context, ledger: &Ledger, id: &str) -> Result<ExitCode, Failure> {
    let whole = whole(ledger, id)?;
    if context.json {
        context.print_json(&whole)?;
    } else {
        context.print(&whole.text(context, now()));
    }
    Ok(ExitCode::SUCCESS)
}

/// A handoff with all that the ledger knows about it and its ticket.
///
/// # Errors
/// Exit 1 where there is none.
pub fn whole(ledger: &Ledger, id: &str) -> Result<Whole, Failure> {
    let handoff = find(ledger, id)?;
    let proposal = &handoff.proposal;
    let ownership = ledger.ownership(&proposal.desk, &proposal.ticket)?;
    let commands = ledger.commands(&proposal.desk, &proposal.ticket)?;
    let packages = ledger.package_versions(id)?;
    let whole = Whole::of(&handoff, commands, ledger.task_of(id)?, ownership, &ledger.alerts_of(id)?);
    Ok(Whole { packages, ..whole })
}

/// One handoff by its id; an unknown one is a problem found, not a broken ledger.
///
/// # Errors
/// Exit 1 where there is none.
pub fn find(ledger: &Ledger, id: &str) -> Result<crate::ledger::records::HandoffRecord, Failure> {
    use crate::ledger::LedgerError;
    ledger.handoff(id).map_err(|error| match error {
        LedgerError::NotFound(_) => Failure::problems(error),
        error => error.into(),
    })
}
