//! Writing: one update of a ticket by anybody, and the two endpoints by which the API asks for it. Everything is checked
//! before anything is changed.

use super::Tenant;
use super::journal::Written;
use super::login::object;
use super::people::{BOT, REFUND_EUR};
use super::refusal::Refusal;
use super::route::Way;
use super::ticket::{Audit, stamp};
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A comment over this many bytes is cut.
const COMMENT_BYTES: usize = 65_536;

/// What an update changes; what is none stays.
#[derive(Clone, Default)]
pub struct Edits {
    pub group: Option<Option<i64>>,
    pub assignee: Option<Option<i64>>,
    pub status: Option<&'static str>,
    pub priority: Option<String>,
    pub add_tags: Vec<String>,
    pub remove_tags: Vec<String>,
    pub refund_eur: Option<String>,
    /// HTML, and whether the customer sees it.
    pub comment: Option<(String, bool)>,
    pub custom: Option<Value>,
}

impl Tenant {
    /// Somebody updates a ticket. Gives the audit; none: nothing changed.
    pub fn edit(&mut self, id: i64, author: i64, edits: &Edits, now: Timestamp) -> Option<Audit> {
        let mut changes: Vec<(String, Value, Value)> = Vec::new();
        let ticket = self.tickets.get_mut(&id).expect("a known ticket");
        let text = |id: Option<i64>| id.map_or(Value::Null, |id| json!(id.to_string()));
        if let Some(group) = edits.group.filter(|group| *group != ticket.group) {
            changes.push(("group_id".into(), text(ticket.group), text(group)));
            ticket.group = group;
        }
        if let Some(assignee) = edits.assignee.filter(|assignee| *assignee != ticket.assignee) {
            changes.push(("assignee_id".into(), text(ticket.assignee), text(assignee)));
            ticket.assignee = assignee;
        }
        if let Some(status) = edits.status.filter(|status| *status != ticket.status) {
            changes.push(("status".into(), json!(ticket.status), json!(status)));
            ticket.status = status;
        }
        if edits.priority.is_some() && edits.priority != ticket.priority {
            changes.push(("priority".into(), json!(ticket.priority), json!(edits.priority)));
            ticket.priority.clone_from(&edits.priority);
        }
        if edits.refund_eur.is_some() && edits.refund_eur != ticket.refund_eur {
            changes.push((REFUND_EUR.to_string(), json!(ticket.refund_eur), json!(edits.refund_eur)));
            ticket.refund_eur.clone_from(&edits.refund_eur);
        }
        let before = ticket.tags.clone();
        ticket.tags.extend(edits.add_tags.iter().cloned());
        ticket.tags.retain(|tag| !edits.remove_tags.contains(tag));
        if ticket.tags != before {
            let words =
                |tags: &std::collections::BTreeSet<String>| json!(tags.iter().cloned().collect::<Vec<_>>().join(" "));
            changes.push(("tags".into(), words(&before), words(&ticket.tags)));
        }
        if changes.is_empty() && edits.comment.is_none() {
            return None;
        }
        let audit = self.audit(id, author, edits, &changes, now);
        let ticket = self.tickets.get_mut(&id).expect("a known ticket");
        ticket.updated_at = now;
        ticket.generated_at = now;
        ticket.audits.push(audit.clone());
        self.tell(id, author, &changes, &audit, now);
        Some(audit)
    }

    fn audit(
        &mut self,
        ticket: i64,
        author: i64,
        edits: &Edits,
        changes: &[(String, Value, Value)],
        at: Timestamp,
    ) -> Audit {
        let id = self.new_id();
        let mut events = Vec::new();
        if let Some((html, public)) = &edits.comment {
            let body = html.replace("<br>", "\n").replace("<br />", "\n");
            events.push(
                json!({ "id": self.new_id(), "type": "Comment", "author_id": author, "public": public, "body": body,
                                "plain_body": body, "html_body": html, "attachments": [], "audit_id": id,
                                "via": { "channel": "api" }, "metadata": { "system": {}, "flags": [] } }),
            );
        }
        for (field, from, to) in changes {
            events.push(json!({ "id": self.new_id(), "type": "Change", "field_name": field, "value": to, "previous_value": from }));
        }
        // A trigger mails the group: in the same audit, by a rule, and no change of the ticket.
        let rule = json!({ "channel": "rule", "source": { "from": { "title": "Notify group" }, "rel": "trigger" } });
        events.push(json!({ "id": self.new_id(), "type": "Notification", "via": rule, "subject": "Ticket updated",
                            "body": format!("Ticket {ticket} was updated"), "recipients": [] }));
        Audit { id, at, author, custom: edits.custom.clone().unwrap_or_else(|| json!({})), events }
    }

    /// The system touches a ticket without an event of its own: only the export's time moves.
    pub fn touch(&mut self, id: i64, now: Timestamp) {
        self.tickets.get_mut(&id).expect("a known ticket").generated_at = now;
    }

    /// `PUT /tickets/{id}`.
    pub fn update(&mut self, id: i64, request: &Request<Bytes>, now: Timestamp) -> Result<Value, Refusal> {
        let asked = self.strictly(id, ticket_object(request))?;
        let parsed = Sent::read(&asked);
        let sent = self.strictly(id, parsed)?;
        let ticket = self.ticket(id)?.clone();
        if ticket.status == "closed" {
            return Err(Refusal::closed());
        }
        if sent.stamp != stamp(ticket.updated_at) {
            return Err(Refusal::conflict());
        }
        let group = sent.edits.group.unwrap_or(ticket.group);
        if let Some(group) = group.filter(|group| !self.is_group(*group)) {
            return Err(Refusal::invalid("group", &format!("Group: {group} is not a group")));
        }
        let assignee = sent.edits.assignee.unwrap_or(ticket.assignee);
        if let (Some(group), Some(assignee)) = (group, assignee)
            && sent.edits.assignee.is_some()
            && !self.is_member(group, assignee)
        {
            return Err(Refusal::invalid("assignee", "Assignee: is not a member of the group"));
        }
        let audit = self.edit(id, BOT, &sent.edits, now);
        if audit.is_some() {
            self.journal.writes.push(Written { at: now, ticket: id, answered: true });
        }
        let shown = audit.map(|audit| audit.show(id));
        Ok(json!({ "ticket": self.ticket(id)?.show(), "audit": shown }))
    }

    /// `PUT` and `DELETE /tickets/{id}/tags`.
    pub fn change_tags(
        &mut self,
        id: i64,
        way: Way,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let body = self.strictly(id, object(request))?;
        let sent = self.strictly(id, Tags::read(&body))?;
        let ticket = self.ticket(id)?;
        if ticket.status == "closed" {
            return Err(Refusal::closed());
        }
        if sent.stamp != stamp(ticket.updated_at) {
            return Err(Refusal::conflict());
        }
        let edits = match way {
            Way::AddTags(_) => Edits { add_tags: sent.tags, ..Edits::default() },
            _ => Edits { remove_tags: sent.tags, ..Edits::default() },
        };
        self.edit(id, BOT, &edits, now);
        Ok(json!({ "tags": self.ticket(id)?.tags }))
    }

    /// A refusal of something that is not documented is also a complaint.
    fn strictly<T>(&mut self, id: i64, read: Result<T, Refusal>) -> Result<T, Refusal> {
        read.inspect_err(|refusal| self.journal.complain(format!("write to {id}: {}", refusal.body())))
    }
}

fn ticket_object(request: &Request<Bytes>) -> Result<Map<String, Value>, Refusal> {
    let mut body = object(request)?;
    match (body.remove("ticket"), body.keys().next()) {
        (_, Some(unknown)) => Err(Refusal::bad(format!("unknown key {unknown}"))),
        (Some(Value::Object(ticket)), None) => Ok(ticket),
        _ => Err(Refusal::bad("ticket must be an object")),
    }
}

/// A checked update.
struct Sent {
    edits: Edits,
    stamp: String,
}

impl Sent {
    fn read(ticket: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut edits = Edits::default();
        for (key, value) in ticket {
            match key.as_str() {
                "group_id" => edits.group = Some(record(key, value)?),
                "assignee_id" => edits.assignee = Some(record(key, value)?),
                "priority" => edits.priority = Some(word(key, value, &["urgent", "high", "normal", "low"])?.to_owned()),
                "status" => edits.status = Some(word(key, value, &["open", "pending", "hold", "solved"])?),
                "custom_fields" => edits.refund_eur = Some(refund(value)?),
                "comment" => edits.comment = Some(comment(value)?),
                "metadata" if value.is_object() => edits.custom = Some(value.clone()),
                "safe_update" if value == &json!(true) => {}
                "updated_stamp" if value.is_string() => {}
                _ => return Err(Refusal::bad(format!("{key} is unknown, or has a value of the wrong type"))),
            }
        }
        Ok(Self { edits, stamp: guard(ticket)? })
    }
}

struct Tags {
    tags: Vec<String>,
    stamp: String,
}

impl Tags {
    fn read(body: &Map<String, Value>) -> Result<Self, Refusal> {
        if let Some(unknown) = body.keys().find(|key| !["tags", "safe_update", "updated_stamp"].contains(&key.as_str()))
        {
            return Err(Refusal::bad(format!("unknown key {unknown}")));
        }
        let tags = body.get("tags").and_then(Value::as_array).ok_or_else(|| Refusal::bad("tags must be a list"))?;
        let tags: Option<Vec<String>> = tags.iter().map(|tag| tag.as_str().map(str::to_owned)).collect();
        Ok(Self { tags: tags.ok_or_else(|| Refusal::bad("tags must be texts"))?, stamp: guard(body)? })
    }
}

/// Every write of an integration that works beside people says what it has read.
fn guard(body: &Map<String, Value>) -> Result<String, Refusal> {
    match (body.get("safe_update"), body.get("updated_stamp").and_then(Value::as_str)) {
        (Some(Value::Bool(true)), Some(stamp)) if stamp.parse::<Timestamp>().is_ok() => Ok(stamp.to_owned()),
        _ => Err(Refusal::bad("safe_update and updated_stamp must both be given")),
    }
}

fn record(key: &str, value: &Value) -> Result<Option<i64>, Refusal> {
    match value {
        Value::Null => Ok(None),
        value => {
            value.as_i64().filter(|id| *id > 0).map(Some).ok_or_else(|| Refusal::bad(format!("{key} must be an id")))
        }
    }
}

fn word(key: &str, value: &Value, words: &[&'static str]) -> Result<&'static str, Refusal> {
    let known = words.iter().find(|word| value == **word);
    known.copied().ok_or_else(|| Refusal::bad(format!("{key} must be one of {}", words.join(", "))))
}

fn refund(value: &Value) -> Result<String, Refusal> {
    let wrong = || Refusal::bad("custom_fields must be a list of {id, value} of known fields");
    match value.as_array().map(Vec::as_slice) {
        Some([field]) if field["id"] == REFUND_EUR => field["value"].as_str().map(str::to_owned).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn comment(value: &Value) -> Result<(String, bool), Refusal> {
    let comment = value.as_object().ok_or_else(|| Refusal::bad("comment must be an object"))?;
    if let Some(unknown) = comment.keys().find(|key| !["html_body", "public"].contains(&key.as_str())) {
        return Err(Refusal::bad(format!("unknown key comment.{unknown}")));
    }
    let html = comment.get("html_body").and_then(Value::as_str).filter(|html| !html.trim().is_empty());
    let public = comment.get("public").and_then(Value::as_bool);
    match (html, public) {
        (Some(html), Some(public)) if html.len() <= COMMENT_BYTES && !html.contains("{{") => {
            Ok((html.to_owned(), public))
        }
        _ => Err(Refusal::bad("comment needs html_body (not too long, without placeholders) and public")),
    }
}
