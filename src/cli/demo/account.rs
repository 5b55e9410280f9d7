//! The account of a demo: the object that scripts read (DESIGN, commands) and what people read, from the ledger alone.

use super::super::output::Context;
use crate::ledger::records::HandoffRecord;
use crate::ledger::states::HandoffState;
use crate::ledger::{HandoffFilter, Ledger, Result};
use crate::policy::names::{RuleName, TeamName};
use crate::policy::proposal::{ClockPlan, CustomerPlan, HandoffKind, OwnerPlan, Package, Proposal};
use handoffd_kit::id::TicketId;
use serde::{Serialize, Serializer};
use serde_json::json;
use std::collections::BTreeSet;

/// What the demo did. Its JSON has the keys that are promised to scripts, and no others.
#[derive(Serialize)]
pub struct Account {
    /// Cases looked at.
    pub seen: usize,
    /// Cases that stay where they are.
    pub stayed: usize,
    /// Cases that went to their first team.
    pub routed: usize,
    /// Cases that went to the next team.
    pub escalated: usize,
    /// Cases that wait for a person's yes or no.
    pub in_review: usize,
    /// Effects that wait for a person.
    pub parked: usize,
    /// Every handoff, oldest first.
    pub handoffs: Vec<Line>,
    /// What rules in shadow would have done, for people.
    #[serde(skip)]
    pub would: Vec<Proposal>,
}

/// One handoff. What is for people alone is left out of the JSON.
#[derive(Serialize)]
pub struct Line {
    /// The ticket.
    pub ticket: TicketId,
    /// The rule that acted.
    pub rule: RuleName,
    /// The giving team; none for a route.
    pub from: Option<TeamName>,
    /// The receiving team.
    pub to: TeamName,
    /// Why.
    pub reason: String,
    /// The context that travelled; none for a route.
    pub package: Option<Package>,
    /// Who owns it from now.
    pub owner: OwnerPlan,
    /// Which clock runs.
    pub clock: ClockPlan,
    /// What the customer is told, or why nothing.
    #[serde(serialize_with = "as_told")]
    pub customer: CustomerPlan,
    /// Where it stands.
    #[serde(skip)]
    pub state: HandoffState,
    /// Whether it was a first or a next team.
    #[serde(skip)]
    pub kind: HandoffKind,
    /// Whether it was written to the helpdesk.
    #[serde(skip)]
    pub sent: bool,
}

/// Reads the account out of a ledger.
///
/// # Errors
/// The ledger's.
pub fn account(ledger: &Ledger) -> Result<Account> {
    let records = ledger.handoffs(&HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() })?;
    let handoffs: Vec<Line> = records.into_iter().rev().map(Line::of).collect();
    let sent = |kind| handoffs.iter().filter(|one| one.kind == kind && one.sent).count();
    let seen = ledger.cases_seen()?;
    let moved: BTreeSet<_> =
        handoffs.iter().filter(|one| one.state != HandoffState::Withdrawn).map(|one| &one.ticket).collect();
    Ok(Account {
        seen,
        stayed: seen.saturating_sub(moved.len()),
        routed: sent(HandoffKind::Route),
        escalated: sent(HandoffKind::Escalate),
        in_review: handoffs.iter().filter(|one| one.state == HandoffState::InReview).count(),
        parked: ledger.parked()?.len(),
        would: ledger.would(None, None, usize::MAX)?.into_iter().map(|one| one.proposal).collect(),
        handoffs,
    })
}

impl Line {
    fn of(handoff: HandoffRecord) -> Self {
        let HandoffRecord { state, sent_at, proposal, .. } = handoff;
        let Proposal { ticket, rule, from, to, reason, package, owner, clock, customer, kind, .. } = proposal;
        Self { ticket, rule, from, to, reason, package, owner, clock, customer, state, kind, sent: sent_at.is_some() }
    }

    fn print(&self, context: &Context) {
        let from = self.from.as_ref().map_or("intake", |team| team.as_str());
        context.print("");
        context.print(&format!("{} {from} ─▶ {}", context.strong(&format!("ticket {}", self.ticket)), self.to));
        context.print(&format!("  why       {} ({})", self.reason, self.rule));
        context.print(&format!("  state     {}", self.state.name().replace('_', " ")));
        context.print(&format!("  owner     {}", self.owner.shown));
        let word = match &self.customer {
            CustomerPlan::Tell { text, .. } => format!("“{text}”"),
            CustomerPlan::Nothing { because } => format!("nothing: {because}"),
        };
        context.print(&format!("  customer  {word}"));
    }
}

fn as_told<S: Serializer>(customer: &CustomerPlan, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let told = match customer {
        CustomerPlan::Tell { text, .. } => json!({ "message": text }),
        CustomerPlan::Nothing { because } => json!({ "nothing": because }),
    };
    told.serialize(serializer)
}

/// Prints the account for a person.
pub fn print(context: &Context, account: &Account) {
    let Account { seen, stayed, routed, escalated, in_review, parked, .. } = account;
    context.print(&format!(
        "{seen} cases looked at: {routed} routed, {escalated} escalated, {in_review} waiting for a person, {stayed} stay; {parked} parked"
    ));
    account.handoffs.iter().for_each(|handoff| handoff.print(context));
    for would in &account.would {
        context.print("");
        context.print(&format!("in shadow: ticket {} would go to {} ({})", would.ticket, would.to, would.rule));
    }
}
