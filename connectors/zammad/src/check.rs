//! Login and rights, tried one by one: each finding says what was tried, what came out, and what to do about it.

use crate::api::Ask;
use crate::desk::ZammadDesk;
use crate::limits::TICKETS;
use crate::normalise::queue;
use crate::people::{Groups, may_own, unlisted};
use crate::states::Words;
use crate::wire::{self, Id, Sent, Ticket, User};
use handoffd_kit::desk::{Finding, QueueSpec};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::id::TicketId;
use handoffd_kit::model::{Priority, QueueRef};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

/// No state has this name: an update to it is refused, whoever sends it.
const NO_STATE: &str = "no state: handoffd tries its rights";

impl ZammadDesk {
    /// Tries everything that this connector needs. Nothing on the desk changes: the one update that is sent cannot apply.
    pub(crate) async fn examine(&self, wanted: &[QueueSpec]) -> Result<Vec<Finding>> {
        let deadline = self.api.gate().soon();
        let me = match self.people.me(&self.api, deadline).await {
            Ok(me) => me,
            Err(error) if error.kind == DeskErrorKind::Unavailable => return Err(error),
            Err(error) => return Ok(vec![Finding::failed(&error, "Check the desk's url and access token")]),
        };
        let mut findings = vec![own_account(&me)];
        findings.extend(self.try_groups(&me, wanted, deadline).await);
        match self.people.words(&self.api, &[], deadline).await {
            Ok(words) => findings.extend(try_words(&words)),
            Err(error) => findings.push(Finding::failed(&error, "States tell which tickets are open")),
        }
        findings.extend(self.on_a_ticket(deadline).await);
        Ok(findings)
    }

    async fn try_groups(&self, me: &User, wanted: &[QueueSpec], deadline: Timestamp) -> Vec<Finding> {
        match self.people.groups_now(&self.api, deadline).await {
            Ok(groups) => try_groups(me, &groups, wanted),
            Err(error) => vec![Finding::failed(&error, "Groups are needed to resolve queues")],
        }
    }

    /// Rights that only show on a ticket: the one that changed last and was not merged is used.
    async fn on_a_ticket(&self, deadline: Timestamp) -> Vec<Finding> {
        let since = json!({ "ticket.updated_at": { "operator": "after (absolute)", "value": Timestamp::UNIX_EPOCH } });
        let ask = self.search("list tickets", since, ("updated_at", "desc"), 1, deadline);
        let raws = match self.found(&ask).await {
            Ok(raws) => raws,
            Err(error) => {
                let step = format!(
                    "The stream of {TICKETS} that changed is searched so; Zammad must be of version 5 or later"
                );
                return vec![Finding::failed(&error, &step)];
            }
        };
        let words = self.people.words(&self.api, &[], deadline).await.unwrap_or_default();
        let tickets: Vec<Ticket> = raws.into_iter().filter_map(|raw| serde_json::from_value(raw).ok()).collect();
        let lives = |ticket: &&Ticket| {
            ticket.state_id.get().and_then(|state| words.kind(*state)) != Some(crate::states::Kind::Merged)
        };
        let Some(id) = tickets.iter().find(lives).and_then(|ticket| ticket.id.get().copied()) else {
            return vec![Finding::warning(
                "There is no ticket yet to try rights on, or our account sees none",
                "Run this again once there is one; an agent without access to any group sees no ticket",
            )];
        };
        vec![
            Finding::fine("Tickets can be searched by their last change"),
            self.try_articles(id, deadline).await,
            self.try_history(id, deadline).await,
            self.try_tags(id, deadline).await,
            self.try_change(id, deadline).await,
        ]
    }

    async fn try_articles(&self, id: Id, deadline: Timestamp) -> Finding {
        match self.articles(id, deadline).await {
            Ok(_) => Finding::fine("Articles can be read"),
            Err(error) => {
                Finding::failed(&error, "Articles carry our marks: without them a lost answer waits for a person")
            }
        }
    }

    async fn try_history(&self, id: Id, deadline: Timestamp) -> Finding {
        let without = "who moved or took a ticket stays unknown, and what an update covered is not seen";
        match self.rows(id, deadline).await {
            Ok(Some(_)) => Finding::fine("The history can be read"),
            Ok(None) => Finding::warning(
                format!("The history cannot be read: {without}"),
                "Give handoffd's agent access to the ticket's group, and its token the permission ticket.agent",
            ),
            Err(error) => Finding::warning(
                format!("The history cannot be read: {error}; {without}"),
                "The history is no part of Zammad's documented API: report this with the version of your Zammad",
            ),
        }
    }

    async fn try_tags(&self, id: Id, deadline: Timestamp) -> Finding {
        match self.tags(id, deadline).await {
            Ok(tags) if !tags.is_unknown() => Finding::fine("Tags can be read"),
            Ok(_) => Finding::warning(
                "Tags cannot be read: conditions on them stay unknown",
                "Give handoffd's token the permission ticket.agent",
            ),
            Err(error) => Finding::failed(&error, "Tags are read with every ticket"),
        }
    }

    /// An update to a state that does not exist: rights are looked at before names (Zammad sheet, *Errors*), so that the refusal
    /// tells which of the two was missing.
    async fn update_in_vain(&self, id: Id, deadline: Timestamp) -> Result<()> {
        let ask = Ask::write(
            "try the right to change tickets",
            Method::PUT,
            format!("tickets/{id}"),
            json!({ "state": NO_STATE }),
        );
        self.api.json(&ask.deadline(deadline)).await.map(|_: Value| ())
    }

    /// Whether our account may change this ticket; none: the answer does not tell.
    pub(crate) async fn may_change(&self, ticket: &TicketId, deadline: Timestamp) -> Result<Option<bool>> {
        let Some(id) = Id::read(ticket.as_str()).filter(|id| id.is_record()) else { return Ok(None) };
        match self.update_in_vain(id, deadline).await {
            Ok(()) => Ok(None),
            Err(error) if error.status == Some(422) => Ok(Some(true)),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Ok(Some(false)),
            Err(error) if matches!(error.kind, DeskErrorKind::NotFound | DeskErrorKind::Refused) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn try_change(&self, id: Id, deadline: Timestamp) -> Finding {
        match self.update_in_vain(id, deadline).await {
            Err(error) if error.status == Some(422) => Finding::fine("Tickets can be changed"),
            Ok(()) => Finding::warning(
                format!("Zammad took an update of ticket {id} that it should refuse (state {NO_STATE:?})"),
                "Look at that ticket's state, and report this: the connector does not know this Zammad",
            ),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Finding::wrong(
                format!("Our account may not change tickets: {error}"),
                "Give handoffd's agent full access to each group it works in, and its token the permission ticket.agent",
            ),
            Err(error) => Finding::failed(&error, "Whether our account may change tickets is not known; try again"),
        }
    }
}

fn own_account(me: &User) -> Finding {
    let name = me.login.get().map_or("(no name)", String::as_str);
    if me.active == Sent::Value(false) {
        Finding::wrong(format!("The account of {name} is not active"), "Activate the agent in Zammad")
    } else {
        Finding::fine(format!("Logged in as {name}"))
    }
}

/// Whether the wanted groups are there, and whether we have full access to them, as far as our own record shows it.
fn try_groups(me: &User, groups: &Groups, wanted: &[QueueSpec]) -> Vec<Finding> {
    let Some(listed) = groups.as_deref() else { return vec![Finding::failed(&unlisted("read groups"), "")] };
    let shown: Vec<QueueRef> = listed.keys().map(|id| queue(*id, groups, None)).collect();
    let mut findings = vec![Finding::fine(format!("{} groups can be read", listed.len()))];
    findings.extend(Finding::unseen(wanted, &shown, "Make that group under Manage, Groups"));
    let ours = shown.iter().filter(|group| wanted.iter().any(|spec| spec.is(group)));
    let name = |group: &QueueRef| group.name.clone().unwrap_or_else(|| group.id.to_string());
    let id = |group: &QueueRef| Id::read(group.id.as_str());
    let weak: Vec<String> = ours.filter(|group| id(group).is_some_and(|id| !may_own(me, id))).map(name).collect();
    if !weak.is_empty() {
        findings.push(Finding::warning(
            format!("Our own account has no full access to {}", weak.join(", ")),
            "Give handoffd's agent full access to these groups (Manage, Users), unless a role gives it",
        ));
    }
    let off: Vec<String> = listed
        .values()
        .filter(|group| group.active == Sent::Value(false))
        .filter_map(|group| group.name.get().cloned())
        .filter(|name| wanted.iter().any(|spec| spec.shown() == name))
        .collect();
    if !off.is_empty() {
        findings
            .push(Finding::wrong(format!("{} is not active", off.join(", ")), "Activate the group, or name another"));
    }
    findings
}

/// What the site's states and priorities lack.
fn try_words(words: &Words) -> Vec<Finding> {
    let mut findings = vec![Finding::fine(format!("States can be read; priorities are {}", words.levels_shown()))];
    let pause = words.state("pending reminder");
    match pause.map(|state| words.stops(state)) {
        Some(Some(true)) => {}
        Some(_) => findings.push(Finding::warning(
            "The state \"pending reminder\" does not stop the SLA's clocks: a pause of the customer's clock would stop nothing",
            "Let that state ignore escalation (Manage, Ticket States), or use clock.customer = \"continue\"",
        )),
        None => findings.push(Finding::warning(
            "There is no state \"pending reminder\": a handoff cannot pause the customer's clock",
            "Use clock.customer = \"continue\"",
        )),
    }
    let unknown = words.states.values().filter(|state| state.id.get().is_some_and(|id| words.kind(*id).is_none()));
    let unknown: Vec<&str> = unknown.filter_map(|state: &wire::State| state.name.get().map(String::as_str)).collect();
    if !unknown.is_empty() {
        findings.push(Finding::warning(
            format!("The type of these states is not known: {}", unknown.join(", ")),
            "Tickets in them have an unknown status, and rules that ask for it do not fire",
        ));
    }
    let usual = [Priority::Low, Priority::Normal, Priority::High];
    if usual.iter().any(|priority| words.level(*priority).is_none()) {
        findings.push(Finding::warning(
            format!("Not all of low, normal and high are among the priorities: {}", words.levels_shown()),
            "Priorities are known by these words in their names (\"3 high\"); others stay unknown and cannot be set",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::desk::Severity;
    use std::sync::Arc;

    #[test]
    fn a_site_that_was_set_up_otherwise_is_told_what_it_lacks() {
        assert!(try_words(&crate::states::fresh()).iter().all(|finding| finding.severity == Severity::Fine));
        let words = |states: Value, levels: Value| {
            let (states, levels): (Vec<wire::State>, Vec<wire::Level>) =
                (serde_json::from_value(states).unwrap(), serde_json::from_value(levels).unwrap());
            let states = crate::states::by_id(states, |state| &state.id);
            Words { states, levels: crate::states::by_id(levels, |level| &level.id) }
        };
        let odd = words(
            json!([{ "id": 3, "name": "pending reminder", "state_type_id": 3, "ignore_escalation": false }, { "id": 9, "name": "x" }]),
            json!([{ "id": 1, "name": "VIP" }]),
        );
        let found: Vec<Severity> = try_words(&odd).into_iter().map(|finding| finding.severity).collect();
        assert_eq!(found, [Severity::Fine, Severity::Warning, Severity::Warning, Severity::Warning]);
    }

    #[test]
    fn groups_that_are_missing_weak_or_off_are_named() {
        let me: User =
            serde_json::from_value(json!({ "id": 5, "group_ids": { "1": ["full"], "2": ["read"] } })).unwrap();
        let groups: Vec<wire::Group> = serde_json::from_value(json!([
            { "id": 1, "name": "Support" }, { "id": 2, "name": "Billing" }, { "id": 3, "name": "Old", "active": false }
        ]))
        .unwrap();
        let groups: Groups = Some(Arc::new(crate::states::by_id(groups, |group| &group.id)));
        let found = |names: &[&str]| -> Vec<String> {
            let wanted: Vec<QueueSpec> = names.iter().map(|name| QueueSpec::Name((*name).to_owned())).collect();
            let bad = try_groups(&me, &groups, &wanted).into_iter().filter(|one| one.severity != Severity::Fine);
            bad.map(|finding| finding.what).collect()
        };
        assert!(found(&["Support"]).is_empty());
        assert!(found(&["Billing"])[0].contains("no full access to Billing"));
        assert!(found(&["Old"])[0].contains("not active") && found(&["Nope"])[0].contains("Nope"));
        assert!(try_groups(&me, &None, &[])[0].what.contains("may not list groups"));
    }
}
