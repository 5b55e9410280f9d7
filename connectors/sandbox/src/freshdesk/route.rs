//! Which endpoint a method and a path mean.

use crate::ids::{OrganizationNo, PersonNo, QueueNo, TicketNo};
use http::Method;

/// Everything that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Me,
    Agents,
    Groups,
    Group(QueueNo),
    Contact(PersonNo),
    Company(OrganizationNo),
    TicketFields,
    AdminFields,
    AdminField(u64),
    Tickets,
    Ticket(TicketNo),
    Conversations(TicketNo),
    UpdateTicket(TicketNo),
    AddNote(TicketNo),
    Reply(TicketNo),
}

impl Endpoint {
    /// The endpoint of a method and path, if there is one.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix("/api/v2/")?.trim_end_matches('/').split('/').collect();
        Some(match (method, &parts[..]) {
            (&Method::GET, ["agents", "me"]) => Self::Me,
            (&Method::GET, ["agents"]) => Self::Agents,
            (&Method::GET, ["groups"]) => Self::Groups,
            (&Method::GET, ["groups", no]) => Self::Group(no.parse().ok()?),
            (&Method::GET, ["contacts", no]) => Self::Contact(no.parse().ok()?),
            (&Method::GET, ["companies", no]) => Self::Company(no.parse().ok()?),
            (&Method::GET, ["ticket_fields"]) => Self::TicketFields,
            (&Method::GET, ["admin", "ticket_fields"]) => Self::AdminFields,
            (&Method::GET, ["admin", "ticket_fields", no]) => Self::AdminField(no.parse().ok()?),
            (&Method::GET, ["tickets"]) => Self::Tickets,
            (&Method::GET, ["tickets", no]) => Self::Ticket(no.parse().ok()?),
            (&Method::GET, ["tickets", no, "conversations"]) => Self::Conversations(no.parse().ok()?),
            (&Method::PUT, ["tickets", no]) => Self::UpdateTicket(no.parse().ok()?),
            (&Method::POST, ["tickets", no, "notes"]) => Self::AddNote(no.parse().ok()?),
            (&Method::POST, ["tickets", no, "reply"]) => Self::Reply(no.parse().ok()?),
            _ => return None,
        })
    }

    /// The ticket that the path names.
    pub(super) fn ticket(self) -> Option<TicketNo> {
        match self {
            Self::Ticket(no)
            | Self::Conversations(no)
            | Self::UpdateTicket(no)
            | Self::AddNote(no)
            | Self::Reply(no) => Some(no),
            _ => None,
        }
    }

    /// What journals call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Me => "view own agent",
            Self::Agents => "list agents",
            Self::Groups => "list groups",
            Self::Group(_) => "view group",
            Self::Contact(_) => "view contact",
            Self::Company(_) => "view company",
            Self::TicketFields => "list ticket fields",
            Self::AdminFields | Self::AdminField(_) => "view admin ticket fields",
            Self::Tickets => "list tickets",
            Self::Ticket(_) => "view ticket",
            Self::Conversations(_) => "list conversations",
            Self::UpdateTicket(_) => "update ticket",
            Self::AddNote(_) => "add note",
            Self::Reply(_) => "reply",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_paths_and_methods_mean_nothing() {
        assert_eq!(Endpoint::of(&Method::GET, "/api/v2/tickets/7"), Some(Endpoint::Ticket(TicketNo(7))));
        for path in ["", "/", "/tickets/7", "/api/v2/tickets/x", "/api/v2/tickets/-1", "/api/v1/tickets", "/api/v2/"] {
            assert_eq!(Endpoint::of(&Method::GET, path), None, "{path}");
        }
        assert_eq!(Endpoint::of(&Method::POST, "/api/v2/tickets/7"), None);
        assert_eq!(Endpoint::of(&Method::DELETE, "/api/v2/tickets/7"), None);
    }
}
