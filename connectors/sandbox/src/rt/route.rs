//! Which endpoint a method and a path mean. What stands before `/REST/2.0` is the site's own.

use crate::ids::TicketNo;
use crate::ticket::Visibility;
use http::Method;
use url::form_urlencoded;

/// Everything that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    About,
    Ticket(TicketNo),
    Tickets,
    UpdateTicket(TicketNo),
    DeleteTicket(TicketNo),
    Own(TicketNo, Ownership),
    Say(TicketNo, Visibility),
    History(TicketNo),
    TicketAttachments(TicketNo),
    Transaction(u64),
    Transactions,
    TransactionAttachments(u64),
    Attachment(u64),
    Attachments,
    Queues,
    Queue(String),
    Group(u64),
    User(String),
    Users,
    CustomFields,
    /// Any path with a method that RT does not have.
    Patch,
}

/// What one does with the ownership of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// Takes a ticket that nobody has.
    Take,
    /// Gives it back.
    Untake,
    /// Takes it from somebody.
    Steal,
}

impl Endpoint {
    /// The endpoint of a method and path, if there is one.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let (_, path) = path.split_once("/REST/2.0/")?;
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        match *method {
            Method::GET => Self::get(&parts),
            Method::POST => match parts[..] {
                ["ticket", no, "comment"] => Some(Self::Say(no.parse().ok()?, Visibility::Internal)),
                ["ticket", no, "correspond"] => Some(Self::Say(no.parse().ok()?, Visibility::Public)),
                ["attachments"] => Some(Self::Attachments),
                ["users"] => Some(Self::Users),
                ["customfields"] => Some(Self::CustomFields),
                _ => None,
            },
            Method::PUT => match parts[..] {
                ["ticket", no] => Some(Self::UpdateTicket(no.parse().ok()?)),
                ["ticket", no, "take"] => Some(Self::Own(no.parse().ok()?, Ownership::Take)),
                ["ticket", no, "untake"] => Some(Self::Own(no.parse().ok()?, Ownership::Untake)),
                ["ticket", no, "steal"] => Some(Self::Own(no.parse().ok()?, Ownership::Steal)),
                _ => None,
            },
            Method::DELETE => match parts[..] {
                ["ticket", no] => Some(Self::DeleteTicket(no.parse().ok()?)),
                _ => None,
            },
            Method::PATCH => Some(Self::Patch),
            _ => None,
        }
    }

    fn get(parts: &[&str]) -> Option<Self> {
        Some(match *parts {
            ["rt"] => Self::About,
            ["ticket", no] => Self::Ticket(no.parse().ok()?),
            ["ticket", no, "history"] => Self::History(no.parse().ok()?),
            ["ticket", no, "attachments"] => Self::TicketAttachments(no.parse().ok()?),
            ["tickets"] => Self::Tickets,
            ["transactions"] => Self::Transactions,
            ["transaction", no] => Self::Transaction(no.parse().ok()?),
            ["transaction", no, "attachments"] => Self::TransactionAttachments(no.parse().ok()?),
            ["attachments"] => Self::Attachments,
            ["attachment", no] => Self::Attachment(no.parse().ok()?),
            ["queues", "all"] => Self::Queues,
            ["queue", name] => Self::Queue(decoded(name)?),
            ["group", no] => Self::Group(no.parse().ok()?),
            ["user", who] => Self::User(decoded(who)?),
            ["users"] => Self::Users,
            ["customfields"] => Self::CustomFields,
            _ => return None,
        })
    }

    /// The ticket that the path names.
    pub(super) fn ticket(&self) -> Option<TicketNo> {
        match self {
            Self::Ticket(no)
            | Self::UpdateTicket(no)
            | Self::DeleteTicket(no)
            | Self::Own(no, _)
            | Self::Say(no, _)
            | Self::History(no)
            | Self::TicketAttachments(no) => Some(*no),
            _ => None,
        }
    }

    /// What journals call it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::About => "show RT",
            Self::Ticket(_) => "show ticket",
            Self::Tickets => "search tickets",
            Self::UpdateTicket(_) => "update ticket",
            Self::DeleteTicket(_) => "delete ticket",
            Self::Own(_, Ownership::Take) => "take ticket",
            Self::Own(_, Ownership::Untake) => "untake ticket",
            Self::Own(_, Ownership::Steal) => "steal ticket",
            Self::Say(_, Visibility::Internal) => "comment",
            Self::Say(_, Visibility::Public) => "correspond",
            Self::History(_) => "show history",
            Self::TicketAttachments(_) => "list ticket attachments",
            Self::Transaction(_) => "show transaction",
            Self::Transactions => "search transactions",
            Self::TransactionAttachments(_) => "list transaction attachments",
            Self::Attachment(_) => "show attachment",
            Self::Attachments => "search attachments",
            Self::Queues => "list queues",
            Self::Queue(_) => "show queue",
            Self::Group(_) => "show group",
            Self::User(_) => "show user",
            Self::Users => "search users",
            Self::CustomFields => "search custom fields",
            Self::Patch => "unknown",
        }
    }
}

/// A part of a path without its escapes. `None`: there is nothing in it.
fn decoded(part: &str) -> Option<String> {
    // In a path, these three stand for themselves.
    let plain = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let (decoded, _) = form_urlencoded::parse(plain.as_bytes()).next()?;
    Some(decoded.into_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_below_the_sites_own_address() {
        for path in ["/REST/2.0/ticket/7", "/rt/REST/2.0/ticket/7"] {
            assert_eq!(Endpoint::of(&Method::GET, path), Some(Endpoint::Ticket(TicketNo(7))), "{path}");
        }
        let user = |who: &str| Some(Endpoint::User(who.into()));
        assert_eq!(Endpoint::of(&Method::GET, "/REST/2.0/user/a+b%20%C3%B6@x.example"), user("a+b ö@x.example"));
        assert_eq!(Endpoint::of(&Method::GET, "/REST/2.0/user/..%2Fqueue"), user("../queue"));
    }

    #[test]
    fn other_paths_and_methods_mean_nothing() {
        for path in
            ["", "/", "/ticket/7", "/REST/2.0/ticket/x", "/REST/2.0/ticket/-1", "/REST/1.0/ticket/7", "/REST/2.0/user/"]
        {
            assert_eq!(Endpoint::of(&Method::GET, path), None, "{path}");
        }
        assert_eq!(Endpoint::of(&Method::POST, "/REST/2.0/ticket/7"), None);
        assert_eq!(Endpoint::of(&Method::PATCH, "/REST/2.0/ticket/7"), Some(Endpoint::Patch));
    }
}
