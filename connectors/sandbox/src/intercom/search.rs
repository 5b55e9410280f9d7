//! `POST /conversations/search`: conditions on fields, pages by a cursor, no order that could be asked for, and no parts
//! (Intercom sheet, *Incremental read*). The cursor counts, the harsher reading: a list that changes meanwhile shifts.

use super::login::{Caller, number};
use super::refusals::Refusal;
use super::request::{Call, ok};
use super::show::{self, With, contact_id};
use crate::store::Helpdesk;
use crate::ticket::{End, Ticket};
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

/// The usual page, and the largest.
const PAGE_USUAL: u64 = 20;
const PAGE_MAX: u64 = 150;
/// How many conditions stand together at most.
const MOST_FILTERS: usize = 15;

/// Finds conversations.
pub(super) fn conversations(desk: &Helpdesk, caller: &Caller, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    let body = call.body(&["query", "pagination"])?;
    let query = body
        .get("query")
        .ok_or(Refusal::Invalid { code: "parameter_not_found", message: "query is missing".into() })?;
    let filters = filters(query)?;
    let (size, skipped) = page(body.get("pagination"))?;
    let horizon = desk.now - desk.habits.stream_lag;
    let shown = |ticket: &&Ticket| {
        let there = ticket.end != Some(End::Deleted) && ticket.updated_at <= horizon;
        there && caller.person.rights.sees.covers(ticket.queue) && filters.iter().all(|filter| filter.holds(ticket))
    };
    let mut found: Vec<&Ticket> = desk.tickets.values().filter(shown).collect();
    // In an order of its own: the last change first.
    found.sort_by_key(|ticket| std::cmp::Reverse((ticket.updated_at, ticket.no)));
    let total = found.len() as u64;
    let with = With { parts: false, levels: call.speaks_levels(), plain: false };
    let listed: Vec<Value> = found
        .into_iter()
        .skip(skipped as usize)
        .take(size as usize)
        .map(|ticket| show::conversation(desk, ticket, with))
        .collect();
    let at = skipped / size + 1;
    let mut pages = json!({ "type": "pages", "page": at, "per_page": size, "total_pages": total.div_ceil(size) });
    if skipped + size < total {
        pages["next"] = json!({ "page": at + 1, "starting_after": format!("after-{}", skipped + size) });
    }
    ok(&json!({ "type": "conversation.list", "conversations": listed, "total_count": total, "pages": pages }))
}

/// Size, and how many come before.
fn page(pagination: Option<&Value>) -> Result<(u64, u64), Refusal> {
    let Some(pagination) = pagination else { return Ok((PAGE_USUAL, 0)) };
    let size = match pagination.get("per_page") {
        None => PAGE_USUAL,
        Some(size) => size
            .as_u64()
            .filter(|size| (1..=PAGE_MAX).contains(size))
            .ok_or(Refusal::invalid("per_page must be a number from 1 to 150"))?,
    };
    let skipped = match pagination.get("starting_after") {
        None | Some(Value::Null) => 0,
        Some(after) => after
            .as_str()
            .and_then(|after| after.strip_prefix("after-")?.parse().ok())
            .ok_or(Refusal::invalid("starting_after is invalid"))?,
    };
    Ok((size, skipped))
}

/// One condition. `>` and `<` let the border through, as the vendor's table says.
enum Filter {
    From(i64),
    UpTo(i64),
    Contact(String),
}

fn filters(query: &Value) -> Result<Vec<Filter>, Refusal> {
    match (&query["operator"], &query["value"]) {
        (Value::String(operator), Value::Array(inside)) if operator == "AND" && inside.len() <= MOST_FILTERS => {
            inside.iter().map(filter).collect()
        }
        _ if query.get("field").is_some() => Ok(vec![filter(query)?]),
        _ => Err(Refusal::invalid("query is invalid")),
    }
}

fn filter(sent: &Value) -> Result<Filter, Refusal> {
    let seconds =
        || number(&sent["value"]).and_then(|at| i64::try_from(at).ok()).ok_or(Refusal::invalid("value is invalid"));
    match (sent["field"].as_str(), sent["operator"].as_str()) {
        (Some("updated_at"), Some(">")) => Ok(Filter::From(seconds()?)),
        (Some("updated_at"), Some("<")) => Ok(Filter::UpTo(seconds()?)),
        (Some("contact_ids"), Some("=")) => {
            let id = sent["value"].as_str().ok_or(Refusal::invalid("value is invalid"))?;
            Ok(Filter::Contact(id.to_owned()))
        }
        (field, operator) => Err(Refusal::invalid(format!("{field:?} {operator:?} cannot be searched for"))),
    }
}

impl Filter {
    fn holds(&self, ticket: &Ticket) -> bool {
        match self {
            Self::From(at) => ticket.updated_at.as_second() >= *at,
            Self::UpTo(at) => ticket.updated_at.as_second() <= *at,
            Self::Contact(id) => contact_id(ticket.requester) == *id,
        }
    }
}
