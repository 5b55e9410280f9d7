//! Freshdesk's tickets, people and clocks in the kit's words. Pure. What a ticket leaves out stays unknown.

use crate::people::{Agents, Groups, agent, person};
use crate::statuses::{self, Timers};
use crate::wire::{self, Id, Sent, Time};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{OrganizationId, QueueId, TicketId, UserId, Version};
use handoffd_kit::language::canonical;
use handoffd_kit::model::{
    ClockState, Contacts, Customer, Ending, Organization, PastTicket, QueueRef, Role, TicketHead, VendorClock,
};
use handoffd_kit::text::html_to_text;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// More of a first message is not read.
pub(crate) const MESSAGE_BYTES: usize = 128 << 10;

/// What the numbers in a ticket mean.
pub(crate) struct Names<'a> {
    pub(crate) groups: &'a Groups,
    pub(crate) agents: &'a Agents,
    pub(crate) timers: &'a Timers,
    pub(crate) us: Option<Id>,
    pub(crate) site: &'a Url,
}

/// A ticket's head; none: this is no ticket.
pub(crate) fn head(raw: &Value, names: &Names<'_>) -> Option<TicketHead> {
    let ticket: wire::Ticket = serde_json::from_value(raw.clone()).ok()?;
    let id = ticket.id.get().copied().filter(|id| id.is_record())?;
    let stamp = ticket.updated_at.get().cloned().unwrap_or_default();
    let updated_at = Time::read(&stamp).map(|at| at.0);
    // A stamp that is no time tells nothing about what changed since.
    let version = Version::new(if updated_at.is_some() { stamp.as_str() } else { "" });
    let source = ticket.source.get().copied();
    Some(TicketHead {
        text: first_words(&ticket).into(),
        status: ticket.status.get().and_then(|number| statuses::status(*number, names.timers)).into(),
        priority: optional(&ticket.priority, statuses::priority),
        channel: source.map(|source| statuses::channel(source).to_owned()).into(),
        // Nothing marks a machine's mail; what is no mail at all, no mail server wrote.
        machine_mail: source.filter(|source| matches!(source, 2 | 3 | 7 | 9 | 15)).map(|_| false).into(),
        reply_reaches_customer: source.filter(|source| matches!(source, 1 | 2 | 3 | 9 | 10)).map(|_| true).into(),
        requester: ticket.requester_id.optional().map(|id| id.map(user_id)),
        organization: ticket.company_id.optional().map(|id| id.map(|id| OrganizationId::new(id.to_string()))),
        queue: ticket.group_id.optional().map(|id| id.map(|id| queue(id, names.groups))),
        owner: ticket.responder_id.optional().map(|id| id.map(|id| agent(id, names.agents, names.us))),
        fields: ticket.custom_fields.some().unwrap_or_default(),
        created_at: ticket.created_at.required().map(|at| at.0),
        updated_at: updated_at.into(),
        ending: ending(&ticket.deleted, &ticket.spam),
        link: names.site.join(&format!("a/tickets/{id}")).ok().map(String::from),
        subject: ticket.subject.required(),
        kind: ticket.kind.optional(),
        tags: ticket.tags.required(),
        raw: raw.to_string(),
        ..TicketHead::unknown(TicketId::new(id.to_string()), version)
    })
}

/// The ticket's first message is its description and no part of its conversation (Freshdesk sheet, *Objects*). Its HTML keeps
/// lines that the text loses.
pub(crate) fn first_words(ticket: &wire::Ticket) -> Option<String> {
    let html = ticket.description.get().map(|html| html_to_text(html, MESSAGE_BYTES));
    html.filter(|text| !text.trim().is_empty()).or_else(|| ticket.description_text.get().cloned())
}

/// The numbers in a ticket that have names: its group, its agent; and whether its status is a site's own.
pub(crate) fn numbers(raw: &Value) -> (Option<Id>, Option<Id>, bool) {
    let ticket: wire::Ticket = serde_json::from_value(raw.clone()).unwrap_or_default();
    let custom = ticket.status.get().is_some_and(|status| *status >= statuses::CUSTOM);
    (ticket.group_id.some(), ticket.responder_id.some(), custom)
}

/// A group as a queue.
pub(crate) fn queue(id: Id, groups: &Groups) -> QueueRef {
    QueueRef { id: QueueId::new(id.to_string()), name: groups.get(&id).and_then(|group| group.name.get().cloned()) }
}

/// A person's id.
pub(crate) fn user_id(id: Id) -> UserId {
    UserId::new(id.to_string())
}

/// What may be none and must also translate: a number that does not is unknown.
fn optional<T>(sent: &Sent<i64>, translate: fn(i64) -> Option<T>) -> Fact<Option<T>> {
    match sent {
        Sent::Null => Fact::Known(None),
        Sent::Value(number) => translate(*number).map_or(Fact::Unknown, |value| Fact::Known(Some(value))),
        Sent::Missing => Fact::Unknown,
    }
}

/// A merged ticket is closed, with a note that points to the other one: no key tells that (from memory in the sheet).
fn ending(deleted: &Sent<bool>, spam: &Sent<bool>) -> Option<Ending> {
    if *deleted == Sent::Value(true) {
        Some(Ending::Deleted)
    } else if *spam == Sent::Value(true) {
        Some(Ending::Spam)
    } else {
        None
    }
}

/// Who asks, as far as the desk tells.
pub(crate) fn customer(
    id: Id,
    contact: Option<wire::Contact>,
    organization: Fact<Option<Organization>>,
    agents: &Agents,
) -> Customer {
    // A ticket that an agent opened for themselves.
    let is_agent = agents.as_ref().is_some_and(|agents| agents.contains_key(&id));
    let person = person(id, contact.as_ref(), if is_agent { Role::Agent } else { Role::Customer });
    let wire::Contact { language, time_zone, custom_fields, .. } = contact.unwrap_or_default();
    Customer {
        person,
        language: match language {
            Sent::Value(locale) => canonical(&locale).map_or(Fact::Unknown, |language| Fact::Known(Some(language))),
            Sent::Null => Fact::Known(None),
            Sent::Missing => Fact::Unknown,
        },
        // Names such as "Eastern Time (US & Canada)" are no zones of the tz database: unknown, not guessed.
        zone: match time_zone {
            Sent::Value(zone) if zone.contains('/') => Fact::Known(Some(zone)),
            Sent::Null => Fact::Known(None),
            Sent::Value(_) | Sent::Missing => Fact::Unknown,
        },
        fields: custom_fields.some().unwrap_or_default(),
        organization,
    }
}

/// A customer's company.
pub(crate) fn organization(id: Id, sent: wire::Company) -> Organization {
    let fields: BTreeMap<String, Value> = sent.custom_fields.some().unwrap_or_default();
    Organization { id: OrganizationId::new(id.to_string()), name: sent.name.some(), fields }
}

/// A customer's tickets, newest first. Only those that say that they are this customer's count: whether Freshdesk knows the
/// parameter that asks for them is not in the sheet, and without it everybody's would come.
pub(crate) fn contacts(tickets: &[wire::Ticket], of: Id, more: bool, timers: &Timers, as_of: Timestamp) -> Contacts {
    let theirs = |ticket: &&wire::Ticket| ticket.requester_id.get() == Some(&of);
    let short = |ticket: &wire::Ticket| {
        Some(PastTicket {
            id: TicketId::new(ticket.id.get().copied().filter(|id| id.is_record())?.to_string()),
            subject: ticket.subject.clone().required(),
            status: ticket.status.get().and_then(|number| statuses::status(*number, timers)).into(),
            created_at: ticket.created_at.clone().required().map(|at| at.0),
        })
    };
    let mut found: Vec<PastTicket> = tickets.iter().filter(theirs).filter_map(short).collect();
    let opened = |ticket: &PastTicket| (ticket.created_at.known().copied(), ticket.id.as_str().parse::<i64>().ok());
    found.sort_by_key(|ticket| std::cmp::Reverse(opened(ticket)));
    found.dedup_by(|one, other| one.id == other.id);
    Contacts { tickets: found, complete: !more, as_of }
}

/// The desk's clocks. One without an instant, or of which it is not known whether it was met, tells nothing. While the status
/// stops the timer the instant is stale (Freshdesk sheet, *SLA data*).
pub(crate) fn clocks(ticket: &wire::Ticket, timers: &Timers, now: Timestamp) -> Vec<VendorClock> {
    let stopped = ticket.status.get().and_then(|status| timers.stops(*status));
    let stats = ticket.stats.get();
    let was = |pick: fn(&wire::Stats) -> &Sent<Time>| match stats.map(pick) {
        Some(Sent::Value(_)) => Some(true),
        Some(Sent::Null) => Some(false),
        Some(Sent::Missing) | None => None,
    };
    let solved = ticket.status.get().map(|status| matches!(*status, statuses::RESOLVED | statuses::CLOSED));
    let replied = was(|stats| &stats.first_responded_at);
    let each = [
        ("first_reply", &ticket.fr_due_by, &ticket.fr_escalated, replied),
        // Every reply begins it anew: while it is there, it is not met.
        ("next_reply", &ticket.nr_due_by, &ticket.nr_escalated, Some(false)),
        ("resolution", &ticket.due_by, &ticket.is_escalated, solved),
    ];
    let clock = |(name, due, escalated, met): (&str, &Sent<Time>, &Sent<bool>, Option<bool>)| {
        let due = due.get()?.0;
        let late = *escalated == Sent::Value(true) || due <= now;
        let state = match (met?, stopped?) {
            (true, _) => ClockState::Met,
            (false, _) if *escalated == Sent::Value(true) => ClockState::Breached,
            (false, true) => ClockState::Paused,
            (false, false) if late => ClockState::Breached,
            (false, false) => ClockState::Running,
        };
        let breaches_at = matches!(state, ClockState::Running | ClockState::Breached).then_some(due);
        Some(VendorClock { name: name.to_owned(), state, breaches_at })
    };
    each.into_iter().filter_map(clock).collect()
}

#[cfg(test)]
mod tests;
