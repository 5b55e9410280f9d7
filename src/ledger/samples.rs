//! Sample values for the ledger's own tests.

use super::open::Ledger;
use super::records::{Busy, Look, NewLook, ReceivedWebhook};
use handoffd_kit::model::TicketHead;
use jiff::{SignedDuration, Timestamp};

/// Seconds after a fixed instant.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_800_000_000, 0) + SignedDuration::from_secs(seconds)
}

pub(super) fn ledger() -> Ledger {
    Ledger::in_memory().expect("in memory")
}

pub(super) fn head(ticket: &str, version: &str) -> TicketHead {
    TicketHead::unknown(ticket.into(), version.into())
}

pub(super) fn look(ticket: &str, due: Timestamp) -> NewLook {
    NewLook { ticket: ticket.into(), due, head: None }
}

pub(super) fn webhook(
    desk: &str,
    delivery: Option<&str>,
    body: &str,
    tickets: &[&str],
    at: Timestamp,
) -> ReceivedWebhook {
    ReceivedWebhook {
        desk: desk.into(),
        delivery: delivery.map(str::to_owned),
        body_hash: format!("hash of {}", body.chars().take(40).collect::<String>()),
        body: body.as_bytes().to_vec(),
        looks: tickets.iter().map(|ticket| look(ticket, at)).collect(),
        at,
    }
}

pub(super) fn looks_due(ledger: &Ledger, now: Timestamp) -> Vec<Look> {
    ledger.due_looks(now, 100, &Busy::default()).expect("looks")
}
