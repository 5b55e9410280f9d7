//! Which question a request asks. Paths, methods and parameters that the vendor does not document are refused.

use super::refusal::Refusal;
use bytes::Bytes;
use http::{Method, Request};
use std::collections::BTreeMap;

/// A documented request.
pub struct Question {
    pub way: Way,
    pub parameters: BTreeMap<String, String>,
}

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Token,
    TokenInfo,
    Me,
    Groups,
    Assignable,
    Members(i64),
    Users,
    Organizations,
    Fields,
    Ticket(i64),
    Audits(i64),
    Comments(i64),
    Clocks(i64),
    Export,
    List,
    Update(i64),
    AddTags(i64),
    RemoveTags(i64),
}

impl Way {
    /// As the journal names it.
    pub fn endpoint(self) -> &'static str {
        match self {
            Way::Token => "token",
            Way::TokenInfo => "token info",
            Way::Me => "me",
            Way::Groups => "groups",
            Way::Assignable => "assignable",
            Way::Members(_) => "members",
            Way::Users => "users",
            Way::Organizations => "organizations",
            Way::Fields => "fields",
            Way::Ticket(_) => "ticket",
            Way::Audits(_) => "audits",
            Way::Comments(_) => "comments",
            Way::Clocks(_) => "clocks",
            Way::Export => "export",
            Way::List => "list",
            Way::Update(_) => "update",
            Way::AddTags(_) | Way::RemoveTags(_) => "tags",
        }
    }

    pub fn ticket(self) -> Option<i64> {
        match self {
            Way::Ticket(id) | Way::Audits(id) | Way::Comments(id) | Way::Clocks(id) => Some(id),
            Way::Update(id) | Way::AddTags(id) | Way::RemoveTags(id) => Some(id),
            _ => None,
        }
    }

    pub fn writes(self) -> bool {
        matches!(self, Way::Update(_) | Way::AddTags(_) | Way::RemoveTags(_))
    }

    /// The parameters that it knows.
    fn known(self) -> &'static [&'static str] {
        match self {
            Way::Groups | Way::Assignable | Way::Members(_) | Way::Fields => &["page[size]", "page[after]"],
            Way::Users | Way::Organizations => &["ids"],
            Way::Audits(_) => &["page[size]", "page[after]", "sort"],
            Way::Comments(_) => &["page[size]", "page[after]", "sort", "include"],
            Way::Export => &["start_time", "cursor", "per_page", "exclude_deleted", "include"],
            Way::List => &["sort", "page[size]", "page[after]", "include"],
            Way::Ticket(_) => &["include"],
            _ => &[],
        }
    }
}

/// Reads a request's method, path and parameters.
pub fn read(request: &Request<Bytes>) -> Result<Question, Refusal> {
    let path = request.uri().path();
    let path = path.strip_suffix(".json").unwrap_or(path);
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let way = way(request.method(), &parts).ok_or_else(Refusal::no_such_path)?;
    let parameters = parameters(request.uri().query().unwrap_or_default())?;
    if let Some(unknown) = parameters.keys().find(|name| !way.known().contains(&name.as_str())) {
        return Err(Refusal::bad(format!("unknown parameter {unknown}")));
    }
    Ok(Question { way, parameters })
}

fn way(method: &Method, parts: &[&str]) -> Option<Way> {
    if parts == ["oauth", "tokens"] {
        return (method == Method::POST).then_some(Way::Token);
    }
    let rest = parts.strip_prefix(&["api", "v2"])?;
    let number = |id: &str| id.parse::<i64>().ok();
    let way = match (method.as_str(), rest) {
        ("GET", ["oauth", "tokens", "current"]) => Way::TokenInfo,
        ("GET", ["users", "me"]) => Way::Me,
        ("GET", ["users", "show_many"]) => Way::Users,
        ("GET", ["organizations", "show_many"]) => Way::Organizations,
        ("GET", ["groups"]) => Way::Groups,
        ("GET", ["group_memberships", "assignable"]) => Way::Assignable,
        ("GET", ["groups", id, "memberships"]) => Way::Members(number(id)?),
        ("GET", ["ticket_fields" | "user_fields" | "organization_fields"]) => Way::Fields,
        ("GET", ["incremental", "tickets", "cursor"]) => Way::Export,
        ("GET", ["tickets"]) => Way::List,
        ("GET", ["tickets", id]) => Way::Ticket(number(id)?),
        ("GET", ["tickets", id, "audits"]) => Way::Audits(number(id)?),
        ("GET", ["tickets", id, "comments"]) => Way::Comments(number(id)?),
        ("GET", ["tickets", id, "slas", "policy_metrics"]) => Way::Clocks(number(id)?),
        ("PUT", ["tickets", id]) => Way::Update(number(id)?),
        ("PUT", ["tickets", id, "tags"]) => Way::AddTags(number(id)?),
        ("DELETE", ["tickets", id, "tags"]) => Way::RemoveTags(number(id)?),
        _ => return None,
    };
    Some(way)
}

fn parameters(query: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let mut parameters = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            return Err(Refusal::bad(format!("{name} is given twice")));
        }
    }
    Ok(parameters)
}

impl Question {
    /// A whole number within bounds; `default` where it is not given.
    pub fn number(&self, name: &str, default: i64, most: i64) -> Result<i64, Refusal> {
        let Some(text) = self.parameters.get(name) else { return Ok(default) };
        let number = text.parse::<i64>().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| Refusal::bad(format!("{name} must be a number from 1 to {most}")))
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}
