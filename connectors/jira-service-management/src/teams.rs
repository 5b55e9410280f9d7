//! Teams: the values of one field. A queue of Jira's is only a filter on such values, and there is no call that moves an issue to
//! one (Jira Service Management sheet, *Teams, queues, users*). Who works in a team, Jira does not say: a group of the team's name
//! tells it.

use crate::api::{Ask, MOST_PAGES, PAGE, platform};
use crate::desk::JiraDesk;
use crate::people::{person, role_of};
use crate::setup::{TeamField, TeamKind};
use crate::wire::{Page, Suggestions, User};
use handoffd_kit::desk::{Member, QueueSpec};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::id::QueueId;
use handoffd_kit::model::QueueRef;
use handoffd_kit::text::html_to_text;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Names are no longer.
const NAME_BYTES: usize = 1_000;

/// A team to move an issue to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Team {
    pub(crate) queue: QueueRef,
    kind: TeamKind,
}

impl Team {
    /// As the field takes it. The Team field takes the bare id (not verified; sheet, *Write-back*).
    pub(crate) fn json(&self) -> Value {
        match self.kind {
            TeamKind::Select => json!({ "value": self.queue.id.as_str() }),
            TeamKind::Team => json!(self.queue.id.as_str()),
        }
    }
}

/// The value of a team's field as a queue; none: it is no team.
pub(crate) fn queue_of(value: &Value, kind: TeamKind) -> Option<QueueRef> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let (id, name) = match kind {
        TeamKind::Select => (text("value")?, text("value")),
        TeamKind::Team => match value.as_str() {
            Some(id) => (id.to_owned(), None),
            None => (text("id")?, text("name").or_else(|| text("title"))),
        },
    };
    Some(QueueRef { id: QueueId::new(id), name })
}

impl JiraDesk {
    /// The field of teams.
    ///
    /// # Errors
    /// Refused where the configuration names no field that could say which team has a ticket.
    pub(crate) async fn team_field(&self, operation: &'static str, deadline: Timestamp) -> Result<TeamField> {
        let setup = self.people.setup(&self.api, deadline).await?;
        setup.team.clone().ok_or_else(|| {
            DeskError::new(DeskErrorKind::Refused, Retry::Never, operation).words(setup.no_team.clone()).next_step(
                "Write the name or id of a select list, or of the Team field, as `team_field` in the desk's login",
            )
        })
    }

    /// The team that a queue of the configuration means. Whether a list has such a value, Jira says when it is written.
    pub(crate) async fn team(&self, queue: &QueueSpec, operation: &'static str, deadline: Timestamp) -> Result<Team> {
        let field = self.team_field(operation, deadline).await?;
        let plain = |id: &str, name: Option<&str>| QueueRef { id: QueueId::new(id), name: name.map(str::to_owned) };
        let queue = match (field.kind, queue) {
            (TeamKind::Select, QueueSpec::Name(text) | QueueSpec::Id(text)) => plain(text, Some(text)),
            (TeamKind::Team, QueueSpec::Id(id)) => plain(id, None),
            (TeamKind::Team, QueueSpec::Name(name)) => {
                let known = self.suggested(&field, name, deadline).await?;
                known.into_iter().find(|known| queue.is(known)).ok_or_else(|| {
                    DeskError::new(DeskErrorKind::Refused, Retry::Never, operation)
                        .words(format!("no team is called {name:?}"))
                        .next_step("Write the team's name as its profile shows it, or its id: queue = { id = \"…\" }")
                })?
            }
        };
        Ok(Team { queue, kind: field.kind })
    }

    /// What may stand in the field, as far as Jira lists it: those with this text in their names.
    pub(crate) async fn suggested(&self, field: &TeamField, text: &str, deadline: Timestamp) -> Result<Vec<QueueRef>> {
        let number = field.id.trim_start_matches("customfield_");
        let ask = Ask::get("read teams", platform("jql/autocompletedata/suggestions"), deadline);
        let ask = ask.query("fieldName", format!("cf[{number}]"));
        let ask = if text.is_empty() { ask } else { ask.query("fieldValue", text) };
        let sent: Suggestions = self.api.json(&ask).await?;
        let sent = sent.results.some().ok_or_else(|| ask.malformed("the answer lists no values"))?;
        let one = |suggestion: crate::wire::Suggestion| {
            let value = unquoted(&suggestion.value.some()?);
            // What was asked for is marked in the name.
            let shown = suggestion.display_name.get().map(|shown| html_to_text(shown, NAME_BYTES).trim().to_owned());
            let name = if field.kind == TeamKind::Select { Some(value.clone()) } else { shown };
            Some(QueueRef { id: QueueId::new(value), name })
        };
        Ok(sent.into_iter().filter_map(one).collect())
    }

    /// Who works in a team now: the group of its name.
    pub(crate) async fn members_of(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Vec<Member>> {
        const OPERATION: &str = "read members";
        let team = self.team(queue, OPERATION, deadline).await?;
        let group = match &team.queue.name {
            Some(name) => name.clone(),
            // A team that is named by its id alone: its name is asked for.
            None => {
                let field = self.team_field(OPERATION, deadline).await?;
                let known = self.suggested(&field, "", deadline).await?;
                let known = known.into_iter().find(|known| known.id == team.queue.id).and_then(|known| known.name);
                known.unwrap_or_else(|| team.queue.id.to_string())
            }
        };
        let us = self.people.our_id(&self.api, deadline).await?;
        let member = |user: &User| {
            // Whoever is no licensed user can be given nothing.
            let staff = user.account_type.get().is_none_or(|kind| kind == "atlassian");
            let person = person(user, role_of(user, us.as_deref()))?;
            Some(Member { person, active: staff && user.active.get() == Some(&true), open: None })
        };
        let mut seen = BTreeSet::new();
        let users = self.in_group(&group, OPERATION, deadline).await?;
        let members = users.iter().filter_map(member).filter(|member| seen.insert(member.person.id.clone()));
        Ok(members.collect())
    }

    /// Everybody in a group.
    pub(crate) async fn in_group(
        &self,
        group: &str,
        operation: &'static str,
        deadline: Timestamp,
    ) -> Result<Vec<User>> {
        let mut users = Vec::new();
        for _ in 0..MOST_PAGES {
            let ask = Ask::get(operation, platform("group/member"), deadline).query("groupname", group);
            let ask = ask.query("includeInactiveUsers", true).query("startAt", users.len()).query("maxResults", PAGE);
            let page: Page<User> = self.api.json(&ask).await.map_err(|error| no_group(error, group))?;
            let values =
                page.values.some().ok_or_else(|| ask.malformed("the answer lists nobody and says no reason"))?;
            let ends = values.is_empty() || page.is_last.get() == Some(&true);
            users.extend(values);
            if ends || page.total.get().is_some_and(|total| users.len() as u64 >= *total) {
                break;
            }
        }
        Ok(users)
    }
}

fn no_group(error: DeskError, group: &str) -> DeskError {
    match error.kind {
        DeskErrorKind::NotFound => error.next_step(format!(
            "Make a group called {group:?} of the people who work in that team (Administration, Groups), or write the people of \
             a rotation into the policy"
        )),
        DeskErrorKind::Forbidden => {
            error.next_step("Give handoffd's account the global permission Browse users and groups")
        }
        _ => error,
    }
}

/// A value as the query language quotes it.
fn unquoted(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inside) => inside.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_either_kind_is_a_queue_and_nonsense_is_none() {
        let read = |value: Value, kind| queue_of(&value, kind).map(|queue| (queue.id.to_string(), queue.name));
        let both = |id: &str, name: &str| Some((id.to_owned(), Some(name.to_owned())));
        assert_eq!(read(json!({ "id": "7", "value": "Billing" }), TeamKind::Select), both("Billing", "Billing"));
        assert_eq!(read(json!({ "id": "u-1", "name": "Tier 2" }), TeamKind::Team), both("u-1", "Tier 2"));
        assert_eq!(read(json!({ "id": "u-1", "title": "Tier 2" }), TeamKind::Team), both("u-1", "Tier 2"));
        assert_eq!(read(json!("u-1"), TeamKind::Team), Some(("u-1".to_owned(), None)));
        for odd in [json!({}), json!([]), json!(7), json!({ "value": 7 })] {
            assert_eq!((read(odd.clone(), TeamKind::Select), read(odd, TeamKind::Team)), (None, None));
        }
    }

    #[test]
    fn a_team_is_written_as_its_field_takes_it() {
        let queue = QueueRef { id: "u-1".into(), name: Some("Tier 2".into()) };
        assert_eq!(Team { queue: queue.clone(), kind: TeamKind::Select }.json(), json!({ "value": "u-1" }));
        assert_eq!(Team { queue, kind: TeamKind::Team }.json(), json!("u-1"));
    }

    #[test]
    fn values_come_quoted_or_bare() {
        for (sent, bare) in
            [("\"Tier 2\"", "Tier 2"), ("Billing", "Billing"), (r#""a \"b\" \\c""#, r#"a "b" \c"#), ("\"", "\"")]
        {
            assert_eq!(unquoted(sent), bare, "{sent}");
        }
    }
}
