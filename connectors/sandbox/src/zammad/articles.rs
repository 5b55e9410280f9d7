//! Articles: what was said on a ticket, and saying something (Zammad sheet, *Objects*, *Write-back*).

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, json, ok};
use super::show;
use super::update::by;
use crate::change::{NewMessage, Update};
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use crate::ticket::{Body, Visibility};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

/// `GET /ticket_articles/by_ticket/{id}`: all at once.
pub(super) fn of_ticket(desk: &Helpdesk, caller: &Caller, no: TicketNo) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.ticket(desk, no)?;
    ok(&ticket.messages.iter().map(|message| show::article(desk, ticket, message)).collect())
}

/// What an article says. Text is plain unless it says otherwise; a mail is sent whatever `internal` says.
pub(super) fn read(article: &Map<String, Value>) -> Result<NewMessage, Refusal> {
    let wrong = |words: &str| Refusal::Unprocessable(words.to_owned());
    let known = ["ticket_id", "subject", "body", "content_type", "type", "internal", "to", "cc", "sender", "time_unit"];
    if let Some(key) = article.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Refusal::Unprocessable(format!("unknown attribute '{key}' for Ticket::Article.")));
    }
    let text = |key: &str| article.get(key).and_then(Value::as_str);
    let body = text("body").filter(|body| !body.trim().is_empty());
    let body = body.ok_or_else(|| wrong("Need at least an 'article body' field."))?.to_owned();
    let body = match text("content_type") {
        Some("text/html") => Body::Html(body),
        None | Some("text/plain") => Body::Plain(body),
        Some(_) => return Err(wrong("Invalid content_type")),
    };
    let internal = match article.get("internal") {
        None => false,
        Some(Value::Bool(internal)) => *internal,
        Some(_) => return Err(wrong("Invalid value for param 'internal'")),
    };
    let visibility = match text("type") {
        None | Some("note" | "phone" | "web") if internal => Visibility::Internal,
        None | Some("note" | "phone" | "web") => Visibility::Public,
        Some("email") if text("to").is_none_or(|to| !to.contains('@')) => {
            return Err(wrong("Sending an email without a valid recipient is not possible."));
        }
        Some("email") => Visibility::Public,
        Some(other) => return Err(Refusal::no_lookup("type", other)),
    };
    Ok(NewMessage::new(visibility, body))
}

/// `POST /ticket_articles`.
pub(super) fn add(desk: &mut Helpdesk, caller: &Caller, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
    let article = call.body()?;
    let no = call.ticket().ok_or(Refusal::NoRecord { model: "Ticket", id: 0 })?;
    caller.changeable(desk, no)?;
    let message = read(&article)?;
    desk.update(no, &by(caller), Update { say: vec![message], ..Update::default() });
    let ticket = desk.tickets.get(&no).ok_or(Refusal::NoRecord { model: "Ticket", id: no.0 })?;
    let message = ticket.messages.last().ok_or(Refusal::NoRecord { model: "Ticket::Article", id: 0 })?;
    Ok(json(StatusCode::CREATED, &show::article(desk, ticket, message)))
}
