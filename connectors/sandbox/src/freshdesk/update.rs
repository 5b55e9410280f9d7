//! `PUT /tickets/{id}`: everything that one update can set, checked key by key, carried out, and answered with the ticket
//! (Freshdesk sheet, *Write-back*).

use super::login::Caller;
use super::refusals::Refusal;
use super::request::{Call, json};
use super::show::{self, PRIORITIES};
use super::tickets::visible;
use crate::change::{By, TagChange, Update};
use crate::ids::{PersonNo, QueueNo, TicketNo};
use crate::people::Person;
use crate::store::Helpdesk;
use crate::ticket::{Cause, End, FieldDef, FieldType, Status, Ticket};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json as value};
use std::collections::BTreeSet;

/// A ticket that the caller may change, and who they are. One that was deleted takes nothing.
pub(super) fn changeable<'a>(
    desk: &'a Helpdesk,
    caller: &Caller,
    no: TicketNo,
) -> Result<(&'a Ticket, Person), Refusal> {
    let ticket = visible(desk, caller, no)?;
    if !caller.person.rights.changes.covers(ticket.queue) {
        return Err(Refusal::AccessDenied);
    }
    if ticket.end == Some(End::Deleted) {
        return Err(Refusal::Method);
    }
    Ok((ticket, caller.person.clone()))
}

/// Who makes a change through the API.
pub(super) fn by(person: &Person) -> By {
    By { person: person.no, cause: Cause::Request, custom: Value::Null }
}

/// Carries an update out.
pub(super) fn update(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let (ticket, person) = changeable(desk, caller, no)?;
    let mut read = Reading { desk, ticket, update: Update::default(), wrong: Vec::new() };
    call.body()?.iter().for_each(|(key, sent)| read.take(key, sent));
    read.together();
    let Reading { update, wrong, .. } = read;
    if !wrong.is_empty() {
        return Err(Refusal::Invalid(wrong));
    }
    desk.update(no, &by(&person), update);
    let ticket = desk.tickets.get(&no).ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &show::ticket(desk, ticket, false)))
}

/// An update being read: every problem is noted.
struct Reading<'a> {
    desk: &'a Helpdesk,
    ticket: &'a Ticket,
    update: Update,
    wrong: Vec<Value>,
}

impl Reading<'_> {
    fn wrong(&mut self, field: &str, message: &str, code: &str) {
        self.wrong.push(value!({ "field": field, "message": message, "code": code }));
    }

    fn mismatch(&mut self, field: &str, wanted: &str) {
        self.wrong(
            field,
            &format!("Value set is of type other than {wanted}. It should be a/an {wanted}"),
            "datatype_mismatch",
        );
    }

    fn take(&mut self, key: &str, sent: &Value) {
        match (key, sent) {
            ("group_id", Value::Null) => self.update.queue = Some(None),
            ("group_id", sent) => match sent.as_u64().map(QueueNo) {
                Some(queue) if self.desk.queues.contains_key(&queue) => self.update.queue = Some(Some(queue)),
                Some(_) => self.wrong(key, "There is no group matching the given group_id", "invalid_value"),
                None => self.mismatch(key, "Positive Integer"),
            },
            ("responder_id", Value::Null) => self.update.owner = Some(None),
            ("responder_id", sent) => match sent.as_u64().map(PersonNo) {
                Some(agent) => self.update.owner = Some(Some(agent)),
                None => self.mismatch(key, "Positive Integer"),
            },
            ("priority", sent) => match sent.as_u64().map(|number| PRIORITIES.get((number as usize).wrapping_sub(1))) {
                Some(Some(word)) => self.update.priority = Some(Some((*word).to_owned())),
                Some(None) => self.wrong(key, "It should be one of these values: '1,2,3,4'", "invalid_value"),
                None => self.mismatch(key, "Integer"),
            },
            ("status", sent) => match sent.as_i64().map(show::read_status) {
                Some(Some(status)) => self.update.status = Some(status),
                Some(None) => self.wrong(key, "It should be one of these values: '2,3,4,5,6'", "invalid_value"),
                None => self.mismatch(key, "Integer"),
            },
            ("type", Value::Null) => self.update.kind = Some(None),
            ("type", Value::String(kind)) => self.update.kind = Some(Some(kind.clone())),
            ("type", _) => self.mismatch(key, "String"),
            ("tags", Value::Array(tags)) => {
                let words: Option<BTreeSet<String>> = tags.iter().map(|tag| tag.as_str().map(str::to_owned)).collect();
                match words {
                    Some(words) => self.update.tags = Some(TagChange::Set(words)),
                    None => self.mismatch(key, "String"),
                }
            }
            ("tags", _) => self.mismatch(key, "Array"),
            ("custom_fields", Value::Object(fields)) => self.fields(fields),
            ("custom_fields", _) => self.mismatch(key, "key/value pair"),
            _ => self.wrong(key, "Unexpected/invalid field in request", "invalid_field"),
        }
    }

    /// What was not named stays as it is.
    fn fields(&mut self, fields: &Map<String, Value>) {
        for (name, sent) in fields {
            let Some(def) = self.desk.fields.values().find(|def| show::field_name(def) == *name) else {
                self.wrong(name, "Unexpected/invalid field in request", "invalid_field");
                continue;
            };
            match read_field(def, sent) {
                Ok(values) => drop(self.update.fields.insert(def.no, values)),
                Err(wanted) => self.mismatch(name, wanted),
            }
        }
    }

    /// What must fit together: an agent belongs to the group (from memory in the sheet), and a ticket is resolved with every
    /// field that this requires.
    fn together(&mut self) {
        let queue = self.update.queue.unwrap_or(self.ticket.queue);
        if let Some(Some(owner)) = self.update.owner {
            let works = self.desk.person(owner).is_some_and(|person| show::is_agent(person) && !person.suspended);
            if !works {
                self.wrong("responder_id", "There is no agent matching the given responder_id", "invalid_value");
            } else if queue.is_some_and(|queue| !self.desk.is_member(queue, owner)) {
                self.wrong("responder_id", "The agent does not belong to the given group", "invalid_value");
            }
        }
        if matches!(self.update.status, Some(Status::Solved | Status::Closed)) {
            let (update, ticket) = (&self.update, self.ticket);
            let is_empty = |def: &&FieldDef| {
                update.fields.get(&def.no).or_else(|| ticket.fields.get(&def.no)).is_none_or(Vec::is_empty)
            };
            let missing = self.desk.fields.values().filter(|def| def.required_on_solve).filter(is_empty);
            let names: Vec<String> = missing.map(show::field_name).collect();
            for name in names {
                self.wrong(&name, "It should not be blank as this is a mandatory field", "missing_field");
            }
        }
    }
}

/// A field's values, or what its value should have been.
fn read_field(def: &FieldDef, sent: &Value) -> Result<Vec<String>, &'static str> {
    match (def.kind, sent) {
        (_, Value::Null) => Ok(vec![]),
        (FieldType::Number, Value::Number(number)) => Ok(vec![number.to_string()]),
        (FieldType::Number, _) => Err("Number"),
        (FieldType::YesNo, Value::Bool(yes)) => Ok(vec![yes.to_string()]),
        (FieldType::YesNo, _) => Err("Boolean"),
        (FieldType::Date, Value::String(date)) if date.parse::<jiff::civil::Date>().is_ok() => Ok(vec![date.clone()]),
        (FieldType::Date, _) => Err("Date"),
        (FieldType::Choice, Value::String(text)) if def.options.contains(text) => Ok(vec![text.clone()]),
        (FieldType::Choice, _) => Err("valid choice"),
        (FieldType::Text, Value::String(text)) if text.is_empty() => Ok(vec![]),
        (FieldType::Text, Value::String(text)) => Ok(vec![text.clone()]),
        (FieldType::Text, _) => Err("String"),
    }
}
