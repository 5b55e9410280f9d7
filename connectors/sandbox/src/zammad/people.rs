//! Users, groups, organisations, states and priorities.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show;
use super::words::{PRIORITIES, STATES};
use crate::ids::{OrganizationNo, PersonNo, QueueNo};
use crate::store::Helpdesk;
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

type Answer = Result<Response<Bytes>, Refusal>;

/// `GET /users/me`.
pub(super) fn me(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Answer {
    ok(&show::user(desk, &caller.person, call.expanded()))
}

/// `GET /users/{id}`.
pub(super) fn user(desk: &Helpdesk, no: PersonNo, call: &Call<'_>) -> Answer {
    let person = desk.person(no).ok_or(Refusal::NoRecord { model: "User", id: no.0 })?;
    ok(&show::user(desk, person, call.expanded()))
}

/// `GET /groups`: for tokens that may see all groups, page by page.
pub(super) fn groups(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Answer {
    sees_groups(caller)?;
    ok(&page(call, desk.queues.values().map(show::group).collect()))
}

/// `GET /groups/{id}`.
pub(super) fn group(desk: &Helpdesk, caller: &Caller, no: QueueNo) -> Answer {
    sees_groups(caller)?;
    ok(&show::group(desk.queues.get(&no).ok_or(Refusal::NoRecord { model: "Group", id: no.0 })?))
}

fn sees_groups(caller: &Caller) -> Result<(), Refusal> {
    if caller.person.rights.admin { Ok(()) } else { Err(Refusal::NotAuthorized) }
}

/// `GET /organizations/{id}`.
pub(super) fn organization(desk: &Helpdesk, no: OrganizationNo) -> Answer {
    let organization = desk.organizations.get(&no);
    ok(&show::organization(organization.ok_or(Refusal::NoRecord { model: "Organization", id: no.0 })?))
}

/// `GET /ticket_states`.
pub(super) fn states(call: &Call<'_>) -> Answer {
    let state = |state: &super::words::State| {
        let mut shown = json!({
            "id": state.id, "name": state.name, "state_type_id": state.kind.0, "active": state.active,
            "ignore_escalation": state.ignores_escalation, "next_state_id": null, "note": null,
        });
        if call.expanded() {
            shown["state_type"] = json!(state.kind.1);
        }
        shown
    };
    ok(&page(call, STATES.iter().map(state).collect()))
}

/// `GET /ticket_priorities`.
pub(super) fn priorities(call: &Call<'_>) -> Answer {
    let priority = |(at, (_, name)): (usize, &(&str, &str))| json!({ "id": at + 1, "name": name, "active": true });
    ok(&page(call, PRIORITIES.iter().enumerate().map(priority).collect()))
}

/// One page of a list: all of it where no page is asked for.
fn page(call: &Call<'_>, items: Vec<Value>) -> Value {
    let number = |name: &str| call.param(name).and_then(|text| text.parse::<usize>().ok());
    let Some(page) = number("page").filter(|page| *page > 0) else { return Value::Array(items) };
    let size = number("per_page").unwrap_or(100).min(100);
    items.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect()
}
