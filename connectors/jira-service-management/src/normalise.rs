//! Jira's issues, people and clocks in the kit's words. Pure. What an issue leaves out stays unknown.

use crate::adf;
use crate::people::{person, role_of};
use crate::setup::{self, Setup, text_of};
use crate::teams::queue_of;
use crate::wire::{self, Issue, Named, Sent, User};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{OrganizationId, TicketId, UserId, Version};
use handoffd_kit::language::canonical;
use handoffd_kit::model::{
    ClockState, Contacts, Customer, Ending, Organization, PastTicket, QueueRef, Role, TicketHead, VendorClock,
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// More of one message is not read.
pub(crate) const MESSAGE_BYTES: usize = 128 << 10;

/// The name of the tie by which a duplicate is closed, in Jira's own language.
const DUPLICATE: &str = "Duplicate";

/// What the fields of an issue mean, and who we are.
pub(crate) struct Names<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) us: Option<&'a str>,
    pub(crate) projects: &'a [String],
    pub(crate) site: Option<&'a Url>,
}

/// An issue's head; none: this is no issue.
pub(crate) fn head(raw: &Value, names: &Names<'_>) -> Option<TicketHead> {
    let issue: Issue = serde_json::from_value(raw.clone()).ok().filter(|_| raw.is_object())?;
    let id = issue.id.get().copied().filter(|id| id.is_record())?;
    let updated = issue.updated();
    let updated_at = updated.get().and_then(|at| wire::instant(at));
    // A stamp that is no time tells nothing about what changed since.
    let version = updated.get().filter(|_| updated_at.is_some()).map_or("", String::as_str);
    let channel = channel(&issue);
    let created: Sent<wire::At> = issue.field("created");
    Some(TicketHead {
        subject: issue.field("summary").required(),
        text: text(&issue),
        status: issue.field("status").get().and_then(setup::status).into(),
        priority: optional(issue.field::<Named>("priority"), |level| setup::priority(text_of(&level.name)?)),
        kind: optional(issue.field::<Named>("issuetype"), |kind| kind.name.get().cloned()),
        channel: channel.map(str::to_owned).into(),
        // A form that a person fills in comes from no mail server. Nothing documented marks a machine's mail.
        machine_mail: channel.filter(|channel| *channel == "web").map(|_| false).into(),
        tags: issue.field("labels").required(),
        reply_reaches_customer: reaches(&issue, names.setup),
        requester: issue.field::<User>("reporter").optional().map(|user| user.as_ref().and_then(account)),
        organization: organization(&issue, names.setup).map(|one| one.map(|one| one.id)),
        queue: queue(&issue, names.setup),
        owner: optional(issue.field::<User>("assignee"), |user| person(user, role_of(user, names.us))),
        fields: fields(&issue, names.setup),
        created_at: created.some().map(|at| at.0).into(),
        updated_at: updated_at.into(),
        ending: ending(&issue, names.projects),
        link: link(&issue, names.site),
        raw: raw.to_string(),
        ..TicketHead::unknown(TicketId::new(id.to_string()), Version::new(version))
    })
}

/// What the customer wrote first stands in the description.
fn text(issue: &Issue) -> Fact<String> {
    match issue.field::<Value>("description") {
        Sent::Missing => Fact::Unknown,
        Sent::Null => Fact::Known(String::new()),
        Sent::Value(document) => Fact::Known(adf::text(&document, MESSAGE_BYTES)),
    }
}

/// How it came in, where the site tells (not verified; sheet, *Objects*): without, it is unknown.
fn channel(issue: &Issue) -> Option<&'static str> {
    let property = issue.properties.get()?.get("request.channel.type")?;
    let word = property.get("value").unwrap_or(property).as_str()?;
    Some(match word {
        "email" => "email",
        "portal" | "anonymousportal" | "helpcenter" => "web",
        "api" => "api",
        "chat" | "slack" | "teams" | "msteams" => "chat",
        _ => return None,
    })
}

fn account(user: &User) -> Option<UserId> {
    user.account_id.get().filter(|id| !id.is_empty()).map(|id| UserId::new(id.as_str()))
}

/// What may be none and must also translate: what does not is unknown.
fn optional<T, U>(sent: Sent<T>, translate: impl Fn(&T) -> Option<U>) -> Fact<Option<U>> {
    match sent {
        Sent::Null => Fact::Known(None),
        Sent::Value(value) => translate(&value).map_or(Fact::Unknown, |value| Fact::Known(Some(value))),
        Sent::Missing => Fact::Unknown,
    }
}

/// Only a request is seen by its customer: an issue without a request type is the agents' own.
fn reaches(issue: &Issue, setup: &Setup) -> Fact<bool> {
    let Some(field) = &setup.request_type else { return Fact::Unknown };
    match issue.field::<Value>(field) {
        Sent::Value(_) => Fact::Known(true),
        Sent::Null => Fact::Known(false),
        Sent::Missing => Fact::Unknown,
    }
}

fn queue(issue: &Issue, setup: &Setup) -> Fact<Option<QueueRef>> {
    let Some(team) = &setup.team else { return Fact::Unknown };
    optional(issue.field::<Value>(&team.id), |value| queue_of(value, team.kind))
}

/// The customer's organisation, where there is one: of several, none is known to be the one.
pub(crate) fn organization(issue: &Issue, setup: &Setup) -> Fact<Option<Organization>> {
    let Some(field) = &setup.organizations else { return Fact::Unknown };
    match issue.field::<Vec<Named>>(field) {
        Sent::Missing => Fact::Unknown,
        Sent::Null => Fact::Known(None),
        Sent::Value(all) => match &all[..] {
            [] => Fact::Known(None),
            [one] => one.id.get().map(|id| Some(named(id, &one.name))).into(),
            _ => Fact::Unknown,
        },
    }
}

fn named(id: &str, name: &Sent<String>) -> Organization {
    Organization { id: OrganizationId::new(id), name: name.get().cloned(), fields: BTreeMap::new() }
}

/// The site's own fields, without what Jira wraps their values in.
fn fields(issue: &Issue, setup: &Setup) -> BTreeMap<String, Value> {
    let fields = issue.fields.get().into_iter().flatten();
    let own = fields.filter(|(id, _)| setup.kinds.contains_key(*id));
    own.map(|(id, value)| (id.clone(), setup::plain(value))).collect()
}

/// Why it takes no more handoffs: archived, in a project that is not ours any more, or closed as a duplicate. Jira has no merge:
/// a duplicate is closed, and tied to the other one.
fn ending(issue: &Issue, projects: &[String]) -> Option<Ending> {
    if matches!(issue.field::<Value>("archiveddate"), Sent::Value(_)) {
        return Some(Ending::Archived);
    }
    let project = issue.field::<Named>("project").some().and_then(|project| project.key.some());
    if project.is_some_and(|key| !projects.contains(&key)) {
        return Some(Ending::Deleted);
    }
    let resolution = issue.field::<Named>("resolution").some().and_then(|resolution| resolution.name.some());
    if resolution.as_deref() != Some(DUPLICATE) {
        return None;
    }
    let links = issue.field::<Vec<wire::Link>>("issuelinks").some().unwrap_or_default();
    let duplicates =
        |link: &wire::Link| link.kind.get().and_then(|kind| kind.name.get()).is_some_and(|name| name == DUPLICATE);
    let into = links.into_iter().filter(duplicates).find_map(|link| link.outward_issue.some()?.id.some());
    Some(Ending::Merged { into: Some(TicketId::new(into.filter(|id| id.is_record())?.to_string())) })
}

/// The project of an issue, for people.
pub(crate) fn project(raw: &str) -> Option<String> {
    let issue: Issue = serde_json::from_str(raw).ok()?;
    issue.field::<Named>("project").some()?.key.some()
}

fn link(issue: &Issue, site: Option<&Url>) -> Option<String> {
    let key =
        issue.key.get().filter(|key| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))?;
    site?.join(&format!("browse/{key}")).ok().map(String::from)
}

/// Who asks, as far as Jira tells. Whoever reported it asks, also a licensed user.
pub(crate) fn customer(user: &User, us: Option<&str>, organization: Fact<Option<Organization>>) -> Option<Customer> {
    let role = match role_of(user, us) {
        Role::Us => Role::Us,
        _ => Role::Customer,
    };
    Some(Customer {
        person: person(user, role)?,
        language: user.locale.get().and_then(|locale| canonical(&locale.replace('_', "-"))).map(Some).into(),
        zone: user.time_zone.get().filter(|zone| zone.contains('/')).cloned().map(Some).into(),
        fields: BTreeMap::new(),
        organization,
    })
}

/// A customer's tickets, newest first. Only those that say that they are this customer's count.
pub(crate) fn contacts(raws: &[Value], of: &str, more: bool, as_of: Timestamp) -> Contacts {
    let short = |raw: &Value| {
        let issue: Issue = serde_json::from_value(raw.clone()).ok()?;
        let reporter = issue.field::<User>("reporter").some()?.account_id.some()?;
        let created: Sent<wire::At> = issue.field("created");
        (reporter == of).then_some(PastTicket {
            id: TicketId::new(issue.id.get().copied().filter(|id| id.is_record())?.to_string()),
            subject: issue.field("summary").required(),
            status: issue.field("status").get().and_then(setup::status).into(),
            created_at: created.some().map(|at| at.0).into(),
        })
    };
    let mut found: Vec<PastTicket> = raws.iter().filter_map(short).collect();
    let opened = |ticket: &PastTicket| (ticket.created_at.known().copied(), ticket.id.as_str().parse::<i64>().ok());
    found.sort_by_key(|ticket| std::cmp::Reverse(opened(ticket)));
    found.dedup_by(|one, other| one.id == other.id);
    Contacts { tickets: found, complete: !more, as_of }
}

/// The clocks of a request. Sites name them as they like: those of Jira's own templates are known by their names.
pub(crate) fn clocks(clocks: &[wire::Clock]) -> Vec<VendorClock> {
    let one = |clock: &wire::Clock| {
        let (state, breaches_at) = match clock.ongoing_cycle.get() {
            Some(cycle) => stands(cycle)?,
            None => match clock.completed_cycles.get()?.last()?.breached.get()? {
                true => (ClockState::Breached, None),
                false => (ClockState::Met, None),
            },
        };
        Some(VendorClock { name: clock_name(clock.name.get()?), state, breaches_at })
    };
    clocks.iter().filter_map(one).collect()
}

/// How a round that goes on stands; none: it does not say. While it is paused, the instant is missing (not verified; sheet, *SLA
/// data*): one that stayed behind tells nothing.
fn stands(cycle: &wire::Cycle) -> Option<(ClockState, Option<Timestamp>)> {
    let due = cycle.breach_time.get().and_then(|at| at.epoch_millis.get()).map(|at| at.0);
    match (cycle.breached.get(), cycle.paused.get()) {
        (Some(true), _) => Some((ClockState::Breached, due)),
        (_, Some(true)) => Some((ClockState::Paused, None)),
        (Some(false), Some(false)) => Some((ClockState::Running, due)),
        _ => None,
    }
}

fn clock_name(name: &str) -> String {
    match name.trim().to_lowercase().as_str() {
        "time to first response" => "first_reply".into(),
        "time to next response" => "next_reply".into(),
        "time to resolution" => "resolution".into(),
        _ => name.chars().take(100).collect(),
    }
}

#[cfg(test)]
mod tests;
