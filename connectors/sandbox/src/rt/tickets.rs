//! Reading tickets: one with its version, and searches in TicketSQL (RT sheet, *Reading a ticket* and *Searching*).

use super::condition::Condition;
use super::lists::{Asked, List, nested};
use super::refusals::Refusal;
use super::request::{Call, json};
use super::{Answered, parse, record, transactions};
use crate::ids::{PersonNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{End, Ticket};
use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

/// Whether somebody sees a ticket.
pub(super) fn sees(desk: &Helpdesk, me: PersonNo, ticket: &Ticket) -> bool {
    desk.person(me).is_some_and(|person| person.rights.sees.covers(ticket.queue))
}

/// The ticket that a number stands for: of a merged one, the other.
pub(super) fn whole(desk: &Helpdesk, no: TicketNo) -> Option<&Ticket> {
    let mut ticket = desk.tickets.get(&no)?;
    // A ticket is merged into one that is whole at that moment, so this ends.
    while let Some(End::Merged(into)) = ticket.end {
        ticket = desk.tickets.get(&into)?;
    }
    Some(ticket)
}

/// The ticket that a number stands for, if the asker sees it.
pub(super) fn visible(desk: &Helpdesk, me: PersonNo, no: TicketNo) -> Result<&Ticket, Refusal> {
    let ticket = whole(desk, no).ok_or(Refusal::NotFound)?;
    if sees(desk, me, ticket) { Ok(ticket) } else { Err(Refusal::Forbidden) }
}

/// `GET /ticket/:id`.
pub(super) fn show(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, no: TicketNo) -> Answered {
    let ticket = visible(desk, me, no)?;
    let tag = transactions::newest(desk, me, ticket.no).to_string();
    // RT hands the date over as text and trips over it.
    if call.header(&IF_MODIFIED_SINCE).is_some() {
        return Err(Refusal::ServerError);
    }
    let unchanged = call.header(&IF_NONE_MATCH).is_some_and(|sent| sent.trim_matches('"') == tag);
    let mut response = if unchanged {
        let mut response = http::Response::new(bytes::Bytes::new());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut shown = Value::Object(record::ticket(desk, &call.base(), me, ticket));
        nested(Asked { desk, me, call }, &mut shown);
        json(StatusCode::OK, &shown)
    };
    let mut put = |name, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    };
    put(ETAG, format!("\"{tag}\""));
    put(LAST_MODIFIED, record::time(ticket.updated_at));
    Ok(response)
}

/// `GET /tickets?query=`. Without a query: nothing.
pub(super) fn list(desk: &Helpdesk, me: PersonNo, call: &Call<'_>) -> Result<Value, Refusal> {
    let query = call.param("query").filter(|query| !query.trim().is_empty());
    let wrong = |words: String| {
        Refusal::WrongQuery(format!("{words} at /usr/share/request-tracker5/lib/RT/Tickets.pm line 3187.\n"))
    };
    let condition = query.map(parse::parse).transpose().map_err(wrong)?;
    if let Some(field) = condition.as_ref().and_then(|condition| condition.unknown(&known)) {
        return Err(wrong(format!("Unknown field: {field}")));
    }
    let fits = |ticket: &&Ticket| {
        let holds = |condition: &Condition| condition.holds(&|field| read(desk, ticket, field), desk.now);
        ticket.end.is_none() && sees(desk, me, ticket) && condition.as_ref().is_some_and(holds)
    };
    let base = call.base();
    let list = List {
        items: desk.tickets.values().filter(fits).collect(),
        counted: true,
        kind: "ticket",
        newest_first: false,
        visible: &|_| true,
        read: &|ticket: &&Ticket, field| read(desk, ticket, field),
        show: &|ticket| (ticket.no.to_string(), record::ticket(desk, &base, me, ticket)),
    };
    Ok(list.page(Asked { desk, me, call }))
}

fn known(field: &str) -> bool {
    let plain = [
        "id",
        "Queue",
        "Status",
        "Owner",
        "Subject",
        "Priority",
        "SLA",
        "Created",
        "LastUpdated",
        "Due",
        "Requestor",
        "Requestor.EmailAddress",
    ];
    plain.contains(&field) || custom(field).is_some()
}

/// The name in `CF.{name}`.
fn custom(field: &str) -> Option<&str> {
    let name = field.strip_prefix("CF.").or_else(|| field.strip_prefix("CustomField."))?;
    Some(name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name))
}

fn read(desk: &Helpdesk, ticket: &Ticket, field: &str) -> Option<Vec<String>> {
    Some(match field {
        "id" => vec![ticket.no.to_string()],
        "Queue" => match ticket.queue {
            Some(no) => vec![record::queue_name(desk, Some(no)).to_owned(), no.to_string()],
            None => vec![],
        },
        "Status" => {
            let status = record::ticket_status(ticket);
            let set = if ["resolved", "rejected", "deleted"].contains(&status) { "__Inactive__" } else { "__Active__" };
            vec![status.to_owned(), set.to_owned()]
        }
        "Owner" => vec![record::login(desk, ticket.owner), record::number(ticket.owner).to_string()],
        "Subject" => vec![ticket.subject.clone()],
        "Priority" => vec![record::priority(ticket.priority.as_deref()).to_string()],
        "SLA" => ticket.extra.get("SLA").cloned().into_iter().collect(),
        "Created" => vec![record::time(ticket.created_at)],
        "LastUpdated" => vec![record::time(ticket.updated_at)],
        "Due" => vec![record::due(ticket)],
        "Requestor" | "Requestor.EmailAddress" => {
            desk.person(ticket.requester).map(|person| person.email.clone()).into_iter().collect()
        }
        _ => {
            let name = custom(field)?;
            let def = desk.fields.values().find(|def| def.name == name || def.no.to_string() == name);
            def.map(|def| record::values(ticket, def)).unwrap_or_default()
        }
    })
}
