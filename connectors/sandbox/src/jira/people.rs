//! Users, groups, rights, fields and statuses. Each team's agents are a group of the team's name.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show;
use super::words::{
    ORGANIZATIONS, PARTICIPANTS, REQUEST_TYPE, STATUSES, TEAM_FIELD, TEAM_NAME, Word, field_id, issue_no, person_of,
};
use crate::people::Person;
use crate::store::Helpdesk;
use crate::ticket::{FieldDef, FieldType};
use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value, json};

type Answer = Result<Response<Bytes>, Refusal>;

/// `GET /myself`.
pub(super) fn myself(caller: &Caller) -> Answer {
    ok(&with_locale(&caller.person))
}

fn with_locale(person: &Person) -> Value {
    let mut shown = show::shown(person);
    shown["locale"] = json!(person.locale.replace('-', "_"));
    shown
}

/// `GET /user?accountId=`.
pub(super) fn user(desk: &Helpdesk, call: &Call<'_>) -> Answer {
    let person = call.param("accountId").and_then(|id| person_of(desk, id));
    let person = person
        .ok_or_else(|| Refusal::not_found("Specified user does not exist or you do not have required permissions"))?;
    ok(&with_locale(person))
}

/// Whether an issue may be given to somebody.
pub(super) fn may_own(desk: &Helpdesk, person: &Person) -> bool {
    let works = desk.queues.values().any(|queue| queue.members.contains(&person.no));
    works && !person.suspended
}

/// `GET /user/assignable/search`: by a piece of the name or the address.
pub(super) fn assignable(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Answer {
    let of = call.param("issueId").or(call.param("issueKey")).and_then(issue_no);
    caller.issue(desk, of.ok_or_else(|| Refusal::bad("A project or an issue must be named."))?)?;
    let query = call.param("query").unwrap_or_default().to_lowercase();
    let fits = |person: &&Person| {
        let known = [&person.name, &person.email].into_iter().any(|text| text.to_lowercase().contains(&query));
        known && may_own(desk, person)
    };
    ok(&desk.people.values().filter(fits).take(50).map(show::shown).collect())
}

/// `GET /group/member?groupname=`.
pub(super) fn members(desk: &Helpdesk, call: &Call<'_>) -> Answer {
    let name = call.param("groupname").ok_or_else(|| Refusal::bad("The group's name is missing."))?;
    let group = desk.queues.values().find(|queue| queue.name == name);
    let group = group.ok_or_else(|| Refusal::not_found(format!("The group named '{name}' does not exist.")))?;
    let all = call.param("includeInactiveUsers") == Some("true");
    let people = group.members.iter().filter_map(|no| desk.person(*no)).filter(|person| all || !person.suspended);
    let people: Vec<Value> = people.map(show::shown).collect();
    let (start, most) = (call.number("startAt", 0)?, call.number("maxResults", 50)?.min(50));
    let total = people.len();
    let page: Vec<Value> = people.into_iter().skip(start).take(most).collect();
    let last = start + page.len() >= total;
    ok(&json!({ "startAt": start, "maxResults": most, "total": total, "isLast": last, "values": page }))
}

/// `GET /mypermissions`: in a project or on an issue.
pub(super) fn permissions(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Answer {
    let asked = call.param("permissions").filter(|asked| !asked.is_empty());
    let asked = asked.ok_or_else(|| Refusal::bad("The 'permissions' query parameter is required."))?;
    let writes = match call.param("issueId").or(call.param("issueKey")) {
        Some(id) => {
            let ticket = caller.issue(desk, issue_no(id).ok_or_else(Refusal::no_issue)?)?;
            caller.person.rights.changes.covers(ticket.queue)
        }
        None => caller.changes_some(),
    };
    let mut shown = Map::new();
    for key in asked.split(',') {
        let has = match key {
            "BROWSE_PROJECTS" | "USER_PICKER" => true,
            "EDIT_ISSUES" | "ASSIGN_ISSUES" | "TRANSITION_ISSUES" | "ADD_COMMENTS" => writes,
            "DELETE_OWN_COMMENTS" => true,
            "SERVICEDESK_AGENT" => caller.is_agent(),
            other => return Err(Refusal::bad(format!("Unrecognized permission: {other}"))),
        };
        shown.insert(key.to_owned(), json!({ "key": key, "type": "PROJECT", "havePermission": has }));
    }
    ok(&json!({ "permissions": shown }))
}

/// `GET /jql/autocompletedata/suggestions`: what may stand in the field of the team.
pub(super) fn suggestions(desk: &Helpdesk, call: &Call<'_>) -> Answer {
    let field = call.param("fieldName").unwrap_or_default();
    let begins = call.param("fieldValue").unwrap_or_default().to_lowercase();
    let known = field == format!("cf[{}]", TEAM_FIELD.trim_start_matches("customfield_"));
    let queues = desk.queues.values().filter(|queue| known && queue.name.to_lowercase().contains(&begins));
    let one = |name: &str| json!({ "value": format!("\"{name}\""), "displayName": name });
    ok(&json!({ "results": queues.map(|queue| one(&queue.name)).collect::<Vec<_>>() }))
}

/// `GET /status`.
pub(super) fn statuses() -> Answer {
    ok(&STATUSES.iter().map(Word::shown).collect())
}

/// `GET /field`.
pub(super) fn fields(desk: &Helpdesk) -> Answer {
    let custom = |id: &str, name: &str, kind: &str, what: &str| {
        let number = id.trim_start_matches("customfield_");
        json!({
            "id": id, "key": id, "name": name, "custom": true, "orderable": true, "navigable": true, "searchable": true,
            "clauseNames": [format!("cf[{number}]"), name],
            "schema": { "type": kind, "custom": what, "customId": number.parse::<u64>().unwrap_or_default() },
        })
    };
    let system = |id: &str, kind: &str| {
        json!({
            "id": id, "key": id, "name": id, "custom": false, "orderable": true, "navigable": true, "searchable": true,
            "clauseNames": [id], "schema": { "type": kind, "system": id },
        })
    };
    let own = |def: &FieldDef| {
        let (kind, what) = match def.kind {
            FieldType::Text => ("string", "textarea"),
            FieldType::Number => ("number", "float"),
            FieldType::Date => ("date", "datepicker"),
            FieldType::YesNo | FieldType::Choice => ("option", "select"),
        };
        custom(&field_id(def), &def.name, kind, &format!("com.atlassian.jira.plugin.system.customfieldtypes:{what}"))
    };
    let service = [
        (TEAM_FIELD, TEAM_NAME, "option", "com.atlassian.jira.plugin.system.customfieldtypes:select"),
        (ORGANIZATIONS, "Organizations", "array", "com.atlassian.servicedesk:sd-customer-organizations"),
        (REQUEST_TYPE, "Request Type", "sd-customerrequesttype", "com.atlassian.servicedesk:vp-origin"),
        (PARTICIPANTS, "Request participants", "array", "com.atlassian.servicedesk:sd-request-participants"),
    ];
    let plain = [("summary", "string"), ("status", "status"), ("priority", "priority"), ("assignee", "user")];
    let all = plain.iter().map(|(id, kind)| system(id, kind));
    let all = all.chain(service.iter().map(|(id, name, kind, what)| custom(id, name, kind, what)));
    ok(&all.chain(desk.fields.values().map(own)).collect())
}
