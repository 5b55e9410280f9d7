//! People, groups, memberships, organisations and field definitions.

use super::login::Caller;
use super::paging::{self, Order, page};
use super::refusals::Refusal;
use super::request::Call;
use super::show;
use crate::ids::{OrganizationNo, PersonNo, QueueNo};
use crate::store::Helpdesk;
use crate::ticket::Ticket;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `GET /users/me`: nobody is an anonymous user, and the status is 200 (Zendesk sheet, *Base URL and auth*).
pub(super) fn me(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Value {
    let person = caller.person.and_then(|no| desk.person(no));
    let user = person.map(|person| show::user(&call.base(), person));
    json!({ "user": user.unwrap_or_else(|| json!({ "id": null, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user" })) })
}

/// `GET /users/{id}`.
pub(super) fn user(desk: &Helpdesk, call: &Call<'_>, no: PersonNo) -> Result<Value, Refusal> {
    let person = desk.person(no).ok_or(Refusal::NotFound)?;
    Ok(json!({ "user": show::user(&call.base(), person) }))
}

/// `GET /users/show_many`.
pub(super) fn users(desk: &Helpdesk, call: &Call<'_>) -> Result<Value, Refusal> {
    let users = users_of(desk, &call.base(), call.ids()?.into_iter().map(PersonNo));
    let body = json!({ "count": users.len(), "next_page": null, "previous_page": null });
    let body = paging::with(body, "users", users);
    if !call.includes("organizations") {
        return Ok(body);
    }
    let of = call.ids()?.into_iter().filter_map(|id| desk.person(PersonNo(id))?.organization);
    Ok(paging::with(body, "organizations", organizations_of(desk, &call.base(), of)))
}

/// `GET /users/search?query=email:…`, or any word of the name.
pub(super) fn search(desk: &Helpdesk, call: &Call<'_>) -> Result<Value, Refusal> {
    let query = call.param("query").ok_or(Refusal::BadParameter("query"))?;
    let email = query.strip_prefix("email:").map(|email| email.trim_matches('"'));
    let found = desk.people.values().filter(|person| match email {
        Some(email) => person.email.eq_ignore_ascii_case(email),
        None => person.name.to_lowercase().contains(&query.to_lowercase()),
    });
    let items = found.map(|person| ((0, person.no.0), person)).collect();
    Ok(page(call, "users", items, Order::Ascending, |person| show::user(&call.base(), person))?.0)
}

/// `GET /groups`.
pub(super) fn groups(desk: &Helpdesk, call: &Call<'_>) -> Result<Value, Refusal> {
    let items = desk.queues.values().map(|queue| ((0, queue.no.0), queue)).collect();
    Ok(page(call, "groups", items, Order::Ascending, |queue| show::group(&call.base(), queue))?.0)
}

/// `GET /groups/{id}`.
pub(super) fn group(desk: &Helpdesk, call: &Call<'_>, no: QueueNo) -> Result<Value, Refusal> {
    let queue = desk.queues.get(&no).ok_or(Refusal::NotFound)?;
    Ok(json!({ "group": show::group(&call.base(), queue) }))
}

/// `GET /group_memberships`, or those of one group.
pub(super) fn memberships(desk: &Helpdesk, call: &Call<'_>, group: Option<QueueNo>) -> Result<Value, Refusal> {
    if group.is_some_and(|group| !desk.queues.contains_key(&group)) {
        return Err(Refusal::NotFound);
    }
    let queues = desk.queues.values().filter(|queue| group.is_none_or(|group| queue.no == group));
    let pairs = queues.flat_map(|queue| queue.members.iter().map(move |person| (queue, *person)));
    let items = pairs.map(|(queue, person)| ((queue.no.0 as i64, person.0), (queue, person))).collect();
    let show = |(queue, person): (&crate::people::Queue, PersonNo)| {
        let at = show::time(queue.created_at);
        json!({
            "id": queue.no.0 * 1_000_000 + person.0, "user_id": person, "group_id": queue.no, "default": false,
            "created_at": at, "updated_at": at,
        })
    };
    let (body, _) = page(call, "group_memberships", items, Order::Ascending, show)?;
    let mut body = body;
    if call.includes("users") {
        let of: BTreeSet<PersonNo> = body["group_memberships"]
            .as_array()
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .filter_map(|membership| membership["user_id"].as_u64().map(PersonNo))
            .collect();
        body = paging::with(body, "users", users_of(desk, &call.base(), of));
    }
    Ok(body)
}

/// `GET /organizations/show_many`.
pub(super) fn organizations(desk: &Helpdesk, call: &Call<'_>) -> Result<Value, Refusal> {
    let found = organizations_of(desk, &call.base(), call.ids()?.into_iter().map(OrganizationNo));
    let body = json!({ "count": found.len(), "next_page": null, "previous_page": null });
    Ok(paging::with(body, "organizations", found))
}

/// `GET /ticket_fields`.
pub(super) fn fields(desk: &Helpdesk, call: &Call<'_>) -> Result<Value, Refusal> {
    let items = desk.fields.values().map(|def| ((0, def.no.0), def)).collect();
    Ok(page(call, "ticket_fields", items, Order::Ascending, |def| show::field(&call.base(), def))?.0)
}

/// People, each once.
pub(super) fn users_of(desk: &Helpdesk, base: &str, of: impl IntoIterator<Item = PersonNo>) -> Vec<Value> {
    let of: BTreeSet<PersonNo> = of.into_iter().filter(|no| *no != Helpdesk::SYSTEM).collect();
    of.into_iter().filter_map(|no| desk.person(no)).map(|person| show::user(base, person)).collect()
}

fn organizations_of(desk: &Helpdesk, base: &str, of: impl IntoIterator<Item = OrganizationNo>) -> Vec<Value> {
    let of: BTreeSet<OrganizationNo> = of.into_iter().collect();
    of.iter().filter_map(|no| desk.organizations.get(no)).map(|one| show::organization(base, one)).collect()
}

/// What is sent along with tickets, as `include` asks for it.
pub(super) fn sideloads(desk: &Helpdesk, call: &Call<'_>, mut body: Value, tickets: &[&Ticket]) -> Value {
    let base = call.base();
    if call.includes("users") {
        let of = tickets.iter().flat_map(|ticket| [Some(ticket.requester), ticket.owner]).flatten();
        body = paging::with(body, "users", users_of(desk, &base, of));
    }
    if call.includes("groups") {
        let of: BTreeSet<QueueNo> = tickets.iter().filter_map(|ticket| ticket.queue).collect();
        let groups = of.iter().filter_map(|no| desk.queues.get(no)).map(|queue| show::group(&base, queue)).collect();
        body = paging::with(body, "groups", groups);
    }
    if call.includes("organizations") {
        let of = tickets.iter().filter_map(|ticket| ticket.organization);
        body = paging::with(body, "organizations", organizations_of(desk, &base, of));
    }
    body
}
