//! Which endpoint a method and a path mean.

use super::show::contact_no;
use crate::ids::{OrganizationNo, PersonNo, TicketNo};
use http::Method;

/// Everything that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Me,
    Admins,
    Teams,
    Contact(PersonNo),
    Company(OrganizationNo),
    Search,
    Conversation(TicketNo),
    Update(TicketNo),
    Reply(TicketNo),
    Manage(TicketNo),
    Tags,
    MakeTag,
    AddTag(TicketNo),
    RemoveTag(TicketNo, u64),
}

impl Endpoint {
    /// The endpoint of a method and path, if there is one.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix('/')?.trim_end_matches('/').split('/').collect();
        Some(match (method, &parts[..]) {
            (&Method::GET, ["me"]) => Self::Me,
            (&Method::GET, ["admins"]) => Self::Admins,
            (&Method::GET, ["teams"]) => Self::Teams,
            (&Method::GET, ["contacts", id]) => Self::Contact(contact_no(id)?),
            (&Method::GET, ["companies", no]) => Self::Company(no.parse().ok()?),
            (&Method::POST, ["conversations", "search"]) => Self::Search,
            (&Method::GET, ["conversations", no]) => Self::Conversation(no.parse().ok()?),
            (&Method::PUT, ["conversations", no]) => Self::Update(no.parse().ok()?),
            (&Method::POST, ["conversations", no, "reply"]) => Self::Reply(no.parse().ok()?),
            (&Method::POST, ["conversations", no, "parts"]) => Self::Manage(no.parse().ok()?),
            (&Method::GET, ["tags"]) => Self::Tags,
            (&Method::POST, ["tags"]) => Self::MakeTag,
            (&Method::POST, ["conversations", no, "tags"]) => Self::AddTag(no.parse().ok()?),
            (&Method::DELETE, ["conversations", no, "tags", tag]) => {
                Self::RemoveTag(no.parse().ok()?, tag.parse().ok()?)
            }
            _ => return None,
        })
    }

    /// The conversation that its path names.
    pub(super) fn ticket(self) -> Option<TicketNo> {
        match self {
            Self::Conversation(no)
            | Self::Update(no)
            | Self::Reply(no)
            | Self::Manage(no)
            | Self::AddTag(no)
            | Self::RemoveTag(no, _) => Some(no),
            _ => None,
        }
    }

    /// What journals call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Me => "identify admin",
            Self::Admins => "list admins",
            Self::Teams => "list teams",
            Self::Contact(_) => "retrieve contact",
            Self::Company(_) => "retrieve company",
            Self::Search => "search conversations",
            Self::Conversation(_) => "retrieve conversation",
            Self::Update(_) => "update conversation",
            Self::Reply(_) => "reply to conversation",
            Self::Manage(_) => "manage conversation",
            Self::Tags => "list tags",
            Self::MakeTag => "create tag",
            Self::AddTag(_) => "add tag",
            Self::RemoveTag(..) => "remove tag",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_paths_and_methods_mean_nothing() {
        let of = |method: Method, path: &str| Endpoint::of(&method, path);
        assert_eq!(of(Method::GET, "/conversations/7"), Some(Endpoint::Conversation(TicketNo(7))));
        assert_eq!(of(Method::POST, "/conversations/search"), Some(Endpoint::Search));
        assert_eq!(of(Method::DELETE, "/conversations/7/tags/9"), Some(Endpoint::RemoveTag(TicketNo(7), 9)));
        for path in ["", "/", "/conversations/x", "/conversations/-1", "/contacts/7", "/v2/me", "/conversations"] {
            assert_eq!(of(Method::GET, path), None, "{path}");
        }
        assert_eq!(of(Method::POST, "/conversations/7"), None);
    }
}
