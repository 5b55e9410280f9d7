//! Which endpoint a method and a path mean.

use super::words::issue_no;
use crate::ids::{MessageNo, TicketNo};
use http::Method;

/// Everything that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Myself,
    Fields,
    Statuses,
    User,
    Assignable,
    Members,
    Permissions,
    Suggestions,
    Search,
    Issue(TicketNo),
    EditMeta(TicketNo),
    Changelog(TicketNo),
    Comments(TicketNo),
    AddComment(TicketNo),
    DeleteComment(TicketNo, MessageNo),
    RequestComment(TicketNo),
    Sla(TicketNo),
    Update(TicketNo),
    Transitions(TicketNo),
    Transition(TicketNo),
}

impl Endpoint {
    /// The endpoint of a method and path, if there is one.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix("/rest/")?.split('/').collect();
        match parts.as_slice() {
            ["api", "3", rest @ ..] => Self::of_platform(method, rest),
            ["servicedeskapi", rest @ ..] => Self::of_service_desk(method, rest),
            _ => None,
        }
    }

    fn of_platform(method: &Method, parts: &[&str]) -> Option<Self> {
        Some(match (method, parts) {
            (&Method::GET, ["myself"]) => Self::Myself,
            (&Method::GET, ["field"]) => Self::Fields,
            (&Method::GET, ["status"]) => Self::Statuses,
            (&Method::GET, ["user"]) => Self::User,
            (&Method::GET, ["user", "assignable", "search"]) => Self::Assignable,
            (&Method::GET, ["group", "member"]) => Self::Members,
            (&Method::GET, ["mypermissions"]) => Self::Permissions,
            (&Method::GET, ["jql", "autocompletedata", "suggestions"]) => Self::Suggestions,
            (&Method::POST, ["search", "jql"]) => Self::Search,
            (&Method::GET, ["issue", no]) => Self::Issue(issue_no(no)?),
            (&Method::PUT, ["issue", no]) => Self::Update(issue_no(no)?),
            (&Method::GET, ["issue", no, "editmeta"]) => Self::EditMeta(issue_no(no)?),
            (&Method::GET, ["issue", no, "changelog"]) => Self::Changelog(issue_no(no)?),
            (&Method::GET, ["issue", no, "comment"]) => Self::Comments(issue_no(no)?),
            (&Method::POST, ["issue", no, "comment"]) => Self::AddComment(issue_no(no)?),
            (&Method::DELETE, ["issue", no, "comment", id]) => Self::DeleteComment(issue_no(no)?, id.parse().ok()?),
            (&Method::GET, ["issue", no, "transitions"]) => Self::Transitions(issue_no(no)?),
            (&Method::POST, ["issue", no, "transitions"]) => Self::Transition(issue_no(no)?),
            _ => return None,
        })
    }

    fn of_service_desk(method: &Method, parts: &[&str]) -> Option<Self> {
        Some(match (method, parts) {
            (&Method::POST, ["request", no, "comment"]) => Self::RequestComment(issue_no(no)?),
            (&Method::GET, ["request", no, "sla"]) => Self::Sla(issue_no(no)?),
            _ => return None,
        })
    }

    /// The issue that its path names.
    pub(super) fn ticket(self) -> Option<TicketNo> {
        match self {
            Self::Issue(no)
            | Self::EditMeta(no)
            | Self::Changelog(no)
            | Self::Comments(no)
            | Self::AddComment(no)
            | Self::DeleteComment(no, _)
            | Self::RequestComment(no)
            | Self::Sla(no)
            | Self::Update(no)
            | Self::Transitions(no)
            | Self::Transition(no) => Some(no),
            _ => None,
        }
    }

    /// What journals call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Myself => "view own user",
            Self::Fields => "list fields",
            Self::Statuses => "list statuses",
            Self::User => "view user",
            Self::Assignable => "search assignable users",
            Self::Members => "list group members",
            Self::Permissions => "view own permissions",
            Self::Suggestions => "suggest values",
            Self::Search => "search issues",
            Self::Issue(_) => "view issue",
            Self::EditMeta(_) => "view edit metadata",
            Self::Changelog(_) => "view changelog",
            Self::Comments(_) => "list comments",
            Self::AddComment(_) => "add comment",
            Self::DeleteComment(..) => "delete comment",
            Self::RequestComment(_) => "add request comment",
            Self::Sla(_) => "view sla",
            Self::Update(_) => "edit issue",
            Self::Transitions(_) => "list transitions",
            Self::Transition(_) => "transition issue",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_known_by_its_id_and_by_its_key_and_other_paths_mean_nothing() {
        let get = |path: &str| Endpoint::of(&Method::GET, path);
        assert_eq!(get("/rest/api/3/issue/7"), Some(Endpoint::Issue(TicketNo(7))));
        assert_eq!(get("/rest/api/3/issue/HELP-7"), Some(Endpoint::Issue(TicketNo(7))));
        assert_eq!(Endpoint::of(&Method::POST, "/rest/api/3/search/jql"), Some(Endpoint::Search));
        for path in
            ["", "/", "/issue/7", "/rest/api/2/issue/7", "/rest/api/3/issue/x", "/rest/api/3/search", "/rest/api/3/"]
        {
            assert_eq!(get(path), None, "{path}");
        }
    }
}
