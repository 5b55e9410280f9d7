//! RT's ticket and user as the common model has them. Pure; a key that is missing or odd makes one fact unknown.
//!
//! Choices that the RT sheet leaves open: queues and people are known by the names that people see; `labels` is the
//! custom field that counts as tags, where there is one; priorities follow [`priority`].

use crate::wire::{User, whole};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{OrganizationId, QueueId, TicketId, UserId, Version};
use handoffd_kit::language::canonical;
use handoffd_kit::model::{
    Customer, Ending, FieldValue, Organization, Person, Priority, QueueRef, Related, Role, Status, TicketHead, Tie,
};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The custom field whose values count as tags.
pub(crate) const LABELS: &str = "labels";
/// The user that stands for "nobody" wherever RT names an owner.
pub(crate) const NOBODY: &str = "Nobody";
/// The user in whose name RT and most scrips act.
pub(crate) const SYSTEM: &str = "RT_System";

/// What must be known to read a ticket.
pub(crate) struct Reading<'a> {
    /// The id that was asked for.
    pub asked: &'a TicketId,
    /// The entity tag without its quotes.
    pub tag: String,
    /// The address that people open RT under.
    pub base: &'a str,
    /// Our own user name, once it is known.
    pub me: Option<&'a str>,
}

/// A ticket's head. `None`: the answer is no ticket.
pub(crate) fn head(reading: Reading<'_>, ticket: &Value) -> Option<TicketHead> {
    let json = ticket.as_object()?;
    let id = whole(json.get("id")?)?.to_string();
    let text = |key: &str| json.get(key).and_then(Value::as_str);
    let mut head = TicketHead::unknown(reading.asked.clone(), Version::new(reading.tag));
    head.subject = text("Subject").map(str::to_owned).into();
    head.status = text("Status").and_then(status).into();
    head.priority = json.get("Priority").and_then(level).map(|level| Some(priority(level))).into();
    head.kind = text("Type").map(|kind| Some(kind.to_owned())).into();
    head.tags = tags(json);
    head.requester = requester(json);
    head.reply_reaches_customer = head.requester.clone().map(|requester| requester.is_some());
    head.queue = json.get("Queue").and_then(queue).map(Some).into();
    head.owner = json.get("Owner").and_then(|owner| self::owner(owner, reading.me)).into();
    head.fields = fields(json.get("CustomFields"));
    head.created_at = date(json, "Created");
    head.updated_at = date(json, "LastUpdated");
    head.related = related(json.get("_hyperlinks"));
    head.ending = ending(&id, reading.asked, text("Status"));
    head.link = Some(format!("{}/Ticket/Display.html?id={id}", reading.base));
    head.raw = ticket.to_string();
    Some(head)
}

/// Tickets that this one has links to (RT sheet, *Reading a ticket*); those that merely link here are none of its own words.
fn related(links: Option<&Value>) -> Vec<Related> {
    let tied = |link: &Value| {
        let tie = match link.get("ref")?.as_str()? {
            "depends-on" => Tie::DependsOn,
            "parent" => Tie::PartOf,
            "refers-to" => Tie::RefersTo,
            _ => return None,
        };
        let ticket = (link.get("type")?.as_str()? == "ticket").then(|| link.get("id").and_then(whole)).flatten()?;
        Some(Related { ticket: TicketId::from(ticket), tie })
    };
    links.and_then(Value::as_array).into_iter().flatten().filter_map(tied).collect()
}

/// A merged ticket answers under its old id with the other one's (RT sheet, *Reading a ticket*).
fn ending(id: &str, asked: &TicketId, status: Option<&str>) -> Option<Ending> {
    if id != asked.as_str() {
        return Some(Ending::Merged { into: Some(TicketId::from(id)) });
    }
    (status == Some("deleted")).then_some(Ending::Deleted)
}

/// The words of RT's own lifecycles. A site's further words are unknown rather than guessed.
pub(crate) fn status(word: &str) -> Option<Status> {
    match word {
        "new" => Some(Status::New),
        "open" => Some(Status::Open),
        "stalled" => Some(Status::Pending),
        "resolved" => Some(Status::Solved),
        "rejected" => Some(Status::Closed),
        _ => None,
    }
}

/// A priority as RT writes numbers: as text, and below zero where a site likes that.
fn level(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

/// RT shows 0 as Low, 50 as Medium and 100 as High, and each number as the word below it. Ours refine that: what RT shows
/// as Low is low, as High urgent; of its Medium the lower half is normal and the upper half high.
pub(crate) fn priority(level: i64) -> Priority {
    match level {
        ..50 => Priority::Low,
        50..75 => Priority::Normal,
        75..100 => Priority::High,
        _ => Priority::Urgent,
    }
}

/// The number that a priority is written as: the lowest that reads back as it.
pub(crate) fn priority_number(priority: Priority) -> u32 {
    match priority {
        Priority::Low => 0,
        Priority::Normal => 50,
        Priority::High => 75,
        Priority::Urgent => 100,
    }
}

fn queue(value: &Value) -> Option<QueueRef> {
    let id = whole(value.get("id")?)?;
    let name = value.get("Name").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned);
    Some(QueueRef { id: QueueId::from(id), name })
}

fn owner(value: &Value, me: Option<&str>) -> Option<Option<Person>> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let login = text("Name").or_else(|| text("id"))?;
    if login == NOBODY {
        return Some(None);
    }
    let role = if me == Some(login) { Role::Us } else { Role::Agent };
    let (name, email) = (text("RealName").map(str::to_owned), text("EmailAddress").map(str::to_owned));
    Some(Some(Person { id: UserId::from(login), name, email, role }))
}

fn requester(json: &Map<String, Value>) -> Fact<Option<UserId>> {
    let Some(Value::Array(people)) = json.get("Requestor") else { return Fact::Unknown };
    match people.first() {
        None => Fact::Known(None),
        Some(first) => first.get("id").and_then(Value::as_str).map(|login| Some(UserId::from(login))).into(),
    }
}

/// Fields by name; RT gives them in no fixed order, each as a list, an emptied one as a list of `null`.
fn fields(value: Option<&Value>) -> BTreeMap<String, Value> {
    let Some(Value::Array(entries)) = value else { return BTreeMap::new() };
    let named = entries.iter().filter_map(|entry| {
        let name = entry.get("name")?.as_str()?.to_owned();
        let values = entry.get("values")?.as_array()?;
        Some((name, values.iter().filter(|value| !value.is_null()).cloned().collect()))
    });
    named.collect()
}

fn tags(json: &Map<String, Value>) -> Fact<Vec<String>> {
    let Some(fields @ Value::Array(_)) = json.get("CustomFields") else { return Fact::Unknown };
    let values = self::fields(Some(fields)).remove(LABELS);
    let values = values.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Fact::Known(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// RT writes "not set" as the first second of 1970.
fn date(json: &Map<String, Value>, key: &str) -> Fact<Timestamp> {
    let at = json.get(key).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    at.filter(|at| *at > Timestamp::UNIX_EPOCH).into()
}

/// Somebody who works here.
pub(crate) fn staff(login: &str, user: &User) -> Person {
    let told = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
    Person {
        id: UserId::from(login),
        name: told(&user.real_name),
        email: told(&user.email).or_else(|| login.contains('@').then(|| login.to_owned())),
        role: Role::Agent,
    }
}

/// Who asks. What RT shows to admins only is unknown when it is left out.
pub(crate) fn customer(login: &str, user: Option<&User>) -> Customer {
    let told = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
    let mail = |login: &str| login.contains('@').then(|| login.to_owned());
    let person = Person {
        id: UserId::from(login),
        name: user.and_then(|user| told(&user.real_name)),
        email: user.and_then(|user| told(&user.email)).or_else(|| mail(login)),
        role: Role::Customer,
    };
    // RT leaves out what is not set, and all of it for those who may not see it.
    let shown = |pick: fn(&User) -> Option<&String>| match user {
        Some(user) if pick(user).is_some() || user.memberships.is_some() => {
            Fact::Known(pick(user).and_then(|text| told(text)))
        }
        _ => Fact::Unknown,
    };
    Customer {
        person,
        language: shown(|user| user.language.as_ref()).map(|code| code.and_then(|code| canonical(&code))),
        zone: shown(|user| user.zone.as_ref()),
        fields: fields(user.map(|user| &user.fields)),
        organization: shown(|user| user.organization.as_ref()).map(|name| name.map(organization)),
    }
}

/// RT knows an organisation by the text in its people's records only.
fn organization(name: String) -> Organization {
    Organization { id: OrganizationId::from(name.clone()), name: Some(name), fields: BTreeMap::new() }
}

/// A field's value as RT takes it: one value as text, and no value as an empty list (an empty text would be a value).
pub(crate) fn field_to_write(value: &FieldValue) -> Value {
    let text = match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::YesNo(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        FieldValue::Date(date) => date.to_string(),
    };
    if text.trim().is_empty() { Value::Array(Vec::new()) } else { Value::String(text) }
}

/// Whether a field shows what was to be written, however RT breaks lines and pads numbers.
pub(crate) fn field_is(shown: Option<&Value>, wanted: &FieldValue) -> bool {
    let values = shown.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned();
    let shown = lines(&values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"));
    match wanted {
        FieldValue::Number(number) => shown.parse() == Ok(*number),
        FieldValue::Date(date) => shown.get(..10) == Some(date.to_string().as_str()),
        FieldValue::YesNo(_) | FieldValue::Text(_) => match field_to_write(wanted) {
            Value::String(text) => shown == lines(&text),
            _ => shown.is_empty(),
        },
    }
}

#[cfg(test)]
mod tests;
