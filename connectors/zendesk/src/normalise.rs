//! Zendesk's tickets, people and clocks in the kit's words. Pure. What a ticket leaves out stays unknown.

use crate::people::{person, role};
use crate::wire::{self, Id, Sent};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{OrganizationId, QueueId, TicketId, UserId, Version};
use handoffd_kit::language::canonical;
use handoffd_kit::model::{
    ClockState, Contacts, Customer, Ending, Organization, PastTicket, Priority, QueueRef, Related, Role, Status,
    TicketHead, Tie, VendorClock,
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// The tag of a ticket that was merged into another one (Zendesk sheet, *Pitfalls*).
pub(crate) const MERGED_TAG: &str = "closed_by_merge";

/// A ticket's head; none: this is no ticket.
pub(crate) fn head(raw: &Value, groups: &BTreeMap<Id, String>, site: &Url) -> Option<TicketHead> {
    let ticket: wire::Ticket = serde_json::from_value(raw.clone()).ok()?;
    let related = related(&ticket);
    let id = ticket.id.some().filter(|id| id.is_record())?;
    let stamp = ticket.updated_at.some().unwrap_or_default();
    let updated_at: Option<Timestamp> = stamp.parse().ok();
    // A stamp that is no time cannot guard a write.
    let version = Version::new(if updated_at.is_some() { stamp.as_str() } else { "" });
    let word = ticket.status.get().map(String::as_str);
    let ending = ending(word, ticket.tags.get());
    let status = word.and_then(status).into();
    let machine_mail = machine_mail(&ticket.via);
    let channel = ticket.via.some().and_then(|via| via.channel.some());
    Some(TicketHead {
        subject: ticket.subject.required(),
        text: ticket.description.required(),
        status,
        priority: optional(ticket.priority, priority),
        kind: ticket.kind.optional(),
        channel: channel.into(),
        tags: ticket.tags.required(),
        machine_mail,
        reply_reaches_customer: ticket.from_messaging_channel.required().map(|live| !live),
        requester: ticket.requester_id.optional().map(|id| id.map(user_id)),
        organization: ticket.organization_id.optional().map(|id| id.map(|id| OrganizationId::new(id.to_string()))),
        queue: ticket.group_id.optional().map(|id| id.map(|id| queue(id, groups))),
        // Only agents own tickets, so their role is known without another read.
        owner: ticket.assignee_id.optional().map(|id| id.map(|id| person(id, None, Role::Agent))),
        fields: fields(ticket.custom_fields),
        created_at: ticket.created_at.required(),
        updated_at: updated_at.into(),
        related,
        ending,
        link: site.join(&format!("agent/tickets/{id}")).ok().map(String::from),
        raw: raw.to_string(),
        ..TicketHead::unknown(TicketId::new(id.to_string()), version)
    })
}

/// The group that a ticket names, before its head can be made.
pub(crate) fn group_of(raw: &Value) -> Option<Id> {
    serde_json::from_value(raw.get("group_id")?.clone()).ok()
}

/// A group as a queue.
pub(crate) fn queue(id: Id, groups: &BTreeMap<Id, String>) -> QueueRef {
    QueueRef { id: QueueId::new(id.to_string()), name: groups.get(&id).cloned() }
}

/// A person's id.
pub(crate) fn user_id(id: Id) -> UserId {
    UserId::new(id.to_string())
}

/// What may be none and must also translate: a word that does not is unknown.
fn optional<T>(sent: Sent<String>, translate: fn(&str) -> Option<T>) -> Fact<Option<T>> {
    match sent {
        Sent::Null => Fact::Known(None),
        Sent::Value(word) => translate(&word).map_or(Fact::Unknown, |value| Fact::Known(Some(value))),
        Sent::Missing => Fact::Unknown,
    }
}

/// A status in Zendesk's word.
pub(crate) fn status(word: &str) -> Option<Status> {
    Some(match word {
        "new" => Status::New,
        "open" => Status::Open,
        "pending" => Status::Pending,
        "hold" => Status::OnHold,
        "solved" => Status::Solved,
        "closed" => Status::Closed,
        _ => return None,
    })
}

/// A priority in Zendesk's word, which is also ours.
pub(crate) fn priority(word: &str) -> Option<Priority> {
    [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent].into_iter().find(|one| one.name() == word)
}

fn ending(status: Option<&str>, tags: Option<&Vec<String>>) -> Option<Ending> {
    match status {
        Some("deleted") => Some(Ending::Deleted),
        Some("closed") if tags.is_some_and(|tags| tags.iter().any(|tag| tag == MERGED_TAG)) => {
            Some(Ending::Merged { into: None })
        }
        _ => None,
    }
}

/// What is certain from the head alone: mail servers write from known addresses, and forms and chats are no mail. Of any other
/// mail its flags tell, which stand in the conversation.
fn machine_mail(via: &Sent<wire::Via>) -> Fact<bool> {
    let Some(via) = via.get() else { return Fact::Unknown };
    match via.channel.get().map(String::as_str) {
        Some("email") => {
            let from = via.source.get().and_then(|source| source.from.get()).and_then(|from| from.address.get());
            let local = from.and_then(|address| address.split_once('@')).map(|(local, _)| local.to_lowercase());
            match local.as_deref() {
                Some("mailer-daemon" | "postmaster") => Fact::Known(true),
                _ => Fact::Unknown,
            }
        }
        Some("web" | "mobile" | "chat" | "messaging" | "native_messaging" | "voice") => Fact::Known(false),
        _ => Fact::Unknown,
    }
}

/// The closed ticket that this one goes on with, and the problem that it is an incident of.
fn related(ticket: &wire::Ticket) -> Vec<Related> {
    let source = ticket.via.get().and_then(|via| via.source.get());
    let follows = source.filter(|source| source.rel.get().is_some_and(|rel| rel == "follow_up"));
    let follows = follows.and_then(|source| source.from.get()?.ticket_id.get());
    let ties = [(follows, Tie::FollowsUp), (ticket.problem_id.get(), Tie::IncidentOf)];
    let tied = |(id, tie): (Option<&Id>, Tie)| {
        let id = id.filter(|id| id.is_record())?;
        Some(Related { ticket: TicketId::new(id.to_string()), tie })
    };
    ties.into_iter().filter_map(tied).collect()
}

fn fields(sent: Sent<Vec<wire::CustomField>>) -> BTreeMap<String, Value> {
    let fields = sent.some().unwrap_or_default().into_iter();
    fields.filter_map(|field| Some((field.id.some()?.to_string(), field.value))).collect()
}

/// Who asks, as far as the desk tells.
pub(crate) fn customer(id: Id, user: Option<wire::User>, organization: Fact<Option<Organization>>) -> Customer {
    let role = user.as_ref().map_or(Role::Customer, |user| match role(user) {
        Role::Unknown => Role::Customer,
        role => role,
    });
    let person = person(id, user.as_ref(), role);
    let wire::User { locale, iana_time_zone, user_fields, .. } = user.unwrap_or_default();
    Customer {
        person,
        language: match locale {
            Sent::Value(locale) => canonical(&locale).map_or(Fact::Unknown, |language| Fact::Known(Some(language))),
            Sent::Null => Fact::Known(None),
            Sent::Missing => Fact::Unknown,
        },
        zone: iana_time_zone.optional(),
        fields: user_fields.some().unwrap_or_default(),
        organization,
    }
}

/// A customer's organisation.
pub(crate) fn organization(id: Id, sent: wire::Organization) -> Organization {
    Organization {
        id: OrganizationId::new(id.to_string()),
        name: sent.name.some(),
        fields: sent.organization_fields.some().unwrap_or_default(),
    }
}

/// A customer's tickets, newest first; none: this is no list of tickets. What has no id is no ticket.
pub(crate) fn contacts(answer: &Value, as_of: Timestamp) -> Option<Contacts> {
    let short = |raw: &Value| {
        let ticket: wire::Ticket = serde_json::from_value(raw.clone()).ok()?;
        Some(PastTicket {
            id: TicketId::new(ticket.id.some().filter(|id| id.is_record())?.to_string()),
            subject: ticket.subject.required(),
            status: ticket.status.get().and_then(|word| status(word)).into(),
            created_at: ticket.created_at.required(),
        })
    };
    let tickets = answer.get("tickets")?.as_array()?.iter().filter_map(short).collect();
    Some(Contacts { tickets, complete: answer.get("next_page").is_none_or(Value::is_null), as_of })
}

/// The desk's clocks. One without a name or with an unheard-of stage tells nothing.
pub(crate) fn clocks(metrics: Vec<wire::PolicyMetric>, now: Timestamp) -> Vec<VendorClock> {
    let clock = |metric: wire::PolicyMetric| {
        let name = metric.metric.some()?;
        let breaches_at = metric.breach_at.some();
        let state = match metric.stage.get().map(String::as_str)? {
            "active" if breaches_at.is_some_and(|at| at <= now) => ClockState::Breached,
            "active" => ClockState::Running,
            "paused" => ClockState::Paused,
            "achieved" => ClockState::Met,
            _ => return None,
        };
        let breaches_at = breaches_at.filter(|_| matches!(state, ClockState::Running | ClockState::Breached));
        Some(VendorClock { name: clock_name(name), state, breaches_at })
    };
    metrics.into_iter().filter_map(clock).collect()
}

fn clock_name(metric: String) -> String {
    match metric.as_str() {
        "first_reply_time" => "first_reply".into(),
        "next_reply_time" => "next_reply".into(),
        "total_resolution_time" => "resolution".into(),
        _ => metric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    fn site() -> Url {
        "https://acme.zendesk.com/".parse().unwrap()
    }

    fn head_of(raw: &Value) -> TicketHead {
        head(raw, &BTreeMap::from([(Id(98738), "Billing".to_owned())]), &site()).unwrap()
    }

    #[test]
    fn a_ticket_as_documented() {
        let raw = read(include_str!("../fixtures/ticket.json"));
        let mut head = head_of(&raw["ticket"]);
        assert_eq!(read(&head.raw), raw["ticket"]);
        head.raw.clear();
        insta::assert_json_snapshot!(head);
    }

    #[test]
    fn a_ticket_with_hardly_anything_is_mostly_unknown() {
        let mut head = head_of(&json!({ "id": 7 }));
        head.raw.clear();
        let mut bare = TicketHead::unknown("7".into(), "".into());
        bare.link = Some("https://acme.zendesk.com/agent/tickets/7".into());
        assert_eq!(head, bare);
        assert!(head_of(&json!({ "id": 7, "updated_at": "soon" })).version.as_str().is_empty());
    }

    #[test]
    fn what_has_no_id_is_no_ticket() {
        for raw in [json!({}), json!({ "id": null }), json!({ "id": -1 }), json!([]), json!("7"), json!({ "id": {} })] {
            assert!(head(&raw, &BTreeMap::new(), &site()).is_none(), "{raw}");
        }
    }

    #[test]
    fn merged_and_deleted_tickets_have_ended_and_closed_ones_have_not() {
        let ended = |status: &str, tags: Value| head_of(&json!({ "id": 7, "status": status, "tags": tags })).ending;
        assert_eq!(ended("closed", json!(["closed_by_merge"])), Some(Ending::Merged { into: None }));
        assert_eq!(ended("open", json!(["closed_by_merge"])), None, "anybody can set a tag");
        assert_eq!(ended("deleted", json!([])), Some(Ending::Deleted));
        assert_eq!(ended("closed", json!([])), None);
    }

    #[test]
    fn words_that_do_not_translate_are_unknown() {
        let head = head_of(&json!({ "id": 7, "status": "asleep", "priority": "sky-high", "group_id": "x" }));
        assert!(head.status.is_unknown() && head.priority.is_unknown() && head.queue.is_unknown());
        let none = head_of(&json!({ "id": 7, "priority": null, "group_id": null, "assignee_id": null }));
        assert_eq!((none.priority, none.queue, none.owner), (Fact::Known(None), Fact::Known(None), Fact::Known(None)));
    }

    #[test]
    fn machine_mail_is_known_only_where_it_is_certain() {
        let via = |channel: &str, address: &str| {
            let via = json!({ "channel": channel, "source": { "from": { "address": address } } });
            head_of(&json!({ "id": 7, "via": via })).machine_mail
        };
        assert_eq!(via("email", "MAILER-DAEMON@mx.example"), Fact::Known(true));
        assert_eq!(via("email", "jane@customer.example"), Fact::Unknown);
        assert_eq!(via("web", ""), Fact::Known(false));
        assert_eq!(via("api", ""), Fact::Unknown);
    }

    #[test]
    fn a_follow_up_and_an_incident_name_the_other_ticket() {
        let tied = |ticket: Value| -> Vec<(String, Tie)> {
            head_of(&ticket).related.into_iter().map(|one| (one.ticket.to_string(), one.tie)).collect()
        };
        let via = |rel: &str, from: Value| json!({ "channel": "web", "source": { "from": from, "rel": rel } });
        let follows = via("follow_up", json!({ "ticket_id": 3, "subject": "Before" }));
        let both = tied(json!({ "id": 7, "via": follows, "problem_id": 9 }));
        assert_eq!(both, [("3".to_owned(), Tie::FollowsUp), ("9".to_owned(), Tie::IncidentOf)]);
        // An id that is none, and a ticket that came from another in another way.
        for from in [json!({ "ticket_id": -1 }), json!({ "ticket_id": "x" }), json!({}), json!(null)] {
            assert_eq!(tied(json!({ "id": 7, "via": via("follow_up", from), "problem_id": null })), []);
        }
        assert_eq!(tied(json!({ "id": 7, "via": via("merge", json!({ "ticket_id": 3 })) })), []);
    }

    #[test]
    fn a_live_chat_is_not_reached_by_a_reply() {
        let reaches = |live: Value| head_of(&json!({ "id": 7, "from_messaging_channel": live })).reply_reaches_customer;
        assert_eq!(reaches(json!(true)), Fact::Known(false));
        assert_eq!(reaches(json!(false)), Fact::Known(true));
        assert_eq!(reaches(json!(null)), Fact::Unknown);
    }

    #[test]
    fn a_customer_as_documented() {
        let user = serde_json::from_value(read(include_str!("../fixtures/users.json"))["users"][0].clone()).unwrap();
        let sent = read(include_str!("../fixtures/organizations.json"))["organizations"][0].clone();
        let organization = organization(Id(509974), serde_json::from_value(sent).unwrap());
        insta::assert_json_snapshot!(customer(Id(20978392), Some(user), Fact::Known(Some(organization))));
        let nobody = customer(Id(5), None, Fact::Unknown);
        assert_eq!((nobody.person.role, nobody.language), (Role::Customer, Fact::Unknown));
    }

    #[test]
    fn a_customers_tickets_are_short_and_odd_ones_are_left_out() {
        let now: Timestamp = "2026-05-03T11:00:00Z".parse().unwrap();
        let answer = json!({
            "tickets": [
                { "id": 9, "subject": "Again", "status": "open", "created_at": "2026-05-02T10:00:00Z" },
                { "id": 8, "status": "asleep", "created_at": "yesterday" },
                { "subject": "no id" },
                7,
            ],
            "next_page": "https://acme.zendesk.com/api/v2/users/1/tickets/requested?page=2"
        });
        let read = contacts(&answer, now).unwrap();
        assert_eq!(read.tickets.iter().map(|ticket| ticket.id.as_str()).collect::<Vec<_>>(), ["9", "8"]);
        assert!(read.tickets[1].status.is_unknown() && read.tickets[1].created_at.is_unknown() && !read.complete);
        assert!(contacts(&json!({ "tickets": [] , "next_page": null }), now).unwrap().complete);
        for odd in [json!({}), json!([]), json!({ "tickets": {} })] {
            assert_eq!(contacts(&odd, now), None, "{odd}");
        }
    }

    #[test]
    fn clocks_as_documented() {
        let mut metrics = read(include_str!("../fixtures/policy_metrics.json"));
        let metrics = serde_json::from_value(metrics["policy_metrics"].take()).unwrap();
        insta::assert_json_snapshot!(clocks(metrics, "2026-05-03T11:00:00Z".parse().unwrap()));
    }
}
