//! Which endpoint a method and a path mean.

use crate::ids::{OrganizationNo, PersonNo, QueueNo, TicketNo};
use http::Method;

/// Everything that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Me,
    User(PersonNo),
    Groups,
    Group(QueueNo),
    Organization(OrganizationNo),
    States,
    Priorities,
    Search,
    Ticket(TicketNo),
    Articles(TicketNo),
    History(TicketNo),
    Tags,
    Links,
    UpdateTicket(TicketNo),
    AddArticle,
    AddTag,
    RemoveTag,
}

impl Endpoint {
    /// The endpoint of a method and path, if there is one.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix("/api/v1/")?.trim_end_matches('/').split('/').collect();
        Some(match (method, &parts[..]) {
            (&Method::GET, ["users", "me"]) => Self::Me,
            (&Method::GET, ["users", no]) => Self::User(no.parse().ok()?),
            (&Method::GET, ["groups"]) => Self::Groups,
            (&Method::GET, ["groups", no]) => Self::Group(no.parse().ok()?),
            (&Method::GET, ["organizations", no]) => Self::Organization(no.parse().ok()?),
            (&Method::GET, ["ticket_states"]) => Self::States,
            (&Method::GET, ["ticket_priorities"]) => Self::Priorities,
            (&Method::POST, ["tickets", "search"]) => Self::Search,
            (&Method::GET, ["tickets", no]) => Self::Ticket(no.parse().ok()?),
            (&Method::GET, ["ticket_articles", "by_ticket", no]) => Self::Articles(no.parse().ok()?),
            (&Method::GET, ["ticket_history", no]) => Self::History(no.parse().ok()?),
            (&Method::GET, ["tags"]) => Self::Tags,
            (&Method::GET, ["links"]) => Self::Links,
            (&Method::PUT, ["tickets", no]) => Self::UpdateTicket(no.parse().ok()?),
            (&Method::POST, ["ticket_articles"]) => Self::AddArticle,
            (&Method::POST, ["tags", "add"]) => Self::AddTag,
            (&Method::DELETE, ["tags", "remove"]) => Self::RemoveTag,
            _ => return None,
        })
    }

    /// What journals call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Me => "view own user",
            Self::User(_) => "view user",
            Self::Groups => "list groups",
            Self::Group(_) => "view group",
            Self::Organization(_) => "view organization",
            Self::States => "list ticket states",
            Self::Priorities => "list ticket priorities",
            Self::Search => "search tickets",
            Self::Ticket(_) => "view ticket",
            Self::Articles(_) => "list articles",
            Self::History(_) => "view history",
            Self::Tags => "list tags",
            Self::Links => "list links",
            Self::UpdateTicket(_) => "update ticket",
            Self::AddArticle => "add article",
            Self::AddTag => "add tag",
            Self::RemoveTag => "remove tag",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_paths_and_methods_mean_nothing() {
        assert_eq!(Endpoint::of(&Method::GET, "/api/v1/tickets/7"), Some(Endpoint::Ticket(TicketNo(7))));
        assert_eq!(Endpoint::of(&Method::POST, "/api/v1/tickets/search"), Some(Endpoint::Search));
        for path in ["", "/", "/tickets/7", "/api/v1/tickets/x", "/api/v1/tickets/-1", "/api/v2/tags", "/api/v1/"] {
            assert_eq!(Endpoint::of(&Method::GET, path), None, "{path}");
        }
        assert_eq!(Endpoint::of(&Method::POST, "/api/v1/tickets/7"), None);
        assert_eq!(Endpoint::of(&Method::DELETE, "/api/v1/tickets/7"), None);
    }
}
