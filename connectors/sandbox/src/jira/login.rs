//! Who asks, by mail address and API token, or by an access token alone (Jira Service Management sheet, *Base URL and auth*), and
//! what they may see and change: one without the right to see an issue is told that there is none.

use super::refusals::Refusal;
use super::request::Call;
use super::route::Endpoint;
use super::words::project_of;
use crate::ids::{QueueNo, TicketNo};
use crate::people::{Person, Reach, Role};
use crate::store::Helpdesk;
use crate::ticket::{End, Ticket};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Who asks.
pub(super) struct Caller {
    pub(super) person: Person,
}

/// Who asks, if it is somebody who is let in.
pub(super) fn caller(desk: &Helpdesk, call: &Call<'_>) -> Result<Caller, Refusal> {
    let header = call.authorization().ok_or(Refusal::Unauthorized)?;
    let (email, token) = match header.split_once(' ') {
        Some(("Basic", pair)) => pair_of(pair).ok_or(Refusal::Unauthorized)?,
        Some(("Bearer", token)) => (None, token.to_owned()),
        _ => return Err(Refusal::Unauthorized),
    };
    let grant = desk.access.grant(&token, desk.now).ok_or(Refusal::Unauthorized)?;
    let person = desk.person(grant.person).filter(|person| !person.suspended);
    let person = person.filter(|person| email.is_none_or(|email| person.email.eq_ignore_ascii_case(&email)));
    person.cloned().map(|person| Caller { person }).ok_or(Refusal::Unauthorized)
}

/// Reads of issues admit whoever is not logged in, and show them a site without issues: a login that has ended looks like an issue
/// that is not there.
pub(super) fn as_anybody(call: &Call<'_>, refusal: Refusal) -> Refusal {
    match call.endpoint {
        Some(Endpoint::Issue(_) | Endpoint::Changelog(_) | Endpoint::Comments(_)) => Refusal::no_issue(),
        _ => refusal,
    }
}

fn pair_of(pair: &str) -> Option<(Option<String>, String)> {
    let text = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let (email, token) = text.split_once(':')?;
    Some((Some(email.to_owned()), token.to_owned()))
}

impl Caller {
    /// Whether they work as an agent: others can only say what everybody may read.
    pub(super) fn is_agent(&self) -> bool {
        self.person.role != Role::Customer
    }

    /// Whether issues of this team may be seen.
    pub(super) fn sees(&self, queue: Option<QueueNo>) -> bool {
        self.person.rights.sees.covers(queue)
    }

    /// Whether they may change anything at all.
    pub(super) fn changes_some(&self) -> bool {
        self.person.rights.changes != Reach::Nothing
    }

    /// An issue that they may see. One that was deleted is not there any more.
    pub(super) fn issue<'a>(&self, desk: &'a Helpdesk, no: TicketNo) -> Result<&'a Ticket, Refusal> {
        let ticket = desk.tickets.get(&no).filter(|ticket| ticket.end != Some(End::Deleted));
        ticket.filter(|ticket| self.sees(ticket.queue)).ok_or_else(Refusal::no_issue)
    }

    /// An issue that they may edit. A missing right is a 400 here (published description, *Edit issue*).
    pub(super) fn editable<'a>(&self, desk: &'a Helpdesk, no: TicketNo) -> Result<&'a Ticket, Refusal> {
        let ticket = self.issue(desk, no)?;
        if ticket.extra.contains_key("archiveddate") {
            return Err(Refusal::bad("This issue is archived. You cannot edit it."));
        }
        match self.person.rights.changes.covers(ticket.queue) {
            true => Ok(ticket),
            false => {
                let words = format!("You do not have permission to edit issues in project {}.", project_of(ticket));
                Err(Refusal::bad(words))
            }
        }
    }
}
