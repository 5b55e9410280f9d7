//! Who asks: the access token of an app, which acts for the admin who made it (Intercom sheet, *Base URL and auth*).

use super::refusals::Refusal;
use super::request::Call;
use crate::change::By;
use crate::ids::{PersonNo, TicketNo};
use crate::people::{Person, Role};
use crate::store::Helpdesk;
use crate::ticket::{Cause, End, Ticket};
use serde_json::{Map, Value};

/// Who asks.
pub(super) struct Caller {
    pub(super) person: Person,
}

/// Who asks, if it is somebody of the staff who is let in.
pub(super) fn caller(desk: &Helpdesk, call: &Call<'_>) -> Result<Caller, Refusal> {
    let token = call.authorization().and_then(|header| header.strip_prefix("Bearer ")).ok_or(Refusal::Unauthorized)?;
    let grant = desk.access.grant(token, desk.now).ok_or(Refusal::Unauthorized)?;
    let person = desk.person(grant.person).filter(|person| person.role.is_staff() && !person.suspended);
    person.cloned().map(|person| Caller { person }).ok_or(Refusal::Unauthorized)
}

impl Caller {
    /// Reads a conversation. One that was deleted is not there any more.
    pub(super) fn conversation<'a>(&self, desk: &'a Helpdesk, no: TicketNo) -> Result<&'a Ticket, Refusal> {
        let ticket = desk.tickets.get(&no).filter(|ticket| ticket.end != Some(End::Deleted));
        if !self.person.rights.sees.covers(ticket.and_then(|ticket| ticket.queue)) {
            return Err(Refusal::Forbidden { scope: "read_conversations" });
        }
        ticket.ok_or(Refusal::NotFound)
    }

    /// A conversation that may be changed: a right of the whole app, looked at before anything else.
    pub(super) fn changeable<'a>(&self, desk: &'a Helpdesk, no: TicketNo) -> Result<&'a Ticket, Refusal> {
        let queue = desk.tickets.get(&no).and_then(|ticket| ticket.queue);
        if !self.person.rights.changes.covers(queue) {
            return Err(Refusal::Forbidden { scope: "write_conversations" });
        }
        self.conversation(desk, no)
    }

    /// A list that needs a permission beyond conversations.
    pub(super) fn lists(&self, scope: &'static str) -> Result<(), Refusal> {
        if self.person.rights.admin { Ok(()) } else { Err(Refusal::Forbidden { scope }) }
    }
}

/// The admin in whose name a write is made: named in its body.
pub(super) fn writer(desk: &Helpdesk, body: &Map<String, Value>) -> Result<By, Refusal> {
    let no = body.get("admin_id").and_then(number).map(PersonNo);
    let known = no.and_then(|no| desk.person(no)).filter(|person| is_admin(person));
    let person = known.ok_or(Refusal::Invalid { code: "admin_not_found", message: "Admin not found".into() })?;
    Ok(By { person: person.no, cause: Cause::Request, custom: Value::Null })
}

/// An id, as text or as a number.
pub(super) fn number(sent: &Value) -> Option<u64> {
    sent.as_u64().or_else(|| sent.as_str()?.parse().ok())
}

/// Whether somebody is a teammate: an admin in Intercom's word, whatever they may do.
pub(super) fn is_admin(person: &Person) -> bool {
    matches!(person.role, Role::Agent | Role::Admin | Role::Bot)
}
