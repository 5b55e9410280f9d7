//! Searching and reading issues (Jira Service Management sheet, *Incremental read*). A search that names no fields gives ids
//! alone; its pages go by tokens, behind which there is nothing but a place in the list: what changes meanwhile moves in it.

use super::jql::Query;
use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show;
use super::words::{PRIORITIES, TEAM_FIELD, TEAM_NAME};
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use crate::ticket::End;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Response;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// Pages with fields hold no more.
const PAGE_MOST: usize = 100;

/// `POST /search/jql`.
pub(super) fn search(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    let known =
        ["jql", "fields", "fieldsByKeys", "expand", "properties", "maxResults", "nextPageToken", "reconcileIssues"];
    let body = call.body(&known)?;
    let jql = body.get("jql").and_then(Value::as_str).unwrap_or_default();
    let zone = TimeZone::get(&caller.person.zone).unwrap_or(TimeZone::UTC);
    let query = Query::read(jql, &zone)?;
    let wanted: Vec<String> = match body.get("fields") {
        None | Some(Value::Null) => vec![],
        Some(sent) => serde_json::from_value(sent.clone()).map_err(|_| Refusal::bad("Invalid fields."))?,
    };
    let place = match body.get("nextPageToken") {
        None | Some(Value::Null) => 0,
        Some(token) => place_of(token).ok_or_else(|| Refusal::bad("The provided next page token is invalid."))?,
    };
    let size = match body.get("maxResults") {
        None => 50,
        Some(sent) => sent.as_u64().ok_or_else(|| Refusal::bad("Invalid maxResults."))? as usize,
    };
    let most = if wanted.is_empty() { 5_000 } else { PAGE_MOST };
    let horizon = desk.now - desk.habits.stream_lag;
    let seen = desk.tickets.values().filter(|ticket| {
        let there = ticket.end != Some(End::Deleted) && !ticket.extra.contains_key("archiveddate");
        there && ticket.updated_at <= horizon && caller.sees(ticket.queue)
    });
    let found = query.of(desk, seen);
    let page: Vec<Value> =
        found.iter().skip(place).take(size.clamp(1, most)).map(|ticket| show::issue(desk, ticket, &wanted)).collect();
    let end = place + page.len();
    let mut answer = json!({ "issues": page, "isLast": end >= found.len() });
    if end < found.len() {
        answer["nextPageToken"] = json!(URL_SAFE_NO_PAD.encode(format!("at {end}")));
    }
    ok(&answer)
}

fn place_of(token: &Value) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token.as_str()?).ok()?).ok()?;
    text.strip_prefix("at ")?.parse().ok()
}

/// `GET /issue/{id}`: all fields unless some are named, and the properties that are asked for.
pub(super) fn one(desk: &Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.issue(desk, no)?;
    let wanted = call.param("fields").unwrap_or("*all").split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut shown = show::issue(desk, ticket, &wanted);
    if call.param("properties").is_some_and(|names| names.split(',').any(|name| name == "request.channel.type")) {
        let channel = if ticket.channel == "web" { "portal" } else { ticket.channel.as_str() };
        shown["properties"] = json!({ "request.channel.type": { "value": channel } });
    }
    ok(&shown)
}

/// `GET /issue/{id}/editmeta`: what may stand in the fields of its edit screen.
pub(super) fn edit_meta(desk: &Helpdesk, caller: &Caller, no: TicketNo) -> Result<Response<Bytes>, Refusal> {
    caller.issue(desk, no)?;
    let levels: Vec<Value> = PRIORITIES.iter().map(|(_, id, name)| json!({ "id": id, "name": name })).collect();
    let teams: Vec<Value> =
        desk.queues.values().map(|queue| json!({ "id": queue.no.to_string(), "value": queue.name })).collect();
    ok(&json!({ "fields": {
        "priority": {
            "required": false, "schema": { "type": "priority", "system": "priority" }, "name": "Priority", "key": "priority",
            "hasDefaultValue": true, "operations": ["set"], "allowedValues": levels,
        },
        TEAM_FIELD: {
            "required": false, "schema": { "type": "option" }, "name": TEAM_NAME, "key": TEAM_FIELD,
            "hasDefaultValue": false, "operations": ["set"], "allowedValues": teams,
        },
    } }))
}
