//! `PUT /issue/{id}`: fields, labels and what the writer notes for itself, all or nothing (Jira Service Management sheet,
//! *Write-back*). A status cannot be set here.

use super::login::Caller;
use super::people::may_own;
use super::refusals::Refusal;
use super::request::{Call, done, ok};
use super::show;
use super::wiki::words_in;
use super::words::{PRIORITIES, TEAM_FIELD, field, person_of};
use crate::change::{By, TagChange, Update};
use crate::ids::{PersonNo, QueueNo, TicketNo};
use crate::store::Helpdesk;
use crate::ticket::{Cause, FieldDef, FieldType, Ticket};
use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Who makes a change through the API, and what they note for themselves.
pub(super) fn by(caller: &Caller, noted: Value) -> By {
    By { person: caller.person.no, cause: Cause::Request, custom: noted }
}

/// Carries an update out.
pub(super) fn update(
    desk: &mut Helpdesk,
    caller: &Caller,
    call: &Call<'_>,
    no: TicketNo,
) -> Result<Response<Bytes>, Refusal> {
    let body = call.body(&["fields", "update", "historyMetadata", "properties", "transition"])?;
    let ticket = caller.editable(desk, no)?;
    let part = |key: &str| match body.get(key) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(part)) => Ok(part.clone()),
        Some(_) => Err(Refusal::bad("Invalid request payload. Refer to the REST API documentation and try again.")),
    };
    let (fields, operations) = (part("fields")?, part("update")?);
    if let Some(both) = fields.keys().find(|name| operations.contains_key(*name)) {
        return Err(Refusal::field(both, format!("Field '{both}' cannot appear in both 'fields' and 'update'")));
    }
    let mut update = Update::default();
    for (name, sent) in &fields {
        set(desk, &mut update, name, sent)?;
    }
    for (name, sent) in &operations {
        operate(ticket, &mut update, name, sent)?;
    }
    let noted = body.get("historyMetadata").cloned().unwrap_or(Value::Null);
    desk.update(no, &by(caller, noted), update);
    if call.param("returnIssue") != Some("true") {
        return done();
    }
    let ticket = desk.tickets.get(&no).ok_or_else(Refusal::no_issue)?;
    ok(&show::issue(desk, ticket, &["*all".to_owned()]))
}

fn set(desk: &Helpdesk, update: &mut Update, name: &str, sent: &Value) -> Result<(), Refusal> {
    match (name, sent) {
        ("summary", Value::String(text)) => update.subject = Some(text.clone()),
        ("assignee", sent) => update.owner = Some(owner(desk, sent)?),
        ("priority", sent) => update.priority = Some(Some(priority(sent)?)),
        ("labels", Value::Array(labels)) => update.tags = Some(TagChange::Set(labels_of(labels)?)),
        (TEAM_FIELD, sent) => update.queue = Some(queue(desk, sent)?),
        (name, sent) => {
            let def = field(desk, name).ok_or_else(|| Refusal::no_field(name))?;
            update.fields.insert(def.no, value(def, name, sent)?);
        }
    }
    Ok(())
}

fn operate(ticket: &Ticket, update: &mut Update, name: &str, sent: &Value) -> Result<(), Refusal> {
    let steps = sent.as_array().filter(|_| name == "labels").ok_or_else(|| Refusal::no_field(name))?;
    let mut labels = ticket.tags.clone();
    for step in steps {
        let step = step.as_object().filter(|step| step.len() == 1).and_then(|step| step.iter().next());
        let (verb, sent) = step.ok_or_else(|| Refusal::field(name, "one operation at a time"))?;
        let label = labels_of(std::slice::from_ref(sent))?;
        match verb.as_str() {
            "add" => labels.extend(label),
            "remove" => labels.retain(|known| !label.contains(known)),
            _ => return Err(Refusal::field(name, format!("Field does not support operation '{verb}'"))),
        }
    }
    update.tags = Some(TagChange::Set(labels));
    Ok(())
}

fn labels_of(sent: &[Value]) -> Result<BTreeSet<String>, Refusal> {
    let label = |sent: &Value| {
        let text = sent.as_str().filter(|text| !text.is_empty() && !text.contains(char::is_whitespace));
        text.map(str::to_owned).ok_or_else(|| Refusal::field("labels", "The label contains spaces which is invalid."))
    };
    sent.iter().map(label).collect()
}

fn owner(desk: &Helpdesk, sent: &Value) -> Result<Option<PersonNo>, Refusal> {
    let id = match sent {
        Value::Null => return Ok(None),
        Value::Object(sent) => {
            sent.get("accountId").ok_or_else(|| Refusal::field("assignee", "expected an accountId"))?
        }
        _ => return Err(Refusal::field("assignee", "data was not an object")),
    };
    let Value::String(id) = id else { return Ok(None) };
    let person = person_of(desk, id).filter(|person| may_own(desk, person));
    let words = || Refusal::field("assignee", format!("User '{id}' cannot be assigned work items."));
    person.map(|person| Some(person.no)).ok_or_else(words)
}

fn priority(sent: &Value) -> Result<String, Refusal> {
    let is = |(_, id, name): &&(&str, &str, &str)| sent["id"] == json!(id) || sent["name"] == json!(name);
    let found = PRIORITIES.iter().find(is);
    found
        .map(|(word, ..)| (*word).to_owned())
        .ok_or_else(|| Refusal::field("priority", "The priority selected is invalid."))
}

fn queue(desk: &Helpdesk, sent: &Value) -> Result<Option<QueueNo>, Refusal> {
    if sent.is_null() {
        return Ok(None);
    }
    let found = desk
        .queues
        .values()
        .find(|queue| sent["value"] == json!(queue.name) || sent["id"] == json!(queue.no.to_string()));
    let wrong =
        || Refusal::field(TEAM_FIELD, format!("Option value '{}' is not valid", sent["value"].as_str().unwrap_or("?")));
    found.map(|queue| Some(queue.no)).ok_or_else(wrong)
}

/// A custom field's values. Text of several lines must be a document.
fn value(def: &FieldDef, name: &str, sent: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = |words: &str| Refusal::field(name, words);
    match (def.kind, sent) {
        (_, Value::Null) => Ok(vec![]),
        (FieldType::Number, Value::Number(number)) => Ok(vec![number.to_string()]),
        (FieldType::Number, _) => Err(wrong("data was not of type number")),
        (FieldType::Date, Value::String(date)) if date.parse::<jiff::civil::Date>().is_ok() => Ok(vec![date.clone()]),
        (FieldType::Date, _) => Err(wrong("Error parsing date string")),
        (FieldType::YesNo, sent) => match sent["value"].as_str() {
            Some(word @ ("Yes" | "No")) => Ok(vec![(word == "Yes").to_string()]),
            _ => Err(wrong("Option is not valid")),
        },
        (FieldType::Choice, sent) => {
            let option = sent["value"].as_str().filter(|text| def.options.iter().any(|option| option == text));
            Ok(vec![option.ok_or_else(|| wrong("Option is not valid"))?.to_owned()])
        }
        (FieldType::Text, sent) => {
            let text = words_in(sent).ok_or_else(|| wrong("Operation value must be an Atlassian Document"))?;
            Ok(if text.is_empty() { vec![] } else { vec![text] })
        }
    }
}
