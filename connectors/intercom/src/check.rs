//! Login and rights, tried one by one: each finding says what was tried, what came out, and what to do about it.

use crate::api::Ask;
use crate::config::REGIONS;
use crate::desk::IntercomDesk;
use crate::limits::CONVERSATIONS;
use crate::normalise::queue;
use crate::parts::search;
use crate::people::{Me, Teams, unlisted};
use crate::wire::{Conversation, Found, Id, Sent, TagList};
use handoffd_kit::desk::{Finding, QueueSpec};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result};
use handoffd_kit::id::TicketId;
use handoffd_kit::model::QueueRef;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Nobody, and no tag, has this id: an assignment to them is refused, whoever asks for it.
const NOBODY: &str = "999999999999999999";

/// Intercom says nothing of this type.
const NO_TYPE: &str = "none: handoffd tries its rights";

/// What a trial asks for, and the permission for it.
const SAYING: (&str, &str) = ("write notes and comments", "write conversations");
const LABELS: (&str, &str) = ("put tags on conversations", "write conversations, and to read and write tags");

impl IntercomDesk {
    /// Tries everything that this connector needs. Nothing on the desk changes: what is written cannot apply.
    pub(crate) async fn examine(&self, wanted: &[QueueSpec]) -> Result<Vec<Finding>> {
        let deadline = self.api.gate().soon();
        let me = match self.people.me(&self.api, deadline).await {
            Ok(me) => me,
            Err(error) if error.kind == DeskErrorKind::Unavailable => return Err(error),
            Err(error) => return Ok(vec![Finding::failed(&error, "Check the desk's url and access token")]),
        };
        let mut findings = vec![own_account(&me)];
        findings.extend(region(&me, self.api.base().host_str().unwrap_or_default()));
        match self.people.teams_now(&self.api, deadline).await {
            Ok(teams) => findings.extend(try_teams(&teams, wanted)),
            Err(error) => findings.push(Finding::failed(&error, "Teams are needed to resolve queues")),
        }
        findings.push(self.try_admins(deadline).await);
        findings.push(self.try_tags(deadline).await);
        findings.push(self.try_new_tags(deadline).await);
        findings.extend(self.on_a_conversation(deadline).await);
        Ok(findings)
    }

    async fn try_admins(&self, deadline: Timestamp) -> Finding {
        match self.people.admins_now(&self.api, deadline).await {
            Ok(Some(admins)) => Finding::fine(format!("{} teammates can be read", admins.len())),
            Ok(None) => Finding::warning(
                "Our app may not list teammates: nobody is known by a mail address, and nobody can be given cases by turn",
                "Give the app the permission to read admins",
            ),
            Err(error) => Finding::failed(&error, "Teammates are read to know owners by name"),
        }
    }

    async fn try_tags(&self, deadline: Timestamp) -> Finding {
        match self.api.json::<TagList>(&Ask::get("read tags", "tags", deadline)).await {
            Ok(_) => Finding::fine("Tags can be listed"),
            Err(error) => Finding::warning(
                format!("The workspace's tags cannot be listed: {error}; no label can be put on"),
                "Give the app the permission to read tags",
            ),
        }
    }

    /// A tag without a name: Intercom refuses the name if it would have allowed the call (description 2.16, `POST /tags`, 400).
    async fn try_new_tags(&self, deadline: Timestamp) -> Finding {
        let ask = Ask::write("try the right to write tags", Method::POST, "tags", json!({ "name": "" }));
        match self.api.json::<Value>(&ask.deadline(deadline)).await {
            Err(error) if error.kind == DeskErrorKind::Refused => Finding::fine("Our app may write tags"),
            Ok(_) => Finding::warning(
                "Intercom made a tag without a name",
                "Look at the workspace's tags, and report this: the connector does not know this Intercom",
            ),
            Err(error) => Finding::warning(
                format!("Our app may not write tags: {error}; no label can be put on that the workspace does not have"),
                "Give the app the permission to write tags, or make the tags of your rules by hand",
            ),
        }
    }

    /// Rights that only show on a conversation: the first that is found.
    async fn on_a_conversation(&self, deadline: Timestamp) -> Vec<Finding> {
        let query = json!({ "field": "updated_at", "operator": ">", "value": "0" });
        let found: Found = match self.api.json(&search("list conversations", query, None, deadline)).await {
            Ok(found) => found,
            Err(error) => {
                let step = format!("The stream of {CONVERSATIONS} that changed is searched so");
                return vec![Finding::failed(&error, &step)];
            }
        };
        let listed: Vec<Conversation> = found.conversations.some().unwrap_or_default();
        let record = |one: &Conversation| one.id.get().copied().filter(|id| id.is_record());
        let Some((newest, id)) = listed.iter().find_map(|one| Some((one, record(one)?))) else {
            return vec![Finding::warning(
                "There is no conversation yet to try rights on",
                "Run this again once there is one",
            )];
        };
        let mut findings = vec![
            Finding::fine("Conversations can be searched by their last change"),
            self.try_reading(id, deadline).await,
        ];
        findings.extend(self.try_people(newest, deadline).await);
        findings.push(self.try_change(id, deadline).await);
        findings.push(self.try_saying(id, deadline).await);
        findings.push(self.try_labels(id, deadline).await);
        findings
    }

    /// Whether the conversation's customer and company can be read: rules may ask for them.
    async fn try_people(&self, one: &Conversation, deadline: Timestamp) -> Vec<Finding> {
        let contacts = one.contacts.get().and_then(|list| list.contacts.get());
        let contact = contacts.and_then(|list| list.first()).and_then(|contact| contact.id.get());
        let company = one.company.get().and_then(|company| company.id.get());
        let keys = [("People", "customer", "contacts", contact), ("Companies", "organization", "companies", company)];
        let mut findings = Vec::new();
        for (records, fact, path, key) in keys {
            let Some(key) = key.filter(|key| key.is_plain()) else { continue };
            let ask = Ask::get("try to read the conversation's customer", format!("{path}/{}", key.0), deadline);
            let read = self.api.json::<Value>(&ask).await;
            // Merged or deleted meanwhile: not about a permission.
            let gone = "the newest conversation's is gone";
            let grant = "Give the app the permission to read users and companies (people and companies)";
            findings.push(Finding::of_reading(read, (records, fact), gone, grant));
        }
        findings
    }

    async fn try_reading(&self, id: Id, deadline: Timestamp) -> Finding {
        match self.read(id, deadline).await {
            Ok(read) if read.sent.total().is_some() => Finding::fine("Conversations can be read with their parts"),
            Ok(_) => Finding::wrong(
                "A conversation's answer holds no parts: nothing could be compared or looked up",
                "Report this with your workspace's plan: the connector does not know this Intercom",
            ),
            Err(error) => Finding::failed(&error, "Give the app the permission to read conversations"),
        }
    }

    /// An assignment to nobody who exists: whether the permission is looked at first is not verified, but either refusal tells
    /// which of the two came (Intercom sheet, *Base URL and auth*).
    async fn assign_in_vain(&self, id: Id, deadline: Timestamp) -> Result<()> {
        let us = self.people.me(&self.api, deadline).await?.id.to_string();
        let body = json!({ "message_type": "assignment", "type": "admin", "admin_id": us, "assignee_id": NOBODY });
        let path = format!("conversations/{id}/parts");
        let ask = Ask::write("try the right to change conversations", Method::POST, path, body);
        self.api.json(&ask.deadline(deadline)).await.map(|_: Value| ())
    }

    /// Whether our app may change this conversation; none: the answer does not tell.
    pub(crate) async fn may_change(&self, ticket: &TicketId, deadline: Timestamp) -> Result<Option<bool>> {
        let Some(id) = Id::read(ticket.as_str()).filter(|id| id.is_record()) else { return Ok(None) };
        match self.assign_in_vain(id, deadline).await {
            Ok(()) => Ok(None),
            Err(error) if is_about_the_assignee(&error) => Ok(Some(true)),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Ok(Some(false)),
            Err(error) if matches!(error.kind, DeskErrorKind::NotFound | DeskErrorKind::Refused) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn try_change(&self, id: Id, deadline: Timestamp) -> Finding {
        match self.assign_in_vain(id, deadline).await {
            Err(error) if is_about_the_assignee(&error) => Finding::fine("Conversations can be changed"),
            Ok(()) => Finding::warning(
                format!(
                    "Intercom took an assignment of conversation {id} to a teammate who should not exist ({NOBODY})"
                ),
                "Look at that conversation's assignee, and report this: the connector does not know this Intercom",
            ),
            Err(error) if error.kind == DeskErrorKind::Forbidden => Finding::wrong(
                format!("Our app may not change conversations: {error}"),
                "Give the app the permission to write conversations (Developer Hub, your app, Authentication, Permissions)",
            ),
            Err(error) => Finding::failed(&error, "Whether our app may change conversations is not known; try again"),
        }
    }

    /// What is neither a note nor a comment, and has no words: Intercom refuses both if it would have allowed the call
    /// (description 2.16, `POST /conversations/{id}/reply`: the types are an enumeration, and the body is required).
    async fn try_saying(&self, id: Id, deadline: Timestamp) -> Finding {
        let body = json!({ "message_type": NO_TYPE, "type": "admin", "body": "" });
        let path = format!("conversations/{id}/reply");
        self.try_in_vain("try the right to write notes and comments", path, body, deadline, SAYING).await
    }

    /// A tag that the workspace does not have.
    async fn try_labels(&self, id: Id, deadline: Timestamp) -> Finding {
        let body = json!({ "id": NOBODY });
        let path = format!("conversations/{id}/tags");
        self.try_in_vain("try the right to put tags on", path, body, deadline, LABELS).await
    }

    /// A write in our name that must be refused for what it holds.
    async fn try_in_vain(
        &self,
        operation: &'static str,
        path: String,
        mut body: Value,
        deadline: Timestamp,
        (may, permission): (&str, &str),
    ) -> Finding {
        let us = match self.people.me(&self.api, deadline).await {
            Ok(me) => me.id.to_string(),
            Err(error) => return Finding::failed(&error, "Check the desk's url and access token"),
        };
        body["admin_id"] = us.into();
        let ask = Ask::write(operation, Method::POST, path.clone(), body);
        match self.api.json::<Value>(&ask.deadline(deadline)).await {
            Err(error) if error.kind == DeskErrorKind::Refused => Finding::fine(format!("Our app may {may}")),
            Ok(_) => Finding::warning(
                format!("Intercom took what it should refuse ({operation}, {path})"),
                "Look at that conversation, and report this: the connector does not know this Intercom",
            ),
            Err(error) if error.kind == DeskErrorKind::Forbidden => {
                let step = format!(
                    "Give the app the permission to {permission} (Developer Hub, your app, Authentication, Permissions)"
                );
                Finding::wrong(format!("Our app may not {may}: {error}"), step)
            }
            Err(error) => Finding::failed(&error, &format!("Whether our app may {may} is not known; try again")),
        }
    }
}

/// Refused for the assignee, and so not for a right.
fn is_about_the_assignee(error: &DeskError) -> bool {
    error.kind == DeskErrorKind::Refused && error.words.to_lowercase().contains("not_found")
}

fn own_account(me: &Me) -> Finding {
    let name = me.admin.name.get().map_or("(no name)", String::as_str);
    if me.admin.has_inbox_seat == Sent::Value(false) {
        Finding::wrong(
            format!("{name} has no inbox seat: notes and assignments in their name are refused"),
            "Give handoffd's teammate a seat in the inbox (Settings, Teammates)",
        )
    } else {
        Finding::fine(format!("Logged in as {name}"))
    }
}

/// A workspace lives in one region; another one's API may answer for a while and is the wrong one.
fn region(me: &Me, host: &str) -> Option<Finding> {
    let said = me.app()?.region.get()?;
    let (_, right, _) = REGIONS.iter().find(|(_, _, word)| said.eq_ignore_ascii_case(word))?;
    let ours = REGIONS.iter().any(|(_, api, _)| *api == host);
    (ours && *right != host).then(|| {
        Finding::wrong(
            format!("The workspace lives in the region {said}, and the desk's url is of another"),
            format!("Write url = \"https://{right}\""),
        )
    })
}

fn try_teams(teams: &Teams, wanted: &[QueueSpec]) -> Vec<Finding> {
    let Some(listed) = teams.as_deref() else { return vec![Finding::failed(&unlisted("read teams"), "")] };
    let shown: Vec<QueueRef> = listed.keys().map(|id| queue(*id, teams)).collect();
    let mut findings = vec![Finding::fine(format!("{} teams can be read", listed.len()))];
    findings.extend(Finding::unseen(wanted, &shown, "Make that team under Settings, Teams"));
    let by_itself = |id: &Id| {
        let method = listed.get(id).and_then(|team| team.distribution_method.get());
        method.is_some_and(|method| !method.is_empty() && method != "manual")
    };
    let ours = shown.iter().filter(|team| wanted.iter().any(|spec| spec.is(team)));
    let own: Vec<&str> = ours
        .filter(|team| Id::read(team.id.as_str()).is_some_and(|id| by_itself(&id)))
        .filter_map(|team| team.name.as_deref())
        .collect();
    if !own.is_empty() {
        findings.push(Finding::warning(
            format!("Intercom itself hands the conversations of {} to teammates", own.join(", ")),
            "Set the team's assignment to manual where rules assign owners, or write owner.assign = \"queue\"",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::desk::Severity;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn me(json: Value) -> Me {
        Me::read(serde_json::from_value(json).unwrap(), "api.intercom.io").unwrap()
    }

    #[test]
    fn a_seat_that_is_missing_and_a_url_of_another_region_are_told() {
        assert_eq!(own_account(&me(json!({ "id": 7, "has_inbox_seat": false }))).severity, Severity::Error);
        assert_eq!(own_account(&me(json!({ "id": 7 }))).severity, Severity::Fine);
        let of = |word: &str, host: &str| region(&me(json!({ "id": 7, "app": { "region": word } })), host);
        let wrong = of("eu", "api.intercom.io").unwrap();
        assert!(wrong.next_step.contains("https://api.eu.intercom.io"), "{wrong:?}");
        assert_eq!(
            (of("US", "api.intercom.io"), of("EU", "127.0.0.1"), of("XX", "api.intercom.io")),
            (None, None, None)
        );
    }

    #[test]
    fn teams_that_are_missing_or_hand_out_by_themselves_are_named() {
        let team = |id: i64, name: &str, method: &str| {
            let team = json!({ "id": id, "name": name, "distribution_method": method });
            (Id(id), serde_json::from_value(team).unwrap())
        };
        let teams = BTreeMap::from([team(1, "Support", "manual"), team(2, "Billing", "round_robin")]);
        let teams: Teams = Some(Arc::new(teams));
        let found = |names: &[&str]| -> Vec<String> {
            let wanted: Vec<QueueSpec> = names.iter().map(|name| QueueSpec::Name((*name).to_owned())).collect();
            let bad = try_teams(&teams, &wanted).into_iter().filter(|one| one.severity != Severity::Fine);
            bad.map(|finding| finding.what).collect()
        };
        assert!(found(&["Support"]).is_empty());
        assert!(found(&["Billing"])[0].contains("hands the conversations of Billing"));
        assert!(found(&["Nope"])[0].contains("Nope"));
        assert!(try_teams(&None, &[])[0].what.contains("may not list teams"));
    }
}
