//! `GET /servicedeskapi/request/{id}/sla`: the clocks of a request (Jira Service Management sheet, *SLA data*).

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show::date;
use crate::ids::TicketNo;
use crate::sla::{SlaClock, SlaState};
use crate::store::Helpdesk;
use crate::ticket::Ticket;
use bytes::Bytes;
use http::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// One page of them.
pub(super) fn of_request(
    desk: &Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.issue(desk, no)?;
    let (start, limit) = (call.number("start", 0)?, call.number("limit", 50)?.min(50));
    let all: Vec<Value> =
        ticket.clocks.iter().enumerate().map(|(at, clock)| shown(desk.now, ticket, at, clock)).collect();
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(start).take(limit).collect();
    let last = start + page.len() >= total;
    ok(&json!({ "start": start, "limit": limit, "size": page.len(), "isLastPage": last, "values": page, "_links": {} }))
}

fn name(metric: &str) -> &str {
    match metric {
        "first_reply_time" => "Time to first response",
        "total_resolution_time" => "Time to resolution",
        "requester_wait_time" => "Time waiting for support",
        other => other,
    }
}

fn span(span: SignedDuration) -> Value {
    json!({ "millis": span.as_millis(), "friendly": format!("{}m", span.as_mins()) })
}

fn shown(now: Timestamp, ticket: &Ticket, at: usize, clock: &SlaClock) -> Value {
    let goal = clock.target.within;
    let cycle = |left: SignedDuration, paused: bool, breach: Option<Timestamp>| {
        let breached = left.is_negative();
        let mut cycle = json!({
            "startTime": date(ticket.created_at), "breached": breached, "paused": paused, "withinCalendarHours": true,
            "goalDuration": span(goal), "elapsedTime": span(goal - left), "remainingTime": span(left),
        });
        if let Some(breach) = breach {
            cycle["breachTime"] = date(breach);
        }
        cycle
    };
    let mut shown = json!({
        "id": (at + 1).to_string(), "name": name(&clock.target.metric), "slaDisplayFormat": "NEW_SLA_FORMAT",
        "completedCycles": [],
    });
    match clock.state {
        SlaState::Running(due) => shown["ongoingCycle"] = cycle(due.duration_since(now), false, Some(due)),
        SlaState::Paused(left) => shown["ongoingCycle"] = cycle(left, true, None),
        SlaState::Met => {
            shown["completedCycles"] = json!([{
                "startTime": date(ticket.created_at), "stopTime": date(ticket.updated_at), "breached": false,
                "breachTime": date(ticket.created_at + goal), "goalDuration": span(goal),
                "elapsedTime": span(SignedDuration::ZERO), "remainingTime": span(goal),
            }]);
        }
    }
    shown
}
