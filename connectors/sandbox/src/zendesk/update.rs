//! `PUT /tickets/{id}`: everything that one update can set, checked, carried out, and answered with the ticket and the
//! audit of what was written (Zendesk sheet, *Write-back*).

use super::login::Caller;
use super::refusals::Refusal;
use super::request::Call;
use super::{audit, checks, show};
use crate::change::{By, Follow, NewMessage, TagChange, Update};
use crate::ids::{FieldNo, PersonNo, QueueNo, TicketNo};
use crate::store::Helpdesk;
use crate::text::{cut, fill};
use crate::ticket::{Body, Cause, Ticket, Visibility};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A longer body is cut without a word (Zendesk sheet, *Objects*).
const BODY_MAX: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    ticket: Wanted,
}

/// What can be set. The sandbox refuses keys that it does not know: the vendor would ignore a misspelt one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default, deserialize_with = "given")]
    group_id: Option<Option<QueueNo>>,
    #[serde(default, deserialize_with = "given")]
    assignee_id: Option<Option<PersonNo>>,
    assignee_email: Option<String>,
    #[serde(default, deserialize_with = "given")]
    priority: Option<Option<Priority>>,
    status: Option<String>,
    #[serde(default, rename = "type", deserialize_with = "given")]
    kind: Option<Option<String>>,
    subject: Option<String>,
    tags: Option<Vec<String>>,
    #[serde(default)]
    followers: Vec<Follower>,
    #[serde(default)]
    custom_fields: Vec<CustomField>,
    comment: Option<Comment>,
    #[serde(default)]
    metadata: Value,
    safe_update: Option<Value>,
    updated_stamp: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomField {
    id: FieldNo,
    value: Value,
}

/// Numbers of people come as text here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Follower {
    user_id: Option<String>,
    user_email: Option<String>,
    #[serde(default)]
    action: FollowerAction,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FollowerAction {
    #[default]
    Put,
    Delete,
}

impl Follower {
    fn read(&self, desk: &Helpdesk) -> Result<(PersonNo, Follow), Refusal> {
        let is = |person: &&crate::people::Person| match (&self.user_id, &self.user_email) {
            (Some(id), _) => person.no.to_string() == *id,
            (None, Some(email)) => person.email.eq_ignore_ascii_case(email),
            (None, None) => false,
        };
        let person = desk.people.values().find(is).filter(|person| person.role.is_staff());
        let person = person.ok_or_else(|| Refusal::invalid("followers", "Followers: is invalid"))?;
        let follow = match self.action {
            FollowerAction::Put => Follow::Begins,
            FollowerAction::Delete => Follow::Ends,
        };
        Ok((person.no, follow))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comment {
    body: Option<String>,
    html_body: Option<String>,
    #[serde(default = "yes")]
    public: bool,
    author_id: Option<PersonNo>,
}

fn yes() -> bool {
    true
}

/// Tells `null` from absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Carries an update out.
pub(super) fn update(desk: &mut Helpdesk, caller: &Caller, call: &Call<'_>, no: TicketNo) -> Result<Value, Refusal> {
    let Request { ticket: wanted } = call.body()?;
    let (ticket, person) = checks::changeable(desk, caller, no)?;
    checks::stamp(ticket, wanted.safe_update.as_ref(), wanted.updated_stamp.as_deref())?;
    let by = By { person: person.no, cause: Cause::Request, custom: wanted.metadata.clone() };
    let update = read(desk, ticket, wanted)?;
    checks::valid(desk, ticket, &update)?;
    let change = desk.update(no, &by, update);
    let ticket = desk.tickets.get(&no).ok_or(Refusal::NotFound)?;
    let change = change.and_then(|no| ticket.changes.iter().rev().find(|change| change.no == no));
    let base = call.base();
    let audit = match change {
        Some(change) => audit::audit(desk, &base, ticket, change),
        None => audit::empty(ticket, by.person, desk.now),
    };
    Ok(json!({ "ticket": show::ticket(desk, &base, ticket), "audit": audit }))
}

/// The vendor's words into ours.
fn read(desk: &Helpdesk, ticket: &Ticket, wanted: Wanted) -> Result<Update, Refusal> {
    let owner = match wanted.assignee_email {
        Some(email) => {
            let person = desk.people.values().find(|person| person.email.eq_ignore_ascii_case(&email));
            Some(Some(person.ok_or_else(|| Refusal::invalid("assignee", "Assignee: is invalid"))?.no))
        }
        None => wanted.assignee_id,
    };
    let status = wanted.status.map(|word| {
        show::read_status(&word)
            .ok_or_else(|| Refusal::invalid("status", format!("Status: {word} is not a valid status")))
    });
    let mut fields = BTreeMap::new();
    for CustomField { id, value } in wanted.custom_fields {
        fields.insert(id, values(id, &value)?);
    }
    let priority = wanted.priority.map(|priority| priority.map(|priority| priority.word().to_owned()));
    let follow = wanted.followers.iter().map(|follower| follower.read(desk)).collect::<Result<_, _>>()?;
    let say = wanted.comment.map(|comment| comment.read(desk, ticket)).transpose()?;
    Ok(Update {
        queue: wanted.group_id,
        owner,
        status: status.transpose()?,
        priority,
        kind: wanted.kind,
        subject: wanted.subject,
        tags: wanted.tags.map(|tags| TagChange::Set(tags.into_iter().collect())),
        fields,
        extra: BTreeMap::new(),
        follow,
        say: say.flatten().into_iter().collect(),
    })
}

fn values(no: FieldNo, value: &Value) -> Result<Vec<String>, Refusal> {
    Ok(match value {
        Value::Null => vec![],
        Value::String(text) if text.is_empty() => vec![],
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(yes) => vec![yes.to_string()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Object(_) => return Err(Refusal::BadAttribute(format!("custom field {no} takes no object"))),
    })
}

impl Priority {
    fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

impl Comment {
    /// A comment without a body is none.
    fn read(self, desk: &Helpdesk, ticket: &Ticket) -> Result<Option<NewMessage>, Refusal> {
        let fit = |text: String| cut(&expand(desk, ticket, &text), BODY_MAX).to_owned();
        let body = match (self.html_body, self.body) {
            (Some(html), _) if !html.trim().is_empty() => Body::Html(fit(html)),
            (_, Some(text)) if !text.trim().is_empty() => Body::Plain(fit(text)),
            _ => return Ok(None),
        };
        if self.author_id.is_some_and(|author| desk.person(author).is_none()) {
            return Err(Refusal::invalid("author", "Author: is invalid"));
        }
        let visibility = if self.public { Visibility::Public } else { Visibility::Internal };
        Ok(Some(NewMessage { author: self.author_id, ..NewMessage::new(visibility, body) }))
    }
}

/// Expands the placeholders of a comment, as Zendesk does with any `{{…}}`: unknown ones become nothing.
fn expand(desk: &Helpdesk, ticket: &Ticket, text: &str) -> String {
    fill(text, |name| match name {
        "ticket.id" => ticket.no.to_string(),
        "ticket.title" => ticket.subject.clone(),
        "ticket.requester.name" => desk.person(ticket.requester).map_or_else(String::new, |person| person.name.clone()),
        "ticket.requester.email" => {
            desk.person(ticket.requester).map_or_else(String::new, |person| person.email.clone())
        }
        _ => String::new(),
    })
}
