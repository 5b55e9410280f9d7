//! What there is besides tickets: RT itself, queues, custom fields and users (RT sheet, *Changing*, last paragraph, and
//! *Authentication*).

use super::condition::Condition;
use super::lists::{Asked, List, nested};
use super::record;
use super::refusals::Refusal;
use super::request::Call;
use crate::ids::PersonNo;
use crate::people::{Person, Queue, Reach, Role};
use crate::store::Helpdesk;
use crate::ticket::FieldDef;
use serde_json::{Map, Value, json};

/// `GET /rt`.
pub(super) fn about() -> Value {
    json!({ "Plugins": [], "Version": "5.0.3+dfsg-3~deb12u6" })
}

/// Everything about a record that others name, by its type and id.
pub(super) fn named(asked: Asked<'_>, kind: &str, id: &str) -> Option<Map<String, Value>> {
    let Asked { desk, me, call } = asked;
    match kind {
        "queue" => desk.find_queue(id).map(|queue| queue_record(desk, me, &call.base(), queue)),
        "user" => user_record(desk, me, &call.base(), record::find_user(desk, id)?),
        _ => None,
    }
}

fn sees(desk: &Helpdesk, me: PersonNo, queue: &Queue) -> bool {
    desk.person(me).is_some_and(|person| person.rights.sees.covers(Some(queue.no)))
}

/// `GET /queues/all`. How many there are, RT says only who sees all of them.
pub(super) fn queues(desk: &Helpdesk, me: PersonNo, call: &Call<'_>) -> Value {
    let base = call.base();
    let mut items: Vec<&Queue> = desk.queues.values().filter(|queue| sees(desk, me, queue)).collect();
    items.sort_by_key(|queue| queue.name.to_lowercase());
    let list = List {
        counted: items.len() == desk.queues.len(),
        items,
        kind: "queue",
        newest_first: false,
        visible: &|_| true,
        read: &|queue: &&Queue, field| match field {
            "id" => Some(vec![queue.no.to_string()]),
            "Name" => Some(vec![queue.name.clone()]),
            _ => None,
        },
        show: &|queue| (queue.no.to_string(), queue_record(desk, me, &base, queue)),
    };
    list.page(Asked { desk, me, call })
}

/// `GET /queue/:name`.
pub(super) fn queue(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, name: &str) -> Result<Value, Refusal> {
    let queue = desk.find_queue(name).ok_or(Refusal::NotFound)?;
    if !sees(desk, me, queue) {
        return Err(Refusal::Forbidden);
    }
    let mut shown = Value::Object(queue_record(desk, me, &call.base(), queue));
    nested(Asked { desk, me, call }, &mut shown);
    Ok(shown)
}

fn queue_record(desk: &Helpdesk, me: PersonNo, base: &str, queue: &Queue) -> Map<String, Value> {
    let field = |def: &FieldDef| {
        let mut shown = record::reference(base, "customfield", &def.no.to_string());
        shown["ref"] = json!("customfield");
        shown["name"] = json!(def.name);
        shown
    };
    let at = format!("{base}/queue/{}", queue.no);
    let mut links = vec![
        json!({ "ref": "self", "type": "queue", "id": queue.no, "_url": at }),
        json!({ "ref": "history", "_url": format!("{at}/history") }),
    ];
    if desk.person(me).is_some_and(|person| person.rights.changes.covers(Some(queue.no))) {
        let address = format!("{base}/ticket?Queue={}", queue.no);
        links.push(json!({ "ref": "create", "type": "ticket", "_url": address }));
    }
    let shown = json!({
        "id": queue.no, "Name": queue.name, "Description": "", "Lifecycle": "default", "Disabled": "0",
        "SLADisabled": "1", "SortOrder": "0", "Created": record::time(queue.created_at), "Cc": [],
        "AdminCc": [record::reference(base, "group", &group_no(queue).to_string())],
        "TicketCustomFields": desk.fields.values().map(field).collect::<Vec<_>>(), "CustomFields": [],
        "_hyperlinks": links,
    });
    shown.as_object().cloned().unwrap_or_default()
}

/// The group of those who work in a queue: each queue has one.
fn group_no(queue: &Queue) -> u64 {
    10_000_000 + queue.no.0
}

/// `GET /group/:id`, for those who see every queue.
pub(super) fn group(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, no: u64) -> Result<Value, Refusal> {
    let queue = desk.queues.values().find(|queue| group_no(queue) == no).ok_or(Refusal::NotFound)?;
    if !desk.person(me).is_some_and(|person| person.rights.sees == Reach::All) {
        return Err(Refusal::Forbidden);
    }
    let member = |no: &PersonNo| record::reference(&call.base(), "user", &record::login(desk, Some(*no)));
    let links = [json!({ "ref": "self", "type": "group", "id": no, "_url": format!("{}/group/{no}", call.base()) })];
    Ok(json!({
        "id": no, "Name": format!("{}-agents", queue.name), "Domain": "UserDefined", "Instance": "0", "Disabled": "0",
        "Members": queue.members.iter().map(member).collect::<Vec<_>>(), "CustomFields": [],
        "Created": record::time(queue.created_at), "_hyperlinks": links,
    }))
}

/// `GET /customfields` with JSON conditions.
pub(super) fn fields(desk: &Helpdesk, me: PersonNo, call: &Call<'_>) -> Result<Value, Refusal> {
    let read = |def: &&FieldDef, field: &str| {
        Some(vec![match field {
            "id" => def.no.to_string(),
            "Name" => def.name.clone(),
            "LookupType" => "RT::Queue-RT::Ticket".to_owned(),
            _ => return None,
        }])
    };
    let condition = Condition::from_json(&call.conditions()?);
    let fits = |def: &&FieldDef| {
        condition.as_ref().is_some_and(|condition| condition.holds(&|field| read(def, field), desk.now))
    };
    let record = |def: &&FieldDef| {
        let shown = json!({
            "id": def.no, "Name": def.name, "LookupType": "RT::Queue-RT::Ticket",
            "MaxValues": if def.many { "0" } else { "1" },
        });
        (def.no.to_string(), shown.as_object().cloned().unwrap_or_default())
    };
    let mut items: Vec<&FieldDef> = desk.fields.values().filter(fits).collect();
    items.sort_by(|one, other| one.name.cmp(&other.name));
    let list = List {
        items,
        counted: true,
        kind: "customfield",
        newest_first: false,
        visible: &|_| true,
        read: &read,
        show: &record,
    };
    Ok(list.page(Asked { desk, me, call }))
}

/// `GET /user/:name`, by name or number.
pub(super) fn user(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, who: &str) -> Result<Value, Refusal> {
    let found = record::find_user(desk, who).and_then(|person| user_record(desk, me, &call.base(), person));
    found.map(Value::Object).ok_or(Refusal::NotFound)
}

/// `GET` and `POST /users` with JSON conditions.
pub(super) fn users(desk: &Helpdesk, me: PersonNo, call: &Call<'_>) -> Result<Value, Refusal> {
    let read = |person: &&Person, field: &str| {
        Some(vec![match field {
            "id" => person.no.to_string(),
            "Name" => record::login(desk, Some(person.no)),
            "EmailAddress" => person.email.clone(),
            "RealName" => person.name.clone(),
            _ => return None,
        }])
    };
    let condition = Condition::from_json(&call.conditions()?);
    let fits = |person: &&Person| {
        condition.as_ref().is_some_and(|condition| condition.holds(&|field| read(person, field), desk.now))
    };
    let base = call.base();
    let list = List {
        // Disabled people are not found.
        items: desk.people.values().filter(|person| !person.suspended).filter(fits).collect(),
        counted: true,
        kind: "user",
        newest_first: false,
        visible: &|_| true,
        read: &read,
        show: &|person| {
            let full = user_record(desk, me, &base, Some(person.no)).unwrap_or_default();
            (record::login(desk, Some(person.no)), full)
        },
    };
    Ok(list.page(Asked { desk, me, call }))
}

/// A user; more of it to admins and to themselves.
fn user_record(desk: &Helpdesk, me: PersonNo, base: &str, person: Option<PersonNo>) -> Option<Map<String, Value>> {
    let no = record::number(person);
    let link = json!([{ "ref": "self", "type": "user", "id": no, "_url": format!("{base}/user/{no}") }]);
    let Some(person) = person.map(|no| desk.person(no)) else {
        let nobody = json!({
            "id": no, "Name": record::NOBODY, "RealName": "Nobody in particular", "EmailAddress": "",
            "Privileged": 0, "_hyperlinks": link,
        });
        return nobody.as_object().cloned();
    };
    let person = person?;
    // A customer who only ever wrote has no name of their own.
    let real_name = Some(&person.name).filter(|_| person.role.is_staff());
    let mut shown = json!({
        "id": no, "Name": record::login(desk, Some(person.no)), "RealName": real_name, "EmailAddress": person.email,
        "Privileged": u8::from(person.role.is_staff() && person.role != Role::System), "_hyperlinks": link,
    });
    let admin = desk.person(me).is_some_and(|me| me.rights.admin);
    if admin || me == person.no {
        let organization = person.organization.and_then(|no| desk.organizations.get(&no));
        shown["Lang"] = json!(person.locale);
        shown["Timezone"] = json!(person.zone);
        shown["Organization"] = json!(organization.map_or("", |one| &one.name));
        shown["Disabled"] = json!(u8::from(person.suspended).to_string());
        shown["CustomFields"] = json!([]);
        shown["Memberships"] = json!([]);
        shown["Created"] = json!(record::time(person.created_at));
    }
    shown.as_object().cloned()
}
