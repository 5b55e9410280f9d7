//! Intercom's conversations and people in the kit's words. Pure. What an answer leaves out stays unknown.

use crate::history::merged_away;
use crate::people::{Admins, Me, Teams};
use crate::wire::{self, Company, Contact, Id, Key, Sent, Tag};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{OrganizationId, QueueId, TicketId, UserId, Version};
use handoffd_kit::language::canonical;
use handoffd_kit::model::{
    Contacts, Customer, Ending, Organization, PastTicket, Person, Priority, QueueRef, Related, Role, Status,
    TicketHead, Tie,
};
use handoffd_kit::text::{fingerprint, html_to_text};
use jiff::Timestamp;
use serde_json::Value;

/// More of a first message is not read.
const TEXT_BYTES: usize = 128 << 10;

/// What the numbers in a conversation mean.
pub(crate) struct Names<'a> {
    pub(crate) teams: &'a Teams,
    pub(crate) admins: &'a Admins,
    pub(crate) me: &'a Me,
}

/// A conversation's head; none: this is no conversation.
pub(crate) fn head(raw: &Value, names: &Names<'_>) -> Option<TicketHead> {
    let sent: wire::Conversation = serde_json::from_value(raw.clone()).ok()?;
    let id = sent.id.get().copied().filter(|id| id.is_record())?;
    let source = sent.source.clone().some().unwrap_or_default();
    let channel = source.kind.get().filter(|kind| !kind.is_empty()).cloned();
    Some(TicketHead {
        subject: subject(&sent, &source),
        text: text(&source),
        status: sent.state.get().and_then(|state| status(state)).into(),
        priority: priority(&sent.priority),
        kind: match sent.ticket {
            Sent::Null => Fact::Known(None),
            Sent::Value(_) => Fact::Known(Some("ticket".into())),
            Sent::Missing => Fact::Unknown,
        },
        // Nothing that is documented marks a machine's mail; what is no mail at all, no mail server wrote.
        machine_mail: channel.as_deref().filter(|kind| *kind != "email").map(|_| false).into(),
        reply_reaches_customer: channel.as_deref().filter(|kind| REACHED.contains(kind)).map(|_| true).into(),
        channel: channel.into(),
        tags: tags(&sent.tags),
        requester: requester(&sent).map(|key| key.map(|key| UserId::new(key.0))),
        organization: sent.company.clone().optional().and_some(|company| company.id.some()).map(organization_id),
        queue: slot(&sent.team_assignee_id).map(|team| team.map(|team| queue(team, names.teams))),
        owner: slot(&sent.admin_assignee_id).map(|admin| admin.map(|id| names.person(id))),
        fields: sent.custom_attributes.clone().some().unwrap_or_default(),
        created_at: sent.created_at.get().map(|at| at.0).into(),
        updated_at: sent.updated_at.get().map(|at| at.0).into(),
        related: related(&sent),
        ending: merged_away(&sent).map(|into| Ending::Merged { into }),
        link: names.me.link(id),
        raw: raw.to_string(),
        ..TicketHead::unknown(TicketId::new(id.to_string()), version(&sent))
    })
}

/// Ways in by which a reply through the API reaches the customer for certain: the messenger. One to a mail may not be mailed by
/// default (Intercom sheet, *Write-back*), and the other channels are of vendors of their own: unknown.
const REACHED: [&str; 1] = ["conversation"];

trait AndSome<T> {
    fn and_some<U>(self, pick: impl FnOnce(T) -> Option<U>) -> Fact<Option<U>>;
}

impl<T> AndSome<T> for Fact<Option<T>> {
    /// What is there and does not say which it is, is unknown.
    fn and_some<U>(self, pick: impl FnOnce(T) -> Option<U>) -> Fact<Option<U>> {
        match self {
            Fact::Known(Some(inside)) => pick(inside).map_or(Fact::Unknown, |one| Fact::Known(Some(one))),
            Fact::Known(None) => Fact::Known(None),
            Fact::Unknown => Fact::Unknown,
        }
    }
}

/// The title, where somebody or something gave it one; else the mail's subject.
fn subject(sent: &wire::Conversation, source: &wire::Source) -> Fact<String> {
    let titled = sent.title.get().filter(|title| !title.trim().is_empty());
    titled.cloned().map_or_else(|| source.subject.clone().required(), Fact::Known)
}

/// The customer's first words, where the customer began.
fn text(source: &wire::Source) -> Fact<String> {
    let by_customer = source.author.get().and_then(|author| author.kind.get()).is_some_and(|kind| is_contact(kind));
    source.body.get().filter(|_| by_customer).map(|body| html_to_text(body, TEXT_BYTES)).into()
}

/// The kinds of authors that are customers.
pub(crate) fn is_contact(kind: &str) -> bool {
    matches!(kind, "user" | "lead" | "contact")
}

/// What a state means. A closed conversation opens again when the customer writes.
pub(crate) fn status(state: &str) -> Option<Status> {
    match state {
        "open" => Some(Status::Open),
        "snoozed" => Some(Status::Pending),
        "closed" => Some(Status::Solved),
        _ => None,
    }
}

/// Five words since 2.16. The two of older versions are read, too: an answer of theirs is no reason to be blind.
fn priority(sent: &Sent<String>) -> Fact<Option<Priority>> {
    match sent.get().map(String::as_str) {
        Some("none" | "not_priority") => Fact::Known(None),
        Some("low") => Fact::Known(Some(Priority::Low)),
        Some("medium") => Fact::Known(Some(Priority::Normal)),
        Some("high" | "priority") => Fact::Known(Some(Priority::High)),
        Some("urgent") => Fact::Known(Some(Priority::Urgent)),
        _ => Fact::Unknown,
    }
}

/// Labels by name; one without a name makes the list unknown.
fn tags(sent: &Sent<wire::Tags>) -> Fact<Vec<String>> {
    let list = sent.get().and_then(|tags| tags.tags.get());
    list.and_then(|list| list.iter().map(|tag: &Tag| tag.name.get().cloned()).collect::<Option<Vec<_>>>()).into()
}

/// An assignee: `0` and `null` are nobody.
pub(crate) fn slot(sent: &Sent<Id>) -> Fact<Option<Id>> {
    sent.clone().optional().map(|id| id.filter(|id| id.is_record()))
}

/// Whom a conversation is with: the first, where there are several.
pub(crate) fn requester(sent: &wire::Conversation) -> Fact<Option<Key>> {
    match sent.contacts.get().and_then(|contacts| contacts.contacts.get()) {
        None => Fact::Unknown,
        Some(list) => match list.first() {
            None => Fact::Known(None),
            Some(first) => first.id.get().cloned().map(Some).into(),
        },
    }
}

/// Other conversations that this one is linked to.
fn related(sent: &wire::Conversation) -> Vec<Related> {
    if merged_away(sent).is_some() {
        return Vec::new();
    }
    let ids = linked(sent).map(|id| Related { ticket: TicketId::new(id.to_string()), tie: Tie::RefersTo });
    ids.collect()
}

/// The conversations among what this one is linked to.
pub(crate) fn linked(sent: &wire::Conversation) -> impl Iterator<Item = Id> {
    let list = sent.linked_objects.get().and_then(|list| list.data.get());
    let is = |one: &&wire::Linked| one.kind.get().is_some_and(|kind| kind == "conversation");
    list.into_iter().flatten().filter(is).filter_map(|one| one.id.get().copied()).filter(|id| id.is_record())
}

/// What a write is decided on: what stands on the conversation and its last part. `updated_at` is not in it: it moves when
/// somebody merely reads, and two changes may share its second (Intercom sheet, *Incremental read*). Without parts nothing
/// can be compared.
fn version(sent: &wire::Conversation) -> Version {
    let Some((total, last)) = sent.total().zip(sent.conversation_parts.get()) else { return Version::new("") };
    let last = last.conversation_parts.get().and_then(|parts| parts.last()).and_then(|part| part.id.get().copied());
    let tags = sent.tags.get().and_then(|tags| tags.tags.get()).into_iter().flatten();
    // A label that went and came back between two reads is another one.
    let put = |tag: &Tag| (tag.name.get().cloned(), tag.applied_at.get().map(|at| at.0.as_second()));
    let mut tags: Vec<(Option<String>, Option<i64>)> = tags.map(put).collect();
    tags.sort_unstable();
    let shown = serde_json::json!([
        sent.state.get(),
        slot(&sent.team_assignee_id).known(),
        slot(&sent.admin_assignee_id).known(),
        sent.priority.get(),
        sent.title.get(),
        sent.custom_attributes.get(),
        tags,
    ]);
    Version::new(format!("{}.{total}.{}", last.map_or(0, |id| id.0), fingerprint(&shown.to_string())))
}

impl Names<'_> {
    /// A teammate by id.
    pub(crate) fn person(&self, id: Id) -> Person {
        person(id, self.admins.as_ref().and_then(|admins| admins.get(&id)), self.me.id)
    }
}

/// A teammate.
pub(crate) fn person(id: Id, admin: Option<&wire::Admin>, us: Id) -> Person {
    let told = |sent: &Sent<String>| sent.get().filter(|text| !text.is_empty()).cloned();
    Person {
        id: user_id(id),
        name: admin.and_then(|admin| told(&admin.name)),
        email: admin.and_then(|admin| told(&admin.email)),
        role: if id == us { Role::Us } else { Role::Agent },
    }
}

/// A team as a queue.
pub(crate) fn queue(id: Id, teams: &Teams) -> QueueRef {
    let name = teams.as_ref().and_then(|teams| teams.get(&id)).and_then(|team| team.name.get().cloned());
    QueueRef { id: QueueId::new(id.to_string()), name }
}

/// A teammate's id.
pub(crate) fn user_id(id: Id) -> UserId {
    UserId::new(id.to_string())
}

fn organization_id(key: Option<Key>) -> Option<OrganizationId> {
    key.map(|key| OrganizationId::new(key.0))
}

/// Who asks, as far as the desk tells. A time zone by its name is not among what it tells.
pub(crate) fn customer(key: Key, contact: Option<Contact>, organization: Fact<Option<Organization>>) -> Customer {
    let contact = contact.unwrap_or_default();
    let told = |sent: &Sent<String>| sent.get().filter(|text| !text.is_empty()).cloned();
    let language = [&contact.language_override, &contact.browser_language].into_iter().find_map(told);
    let person =
        Person { id: UserId::new(key.0), name: told(&contact.name), email: told(&contact.email), role: Role::Customer };
    Customer {
        person,
        language: language.and_then(|tag| canonical(&tag)).map(Some).into(),
        zone: Fact::Unknown,
        fields: contact.custom_attributes.some().unwrap_or_default(),
        organization,
    }
}

/// A customer's company.
pub(crate) fn organization(key: &Key, sent: Company) -> Organization {
    Organization {
        id: OrganizationId::new(key.0.as_str()),
        name: sent.name.some(),
        fields: sent.custom_attributes.some().unwrap_or_default(),
    }
}

/// A customer's conversations, newest first. Only those that say that they are this customer's count.
pub(crate) fn contacts(found: &[wire::Conversation], of: &Key, more: bool, as_of: Timestamp) -> Contacts {
    let theirs = found.iter().filter(|one| {
        let list = one.contacts.get().and_then(|contacts| contacts.contacts.get());
        list.is_some_and(|list| list.iter().any(|contact| contact.id.get() == Some(of)))
    });
    let short = |one: &wire::Conversation| {
        Some(PastTicket {
            id: TicketId::new(one.id.get().copied().filter(|id| id.is_record())?.to_string()),
            subject: subject(one, &one.source.clone().some().unwrap_or_default()),
            status: one.state.get().and_then(|state| status(state)).into(),
            created_at: one.created_at.get().map(|at| at.0).into(),
        })
    };
    let mut tickets: Vec<PastTicket> = theirs.filter_map(short).collect();
    let opened = |one: &PastTicket| (one.created_at.known().copied(), one.id.as_str().parse::<i64>().ok());
    tickets.sort_by_key(|one| std::cmp::Reverse(opened(one)));
    tickets.dedup_by(|one, other| one.id == other.id);
    Contacts { tickets, complete: !more, as_of }
}

/// Everybody of the staff who stands in a conversation with a mail address.
pub(crate) fn staff(sent: &wire::Conversation, names: &Names<'_>) -> Vec<Person> {
    let acted = sent.parts().iter().filter_map(|part| part.author.get());
    let told = |author: &wire::Author| {
        let id = Id::read(&author.id.get()?.0)?;
        let known = names.person(id);
        let email = author.email.get().filter(|email| !email.is_empty()).cloned();
        let name = author.name.get().filter(|name| !name.is_empty()).cloned();
        Some(Person { name: known.name.or(name), email: known.email.or(email), ..known })
    };
    let admins = acted.filter(|author| author.kind.get().is_some_and(|kind| kind == "admin")).filter_map(told);
    let tagged = sent.tags.get().and_then(|tags| tags.tags.get()).into_iter().flatten();
    let taggers = tagged.filter_map(|tag| tag.applied_by.get()).filter_map(|by| {
        let is_admin = by.kind.get().is_some_and(|kind| kind == "admin");
        is_admin.then(|| Id::read(&by.id.get()?.0)).flatten().map(|id| names.person(id))
    });
    let mut people: Vec<Person> = admins.chain(taggers).filter(|person| person.role == Role::Agent).collect();
    people.sort_by(|one, other| one.id.cmp(&other.id));
    people.dedup_by(|one, other| one.id == other.id);
    people
}

#[cfg(test)]
pub(crate) mod tests;
