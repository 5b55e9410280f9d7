//! Login and rights, tried one by one: each finding says what was tried, what came out, and what to do about it.

use crate::api::{Ask, platform};
use crate::desk::JiraDesk;
use crate::limits::{WAITS, WORKS};
use crate::setup::TeamField;
use crate::wire::{self, Found, Id, Issue, User};
use handoffd_kit::desk::{Finding, QueueSpec};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result};
use handoffd_kit::id::TicketId;
use handoffd_kit::model::QueueRef;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// What changing a ticket takes, in Jira's own words.
const WRITES: [(&str, &str); 4] = [
    ("EDIT_ISSUES", "Edit issues"),
    ("ASSIGN_ISSUES", "Assign issues"),
    ("TRANSITION_ISSUES", "Transition issues"),
    ("ADD_COMMENTS", "Add comments"),
];

/// What it takes to take a note back that came out public.
const TAKE_BACK: &str = "DELETE_OWN_COMMENTS";

/// An agent's licence as a permission of the project (from memory; not in the sheet): a site that does not know it, says so.
const AGENT: &str = "SERVICEDESK_AGENT";

impl JiraDesk {
    /// Tries everything that this connector needs. Nothing on the desk changes: nothing is written.
    pub(crate) async fn examine(&self, wanted: &[QueueSpec]) -> Result<Vec<Finding>> {
        let deadline = self.api.gate().soon();
        let me = match self.people.me(&self.api, deadline).await {
            Ok(me) => me,
            Err(error) if error.kind == DeskErrorKind::Unavailable => return Err(error),
            Err(error) => return Ok(vec![Finding::failed(&error, "Check the desk's url, mail address and API token")]),
        };
        let mut findings = own_account(&me);
        for project in &self.projects {
            findings.extend(self.try_project(project, deadline).await);
        }
        let team = self.team_field("read fields", deadline).await;
        match &team {
            Ok(field) => findings.extend(self.try_teams(field, wanted, deadline).await),
            Err(error) => findings.push(Finding::failed(error, "Fields are needed to know teams")),
        }
        findings.push(self.try_statuses(deadline).await);
        findings.extend(self.on_an_issue(team.ok().as_ref(), deadline).await);
        Ok(findings)
    }

    /// What our account may do, in a project or on an issue. None: which of the two is not seen, or a permission that the site does
    /// not know, is asked for.
    async fn permissions(
        &self,
        of: (&'static str, &str),
        keys: &str,
        deadline: Timestamp,
    ) -> Result<BTreeMap<String, bool>> {
        let ask = Ask::get("read own permissions", platform("mypermissions"), deadline);
        let ask = ask.query(of.0, of.1).query("permissions", keys);
        let sent: Value = self.api.json(&ask).await?;
        let all = sent.get("permissions").and_then(Value::as_object);
        let all = all.ok_or_else(|| ask.malformed("the answer holds no permissions"))?;
        Ok(all.iter().filter_map(|(key, one)| Some((key.clone(), one["havePermission"].as_bool()?))).collect())
    }

    /// Whether our account may change this ticket; none: the answer does not tell.
    pub(crate) async fn may_change(&self, ticket: &TicketId, deadline: Timestamp) -> Result<Option<bool>> {
        let Some(id) = Id::read(ticket.as_str()).filter(|id| id.is_record()) else { return Ok(None) };
        let keys = WRITES.map(|(key, _)| key);
        match self.permissions(("issueId", &id.to_string()), &keys.join(","), deadline).await {
            Ok(has) => {
                let told: Option<Vec<bool>> = keys.iter().map(|key| has.get(*key).copied()).collect();
                Ok(told.map(|told| told.into_iter().all(|one| one)))
            }
            Err(error) if is_untold(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn try_project(&self, project: &str, deadline: Timestamp) -> Vec<Finding> {
        let keys = format!("{},{TAKE_BACK}", WRITES.map(|(key, _)| key).join(","));
        let may = match self.permissions(("projectKey", project), &keys, deadline).await {
            Ok(has) => {
                return [
                    may_write(project, &has),
                    may_take_back(project, &has),
                    self.try_licence(project, deadline).await,
                ]
                .into();
            }
            Err(error) if error.kind == DeskErrorKind::NotFound => Finding::wrong(
                format!("Our account sees no project {project}"),
                "Make handoffd's account an agent of the service project, or correct its key in `projects`",
            ),
            Err(error) => Finding::failed(&error, "Whether our account may change tickets is not known; try again"),
        };
        vec![may, self.try_licence(project, deadline).await]
    }

    /// Whoever is no agent writes every comment in public, without an error.
    async fn try_licence(&self, project: &str, deadline: Timestamp) -> Finding {
        match self.permissions(("projectKey", project), AGENT, deadline).await {
            Ok(has) => match has.get(AGENT) {
                Some(true) => Finding::fine(format!("Our account is an agent of {project}")),
                Some(false) => Finding::wrong(
                    format!("Our account is no agent of {project}: its notes would come out public"),
                    "Give it a licence of Jira Service Management and the project's role Service Desk Team, before anything goes live",
                ),
                None => untold_licence(project),
            },
            Err(error) if is_untold(&error) => untold_licence(project),
            Err(error) => Finding::failed(&error, "Whether our account is an agent is not known; try again"),
        }
    }

    async fn try_teams(&self, field: &TeamField, wanted: &[QueueSpec], deadline: Timestamp) -> Vec<Finding> {
        let mut shown = match self.suggested(field, "", deadline).await {
            Ok(shown) => shown,
            Err(error) => return vec![Finding::failed(&error, "The field's values are needed to resolve teams")],
        };
        // The list may be cut: those that are not in it are asked for by name.
        for spec in wanted {
            if !shown.iter().any(|known| spec.is(known)) {
                shown.extend(self.suggested(field, spec.shown(), deadline).await.unwrap_or_default());
            }
        }
        let mut findings = vec![Finding::fine(format!("{:?} has {} teams that can be read", field.name, shown.len()))];
        findings.extend(Finding::unseen(wanted, &shown, "Add it to the field's options, or make the team"));
        let of = |known: &&QueueRef| wanted.iter().any(|spec| spec.is(known));
        let names: Vec<&str> = shown.iter().filter(of).filter_map(|known| known.name.as_deref()).collect();
        for name in std::collections::BTreeSet::from_iter(names) {
            findings.extend(self.try_group(name, deadline).await);
        }
        findings
    }

    /// The group of a team's name says who works there. None: it is there.
    async fn try_group(&self, name: &str, deadline: Timestamp) -> Option<Finding> {
        let error = self.in_group(name, "read members", deadline).await.err()?;
        let step = error.next_step.clone().unwrap_or_else(|| "Run this again".into());
        let what = format!("Who works in {name} cannot be read: {error}; nobody there is given cases by turn");
        Some(Finding::warning(what, step))
    }

    async fn try_statuses(&self, deadline: Timestamp) -> Finding {
        const PAUSE: &str = "Name the statuses in which a request waits for the customer and for support so, or use clock.customer = \
             \"continue\": the names are of Jira's own service workflows in English";
        let ask = Ask::get("read statuses", platform("status"), deadline);
        match self.api.json::<Vec<wire::Status>>(&ask).await {
            Ok(all) => {
                let lacks = |name: &&str| !all.iter().any(|one| one.name.get().is_some_and(|known| known == name));
                match [WAITS, WORKS].iter().find(|name| lacks(name)) {
                    None => Finding::fine("Statuses can be read"),
                    Some(name) => Finding::warning(
                        format!(
                            "There is no status {name:?}: a handoff cannot pause the customer's clock, and no ticket counts as pending"
                        ),
                        PAUSE,
                    ),
                }
            }
            Err(error) => Finding::failed(&error, "Statuses tell which tickets are open"),
        }
    }

    /// Rights that only show on an issue: the one that changed last is used.
    async fn on_an_issue(&self, team: Option<&TeamField>, deadline: Timestamp) -> Vec<Finding> {
        let jql = format!("{} ORDER BY updated DESC", self.in_projects());
        let ask = self.search("list tickets", &jql, &["updated"], None, deadline);
        let found: Found = match self.api.json(&ask).await {
            Ok(found) => found,
            Err(error) => return vec![Finding::failed(&error, "The stream of issues that changed is searched so")],
        };
        let issues = found.issues.some().unwrap_or_default();
        let newest = issues.into_iter().find_map(|raw| serde_json::from_value::<Issue>(raw).ok()?.id.some());
        let Some(id) = newest else {
            return vec![Finding::warning(
                "There is no ticket yet to try rights on, or our account sees none",
                "Run this again once there is one; who may not browse a project sees no ticket in it",
            )];
        };
        let mut findings = vec![Finding::fine("Tickets can be searched by their last change")];
        findings.push(match self.comments(id, deadline).await {
            Ok(_) => Finding::fine("Comments can be read"),
            Err(error) => {
                Finding::failed(&error, "Comments carry our marks: without them a lost answer waits for a person")
            }
        });
        findings.push(match self.changelog(id, deadline).await {
            Ok(_) => Finding::fine("The history can be read"),
            Err(error) => Finding::warning(
                format!("The history cannot be read: {error}; what an update covered is not seen"),
                "Give handoffd's account the permission to browse the project",
            ),
        });
        if let Some(team) = team {
            findings.extend(self.try_screen(id, team, deadline).await);
        }
        findings
    }

    /// Whether the fields that a handoff sets stand on the edit screen: one that does not is refused.
    async fn try_screen(&self, id: Id, team: &TeamField, deadline: Timestamp) -> Option<Finding> {
        let ask = Ask::get("read edit screen", platform(&format!("issue/{id}/editmeta")), deadline);
        let screen: Value = match self.api.json(&ask).await {
            Ok(screen) => screen,
            Err(error) => return Some(Finding::failed(&error, "The edit screen says which fields can be set")),
        };
        let has = |field: &str| screen["fields"].get(field).is_some();
        if !has(&team.id) {
            return Some(Finding::wrong(
                format!(
                    "The field {:?} is not on the edit screen of issue {id}: no ticket can be moved to a team",
                    team.name
                ),
                "Add it to the edit screen of the project's issue types (Project settings, Screens)",
            ));
        }
        (!has("priority")).then(|| {
            Finding::warning(
                format!("The priority is not on the edit screen of issue {id}: a rule cannot set it"),
                "Add it to the edit screen of the project's issue types, unless no rule sets a priority",
            )
        })
    }
}

/// Jira does not see what was asked about, or does not know a permission.
fn is_untold(error: &DeskError) -> bool {
    matches!(error.kind, DeskErrorKind::NotFound | DeskErrorKind::Refused | DeskErrorKind::Forbidden)
}

fn untold_licence(project: &str) -> Finding {
    Finding::warning(
        format!("Whether our account is an agent of {project}, Jira does not tell"),
        "Look that it has a licence of Jira Service Management and the role Service Desk Team: who is no agent writes every comment in \
         public",
    )
}

fn may_write(project: &str, has: &BTreeMap<String, bool>) -> Finding {
    let lacks = |(key, name): &(&str, &'static str)| (has.get(*key) != Some(&true)).then_some(*name);
    let missing: Vec<&str> = WRITES.iter().filter_map(lacks).collect();
    match missing.is_empty() {
        true => Finding::fine(format!("Tickets of {project} can be changed")),
        false => Finding::wrong(
            format!("Our account may not do this in {project}: {}", missing.join(", ")),
            "Give handoffd's account these permissions: the project's role Service Desk Team has them unless an admin changed it",
        ),
    }
}

fn may_take_back(project: &str, has: &BTreeMap<String, bool>) -> Finding {
    match has.get(TAKE_BACK) {
        Some(true) => Finding::fine(format!("Our own comments in {project} can be deleted")),
        _ => Finding::warning(
            format!(
                "Our account may not delete its own comments in {project}: a note that came out public would stay there"
            ),
            "Give it the permission Delete own comments",
        ),
    }
}

fn own_account(me: &User) -> Vec<Finding> {
    let name = me.display_name.get().or(me.account_id.get()).map_or("(no name)", String::as_str);
    let zone = me.time_zone.get().map_or("unknown", String::as_str);
    let mut findings = vec![Finding::fine(format!("Logged in as {name}, in the time zone {zone}"))];
    if me.active.get() == Some(&false) {
        findings.push(Finding::wrong(
            format!("The account of {name} is not active"),
            "Activate it (Administration, Users)",
        ));
    }
    if me.account_type.get().is_some_and(|kind| kind != "atlassian") {
        findings.push(Finding::wrong(
            format!("The account of {name} is no licensed user: its notes would come out public"),
            "Use an Atlassian account that is an agent of the service project",
        ));
    }
    if jiff::tz::TimeZone::get(zone).is_err() {
        findings.push(Finding::wrong(
            format!("Our account's time zone is {zone}: queries are read in it, and nothing can be polled"),
            "Set a time zone in the profile of handoffd's account: UTC is best",
        ));
    }
    findings
}
