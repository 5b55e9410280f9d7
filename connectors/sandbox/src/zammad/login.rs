//! Who asks: `Authorization: Token token=…` (Zammad sheet, *Base URL and auth*).

use super::refusals::Refusal;
use super::request::Call;
use crate::ids::QueueNo;
use crate::people::Person;
use crate::store::Helpdesk;
use crate::ticket::{End, Ticket};

/// Who asks.
pub(super) struct Caller {
    pub(super) person: Person,
}

/// Who asks, if it is somebody of the staff who is let in.
pub(super) fn caller(desk: &Helpdesk, call: &Call<'_>) -> Result<Caller, Refusal> {
    let header = call.authorization().ok_or(Refusal::AuthenticationRequired)?;
    let token = header.strip_prefix("Token token=").ok_or(Refusal::AuthenticationRequired)?;
    let grant = desk.access.grant(token, desk.now).ok_or(Refusal::InvalidToken)?;
    let person = desk.person(grant.person).filter(|person| person.role.is_staff() && !person.suspended);
    person.cloned().map(|person| Caller { person }).ok_or(Refusal::InvalidToken)
}

impl Caller {
    /// Whether tickets of this group may be read.
    pub(super) fn reads(&self, queue: Option<QueueNo>) -> bool {
        self.person.rights.sees.covers(queue)
    }

    /// A ticket that they may read. One that was deleted is not there any more.
    pub(super) fn ticket<'a>(&self, desk: &'a Helpdesk, no: crate::ids::TicketNo) -> Result<&'a Ticket, Refusal> {
        let ticket = desk.tickets.get(&no).filter(|ticket| ticket.end != Some(End::Deleted));
        let ticket = ticket.ok_or(Refusal::NoRecord { model: "Ticket", id: no.0 })?;
        if self.reads(ticket.queue) { Ok(ticket) } else { Err(Refusal::NotAuthorized) }
    }

    /// A ticket that they may change.
    pub(super) fn changeable<'a>(&self, desk: &'a Helpdesk, no: crate::ids::TicketNo) -> Result<&'a Ticket, Refusal> {
        let ticket = self.ticket(desk, no)?;
        if self.person.rights.changes.covers(ticket.queue) { Ok(ticket) } else { Err(Refusal::NotAuthorized) }
    }
}
