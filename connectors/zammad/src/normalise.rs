//! Zammad's tickets, people and clocks in the kit's words. Pure. What a ticket leaves out stays unknown.

use crate::people::{Groups, person, role_of};
use crate::states::{Kind, Words};
use crate::wire::{self, Id, SYSTEM, Sent, User};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{OrganizationId, QueueId, TicketId, UserId, Version};
use handoffd_kit::language::canonical;
use handoffd_kit::model::{
    ClockState, Contacts, Customer, Ending, Organization, PastTicket, Person, QueueRef, Role, TicketHead, VendorClock,
};
use handoffd_kit::text::fingerprint;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// What the numbers in a ticket mean.
pub(crate) struct Names<'a> {
    pub(crate) groups: &'a Groups,
    pub(crate) words: &'a Words,
    pub(crate) users: &'a BTreeMap<Id, User>,
    pub(crate) us: Option<Id>,
    pub(crate) site: &'a Url,
}

/// A ticket's head; none: this is no ticket. `tags` come from an answer of their own.
pub(crate) fn head(raw: &Value, tags: Fact<Vec<String>>, names: &Names<'_>) -> Option<TicketHead> {
    let ticket: wire::Ticket = serde_json::from_value(raw.clone()).ok()?;
    let id = ticket.id.get().copied().filter(|id| id.is_record())?;
    let updated_at = ticket.updated_at.get().and_then(|at| at.parse::<Timestamp>().ok());
    let state = ticket.state_id.get().copied();
    let channel = ticket.create_article_type.get().map(String::as_str);
    Some(TicketHead {
        status: state.and_then(|state| names.words.status(state)).into(),
        priority: optional(&ticket.priority_id, |level| names.words.priority(level)),
        channel: channel.map(str::to_owned).into(),
        // Nothing that is documented marks a machine's mail; what is no mail at all, no mail server wrote.
        machine_mail: channel.filter(|kind| matches!(*kind, "web" | "phone" | "note" | "chat")).map(|_| false).into(),
        // We answer by mail: whoever came by chat or messenger does not see it there.
        reply_reaches_customer: channel.filter(|kind| matches!(*kind, "email" | "web" | "phone")).map(|_| true).into(),
        requester: ticket.customer_id.clone().optional().map(|id| id.map(user_id)),
        organization: ticket.organization_id.clone().optional().map(|id| id.map(organization_id)),
        queue: ticket.group_id.clone().optional().map(|id| id.map(|id| queue(id, names.groups, ticket.group.get()))),
        owner: ticket.owner_id.clone().optional().map(|id| owner(id?, names)),
        fields: wire::custom(raw),
        created_at: ticket.created_at.clone().required(),
        updated_at: updated_at.into(),
        ending: match state.and_then(|state| names.words.kind(state)) {
            Some(Kind::Merged) => Some(Ending::Merged { into: None }),
            Some(Kind::Removed) => Some(Ending::Deleted),
            Some(Kind::In(_)) | None => None,
        },
        link: names.site.join(&format!("#ticket/zoom/{id}")).ok().map(String::from),
        subject: ticket.title.clone().required(),
        kind: ticket.kind.clone().optional(),
        raw: raw.to_string(),
        tags: tags.clone(),
        ..TicketHead::unknown(TicketId::new(id.to_string()), version(&ticket, updated_at, &tags))
    })
}

/// What a write is decided on: the last change, and the labels, whose changes do not always move it (Zammad sheet,
/// *Incremental read*). A stamp that is no time tells nothing about what changed since.
fn version(ticket: &wire::Ticket, updated_at: Option<Timestamp>, tags: &Fact<Vec<String>>) -> Version {
    let Some(stamp) = ticket.updated_at.get().filter(|_| updated_at.is_some()) else { return Version::new("") };
    let Some(tags) = tags.known().filter(|tags| !tags.is_empty()) else { return Version::new(stamp.as_str()) };
    let mut sorted: Vec<&str> = tags.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    Version::new(format!("{stamp} {}", fingerprint(&sorted.join("\n"))))
}

/// Nobody owns what the system's own user owns.
fn owner(id: Id, names: &Names<'_>) -> Option<Person> {
    let user = names.users.get(&id);
    (id != SYSTEM).then(|| person(id, user, role_of(id, user, names.us)))
}

/// A group as a queue: its name as the list has it, or as the ticket itself.
pub(crate) fn queue(id: Id, groups: &Groups, named: Option<&String>) -> QueueRef {
    let listed = groups.as_ref().and_then(|groups| groups.get(&id)).and_then(|group| group.name.get());
    QueueRef { id: QueueId::new(id.to_string()), name: listed.or(named).cloned() }
}

/// A person's id.
pub(crate) fn user_id(id: Id) -> UserId {
    UserId::new(id.to_string())
}

fn organization_id(id: Id) -> OrganizationId {
    OrganizationId::new(id.to_string())
}

/// What may be none and must also translate: a number that does not is unknown.
fn optional<T>(sent: &Sent<Id>, translate: impl Fn(Id) -> Option<T>) -> Fact<Option<T>> {
    match sent {
        Sent::Null => Fact::Known(None),
        Sent::Value(id) => translate(*id).map_or(Fact::Unknown, |value| Fact::Known(Some(value))),
        Sent::Missing => Fact::Unknown,
    }
}

/// Who asks, as far as the desk tells.
pub(crate) fn customer(
    id: Id,
    user: Option<User>,
    us: Option<Id>,
    organization: Fact<Option<Organization>>,
) -> Customer {
    // Whoever is no agent and asks, is a customer; an agent may ask for themselves.
    let role = match role_of(id, user.as_ref(), us) {
        Role::Unknown => Role::Customer,
        role => role,
    };
    let person = person(id, user.as_ref(), role);
    let User { preferences, fields, .. } = user.unwrap_or_default();
    let preferences = preferences.some().unwrap_or_default();
    Customer {
        person,
        language: preferences.locale.get().and_then(|locale| canonical(locale)).map(Some).into(),
        zone: preferences.timezone.get().filter(|zone| zone.contains('/')).cloned().map(Some).into(),
        fields,
        organization,
    }
}

/// A customer's organisation.
pub(crate) fn organization(id: Id, sent: wire::Organization) -> Organization {
    Organization { id: organization_id(id), name: sent.name.some(), fields: sent.fields }
}

/// A customer's tickets, newest first. Only those that say that they are this customer's count: which form of condition asks
/// for them is not in the sheet, and one that Zammad does not know may let everybody's through.
pub(crate) fn contacts(raws: &[Value], of: Id, more: bool, words: &Words, as_of: Timestamp) -> Contacts {
    let tickets = raws.iter().filter_map(|raw| serde_json::from_value::<wire::Ticket>(raw.clone()).ok());
    let theirs = tickets.filter(|ticket| ticket.customer_id.get() == Some(&of));
    let short = |ticket: wire::Ticket| {
        Some(PastTicket {
            id: TicketId::new(ticket.id.get().copied().filter(|id| id.is_record())?.to_string()),
            subject: ticket.title.required(),
            status: ticket.state_id.get().and_then(|state| words.status(*state)).into(),
            created_at: ticket.created_at.required(),
        })
    };
    let mut found: Vec<PastTicket> = theirs.filter_map(short).collect();
    let opened = |ticket: &PastTicket| (ticket.created_at.known().copied(), ticket.id.as_str().parse::<i64>().ok());
    found.sort_by_key(|ticket| std::cmp::Reverse(opened(ticket)));
    found.dedup_by(|one, other| one.id == other.id);
    Contacts { tickets: found, complete: !more, as_of }
}

/// The desk's clocks. While the state ignores the SLA all instants are empty, and whether the ticket has one nobody can tell:
/// no clock then (Zammad sheet, *SLA data*).
pub(crate) fn clocks(ticket: &wire::Ticket, words: &Words, now: Timestamp) -> Vec<VendorClock> {
    let stopped = ticket.state_id.get().and_then(|state| words.stops(*state));
    let each = [
        ("first_reply", &ticket.first_response_escalation_at, Some(&ticket.first_response_at)),
        // Every reply begins it anew: while it is there, it is not met.
        ("next_reply", &ticket.update_escalation_at, None),
        ("resolution", &ticket.close_escalation_at, Some(&ticket.close_at)),
    ];
    let clock = |(name, due, done): (&str, &Sent<Timestamp>, Option<&Sent<Timestamp>>)| {
        let met = done.is_some_and(|done| done.get().is_some());
        let (state, breaches_at) = match (due.get().copied(), met, stopped) {
            (_, true, _) => (ClockState::Met, None),
            // An instant that stayed behind while the clock stands still tells nothing.
            (Some(_), false, Some(true)) => (ClockState::Paused, None),
            (Some(due), false, _) if due <= now => (ClockState::Breached, Some(due)),
            (Some(due), false, _) => (ClockState::Running, Some(due)),
            (None, false, _) => return None,
        };
        Some(VendorClock { name: name.to_owned(), state, breaches_at })
    };
    each.into_iter().filter_map(clock).collect()
}

#[cfg(test)]
mod tests;
