//! Reading tickets: one, what a search finds, and what one is linked to.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show;
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use crate::ticket::{End, Ticket};
use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The usual page of a search, and the largest (Zammad sheet, *Incremental read*).
const PAGE_USUAL: u64 = 50;
const PAGE_MAX: u64 = 200;

/// `GET /tickets/{id}`.
pub(super) fn one(desk: &Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Response<Bytes>, Refusal> {
    ok(&show::ticket(desk, caller.ticket(desk, no)?, call.expanded()))
}

/// `POST /tickets/search` by conditions on the database.
pub(super) fn search(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    let body = call.body()?;
    let known = ["condition", "query", "sort_by", "order_by", "per_page", "page", "expand"];
    if let Some(key) = body.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Refusal::Unprocessable(format!("unknown parameter {key}")));
    }
    if body.contains_key("query") {
        return Err(Refusal::Unprocessable("Elasticsearch is not set up here".into()));
    }
    let condition = match body.get("condition") {
        None => Map::new(),
        Some(Value::Object(condition)) => condition.clone(),
        Some(_) => return Err(Refusal::Unprocessable("Invalid selector".into())),
    };
    let conditions: Vec<Condition> =
        condition.iter().map(|(key, wanted)| Condition::read(key, wanted)).collect::<Result<_, _>>()?;
    let horizon = desk.now - desk.habits.stream_lag;
    let shown = |ticket: &&Ticket| {
        let there = ticket.end != Some(End::Deleted) && show::updated_at(ticket) <= horizon;
        there && caller.reads(ticket.queue) && conditions.iter().all(|condition| condition.holds(ticket))
    };
    let mut found: Vec<&Ticket> = desk.tickets.values().filter(shown).collect();
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    match text("sort_by") {
        None | Some("updated_at") => found.sort_by_key(|ticket| (show::updated_at(ticket), ticket.no)),
        Some("created_at") => found.sort_by_key(|ticket| (ticket.created_at, ticket.no)),
        Some("id") => found.sort_by_key(|ticket| ticket.no),
        Some(other) => return Err(Refusal::Unprocessable(format!("Found invalid column '{other}' for sorting."))),
    }
    match text("order_by") {
        Some("asc") => {}
        None | Some("desc") => found.reverse(),
        Some(other) => return Err(Refusal::Unprocessable(format!("Found invalid order by '{other}'"))),
    }
    let number = |key: &str, usual: u64| match body.get(key) {
        None => Ok(usual),
        Some(sent) => {
            sent.as_u64().filter(|number| *number > 0).ok_or(Refusal::Unprocessable(format!("Invalid {key}")))
        }
    };
    let (page, size) = (number("page", 1)?, number("per_page", PAGE_USUAL)?.min(PAGE_MAX));
    let skipped = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let found: Vec<&Ticket> = found.into_iter().skip(skipped).take(size as usize).collect();
    if body.get("expand") == Some(&json!(true)) || call.expanded() {
        return ok(&found.into_iter().map(|ticket| show::ticket(desk, ticket, true)).collect());
    }
    let assets: Map<String, Value> =
        found.iter().map(|ticket| (ticket.no.to_string(), show::ticket(desk, ticket, false))).collect();
    let numbers: Vec<TicketNo> = found.iter().map(|ticket| ticket.no).collect();
    ok(&json!({ "tickets": numbers, "tickets_count": numbers.len(), "assets": { "Ticket": assets } }))
}

/// One condition of a search.
enum Condition {
    After(Timestamp),
    Customers(Vec<u64>),
}

impl Condition {
    fn read(key: &str, wanted: &Value) -> Result<Self, Refusal> {
        let wrong = || Refusal::Unprocessable(format!("Invalid selector for {key}"));
        let value = wanted.get("value").ok_or_else(wrong)?;
        match (key, wanted["operator"].as_str()) {
            ("ticket.updated_at", Some("after (absolute)")) => {
                value.as_str().and_then(|at| at.parse().ok()).map(Self::After).ok_or_else(wrong)
            }
            ("ticket.customer_id", Some("is")) => {
                let one = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
                let many = value.as_array().map(|values| values.iter().filter_map(one).collect());
                many.or_else(|| one(value).map(|one| vec![one])).map(Self::Customers).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }

    fn holds(&self, ticket: &Ticket) -> bool {
        match self {
            Self::After(at) => show::updated_at(ticket) > *at,
            Self::Customers(numbers) => numbers.contains(&ticket.requester.0),
        }
    }
}

/// `GET /links`: a merged ticket is a child of the one that it went into.
pub(super) fn links(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    let no = call.ticket().filter(|_| call.param("link_object") == Some("Ticket"));
    let ticket = caller.ticket(desk, no.ok_or(Refusal::Unprocessable("Invalid link object".into()))?)?;
    let links = match ticket.end {
        Some(End::Merged(into)) => {
            json!([{ "link_type": "parent", "link_object": "Ticket", "link_object_value": into }])
        }
        _ => json!([]),
    };
    ok(&json!({ "links": links, "assets": {} }))
}
