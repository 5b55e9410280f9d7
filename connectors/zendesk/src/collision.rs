//! A person's change in the same second as ours. Zendesk compares versions of whole seconds, so a conditional update can
//! cover what somebody did after the ticket was read (Zendesk sheet, *Write-back*).
//!
//! The answer's audit tells what each value was before ours. Where that is not what was decided on, everything that the
//! update changed is put back, unless somebody acted since.

use crate::api::{take, write as write_ask};
use crate::desk::ZendeskDesk;
use crate::history::is_rule;
use crate::normalise::{priority, status};
use crate::wire::{Audit, CustomField, Event, Id};
use handoffd_kit::collision::{Collision, PUT_BACK};
use handoffd_kit::desk::{DecidedOn, Write};
use handoffd_kit::error::DeskError;
use handoffd_kit::id::Version;
use http::Method;
use serde_json::{Map, Value, json};

/// What an update covered.
#[derive(Debug)]
pub(crate) struct Covered {
    /// All that it changed.
    changed: Vec<Changed>,
    /// What of it was not as decided on, as people call it.
    theirs: Vec<String>,
}

/// One value that an update changed; none: empty.
#[derive(Debug)]
struct Changed {
    field: String,
    before: Option<String>,
    ours: Option<String>,
    /// Whether it holds several values.
    several: bool,
}

impl Covered {
    /// What the update of this audit covered of what somebody did after the decision; none: nothing.
    pub(crate) fn find(audit: &Audit, decided_on: &DecidedOn) -> Option<Self> {
        let changed: Vec<Changed> = changes(audit).filter_map(|event| Changed::read(event, decided_on)).collect();
        let other = |one: &&Changed| !one.is_as_decided(decided_on);
        let theirs: Vec<String> = changed.iter().filter(other).map(|one| noun(&one.field)).collect();
        (!theirs.is_empty()).then_some(Self { changed, theirs })
    }

    /// The values as they were. Nobody can make a ticket new again.
    fn before(&self) -> Map<String, Value> {
        let mut body = Map::new();
        let mut fields = Vec::new();
        for one in &self.changed {
            match one.field.as_str() {
                "status" if one.before.as_deref() == Some("new") => {}
                "status" | "priority" => {
                    body.insert(one.field.clone(), json!(one.before));
                }
                "group_id" | "assignee_id" => {
                    body.insert(one.field.clone(), json!(one.before.as_deref().and_then(Id::read)));
                }
                field if one.several => {
                    let values: Vec<&str> = one.before.iter().flat_map(|before| before.split(' ')).collect();
                    fields.push(json!({ "id": Id::read(field), "value": values }));
                }
                field => fields.push(json!({ "id": Id::read(field), "value": one.before })),
            }
        }
        if !fields.is_empty() {
            body.insert("custom_fields".into(), Value::Array(fields));
        }
        body
    }

    /// Whether an answer proves that the values are as before ours, and that nothing but ours was under it.
    fn is_back(&self, mut answer: Value) -> bool {
        let audit: Audit = take(&mut answer, "audit").unwrap_or_default();
        let ticket = answer.get("ticket").cloned().unwrap_or_default();
        let fields: Vec<CustomField> =
            ticket.get("custom_fields").and_then(|sent| serde_json::from_value(sent.clone()).ok()).unwrap_or_default();
        let wanted = |one: &&Changed| one.field != "status" || one.before.as_deref() != Some("new");
        self.changed.iter().filter(wanted).all(|one| {
            let custom = || fields.iter().find(|field| field.id.get().copied() == Id::read(&one.field));
            let shown = match Id::read(&one.field) {
                Some(_) => custom().map(|field| text(&field.value)),
                None => ticket.get(&one.field).map(text),
            };
            let over = changes(&audit).find(|event| event.field_name.get() == Some(&one.field));
            shown == Some(one.before.clone()) && over.is_none_or(|event| text(&event.previous_value) == one.ours)
        })
    }

    fn touches(&self, audit: &Audit) -> bool {
        changes(audit).any(|event| self.changed.iter().any(|one| event.field_name.get() == Some(&one.field)))
    }
}

impl Changed {
    /// Team, owner, status, priority, and the fields that were decided on.
    fn read(event: &Event, decided_on: &DecidedOn) -> Option<Self> {
        let field = event.field_name.get()?;
        let decided = decided_on.fields.get(field);
        let known = matches!(field.as_str(), "group_id" | "assignee_id" | "status" | "priority");
        (known || decided.is_some()).then(|| Self {
            field: field.clone(),
            before: text(&event.previous_value),
            ours: text(&event.value),
            several: decided.is_some_and(Value::is_array),
        })
    }

    /// Whether the value was what the decision knew. What it did not know, nobody is accused of having changed.
    fn is_as_decided(&self, on: &DecidedOn) -> bool {
        let before = self.before.as_deref();
        match self.field.as_str() {
            "group_id" => on.queue.known().is_none_or(|queue| queue.as_ref().map(|id| id.as_str()) == before),
            "assignee_id" => on.owner.known().is_none_or(|owner| owner.as_ref().map(|id| id.as_str()) == before),
            "status" => on.status.known().copied().zip(before.and_then(status)).is_none_or(|(was, is)| was == is),
            "priority" => on.priority.known().is_none_or(|was| *was == before.and_then(priority)),
            field => on.fields.get(field).is_none_or(|was| match was {
                // Audits write a checkbox as a word or as a digit.
                Value::Bool(was) => *was == before.is_some_and(|word| matches!(word, "true" | "1" | "yes")),
                was => text(was).as_deref() == before,
            }),
        }
    }
}

impl ZendeskDesk {
    /// Puts back what an update changed in the second of somebody else's change, unless anybody acted since; and says
    /// what it came to.
    pub(crate) async fn put_back(
        &self,
        id: Id,
        ours: &Audit,
        covered: &Covered,
        version: Option<&Version>,
        write: &Write,
    ) -> DeskError {
        let what = covered.theirs.join(" and the ");
        let collision = |who: &str| Collision {
            operation: "update ticket",
            happened: format!("{who} changed the {what} in the second of our update"),
            what: what.clone(),
            seen_in: "the ticket's history in Zendesk",
        };
        let audits = match self.audits(id, write.deadline).await {
            Ok(read) => read,
            Err(error) => return collision("somebody").covers(&format!("not put back: {error}")),
        };
        let Some((earlier, since)) = around(&audits.audits, ours).filter(|_| audits.complete) else {
            let why = "whether anybody acted since, the ticket's history does not tell";
            return collision("somebody").covers(&format!("not put back: {why}"));
        };
        let by_person = |audit: &&Audit| is_persons(audit, ours) && covered.touches(audit);
        let who = earlier.into_iter().rev().find(by_person).map_or("somebody".to_owned(), author);
        let collision = collision(&who);
        if let Some(acted) = since.into_iter().find(by_person) {
            return collision.acted_since(&author(acted));
        }
        let mut body = covered.before();
        let Some(version) = version.filter(|_| !body.is_empty()) else {
            return collision.covers("theirs could not be put back");
        };
        body.insert("safe_update".into(), json!(true));
        body.insert("updated_stamp".into(), json!(version));
        let ask = write_ask(PUT_BACK, Method::PUT, format!("tickets/{id}"), id, json!({ "ticket": body }));
        let sent = self.api.json(&ask.deadline(write.deadline)).await;
        collision.put_back(sent.map(|answer| covered.is_back(answer)))
    }
}

/// What the author of an audit changed; what rules did in the same moment is not theirs.
fn changes(audit: &Audit) -> impl Iterator<Item = &Event> {
    let events = audit.events.get().into_iter().flatten();
    events
        .filter(|event| event.kind.get().is_some_and(|kind| kind == "Change") && !event.via.get().is_some_and(is_rule))
}

/// The audits before ours and those after it, oldest first; none: ours is not among them, or one cannot be placed.
fn around<'a>(audits: &'a [Audit], ours: &Audit) -> Option<(Vec<&'a Audit>, Vec<&'a Audit>)> {
    let place = |audit: &'a Audit| Some((*audit.created_at.get()?, *audit.id.get()?, audit));
    let mut placed = audits.iter().map(place).collect::<Option<Vec<_>>>()?;
    placed.sort_by_key(|(at, id, _)| (*at, *id));
    let ours = ours.id.get().copied()?;
    let at = placed.iter().position(|(_, id, _)| *id == ours)?;
    let audits: Vec<&Audit> = placed.into_iter().map(|(.., audit)| audit).collect();
    Some((audits[..at].to_vec(), audits[at + 1..].to_vec()))
}

fn is_persons(audit: &Audit, ours: &Audit) -> bool {
    let by = audit.author_id.get();
    by != ours.author_id.get() && by.is_none_or(|id| id.is_record()) && !audit.via.get().is_some_and(is_rule)
}

fn author(audit: &Audit) -> String {
    audit.author_id.get().map_or("somebody".to_owned(), |id| format!("Zendesk user {id}"))
}

/// What people call a field.
fn noun(field: &str) -> String {
    match field {
        "group_id" => "group".to_owned(),
        "assignee_id" => "assignee".to_owned(),
        "status" | "priority" => field.to_owned(),
        id => format!("field {id}"),
    }
}

/// A value of an audit or a ticket as text; an empty one is none. Several values in the order of the alphabet.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Array(values) => {
            let mut values: Vec<String> = values.iter().filter_map(text).collect();
            values.sort();
            Some(values.join(" ")).filter(|text| !text.is_empty())
        }
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::fact::Fact;
    use handoffd_kit::model::Status;

    fn decided() -> DecidedOn {
        DecidedOn {
            queue: Fact::Known(Some("98700".into())),
            owner: Fact::Known(None),
            status: Fact::Known(Status::Open),
            priority: Fact::Known(None),
            fields: [
                ("7".to_owned(), json!("tier1")),
                ("8".to_owned(), json!(["b", "a"])),
                ("9".to_owned(), json!(true)),
            ]
            .into(),
        }
    }

    fn change(field: &str, previous: Value, value: Value) -> Value {
        json!({ "type": "Change", "field_name": field, "previous_value": previous, "value": value })
    }

    fn covered(events: &[Value], on: &DecidedOn) -> Option<Covered> {
        Covered::find(&serde_json::from_value(json!({ "id": 5, "events": events })).unwrap(), on)
    }

    #[test]
    fn what_was_as_decided_is_covered_by_nobody() {
        let as_decided = [
            change("group_id", json!("98700"), json!("98738")),
            change("assignee_id", json!(""), json!("4")),
            change("status", json!("open"), json!("hold")),
            change("priority", Value::Null, json!("urgent")),
            change("7", json!("tier1"), json!("tier2")),
            change("8", json!(["a", "b"]), json!(["c"])),
            change("9", json!("1"), json!("0")),
            change("subject", json!("one"), json!("other")),
            change("11", json!("not decided on"), json!("x")),
        ];
        assert!(covered(&as_decided, &decided()).is_none());
        let unknown = DecidedOn::default();
        assert!(covered(&[change("assignee_id", json!("1002"), Value::Null)], &unknown).is_none(), "nobody knew");
    }

    #[test]
    fn each_value_that_was_another_is_named_and_all_of_ours_goes_back() {
        let ours = || change("group_id", json!("98700"), json!("98738"));
        for (event, named, key, back) in [
            (change("assignee_id", json!("1002"), Value::Null), "assignee", "assignee_id", json!(1002)),
            (change("status", json!("solved"), json!("hold")), "status", "status", json!("solved")),
            (change("priority", json!("low"), json!("urgent")), "priority", "priority", json!("low")),
            (
                change("7", json!("tier3"), json!("tier2")),
                "field 7",
                "custom_fields",
                json!([{"id": 7, "value": "tier3"}]),
            ),
            (
                change("8", json!(["z", "a"]), json!([])),
                "field 8",
                "custom_fields",
                json!([{"id": 8, "value": ["a", "z"]}]),
            ),
            (change("9", json!("0"), json!("1")), "field 9", "custom_fields", json!([{"id": 9, "value": "0"}])),
        ] {
            let covered = covered(&[ours(), event], &decided()).unwrap();
            assert_eq!(covered.theirs, [named]);
            let body = covered.before();
            assert_eq!((&body["group_id"], &body[key]), (&json!(98700), &back));
        }
        let away = covered(&[change("group_id", json!("5"), json!("98738"))], &decided()).unwrap();
        assert_eq!((away.theirs.as_slice(), &away.before()["group_id"]), (["group".to_owned()].as_slice(), &json!(5)));
    }

    #[test]
    fn what_a_rule_did_after_ours_is_no_person_s() {
        let mut ruled = change("assignee_id", json!("1002"), Value::Null);
        ruled["via"] = json!({ "channel": "rule", "source": { "rel": "trigger" } });
        assert!(covered(&[ruled], &decided()).is_none());
    }

    #[test]
    fn it_is_back_once_the_answer_shows_it_over_nothing_but_ours() {
        let covered = covered(
            &[change("assignee_id", json!("1002"), json!("4")), change("status", json!("new"), json!("open"))],
            &decided(),
        );
        let covered = covered.unwrap();
        assert!(!covered.before().contains_key("status"), "nobody can make a ticket new again");
        let answer = |shown: Value, previous: Value| {
            let event = change("assignee_id", previous, shown.clone());
            json!({ "ticket": { "assignee_id": shown, "status": "open" }, "audit": { "id": 6, "events": [event] } })
        };
        assert!(covered.is_back(answer(json!(1002), json!("4"))));
        assert!(!covered.is_back(answer(json!(1002), json!("1003"))), "somebody else's was under it");
        assert!(!covered.is_back(answer(Value::Null, json!("4"))), "a trigger took them off");
        assert!(!covered.is_back(json!({})), "an answer without a ticket proves nothing");
    }
}
