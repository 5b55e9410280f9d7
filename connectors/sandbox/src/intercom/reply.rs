//! `POST /conversations/{id}/reply`: a note among teammates, or a comment that the customer reads (Intercom sheet, *Write-back*).

use super::conversations::written;
use super::login::{Caller, writer};
use super::refusals::Refusal;
use super::request::Call;
use crate::change::{NewMessage, Update};
use crate::ids::TicketNo;
use crate::store::Helpdesk;
use crate::ticket::{Body, Visibility};
use bytes::Bytes;
use http::Response;
use serde_json::Value;

const KEYS: [&str; 8] = [
    "message_type",
    "type",
    "admin_id",
    "body",
    "attachment_urls",
    "attachment_files",
    "created_at",
    "skip_notifications",
];

/// Says something.
pub(super) fn reply(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    caller.changeable(desk, no)?;
    let body = call.body(&KEYS)?;
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    if text("type") != Some("admin") {
        return Err(Refusal::invalid("type must be one of: admin"));
    }
    let by = writer(desk, &body)?;
    let visibility = match text("message_type") {
        Some("note") => Visibility::Internal,
        Some("comment") => Visibility::Public,
        _ => return Err(Refusal::invalid("message_type must be one of: comment, note, quick_reply")),
    };
    let words = text("body").filter(|words| !words.trim().is_empty());
    let words = words.ok_or(Refusal::Invalid { code: "parameter_not_found", message: "body is missing".into() })?;
    let message = NewMessage::new(visibility, Body::Html(words.to_owned()));
    desk.update(no, &by, Update { say: vec![message], ..Update::default() });
    written(desk, call, no)
}
