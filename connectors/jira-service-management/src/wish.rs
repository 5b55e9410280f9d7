//! What an update wants, in Jira's terms. Pure.

use crate::setup::{self, Kind};
use crate::teams::Team;
use crate::wire::{Issue, Named, Status, User};
use handoffd_kit::desk::StatusSpec;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{FieldValue, TicketHead};
use serde_json::{Map, Value, json};

/// What an update sets in one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    /// The team, with the field that says so.
    pub(crate) team: Option<(String, Team)>,
    /// Whom to give it to, by account id; nobody.
    pub(crate) owner: Option<Option<String>>,
    /// The name of a priority.
    pub(crate) priority: Option<String>,
    pub(crate) fields: Vec<(String, FieldValue, Kind)>,
    /// A status is reached by a call of its own.
    pub(crate) status: Option<StatusSpec>,
}

impl Wanted {
    /// The fields to set, without the status.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let team = self.team.iter().map(|(field, team)| (field.clone(), team.json()));
        // Nobody: an object without an account, as for the call that assigns alone.
        let owner = self.owner.iter().map(|owner| ("assignee".to_owned(), json!({ "accountId": owner })));
        let priority = self.priority.iter().map(|name| ("priority".to_owned(), json!({ "name": name })));
        let custom = self.fields.iter().map(|(id, value, kind)| (id.clone(), setup::wrapped(value, *kind)));
        team.chain(owner).chain(priority).chain(custom).collect()
    }

    /// Whether the ticket shows all of it.
    pub(crate) fn is_shown_by(&self, head: &TicketHead) -> bool {
        let Ok(issue) = serde_json::from_str::<Issue>(&head.raw) else { return false };
        let team = self.team.as_ref().is_none_or(|(_, team)| {
            head.queue.known().is_some_and(|now| now.as_ref().is_some_and(|now| now.id == team.queue.id))
        });
        let owner = self.owner.as_ref().is_none_or(|owner| {
            let now = issue.field::<User>("assignee").optional();
            now.known().is_some_and(|now| now.as_ref().and_then(|user| user.account_id.get()) == owner.as_ref())
        });
        let priority = self.priority.as_ref().is_none_or(|wanted| {
            issue.field::<Named>("priority").some().and_then(|now| now.name.some()).as_ref() == Some(wanted)
        });
        let status = self.status.as_ref().is_none_or(|wanted| {
            issue.field::<Status>("status").some().and_then(|now| now.name.some()).as_ref() == Some(&wanted.word)
        });
        let custom = |(id, value, _): &(String, FieldValue, Kind)| {
            head.fields.get(id).is_some_and(|now| setup::shows(now, value))
        };
        team && owner && priority && status && self.fields.iter().all(custom)
    }
}

/// What we note with a change, where the history shows it to us again (sheet, *Write-back*, *Idempotency*).
pub(crate) fn noted(mark: &Mark) -> Value {
    json!({
        "type": "handoffd:handoff", "description": mark.to_string(), "activityDescription": "handoffd",
        "generator": { "id": "handoffd", "type": "handoffd" }, "cause": { "id": mark.key(), "type": "handoff" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::model::Status as Stands;

    #[test]
    fn an_update_is_written_in_jiras_form() {
        let wanted = Wanted {
            owner: Some(None),
            priority: Some("High".into()),
            fields: vec![("customfield_10062".into(), FieldValue::Number(750.0), Kind::Plain)],
            ..Wanted::default()
        };
        let expected =
            json!({ "assignee": { "accountId": null }, "priority": { "name": "High" }, "customfield_10062": 750 });
        assert_eq!(Value::Object(wanted.fields()), expected);
        let status = StatusSpec { word: "Waiting for customer".into(), means: Stands::Pending };
        let pause = Wanted { status: Some(status), ..Wanted::default() };
        assert!(pause.fields().is_empty(), "a status is no field");
    }

    #[test]
    fn what_we_note_is_read_back_as_our_mark() {
        let mark = Mark { handoff: "h1".into(), number: 2, rule: "r".into(), version: "v".into() };
        let noted = noted(&mark);
        assert_eq!(Mark::in_text(noted["description"].as_str().unwrap()), Some(mark));
        assert_eq!(noted["cause"]["id"], "h1/2");
    }
}
