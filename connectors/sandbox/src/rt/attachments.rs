//! The texts and files of messages (RT sheet, *History, transactions, attachments*). A message with files is an envelope
//! with parts; the sandbox keeps no contents of files, so a file is as long as it says and empty.

use super::condition::Condition;
use super::lists::{Asked, List, nested};
use super::refusals::Refusal;
use super::request::Call;
use super::transactions::{self, Transaction};
use super::{record, tickets};
use crate::ids::{PersonNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{Body, Message, Ticket};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Each message has room for this many parts.
const ROOM: u64 = 100;
/// How long a line of base64 is.
const LINE: usize = 76;

/// One part of a message.
pub(super) struct Part<'a> {
    pub(super) id: u64,
    parent: Option<u64>,
    transaction: u64,
    by: PersonNo,
    at: Timestamp,
    media_type: &'a str,
    name: &'a str,
    content: &'a str,
    bytes: u64,
}

/// The parts of what was said with a transaction.
pub(super) fn of<'a>(transaction: &Transaction<'a>) -> Vec<Part<'a>> {
    let Some(message) = transaction.message else { return vec![] };
    let first = message.no.0 * ROOM;
    let (media_type, content) = match &message.body {
        Body::Plain(text) => ("text/plain", text.as_str()),
        Body::Html(html) => ("text/html", html.as_str()),
    };
    let part = |id, media_type, name, content: &'a str, bytes| Part {
        id,
        parent: (id != first).then_some(first),
        transaction: transaction.id,
        by: transaction.by,
        at: transaction.at,
        media_type,
        name,
        content,
        bytes,
    };
    let bytes = content.len() as u64;
    if message.files.is_empty() {
        return vec![part(first, media_type, "", content, bytes)];
    }
    let mut parts = vec![part(first, "multipart/mixed", "", "", 0), part(first + 1, media_type, "", content, bytes)];
    parts.extend(
        (first + 2..first + ROOM)
            .zip(&message.files)
            .map(|(id, file)| part(id, &file.media_type, &file.name, "", file.bytes)),
    );
    parts
}

impl Part<'_> {
    fn read(&self, field: &str) -> Option<Vec<String>> {
        let text = match field {
            "id" => self.id.to_string(),
            "TransactionId" => self.transaction.to_string(),
            "ContentType" => self.media_type.to_owned(),
            "Filename" => self.name.to_owned(),
            "Content" => self.content.to_owned(),
            "Created" => record::time(self.at),
            "Parent" => self.parent.unwrap_or(0).to_string(),
            _ => return None,
        };
        Some(vec![text])
    }

    fn full(&self, desk: &Helpdesk, base: &str) -> Map<String, Value> {
        let shown = json!({
            "id": self.id, "ContentType": self.media_type, "Filename": self.name, "Content": self.content,
            "ContentLength": self.bytes.to_string(), "Subject": "", "MessageId": "",
            "Headers": format!("Content-Type: {}\nContent-Length: {}", self.media_type, self.bytes),
            "TransactionId": record::reference(base, "transaction", &self.transaction.to_string()),
            "Parent": record::reference(base, "attachment", &self.parent.unwrap_or(0).to_string()),
            "Creator": record::user_ref(desk, base, Some(self.by)), "Created": record::time(self.at),
        });
        shown.as_object().cloned().unwrap_or_default()
    }
}

/// `GET /ticket/:id/attachments`.
pub(super) fn of_ticket(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, no: TicketNo) -> Result<Value, Refusal> {
    let ticket = tickets::visible(desk, me, no)?;
    let parts = transactions::of(desk, ticket.no).iter().flat_map(of).collect();
    Ok(page(desk, me, call, parts))
}

/// `GET /transaction/:id/attachments`.
pub(super) fn of_transaction(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, no: u64) -> Result<Value, Refusal> {
    let transaction = transactions::visible(desk, me, no)?;
    Ok(page(desk, me, call, of(&transaction)))
}

/// `POST /attachments`, or `GET` with the conditions in the query.
pub(super) fn search(desk: &Helpdesk, me: PersonNo, call: &Call<'_>) -> Result<Value, Refusal> {
    let Some(condition) = Condition::from_json(&call.conditions()?) else {
        return Ok(page(desk, me, call, vec![]));
    };
    // Most searches name transactions or parts: only their tickets are looked into.
    let numbers = condition.numbers(&["TransactionId", "id"]);
    let numbers: Option<BTreeSet<u64>> = numbers.map(|ids| ids.into_iter().map(|id| id / ROOM).collect());
    let holds = |ticket: &Ticket| {
        let events = ticket.changes.iter().flat_map(|change| &change.events).map(|event| event.no.0);
        let mut own = events.chain(ticket.messages.iter().map(|message| message.no.0));
        numbers.as_ref().is_none_or(|numbers| own.any(|no| numbers.contains(&no)))
    };
    let seen = desk.tickets.values().filter(|ticket| tickets::sees(desk, me, ticket) && holds(ticket));
    let fits = |part: &Part<'_>| condition.holds(&|field| part.read(field), desk.now);
    let parts = seen.flat_map(|ticket| transactions::own(desk, ticket)).flat_map(|one| of(&one)).filter(fits);
    let mut parts: Vec<_> = parts.collect();
    parts.sort_by_key(|part| part.id);
    Ok(page(desk, me, call, parts))
}

fn page(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, items: Vec<Part<'_>>) -> Value {
    let base = call.base();
    let list = List {
        items,
        counted: desk.person(me).is_some_and(|person| person.rights.admin),
        kind: "attachment",
        newest_first: false,
        visible: &|_| true,
        read: &|part: &Part<'_>, field| part.read(field),
        show: &|part| (part.id.to_string(), part.full(desk, &base)),
    };
    list.page(Asked { desk, me, call })
}

/// `GET /attachment/:id`: the content in base64. One that does not exist is a failure of RT's own.
pub(super) fn show(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, no: u64) -> Result<Value, Refusal> {
    let has = |message: &Message| message.no.0 == no / ROOM;
    let ticket = desk.tickets.values().find(|ticket| ticket.messages.iter().any(has)).ok_or(Refusal::ServerError)?;
    if !tickets::sees(desk, me, ticket) {
        return Err(Refusal::Forbidden);
    }
    let transactions = transactions::own(desk, ticket);
    let part = transactions.iter().flat_map(of).find(|part| part.id == no).ok_or(Refusal::ServerError)?;
    let mut full = part.full(desk, &call.base());
    full.remove("ContentLength");
    full.insert("Content".into(), json!(base64_lines(part.content)));
    let mut shown = Value::Object(full);
    nested(Asked { desk, me, call }, &mut shown);
    Ok(shown)
}

fn base64_lines(content: &str) -> String {
    let encoded = STANDARD.encode(content);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    for (at, letter) in encoded.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            lines.push('\n');
        }
        lines.push(letter);
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines
}
