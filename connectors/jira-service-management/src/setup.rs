//! What a site's fields and statuses mean. Fields have other numbers on every site: they are known by what Jira says that they
//! hold, and the team's by the name or id in the configuration (Jira Service Management sheet, *Objects*). Pure.

use crate::adf;
use crate::limits::WAITS;
use crate::wire::{self, Field, Sent};
use handoffd_kit::model::{FieldValue, Priority, Status};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// More of one field is not read.
const FIELD_BYTES: usize = 64 << 10;

/// The fields of a site.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    /// The field that says which team has a ticket; or why there is none.
    pub(crate) team: Option<TeamField>,
    /// Why there is no such field.
    pub(crate) no_team: String,
    /// The organisations of a customer.
    pub(crate) organizations: Option<String>,
    /// What kind of request it is: a ticket without is no request, and no customer sees it.
    pub(crate) request_type: Option<String>,
    /// Who else takes part in a request.
    pub(crate) participants: Option<String>,
    /// The site's own fields by id, with what they hold.
    pub(crate) kinds: BTreeMap<String, Kind>,
}

/// The field that says which team has a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TeamField {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: TeamKind,
}

/// What such a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TeamKind {
    /// One value of a select list: a team is known by the value's text.
    Select,
    /// One of Atlassian's teams: known by its id.
    Team,
}

/// What one of the site's own fields holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text of several lines: a document.
    Document,
    /// A value of a select list.
    Option,
    /// Text, a number, a date.
    Plain,
}

impl Setup {
    /// Reads the list of fields. `team`: the name or id of the team's field.
    pub(crate) fn read(fields: &[Field], team: &str) -> Self {
        let mut setup = Self::default();
        for field in fields {
            let Some(id) = field.id.get().filter(|id| id.starts_with("customfield_")) else { continue };
            let custom = custom(field);
            if custom.ends_with(":sd-customer-organizations") {
                setup.organizations = Some(id.clone());
            } else if custom.ends_with(":vp-origin") {
                setup.request_type = Some(id.clone());
            } else if custom.ends_with(":sd-request-participants") {
                setup.participants = Some(id.clone());
            } else {
                setup.kinds.insert(id.clone(), kind(field));
            }
        }
        match team_field(fields, team) {
            Ok(field) => {
                setup.kinds.remove(&field.id);
                setup.team = Some(field);
            }
            Err(why) => setup.no_team = why,
        }
        setup
    }
}

fn custom(field: &Field) -> &str {
    field.schema.get().and_then(|schema| schema.custom.get()).map_or("", String::as_str)
}

fn kind(field: &Field) -> Kind {
    let holds = field.schema.get().and_then(|schema| schema.kind.get()).map_or("", String::as_str);
    match holds {
        _ if custom(field).ends_with(":textarea") => Kind::Document,
        "option" => Kind::Option,
        _ => Kind::Plain,
    }
}

fn team_field(fields: &[Field], wanted: &str) -> Result<TeamField, String> {
    let called =
        |field: &&Field| [&field.id, &field.name].iter().any(|sent| sent.get().is_some_and(|text| text == wanted));
    let found: Vec<&Field> = fields.iter().filter(called).collect();
    let field = match found[..] {
        [field] => field,
        [] => return Err(format!("our account sees no field {wanted:?}")),
        _ => return Err(format!("{} fields are called {wanted:?}", found.len())),
    };
    let holds = field.schema.get().and_then(|schema| schema.kind.get()).map_or("", String::as_str);
    let custom = custom(field);
    let kind = match holds {
        "option" => TeamKind::Select,
        // Which of its names the Team field has, is not verified: all of them end like this.
        _ if holds == "team" || custom.ends_with("-team") || custom.ends_with("team-custom-field-team") => {
            TeamKind::Team
        }
        _ => return Err(format!("the field {wanted:?} is neither a select list of one value nor the Team field")),
    };
    let id = field.id.get().cloned().ok_or("the list of fields has no ids")?;
    let name = field.name.get().cloned().unwrap_or_else(|| id.clone());
    Ok(TeamField { id, name, kind })
}

/// Where a status stands: by its category, which stays when people rename it. None: nobody knows it. Within the category of work
/// under way, only the name tells that somebody waits for the customer.
pub(crate) fn status(sent: &wire::Status) -> Option<Status> {
    let category = sent.status_category.get().and_then(|category| category.key.get());
    Some(match category?.as_str() {
        "new" => Status::New,
        "indeterminate" if sent.name.get().is_some_and(|name| name == WAITS) => Status::Pending,
        "indeterminate" => Status::Open,
        // Whether what is resolved or closed may be opened again, each workflow says for itself.
        "done" => Status::Solved,
        _ => return None,
    })
}

/// How urgent a priority of this name is.
pub(crate) fn priority(name: &str) -> Option<Priority> {
    Some(match name.trim().to_ascii_lowercase().as_str() {
        "highest" | "urgent" | "critical" | "blocker" => Priority::Urgent,
        "high" => Priority::High,
        "medium" | "normal" => Priority::Normal,
        "low" | "lowest" => Priority::Low,
        _ => return None,
    })
}

/// The name of the priority to write, of those that there are: the first of the usual names for this urgency.
pub(crate) fn level(names: &[String], wanted: Priority) -> Option<&str> {
    let usual: &[&str] = match wanted {
        Priority::Urgent => &["highest", "urgent", "critical", "blocker"],
        Priority::High => &["high"],
        Priority::Normal => &["medium", "normal"],
        Priority::Low => &["low", "lowest"],
    };
    usual.iter().find_map(|word| names.iter().find(|name| name.trim().eq_ignore_ascii_case(word))).map(String::as_str)
}

/// A field's value without what Jira wraps it in.
pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::Object(inside) if inside.get("type").is_some_and(|kind| kind == "doc") => {
            Value::from(adf::text(value, FIELD_BYTES))
        }
        Value::Object(inside) => {
            let named = ["value", "name", "displayName"].iter().find_map(|key| inside.get(*key)?.as_str());
            named.map_or_else(|| value.clone(), Value::from)
        }
        Value::Array(values) => Value::Array(values.iter().map(plain).collect()),
        value => value.clone(),
    }
}

/// A field's value as Jira takes it.
pub(crate) fn wrapped(value: &FieldValue, kind: Kind) -> Value {
    match (kind, value) {
        (Kind::Document, FieldValue::Text(text)) if text.is_empty() => Value::Null,
        (Kind::Document, FieldValue::Text(text)) => adf::document(text),
        (Kind::Option, FieldValue::YesNo(yes)) => json!({ "value": if *yes { "Yes" } else { "No" } }),
        (Kind::Option, FieldValue::Text(text)) if text.is_empty() => Value::Null,
        (Kind::Option, FieldValue::Text(text)) => json!({ "value": text }),
        (_, value) => value.json(),
    }
}

/// Whether a field, without what Jira wraps it in, shows a value.
pub(crate) fn shows(now: &Value, wanted: &FieldValue) -> bool {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    match (wanted, now) {
        (FieldValue::YesNo(yes), Value::String(now)) => now.eq_ignore_ascii_case(if *yes { "yes" } else { "no" }),
        (FieldValue::Text(text), Value::String(now)) => lines(text) == lines(now),
        (wanted, now) => wanted.is_shown_by(now),
    }
}

/// The value, where one was sent.
pub(crate) fn text_of(sent: &Sent<String>) -> Option<&str> {
    sent.get().map(String::as_str)
}

/// A site of which the fixtures tell, for tests.
#[cfg(test)]
pub(crate) fn fixture() -> Setup {
    let fields: Vec<Field> = serde_json::from_str(include_str!("../fixtures/fields.json")).unwrap();
    Setup::read(&fields, "Support team")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(id: &str, name: &str, kind: &str, custom: &str) -> Field {
        let field = json!({ "id": id, "name": name, "custom": true, "schema": { "type": kind, "custom": custom } });
        serde_json::from_value(field).unwrap()
    }

    #[test]
    fn fields_are_known_by_what_they_hold_and_the_teams_by_name_or_id() {
        let setup = fixture();
        let team = setup.team.clone().unwrap();
        assert_eq!((team.id.as_str(), team.kind), ("customfield_10050", TeamKind::Select));
        assert_eq!(setup.organizations.as_deref(), Some("customfield_10002"));
        assert_eq!(setup.request_type.as_deref(), Some("customfield_10010"));
        assert_eq!(setup.participants.as_deref(), Some("customfield_10031"));
        assert_eq!(setup.kinds.get("customfield_10061"), Some(&Kind::Document));
        assert_eq!(setup.kinds.get("customfield_10062"), Some(&Kind::Plain));
        assert!(!setup.kinds.contains_key("customfield_10050") && !setup.kinds.contains_key("summary"));
    }

    #[test]
    fn a_field_that_cannot_say_which_team_has_a_ticket_is_refused_with_the_reason() {
        let select = field("customfield_1", "Tier", "option", "x:select");
        let team =
            field("customfield_2", "Team", "team", "com.atlassian.jira.plugin.system.customfieldtypes:atlassian-team");
        let older = field("customfield_5", "Team 5", "any", "com.atlassian.teams:rm-teams-custom-field-team");
        let text = field("customfield_3", "Notes", "string", "x:textarea");
        let twin = field("customfield_4", "Tier", "option", "x:select");
        let all = [select.clone(), team, text, older];
        let kind = |wanted: &str| Setup::read(&all, wanted).team.map(|team| team.kind);
        assert_eq!((kind("Tier"), kind("customfield_1")), (Some(TeamKind::Select), Some(TeamKind::Select)));
        assert_eq!((kind("Team"), kind("Team 5")), (Some(TeamKind::Team), Some(TeamKind::Team)));
        for (fields, wanted, why) in [
            (&all[..], "Nope", "sees no field"),
            (&all[..], "Notes", "neither a select list"),
            (&[select, twin][..], "Tier", "2 fields are called"),
        ] {
            let setup = Setup::read(fields, wanted);
            assert!(setup.team.is_none() && setup.no_team.contains(why), "{wanted}: {}", setup.no_team);
        }
    }

    #[test]
    fn a_status_stands_where_its_category_says() {
        let read = |key: &str, name: &str| {
            status(&serde_json::from_value(json!({ "name": name, "statusCategory": { "key": key } })).unwrap())
        };
        assert_eq!(read("new", "Offen"), Some(Status::New));
        assert_eq!(read("indeterminate", "In Arbeit"), Some(Status::Open));
        assert_eq!(read("indeterminate", "Waiting for customer"), Some(Status::Pending));
        assert_eq!(
            (read("done", "Resolved"), read("done", "Waiting for customer")),
            (Some(Status::Solved), Some(Status::Solved))
        );
        assert_eq!((read("undefined", "Open"), status(&wire::Status::default())), (None, None));
    }

    #[test]
    fn priorities_go_by_their_words_and_one_that_is_not_there_is_not_made_of_another() {
        let names: Vec<String> = ["Critical", "High", "Medium", "Lowest"].map(str::to_owned).into();
        let all = [Priority::Urgent, Priority::High, Priority::Normal, Priority::Low];
        let levels: Vec<Option<&str>> = all.iter().map(|wanted| level(&names, *wanted)).collect();
        assert_eq!(levels, [Some("Critical"), Some("High"), Some("Medium"), Some("Lowest")]);
        assert_eq!((level(&names[1..], Priority::Urgent), priority("P1")), (None, None));
        assert_eq!((priority(" Highest "), priority("Lowest")), (Some(Priority::Urgent), Some(Priority::Low)));
    }

    #[test]
    fn values_lose_their_wrapping_and_get_it_back() {
        let document = adf::document("one\n\ntwo");
        for (sent, bare) in [
            (json!({ "id": "7", "value": "Gold" }), json!("Gold")),
            (document.clone(), json!("one\n\ntwo")),
            (json!([{ "value": "a" }, { "value": "b" }]), json!(["a", "b"])),
            (json!({ "accountId": "1", "displayName": "Lee" }), json!("Lee")),
            (json!(12.5), json!(12.5)),
            (json!(null), json!(null)),
        ] {
            assert_eq!(plain(&sent), bare, "{sent}");
        }
        let text = |text: &str| FieldValue::Text(text.into());
        assert_eq!(wrapped(&text("one\n\ntwo"), Kind::Document), document);
        assert_eq!(wrapped(&text("Gold"), Kind::Option), json!({ "value": "Gold" }));
        assert_eq!(wrapped(&FieldValue::YesNo(true), Kind::Option), json!({ "value": "Yes" }));
        assert_eq!(wrapped(&FieldValue::Number(12.0), Kind::Plain), json!(12));
        for kind in [Kind::Document, Kind::Option, Kind::Plain] {
            assert_eq!(wrapped(&text(""), kind), Value::Null);
        }
        assert!(shows(&json!("Yes"), &FieldValue::YesNo(true)) && shows(&json!("a\n\n b"), &text("a\nb")));
        assert!(!shows(&json!("No"), &FieldValue::YesNo(true)) && shows(&json!(null), &text("")));
    }
}
