//! Writing: a change as one conditional request, and the proof in its answer (Zendesk sheet, *Write-back*).
//!
//! A handoff is one `PUT` of the ticket: note, group, assignee, priority and fields together, with our key in the
//! audit's metadata and, for people, in the note's last line. Tags go through their own endpoint, which leaves the others alone.

use crate::api::{malformed, take, ticket_id, write as write_ask};
use crate::collision::Covered;
use crate::desk::ZendeskDesk;
use crate::limits::COMMENT_BYTES;
use crate::wire::{Audit, Event, Id, Sent};
use handoffd_kit::desk::{DeskChange, OwnerSpec, PublicReply, QueueSpec, Receipt, Update, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::Class;
use handoffd_kit::id::Version;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{FieldValue, PublicText, Visibility};
use handoffd_kit::text::{html_of_note, html_of_words};
use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const UPDATE: &str = "update ticket";
const REPLY: &str = "send public reply";
const TAGS: &str = "change tags";

impl ZendeskDesk {
    /// Carries a write out.
    pub(crate) async fn carry_out(&self, write: &Write) -> Result<Receipt> {
        match &write.change {
            DeskChange::Update(update) => {
                let id = ticket_id(&write.ticket, UPDATE)?;
                let group = match &update.queue {
                    Some(queue) => Some(self.group(queue, write.deadline).await?),
                    None => None,
                };
                let body = update_body(update, group, write)?;
                let said = update.note.is_some().then_some(Visibility::Internal);
                self.put(UPDATE, id, body, said, write).await
            }
            DeskChange::Reply(reply) => {
                let id = ticket_id(&write.ticket, REPLY)?;
                self.put(REPLY, id, reply_body(reply, write)?, Some(Visibility::Public), write).await
            }
            DeskChange::Tags { add, remove } => {
                let id = ticket_id(&write.ticket, TAGS)?;
                self.change_tags(id, add, remove, write).await
            }
        }
    }

    /// The group that a team's queue means.
    pub(crate) async fn group(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Id> {
        let found = match queue {
            QueueSpec::Id(id) => Id::read(id).filter(|id| id.is_record()),
            QueueSpec::Name(name) => self.people.group_named(&self.api, name, deadline).await?,
        };
        found.ok_or_else(|| {
            DeskError::new(DeskErrorKind::Refused, Retry::Never, UPDATE)
                .words(format!("Zendesk has no group {:?} that the login can see", queue.shown()))
                .next_step("Write the group's name in the team's `queue` exactly as Admin Center shows it, or its id")
        })
    }

    async fn put(
        &self,
        operation: &'static str,
        id: Id,
        body: Value,
        said: Option<Visibility>,
        write: &Write,
    ) -> Result<Receipt> {
        let ask = write_ask(operation, Method::PUT, format!("tickets/{id}"), id, body);
        let ask = ask.deadline(write.deadline).begins(write);
        let mut answer = self.api.json(&ask).await?;
        let raw = answer.get_mut("ticket").map(Value::take).unwrap_or_default();
        let audit: Audit = take(&mut answer, "audit").unwrap_or_default();
        if let Some(wanted) = said {
            seen_as(&audit, wanted, id, operation)?;
        }
        if let Some(covered) = write.decided_on.as_ref().and_then(|on| Covered::find(&audit, on)) {
            return Err(self.put_back(id, &audit, &covered, version_of(&raw).as_ref(), write).await);
        }
        // From here on the write is proven: nothing that a further read may fail with makes it unsure again.
        let head = self.head_of(&raw, id, write.deadline).await;
        let head = match head {
            Ok(Some(head)) => Some(Box::new(head)),
            Ok(None) => return Err(ask.malformed("the answer is not the ticket that was written")),
            Err(_) => None,
        };
        let version = head.as_ref().map(|head| head.version.clone()).or_else(|| version_of(&raw));
        let version = version.filter(|version| !version.as_str().is_empty());
        let audit_id = audit.id.some().filter(|id| id.is_record()).map(|id| id.to_string());
        // An update that changed nothing makes no audit.
        Ok(Receipt { id: audit_id.unwrap_or_else(|| format!("ticket {id}")), version, head })
    }

    /// Adds, then removes. Both leave other tags alone, so the second is guarded by the version after the first.
    async fn change_tags(&self, id: Id, add: &[String], remove: &[String], write: &Write) -> Result<Receipt> {
        let mut expected = expected(write, TAGS)?;
        let steps = [(Method::PUT, add), (Method::DELETE, remove)];
        let steps: Vec<_> = steps.into_iter().filter(|(_, tags)| !tags.is_empty()).collect();
        for (at, (method, tags)) in steps.iter().enumerate() {
            if at > 0 && expected.is_some() {
                let head = self.read_head(id, write.deadline).await.map_err(half_done)?;
                expected = Some(head.version);
            }
            let body = tags_body(tags, expected.as_ref())?;
            let ask = write_ask(TAGS, method.clone(), format!("tickets/{id}/tags"), id, body).deadline(write.deadline);
            let ask = if at == 0 { ask.begins(write) } else { ask };
            let answer = self.api.json(&ask).await.map_err(|error| if at > 0 { half_done(error) } else { error })?;
            let Some(now) = answer.get("tags") else { continue };
            if !has_tags(now, tags, *method == Method::PUT) {
                return Err(ask.malformed("the answer does not show the tags as they were asked for"));
            }
        }
        // The endpoint tells no version.
        Ok(Receipt { id: format!("tags of ticket {id}"), version: None, head: None })
    }
}

/// A failure after the first half of a write was done: whoever repeats it must look first.
fn half_done(error: DeskError) -> DeskError {
    DeskError { retry: Retry::Unsure, ..error }
}

fn version_of(raw: &Value) -> Option<Version> {
    raw.get("updated_at")?.as_str().map(Version::from)
}

/// What a guarded write expects. A version that the desk did not tell cannot guard: the case is read and decided anew.
fn expected(write: &Write, operation: &'static str) -> Result<Option<Version>> {
    match &write.expected {
        Some(version) if version.as_str().is_empty() => {
            Err(DeskError::new(DeskErrorKind::Conflict, Retry::Never, operation)
                .words("the ticket's version is unknown, so a change to it could cover somebody else's"))
        }
        expected => Ok(expected.clone()),
    }
}

/// The comment of an update as everybody sees it, read back from its audit.
pub(crate) fn seen_as(audit: &Audit, wanted: Visibility, id: Id, operation: &'static str) -> Result<()> {
    let comment = audit.events.get().into_iter().flatten().find(|event| event.is_comment());
    match (comment.map(|comment: &Event| &comment.public), wanted) {
        (Some(Sent::Value(true)), Visibility::Public) | (Some(Sent::Value(false)), Visibility::Internal) => Ok(()),
        (Some(Sent::Value(true)), Visibility::Internal) => Err(DeskError::leaked(operation, id)),
        (Some(Sent::Value(false)), Visibility::Public) => Err(DeskError::untold(operation, id)),
        _ => Err(malformed(Class::Write, operation, "the answer does not show the comment that was sent")),
    }
}

/// What goes into the audit: the key, and what makes a whole mark of it.
fn metadata(mark: &Mark) -> Value {
    json!({ "handoffd": mark.key(), "handoffd_rule": format!("{}@{}", mark.rule, mark.version) })
}

/// The keys that every update has.
fn ticket_body(write: &Write, operation: &'static str) -> Result<Map<String, Value>> {
    let mut ticket = Map::new();
    ticket.insert("metadata".into(), metadata(&write.mark));
    guard(&mut ticket, expected(write, operation)?.as_ref());
    Ok(ticket)
}

/// The mere presence of `safe_update` switches the comparison on, so it is left out where nothing is expected.
fn guard(body: &mut Map<String, Value>, expected: Option<&Version>) {
    if let Some(version) = expected {
        body.insert("safe_update".into(), json!(true));
        body.insert("updated_stamp".into(), json!(version));
    }
}

fn update_body(update: &Update, group: Option<Id>, write: &Write) -> Result<Value> {
    let mut ticket = ticket_body(write, UPDATE)?;
    if let Some(group) = group {
        ticket.insert("group_id".into(), json!(group));
    }
    match &update.owner {
        None => {}
        Some(OwnerSpec::Nobody) => {
            ticket.insert("assignee_id".into(), Value::Null);
        }
        Some(OwnerSpec::User(user)) => {
            let id = Id::read(user.as_str()).filter(|id| id.is_record());
            let id = id.ok_or_else(|| not_a_number("person", user.as_str()))?;
            ticket.insert("assignee_id".into(), json!(id));
        }
        Some(OwnerSpec::Email(email)) => {
            ticket.insert("assignee_email".into(), json!(email));
        }
    }
    if let Some(status) = &update.status {
        ticket.insert("status".into(), json!(status.word));
    }
    if !update.followers.is_empty() {
        // `put` adds to those who follow already.
        let followers = update.followers.iter().map(|user| {
            let id = Id::read(user.as_str()).filter(|id| id.is_record());
            let id = id.ok_or_else(|| not_a_number("person", user.as_str()))?;
            Ok(json!({ "user_id": id.to_string(), "action": "put" }))
        });
        ticket.insert("followers".into(), Value::Array(followers.collect::<Result<_>>()?));
    }
    if let Some(priority) = update.priority {
        ticket.insert("priority".into(), json!(priority.name()));
    }
    if !update.fields.is_empty() {
        let fields = update.fields.iter().map(|(field, value)| {
            let id = Id::read(field).filter(|id| id.is_record()).ok_or_else(|| not_a_number("field", field))?;
            Ok(json!({ "id": id, "value": field_value(value) }))
        });
        ticket.insert("custom_fields".into(), Value::Array(fields.collect::<Result<_>>()?));
    }
    if let Some(note) = &update.note {
        ticket.insert(
            "comment".into(),
            json!({ "html_body": html_of_note(&note.0, &write.mark, COMMENT_BYTES), "public": false }),
        );
    }
    Ok(json!({ "ticket": ticket }))
}

fn reply_body(reply: &PublicReply, write: &Write) -> Result<Value> {
    let mut ticket = ticket_body(write, REPLY)?;
    let PublicText(words) = &reply.text;
    ticket.insert("comment".into(), json!({ "html_body": html_of_words(words, "", COMMENT_BYTES), "public": true }));
    Ok(json!({ "ticket": ticket }))
}

fn tags_body(tags: &[String], expected: Option<&Version>) -> Result<Value> {
    let odd = |tag: &&String| tag.is_empty() || tag.contains(|c: char| c.is_whitespace() || c == ',');
    if let Some(tag) = tags.iter().find(odd) {
        return Err(DeskError::new(DeskErrorKind::Refused, Retry::Never, TAGS)
            .words(format!("{tag:?} is no tag"))
            .next_step("Write tags without spaces and commas"));
    }
    let mut body = Map::new();
    body.insert("tags".into(), json!(tags));
    guard(&mut body, expected);
    Ok(Value::Object(body))
}

fn not_a_number(what: &str, id: &str) -> DeskError {
    DeskError::new(DeskErrorKind::Refused, Retry::Never, UPDATE)
        .words(format!("Zendesk knows a {what} by a number, not by {id:?}"))
        .next_step(format!("Write the {what}'s id as its address in Zendesk shows it"))
}

/// Zendesk keeps tags in lower case.
pub(crate) fn has_tags(now: &Value, tags: &[String], wanted: bool) -> bool {
    let now: Vec<String> =
        now.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_lowercase).collect();
    tags.iter().all(|tag| now.contains(&tag.to_lowercase()) == wanted)
}

fn field_value(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => json!(text),
        // As Zendesk itself writes numbers in fields: as text, a whole one without its point.
        FieldValue::Number(number) => json!(number.to_string()),
        FieldValue::YesNo(yes) => json!(yes),
        FieldValue::Date(date) => json!(date.to_string()),
    }
}

#[cfg(test)]
mod tests;
