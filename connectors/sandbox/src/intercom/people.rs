//! Admins, teams, contacts and companies.

use super::login::{Caller, is_admin};
use super::refusals::Refusal;
use super::request::ok;
use super::show;
use crate::ids::{OrganizationNo, PersonNo};
use crate::people::Role;
use crate::store::Helpdesk;
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

type Answer = Result<Response<Bytes>, Refusal>;

/// `GET /me`: the admin whom the token belongs to, and the workspace.
pub(super) fn me(caller: &Caller) -> Answer {
    let mut me = show::admin(&caller.person, &[]);
    if let Some(inside) = me.as_object_mut() {
        inside.remove("team_ids");
        inside.insert("email_verified".into(), json!(true));
        inside.insert(
            "app".into(),
            json!({
                "type": "app", "id_code": "sandbox1", "name": "Sandbox", "region": "EU", "timezone": "Europe/Berlin",
                "created_at": caller.person.created_at.as_second(), "identity_verification": false,
            }),
        );
    }
    ok(&me)
}

/// `GET /admins`.
pub(super) fn admins(desk: &Helpdesk, caller: &Caller) -> Answer {
    caller.lists("read_admins")?;
    let admin = |person| {
        let teams: Vec<u64> =
            desk.queues.values().filter(|queue| queue.members.contains(&person)).map(|queue| queue.no.0).collect();
        desk.person(person).map(|person| show::admin(person, &teams))
    };
    let admins = desk.people.values().filter(|person| is_admin(person)).filter_map(|person| admin(person.no));
    ok(&json!({ "type": "admin.list", "admins": admins.collect::<Vec<Value>>() }))
}

/// `GET /teams`.
pub(super) fn teams(desk: &Helpdesk, caller: &Caller) -> Answer {
    caller.lists("read_admins")?;
    let team = |queue: &crate::people::Queue| {
        json!({
            "type": "team", "id": queue.no.to_string(), "name": queue.name, "admin_ids": queue.members,
            "distribution_method": "manual",
        })
    };
    ok(&json!({ "type": "team.list", "teams": desk.queues.values().map(team).collect::<Vec<Value>>() }))
}

/// `GET /contacts/{id}`.
pub(super) fn contact(desk: &Helpdesk, no: PersonNo) -> Answer {
    let person = desk.person(no).filter(|person| person.role == Role::Customer);
    ok(&show::contact(person.ok_or(Refusal::NotFound)?))
}

/// `GET /companies/{id}`.
pub(super) fn company(desk: &Helpdesk, no: OrganizationNo) -> Answer {
    let organization = desk.organizations.get(&no).ok_or(Refusal::NotFound)?;
    ok(&show::company(organization))
}
