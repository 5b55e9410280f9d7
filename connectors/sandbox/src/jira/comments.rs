//! Comments (Jira Service Management sheet, *Comments*, *Write-back*). On the platform a new one is public unless a property says
//! otherwise; in the service desk it is public unless it says otherwise itself; and whoever is no agent says everything in public,
//! without a word about it.

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, done, json as answer, ok};
use super::update::by;
use super::wiki::{words_in, words_of};
use super::{show, words};
use crate::change::{NewMessage, Update};
use crate::ids::{MessageNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{Body, Message, Visibility};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// What a text field of Jira holds at most.
const MOST_CHARS: usize = 32_767;

/// `GET /issue/{id}/comment`, oldest first unless the other order is asked for.
pub(super) fn of_issue(
    desk: &Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.issue(desk, no)?;
    let mut all: Vec<Value> = ticket.messages.iter().skip(1).map(|one| show::comment(desk, ticket, one)).collect();
    match call.param("orderBy") {
        None | Some("created" | "+created") => {}
        Some("-created") => all.reverse(),
        Some(_) => return Err(Refusal::bad("orderBy may be created.")),
    }
    let (start, most) = (call.number("startAt", 0)?, call.number("maxResults", 100)?.min(100));
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(start).take(most).collect();
    ok(&json!({ "startAt": start, "maxResults": most, "total": total, "comments": page }))
}

/// `POST /issue/{id}/comment`: a document.
pub(super) fn add_on_platform(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let body = call.body(&["body", "properties", "visibility"])?;
    let text =
        body.get("body").and_then(words_in).ok_or_else(|| Refusal::field("comment", "Comment body is not valid!"))?;
    let marks =
        |property: &Value| property["key"] == "sd.public.comment" && property["value"]["internal"] == Value::Bool(true);
    let internal = body.get("properties").and_then(Value::as_array).is_some_and(|all| all.iter().any(marks));
    let message = said(desk, caller, no, internal, text)?;
    let ticket = desk.tickets.get(&no).ok_or_else(Refusal::no_issue)?;
    Ok(answer(StatusCode::CREATED, &show::comment(desk, ticket, &message)))
}

/// `POST /servicedeskapi/request/{id}/comment`: text in markup.
pub(super) fn add_to_request(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let body = call.body(&["body", "public"])?;
    let markup = body.get("body").and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let markup = markup.ok_or_else(|| Refusal::bad("You must specify a comment body."))?;
    if markup.chars().count() > MOST_CHARS {
        return Err(Refusal::bad("The entered text is too long. It exceeds the allowed limit of 32,767 characters."));
    }
    let internal = match body.get("public") {
        None => false,
        Some(Value::Bool(public)) => !public,
        Some(_) => return Err(Refusal::bad("Invalid request payload.")),
    };
    let message = said(desk, caller, no, internal, words_of(markup))?;
    Ok(answer(StatusCode::CREATED, &show::request_comment(desk, &message)))
}

fn said(desk: &mut Helpdesk, caller: &Caller, no: TicketNo, internal: bool, text: String) -> Result<Message, Refusal> {
    let ticket = caller.issue(desk, no)?;
    if !caller.person.rights.changes.covers(ticket.queue) || ticket.extra.contains_key("archiveddate") {
        let words = format!("You do not have the permission to comment on {}.", words::key(ticket));
        return Err(Refusal::forbidden(&words));
    }
    let internal = internal && caller.is_agent();
    let visibility = if internal { Visibility::Internal } else { Visibility::Public };
    let message = NewMessage::new(visibility, Body::Plain(text));
    desk.update(no, &by(caller, Value::Null), Update { say: vec![message], ..Update::default() });
    desk.tickets.get(&no).and_then(|ticket| ticket.messages.last()).cloned().ok_or_else(Refusal::no_issue)
}

/// `DELETE /issue/{id}/comment/{id}`: one's own.
pub(super) fn delete(
    desk: &mut Helpdesk,
    caller: &Caller,
    no: TicketNo,
    comment: MessageNo,
) -> Result<Response<Bytes>, Refusal> {
    let ticket = caller.issue(desk, no)?;
    let found = ticket.messages.iter().skip(1).find(|message| message.no == comment);
    let found = found.ok_or_else(|| Refusal::not_found("Can not find a comment for this id."))?;
    if found.author != caller.person.no {
        return Err(Refusal::bad("You do not have the permission to delete this comment."));
    }
    if let Some(ticket) = desk.tickets.get_mut(&no) {
        ticket.messages.retain(|message| message.no != comment);
    }
    desk.touch(no);
    done()
}
