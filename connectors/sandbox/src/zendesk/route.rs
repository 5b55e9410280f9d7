//! Which endpoint a method and a path mean. A trailing `.json` is optional (Zendesk sheet, *Base URL and auth*).

use crate::ids::{PersonNo, QueueNo, TicketNo};
use http::Method;

/// Everything that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Token,
    CurrentToken,
    Me,
    User(PersonNo),
    Requested(PersonNo),
    UsersShowMany,
    UsersSearch,
    Groups,
    Group(QueueNo),
    Memberships(Option<QueueNo>),
    OrganizationsShowMany,
    TicketFields,
    Tickets,
    TicketsShowMany,
    Ticket(TicketNo),
    UpdateTicket(TicketNo),
    Comments(TicketNo),
    Audits(TicketNo),
    PolicyMetrics(TicketNo),
    Tags(TicketNo),
    AddTags(TicketNo),
    RemoveTags(TicketNo),
    Export,
}

impl Endpoint {
    /// The endpoint of a method and path, if there is one.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let path = path.strip_suffix(".json").unwrap_or(path).trim_matches('/');
        if let Some(rest) = path.strip_prefix("oauth/") {
            return Self::oauth(method, rest);
        }
        let parts: Vec<&str> = path.strip_prefix("api/v2/")?.split('/').collect();
        match *method {
            Method::GET => Self::get(&parts),
            Method::PUT => match parts[..] {
                ["tickets", no] => no.parse().ok().map(Self::UpdateTicket),
                ["tickets", no, "tags"] => no.parse().ok().map(Self::AddTags),
                _ => None,
            },
            Method::DELETE => match parts[..] {
                ["tickets", no, "tags"] => no.parse().ok().map(Self::RemoveTags),
                _ => None,
            },
            _ => None,
        }
    }

    fn oauth(method: &Method, rest: &str) -> Option<Self> {
        match (method, rest) {
            (&Method::POST, "tokens") => Some(Self::Token),
            (&Method::GET, "tokens/current") => Some(Self::CurrentToken),
            _ => None,
        }
    }

    fn get(parts: &[&str]) -> Option<Self> {
        Some(match *parts {
            ["oauth", "tokens", "current"] => Self::CurrentToken,
            ["users", "me"] => Self::Me,
            ["users", "show_many"] => Self::UsersShowMany,
            ["users", "search"] => Self::UsersSearch,
            ["users", no] => Self::User(no.parse().ok()?),
            ["users", no, "tickets", "requested"] => Self::Requested(no.parse().ok()?),
            ["groups"] => Self::Groups,
            ["groups", no] => Self::Group(no.parse().ok()?),
            ["groups", no, "memberships"] => Self::Memberships(Some(no.parse().ok()?)),
            ["group_memberships"] | ["group_memberships", "assignable"] => Self::Memberships(None),
            ["organizations", "show_many"] => Self::OrganizationsShowMany,
            ["ticket_fields"] => Self::TicketFields,
            ["tickets"] => Self::Tickets,
            ["tickets", "show_many"] => Self::TicketsShowMany,
            ["tickets", no] => Self::Ticket(no.parse().ok()?),
            ["tickets", no, "comments"] => Self::Comments(no.parse().ok()?),
            ["tickets", no, "audits"] => Self::Audits(no.parse().ok()?),
            ["tickets", no, "slas", "policy_metrics"] => Self::PolicyMetrics(no.parse().ok()?),
            ["tickets", no, "tags"] => Self::Tags(no.parse().ok()?),
            ["incremental", "tickets", "cursor"] => Self::Export,
            _ => return None,
        })
    }

    /// The ticket that the path names.
    pub(super) fn ticket(self) -> Option<TicketNo> {
        match self {
            Self::Ticket(no)
            | Self::UpdateTicket(no)
            | Self::Comments(no)
            | Self::Audits(no)
            | Self::PolicyMetrics(no)
            | Self::Tags(no)
            | Self::AddTags(no)
            | Self::RemoveTags(no) => Some(no),
            _ => None,
        }
    }

    /// What journals call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Token => "get token",
            Self::CurrentToken => "show current token",
            Self::Me => "show me",
            Self::User(_) => "show user",
            Self::Requested(_) => "list requested tickets",
            Self::UsersShowMany => "show users",
            Self::UsersSearch => "search users",
            Self::Groups => "list groups",
            Self::Group(_) => "show group",
            Self::Memberships(_) => "list memberships",
            Self::OrganizationsShowMany => "show organizations",
            Self::TicketFields => "list ticket fields",
            Self::Tickets => "list tickets",
            Self::TicketsShowMany => "show tickets",
            Self::Ticket(_) => "show ticket",
            Self::UpdateTicket(_) => "update ticket",
            Self::Comments(_) => "list comments",
            Self::Audits(_) => "list audits",
            Self::PolicyMetrics(_) => "show policy metrics",
            Self::Tags(_) => "list tags",
            Self::AddTags(_) => "add tags",
            Self::RemoveTags(_) => "remove tags",
            Self::Export => "export tickets",
        }
    }

    /// The scopes of which a token needs one (Zendesk sheet, *Base URL and auth*); none: any token will do. Which
    /// resource scope opens groups and ticket fields is not documented: those of people and tickets do here.
    pub(super) fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Token | Self::CurrentToken => &[],
            Self::Me | Self::User(_) | Self::UsersShowMany | Self::UsersSearch => &["read", "users:read"],
            Self::Groups | Self::Group(_) | Self::Memberships(_) => &["read", "users:read", "tickets:read"],
            Self::OrganizationsShowMany => &["read", "organizations:read"],
            Self::Audits(_) => &["read"],
            Self::UpdateTicket(_) | Self::AddTags(_) | Self::RemoveTags(_) => &["write", "tickets:write"],
            _ => &["read", "tickets:read"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_the_same_with_and_without_its_ending() {
        for path in ["/api/v2/tickets/7", "/api/v2/tickets/7.json"] {
            assert_eq!(Endpoint::of(&Method::GET, path), Some(Endpoint::Ticket(TicketNo(7))), "{path}");
        }
        assert_eq!(Endpoint::of(&Method::PUT, "/api/v2/tickets/7"), Some(Endpoint::UpdateTicket(TicketNo(7))));
    }

    #[test]
    fn other_paths_and_methods_mean_nothing() {
        for path in ["", "/", "/tickets/7", "/api/v2/tickets/x", "/api/v2/tickets/-1", "/api/v1/tickets", "/api/v2/"] {
            assert_eq!(Endpoint::of(&Method::GET, path), None, "{path}");
        }
        assert_eq!(Endpoint::of(&Method::PATCH, "/api/v2/tickets/7"), None);
        assert_eq!(Endpoint::of(&Method::POST, "/api/v2/tickets/7"), None);
    }
}
