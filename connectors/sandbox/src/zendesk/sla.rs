//! A ticket's clocks in Zendesk's form (Zendesk sheet, *SLA data*).

use super::login::Caller;
use super::refusals::Refusal;
use super::show;
use super::tickets::visible;
use crate::ids::TicketNo;
use crate::sla::SlaState;
use crate::store::Helpdesk;
use crate::ticket::Ticket;
use jiff::Timestamp;
use serde_json::{Value, json};

/// `GET /tickets/{id}/slas/policy_metrics`: 404 where no policy applies.
pub(super) fn metrics(desk: &Helpdesk, caller: &Caller, no: TicketNo) -> Result<Value, Refusal> {
    let ticket = visible(desk, caller, no)?;
    if ticket.clocks.is_empty() {
        return Err(Refusal::NotFound);
    }
    Ok(json!({ "policy_metrics": shown(ticket, desk.now) }))
}

/// All clocks of a ticket. What is left is told in days, hours or minutes: the largest of which there is at least one.
pub(super) fn shown(ticket: &Ticket, now: Timestamp) -> Vec<Value> {
    let one = |clock: &crate::sla::SlaClock| {
        let metric = &clock.target.metric;
        match clock.state {
            SlaState::Met => json!({ "metric": metric, "stage": "achieved", "breach_at": null }),
            SlaState::Paused(_) => json!({ "metric": metric, "stage": "paused", "breach_at": null }),
            SlaState::Running(at) => {
                let mut shown = json!({ "metric": metric, "stage": "active", "breach_at": show::time(at) });
                let (unit, left) = in_units(at.duration_since(now).as_secs());
                shown[unit] = json!(left);
                shown
            }
        }
    };
    ticket.clocks.iter().map(one).collect()
}

fn in_units(seconds: i64) -> (&'static str, i64) {
    match seconds.abs() {
        86_400.. => ("days", seconds / 86_400),
        3_600.. => ("hours", seconds / 3_600),
        _ => ("minutes", seconds / 60),
    }
}
