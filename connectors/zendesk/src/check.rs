//! Login and rights, tried one by one: each finding says what was tried, what came out, and what to do about it.

use crate::api::{Ask, write};
use crate::desk::ZendeskDesk;
use crate::limits::{AUDITS, INCREMENTAL, LIST};
use crate::normalise::queue;
use crate::wire::{Id, Ticket, TokenScopes, User};
use handoffd_kit::desk::{Finding, QueueSpec};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::id::TicketId;
use handoffd_kit::model::QueueRef;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Every resource that a scope can name, besides the global `read`, `write` and `impersonate` (Zendesk sheet, *Base URL
/// and auth*). Finer ones exist; an unheard-of one is only a warning.
const RESOURCES: [&str; 10] =
    ["tickets", "users", "auditlogs", "organizations", "hc", "apps", "triggers", "automations", "targets", "webhooks"];

/// What follows where they cannot be read.
const CLOCKS_UNKNOWN: &str =
    "Conditions on Zendesk's own clocks stay unknown, and notes say so; [targets] gives clocks of our own";

impl ZendeskDesk {
    /// Tries everything that this connector needs. Nothing on the desk changes: the one update that is sent cannot apply.
    pub(crate) async fn examine(&self, wanted: &[QueueSpec]) -> Result<Vec<Finding>> {
        let deadline = self.api.gate().soon();
        let me = match self.people.me(&self.api, deadline).await {
            Ok(me) => me,
            Err(error) if error.kind == DeskErrorKind::Unavailable => return Err(error),
            Err(error) => return Ok(vec![Finding::failed(&error, "Check the desk's url and login")]),
        };
        let mut findings = vec![own_account(&me)];
        findings.extend(self.scopes(deadline).await);
        findings.extend(self.try_groups(wanted, deadline).await);
        findings.push(self.try_export(deadline).await);
        findings.extend(self.on_a_ticket(deadline).await);
        Ok(findings)
    }

    /// A misspelt scope is accepted, a token is issued, and then every call answers 403.
    async fn scopes(&self, deadline: Timestamp) -> Vec<Finding> {
        let Some(asked) = self.api.login().scope() else {
            return vec![Finding::warning(
                "The login uses an API token",
                "Zendesk ends API tokens on 2027-04-30: make an OAuth client and use client_id and client_secret",
            )];
        };
        let ask = Ask::get("read token", "oauth/tokens/current.json", deadline);
        let granted = match self.api.one::<TokenScopes>(&ask, "token").await {
            Ok(token) => token.scopes.some(),
            Err(error) => return vec![Finding::warning(error.to_string(), "The token's scopes could not be read")],
        };
        let granted = granted.unwrap_or_else(|| asked.split_whitespace().map(str::to_owned).collect());
        scope_findings(&granted)
    }

    async fn try_groups(&self, wanted: &[QueueSpec], deadline: Timestamp) -> Vec<Finding> {
        match self.people.groups(&self.api, &[], deadline).await {
            Ok(groups) if groups.is_empty() => {
                vec![Finding::wrong("Zendesk shows no groups", "Give the login's user access to groups")]
            }
            Ok(groups) => {
                let shown: Vec<QueueRef> = groups.keys().map(|id| queue(*id, &groups)).collect();
                let mut findings = vec![Finding::fine(format!("{} groups can be read", groups.len()))];
                findings.extend(Finding::unseen(wanted, &shown, "Give the login's user access to that group"));
                findings
            }
            Err(error) => vec![Finding::failed(&error, "Groups are needed to resolve queues")],
        }
    }

    async fn try_export(&self, deadline: Timestamp) -> Finding {
        let start = self.api.gate().now().as_second().saturating_sub(300).max(0);
        let ask = Ask::get("read changes", "incremental/tickets/cursor", deadline).endpoint(INCREMENTAL);
        match self.api.json(&ask.query("start_time", start).query("per_page", 1)).await {
            Ok(_) => Finding::fine("The incremental export can be read"),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Finding::warning(
                "The login may not read the incremental export: changes are read from the list of tickets instead, which \
                 shows no deleted tickets and costs more calls",
                "Make the login's user an admin, if that is acceptable",
            ),
            Err(error) => Finding::failed(&error, "Polling needs the incremental export"),
        }
    }

    /// Rights that only show on a ticket: the newest that takes changes is used.
    async fn on_a_ticket(&self, deadline: Timestamp) -> Vec<Finding> {
        let ask = Ask::get("list tickets", "tickets", deadline).endpoint(LIST);
        let ask = ask.query("sort", "-updated_at").query("page[size]", 25);
        let ticket = match self.api.one::<Vec<Ticket>>(&ask, "tickets").await {
            // A closed one would refuse any update, whoever sends it.
            Ok(mut tickets) => {
                tickets.sort_by_key(|ticket| ticket.status.get().is_some_and(|status| status == "closed"));
                tickets.into_iter().find_map(|ticket| ticket.id.some())
            }
            Err(error) => return vec![Finding::failed(&error, "Reading tickets is what everything rests on")],
        };
        let Some(id) = ticket else {
            return vec![Finding::warning(
                "There is no ticket yet to try rights on",
                "Run this again once there is one",
            )];
        };
        let path = format!("tickets/{id}/audits");
        let audits = Ask::get("read audits", path, deadline).endpoint(AUDITS).query("page[size]", 1);
        let audits = match self.api.json(&audits).await {
            Ok(_) => Finding::fine("Ticket audits can be read"),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Finding::warning(
                "Ticket audits cannot be read: who changed what stays unknown, and a write whose answer was lost cannot \
                 be looked up and waits for a person",
                "Give the OAuth client the global scope \"read\" (tickets:read is not enough)",
            ),
            Err(error) => Finding::failed(&error, "Audits carry the history"),
        };
        let clocks = match self.clocks(id, deadline).await {
            Ok(Some(clocks)) => {
                Finding::fine(format!("SLA clocks can be read ({} on the newest ticket)", clocks.len()))
            }
            Ok(None) => Finding::warning("SLA clocks cannot be read", CLOCKS_UNKNOWN),
            Err(error) => Finding::warning(error.to_string(), CLOCKS_UNKNOWN),
        };
        vec![audits, clocks, self.may_write(id, deadline).await]
    }

    /// An update of nothing, under a stamp that no ticket has: Zendesk refuses it as outdated if it would have been allowed.
    async fn update_in_vain(&self, id: Id, deadline: Timestamp) -> Result<()> {
        let body = json!({ "ticket": { "safe_update": true, "updated_stamp": "1970-01-01T00:00:00Z" } });
        let ask = write("try the right to change tickets", Method::PUT, format!("tickets/{id}"), id, body);
        self.api.json(&ask.deadline(deadline)).await.map(|_: Value| ())
    }

    /// Whether the login may change this ticket; none: the answer does not tell.
    pub(crate) async fn may_change(&self, ticket: &TicketId, deadline: Timestamp) -> Result<Option<bool>> {
        let Some(id) = Id::read(ticket.as_str()) else { return Ok(None) };
        match self.update_in_vain(id, deadline).await {
            Err(error) if error.status == Some(409) && error.kind == DeskErrorKind::Conflict => Ok(Some(true)),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Ok(Some(false)),
            Err(error) if is_refusal(error.kind) => Ok(None),
            Ok(()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the login may change tickets, tried on this one.
    async fn may_write(&self, id: Id, deadline: Timestamp) -> Finding {
        match self.update_in_vain(id, deadline).await {
            Err(error) if error.status == Some(409) && error.kind == DeskErrorKind::Conflict => {
                Finding::fine("Tickets can be changed")
            }
            Ok(()) => Finding::warning(
                "Zendesk took an update whose stamp no ticket has: it seems not to compare versions",
                "Ask Zendesk's support before any rule goes live: without the comparison a colleague's change could be covered",
            ),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Finding::wrong(
                format!("The login may not change tickets: {error}"),
                "Give the OAuth client the scope tickets:write, and its user the right to edit tickets of all groups",
            ),
            // Only the refusal as outdated proves the right: other ones may come before it is asked for.
            Err(error) if is_refusal(error.kind) => Finding::warning(
                format!("Whether the login may change tickets is not known: {error}"),
                "Run this again once the newest ticket is an open one",
            ),
            Err(error) => Finding::failed(&error, "Whether the login may change tickets is not known; try again"),
        }
    }
}

/// Zendesk answered, and not about our rights.
fn is_refusal(kind: DeskErrorKind) -> bool {
    use DeskErrorKind::{Conflict, Gone, Hidden, NotFound, Refused};
    matches!(kind, Refused | Gone | NotFound | Hidden | Conflict)
}

fn own_account(me: &User) -> Finding {
    let name = me.name.get().map_or("(no name)", String::as_str);
    let role = me.role.get().map_or("(no role)", String::as_str);
    match (role, me.ticket_restriction.get()) {
        ("admin" | "agent", None) => Finding::fine(format!("Logged in as {name}, {role}")),
        ("admin" | "agent", Some(restriction)) => Finding::warning(
            format!("Logged in as {name}, {role}, who sees only some tickets ({restriction})"),
            "Give this user access to all tickets, or tickets will be missed",
        ),
        _ => Finding::wrong(
            format!("Logged in as {name}, whose role is {role}"),
            "The login must belong to an agent or an admin",
        ),
    }
}

fn scope_findings(granted: &[String]) -> Vec<Finding> {
    let has = |any: &[&str]| granted.iter().any(|scope| any.contains(&scope.as_str()));
    let mut findings = Vec::new();
    if !has(&["write", "tickets:write"]) {
        findings.push(Finding::wrong(
            format!("The token may not change tickets; its scopes are: {}", granted.join(" ")),
            "Set login.scope to \"read tickets:write\", or leave it out",
        ));
    }
    if !has(&["read"]) {
        findings.push(Finding::warning(
            "The token lacks the global scope \"read\": ticket audits stay closed",
            "Set login.scope to \"read tickets:write\", or leave it out",
        ));
    }
    for scope in granted.iter().filter(|scope| !is_known(scope)) {
        findings.push(Finding::warning(
            format!("Zendesk's documentation names no scope {scope:?}"),
            "Check its spelling: Zendesk accepts any scope and then refuses the calls",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::fine(format!("The token's scopes are: {}", granted.join(" "))));
    }
    findings
}

fn is_known(scope: &str) -> bool {
    match scope.split_once(':') {
        None => matches!(scope, "read" | "write" | "impersonate"),
        Some((resource, right)) => RESOURCES.contains(&resource) && matches!(right, "read" | "write"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::desk::Severity;

    fn severities(scopes: &[&str]) -> Vec<Severity> {
        let granted: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        scope_findings(&granted).into_iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn missing_and_misspelt_scopes_are_found() {
        assert_eq!(severities(&["read", "tickets:write"]), [Severity::Fine]);
        assert_eq!(severities(&["read", "write"]), [Severity::Fine]);
        assert_eq!(severities(&["tickets:read", "tickets:write"]), [Severity::Warning]);
        assert_eq!(severities(&["read", "ticket:write"]), [Severity::Error, Severity::Warning]);
        assert_eq!(severities(&[]), [Severity::Error, Severity::Warning]);
    }

    #[test]
    fn an_end_user_or_a_restricted_agent_is_not_enough() {
        let me = |json: Value| own_account(&serde_json::from_value(json).unwrap()).severity;
        assert_eq!(me(json!({ "id": 1, "role": "admin", "ticket_restriction": null })), Severity::Fine);
        assert_eq!(me(json!({ "id": 1, "role": "agent", "ticket_restriction": "groups" })), Severity::Warning);
        assert_eq!(me(json!({ "id": 1, "role": "end-user" })), Severity::Error);
        assert_eq!(me(json!({ "id": 1 })), Severity::Error);
    }
}
