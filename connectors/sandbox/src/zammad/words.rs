//! The numbers and names of states, priorities and kinds of articles (Zammad sheet, *Objects*). The account has what a fresh
//! one has, and one priority more, "4 urgent", which an admin added.

use crate::ticket::{End, Status, Ticket};

/// One state.
pub(super) struct State {
    pub(super) id: u64,
    pub(super) name: &'static str,
    /// Number and name of its type.
    pub(super) kind: (u64, &'static str),
    /// Whether it stops the SLA's clocks.
    pub(super) ignores_escalation: bool,
    pub(super) active: bool,
    /// What the helpdesk's tickets call it; none: no ticket gets there by an update.
    pub(super) means: Option<Status>,
}

const fn state(id: u64, name: &'static str, kind: (u64, &'static str), means: Option<Status>) -> State {
    State { id, name, kind, ignores_escalation: id > 2, active: id != 6, means }
}

/// All states.
pub(super) const STATES: [State; 7] = [
    state(1, "new", (1, "new"), Some(Status::New)),
    state(2, "open", (2, "open"), Some(Status::Open)),
    state(3, "pending reminder", (3, "pending reminder"), Some(Status::Pending)),
    state(4, "closed", (5, "closed"), Some(Status::Solved)),
    state(5, "merged", (6, "merged"), None),
    state(6, "removed", (7, "removed"), None),
    state(7, "pending close", (4, "pending action"), Some(Status::OnHold)),
];

/// The number of a ticket's state.
pub(super) fn state_of(ticket: &Ticket) -> u64 {
    match (ticket.end, ticket.status) {
        (Some(End::Merged(_)), _) => 5,
        (_, Status::New) => 1,
        (_, Status::Open) => 2,
        (_, Status::Pending) => 3,
        (_, Status::OnHold) => 7,
        (_, Status::Solved | Status::Closed) => 4,
    }
}

/// The number of a status that stood in a ticket's history.
pub(super) fn state_number(status: Status) -> u64 {
    let known = STATES.iter().find(|state| state.means == Some(status));
    known.map_or(4, |state| state.id)
}

/// A state's name.
pub(super) fn state_name(id: u64) -> &'static str {
    STATES.iter().find(|state| state.id == id).map_or("-", |state| state.name)
}

/// The helpdesk keeps priorities as words; a new ticket's is normal.
pub(super) const PRIORITIES: [(&str, &str); 4] =
    [("low", "1 low"), ("normal", "2 normal"), ("high", "3 high"), ("urgent", "4 urgent")];

/// Number and name of a priority.
pub(super) fn priority(word: Option<&str>) -> (u64, &'static str) {
    let at = PRIORITIES.iter().position(|(known, _)| Some(*known) == word).unwrap_or(1);
    (at as u64 + 1, PRIORITIES[at].1)
}

/// Number and name of the kind of article that a channel begins with.
pub(super) fn kind_of(channel: &str) -> (u64, &'static str) {
    match channel {
        "email" => (1, "email"),
        "phone" => (5, "phone"),
        "chat" => (3, "chat"),
        "note" => (10, "note"),
        _ => (11, "web"),
    }
}
