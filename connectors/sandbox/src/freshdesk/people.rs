//! Agents, groups, contacts, companies and field definitions.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, json};
use super::show;
use crate::ids::{OrganizationNo, PersonNo, QueueNo};
use crate::store::Helpdesk;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json as value};

type Answer = Result<Response<Bytes>, Refusal>;

fn ok(body: &Value) -> Answer {
    Ok(json(StatusCode::OK, body))
}

/// `GET /agents/me`.
pub(super) fn me(_: &Helpdesk, caller: &Caller) -> Answer {
    ok(&show::agent(&caller.person))
}

/// `GET /agents`, or the one with this address.
pub(super) fn agents(desk: &Helpdesk, call: &Call<'_>) -> Answer {
    call.only(&["page", "per_page", "email"])?;
    let wanted = |email: &str| call.param("email").is_none_or(|wanted| wanted.eq_ignore_ascii_case(email));
    let agents = desk.people.values().filter(|person| show::is_agent(person) && wanted(&person.email));
    call.page(agents.collect(), None, show::agent)
}

/// `GET /groups`.
pub(super) fn groups(desk: &Helpdesk, call: &Call<'_>) -> Answer {
    call.only(&["page", "per_page"])?;
    call.page(desk.queues.values().collect(), None, show::group)
}

/// `GET /groups/{id}`.
pub(super) fn group(desk: &Helpdesk, no: QueueNo) -> Answer {
    ok(&show::group(desk.queues.get(&no).ok_or(Refusal::NotFound)?))
}

/// `GET /contacts/{id}`: an agent is none.
pub(super) fn contact(desk: &Helpdesk, no: PersonNo) -> Answer {
    let person = desk.person(no).filter(|person| !person.role.is_staff());
    ok(&show::contact(person.ok_or(Refusal::NotFound)?))
}

/// `GET /companies/{id}`.
pub(super) fn company(desk: &Helpdesk, no: OrganizationNo) -> Answer {
    ok(&show::company(desk.organizations.get(&no).ok_or(Refusal::NotFound)?))
}

/// `GET /ticket_fields`: for every agent, without what stops the timer.
pub(super) fn fields(desk: &Helpdesk, call: &Call<'_>) -> Answer {
    call.only(&["page", "per_page"])?;
    let status = value!({
        "id": show::STATUS_FIELD, "name": "status", "label": "Status", "type": "default_status", "default": true,
        "choices": { "2": ["Open", "Being Processed"], "3": ["Pending", "Awaiting your Reply"] },
    });
    let all = std::iter::once(status).chain(desk.fields.values().map(show::field)).collect();
    call.page(all, None, |field| field)
}

/// `GET /admin/ticket_fields`: takes no `per_page` (Freshdesk sheet, *Objects*).
pub(super) fn admin_fields(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Answer {
    call.only(&[])?;
    admin(caller)?;
    let mut status = show::status_field();
    if let Some(status) = status.as_object_mut() {
        status.remove("choices");
    }
    ok(&std::iter::once(status).chain(desk.fields.values().map(show::field)).collect())
}

/// `GET /admin/ticket_fields/{id}`.
pub(super) fn admin_field(desk: &Helpdesk, caller: &Caller, no: u64) -> Answer {
    admin(caller)?;
    if no == show::STATUS_FIELD {
        return ok(&show::status_field());
    }
    ok(&show::field(desk.fields.values().find(|def| def.no.0 == no).ok_or(Refusal::NotFound)?))
}

fn admin(caller: &Caller) -> Result<(), Refusal> {
    if caller.person.rights.admin { Ok(()) } else { Err(Refusal::AccessDenied) }
}
