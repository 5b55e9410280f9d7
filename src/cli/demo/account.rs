//! The account of a demo: the object that scripts read (DESIGN, commands) and what people read, from the ledger alone.

use super::super::output::Context;
use crate::ledger::records::HandoffRecord;
use crate::ledger::states::HandoffState;
use crate::ledger::{HandoffFilter, Ledger, Result};
use crate::policy::proposal::{CustomerPlan, HandoffKind};
use serde::Serialize;
use serde_json::{Value, json};

/// What the demo did.
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
    /// Every handoff.
    pub handoffs: Vec<Value>,
    /// What rules in shadow would have done.
    pub would: Vec<Value>,
}

/// Reads the account out of a ledger.
///
/// # Errors
/// The ledger's.
pub fn account(ledger: &Ledger) -> Result<Account> {
    let handoffs = ledger.handoffs(&HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() })?;
    let sent = |kind| {
        let ours = |one: &&HandoffRecord| one.proposal.kind == kind && one.sent_at.is_some();
        handoffs.iter().filter(ours).count()
    };
    let in_review = handoffs.iter().filter(|one| one.state == HandoffState::InReview).count();
    let seen = ledger.cases_seen()?;
    let moved: std::collections::BTreeSet<_> =
        handoffs.iter().filter(|one| one.state != HandoffState::Withdrawn).map(|one| &one.proposal.ticket).collect();
    Ok(Account {
        seen,
        stayed: seen.saturating_sub(moved.len()),
        routed: sent(HandoffKind::Route),
        escalated: sent(HandoffKind::Escalate),
        in_review,
        parked: ledger.parked()?.len(),
        would: ledger.would(None, usize::MAX)?.iter().map(|one| summary(&one.proposal)).collect(),
        handoffs: handoffs.iter().rev().map(shown).collect(),
    })
}

fn summary(proposal: &crate::policy::proposal::Proposal) -> Value {
    json!({
        "ticket": proposal.ticket, "rule": proposal.rule, "from": proposal.from, "to": proposal.to,
        "reason": proposal.reason,
    })
}

fn shown(handoff: &HandoffRecord) -> Value {
    let proposal = &handoff.proposal;
    let customer = match &proposal.customer {
        CustomerPlan::Tell { text, .. } => json!({ "message": text }),
        CustomerPlan::Nothing { because } => json!({ "nothing": because }),
    };
    let mut shown = summary(proposal);
    let more = json!({
        "id": handoff.id, "state": handoff.state, "kind": proposal.kind, "package": proposal.package,
        "owner": proposal.owner, "clock": proposal.clock, "customer": customer,
    });
    if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
        shown.extend(more);
    }
    shown
}

/// Prints the account for a person.
pub fn print(context: &Context, account: &Account) {
    let Account { seen, stayed, routed, escalated, in_review, parked, .. } = account;
    context.print(&format!(
        "{seen} cases looked at: {routed} routed, {escalated} escalated, {in_review} waiting for a person, {stayed} stay; {parked} parked"
    ));
    for handoff in &account.handoffs {
        let text = |key: &str| handoff[key].as_str().unwrap_or("–").to_owned();
        let from = handoff["from"].as_str().unwrap_or("intake");
        context.print("");
        context.print(&format!("{} {from} ─▶ {}", context.strong(&format!("ticket {}", text("ticket"))), text("to")));
        context.print(&format!("  why       {} ({})", text("reason"), text("rule")));
        context.print(&format!("  state     {}", text("state").replace('_', " ")));
        context.print(&format!("  owner     {}", handoff["owner"]["shown"].as_str().unwrap_or("–")));
        let customer = &handoff["customer"];
        let word = customer["message"].as_str().map(|text| format!("“{text}”"));
        let word = word.or(customer["nothing"].as_str().map(|why| format!("nothing: {why}"))).unwrap_or_default();
        context.print(&format!("  customer  {word}"));
    }
    for would in &account.would {
        context.print("");
        context.print(&format!(
            "in shadow: ticket {} would go to {} ({})",
            would["ticket"].as_str().unwrap_or("–"),
            would["to"].as_str().unwrap_or("–"),
            would["rule"].as_str().unwrap_or("–")
        ));
    }
}
