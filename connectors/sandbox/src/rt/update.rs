//! `PUT /ticket/:id`: one attribute after the other, in the order of their names, each on its own; then custom fields
//! (RT sheet, *Changing*). A refusal is a sentence like the others.

use super::refusals::{Refusal, Sentence};
use super::request::{Call, json};
use super::route::Ownership;
use super::{Answered, condition, record, tickets, transactions};
use crate::change::{By, TagChange, Update};
use crate::ids::{PersonNo, TicketNo};
use crate::seed::LABELS;
use crate::store::Helpdesk;
use crate::ticket::{Cause, FieldDef, Ticket};
use http::StatusCode;
use http::header::IF_MATCH;
use jiff::Timestamp;
use serde_json::{Value, json as value};
use std::collections::{BTreeMap, BTreeSet};

/// What can be set, in the order in which RT does.
const ATTRIBUTES: [&str; 7] = ["Due", "Owner", "Priority", "Queue", "SLA", "Status", "Subject"];

/// Somebody who changes a ticket.
struct Writer<'a> {
    desk: &'a mut Helpdesk,
    ticket: TicketNo,
    by: By,
}

/// What became of one attribute: a sentence, or nothing to say.
type Said = Option<String>;

/// Carries a change out.
pub(super) fn update(desk: &mut Helpdesk, me: PersonNo, call: &Call<'_>, no: TicketNo) -> Answered {
    let ticket = tickets::whole(desk, no).ok_or(Refusal::NothingToChange)?.no;
    tickets::visible(desk, me, no)?;
    let wanted = call.object()?;
    let tag = transactions::newest(desk, me, ticket).to_string();
    if call.header(&IF_MATCH).is_some_and(|sent| sent.trim_start_matches("W/").trim_matches('"') != tag) {
        return Err(Refusal::PreconditionFailed);
    }
    let mut writer = Writer { desk, ticket, by: by(me, Value::Null) };
    let mut said: Vec<String> = Vec::new();
    for name in ATTRIBUTES {
        let sentence = wanted.get(name).and_then(|value| writer.set(name, &text(value)));
        said.extend(sentence.map(|sentence| format!("Ticket {ticket}: {sentence}")));
    }
    if let Some(fields) = wanted.get("CustomFields").and_then(Value::as_object) {
        said.extend(fields.iter().flat_map(|(name, values)| writer.field(name, values)));
    }
    Ok(json(StatusCode::OK, &value!(said)))
}

/// `PUT /ticket/:id/take`, `/untake`, `/steal`.
pub(super) fn own(desk: &mut Helpdesk, me: PersonNo, no: TicketNo, act: Ownership) -> Answered {
    let ticket = tickets::visible(desk, me, no)?;
    let (no, owner) = (ticket.no, ticket.owner);
    let (name, to) = match act {
        Ownership::Take => ("Take", Some(me)),
        Ownership::Untake => ("Untake", None),
        Ownership::Steal => ("Steal", Some(me)),
    };
    let mut writer = Writer { desk, ticket: no, by: by(me, value!(name)) };
    let said = match act {
        _ if owner == to => Some(Sentence::OwnsAlready.words()),
        Ownership::Take if owner.is_some() => Some(Sentence::NotUnowned.words()),
        _ => writer.set("Owner", &record::number(to).to_string()),
    };
    Ok(json(StatusCode::OK, &value!(Vec::from_iter(said))))
}

/// Whoever asks through the API; what they note, the history shows as the transaction's type.
pub(super) fn by(person: PersonNo, custom: Value) -> By {
    By { person, cause: Cause::Request, custom }
}

/// Whether somebody may change a ticket.
pub(super) fn may_change(desk: &Helpdesk, me: PersonNo, ticket: &Ticket) -> bool {
    desk.person(me).is_some_and(|person| person.rights.changes.covers(ticket.queue))
}

/// Sets a status as part of a message.
pub(super) fn set_status(desk: &mut Helpdesk, me: PersonNo, ticket: TicketNo, word: &str) -> Said {
    Writer { desk, ticket, by: by(me, Value::Null) }.set("Status", word)
}

/// A value as RT takes it: numbers as their text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

impl Writer<'_> {
    fn set(&mut self, name: &str, value: &str) -> Said {
        let ticket = self.desk.tickets.get(&self.ticket)?;
        if !may_change(self.desk, self.by.person, ticket) {
            return Some(Sentence::Denied.words());
        }
        let (update, said) = match name {
            "Due" => due(ticket, value)?,
            "Owner" => owner(self.desk, ticket, value)?,
            "Priority" => priority(ticket, value)?,
            "Queue" => queue(self.desk, ticket, value)?,
            "SLA" => sla(ticket, value)?,
            "Status" if value == "deleted" => return self.delete(),
            "Status" => status(ticket, value)?,
            "Subject" => subject(ticket, value)?,
            _ => return None,
        };
        if let Some(update) = update {
            self.desk.update(self.ticket, &self.by, update);
        }
        Some(said)
    }

    fn delete(&mut self) -> Said {
        let before = record::ticket_status(self.desk.tickets.get(&self.ticket)?);
        if before == "deleted" {
            return None;
        }
        self.desk.delete(self.ticket, &self.by)?;
        Some(format!("Status changed from '{before}' to 'deleted'"))
    }

    /// Sets the whole list of a custom field. A field that RT does not know changes nothing and says nothing.
    fn field(&mut self, name: &str, wanted: &Value) -> Vec<String> {
        let Some(ticket) = self.desk.tickets.get(&self.ticket) else { return vec![] };
        let is = |def: &&FieldDef| def.name == name || def.no.to_string() == name;
        let Some(def) = self.desk.fields.values().find(is) else { return vec![] };
        if !may_change(self.desk, self.by.person, ticket) {
            return vec![Sentence::Denied.words()];
        }
        let mut values: Vec<String> = match wanted {
            Value::Array(many) => many.iter().map(text).collect(),
            Value::Null => vec![],
            one => vec![text(one)],
        };
        if !def.many {
            values.drain(..values.len().saturating_sub(1));
        }
        if values.iter().any(|value| !def.options.is_empty() && !def.options.contains(value)) {
            return vec![Sentence::BadValue.words()];
        }
        let held = record::values(ticket, def);
        let said = if def.many { many(name, &held, &values) } else { single(name, &held, &values) };
        let update = match def.no {
            LABELS => Update { tags: Some(TagChange::Set(BTreeSet::from_iter(values))), ..Update::default() },
            no => Update { fields: BTreeMap::from([(no, values)]), ..Update::default() },
        };
        self.desk.update(self.ticket, &self.by, update);
        said
    }
}

fn many(name: &str, held: &[String], wanted: &[String]) -> Vec<String> {
    let added = wanted.iter().filter(|value| !held.contains(value));
    let removed = held.iter().filter(|value| !wanted.contains(value));
    let added = added.map(|value| format!("{value} added as a value for {name}"));
    added.chain(removed.map(|value| format!("{value} is no longer a value for custom field {name}"))).collect()
}

fn single(name: &str, held: &[String], wanted: &[String]) -> Vec<String> {
    match (held.first(), wanted.first()) {
        (Some(old), Some(new)) if old == new => vec![],
        (Some(old), Some(new)) => vec![format!("{name} {old} changed to {new}")],
        (None, Some(new)) => vec![format!("{name} {new} added")],
        (Some(old), None) => vec![format!("{name} {old} deleted")],
        (None, None) => vec![],
    }
}

/// What to change, if anything, and what is said about it. `None`: it is so already, and nothing is said.
type Outcome = Option<(Option<Update>, String)>;

fn refused(sentence: &Sentence<'_>) -> Outcome {
    Some((None, sentence.words()))
}

fn owner(desk: &Helpdesk, ticket: &Ticket, who: &str) -> Outcome {
    let Some(to) = record::find_user(desk, who) else { return refused(&Sentence::NoUser) };
    if to == ticket.owner {
        return None;
    }
    let may_own = to.is_none_or(|person| ticket.queue.is_some_and(|queue| desk.is_member(queue, person)));
    if !may_own {
        return refused(&Sentence::MayNotOwn);
    }
    let said = format!("Owner changed from {} to {}", record::login(desk, ticket.owner), record::login(desk, to));
    Some((Some(Update { owner: Some(to), ..Update::default() }), said))
}

fn queue(desk: &Helpdesk, ticket: &Ticket, name: &str) -> Outcome {
    let Some(to) = desk.find_queue(name) else { return refused(&Sentence::NoQueue(name)) };
    if Some(to.no) == ticket.queue {
        return None;
    }
    let said = format!("Queue changed from {} to {}", record::queue_name(desk, ticket.queue), to.name);
    Some((Some(Update { queue: Some(Some(to.no)), ..Update::default() }), said))
}

/// Words for the priorities are taken too; anything else is 0.
fn priority(ticket: &Ticket, value: &str) -> Outcome {
    let to = match value.to_ascii_lowercase().as_str() {
        "medium" => 50,
        "high" => 100,
        number => number.parse().unwrap_or(0),
    };
    let from = record::priority(ticket.priority.as_deref());
    if from == to {
        return None;
    }
    let said = format!("Priority changed from '{}' to '{}'", record::priority_word(from), record::priority_word(to));
    Some((Some(Update { priority: Some(Some(to.to_string())), ..Update::default() }), said))
}

fn status(ticket: &Ticket, word: &str) -> Outcome {
    let Some(to) = record::read_status(word) else { return refused(&Sentence::BadStatus(word)) };
    let (from, word) = (record::ticket_status(ticket), record::status(to));
    if from == word {
        return None;
    }
    let said = format!("Status changed from '{from}' to '{word}'");
    Some((Some(Update { status: Some(to), ..Update::default() }), said))
}

fn subject(ticket: &Ticket, to: &str) -> Outcome {
    if ticket.subject == to {
        return None;
    }
    let said = format!("Subject changed from '{}' to '{to}'", ticket.subject);
    Some((Some(Update { subject: Some(to.to_owned()), ..Update::default() }), said))
}

/// Any level is taken as it is, and clears the due date: no levels are set up here.
fn sla(ticket: &Ticket, to: &str) -> Outcome {
    let from = ticket.extra.get("SLA").map_or("", String::as_str);
    if from == to {
        return None;
    }
    let level = Some(to.to_owned()).filter(|level| !level.is_empty());
    let extra = BTreeMap::from([("SLA".to_owned(), level), ("Due".to_owned(), None)]);
    Some((Some(Update { extra, ..Update::default() }), format!("SLA changed from '{from}' to '{to}'")))
}

/// What is not `YYYY-MM-DD HH:MM:SS` is said to be set and is not.
fn due(ticket: &Ticket, wanted: &str) -> Outcome {
    let shown = |at: Timestamp| at.strftime("%a %b %d %H:%M:%S %Y").to_string();
    let read =
        |text: &str| Some(condition::instant(text, Timestamp::UNIX_EPOCH)).filter(|at| *at > Timestamp::UNIX_EPOCH);
    let from = ticket.extra.get("Due").and_then(|due| read(due));
    let stored = read(wanted);
    let claimed = stored.or_else(|| wanted.parse().ok());
    if claimed == from {
        return None;
    }
    let words = |at: Option<Timestamp>| at.map_or_else(|| "Not set".to_owned(), shown);
    let said = format!("Due changed from {} to {}", words(from), words(claimed));
    let stored = stored.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string());
    Some((Some(Update { extra: BTreeMap::from([("Due".to_owned(), stored)]), ..Update::default() }), said))
}
