//! `POST /ticket/:id/comment` and `/correspond`: internal notes and public replies (RT sheet, *Notes and replies*).

use super::refusals::Refusal;
use super::request::{Call, json};
use super::{Answered, tickets, transactions, update};
use crate::change::{By, NewMessage, Update};
use crate::ids::{PersonNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{Body, File, Status, Visibility};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{IF_MATCH, LOCATION};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::json as value;

/// What a message may carry. Everything else is ignored, as RT does.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Wanted {
    content: String,
    content_type: Option<String>,
    status: Option<String>,
    attachments: Vec<Attachment>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attachment {
    file_name: String,
    file_type: String,
    file_content: String,
}

/// Writes a message.
pub(super) fn say(
    desk: &mut Helpdesk,
    me: PersonNo,
    call: &Call<'_>,
    no: TicketNo,
    visibility: Visibility,
) -> Answered {
    // RT compares the tag with a record that does not exist yet.
    if call.header(&IF_MATCH).is_some_and(|tag| tag != "*") {
        return Err(Refusal::PreconditionFailed);
    }
    let wanted = read(call)?;
    let ticket = tickets::whole(desk, no).ok_or(Refusal::NotRecorded)?;
    if !tickets::sees(desk, me, ticket) || !update::may_change(desk, me, ticket) {
        return Err(Refusal::PermissionDenied);
    }
    let no = ticket.no;
    let body = match wanted.content_type.as_deref() {
        Some("text/html") => Body::Html(wanted.content),
        _ => Body::Plain(wanted.content),
    };
    let files = wanted.attachments.into_iter().map(Attachment::file).collect();
    let message = NewMessage { files, ..NewMessage::new(visibility, body) };
    let by = update::by(me, serde_json::Value::Null);
    let change = desk.update(no, &by, Update { say: vec![message], ..Update::default() });
    let mut said = vec![match visibility {
        Visibility::Internal => "Comments added".to_owned(),
        Visibility::Public => "Correspondence added".to_owned(),
    }];
    match wanted.status {
        Some(word) => said.extend(update::set_status(desk, me, no, &word)),
        None if visibility == Visibility::Public => open(desk, no),
        None => {}
    }
    let ticket = desk.tickets.get(&no).ok_or(Refusal::NotRecorded)?;
    let change = ticket.changes.iter().rev().find(|one| Some(one.no) == change).ok_or(Refusal::NotRecorded)?;
    let transaction = transactions::of_change(desk, ticket, change).first().map_or(0, |one| one.id);
    let mut response = json(StatusCode::CREATED, &value!(said));
    if let Ok(location) = HeaderValue::try_from(format!("/REST/2.0/transaction/{transaction}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// RT's own scrip: a public word opens a ticket that is new or was done with.
fn open(desk: &mut Helpdesk, no: TicketNo) {
    let asleep = [Status::New, Status::Solved, Status::Closed];
    if desk.tickets.get(&no).is_some_and(|ticket| ticket.end.is_none() && asleep.contains(&ticket.status)) {
        let by = By::rule("On Correspond Open Inactive Tickets");
        desk.update(no, &by, Update { status: Some(Status::Open), ..Update::default() });
    }
}

fn read(call: &Call<'_>) -> Result<Wanted, Refusal> {
    match call.media_type() {
        "application/json" => {
            // Where a change says what is wrong, a message trips.
            let wanted: Wanted = serde_json::from_slice(call.body()).map_err(|_| Refusal::ServerError)?;
            if wanted.content_type.is_none() { Err(Refusal::NoContentType) } else { Ok(wanted) }
        }
        plain @ ("text/plain" | "text/html") => {
            let content = String::from_utf8_lossy(call.body()).into_owned();
            Ok(Wanted { content, content_type: Some(plain.to_owned()), ..Wanted::default() })
        }
        _ => Err(Refusal::UnsupportedMediaType),
    }
}

impl Attachment {
    fn file(self) -> File {
        let bytes = STANDARD.decode(self.file_content.replace(['\n', '\r'], "")).map_or(0, |bytes| bytes.len() as u64);
        File { name: self.file_name, media_type: self.file_type, bytes }
    }
}
