//! What persons decide on the dashboard, carried out as orders of the control socket are: the same checks, the same words, the
//! same line in the ledger about who did it.

use super::{Command, CommandError, Order, PartEdit, Target, execute};
use crate::daemon::running::Running;
use crate::policy::names::TeamName;
use crate::web::dashboard::{Orders, Refusal, Target as Parked, Wish};
use futures::future::BoxFuture;

/// What stands in the place of the system user.
const FROM: &str = "dashboard";

impl Orders for Running {
    fn give(&self, wish: Wish, by: String) -> BoxFuture<'_, Result<String, Refusal>> {
        Box::pin(async move {
            let order = Order { command: command(wish), by };
            execute(&self.house(), order, FROM).await.map(|reply| reply.said).map_err(refusal)
        })
    }
}

fn command(wish: Wish) -> Command {
    match wish {
        Wish::Approve { handoff, reason, to } => Command::Approve { handoff, reason, to: to.map(TeamName::new) },
        Wish::Reject { handoff, reason } => Command::Reject { handoff, reason },
        Wish::Edit { handoff, of, parts } => {
            let parts = parts.into_iter().map(|(part, text)| PartEdit { part, text }).collect();
            Command::Edit { handoff, of, parts }
        }
        Wish::Retry(parked) => Command::Retry { target: target(parked) },
        Wish::Drop { target: parked, reason } => Command::Drop { target: target(parked), reason },
    }
}

fn target(parked: Parked) -> Target {
    match parked {
        Parked::Effect { handoff, number } => Target::Handoff { id: handoff, number: Some(number) },
        Parked::Case { desk, ticket } => Target::Case { desk: desk.into(), ticket: ticket.into() },
        Parked::Desk { desk } => Target::Desk { desk: desk.into() },
    }
}

fn refusal(error: CommandError) -> Refusal {
    match error {
        CommandError::Wrong(words) => Refusal::Wrong(words),
        CommandError::NotFound(words) => Refusal::NotFound(words),
        CommandError::Refused(words) => Refusal::Refused(words),
        CommandError::Desk(words) => Refusal::Desk(words),
        CommandError::Ledger(words) => Refusal::Ledger(words),
    }
}
