//! Login and rights, tried one by one: each finding says what was tried, what came out, and what to do about it.

use crate::api::{Ask, write};
use crate::desk::FreshdeskDesk;
use crate::limits::LIST;
use crate::normalise::queue;
use crate::people::read_timers;
use crate::statuses;
use crate::wire::{Agent, Id, Sent, Ticket};
use handoffd_kit::desk::{Finding, QueueSpec};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::model::QueueRef;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// No priority has this number: an update to it is refused, whoever sends it.
const NO_PRIORITY: i64 = 99;

/// How far back a ticket is looked for that rights can be tried on.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(24 * 90);

impl FreshdeskDesk {
    /// Tries everything that this connector needs. Nothing on the desk changes: what is written is refused for its values.
    pub(crate) async fn examine(&self, wanted: &[QueueSpec]) -> Result<Vec<Finding>> {
        let deadline = self.api.gate().soon();
        let me = match self.people.me(&self.api, deadline).await {
            Ok(me) => me,
            Err(error) if error.kind == DeskErrorKind::Unavailable => return Err(error),
            Err(error) => return Ok(vec![Finding::failed(&error, "Check the desk's url and API key")]),
        };
        let mut findings = own_account(&me);
        findings.extend(self.try_groups(wanted, deadline).await);
        findings.push(self.try_agents(deadline).await);
        findings.push(self.try_statuses(deadline).await);
        findings.extend(self.on_a_ticket(deadline).await);
        Ok(findings)
    }

    async fn try_groups(&self, wanted: &[QueueSpec], deadline: Timestamp) -> Vec<Finding> {
        match self.people.groups_now(&self.api, deadline).await {
            Ok(groups) if groups.is_empty() => {
                vec![Finding::wrong("Freshdesk shows no groups", "Make the groups that the teams' queues name")]
            }
            Ok(groups) => {
                let shown: Vec<QueueRef> = groups.keys().map(|id| queue(*id, &groups)).collect();
                let mut findings = vec![Finding::fine(format!("{} groups can be read", groups.len()))];
                findings.extend(Finding::unseen(wanted, &shown, "Make that group under Admin, Groups"));
                findings
            }
            Err(error) => vec![Finding::failed(&error, "Groups are needed to resolve queues")],
        }
    }

    async fn try_agents(&self, deadline: Timestamp) -> Finding {
        match self.people.agents_now(&self.api, deadline).await {
            Ok(Some(agents)) => Finding::fine(format!("{} agents can be read", agents.len())),
            Ok(None) => Finding::warning(
                "Agents cannot be listed: who is one stays unknown, so commands in notes do not count, owners have no \
                 names, and nobody can be given cases by turn, by load or by mail address",
                "Give handoffd's agent a role that may see agents",
            ),
            Err(error) => Finding::failed(&error, "Agents tell whose words are a colleague's"),
        }
    }

    /// What custom statuses mean, and whether pending stops the timer, only an admin's list tells.
    async fn try_statuses(&self, deadline: Timestamp) -> Finding {
        let step = "Give handoffd's agent a role that may see ticket fields under Admin, if the account has statuses of its own";
        match read_timers(&self.api, deadline).await {
            Ok(timers) if timers.stops(statuses::PENDING) == Some(false) => Finding::warning(
                "The status Pending does not stop the SLA timer: a pause of the customer's clock would stop nothing",
                "Let Pending stop the timer (Admin, Ticket fields, Status), or use clock.customer = \"continue\"",
            ),
            Ok(_) => Finding::fine("Statuses can be read, with those that stop the SLA timer"),
            Err(error) if error.kind == DeskErrorKind::Forbidden => {
                Finding::warning("Ticket fields under Admin cannot be read: custom statuses stay unknown", step)
            }
            Err(error) => Finding::warning(error.to_string(), step),
        }
    }

    /// Rights that only show on a ticket: the newest that takes changes is used.
    async fn on_a_ticket(&self, deadline: Timestamp) -> Vec<Finding> {
        let since =
            self.api.gate().now().checked_sub(LOOKED_BACK).unwrap_or(Timestamp::UNIX_EPOCH).max(Timestamp::UNIX_EPOCH);
        let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
        let ask = Ask::get("list tickets", "tickets", deadline).endpoint(LIST);
        let ask = ask.query("updated_since", since).query("order_by", "updated_at").query("order_type", "desc");
        let tickets = match self.api.page::<Ticket>(&ask, 1).await {
            Ok((tickets, _)) => tickets,
            Err(error) => return vec![Finding::failed(&error, "Reading tickets is what everything rests on")],
        };
        let open = |ticket: &&Ticket| ticket.status != Sent::Value(statuses::CLOSED);
        let newest = tickets.iter().find(open).or(tickets.first());
        let Some((ticket, id)) = newest.and_then(|ticket| Some((ticket, ticket.id.get().copied()?))) else {
            return vec![Finding::warning(
                "There is no ticket yet to try rights on",
                "Run this again once there is one",
            )];
        };
        let listed = Finding::fine("Tickets can be listed by their last change");
        let conversation = Ask::get("read conversation", format!("tickets/{id}/conversations"), deadline);
        let said = match self.api.page::<Value>(&conversation, 1).await {
            Ok(_) => Finding::fine("Conversations can be read"),
            Err(error) => {
                Finding::failed(&error, "Conversations carry our marks: without them a lost answer waits for a person")
            }
        };
        let mut findings = vec![listed, said];
        findings.extend(self.try_customer(ticket, deadline).await);
        for trial in trials(id) {
            findings.push(self.may_write(id, trial, deadline).await);
        }
        findings
    }

    /// Whether the ticket's customer and company can be read: rules may ask for them.
    async fn try_customer(&self, ticket: &Ticket, deadline: Timestamp) -> Vec<Finding> {
        let requester = ticket.requester_id.get().map(|id| ("Customers", "customer", format!("contacts/{id}")));
        let company = ticket.company_id.get().map(|id| ("Companies", "organization", format!("companies/{id}")));
        let mut findings = Vec::new();
        for (records, fact, path) in requester.into_iter().chain(company) {
            let read = self.api.json::<Value>(&Ask::get("try to read the ticket's customer", path, deadline)).await;
            // An agent who wrote the ticket is no contact, and a record may be gone: neither is about a right.
            let gone = "the newest ticket's is not to be had";
            let grant = "Give handoffd's agent a role that may see contacts and companies";
            findings.push(Finding::of_reading(read, (records, fact), gone, grant));
        }
        findings
    }

    /// Whether the login may do this. Freshdesk refuses the values if it would have allowed the call.
    async fn may_write(&self, id: Id, trial: Trial, deadline: Timestamp) -> Finding {
        let Trial { may, operation, method, path, body } = trial;
        match self.api.json::<Value>(&write(operation, method, path, body).deadline(deadline)).await {
            Err(error) if error.status == Some(400) => Finding::fine(format!("Our account may {may}")),
            Ok(_) => Finding::warning(
                format!("Freshdesk took what it should refuse on ticket {id} ({operation})"),
                "Look at that ticket, and report this: the connector does not know this Freshdesk",
            ),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Finding::wrong(
                format!("Our account may not {may}: {error}"),
                "Give handoffd's agent a role that may edit and assign tickets, reply and add notes",
            ),
            Err(error)
                if matches!(error.kind, DeskErrorKind::Refused | DeskErrorKind::Gone | DeskErrorKind::NotFound) =>
            {
                Finding::warning(
                    format!("Whether our account may {may} is not known: {error}"),
                    "Run this again once the newest ticket is an open one",
                )
            }
            Err(error) => Finding::failed(&error, &format!("Whether our account may {may} is not known; try again")),
        }
    }
}

/// A write that must be refused for its values, by which a right shows.
struct Trial {
    may: &'static str,
    operation: &'static str,
    method: Method,
    path: String,
    body: Value,
}

/// One for each kind of write that handoffd makes among agents (Freshdesk sheet, *Write-back*, *Errors*): a priority that does not
/// exist, and a note without words. A reply is not tried: a customer would get what a Freshdesk that we do not know took.
fn trials(id: Id) -> [Trial; 2] {
    let trial = |may, operation, method, path, body| Trial { may, operation, method, path, body };
    [
        trial(
            "change tickets",
            "try the right to change tickets",
            Method::PUT,
            format!("tickets/{id}"),
            json!({ "priority": NO_PRIORITY }),
        ),
        trial(
            "add notes",
            "try the right to add notes",
            Method::POST,
            format!("tickets/{id}/notes"),
            json!({ "body": "", "private": true }),
        ),
    ]
}

fn own_account(me: &Agent) -> Vec<Finding> {
    let name = me.contact.get().and_then(|contact| contact.name.get()).map_or("(no name)", String::as_str);
    let scope = match me.ticket_scope.get() {
        Some(1) => Finding::fine(format!("Logged in as {name}, who sees all tickets")),
        Some(2 | 3) => Finding::warning(
            format!("Logged in as {name}, who sees only some tickets"),
            "Give this agent the global ticket scope, or tickets will be missed, and a transfer out of sight cannot be proven",
        ),
        _ => Finding::warning(
            format!("Logged in as {name}; which tickets they see, Freshdesk does not say"),
            "Make sure that this agent has the global ticket scope",
        ),
    };
    let inactive = (!crate::people::works(me))
        .then(|| Finding::wrong(format!("The account of {name} is not active"), "Activate the agent in Freshdesk"));
    [scope].into_iter().chain(inactive).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::desk::Severity;

    #[test]
    fn a_restricted_or_inactive_agent_is_not_enough() {
        let me = |json: Value| -> Vec<Severity> {
            own_account(&serde_json::from_value(json).unwrap()).into_iter().map(|finding| finding.severity).collect()
        };
        assert_eq!(
            me(json!({ "id": 1, "ticket_scope": 1, "contact": { "name": "h", "active": true } })),
            [Severity::Fine]
        );
        assert_eq!(me(json!({ "id": 1, "ticket_scope": 2 })), [Severity::Warning]);
        assert_eq!(me(json!({ "id": 1 })), [Severity::Warning]);
        let inactive = json!({ "id": 1, "ticket_scope": 1, "contact": { "active": false } });
        assert_eq!(me(inactive), [Severity::Fine, Severity::Error]);
    }
}
