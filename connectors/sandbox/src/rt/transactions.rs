//! RT's history, derived from ours: one transaction for each thing that was done, two for an owner, one for each label,
//! and hidden ones for the mail that went out (RT sheet, *History, transactions, attachments*).

use super::condition::Condition;
use super::lists::{Asked, List};
use super::refusals::Refusal;
use super::request::Call;
use super::{parse, record, tickets};
use crate::ids::{PersonNo, TicketNo};
use crate::seed::LABELS;
use crate::store::Helpdesk;
use crate::ticket::{Cause, Change, End, Event, Message, Moved, Status, Ticket, Visibility, What};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Each event has room for this many transactions; labels beyond it leave none.
const ROOM: u64 = 100;

/// One transaction.
pub(super) struct Transaction<'a> {
    pub(super) id: u64,
    pub(super) ticket: &'a Ticket,
    pub(super) kind: &'static str,
    pub(super) field: String,
    pub(super) old: String,
    pub(super) new: String,
    pub(super) by: PersonNo,
    pub(super) at: Timestamp,
    /// What was said with it.
    pub(super) message: Option<&'a Message>,
}

impl Transaction<'_> {
    /// Whether only those see it who may see mail sent out.
    pub(super) fn hidden(&self) -> bool {
        matches!(self.kind, "EmailRecord" | "CommentEmailRecord")
    }

    fn visible(&self, desk: &Helpdesk, me: PersonNo) -> bool {
        let admin = desk.person(me).is_some_and(|person| person.rights.admin);
        (admin || !self.hidden()) && tickets::sees(desk, me, self.ticket)
    }

    /// A field for searches. `None`: transactions have no such field.
    pub(super) fn read(&self, desk: &Helpdesk, field: &str) -> Option<Vec<String>> {
        let one = |text: &str| if text.is_empty() { vec![] } else { vec![text.to_owned()] };
        Some(match field {
            "id" => vec![self.id.to_string()],
            "ObjectType" => one("RT::Ticket"),
            "ObjectId" | "TicketId" => vec![self.ticket.no.to_string()],
            "TicketQueue" => match self.ticket.queue {
                Some(no) => vec![record::queue_name(desk, Some(no)).to_owned(), no.to_string()],
                None => vec![],
            },
            "Type" => one(self.kind),
            "Field" => one(&self.field),
            "OldValue" => one(&self.old),
            "NewValue" => one(&self.new),
            "Creator" => vec![record::login(desk, Some(self.by)), self.by.to_string()],
            "Created" => vec![record::time(self.at)],
            _ => return None,
        })
    }

    fn full(&self, desk: &Helpdesk, base: &str) -> Map<String, Value> {
        let shown = json!({
            "id": self.id, "Type": self.kind, "Field": self.field, "OldValue": self.old, "NewValue": self.new,
            "Creator": record::user_ref(desk, base, Some(self.by)), "Created": record::time(self.at),
            "ObjectId": self.ticket.no.to_string(), "ObjectType": "RT::Ticket", "TimeTaken": "0",
            "Object": record::reference(base, "ticket", &self.ticket.no.to_string()),
        });
        shown.as_object().cloned().unwrap_or_default()
    }
}

/// The transactions of a ticket, with those of the tickets that became part of it, by number.
pub(super) fn of(desk: &Helpdesk, no: TicketNo) -> Vec<Transaction<'_>> {
    let part = |ticket: &&Ticket| ticket.no == no || tickets::whole(desk, ticket.no).is_some_and(|it| it.no == no);
    let merged = |ticket: &&Ticket| ticket.no == no || matches!(ticket.end, Some(End::Merged(_)));
    let mut all: Vec<_> =
        desk.tickets.values().filter(merged).filter(part).flat_map(|ticket| own(desk, ticket)).collect();
    all.sort_by_key(|transaction| transaction.id);
    all
}

/// The transactions of one ticket.
pub(super) fn own<'a>(desk: &'a Helpdesk, ticket: &'a Ticket) -> Vec<Transaction<'a>> {
    ticket.changes.iter().flat_map(|change| of_change(desk, ticket, change)).collect()
}

/// The transactions of one change.
pub(super) fn of_change<'a>(desk: &'a Helpdesk, ticket: &'a Ticket, change: &'a Change) -> Vec<Transaction<'a>> {
    let events = change.events.iter();
    events.flat_map(|event| of_event(desk, ticket, change, event)).collect()
}

/// The number of the newest transaction that the asker sees: the ticket's version.
pub(super) fn newest(desk: &Helpdesk, me: PersonNo, no: TicketNo) -> u64 {
    of(desk, no).iter().rev().find(|one| one.visible(desk, me)).map_or(0, |one| one.id)
}

fn of_event<'a>(desk: &'a Helpdesk, ticket: &'a Ticket, change: &'a Change, event: &'a Event) -> Vec<Transaction<'a>> {
    let moves = change.events.iter().any(|event| matches!(event.what, What::Queue(_)));
    // RT itself takes an owner off who may not own in the new queue.
    let dropped = moves && matches!(&event.what, What::Owner(Moved { to: None, .. }));
    let by = if dropped || matches!(event.cause, Cause::Rule(_)) { Helpdesk::SYSTEM } else { change.by };
    let parts = parts(desk, ticket, change, event).into_iter().take(ROOM as usize);
    let transaction = |(at, part): (u64, Part<'a>)| {
        let Part { kind, field, old, new, message } = part;
        let by = if kind.ends_with("EmailRecord") { Helpdesk::SYSTEM } else { message.map_or(by, |said| said.author) };
        let id = event.no.0 * ROOM + at;
        Transaction { id, ticket, kind, field, old, new, by, at: change.at, message }
    };
    (0..).zip(parts).map(transaction).collect()
}

/// What one transaction says.
struct Part<'a> {
    kind: &'static str,
    field: String,
    old: String,
    new: String,
    message: Option<&'a Message>,
}

fn part<'a>(kind: &'static str, field: &str, old: impl Into<String>, new: impl Into<String>) -> Part<'a> {
    Part { kind, field: field.to_owned(), old: old.into(), new: new.into(), message: None }
}

fn parts<'a>(desk: &Helpdesk, ticket: &'a Ticket, change: &'a Change, event: &Event) -> Vec<Part<'a>> {
    let number = |moved: &Moved<Option<PersonNo>>| {
        (record::number(moved.from).to_string(), record::number(moved.to).to_string())
    };
    match &event.what {
        What::Created(_) => created(ticket, change),
        What::Said(_) if change.events.iter().any(|event| matches!(event.what, What::Created(_))) => vec![],
        What::Said(no) => said(desk, ticket.messages.iter().find(|message| message.no == *no)),
        What::Queue(Moved { from, to }) => {
            let id = |no: &Option<crate::ids::QueueNo>| no.map_or(0, |no| no.0).to_string();
            vec![part("Set", "Queue", id(from), id(to))]
        }
        What::Owner(moved) => {
            let (old, new) = number(moved);
            vec![part(owning(change, moved), "Owner", &*old, &*new), part("SetWatcher", "Owner", old, new)]
        }
        What::Status(Moved { from, to }) => {
            let merged = change.events.iter().any(|event| matches!(event.what, What::Merged(_)));
            let to = if merged { Status::Solved } else { *to };
            vec![part("Status", "Status", record::status(*from), record::status(to))]
        }
        What::Priority(Moved { from, to }) => {
            let level = |word: &Option<String>| record::priority(word.as_deref()).to_string();
            vec![part("Set", "Priority", level(from), level(to))]
        }
        What::Subject(Moved { from, to }) => vec![part("Set", "Subject", from.as_str(), to.as_str())],
        What::Kind(_) => vec![],
        What::Extra(key, Moved { from, to }) => {
            vec![part("Set", key, from.clone().unwrap_or_default(), to.clone().unwrap_or_default())]
        }
        What::Tags(Moved { from, to }) => {
            let label = LABELS.to_string();
            let added = to.difference(from).map(|tag| part("CustomField", &label, "", tag.as_str()));
            let removed = from.difference(to).map(|tag| part("CustomField", &label, tag.as_str(), ""));
            added.chain(removed).collect()
        }
        What::Field(no, Moved { from, to }) => {
            vec![part("CustomField", &no.to_string(), from.join(","), to.join(","))]
        }
        What::Merged(into) => {
            vec![part("AddLink", "MergedInto", "", format!("fsck.com-rt://sandbox.example/ticket/{into}"))]
        }
        What::Deleted => vec![part("Status", "Status", record::status(ticket.status), "deleted")],
    }
}

/// The first message is part of the creation.
fn created<'a>(ticket: &'a Ticket, change: &'a Change) -> Vec<Part<'a>> {
    let first = ticket.messages.iter().find(|message| message.change == change.no);
    vec![Part { message: first, ..part("Create", "", "", "") }, part("EmailRecord", "", "", "")]
}

fn said<'a>(desk: &Helpdesk, message: Option<&'a Message>) -> Vec<Part<'a>> {
    let Some(message) = message else { return vec![] };
    let staff = desk.person(message.author).is_some_and(|person| person.role.is_staff());
    let (kind, mail) = match message.visibility {
        Visibility::Public => ("Correspond", "EmailRecord"),
        Visibility::Internal => ("Comment", "CommentEmailRecord"),
    };
    let mut parts = vec![Part { message: Some(message), ..part(kind, "", "", "") }];
    if staff {
        parts.push(part(mail, "", "", ""));
    }
    parts
}

/// People take and steal at their screens; a request says what it did.
fn owning(change: &Change, moved: &Moved<Option<PersonNo>>) -> &'static str {
    let (asked, own) = (change.custom.as_str(), moved.to == Some(change.by));
    match (asked, &change.cause) {
        (Some("Take"), _) => "Take",
        (Some("Untake"), _) => "Untake",
        (Some("Steal"), _) => "Steal",
        (_, Cause::Person) if own && moved.from.is_none() => "Take",
        (_, Cause::Person) if own => "Steal",
        (_, Cause::Person) if moved.from == Some(change.by) && moved.to.is_none() => "Untake",
        _ => "Set",
    }
}

/// `GET /ticket/:id/history`: narrowed by JSON conditions; a query in TicketSQL replaces it by everybody's.
pub(super) fn history(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, no: TicketNo) -> Result<Value, Refusal> {
    let ticket = tickets::visible(desk, me, no)?;
    let query = call.param("query").map(str::trim).filter(|query| !query.is_empty());
    let narrowed = match query {
        None => None,
        Some(query) if query.starts_with('[') => Condition::from_json(&call.conditions()?),
        Some(_) => return list(desk, me, call),
    };
    let fits = |one: &Transaction<'_>| {
        narrowed.as_ref().is_none_or(|condition| condition.holds(&|field| one.read(desk, field), desk.now))
    };
    let items = of(desk, ticket.no).into_iter().filter(fits).collect();
    Ok(page(desk, me, call, items, false))
}

/// `GET /transactions?query=`.
pub(super) fn list(desk: &Helpdesk, me: PersonNo, call: &Call<'_>) -> Result<Value, Refusal> {
    let Some(query) = call.param("query").filter(|query| !query.trim().is_empty()) else {
        return Ok(page(desk, me, call, vec![], true));
    };
    let at = |words: String, line: u32| {
        Refusal::WrongQuery(format!("{words} at /usr/share/request-tracker5/lib/RT/Transactions.pm line {line}.\n"))
    };
    let condition = parse::parse(query).map_err(|words| at(words, 918))?;
    if let Some(field) = condition.unknown(&known) {
        return Err(at(format!("Unknown field: {field}"), 918));
    }
    let above = condition.above();
    let shown_by = desk.now.saturating_sub(desk.habits.stream_lag).unwrap_or(desk.now);
    let fresh = |ticket: &&Ticket| {
        let last = ticket.changes.iter().rev().flat_map(|change| change.events.last()).next();
        last.is_some_and(|event| event.no.0 * ROOM + ROOM > above)
    };
    let fits = |one: &Transaction<'_>| {
        one.id > above && one.at <= shown_by && condition.holds(&|field| one.read(desk, field), desk.now)
    };
    let mut items: Vec<_> =
        desk.tickets.values().filter(fresh).flat_map(|ticket| own(desk, ticket)).filter(fits).collect();
    items.sort_by_key(|one| one.id);
    Ok(page(desk, me, call, items, true))
}

fn known(field: &str) -> bool {
    let fields = [
        "id",
        "ObjectType",
        "ObjectId",
        "TicketId",
        "TicketQueue",
        "Type",
        "Field",
        "OldValue",
        "NewValue",
        "Creator",
        "Created",
    ];
    fields.contains(&field)
}

fn page(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, items: Vec<Transaction<'_>>, newest_first: bool) -> Value {
    let base = call.base();
    let list = List {
        items,
        counted: desk.person(me).is_some_and(|person| person.rights.admin),
        kind: "transaction",
        newest_first,
        visible: &|one| one.visible(desk, me),
        read: &|one, field| one.read(desk, field),
        show: &|one| (one.id.to_string(), one.full(desk, &base)),
    };
    list.page(Asked { desk, me, call })
}

/// A transaction that the asker sees. One that does not exist is a failure of RT's own.
pub(super) fn visible(desk: &Helpdesk, me: PersonNo, id: u64) -> Result<Transaction<'_>, Refusal> {
    let holds = |ticket: &&Ticket| {
        ticket.changes.iter().any(|change| change.events.iter().any(|event| event.no.0 == id / ROOM))
    };
    let ticket = desk.tickets.values().find(holds).ok_or(Refusal::ServerError)?;
    let one = own(desk, ticket).into_iter().find(|one| one.id == id).ok_or(Refusal::ServerError)?;
    if one.visible(desk, me) { Ok(one) } else { Err(Refusal::Forbidden) }
}

/// `GET /transaction/:id`.
pub(super) fn show(desk: &Helpdesk, me: PersonNo, call: &Call<'_>, id: u64) -> Result<Value, Refusal> {
    let one = visible(desk, me, id)?;
    let base = call.base();
    let mut full = one.full(desk, &base);
    // Alone, a transaction leaves out what is empty, and names its ticket by a record.
    full.retain(|key, value| !["ObjectId", "ObjectType"].contains(&key.as_str()) && value != "");
    let mut links =
        vec![json!({ "ref": "self", "type": "transaction", "id": id, "_url": format!("{base}/transaction/{id}") })];
    links.extend(
        super::attachments::of(&one)
            .iter()
            .map(|part| json!({ "ref": "attachment", "_url": format!("{base}/attachment/{}", part.id) })),
    );
    full.insert("_hyperlinks".into(), json!(links));
    let mut shown = Value::Object(full);
    super::lists::nested(Asked { desk, me, call }, &mut shown);
    Ok(shown)
}
